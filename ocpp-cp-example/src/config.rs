//! What a simulated station is told before it starts.

use std::path::PathBuf;

use ocpp_core::station::FirmwareUpdates;
use ocpp_core::transport::Compression;
use ocpp_core::types::Version;
use url::Url;

use crate::error::StartError;

/// The most EVSEs of a station, and the most connectors of an EVSE: more than any cabinet has, and few enough to simulate.
const MOST: u32 = 1_000;

/// A simulated charging station: who it is, where it connects to, and what it is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The OCPP endpoint of the CSMS, `ws://` or `wss://`, without the station's identity: that is appended as one more
    /// segment of the path, percent-encoded.
    pub csms: Url,
    /// The station's identity.
    pub id: String,
    /// The versions it offers to the CSMS, best first. At least one.
    pub versions: Vec<Version>,
    /// The password of HTTP basic authentication (security profile 1 or 2); without one, none is sent.
    pub password: Option<String>,
    /// How it and the CSMS show themselves to each other.
    pub security: Security,
    /// How it offers to compress messages, which a station may and a CSMS has to support (2.1 part 4, 3.4).
    pub compression: Compression,
    /// How many EVSEs it has, at least one.
    pub evses: u32,
    /// How many connectors each EVSE has, at least one.
    pub connectors: u32,
    /// The folder in which it keeps what survives a restart; without one, everything is forgotten with the process.
    pub state: Option<PathBuf>,
    /// The file to which everything is written that the station is told, for [`ocpp_core::station::replay`]; secrets are in it.
    pub record: Option<PathBuf>,
    /// How many seconds of charging one second counts for: 1 is real time. Clocks and messages are not affected.
    pub speed: u32,
    /// Which firmware updates it takes.
    pub firmware_updates: FirmwareUpdates,
    /// Certificates (PEM) of the manufacturer that vouch for signed firmware; without one, none is valid.
    pub manufacturer_roots: Vec<String>,
    /// Vendor, as reported at boot.
    pub vendor: String,
    /// Model, as reported at boot.
    pub model: String,
}

/// What a station needs for a security profile. It is what the station starts out with: what a CSMS has changed since is kept with its
/// state and stands above this.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Security {
    /// The security profile, 0 to 3. 0, the default, does as the address of the CSMS and the password say.
    pub profile: Option<u8>,
    /// The address of the CSMS for profiles 2 and 3, `wss://`, if it differs from the other by more than the scheme.
    pub csms: Option<Url>,
    /// File of the root certificates that the CSMS's certificate may lead to, in PEM.
    pub ca: Option<PathBuf>,
    /// File of the station's certificate and those that lead to its root, in PEM. Needs `key`.
    pub certificate: Option<PathBuf>,
    /// File of its private key, in PEM.
    pub key: Option<PathBuf>,
    /// Name of the operator, for requests for certificates.
    pub cpo_name: Option<String>,
}

/// A version by its number (`2.0.1`), or by the name of its WebSocket sub-protocol (`ocpp2.0.1`).
#[must_use]
pub fn version_named(name: &str) -> Option<Version> {
    Version::ALL.into_iter().find(|version| version.number() == name || version.subprotocol() == name)
}

impl Config {
    /// A station with one EVSE and one connector, that offers all versions, newest first, and keeps nothing.
    #[must_use]
    pub fn new(csms: Url, id: impl Into<String>) -> Self {
        Self {
            csms,
            id: id.into(),
            versions: vec![Version::V2_1, Version::V2_0_1, Version::V1_6],
            password: None,
            security: Security::default(),
            compression: Compression::Off,
            evses: 1,
            connectors: 1,
            state: None,
            record: None,
            speed: 1,
            firmware_updates: FirmwareUpdates::Either,
            manufacturer_roots: Vec::new(),
            vendor: "Simulated".to_owned(),
            model: "Station".to_owned(),
        }
    }

    /// Whether a station can be made of it.
    ///
    /// # Errors
    /// It can't; the error says what to change.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        let error = |text: String| Err(StartError::Configuration(text));
        if !matches!(self.csms.scheme(), "ws" | "wss") {
            return error(format!("the address of the CSMS is `{}`: it must begin with ws:// or wss://", self.csms));
        }
        if self.security.csms.as_ref().is_some_and(|csms| csms.scheme() != "wss") {
            return error("the address of the CSMS for TLS must begin with wss://".to_owned());
        }
        if self.security.profile.is_some_and(|profile| profile > 3) {
            return error("there are the security profiles 0 to 3".to_owned());
        }
        if self.csms.host_str().is_none_or(str::is_empty) {
            return error(format!("the address of the CSMS is `{}`: it has no host", self.csms));
        }
        // 2.1 part 2, SecurityCtrlr.Identity; a colon would end the user name of HTTP basic authentication.
        if self.id.is_empty() || self.id.chars().count() > 48 || self.id.contains(':') {
            return error(format!("the identity `{}` must have 1 to 48 characters and no colon", self.id));
        }
        if self.versions.is_empty() {
            return error("the station offers no version of OCPP: name at least one".to_owned());
        }
        if !(1..=MOST).contains(&self.evses) || !(1..=MOST).contains(&self.connectors) {
            return error(format!("a station has 1 to {MOST} EVSEs with 1 to {MOST} connectors each"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config::new("ws://localhost/ocpp".parse().unwrap(), "CP-1")
    }

    #[test]
    fn a_configuration_that_makes_no_sense_is_refused_with_what_to_change() {
        assert!(config().check().is_ok());
        let http = Config { csms: "http://localhost/ocpp".parse().unwrap(), ..config() };
        assert!(http.check().unwrap_err().to_string().contains("ws://"));
        let tls = Config { csms: "wss://localhost/ocpp".parse().unwrap(), ..config() };
        assert!(tls.check().is_ok());
        let security = Security { csms: Some("ws://localhost/ocpp".parse().unwrap()), ..Security::default() };
        assert!(Config { security, ..config() }.check().unwrap_err().to_string().contains("TLS"));
        let security = Security { profile: Some(4), ..Security::default() };
        assert!(Config { security, ..config() }.check().is_err());
        for id in [String::new(), "x".repeat(49), "a:b".to_owned()] {
            assert!(Config { id, ..config() }.check().is_err());
        }
        assert!(Config { id: "é".repeat(48), ..config() }.check().is_ok());
        assert!(Config { versions: Vec::new(), ..config() }.check().is_err());
        assert!(Config { evses: 0, ..config() }.check().is_err());
        assert!(Config { connectors: MOST + 1, ..config() }.check().is_err());
    }
}
