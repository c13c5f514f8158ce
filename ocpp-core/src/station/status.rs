//! Reporting the status of connectors (2.1 part 2, G01; 1.6 edition 2, 4.9).

use alloc::vec::Vec;

use ocpp_types::Version;

use super::Station;
use super::calls::{Call, StatusReport};
use super::event::ConnectorStatus;
use super::facts::FaultCode;
use super::settings::Key;

/// What the CSMS was told about a connector, as far as its version tells things apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reported {
    status: ConnectorStatus,
    fault: Option<FaultCode>,
}

impl StatusReport {
    /// What a version makes of the report: two reports that it doesn't tell apart are one.
    fn seen_by(&self, version: Version) -> Reported {
        match version {
            Version::V1_6 => Reported { status: self.status, fault: self.fault.as_ref().map(|fault| fault.code) },
            // A connector is occupied while a vehicle is connected with it (E02.FR.05, G01.FR.03).
            Version::V2_0_1 | Version::V2_1 => Reported { status: self.summary(), fault: None },
        }
    }

    /// The status as 2.x sums it up; `Preparing` stands for `Occupied`.
    pub(super) fn summary(&self) -> ConnectorStatus {
        match self.status {
            ConnectorStatus::Faulted | ConnectorStatus::Unavailable | ConnectorStatus::Reserved => self.status,
            _ if self.plugged => ConnectorStatus::Preparing,
            _ => ConnectorStatus::Available,
        }
    }
}

impl Station {
    pub(super) fn status_report(&self, at: usize, connector: usize) -> Option<StatusReport> {
        let evse = self.evses.get(at)?;
        let connector = evse.connectors.get(connector)?;
        let status = evse.status(connector, self.condition());
        let disconnected =
            evse.plugged.is_none() && matches!(status, ConnectorStatus::SuspendedEv | ConnectorStatus::Finishing);
        let fault = connector.fault.as_ref().or(evse.fault.as_ref());
        Some(StatusReport {
            evse: evse.id,
            connector: connector.id,
            status,
            plugged: evse.plugged == Some(connector.id) || evse.holds_cable(connector.id),
            fault: fault.cloned().or_else(|| self.fault.clone().filter(|_| status == ConnectorStatus::Faulted)),
            info: disconnected.then_some("EV side disconnected"),
            at: self.utc(),
        })
    }

    /// The station itself, which 1.6 calls connector 0.
    pub(super) fn station_report(&self) -> StatusReport {
        let condition = self.condition();
        let status = match () {
            () if condition.faulted => ConnectorStatus::Faulted,
            () if !condition.operative => ConnectorStatus::Unavailable,
            () => ConnectorStatus::Available,
        };
        StatusReport {
            evse: 0,
            connector: 0,
            status,
            plugged: false,
            fault: self.fault.clone(),
            info: None,
            at: self.utc(),
        }
    }

    /// Reports what the CSMS doesn't know yet.
    pub(super) fn report_statuses(&mut self) {
        if !self.may_send() {
            return;
        }
        let version = self.version();
        if version == Version::V1_6 {
            let report = self.station_report();
            let seen = report.seen_by(version);
            if self.station_reported.replace(seen) != Some(seen) {
                self.request(Call::Status(report));
            }
        }
        for at in 0..self.evses.len() {
            for place in 0..self.evses[at].connectors.len() {
                let Some(report) = self.status_report(at, place) else { continue };
                let seen = report.seen_by(version);
                if self.evses[at].connectors[place].reported.replace(seen) != Some(seen) {
                    self.request(Call::Status(report));
                }
            }
        }
    }

    /// Lets every status be reported again: after a start (B01.FR.05), and after a long time offline (B04.FR.01).
    pub(super) fn forget_reported_statuses(&mut self) {
        self.station_reported = None;
        for connector in self.evses.iter_mut().flat_map(|evse| &mut evse.connectors) {
            connector.reported = None;
        }
    }

    /// A report did not arrive.
    pub(super) fn status_not_reported(&mut self, report: &StatusReport) {
        if report.evse == 0 {
            self.station_reported = None;
        }
        let evses = self.evses.iter_mut().filter(|evse| evse.id == report.evse);
        for connector in evses.flat_map(|evse| &mut evse.connectors).filter(|known| known.id == report.connector) {
            connector.reported = None;
        }
    }

    /// The connection stands again (B04; 1.6 edition 2, 4.9).
    pub(super) fn report_after_offline(&mut self, offline: core::time::Duration) {
        let threshold = self.settings.duration(Key::OfflineThreshold);
        if self.version() != Version::V1_6 && offline > threshold {
            self.forget_reported_statuses();
        }
    }

    /// Reports that a trigger asked for, known or not (F06.FR.11; 1.6 edition 2, 5.17).
    pub(super) fn report_on_trigger(&mut self, wanted: Option<(u32, Option<u32>)>) {
        let version = self.version();
        let mut reports: Vec<StatusReport> = Vec::new();
        if version == Version::V1_6 && wanted.is_none_or(|(evse, _)| evse == 0) {
            reports.push(self.station_report());
        }
        for at in 0..self.evses.len() {
            for place in 0..self.evses[at].connectors.len() {
                let Some(report) = self.status_report(at, place) else { continue };
                let is_wanted = wanted.is_none_or(|(evse, connector)| {
                    report.evse == evse && connector.is_none_or(|connector| report.connector == connector)
                });
                if is_wanted {
                    self.evses[at].connectors[place].reported = Some(report.seen_by(version));
                    reports.push(report);
                }
            }
        }
        for report in reports {
            self.call(Call::Status(report));
        }
    }
}
