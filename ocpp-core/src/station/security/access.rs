//! How the station shows itself to the CSMS, and the way back when a new way doesn't work (A01, A05; 1.6 security, A01, A05).
//!
//! A profile is set before anything is said (1.6 security, A00.FR.004).
//!
//! A change of password, security profile or certificate is tried out: what was before is kept beside it, in the same batch of the
//! storage, until the CSMS has spoken on a connection made with one of the two. That one stays. While neither works they take turns, so
//! that no change, no power cut and no lost answer locks the station out.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::certificates::StationCertificate;
use super::{Password, SecurityEvent, password};
use crate::station::output::Connect;
use crate::station::settings::Key;
use crate::station::{Output, Station};

/// Why a connection could not be made. The security events of the standard follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum ConnectionFailure {
    /// The CSMS doesn't take the station's password or certificate: HTTP 401 or 403, or a TLS alert about the certificate.
    Unauthorized,
    /// The certificate of the CSMS is not valid, or leads to no root that is trusted (A00.FR.309, A00.FR.413).
    CsmsCertificate,
    /// The CSMS speaks no version of TLS that may be used (A00.FR.315, A00.FR.419).
    TlsVersion,
    /// The CSMS has no cipher suite that may be used, or wants compression (A00.FR.322, A00.FR.426).
    TlsCipherSuite,
    /// The network, the host, or anything else.
    #[default]
    Other,
}

impl ConnectionFailure {
    const fn event(self) -> Option<SecurityEvent> {
        match self {
            Self::Unauthorized => Some(SecurityEvent::FailedToAuthenticateAtCsms),
            // A00.FR.309, A00.FR.413; 1.6 security, A00.FR.309/413
            Self::CsmsCertificate => Some(SecurityEvent::InvalidCsmsCertificate),
            // A00.FR.315, A00.FR.419; 1.6 security, A00.FR.315/419
            Self::TlsVersion => Some(SecurityEvent::InvalidTlsVersion),
            // A00.FR.322, A00.FR.426; 1.6 security, A00.FR.318/322/422/426
            Self::TlsCipherSuite => Some(SecurityEvent::InvalidTlsCipherSuite),
            Self::Other => None,
        }
    }
}

/// The certificate that a station shows to a CSMS.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientCertificate {
    /// The certificate and those that lead to its root, in PEM, the station's own first.
    pub chain: String,
    /// What the integrator called its private key.
    pub key: String,
}

/// What was before a change, until the change has proven itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::station) struct WayBack {
    /// Stored values of the settings that were changed; `None` for one that nobody had changed before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    security_profile: Option<Was>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<Was>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) certificate: Option<StationCertificate>,
}

/// What a setting was worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Was {
    value: String,
    /// Whether somebody had set it, or it came from the configuration.
    is_set: bool,
}

/// The state of trying out.
#[derive(Debug, Default)]
pub(in crate::station) struct Access {
    pub(super) way_back: Option<WayBack>,
    /// The old way is tried, and not the new one.
    takes_way_back: bool,
    attempts: i64,
    /// Counts the changes.
    generation: u64,
    /// Which of them, and which of the ways, the last attempt to connect is made with.
    offered: (u64, bool),
    /// The connection is to be made again.
    reconnect: bool,
    /// The next attempt doesn't wait.
    at_once: bool,
    /// What was noted since the last connection, so that a CSMS that is out of order doesn't fill the log.
    noted: Vec<ConnectionFailure>,
    /// The CSMS has spoken on this connection.
    is_proven: bool,
}

const RECORD: &str = "way-back";

impl Access {
    pub(in crate::station) fn restore(&mut self, way_back: WayBack) {
        self.way_back = Some(way_back);
    }

    /// Whether the next attempt to connect doesn't wait. Asks once.
    pub(in crate::station) fn is_at_once(&mut self) -> bool {
        core::mem::take(&mut self.at_once)
    }
}

impl Station {
    /// The security profile in use, 0 for none.
    pub(in crate::station) fn security_profile(&self) -> u8 {
        u8::try_from(self.settings.integer(Key::SecurityProfile)).unwrap_or(0)
    }

