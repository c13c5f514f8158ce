//! Reports as tables: for CSV and PDF.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::consumption::Consumption;
use super::days::{DayReport, Figures, Grouping, written_fees};
use super::pdf::{Column, Document};
use super::presence::StationState;
use super::range::ReportError;
use super::utilisation::SlotUse;
use crate::payments::Statement;
use crate::tariffs::amount;
use crate::web::{Language, texts};

/// A column: its name in CSV for programs, the text of its heading for people, its part of the width, and whether it holds numbers.
struct Field {
    name: &'static str,
    heading: &'static str,
    share: u16,
    is_number: bool,
}

const fn words(name: &'static str, heading: &'static str, share: u16) -> Field {
    Field { name, heading, share, is_number: false }
}

const fn numbers(name: &'static str, heading: &'static str, share: u16) -> Field {
    Field { name, heading, share, is_number: true }
}

/// A report as a table.
pub struct Sheet {
    /// Whose language the headings are in; without one they are the names for programs in CSV, and English in PDF.
    language: Option<Language>,
    /// A text.
    title: &'static str,
    /// Texts, and what is so called.
    about: Vec<(&'static str, String)>,
    fields: Vec<Field>,
    rows: Vec<Vec<String>>,
    totals: Option<Vec<String>>,
}

/// A text in a language, or in English.
fn text(language: Option<Language>, key: &'static str) -> &'static str {
    texts::text(language.unwrap_or_default(), key)
}

impl Sheet {
    /// As CSV (RFC 4180), with a line of names. Numbers are written with a point in every language.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn csv(&self) -> Result<Vec<u8>, ReportError> {
        let failed = |error: csv::Error| ReportError::Csv(error.to_string());
        let mut writer = csv::Writer::from_writer(Vec::new());
        let heading = |field: &Field| match self.language {
            // Two columns of money share a heading in PDF.
            Some(language) if !field.heading.is_empty() => texts::text(language, field.heading),
            _ => field.name,
        };
        writer.write_record(self.fields.iter().map(heading)).map_err(failed)?;
        for row in &self.rows {
            writer.write_record(row.iter().map(|cell| harmless(cell))).map_err(failed)?;
        }
        writer.into_inner().map_err(|error| ReportError::Csv(error.to_string()))
    }

    /// As PDF.
    ///
    /// # Errors
    /// When it is too long or cannot be written.
    pub fn pdf(&self, footer: &str, now: Timestamp) -> Result<Vec<u8>, ReportError> {
        let language = self.language.unwrap_or_default();
        let mut document = Document::new(text(self.language, self.title), language.code(), now);
        document.footer(footer);
        let about: Vec<_> = self.about.iter().map(|(name, value)| (text(self.language, name), value.clone())).collect();
        document.pairs(&about);
        let heading = |field: &Field| match field.heading {
            "" => "",
            key => text(self.language, key),
        };
        let columns: Vec<Column> = self
            .fields
            .iter()
            .map(|field| match field.is_number {
                true => Column::numbers(heading(field), field.share),
                false => Column::words(heading(field), field.share),
            })
            .collect();
        document.table(&columns, &self.rows, self.totals.as_deref());
        Ok(document.finish()?)
    }
}

/// A text that a spreadsheet does not take for a formula.
pub(crate) fn harmless(cell: &str) -> String {
    match cell.chars().next() {
        Some('=' | '+' | '@' | '\t' | '\r') => format!("'{cell}"),
        Some('-') if cell.parse::<Decimal>().is_err() => format!("'{cell}"),
        _ => cell.to_owned(),
    }
}

/// Milliseconds as hours.
fn hours(milliseconds: i64) -> String {
    two(Decimal::new(milliseconds, 3) / Decimal::from(3600))
}

fn two(value: Decimal) -> String {
    let mut value = value.round_dp(2);
    value.rescale(2);
    value.to_string()
}

fn kwh(milliwatt_hours: i64) -> String {
    let mut value = Decimal::new(milliwatt_hours, 6).round_dp(3);
    value.rescale(3);
    value.to_string()
}

impl Sheet {
    /// Hours, energy and fees.
    #[must_use]
    pub fn of_days(report: &DayReport, language: Option<Language>) -> Self {
        let has = |wanted: &[Grouping]| wanted.contains(&report.grouping);
        let mut fields = Vec::new();
        if has(&[Grouping::Station, Grouping::StationDay]) {
            fields.push(words("station", "stations.station", 7));
        }
        if has(&[Grouping::Day, Grouping::StationDay]) {
            fields.push(words("day", "reports.day", 5));
        }
        fields.extend([
            numbers("sessions", "frame.sessions", 4),
            numbers("energy_kwh", "reports.col_energy", 5),
            words("fees", "reports.fees", 6),
            numbers("charging_hours", "reports.col_charging", 4),
            numbers("connected_hours", "reports.col_connected", 5),
            numbers("available_hours", "reports.col_available", 5),
            numbers("occupied_hours", "reports.col_occupied", 5),
            numbers("unavailable_hours", "reports.col_unavailable", 5),
            numbers("faulted_hours", "reports.col_faulted", 4),
            numbers("faults", "frame.faults", 3),
        ]);
        let figures = |figures: &Figures| {
            vec![
                figures.sessions.to_string(),
                kwh(figures.energy_mwh),
                written_fees(&figures.fees),
                hours(figures.occupied),
                hours(figures.connected()),
                hours(figures.time(StationState::Available)),
                hours(figures.time(StationState::Occupied)),
                hours(figures.time(StationState::Unavailable)),
                hours(figures.time(StationState::Faulted)),
                figures.faults.to_string(),
            ]
        };
        let line = |station: Option<&str>, day: Option<String>, of: &Figures| {
            let mut cells = Vec::new();
            if has(&[Grouping::Station, Grouping::StationDay]) {
                cells.push(station.unwrap_or_default().to_owned());
            }
            if has(&[Grouping::Day, Grouping::StationDay]) {
                cells.push(day.unwrap_or_default());
            }
            cells.extend(figures(of));
            cells
        };
        let rows = report.lines.iter();
        let rows =
            rows.map(|row| line(row.station.as_deref(), row.day.map(|day| day.to_string()), &row.figures)).collect();
        let total = text(language, "money.total");
        let total = line(Some(total), Some(total.to_owned()), &report.total);
        let about = vec![
            ("reports.from", report.range.from.to_string()),
            ("reports.until", report.range.until.to_string()),
            ("reports.days_of", report.zone.clone()),
            ("stations.station", report.station.clone().unwrap_or_else(|| text(language, "reports.all").to_owned())),
        ];
        Self { language, title: "reports.title_days", about, fields, rows, totals: Some(total) }
    }
}

impl Sheet {
    /// The use by the hour of the week.
    #[must_use]
    pub fn of_utilisation(slots: &[SlotUse], about: &DayRangeAbout, language: Option<Language>) -> Self {
        const DAYS: [&str; 7] = [
            "reports.monday",
            "reports.tuesday",
            "reports.wednesday",
            "reports.thursday",
            "reports.friday",
            "reports.saturday",
            "reports.sunday",
        ];
        let fields = vec![
            words("weekday", "reports.day", 3),
            words("hour", "reports.col_hour", 2),
            numbers("charging_hours", "reports.col_charging", 3),
            numbers("energy_kwh", "reports.col_energy", 3),
            numbers("share", "reports.col_used", 2),
        ];
        let rows = slots.iter().map(|slot| {
            let day = usize::try_from(slot.weekday).ok().and_then(|day| DAYS.get(day));
            let share = slot.share.map(|share| two(share * Decimal::ONE_HUNDRED)).unwrap_or_default();
            vec![
                day.map(|day| text(language, day)).unwrap_or_default().to_owned(),
                format!("{:02}:00", slot.hour),
                hours(slot.occupied),
                kwh(slot.energy_mwh),
                share,
            ]
        });
        let rows = rows.collect();
        Self { language, title: "reports.title_utilisation", about: about.pairs(language), fields, rows, totals: None }
    }

