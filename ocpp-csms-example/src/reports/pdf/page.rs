//! Where everything stands on the pages.

use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point};
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;
use krilla::text::TextDirection;

use super::Align;
use super::font::{Weight, runs, width};

/// A4, in points.
const PAGE: (f32, f32) = (595.28, 841.89);
const MARGIN: f32 = 48.0;
/// Between the text and the foot of the page.
const FOOT: f32 = 20.0;
/// The width of what is written.
pub(super) const CONTENT: f32 = PAGE.0 - 2.0 * MARGIN;
/// The size of letters in tables.
const CELL: f32 = 8.5;
/// Between the text of two columns.
const GAP: f32 = 6.0;
/// The distance of two lines, in sizes of the letters.
const LEADING: f32 = 1.38;
/// From the top of a line to where its letters stand, in sizes of the letters.
const ASCENT: f32 = 1.05;

#[derive(Debug)]
enum Mark {
    Text { x: f32, y: f32, size: f32, weight: Weight, text: String },
    Rule { y: f32 },
}

/// The marks on each page.
#[derive(Debug)]
pub(super) struct Layout {
    pages: Vec<Vec<Mark>>,
    /// Where the next line begins, from the top.
    y: f32,
    /// What is repeated on a new page.
    heading: Option<Heading>,
}

/// The widths of the columns, and what they are called.
type Heading = (Vec<f32>, Vec<(String, Align)>);

impl Default for Layout {
    fn default() -> Self {
        Self { pages: vec![Vec::new()], y: MARGIN, heading: None }
    }
}

impl Layout {
    /// Begins a new page if there is no room for this much.
    pub(super) fn keep(&mut self, height: f32) {
        if self.y + height <= PAGE.1 - MARGIN - FOOT || self.y <= MARGIN {
            return;
        }
        self.pages.push(Vec::new());
        self.y = MARGIN;
        if let Some((widths, cells)) = self.heading.take() {
            self.begin_table(&widths, &cells);
        }
    }

    pub(super) fn space(&mut self, height: f32) {
        self.y += height;
    }

    pub(super) fn text(&mut self, text: &str, weight: Weight, size: f32) {
        for line in wrap(text, weight, size, CONTENT) {
            self.keep(size * LEADING);
            self.put(Mark::Text { x: MARGIN, y: self.y + size * ASCENT, size, weight, text: line });
            self.y += size * LEADING;
        }
    }

    pub(super) fn begin_table(&mut self, widths: &[f32], cells: &[(String, Align)]) {
        // At least one row comes with it.
        self.keep(4.0 * CELL * LEADING);
        self.row(widths, cells, Weight::Bold, true);
        self.heading = Some((widths.to_vec(), cells.to_vec()));
    }

    pub(super) fn end_table(&mut self) {
        self.heading = None;
    }

    pub(super) fn row<T: AsRef<str>>(&mut self, widths: &[f32], cells: &[(T, Align)], weight: Weight, ruled: bool) {
        let lines: Vec<Vec<String>> = widths
            .iter()
            .zip(cells)
            .map(|(width, (text, _))| wrap(text.as_ref(), weight, CELL, (width - GAP).max(CELL)))
            .collect();
        let most = lines.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let height = most as f32 * CELL * LEADING + 2.0;
        self.keep(height);
        let mut left = MARGIN;
        for ((column, (_, align)), lines) in widths.iter().zip(cells).zip(lines) {
            for (number, text) in lines.into_iter().enumerate() {
                let x = match align {
                    Align::Left => left,
                    Align::Right => left + column - GAP - width(&text, weight, CELL),
                };
                let y = self.y + number as f32 * CELL * LEADING + CELL * ASCENT;
                self.put(Mark::Text { x, y, size: CELL, weight, text });
            }
            left += column;
        }
        self.y += height;
        if ruled {
            self.put(Mark::Rule { y: self.y });
            self.y += 1.5;
        }
    }

    fn put(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    pub(super) fn draw(self, document: &mut krilla::Document, footer: &str) {
        let count = self.pages.len();
        for (number, marks) in self.pages.into_iter().enumerate() {
            let Some(settings) = PageSettings::from_wh(PAGE.0, PAGE.1) else { return };
            let mut page = document.start_page_with(settings);
            let mut surface = page.surface();
            for mark in marks {
                match mark {
                    Mark::Text { x, y, size, weight, text } => draw_text(&mut surface, x, y, size, weight, &text),
                    Mark::Rule { y } => draw_rule(&mut surface, y),
                }
            }
            let foot = PAGE.1 - MARGIN;
            draw_text(&mut surface, MARGIN, foot, 8.0, Weight::Regular, footer);
            let number = format!("{} / {count}", number + 1);
            let x = PAGE.0 - MARGIN - width(&number, Weight::Regular, 8.0);
            draw_text(&mut surface, x, foot, 8.0, Weight::Regular, &number);
            surface.finish();
            page.finish();
        }
    }
}

fn draw_text(surface: &mut Surface<'_>, x: f32, y: f32, size: f32, weight: Weight, text: &str) {
    surface.set_stroke(None);
    surface.set_fill(Some(Fill { paint: rgb::Color::new(20, 20, 20).into(), ..Fill::default() }));
    let mut x = x;
    for run in runs(text, weight, size) {
        surface.draw_text(Point::from_xy(x, y), run.font, size, run.text, false, TextDirection::LeftToRight);
        x += run.width;
    }
}

fn draw_rule(surface: &mut Surface<'_>, y: f32) {
    let mut path = PathBuilder::new();
    path.move_to(MARGIN, y);
    path.line_to(PAGE.0 - MARGIN, y);
    let Some(path) = path.finish() else { return };
    surface.set_fill(None);
    let paint = rgb::Color::new(190, 190, 190).into();
    surface.set_stroke(Some(Stroke { paint, width: 0.4, opacity: NormalizedF32::ONE, ..Stroke::default() }));
    surface.draw_path(&path);
}

/// The lines of a text that are no wider than this: broken between words, and within a word only where it is too wide alone.
fn wrap(text: &str, weight: Weight, size: f32, limit: f32) -> Vec<String> {
    let clean: String = text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in clean.split(' ').filter(|word| !word.is_empty()) {
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if width(&longer, weight, size) <= limit {
            line = longer;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        let mut rest = word.to_owned();
        while width(&rest, weight, size) > limit {
            let at = fitting(&rest, weight, size, limit);
            let tail = rest.split_off(at);
            lines.push(std::mem::replace(&mut rest, tail));
        }
        line = rest;
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Where a word is broken so that its beginning fits: after one letter at least.
fn fitting(word: &str, weight: Weight, size: f32, limit: f32) -> usize {
    let ends: Vec<usize> = word.char_indices().map(|(at, character)| at + character.len_utf8()).collect();
    let fits = ends.partition_point(|&end| width(word.get(..end).unwrap_or_default(), weight, size) <= limit);
    ends.get(fits.max(1) - 1).copied().unwrap_or(word.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_nothing_is_lost() {
        let text = "A receipt is a document that says what was paid, when, and for what.";
        let lines = wrap(text, Weight::Regular, 10.0, 100.0);
        assert!(lines.len() > 2);
        assert_eq!(lines.join(" "), text);
        assert!(lines.iter().all(|line| width(line, Weight::Regular, 10.0) <= 100.0));
    }

    #[test]
    fn a_word_without_an_end_comes_to_an_end() {
        let lines = wrap(&"W".repeat(50), Weight::Bold, 10.0, 1.0);
        assert_eq!(lines.concat().len(), 50);
        assert_eq!(wrap("", Weight::Regular, 10.0, 10.0), [""]);
    }
}
