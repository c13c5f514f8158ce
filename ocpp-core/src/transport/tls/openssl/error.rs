//! What the errors of OpenSSL mean to a station or a CSMS.

use std::io;

use openssl::ssl::Error;

use super::super::error::{TlsError, alerted};

/// Reasons of OpenSSL from here on are alerts of the peer (`SSL_AD_REASON_OFFSET`).
const ALERTS: i32 = 1000;
/// `SSL_R_UNSUPPORTED_PROTOCOL`, `SSL_R_VERSION_TOO_LOW`, `SSL_R_NO_PROTOCOLS_AVAILABLE`
const VERSION: [i32; 3] = [258, 396, 191];
/// `SSL_R_NO_SHARED_CIPHER`, `SSL_R_WRONG_CIPHER_RETURNED`, `SSL_R_UNKNOWN_CIPHER_RETURNED`,
/// `SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM`, `SSL_R_NO_SHARED_GROUP`, `SSL_R_NO_SUITABLE_KEY_SHARE`
const SUITE: [i32; 6] = [193, 261, 248, 118, 410, 101];

pub(super) fn handshake_error(error: Error) -> TlsError {
    match meaning(&error) {
        Some(meaning) => meaning,
        None => match error.into_io_error() {
            Ok(error) => TlsError::Io(error),
            // The peer has gone without a word.
            Err(error) if error.ssl_error().is_none() => {
                TlsError::Io(io::Error::new(io::ErrorKind::UnexpectedEof, error.to_string()))
            }
            Err(error) => TlsError::Handshake(error.to_string()),
        },
    }
}

/// The TLS error inside an error of reading or writing.
pub(in super::super) fn tls_error(error: io::Error) -> Result<TlsError, io::Error> {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    inner.and_then(meaning).ok_or(error)
}

fn meaning(error: &Error) -> Option<TlsError> {
    let reason = error.ssl_error()?.errors().iter().map(openssl::error::Error::reason_code).find(|code| *code != 0)?;
    if let Ok(alert) = u8::try_from(reason - ALERTS) {
        return Some(alerted(alert));
    }
    if VERSION.contains(&reason) {
        Some(TlsError::NoCommonVersion)
    } else if SUITE.contains(&reason) {
        Some(TlsError::NoCommonCipherSuite)
    } else {
        Some(TlsError::Handshake(error.to_string()))
    }
}
