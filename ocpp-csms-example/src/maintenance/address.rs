//! The URLs that stations are given: for one station and one purpose, not to be guessed.

use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::TryRng as _;
use sha2::Sha256;

use super::MaintenanceError;
use crate::server::Csms;
use crate::store::{Store, StoreError};

/// The setting that holds the key.
const KEY: &str = "transfer_key";

/// The key of which the secret part of each URL is made: nothing has to be kept for it, and nobody can make one who does not have the key.
#[derive(Clone)]
pub(crate) struct AddressKey([u8; 32]);

impl std::fmt::Debug for AddressKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AddressKey")
    }
}

impl AddressKey {
    /// The key of the installation, made when it is first needed.
    pub(crate) async fn of(store: &Store) -> Result<Self, MaintenanceError> {
        let mut fresh = [0; 32];
        rand::rngs::SysRng.try_fill_bytes(&mut fresh).map_err(|error| MaintenanceError::Entropy(error.to_string()))?;
        let kept = store.setting_or(KEY, &hex::encode(fresh)).await?;
        let damaged = || StoreError::Content { what: "the key of URLs", value: "something else".to_owned() };
        let bytes = hex::decode(&kept).map_err(|_| damaged())?;
        Ok(Self(bytes.try_into().map_err(|_| damaged())?))
    }

    fn mac(&self, purpose: Purpose, id: &str) -> Hmac<Sha256> {
        // HMAC fills a key that is shorter than a block with zeros (RFC 2104, 2), so handing it over filled changes nothing.
        let mut block = [0; 64];
        block[..32].copy_from_slice(&self.0);
        Hmac::<Sha256>::new(&block.into()).chain_update(purpose.segment()).chain_update(b"/").chain_update(id)
    }

    pub(crate) fn secret(&self, purpose: Purpose, id: &str) -> String {
        hex::encode(self.mac(purpose, id).finalize().into_bytes())
    }

    /// In a time that does not tell how much of it is right.
    pub(crate) fn is_secret(&self, purpose: Purpose, id: &str, secret: &str) -> bool {
        hex::decode(secret).is_ok_and(|secret| self.mac(purpose, id).verify_slice(&secret).is_ok())
    }
}

/// What a URL is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A log is uploaded.
    Upload,
    /// Firmware is fetched.
    Firmware,
}

impl Purpose {
    pub(crate) fn segment(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Firmware => "firmware-image",
        }
    }
}

/// The beginning of the URLs that a station can reach: as configured, or what it connected to itself.
pub(super) fn base(csms: &Csms, station: &str) -> Result<String, MaintenanceError> {
    if let Some(url) = &csms.config().public_url {
        return Ok(url.clone());
    }
    let origin = csms.stations().live(station).origin;
    origin.map(|origin| origin.to_string()).ok_or(MaintenanceError::NoAddress)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_what_it_was_made_for_and_nothing_else() {
        let key = AddressKey([7; 32]);
        let secret = key.secret(Purpose::Upload, "1");
        assert_eq!(secret.len(), 64);
        assert!(key.is_secret(Purpose::Upload, "1", &secret));
        assert!(!key.is_secret(Purpose::Upload, "2", &secret));
        assert!(!key.is_secret(Purpose::Firmware, "1", &secret));
        assert!(!AddressKey([8; 32]).is_secret(Purpose::Upload, "1", &secret));
        assert!(!key.is_secret(Purpose::Upload, "1", &secret[..62]));
        assert!(!key.is_secret(Purpose::Upload, "1", "no secret"));
    }
}