    /// How to connect now.
    pub(in crate::station) fn connect_request(&mut self) -> Connect {
        self.access.offered = (self.access.generation, self.access.takes_way_back);
        self.access.is_proven = false;
        self.forget_root_in_use();
        let way_back = self.access.way_back.as_ref().filter(|_| self.access.takes_way_back);
        let was = |was: Option<&Was>, key| match was {
            Some(was) => was.value.clone(),
            None => self.settings.text(key).to_string(),
        };
        let profile = was(way_back.and_then(|way| way.security_profile.as_ref()), Key::SecurityProfile);
        let profile = profile.parse().unwrap_or(0);
        let password = was(way_back.and_then(|way| way.password.as_ref()), Key::BasicAuthPassword);
        let certificate = way_back.and_then(|way| way.certificate.as_ref()).or(self.certificates.own.as_ref());
        Connect {
            csms_url: self.url_for(profile),
            identity: self.config.identity.clone(),
            security_profile: profile,
            // A00.FR.202, A00.FR.203; 1.6 security, A00.FR.202/203/301/302. With a certificate there is none (A00.FR.001).
            password: Password::of_setting(&password).filter(|_| profile != 3),
            csms_roots: self.csms_roots(),
            // A00.FR.401, A00.FR.402; 1.6 security, A00.FR.401/402
            certificate: certificate
                .filter(|_| profile == 3)
                .map(|own| ClientCertificate { chain: own.chain.clone(), key: own.key.clone() }),
            versions: self.config.versions.clone(),
            ping_interval: self.ping_interval(),
        }
    }

    /// The address for a profile: profile 1 has no TLS, 2 and 3 have (1.6 security, A00.FR.311, A00.FR.415).
    fn url_for(&self, profile: u8) -> String {
        let url = &self.config.csms_url;
        let with = |scheme: &str| match url.split_once("://") {
            Some((_, rest)) => alloc::format!("{scheme}://{rest}"),
            None => url.clone(),
        };
        match (profile, &self.config.secure_csms_url) {
            (2 | 3, Some(secure)) => secure.clone(),
            (2 | 3, None) => with("wss"),
            (1, _) => with("ws"),
            _ => url.clone(),
        }
    }

    /// Judges what the CSMS wants a setting of security to be. Returns the value to store.
    pub(in crate::station) fn judge_security_setting(&self, key: Key, value: &str) -> Result<String, String> {
        match key {
            Key::BasicAuthPassword => password::from_wire(self.version(), value),
            Key::SecurityProfile => {
                let wanted: u8 = value.trim().parse().map_err(|_| "must be 1, 2 or 3".to_string())?;
                self.judge_security_profile(wanted).map(|()| wanted.to_string())
            }
            _ => Ok(value.to_string()),
        }
    }

    /// A00.FR.005; 1.6 security, A00.FR.005, A05.FR.01 to 05; 1.6 security, 7.6
    fn judge_security_profile(&self, wanted: u8) -> Result<(), String> {
        let refused = |reason: &str| Err(reason.to_string());
        let password = Password::of_setting(self.settings.text(Key::BasicAuthPassword));
        let now = self.utc();
        match wanted {
            0 => refused("can't be lowered"),
            4.. => refused("must be 1, 2 or 3"),
            // 1.6 security, A05.FR.01
            _ if wanted <= self.security_profile() => refused("can only be raised"),
            // 1.6 security, A05.FR.02
            1 | 2 if !password.as_ref().is_some_and(|password| password.is_sufficient()) => {
                refused("needs a password of 16 bytes or more")
            }
            // A05.FR.02; 1.6 security, A05.FR.03
            2 | 3 if !self.certificates.has_csms_root(now) => refused("needs a valid root certificate of the CSMS"),
            // A05.FR.03; 1.6 security, A05.FR.04
            3 if !self.certificates.own.as_ref().is_some_and(|own| own.facts.is_valid_at(now)) => {
                refused("needs a valid certificate of the station")
            }
            // A05.FR.04; 1.6 security, A05.FR.05
            _ => Ok(()),
        }
    }

