//! The languages of the pages, and which one a request wants.

/// A language that the pages speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Hausa.
    Hausa,
    /// Kinyarwanda.
    Kinyarwanda,
    /// Punjabi, in Gurmukhi.
    Punjabi,
    /// Basque.
    Basque,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::English, Self::Hausa, Self::Kinyarwanda, Self::Punjabi, Self::Basque];

    /// Its tag (BCP 47).
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Hausa => "ha",
            Self::Kinyarwanda => "rw",
            Self::Punjabi => "pa",
            Self::Basque => "eu",
        }
    }

    /// What those who speak it call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Hausa => "Hausa",
            Self::Kinyarwanda => "Ikinyarwanda",
            Self::Punjabi => "ਪੰਜਾਬੀ",
            Self::Basque => "Euskara",
        }
    }

    /// The language of a tag, whatever its region.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next()?.trim();
        Self::ALL.into_iter().find(|language| language.code().eq_ignore_ascii_case(primary))
    }

    /// What a browser's `Accept-Language` (RFC 9110, 12.5.4) wants most of what there is.
    #[must_use]
    pub fn accepted(header: &str) -> Option<Self> {
        let mut best: Option<(f32, Self)> = None;
        for range in header.split(',') {
            let mut parts = range.split(';');
            let Some(language) = parts.next().and_then(Self::of_tag) else { continue };
            let weight = parts
                .find_map(|part| part.trim().strip_prefix("q="))
                .map_or(1.0, |weight| weight.trim().parse::<f32>().unwrap_or(0.0));
            // Among equals, the first.
            if weight > 0.0 && best.is_none_or(|(most, _)| weight > most) {
                best = Some((weight, language));
            }
        }
        best.map(|(_, language)| language)
    }

    pub(super) fn index(self) -> usize {
        match self {
            Self::English => 0,
            Self::Hausa => 1,
            Self::Kinyarwanda => 2,
            Self::Punjabi => 3,
            Self::Basque => 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browser_gets_the_language_that_it_wants_most() {
        assert_eq!(Language::accepted("fr, ha;q=0.5, pa-IN;q=0.8, en;q=0.1"), Some(Language::Punjabi));
        assert_eq!(Language::accepted("eu-ES,eu;q=0.9,en;q=0.8"), Some(Language::Basque));
        assert_eq!(Language::accepted("rw;q=0, de"), None);
        assert_eq!(Language::accepted(";;;q=,"), None);
    }

    #[test]
    fn every_language_is_found_by_its_tag() {
        for (index, language) in Language::ALL.into_iter().enumerate() {
            assert_eq!(Language::of_tag(language.code()), Some(language));
            assert_eq!(language.index(), index);
        }
        assert_eq!(Language::of_tag("tlh"), None);
    }
}
