//! The boot gate: who is served, and what may be said while a station is not.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use core::time::Duration;

use ocpp_types::Version;

use super::config::{Registration, RegistrationStatus};

/// How long a station that is to renew its certificate waits before it boots again.
const RENEWAL: Duration = Duration::from_secs(60);

/// How a station stands with the CSMS.
#[derive(Debug)]
pub(super) struct Gate {
    registration: Registration,
    /// What it was answered on this connection.
    answered: Option<RegistrationStatus>,
    /// The common name of the client certificate on this connection.
    certificate: Option<String>,
    /// It showed a certificate that has expired on this connection, and is to renew it.
    is_to_renew: bool,
    /// The actions that the CSMS has asked for while the station was pending.
    triggered: BTreeSet<String>,
}

impl Gate {
    pub(super) fn new(registration: Registration) -> Self {
        Self { registration, answered: None, certificate: None, is_to_renew: false, triggered: BTreeSet::new() }
    }

    /// How it stands: who is to renew an expired certificate is not accepted before that (A00.FR.429, A00.FR.807).
    pub(super) fn status(&self) -> RegistrationStatus {
        match self.registration.status {
            RegistrationStatus::Accepted if self.is_to_renew => RegistrationStatus::Pending,
            status => status,
        }
    }

    /// Whether it booted, and is to renew an expired certificate at once.
    pub(super) fn renewal_is_due(&self) -> bool {
        self.is_to_renew && self.answered == Some(RegistrationStatus::Pending)
    }

    pub(super) fn connected(&mut self, certificate_expired: bool) {
        self.is_to_renew = certificate_expired;
        self.answered = None;
        self.certificate = None;
        self.triggered.clear();
    }

    /// The station has proven who it is by a certificate.
    pub(super) fn identified(&mut self, common_name: String) {
        self.certificate = Some(common_name);
    }

    /// Whether the serial number that a station boots with is not the one in its certificate (B01.FR.11). The common name may hold
    /// other words too.
    pub(super) fn is_other_station(&self, serial_number: Option<&str>) -> bool {
        let (Some(name), Some(serial_number)) = (&self.certificate, serial_number) else { return false };
        name != serial_number && !name.split_whitespace().any(|word| word == serial_number)
    }

    /// The application decides. True if a station that waits for this should be let boot.
    pub(super) fn decide(&mut self, registration: Registration) -> bool {
        self.registration = registration;
        let accepted = self.status() == RegistrationStatus::Accepted;
        accepted && self.answered == Some(RegistrationStatus::Pending)
    }

    /// The station boots: the answer to it (B01.FR.02).
    pub(super) fn boot(&mut self) -> Registration {
        let status = self.status();
        self.answered = Some(status);
        match status == self.registration.status {
            true => self.registration,
            false => Registration::pending(RENEWAL),
        }
    }

    /// Whether a call of the station is served.
    ///
    /// A station that is not accepted may boot; while it is pending it may also send what the CSMS asked it for. Anything
    /// else is a SecurityError (B01.FR.10, B02.FR.09, B03.FR.07; errata to OCPP-J 1.6, 3.10).
    pub(super) fn admits(&self, action: &str) -> bool {
        match self.status() {
            RegistrationStatus::Accepted => true,
            RegistrationStatus::Pending => action == "BootNotification" || self.triggered.contains(action),
            RegistrationStatus::Rejected => action == "BootNotification",
        }
    }

    /// Why a call may not be sent to the station, if so.
    pub(super) fn forbids(&self, action: &str) -> Option<&'static str> {
        match (self.status(), action) {
            // B03.FR.03; 1.6 edition 2, 4.2
            (RegistrationStatus::Rejected, _) => Some("nothing may be sent to a station that is rejected"),
            // B02.FR.05; 1.6 edition 2, 4.2. Anything else may be sent (B02.FR.01), and the connection stays (B02.FR.06).
            (
                RegistrationStatus::Pending,
                "RemoteStartTransaction"
                | "RemoteStopTransaction"
                | "RequestStartTransaction"
                | "RequestStopTransaction",
            ) => Some("transactions may not be started or stopped while a station is pending"),
            _ => None,
        }
    }

    /// Why this station may not be asked to boot, if so (errata to 1.6, 3.40).
    pub(super) fn forbids_boot_trigger(&self, version: Version) -> Option<&'static str> {
        let forbidden = version == Version::V1_6 && self.answered == Some(RegistrationStatus::Accepted);
        forbidden.then_some("a station of 1.6 that was accepted may not be asked to boot again")
    }

    /// The CSMS asks the station for messages (B02.FR.02).
    pub(super) fn ask_for(&mut self, action: &str, requested: Option<&str>) {
        self.triggered.extend(asked_for(action, requested).map(ToString::to_string));
    }

    /// The station declined to send them.
    pub(super) fn declined(&mut self, action: &str, requested: Option<&str>) {
        if let Some(asked) = asked_for(action, requested) {
            self.triggered.remove(asked);
        }
    }
}