    /// A setting that the station shows itself with has another value now. Before the change is stored: both go into one batch.
    pub(in crate::station) fn access_setting_changes(&mut self, key: Key) {
        let (value, is_set) = self.settings.stored(key);
        let was = Was { value, is_set };
        let way_back = self.access.way_back.get_or_insert_default();
        // The older way is the one that is known to work.
        match key {
            Key::BasicAuthPassword => _ = way_back.password.get_or_insert(was),
            Key::SecurityProfile => _ = way_back.security_profile.get_or_insert(was),
            _ => return,
        }
        self.try_new_access();
        // A01.FR.11, A01.FR.12; 1.6 security, A01.FR.11/12: that it was changed, not to what.
        let info = if key == Key::SecurityProfile { "the security profile" } else { "the password" };
        self.security_event(SecurityEvent::ReconfigurationOfSecurityParameters, Some(info));
    }

    /// Begins to try out what has changed.
    pub(super) fn try_new_access(&mut self) {
        self.access.generation += 1;
        self.access.takes_way_back = false;
        self.access.attempts = 0;
        // 1.6 security, A05.FR.06
        self.access.reconnect = true;
        if let Some(way_back) = &self.access.way_back {
            self.journal.put(RECORD.into(), way_back);
        }
    }

    /// Makes the connection again, if what it was made with has changed: after the answer to the call that changed it.
    pub(in crate::station) fn reconnect_if_changed(&mut self) {
        if !core::mem::take(&mut self.access.reconnect) {
            return;
        }
        // 1.6 security, A05.FR.06/07
        self.access.at_once = true;
        if self.is_connected() {
            self.effect(Output::Close { reason: "to connect with other credentials" });
        } else {
            self.connect_at_once_if_waiting();
        }
    }

    /// The connection stands. Returns whether it was made as the station would make it now.
    pub(in crate::station) fn access_granted(&mut self) -> bool {
        self.access.noted.clear();
        self.access.at_once = false;
        self.access.offered.0 == self.access.generation
    }

    /// The CSMS has spoken: whatever the connection was made with, it accepts.
    pub(in crate::station) fn access_proven(&mut self) {
        if core::mem::replace(&mut self.access.is_proven, true) {
            return;
        }
        self.root_proven();
        if self.access.offered.0 != self.access.generation {
            return;
        }
        let Some(way_back) = self.access.way_back.take() else { return };
        self.journal.delete(RECORD.into());
        self.access.attempts = 0;
        if !core::mem::take(&mut self.access.takes_way_back) {
            // A02.FR.10: of two certificates the one in use stays.
            if let Some(old) = way_back.certificate {
                self.forget_key_of(&old);
            }
            return;
        }
        // 1.6 security, A05.FR.08
        for (key, was) in
            [(Key::BasicAuthPassword, way_back.password), (Key::SecurityProfile, way_back.security_profile)]
        {
            if let Some(was) = was {
                self.restore_stored(key, was.is_set.then_some(was.value));
                let info = "the former one again: the new one did not work";
                self.security_event(SecurityEvent::ReconfigurationOfSecurityParameters, Some(info));
            }
        }
        if let Some(old) = way_back.certificate {
            self.discard_renewed_certificate(old);
        }
    }

    /// An attempt to connect came to nothing, or the connection ended before the CSMS had said a word.
    pub(in crate::station) fn access_failed(&mut self, failure: ConnectionFailure, reason: &str) {
        if let Some(event) = failure.event()
            && !self.access.noted.contains(&failure)
        {
            self.access.noted.push(failure);
            self.security_event(event, Some(reason));
        }
        if failure == ConnectionFailure::CsmsCertificate {
            self.try_other_root();
        }
        if self.access.is_proven || self.access.way_back.is_none() || self.access.offered.0 != self.access.generation {
            return;
        }
        self.access.attempts += 1;
        if self.access.attempts >= self.settings.integer(Key::NetworkProfileConnectionAttempts) {
            // A02.FR.28; 1.6 security, A05.FR.08
            self.access.attempts = 0;
            self.access.takes_way_back = !self.access.takes_way_back;
        }
    }

    /// Whether it isn't known yet if the CSMS accepts what has changed.
    pub(in crate::station) fn is_access_on_trial(&self) -> bool {
        self.access.way_back.is_some() && !self.access.is_proven
    }

    /// Whether a setting says how the station shows itself.
    pub(in crate::station) fn is_security_setting(key: Key) -> bool {
        matches!(key, Key::BasicAuthPassword | Key::SecurityProfile)
    }
}
