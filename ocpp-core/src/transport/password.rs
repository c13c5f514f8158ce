//! The password in HTTP Basic credentials, in the forms that stations send it.

use ocpp_types::Version;
use subtle::{Choice, ConstantTimeEq as _};

use super::handshake::Credentials;

impl Credentials {
    /// Whether this is the station's password, whose bytes are given, in a time that does not tell how much of it is right.
    ///
    /// - 2.x: the password is text, sent as UTF-8 and never as hexadecimal digits (A00.FR.205, A00.FR.304).
    /// - 1.6: `AuthorizationKey` is configured as up to 40 hexadecimal digits and stands for the bytes that they write
    ///   (1.6 security, A00.FR.205/304; OCPP-J 1.6, 6.2.2). Stations send those bytes, or the digits themselves; both are taken,
    ///   whichever of the two `password` is.
    #[must_use]
    pub fn is_password(&self, version: Option<Version>, password: &[u8]) -> bool {
        self.password_matches(version, |form| form.ct_eq(password).into())
    }

    /// The same for a password that is only kept as a hash: `matches` says whether a form of what was sent is the password. It is asked
    /// for every form, whatever it said before.
    #[must_use]
    pub fn password_matches(&self, version: Option<Version>, matches: impl Fn(&[u8]) -> bool) -> bool {
        let mut found = Choice::from(u8::from(matches(&self.password)));
        if version == Some(Version::V1_6) {
            if let Ok(bytes) = hex::decode(&self.password) {
                found |= Choice::from(u8::from(matches(&bytes)));
            }
            found |= Choice::from(u8::from(matches(hex::encode(&self.password).as_bytes())));
            found |= Choice::from(u8::from(matches(hex::encode_upper(&self.password).as_bytes())));
        }
        found.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(password: &[u8]) -> Credentials {
        Credentials { user: "AL1000".into(), password: password.to_vec() }
    }

    const DIGITS: &str = "0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF";

    // OCPP-J 1.6, 6.2.2; 1.6 security, A00.FR.205/304
    #[test]
    fn a_station_of_1_6_may_send_its_key_as_bytes_or_as_digits() {
        let bytes = hex::decode(DIGITS).unwrap();
        for sent in [sent(&bytes), sent(DIGITS.as_bytes())] {
            for kept in [&*bytes, DIGITS.as_bytes()] {
                assert!(sent.is_password(Some(Version::V1_6), kept));
            }
            assert!(!sent.is_password(Some(Version::V1_6), b"0001020304050607FFFFFFFFFFFFFFFFFFFFFFFE"));
        }
        assert!(sent(DIGITS.to_ascii_lowercase().as_bytes()).is_password(Some(Version::V1_6), &bytes));
        assert!(sent(b"a password in words").is_password(Some(Version::V1_6), b"a password in words"));
    }

    // A00.FR.205, A00.FR.304
    #[test]
    fn a_station_of_2_x_sends_its_password_as_text_and_not_encoded() {
        for version in [Version::V2_0_1, Version::V2_1] {
            assert!(
                sent("pässwörd of sixteen".as_bytes()).is_password(Some(version), "pässwörd of sixteen".as_bytes())
            );
            assert!(sent(DIGITS.as_bytes()).is_password(Some(version), DIGITS.as_bytes()));
            assert!(!sent(&hex::decode(DIGITS).unwrap()).is_password(Some(version), DIGITS.as_bytes()));
            assert!(!sent(DIGITS.as_bytes()).is_password(Some(version), &hex::decode(DIGITS).unwrap()));
        }
    }

    #[test]
    fn the_beginning_of_a_password_is_not_the_password() {
        assert!(!sent(b"").is_password(Some(Version::V2_1), b"secret"));
        assert!(!sent(b"secre").is_password(Some(Version::V2_1), b"secret"));
        assert!(!sent(b"secrets").is_password(Some(Version::V2_1), b"secret"));
        assert!(!sent(b"").is_password(Some(Version::V1_6), b"00"));
    }
}
