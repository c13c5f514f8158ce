//! The three versions as the tools see them.

/// A version of the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    /// 1.6 with its security extension.
    V1_6,
    /// 2.0.1
    V2_0_1,
    /// 2.1
    V2_1,
}

impl Version {
    pub(crate) const ALL: [Self; 3] = [Self::V1_6, Self::V2_0_1, Self::V2_1];

    /// The name of its module, folder and feature.
    pub(crate) fn module(self) -> &'static str {
        match self {
            Self::V1_6 => "v1_6",
            Self::V2_0_1 => "v2_0_1",
            Self::V2_1 => "v2_1",
        }
    }

    /// The variant of `ocpp_types::Version`.
    pub(crate) fn variant(self) -> &'static str {
        match self {
            Self::V1_6 => "V1_6",
            Self::V2_0_1 => "V2_0_1",
            Self::V2_1 => "V2_1",
        }
    }

    /// The edition that the schemas belong to.
    pub(crate) fn edition(self) -> &'static str {
        match self {
            Self::V1_6 => "OCPP 1.6 edition 2",
            Self::V2_0_1 => "OCPP 2.0.1 edition 3",
            Self::V2_1 => "OCPP 2.1 edition 1",
        }
    }

    /// How many message schemas the standard has.
    pub(crate) fn schema_count(self) -> usize {
        match self {
            Self::V1_6 => 56 + 22,
            Self::V2_0_1 => 128,
            Self::V2_1 => 181,
        }
    }

    /// How many shared definitions the standard has; 1.6 defines in place.
    pub(crate) fn definition_count(self) -> Option<usize> {
        match self {
            Self::V1_6 => None,
            Self::V2_0_1 => Some(143),
            Self::V2_1 => Some(232),
        }
    }
}
