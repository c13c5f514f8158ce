//! Decoding and encoding a message by its name.

use ocpp_types::{Conformance, DecodeError, DecodeErrorKind, Finding, Version, v1_6, v2_0_1, v2_1};

use crate::schemas::SchemaFile;

/// What decoding gives, encoded again.
pub(crate) struct Transcoded {
    pub(crate) text: String,
    pub(crate) findings: Vec<Finding>,
}

macro_rules! transcode {
    ($version:ident, $file:expr, $text:expr, $conformance:expr) => {{
        let name = $file.name.as_str();
        macro_rules! attempt {
            ($sum:ident, $action:expr) => {
                match $version::$sum::decode($action, $text, $conformance) {
                    Ok(decoded) => {
                        assert_eq!(decoded.message.action(), $action);
                        Some(Ok(Transcoded { text: decoded.message.encode(), findings: decoded.findings }))
                    }
                    Err(DecodeError {
                        kind: DecodeErrorKind::WrongDirection(_) | DecodeErrorKind::UnknownAction(_),
                        ..
                    }) => None,
                    Err(error) => Some(Err(error)),
                }
            };
        }
        if let Some(action) = name.strip_suffix("Response") {
            attempt!(StationResponse, action).or_else(|| attempt!(CsmsResponse, action))
        } else {
            let action = name.strip_suffix("Request").unwrap_or(name);
            attempt!(StationRequest, action).or_else(|| attempt!(CsmsRequest, action))
        }
        .unwrap_or_else(|| panic!("no sum has {name}"))
    }};
}

/// Decodes a text as the message of a schema file, and encodes what it became.
pub(crate) fn transcode(file: &SchemaFile, text: &str, conformance: Conformance) -> Result<Transcoded, DecodeError> {
    match file.version {
        Version::V1_6 => transcode!(v1_6, file, text, conformance),
        Version::V2_0_1 => transcode!(v2_0_1, file, text, conformance),
        Version::V2_1 => transcode!(v2_1, file, text, conformance),
    }
}