    /// The consumption of somebody.
    #[must_use]
    pub fn of_consumption(consumption: &Consumption, zone: &TimeZone, language: Option<Language>) -> Self {
        let fields = vec![
            words("started_at", "reports.from", 5),
            words("stopped_at", "reports.until", 5),
            words("station", "stations.station", 5),
            words("session", "stations.session", 6),
            words("token", "stations.token", 5),
            numbers("energy_kwh", "reports.col_energy", 4),
            numbers("fees", "reports.fees", 4),
            words("currency", "", 2),
        ];
        let local = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
        let rows = consumption.sessions.iter().map(|session| {
            vec![
                local(session.started_at),
                local(session.stopped_at),
                session.station.clone(),
                session.id.clone(),
                session.token.clone().unwrap_or_default(),
                kwh(super::spread::milli(session.energy_wh)),
                amount(session.fees, session.currency).to_string(),
                session.currency.code().to_owned(),
            ]
        });
        let rows = rows.collect();
        let mut totals = vec![String::new(); 5];
        totals.extend([kwh(consumption.energy_mwh), written_fees(&consumption.fees)]);
        let about = vec![
            ("reports.of", consumption.name.clone()),
            ("reports.from", consumption.range.from.to_string()),
            ("reports.until", consumption.range.until.to_string()),
            ("reports.times_of", zone.iana_name().unwrap_or("UTC").to_owned()),
        ];
        Self { language, title: "reports.title_consumption", about, fields, rows, totals: Some(totals) }
    }
}

impl Sheet {
    /// What came to the balance of a driver and went from it.
    #[must_use]
    pub fn of_statement(statement: &Statement, zone: &TimeZone, language: Option<Language>) -> Self {
        let fields = vec![
            words("at", "stations.moment", 5),
            words("kind", "pay.movement", 4),
            words("about", "pay.about", 9),
            numbers("amount", "stations.amount", 4),
            numbers("balance", "access.balance", 4),
            words("currency", "", 2),
        ];
        // Programs read the words of the interface, people those of their language.
        let word = |word: &str, key: &str| match language {
            Some(language) if texts::exists(key) => texts::text(language, key).to_owned(),
            _ => word.to_owned(),
        };
        let mut rows = Vec::new();
        for account in &statement.accounts {
            let code = account.currency.code().to_owned();
            let money = |minor| amount(minor, account.currency).to_string();
            let edge = |day: String, kind: &str, balance| {
                vec![
                    day,
                    word(kind, &format!("pay.{kind}")),
                    String::new(),
                    String::new(),
                    money(balance),
                    code.clone(),
                ]
            };
            rows.push(edge(statement.range.from.to_string(), "opening", account.opening));
            rows.extend(account.lines.iter().map(|line| {
                let at = line.at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
                let kind = line.kind.as_str();
                let kind = word(kind, &format!("pay.movement_{kind}"));
                vec![at, kind, line.about.clone(), money(line.amount), money(line.balance), code.clone()]
            }));
            rows.push(edge(statement.range.until.to_string(), "closing", account.closing));
        }
        let about = vec![
            ("reports.of", statement.name.clone()),
            ("reports.from", statement.range.from.to_string()),
            ("reports.until", statement.range.until.to_string()),
            ("reports.times_of", zone.iana_name().unwrap_or("UTC").to_owned()),
        ];
        Self { language, title: "pay.statement", about, fields, rows, totals: None }
    }
}

/// What a report is about.
#[derive(Debug, Clone)]
pub struct DayRangeAbout {
    /// The days.
    pub range: super::range::Range,
    /// Their calendar.
    pub zone: String,
    /// The station, unless it is about all.
    pub station: Option<String>,
}

impl DayRangeAbout {
    fn pairs(&self, language: Option<Language>) -> Vec<(&'static str, String)> {
        vec![
            ("reports.from", self.range.from.to_string()),
            ("reports.until", self.range.until.to_string()),
            ("reports.days_of", self.zone.clone()),
            ("stations.station", self.station.clone().unwrap_or_else(|| text(language, "reports.all").to_owned())),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spreadsheet_is_given_no_formula() {
        for (cell, written) in
            [("=1+1", "'=1+1"), ("+1", "'+1"), ("@a", "'@a"), ("-2.50", "-2.50"), ("-x", "'-x"), ("CS-1", "CS-1")]
        {
            assert_eq!(harmless(cell), written);
        }
    }

    #[test]
    fn headings_are_in_the_language_of_who_reads_and_names_are_for_programs() {
        let about = DayRangeAbout {
            range: super::super::range::Range {
                from: "2026-11-01".parse().unwrap(),
                until: "2026-11-02".parse().unwrap(),
            },
            zone: "UTC".to_owned(),
            station: None,
        };
        let first = |language| {
            let csv = Sheet::of_utilisation(&[], &about, language).csv().unwrap();
            String::from_utf8(csv).unwrap().lines().next().unwrap().to_owned()
        };
        assert_eq!(first(None), "weekday,hour,charging_hours,energy_kwh,share");
        assert!(first(Some(Language::Basque)).starts_with("Eguna,"), "{}", first(Some(Language::Basque)));
        for language in Language::ALL {
            let pdf = Sheet::of_utilisation(&[], &about, Some(language)).pdf("", Timestamp::UNIX_EPOCH).unwrap();
            assert!(pdf.starts_with(b"%PDF"));
            assert!(!first(Some(language)).contains('_'), "{}", first(Some(language)));
        }
    }

    #[test]
    fn hours_and_energy_are_rounded_for_people() {
        assert_eq!(hours(5_400_000), "1.50");
        assert_eq!(kwh(12_345_678), "12.346");
    }
}
