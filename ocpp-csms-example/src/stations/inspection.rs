//! What is known of a station's own data, for people and programs.

use ocpp_core::csms::flows::{InstalledCertificate, Monitor};
use ocpp_core::csms::{Mirrors, Session, SessionConfig};
use ocpp_core::time::{Instant, Now};

use super::desk::Desk;
use super::driver::Order;
use super::registry::{InspectionError, Stations};

/// What is known of a station's own data: what it answered and reported, as long as it did not change it by itself.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Inspection {
    /// Variables, keys, charging profiles, messages, and the version of its list.
    pub mirrors: Mirrors,
    /// The certificates that it reported.
    pub certificates: Vec<InstalledCertificate>,
    /// Its monitors.
    pub monitors: Vec<Monitor>,
}

impl Inspection {
    pub(super) fn of(session: &Session) -> Self {
        Self {
            mirrors: session.mirrors().clone(),
            certificates: session.installed_certificates().to_vec(),
            monitors: session.monitors().cloned().collect(),
        }
    }
}

impl Stations {
    /// What is known of a station's own data, whether it is connected or not.
    ///
    /// # Errors
    /// When the database fails, or holds what is not understood.
    pub async fn inspect(&self, station: &str) -> Result<Inspection, InspectionError> {
        let (reply, inspection) = tokio::sync::oneshot::channel();
        if self.order(station, Order::Inspect(reply)).is_ok()
            && let Ok(inspection) = inspection.await
        {
            return Ok(inspection);
        }
        let now = Now::new(Instant::ORIGIN, jiff::Timestamp::now());
        let snapshot = Desk::new(self.clone(), station.into()).snapshot().await.map_err(InspectionError::of)?;
        let config = SessionConfig::default();
        Ok(Inspection::of(&match snapshot {
            Some(snapshot) => Session::restore(config, [0; 32], now, snapshot),
            None => Session::new(config, [0; 32], now),
        }))
    }
}
