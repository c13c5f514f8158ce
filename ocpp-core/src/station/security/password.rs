//! The password of HTTP Basic authentication (A01; 1.6 security, A00.FR.205, A00.FR.304;
//! 1.6 security, A01.FR.01).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use ocpp_types::Version;

/// Fewest bytes of a password (A00.FR.205; 1.6 security, A00.FR.205/304).
const MINIMUM: usize = 16;
/// Most hexadecimal digits of 1.6's key.
const DIGITS: usize = 40;
/// Most characters of 2.x's password.
const CHARACTERS: usize = 64;
/// What marks a password that is stored as hexadecimal digits. No other begins with it.
const MARK: char = '\u{1}';

/// A password. It doesn't show itself in logs (A01.FR.12).
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Vec<u8>);

impl Password {
    /// What follows the identity and the colon in the header, before it is encoded in Base64.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The same, to keep.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Reads the value of the setting; empty for none.
    pub(in crate::station) fn of_setting(value: &str) -> Option<Self> {
        match value.strip_prefix(MARK).and_then(bytes) {
            Some(bytes) => Some(Self(bytes)),
            None if value.is_empty() => None,
            None => Some(Self(value.as_bytes().to_vec())),
        }
    }

    /// Whether it is long enough for a security profile.
    pub(in crate::station) const fn is_sufficient(&self) -> bool {
        self.0.len() >= MINIMUM
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// The value of the setting for what the CSMS sends: in 1.6 hexadecimal digits of 16 to 20 bytes (1.6 security, 7.2), in 2.x 16 to
/// 64 characters (A00.FR.205).
pub(in crate::station) fn from_wire(version: Version, value: &str) -> Result<String, String> {
    match version {
        Version::V1_6 => match bytes(value).filter(|bytes| bytes.len() >= MINIMUM && value.len() <= DIGITS) {
            Some(_) => Ok(format!("{MARK}{value}")),
            None => Err(format!("must be {} to {DIGITS} hexadecimal digits, two for a byte", MINIMUM * 2)),
        },
        _ => {
            let length = value.chars().count();
            if (MINIMUM..=CHARACTERS).contains(&length) && !value.chars().any(char::is_control) {
                Ok(value.into())
            } else {
                Err(format!("must be {MINIMUM} to {CHARACTERS} characters"))
            }
        }
    }
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    if digits.is_empty() || !digits.len().is_multiple_of(2) || !digits.is_ascii() {
        return None;
    }
    let pair = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok().filter(|_| !digits.contains('+'));
    (0..digits.len()).step_by(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_1_6_is_bytes_in_hexadecimal_digits() {
        let digits = "4F43415F4F4354545F6161646D696E5F74657374";
        let stored = from_wire(Version::V1_6, digits).unwrap();
        assert_eq!(Password::of_setting(&stored).unwrap().as_bytes(), b"OCA_OCTT_aadmin_test");
        for wrong in ["", "4F", "xx43415F4F4354545F6161646D696E5F", "4F43415F4F4354545F6161646D696E5", &"00".repeat(21)]
        {
            assert!(from_wire(Version::V1_6, wrong).is_err(), "{wrong}");
        }
        assert!(from_wire(Version::V1_6, &"+f".repeat(16)).is_err());
    }

    #[test]
    fn a_password_of_2_is_itself() {
        let stored = from_wire(Version::V2_1, "DEADBEEFDEADBEEF").unwrap();
        assert_eq!(Password::of_setting(&stored).unwrap().as_bytes(), b"DEADBEEFDEADBEEF");
        for wrong in ["", "fifteen-letters", &"x".repeat(65), "\u{1}0123456789abcdef"] {
            assert!(from_wire(Version::V2_1, wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_password_does_not_show_itself() {
        let password = Password::of_setting("a-password-of-20-chars").unwrap();
        assert_eq!(alloc::format!("{password:?}"), "Password(..)");
        assert_eq!(Password::of_setting(""), None);
        assert!(!Password::of_setting("short").unwrap().is_sufficient());
    }
}