/// The action that the station is made to call, if it is.
fn asked_for<'a>(action: &str, requested: Option<&'a str>) -> Option<&'a str> {
    match (action, requested) {
        ("GetBaseReport" | "GetReport", _) => Some("NotifyReport"),
        ("CustomerInformation", _) => Some("NotifyCustomerInformation"),
        ("GetDiagnostics", _) => Some("DiagnosticsStatusNotification"),
        ("GetLog", _) => Some("LogStatusNotification"),
        ("GetMonitoringReport", _) => Some("NotifyMonitoringReport"),
        ("PublishFirmware", _) => Some("PublishFirmwareStatusNotification"),
        ("SignedUpdateFirmware", _) => Some("SignedFirmwareStatusNotification"),
        ("UpdateFirmware", _) => Some("FirmwareStatusNotification"),
        ("TriggerMessage" | "ExtendedTriggerMessage", Some(requested)) if requested.starts_with("Sign") => {
            // SignChargingStationCertificate and its like are all asked for by one action.
            Some("SignCertificate")
        }
        ("TriggerMessage" | "ExtendedTriggerMessage", requested) => requested,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(60);

    #[test]
    fn an_accepted_station_is_served_whether_it_booted_on_this_connection_or_not() {
        let mut gate = Gate::new(Registration::accepted(INTERVAL));
        gate.connected(false);
        assert!(gate.admits("Heartbeat") && gate.forbids("Reset").is_none());
    }

    /// B02.FR.02, B02.FR.09
    #[test]
    fn a_pending_station_may_boot_and_send_what_it_was_asked_for() {
        let mut gate = Gate::new(Registration::pending(INTERVAL));
        gate.boot();
        assert!(gate.admits("BootNotification"));
        assert!(!gate.admits("StatusNotification") && !gate.admits("NotifyReport"));
        gate.ask_for("TriggerMessage", Some("StatusNotification"));
        gate.ask_for("GetBaseReport", None);
        gate.ask_for("TriggerMessage", Some("SignChargingStationCertificate"));
        assert!(gate.admits("StatusNotification") && gate.admits("NotifyReport") && gate.admits("SignCertificate"));
        assert!(!gate.admits("Heartbeat"));
        gate.declined("TriggerMessage", Some("StatusNotification"));
        assert!(!gate.admits("StatusNotification"));
        gate.boot();
        assert!(gate.admits("NotifyReport"), "its interval was over before the report was complete");
        gate.connected(false);
        assert!(!gate.admits("NotifyReport"));
    }

    /// B02.FR.05, B03.FR.03
    #[test]
    fn what_may_be_sent_depends_on_how_the_station_stands() {
        let pending = Gate::new(Registration::pending(INTERVAL));
        assert!(
            pending.forbids("RequestStartTransaction").is_some() && pending.forbids("RemoteStopTransaction").is_some()
        );
        assert!(pending.forbids("SetVariables").is_none());
        let rejected = Gate::new(Registration::rejected(INTERVAL));
        assert!(rejected.forbids("SetVariables").is_some());
        assert!(!rejected.admits("Heartbeat") && rejected.admits("BootNotification"));
    }

    #[test]
    fn only_a_station_that_was_told_to_wait_is_let_boot_when_it_is_accepted() {
        let mut gate = Gate::new(Registration::pending(INTERVAL));
        assert!(!gate.decide(Registration::accepted(INTERVAL)), "it has not booted yet, and will");
        gate.decide(Registration::pending(INTERVAL));
        gate.boot();
        assert!(gate.decide(Registration::accepted(INTERVAL)));
        gate.boot();
        assert!(!gate.decide(Registration::accepted(INTERVAL)), "it knows");
    }

    /// Errata to 1.6, 3.40
    #[test]
    fn a_station_of_1_6_is_not_asked_to_boot_again_once_accepted() {
        let mut gate = Gate::new(Registration::accepted(INTERVAL));
        assert!(gate.forbids_boot_trigger(Version::V1_6).is_none());
        gate.boot();
        assert!(gate.forbids_boot_trigger(Version::V1_6).is_some());
        assert!(gate.forbids_boot_trigger(Version::V2_0_1).is_none());
    }
}
