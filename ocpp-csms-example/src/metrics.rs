//! Figures for Prometheus: `/metrics`. They name no station, so that their number does not grow with the installation.

use std::fmt;
use std::sync::Arc;

use ocpp_core::types::Version;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::store::Direction;

/// What is counted. Clones count together.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    registry: Arc<Registry>,
    connected: Family<VersionLabel, Gauge>,
    /// Of the family of frames, looked up once and not for every frame.
    received: Counter,
    sent: Counter,
    /// Connections that were refused during the handshake.
    pub(crate) refused: Counter,
    /// Transactions that began.
    pub(crate) started: Counter,
    /// Transactions that ended, and were billed.
    pub(crate) billed: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VersionLabel {
    version: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DirectionLabel {
    direction: &'static str,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("ocpp_csms");
        let connected = Family::<VersionLabel, Gauge>::default();
        registry.register("stations_connected", "Stations with a connection", connected.clone());
        let frames = Family::<DirectionLabel, Counter>::default();
        registry.register("frames", "OCPP frames", frames.clone());
        let of = |direction: Direction| frames.get_or_create(&DirectionLabel { direction: direction.as_str() }).clone();
        let (received, sent) = (of(Direction::Received), of(Direction::Sent));
        let refused = Counter::default();
        registry.register("connections_refused", "Connections refused in the handshake", refused.clone());
        let started = Counter::default();
        registry.register("transactions_started", "Transactions that began", started.clone());
        let billed = Counter::default();
        registry.register("transactions_billed", "Transactions that ended and were billed", billed.clone());
        for version in Version::ALL {
            // A version that nobody speaks is shown as zero.
            connected.get_or_create(&VersionLabel { version: version.number() }).set(0);
        }
        Self { registry: Arc::new(registry), connected, received, sent, refused, started, billed }
    }

    pub(crate) fn connected(&self, version: Version) {
        self.connected.get_or_create(&VersionLabel { version: version.number() }).inc();
    }

    pub(crate) fn disconnected(&self, version: Version) {
        self.connected.get_or_create(&VersionLabel { version: version.number() }).dec();
    }

    pub(crate) fn frame(&self, direction: Direction) {
        match direction {
            Direction::Received => self.received.inc(),
            Direction::Sent => self.sent.inc(),
        };
    }

    /// All figures in the text format of OpenMetrics.
    ///
    /// # Errors
    /// When the text cannot be written.
    pub(crate) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
