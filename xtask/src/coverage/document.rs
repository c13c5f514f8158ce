//! The documents of the standard whose parts can be cited.

/// A document, or for 2.x both versions' part 2, which number alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Document {
    /// The specification of 1.6.
    Edition2,
    /// Its errata.
    Errata,
    /// The JSON binding of 1.6.
    J,
    /// Its errata.
    JErrata,
    /// The security whitepaper for 1.6.
    Security,
    /// Part 2 of 2.0.1 and 2.1.
    V2,
}

impl Document {
    /// Those of 1.6.
    pub(super) const V1_6: [Self; 5] = [Self::Edition2, Self::Errata, Self::J, Self::JErrata, Self::Security];

    /// As citations and tables call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Edition2 => "1.6 edition 2",
            Self::Errata => "1.6 errata",
            Self::J => "1.6-J",
            Self::JErrata => "1.6-J errata",
            Self::Security => "1.6 security",
            Self::V2 => "2.x",
        }
    }

    /// The document that has this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::V1_6.into_iter().chain([Self::V2]).find(|document| document.name() == name)
    }
}
