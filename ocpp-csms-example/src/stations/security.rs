//! Security events: logged and kept, each only once a minute however often it is provoked.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use ocpp_core::transport::{TlsError, TlsRefused};

use crate::store::{SecurityEvent, Source, Store};

/// How long the same event is not told again.
const SILENCE: Duration = Duration::from_secs(60);
/// Events that are remembered for it.
const REMEMBERED: usize = 10_000;
/// Characters of the details.
const DETAIL: usize = 500;

/// The record of what was seen here.
#[derive(Debug)]
pub(crate) struct SecurityLog {
    store: Store,
    told: Mutex<HashMap<Key, Instant>>,
}

type Key = (&'static str, Option<Arc<str>>, IpAddr);

impl SecurityLog {
    pub(super) fn new(store: Store) -> Self {
        Self { store, told: Mutex::default() }
    }

    /// Something happened at the door. `kind` is its name in the standard (2.1 part 2 appendices, 1). A00.FR.408; 1.6 security,
    /// A00.FR.323/408.
    pub(super) async fn seen(&self, kind: &'static str, station: Option<&str>, remote: IpAddr, detail: String) {
        let key = (kind, station.map(Arc::from), remote.to_canonical());
        if !self.is_new(key, Instant::now()) {
            return;
        }
        tracing::warn!(station, %remote, kind, "security event: {detail}");
        let event = SecurityEvent {
            at: Timestamp::now(),
            source: Source::Csms,
            station: station.map(str::to_owned),
            kind: kind.to_owned(),
            remote: Some(remote.to_canonical().to_string()),
            detail: Some(detail.chars().take(DETAIL).collect()),
        };
        self.keep(&event).await;
    }

    /// A TLS handshake failed.
    pub(crate) async fn tls_refused(&self, refused: &TlsRefused, remote: IpAddr) {
        let certificate = refused.certificate.as_deref();
        let kind = match &refused.error {
            TlsError::Certificate(_) => "InvalidChargingStationCertificate",
            TlsError::NoCommonVersion => "InvalidTLSVersion",
            TlsError::NoCommonCipherSuite => "InvalidTLSCipherSuite",
            // The peer has trouble with this server, or is none that speaks TLS.
            error => {
                tracing::debug!(%remote, "no TLS: {error}");
                return;
            }
        };
        let name = certificate.and_then(|certificate| certificate.common_name());
        let shown = name.map(|name| format!("; it was shown as {name:?}")).unwrap_or_default();
        self.seen(kind, None, remote, format!("{refused}{shown}")).await;
    }

    pub(super) async fn keep(&self, event: &SecurityEvent) {
        if let Err(error) = self.store.put_security_event(event).await {
            tracing::error!(%error, "a security event cannot be kept");
        }
    }

    fn is_new(&self, key: Key, now: Instant) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_silent = |last: &Instant| now.saturating_duration_since(*last) < SILENCE;
        if told.get(&key).is_some_and(is_silent) {
            return false;
        }
        if told.len() >= REMEMBERED {
            told.retain(|_, last| is_silent(last));
            if told.len() >= REMEMBERED {
                return false;
            }
        }
        told.insert(key, now);
        true
    }
}
