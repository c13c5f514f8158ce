//! Documents as PDF: reports, statements, invoices.
//!
//! A [`Document`] is built of headings, paragraphs, pairs of label and value, and tables; it breaks pages by itself and repeats the
//! heading of a table on each. Its fonts are embedded: Latin with the hooked letters of Hausa, Greek, Cyrillic and Gurmukhi.

mod font;
mod page;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use krilla::SerializeSettings;
use krilla::configure::{ConfigurationBuilder, PdfVersion};
use krilla::metadata::{DateTime, Metadata};

use self::font::Weight;
use self::page::{CONTENT, Layout};

/// Rows of a table at most; a longer one is for CSV.
pub const MAX_ROWS: usize = 20_000;

/// Where the text of a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// At the left: words.
    Left,
    /// At the right: numbers.
    Right,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub struct Column {
    heading: String,
    share: f32,
    align: Align,
}

impl Column {
    /// A column of words. `share` is its part of the width, compared with the other columns.
    pub fn words(heading: impl Into<String>, share: u16) -> Self {
        Self { heading: heading.into(), share: f32::from(share.max(1)), align: Align::Left }
    }

    /// A column of numbers.
    pub fn numbers(heading: impl Into<String>, share: u16) -> Self {
        Self { heading: heading.into(), share: f32::from(share.max(1)), align: Align::Right }
    }
}

/// Why a document cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum PdfError {
    /// It is too long to be read by anybody.
    #[error("the table has {rows} rows, a PDF takes {MAX_ROWS}: choose a shorter range, or CSV")]
    TooLong {
        /// The rows.
        rows: usize,
    },
    /// The writer of PDF failed.
    #[error("the PDF cannot be written: {0}")]
    Writing(String),
}

/// A document in the making: A4, upright.
#[derive(Debug)]
pub struct Document {
    title: String,
    language: String,
    created: Timestamp,
    footer: String,
    layout: Layout,
    rows: usize,
}

impl Document {
    /// An empty document, which begins with its title. `language` is a tag of BCP 47, such as `en`.
    pub fn new(title: impl Into<String>, language: impl Into<String>, created: Timestamp) -> Self {
        let title = title.into();
        let mut layout = Layout::default();
        layout.text(&title, Weight::Bold, 18.0);
        layout.space(6.0);
        Self { title, language: language.into(), created, footer: String::new(), layout, rows: 0 }
    }

    /// A line at the foot of every page, before the number of the page.
    pub fn footer(&mut self, text: impl Into<String>) {
        self.footer = text.into();
    }

    /// A heading.
    pub fn heading(&mut self, text: &str) {
        self.layout.space(10.0);
        // A heading is not left alone at the foot of a page.
        self.layout.keep(60.0);
        self.layout.text(text, Weight::Bold, 12.0);
        self.layout.space(3.0);
    }

    /// A paragraph; lines that the text breaks itself stay broken.
    pub fn paragraph(&mut self, text: &str) {
        for line in text.lines() {
            self.layout.text(line, Weight::Regular, 9.5);
        }
        self.layout.space(4.0);
    }

    /// Labels and their values, one pair a line.
    pub fn pairs<L: AsRef<str>, V: AsRef<str>>(&mut self, pairs: &[(L, V)]) {
        let widths = [CONTENT * 0.3, CONTENT * 0.7];
        for (label, value) in pairs {
            let cells = [(label.as_ref(), Align::Left), (value.as_ref(), Align::Left)];
            self.layout.row(&widths, &cells, Weight::Regular, false);
        }
        self.layout.space(4.0);
    }

    /// A table, with a row of totals in bold if there is one. A row that is too short is filled up, one that is too long is cut.
    pub fn table(&mut self, columns: &[Column], rows: &[Vec<String>], totals: Option<&[String]>) {
        self.rows += rows.len();
        if columns.is_empty() || self.rows > MAX_ROWS {
            return;
        }
        let shares: f32 = columns.iter().map(|column| column.share).sum();
        let widths: Vec<f32> = columns.iter().map(|column| CONTENT * column.share / shares).collect();
        let cells = |row: &[String]| -> Vec<(String, Align)> {
            let texts = row.iter().cloned().chain(std::iter::repeat(String::new()));
            columns.iter().zip(texts).map(|(column, text)| (text, column.align)).collect()
        };
        let headings: Vec<String> = columns.iter().map(|column| column.heading.clone()).collect();
        self.layout.begin_table(&widths, &cells(&headings));
        for row in rows {
            self.layout.row(&widths, &cells(row), Weight::Regular, true);
        }
        if let Some(totals) = totals {
            self.layout.row(&widths, &cells(totals), Weight::Bold, true);
        }
        self.layout.end_table();
        self.layout.space(6.0);
    }

