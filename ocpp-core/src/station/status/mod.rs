//! Reporting the status of connectors (2.1 part 2, G01; 1.6 edition 2, 4.9, errata 3.19, 3.22).

mod transitions;

use alloc::vec::Vec;
use core::time::Duration;

use ocpp_types::Version;

use super::Station;
use super::calls::{Call, StatusReport};
use super::event::ConnectorStatus;
use super::facts::FaultCode;
use super::outbox::Called;
use super::settings::Key;
use crate::time::Instant;

/// What a CSMS learns of a status, as far as its version tells things apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reported {
    status: ConnectorStatus,
    fault: Option<FaultCode>,
}

/// What the CSMS was told about a connector, or about the station.
#[derive(Debug, Default)]
pub(super) struct Told {
    last: Option<Reported>,
    /// Whether the CSMS has been told every change since: not after an outage.
    followed: bool,
    /// What is not told yet, because it may pass, and since when it holds.
    young: Option<(Reported, Instant)>,
}

impl Told {
    /// Whether a report is to be made now. One that the CSMS has no word of is made at once, any other when it has held for as
    /// long as `patience` says.
    fn is_due(&mut self, seen: Reported, now: Instant, patience: Duration) -> bool {
        if self.last == Some(seen) {
            self.young = None;
            return false;
        }
        let since = match self.young {
            Some((young, since)) if young == seen => since,
            _ => self.young.insert((seen, now)).1,
        };
        self.last.is_none() || since + patience <= now
    }

    /// Notes a report. Gives the status that has to be told before it.
    fn tell(&mut self, seen: Reported) -> Option<ConnectorStatus> {
        self.young = None;
        let followed = core::mem::replace(&mut self.followed, true);
        let before = self.last.replace(seen).filter(|_| followed)?;
        transitions::between(before.status, seen.status)
    }
}

/// Why a transaction is suspended or over (1.6 edition 2, 4.9).
const EV_SIDE_DISCONNECTED: &str = "EV side disconnected";

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
            info: disconnected.then_some(EV_SIDE_DISCONNECTED),
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
            for evse in &mut self.evses {
                evse.left = false;
            }
            return;
        }
        let patience = self.status_patience();
        if self.version() == Version::V1_6 {
            self.report_if_due(self.station_report(), patience);
        }
        for at in 0..self.evses.len() {
            for place in 0..self.evses[at].connectors.len() {
                if let Some(report) = self.status_report(at, place) {
                    self.report_if_due(report, patience);
                }
            }
            self.evses[at].left = false;
        }
    }

    fn report_if_due(&mut self, report: StatusReport, patience: Duration) {
        let seen = report.seen_by(self.version());
        let now = self.now.instant;
        if self.told(&report).is_some_and(|told| told.is_due(seen, now, patience)) {
            self.tell_status(report, seen, Self::request);
        }
    }

    /// Makes a report, behind the one of a status that lies in between (1.6 edition 2, 4.9).
    fn tell_status(&mut self, report: StatusReport, seen: Reported, say: fn(&mut Self, Call) -> Called) {
        let between = self.told(&report).and_then(|told| told.tell(seen)).filter(|_| self.version() == Version::V1_6);
        let is_left = |evse: &super::evse::Evse| evse.id == report.evse && evse.left && evse.detachable_cable;
        let left = report.status == ConnectorStatus::Available && self.evses.iter().any(is_left);
        // The cable is still in the station, which the vehicle has left (1.6 edition 2, 4.9).
        let between = between.or(left.then_some(ConnectorStatus::Finishing));
        if let Some(status) = between {
            let info = left.then_some(EV_SIDE_DISCONNECTED);
            say(self, Call::Status(StatusReport { status, fault: None, info, ..report.clone() }));
        }
        say(self, Call::Status(report));
    }

    fn told(&mut self, report: &StatusReport) -> Option<&mut Told> {
        if report.evse == 0 {
            return Some(&mut self.station_told);
        }
        let evse = self.evses.iter_mut().find(|evse| evse.id == report.evse)?;
        evse.connectors.iter_mut().find(|known| known.id == report.connector).map(|known| &mut known.told)
    }

    fn all_told(&mut self) -> impl Iterator<Item = &mut Told> {
        let of_connectors = self.evses.iter_mut().flat_map(|evse| &mut evse.connectors).map(|known| &mut known.told);
        core::iter::once(&mut self.station_told).chain(of_connectors)
    }

    /// How long a status has to last before it is told (1.6 edition 2, 9.1.20).
    fn status_patience(&self) -> Duration {
        match self.version() {
            Version::V1_6 => self.settings.duration(Key::MinimumStatusDuration),
            Version::V2_0_1 | Version::V2_1 => Duration::ZERO,
        }
    }

    /// When a status has lasted long enough.
    pub(super) fn status_deadline(&self) -> Option<Instant> {
        let patience = self.status_patience();
        let of_connectors = self.evses.iter().flat_map(|evse| &evse.connectors).map(|known| &known.told);
        let all = core::iter::once(&self.station_told).chain(of_connectors);
        all.filter_map(|told| told.young).map(|(_, since)| since + patience).min()
    }

    /// The connection is gone: changes from now on are history when it is back (1.6 edition 2, 4.9).
    pub(super) fn stop_following_statuses(&mut self) {
        for told in self.all_told() {
            told.followed = false;
            told.young = None;
        }
    }

    /// Lets every status be reported again: after a start (B01.FR.05), and after a long time offline (B04.FR.01).
    pub(super) fn forget_reported_statuses(&mut self) {
        for told in self.all_told() {
            *told = Told::default();
        }
    }

    /// A report did not arrive.
    pub(super) fn status_not_reported(&mut self, report: &StatusReport) {
        if let Some(told) = self.told(report) {
            *told = Told::default();
        }
    }

    /// The connection stands again (B04; 1.6 edition 2, 4.9).
    pub(super) fn report_after_offline(&mut self, offline: Duration) {
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
                    reports.push(report);
                }
            }
        }
        for report in reports {
            let seen = report.seen_by(version);
            self.tell_status(report, seen, Self::call);
        }
    }
}
