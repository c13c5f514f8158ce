//! The versions of the protocol that this crate knows.

use core::fmt;

/// A version of OCPP, as negotiated by WebSocket sub-protocol (2.1 part 4, 3.1.2).
///
/// All variants exist whatever features are enabled, so that a version that was compiled out can still be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// OCPP 1.6, edition 2, with the security whitepaper, edition 3.
    V1_6,
    /// OCPP 2.0.1, edition 3.
    V2_0_1,
    /// OCPP 2.1, edition 1.
    V2_1,
}

impl Version {
    /// Every version, the newest first: the order in which a station that speaks all of them offers them.
    pub const ALL: [Self; 3] = [Self::V2_1, Self::V2_0_1, Self::V1_6];

    /// The name of the WebSocket sub-protocol, as registered with IANA.
    #[must_use]
    pub const fn subprotocol(self) -> &'static str {
        match self {
            Self::V1_6 => "ocpp1.6",
            Self::V2_0_1 => "ocpp2.0.1",
            Self::V2_1 => "ocpp2.1",
        }
    }

    /// The version that a WebSocket sub-protocol names; `None` for versions that this crate does not speak.
    #[must_use]
    pub fn from_subprotocol(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.subprotocol() == name)
    }

    /// The number alone: `1.6`, `2.0.1`, `2.1`.
    #[must_use]
    pub const fn number(self) -> &'static str {
        match self {
            Self::V1_6 => "1.6",
            Self::V2_0_1 => "2.0.1",
            Self::V2_1 => "2.1",
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.number())
    }
}
