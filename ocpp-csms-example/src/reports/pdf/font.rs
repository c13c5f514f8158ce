//! The fonts of the documents: Noto Sans, with Gurmukhi from its sister, and how wide a text is in them.

use std::sync::LazyLock;

use krilla::text::Font;
use rustybuzz::{Face, UnicodeBuffer};

/// How thick letters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Bold,
}

/// Letters of one script, which one font has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    /// Latin, Greek, Cyrillic, digits, punctuation, currencies.
    Common,
    /// U+0A00 to U+0A7F.
    Gurmukhi,
}

struct Typeface {
    font: Font,
    face: Face<'static>,
}

struct Family {
    regular: Typeface,
    bold: Typeface,
}

struct Fonts {
    common: Family,
    gurmukhi: Family,
}

/// `None` only if the files that were built in are no fonts, which a test would see.
static FONTS: LazyLock<Option<Fonts>> = LazyLock::new(|| {
    let common = family(
        include_bytes!("../../../assets/fonts/NotoSans-Regular.ttf"),
        include_bytes!("../../../assets/fonts/NotoSans-Bold.ttf"),
    )?;
    let gurmukhi = family(
        include_bytes!("../../../assets/fonts/NotoSansGurmukhi-Regular.ttf"),
        include_bytes!("../../../assets/fonts/NotoSansGurmukhi-Bold.ttf"),
    )?;
    Some(Fonts { common, gurmukhi })
});

fn family(regular: &'static [u8], bold: &'static [u8]) -> Option<Family> {
    Some(Family { regular: typeface(regular)?, bold: typeface(bold)? })
}

fn typeface(data: &'static [u8]) -> Option<Typeface> {
    Some(Typeface { font: Font::new(data.into(), 0)?, face: Face::from_slice(data, 0)? })
}

/// A part of a text that one font draws.
pub(super) struct Run<'a> {
    pub(super) text: &'a str,
    pub(super) font: Font,
    /// In points.
    pub(super) width: f32,
}

/// The parts of a text, from left to right.
pub(super) fn runs(text: &str, weight: Weight, size: f32) -> Vec<Run<'_>> {
    let Some(fonts) = &*FONTS else { return Vec::new() };
    let pick = |script| {
        let family = match script {
            Script::Common => &fonts.common,
            Script::Gurmukhi => &fonts.gurmukhi,
        };
        match weight {
            Weight::Regular => &family.regular,
            Weight::Bold => &family.bold,
        }
    };
    by_script(text)
        .into_iter()
        .map(|(script, text)| {
            let typeface = pick(script);
            Run { text, font: typeface.font.clone(), width: advance(&typeface.face, text) * size }
        })
        .collect()
}

/// How wide a text is, in points.
pub(super) fn width(text: &str, weight: Weight, size: f32) -> f32 {
    runs(text, weight, size).iter().map(|run| run.width).sum()
}

/// Shaped as it will be drawn, in parts of the font size.
fn advance(face: &Face<'_>, text: &str) -> f32 {
    let mut buffer = UnicodeBuffer::new();
    buffer.push_str(text);
    buffer.guess_segment_properties();
    let shaped = rustybuzz::shape(face, &[], buffer);
    let units: i32 = shaped.glyph_positions().iter().map(|position| position.x_advance).sum();
    units as f32 / face.units_per_em() as f32
}

fn by_script(text: &str) -> Vec<(Script, &str)> {
    let mut parts = Vec::new();
    let (mut start, mut current) = (0, None);
    for (at, character) in text.char_indices() {
        let script = script(character);
        match (current, script) {
            (None, _) => current = script,
            (Some(before), Some(now)) if before != now => {
                parts.push((before, text.get(start..at).unwrap_or_default()));
                (start, current) = (at, script);
            }
            _ => {}
        }
    }
    if start < text.len() {
        parts.push((current.unwrap_or(Script::Common), text.get(start..).unwrap_or_default()));
    }
    parts
}

/// `None` for what goes with whatever stands before it.
fn script(character: char) -> Option<Script> {
    match character {
        '\u{A00}'..='\u{A7F}' | '\u{964}' | '\u{965}' => Some(Script::Gurmukhi),
        '\u{200C}' | '\u{200D}' => None,
        _ => Some(Script::Common),
    }
}

/// The characters that no font here has.
#[cfg(test)]
fn missing(text: &str) -> Vec<char> {
    let fonts = FONTS.as_ref().unwrap();
    let has = |typeface: &Typeface, character| typeface.face.glyph_index(character).is_some();
    text.chars()
        .filter(|&character| match script(character) {
            Some(Script::Gurmukhi) => !has(&fonts.gurmukhi.regular, character) || !has(&fonts.gurmukhi.bold, character),
            _ => !has(&fonts.common.regular, character) || !has(&fonts.common.bold, character),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_of_the_pages_can_be_written() {
        let languages = [
            "Electricity – 12,345.67 € £ $ ₦ ₹ % · “quoted” … ÄÖÜß",
            "Ɓɓ Ɗɗ Ƙƙ Ƴƴ ʼyan wuta",
            "Amashanyarazi ya sitasiyo",
            "ਚਾਰਜਿੰਗ ਸਟੇਸ਼ਨ ਦੀ ਰਿਪੋਰਟ ੧੨੩ ਊਰਜਾ।",
            "Energia kargatu da, ñ ç",
        ];
        for text in languages {
            assert!(missing(text).is_empty(), "{text}: {:?}", missing(text));
        }
    }

    #[test]
    fn scripts_are_told_apart_and_nothing_is_lost() {
        let text = "CS-1: ਊਰਜਾ 12 kWh";
        let parts = by_script(text);
        assert_eq!(parts.iter().map(|(_, part)| *part).collect::<String>(), text);
        assert_eq!(parts.len(), 3);
        assert!(by_script("").is_empty());
    }

    #[test]
    fn a_text_is_as_wide_as_its_shaped_letters() {
        let (one, two) = (width("0", Weight::Regular, 10.0), width("00", Weight::Regular, 10.0));
        assert!(one > 4.0 && one < 8.0, "{one}");
        assert!((two - 2.0 * one).abs() < 0.01);
        assert!(width("W", Weight::Bold, 10.0) > width("i", Weight::Bold, 10.0));
        // A consonant with a vowel sign before it in writing and after it in memory.
        assert!(width("ਕਿ", Weight::Regular, 10.0) > width("ਕ", Weight::Regular, 10.0));
    }
}