    /// The file.
    ///
    /// # Errors
    /// When it has too many rows, or cannot be written.
    pub fn finish(self) -> Result<Vec<u8>, PdfError> {
        if self.rows > MAX_ROWS {
            return Err(PdfError::TooLong { rows: self.rows });
        }
        // What every viewer and printer reads, and PDF 1.4 has all that is used here.
        let configuration = ConfigurationBuilder::new().with_version(PdfVersion::Pdf14).finish();
        let configuration = configuration.map_err(|error| PdfError::Writing(format!("{error:?}")))?;
        let settings = SerializeSettings { configuration, ..SerializeSettings::default() };
        let mut document = krilla::Document::new_with(settings);
        let metadata = Metadata::new()
            .title(self.title)
            .language(self.language)
            .creator("ocpp-csms".to_owned())
            .creation_date(date(self.created));
        document.set_metadata(metadata);
        self.layout.draw(&mut document, &self.footer);
        document.finish().map_err(|error| PdfError::Writing(format!("{error:?}")))
    }
}

fn date(at: Timestamp) -> DateTime {
    let at = at.to_zoned(TimeZone::UTC);
    let small = |value: i8| u8::try_from(value).unwrap_or(0);
    DateTime::new(u16::try_from(at.year()).unwrap_or(0))
        .month(small(at.month()))
        .day(small(at.day()))
        .hour(small(at.hour()))
        .minute(small(at.minute()))
        .second(small(at.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(pdf: &[u8]) -> usize {
        let text = String::from_utf8_lossy(pdf);
        // The tree of the pages is of another type.
        text.matches("/Type/Page").count() - text.matches("/Type/Pages").count()
    }

    fn table(rows: usize) -> Document {
        let mut document = Document::new("Energy", "en", "2026-11-20T10:00:00Z".parse().unwrap());
        document.footer("Example CPO");
        document.heading("November");
        document.paragraph("All stations.\nDays of Europe/Berlin.");
        document.pairs(&[("From", "2026-11-01"), ("To", "2026-11-30")]);
        let columns = [Column::words("Station", 2), Column::numbers("Energy in kWh", 1)];
        let rows: Vec<_> = (0..rows).map(|row| vec![format!("CS-{row} ਸਟੇਸ਼ਨ"), row.to_string()]).collect();
        document.table(&columns, &rows, Some(&["Total".to_owned(), "1".to_owned()]));
        document
    }

    #[test]
    fn a_document_has_its_title_its_language_and_its_fonts() {
        let pdf = table(3).finish().unwrap();
        assert!(pdf.starts_with(b"%PDF-"));
        let text = String::from_utf8_lossy(&pdf);
        for part in ["/Lang(en)", "NotoSans-Regular", "NotoSans-Bold", "NotoSansGurmukhi-Regular", "Energy"] {
            assert!(text.contains(part), "{part}");
        }
        assert_eq!(pages(&pdf), 1);
        // Only the letters that are used are embedded.
        assert!(pdf.len() < 60_000, "{}", pdf.len());
    }

    #[test]
    fn a_long_table_goes_on_over_pages() {
        assert_eq!(pages(&table(200).finish().unwrap()), 5);
    }

    #[test]
    fn a_row_of_another_length_than_the_heading_does_no_harm() {
        let mut document = table(0);
        let columns = [Column::words("A", 0), Column::words("B", 1)];
        document.table(&columns, &[vec![], vec!["1".into(), "2".into(), "3".into()]], None);
        document.table(&[], &[vec!["1".into()]], None);
        assert_eq!(pages(&document.finish().unwrap()), 1);
    }

    #[test]
    fn a_word_that_is_wider_than_its_column_is_broken() {
        let mut document = table(0);
        let columns = [Column::words("A", 1), Column::words("B", 9)];
        document.table(&columns, &[vec!["x".repeat(400), "y".into()]], None);
        assert!(document.finish().is_ok());
    }

    #[test]
    fn what_nobody_can_read_is_refused_with_a_way_out() {
        let error = table(MAX_ROWS + 1).finish().unwrap_err();
        assert!(error.to_string().contains("CSV"), "{error}");
    }
}
