//! The error codes of a CALLERROR, in the spelling of each version.

use alloc::boxed::Box;
use core::fmt;

use crate::Version;

/// An error code of the RPC framework (2.1 part 4, 4.3; 1.6-J, 4.2.3).
///
/// The versions share the codes but not their spelling, so a code is written with [`ErrorCode::as_str`] for a version, and
/// [`ErrorCode::from_wire`] reads all spellings.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// The payload is not built as the action demands. 1.6 writes `FormationViolation`.
    FormatViolation,
    /// Any other error.
    GenericError,
    /// The receiver failed while it worked on a valid request.
    InternalError,
    /// The message type number is not one that the receiver knows. 2.x only; 1.6 writes `GenericError`.
    MessageTypeNotSupported,
    /// The action is not one of the version.
    NotImplemented,
    /// The action is known but the receiver does not support it.
    NotSupported,
    /// A member is missing, or a list has too few or too many items. 1.6 writes `OccurenceConstraintViolation`, with one `r`.
    OccurrenceConstraintViolation,
    /// A value is outside of what its member allows: too long, out of range, not one of an enumeration.
    PropertyConstraintViolation,
    /// The payload does not fit the conversation.
    ProtocolError,
    /// The frame is not one of the RPC framework. 2.x only; 1.6 writes `GenericError`.
    RpcFrameworkError,
    /// A security problem kept the receiver from carrying out the action.
    SecurityError,
    /// A value has the wrong JSON type.
    TypeConstraintViolation,
    /// A code that the standard does not have, as a peer sent it.
    Unknown(Box<str>),
}

impl ErrorCode {
    /// The code as the version writes it.
    #[must_use]
    pub fn as_str(&self, version: Version) -> &str {
        match (self, version) {
            (Self::FormatViolation, Version::V1_6) => "FormationViolation",
            (Self::OccurrenceConstraintViolation, Version::V1_6) => "OccurenceConstraintViolation",
            // 1.6 has neither of the two codes, and asks for GenericError where none fits.
            (Self::MessageTypeNotSupported | Self::RpcFrameworkError, Version::V1_6) => "GenericError",
            (Self::FormatViolation, _) => "FormatViolation",
            (Self::GenericError, _) => "GenericError",
            (Self::InternalError, _) => "InternalError",
            (Self::MessageTypeNotSupported, _) => "MessageTypeNotSupported",
            (Self::NotImplemented, _) => "NotImplemented",
            (Self::NotSupported, _) => "NotSupported",
            (Self::OccurrenceConstraintViolation, _) => "OccurrenceConstraintViolation",
            (Self::PropertyConstraintViolation, _) => "PropertyConstraintViolation",
            (Self::ProtocolError, _) => "ProtocolError",
            (Self::RpcFrameworkError, _) => "RpcFrameworkError",
            (Self::SecurityError, _) => "SecurityError",
            (Self::TypeConstraintViolation, _) => "TypeConstraintViolation",
            (Self::Unknown(text), _) => text,
        }
    }

    /// Reads a code in the spelling of any version.
    #[must_use]
    pub fn from_wire(text: &str) -> Self {
        match text {
            "FormatViolation" | "FormationViolation" => Self::FormatViolation,
            "GenericError" => Self::GenericError,
            "InternalError" => Self::InternalError,
            "MessageTypeNotSupported" => Self::MessageTypeNotSupported,
            "NotImplemented" => Self::NotImplemented,
            "NotSupported" => Self::NotSupported,
            "OccurrenceConstraintViolation" | "OccurenceConstraintViolation" => Self::OccurrenceConstraintViolation,
            "PropertyConstraintViolation" => Self::PropertyConstraintViolation,
            "ProtocolError" => Self::ProtocolError,
            "RpcFrameworkError" => Self::RpcFrameworkError,
            "SecurityError" => Self::SecurityError,
            "TypeConstraintViolation" => Self::TypeConstraintViolation,
            other => Self::Unknown(other.into()),
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str(Version::V2_1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_6_keeps_its_own_spelling() {
        assert_eq!(ErrorCode::FormatViolation.as_str(Version::V1_6), "FormationViolation");
        assert_eq!(ErrorCode::OccurrenceConstraintViolation.as_str(Version::V1_6), "OccurenceConstraintViolation");
        assert_eq!(ErrorCode::FormatViolation.as_str(Version::V2_0_1), "FormatViolation");
        assert_eq!(ErrorCode::OccurrenceConstraintViolation.as_str(Version::V2_1), "OccurrenceConstraintViolation");
    }

    #[test]
    fn every_spelling_is_read_back() {
        for version in Version::ALL {
            for code in [
                ErrorCode::FormatViolation,
                ErrorCode::GenericError,
                ErrorCode::InternalError,
                ErrorCode::NotImplemented,
                ErrorCode::NotSupported,
                ErrorCode::OccurrenceConstraintViolation,
                ErrorCode::PropertyConstraintViolation,
                ErrorCode::ProtocolError,
                ErrorCode::SecurityError,
                ErrorCode::TypeConstraintViolation,
                ErrorCode::Unknown("VendorError".into()),
            ] {
                assert_eq!(ErrorCode::from_wire(code.as_str(version)), code);
            }
        }
    }
}
