//! What a simulated station is told before it starts.

use std::path::PathBuf;

use ocpp_core::types::Version;
use url::Url;

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
    /// How many EVSEs it has, at least one.
    pub evses: u32,
    /// How many connectors each EVSE has, at least one.
    pub connectors: u32,
    /// The folder in which it keeps what survives a restart; without one, everything is forgotten with the process.
    pub state: Option<PathBuf>,
    /// How many seconds of charging one second counts for: 1 is real time. Clocks and messages are not affected.
    pub speed: u32,
    /// Vendor, as reported at boot.
    pub vendor: String,
    /// Model, as reported at boot.
    pub model: String,
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
            evses: 1,
            connectors: 1,
            state: None,
            speed: 1,
            vendor: "Simulated".to_owned(),
            model: "Station".to_owned(),
        }
    }
}
