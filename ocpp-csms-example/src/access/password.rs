//! The passwords of stations.
//!
//! A station's password is long and random (2.1 part 2, A00.FR.205), so it needs no slow hash, which would take minutes when
//! ten thousand stations reconnect: an HMAC with a key of the installation is kept. The identity is part of what is hashed, so
//! equal passwords leave different hashes and a hash cannot be moved to another station.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::NoEntropy;

/// The key with which the passwords of all stations are hashed.
#[derive(Clone)]
pub struct PasswordKey([u8; 32]);

impl std::fmt::Debug for PasswordKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordKey")
    }
}

impl PasswordKey {
    /// A new key.
    ///
    /// # Errors
    /// When the system has no entropy.
    pub fn generate() -> Result<Self, NoEntropy> {
        Ok(Self(super::secret()?))
    }

    /// As it is kept.
    #[must_use]
    pub fn to_stored(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The key that was kept; `None` when the text is not what [`Self::to_stored`] makes.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        Some(Self(URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?))
    }

    /// What is kept of a station's password.
    #[must_use]
    pub fn hash(&self, station: &str, password: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(self.mac(station, password).finalize().into_bytes())
    }

    /// Whether this is the station's password, in a time that does not tell how much of it is right.
    #[must_use]
    pub fn verify(&self, station: &str, password: &[u8], hash: &str) -> bool {
        let Ok(hash) = URL_SAFE_NO_PAD.decode(hash) else { return false };
        self.mac(station, password).verify_slice(&hash).is_ok()
    }

    fn mac(&self, station: &str, password: &[u8]) -> Hmac<Sha256> {
        // The length keeps "ab" + "c" apart from "a" + "bc".
        let length = u64::try_from(station.len()).unwrap_or(u64::MAX).to_be_bytes();
        // HMAC fills a key that is shorter than a block with zeros (RFC 2104, 2), so handing it over filled changes nothing.
        let mut block = [0; 64];
        block[..32].copy_from_slice(&self.0);
        Hmac::<Sha256>::new(&block.into()).chain_update(length).chain_update(station.as_bytes()).chain_update(password)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_itself_is_verified_and_only_for_its_station() {
        let key = PasswordKey::from_stored(&PasswordKey::generate().unwrap().to_stored()).unwrap();
        let hash = key.hash("CS-1", b"correct horse battery");
        assert!(key.verify("CS-1", b"correct horse battery", &hash));
        assert!(!key.verify("CS-1", b"correct horse batterz", &hash));
        assert!(!key.verify("CS-2", b"correct horse battery", &hash));
        assert!(!key.verify("CS-1c", b"orrect horse battery", &hash));
        assert!(!key.verify("CS-1", b"correct horse battery", "no hash"));
    }

    #[test]
    fn another_key_gives_another_hash() {
        let hash = PasswordKey::generate().unwrap().hash("CS-1", b"password");
        assert!(!PasswordKey::generate().unwrap().verify("CS-1", b"password", &hash));
    }
}
