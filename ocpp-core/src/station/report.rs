//! Reporting the device model (2.1 part 2, B07).

use alloc::vec::Vec;

use super::Station;
use super::calls::{Call, Component, Report, ReportItem};
use super::event::ConnectorStatus;
use super::inventory::PhysicalValue;
use super::settings::{Access, Settings};

/// Variables in one message.
const PAGE: usize = 20;

/// Which variables a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReportBase {
    /// What the operator can set (B07.FR.07).
    Configuration,
    /// Everything (B07.FR.08).
    Full,
    /// What is available and what is not (B07.FR.09).
    Summary,
}

impl Station {
    /// Sends what the version knows of the device model, in as many messages as it takes.
    pub(super) fn report(&mut self, base: ReportBase, request_id: i64) {
        let mut items: Vec<ReportItem> = Vec::new();
        if base != ReportBase::Configuration {
            let variables = self.physical_variables().into_iter();
            // B07.FR.09
            let wanted = variables
                .filter(|variable| base == ReportBase::Full || matches!(variable.value, PhysicalValue::State(_)));
            items.extend(wanted.map(ReportItem::Physical));
        }
        if base != ReportBase::Summary {
            let rows = Settings::variables(self.version());
            let wanted = rows
                .filter(|row| self.has_setting(row))
                .filter(|row| base == ReportBase::Full || self.access_of(row) != Access::ReadOnly);
            // B07.FR.03: a value that can't be read is not reported.
            items
                .extend(wanted.map(|row| {
                    ReportItem::Setting(row, (row.access != Access::WriteOnly).then(|| self.value_of(row)))
                }));
        }
        let pages = items.len().div_ceil(PAGE);
        for (seq_no, page) in items.chunks(PAGE).enumerate() {
            let report = Report {
                request_id,
                seq_no: u32::try_from(seq_no).unwrap_or(u32::MAX),
                more_follows: seq_no + 1 < pages,
                at: self.utc(),
                items: page.to_vec(),
            };
            self.call(Call::Report(report));
        }
    }

    /// `AvailabilityState` of everything that has one.
    pub(super) fn availability(&self) -> impl Iterator<Item = (Component, ConnectorStatus)> {
        let station = core::iter::once((Component::Station, self.station_report().status));
        let evses = self.evses.iter().enumerate().flat_map(move |(at, evse)| {
            let connectors = (0..evse.connectors.len()).filter_map(move |place| self.status_report(at, place));
            let connectors: Vec<_> =
                connectors.map(|report| (Component::Connector(evse.id, report.connector), report.summary())).collect();
            // An EVSE is occupied with one of its connectors, and otherwise as available as the best of them.
            let best =
                |wanted: ConnectorStatus| connectors.iter().any(|(_, status)| *status == wanted).then_some(wanted);
            let status = best(ConnectorStatus::Preparing)
                .or_else(|| best(ConnectorStatus::Available))
                .or_else(|| best(ConnectorStatus::Reserved))
                .or_else(|| best(ConnectorStatus::Unavailable))
                .unwrap_or(ConnectorStatus::Faulted);
            core::iter::once((Component::Evse(evse.id), status)).chain(connectors)
        });
        station.chain(evses)
    }
}
