//! Events as programs see them: one shape for streams and webhooks, and the last ones kept for who comes back.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::notice::{Notice, What};
use crate::store::Transaction;
use crate::tariffs::amount;

/// Events that are kept for who comes back.
const KEPT: usize = 4096;

/// Something that happened at a station.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Event {
    /// Its number; later events have greater ones.
    pub id: u64,
    /// When it was told.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The kind, such as `transaction.started`.
    #[schema(example = "transaction.started")]
    pub kind: &'static str,
    /// The station's identity.
    pub station: String,
    /// The particulars, which depend on the kind.
    #[schema(value_type = Object)]
    pub data: Value,
}

impl From<&Notice> for Event {
    fn from(notice: &Notice) -> Self {
        Self {
            id: notice.number,
            at: notice.at,
            kind: notice.what.kind(),
            station: notice.station.to_string(),
            data: data(&notice.what),
        }
    }
}

impl Event {
    /// The same as JSON with another name, for who is told outside of the stream.
    pub(crate) fn body(id: &str, at: Timestamp, station: &str, what: &What) -> String {
        json!({"id": id, "at": at, "kind": what.kind(), "station": station, "data": data(what)}).to_string()
    }
}

/// Whether a kind of event is what somebody asked for; `transaction.*` stands for all that begin so.
pub(crate) fn kind_fits(wanted: &str, kind: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(beginning) => kind.starts_with(beginning),
        None => kind == wanted,
    }
}

/// The particulars of an event.
fn data(what: &What) -> Value {
    match what {
        What::Connected { version } => json!({"version": version.number()}),
        What::Disconnected { reason, fault } => json!({"reason": reason, "fault": fault}),
        What::Booted { product, registration } => json!({"product": product, "registration": registration}),
        What::Connector { evse, status } => json!({"evse": evse, "status": status}),
        What::Started(transaction) | What::Metered(transaction) | What::Billed(transaction) => session(transaction),
        What::Incomplete { transaction, start_lost, end_lost } => {
            json!({"transaction": transaction, "start_lost": start_lost, "end_lost": end_lost})
        }
        What::Reserved { reservation, evse } => json!({"reservation": reservation, "evse": evse}),
        What::ReservationEnded { reservation, state } => json!({"reservation": reservation, "state": state}),
        What::SecurityEvent { kind, detail } => json!({"kind": kind, "detail": detail}),
        What::Firmware { status } | What::Log { status } => json!({"status": status}),
        What::Alert(alert) => json!({
            "variable": alert.variable, "value": alert.value, "severity": alert.severity, "cleared": alert.cleared,
            "detail": alert.detail,
        }),
        What::Operation(operation) => json!({
            "operation": operation.id, "kind": operation.kind, "state": operation.state, "progress": operation.progress.last(),
            "detail": operation.detail,
        }),
        What::Fault(fault) => json!({
            "fault": fault.id, "kind": fault.kind, "code": fault.code, "severity": fault.severity, "evse": fault.evse,
            "detail": fault.detail,
        }),
    }
}

/// A transaction. Decimals are texts, so that no program rounds them.
fn session(transaction: &Transaction) -> Value {
    json!({
        "transaction": transaction.id, "evse": transaction.evse, "connector": transaction.connector,
        "token": transaction.token, "started_at": transaction.started_at, "stopped_at": transaction.stopped_at,
        "stop_reason": transaction.stop_reason, "energy_wh": transaction.energy_wh().to_string(),
        "power_w": transaction.power.map(|power| power.to_string()),
        "cost": amount(transaction.cost, transaction.currency).to_string(),
        "currency": transaction.currency.code(),
    })
}

/// The last events.
#[derive(Debug, Default)]
pub(super) struct Recent(VecDeque<Notice>);

impl Recent {
    pub(super) fn push(&mut self, notice: Notice) {
        if self.0.len() >= KEPT {
            self.0.pop_front();
        }
        self.0.push_back(notice);
    }

    /// Those with a greater number; and whether some between are not known any more.
    pub(super) fn after(&self, number: u64) -> (Vec<Notice>, bool) {
        let lost = self.0.front().is_some_and(|oldest| oldest.number > number.saturating_add(1));
        let from = self.0.partition_point(|notice| notice.number <= number);
        (self.0.iter().skip(from).cloned().collect(), lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(number: u64) -> Notice {
        let what = What::Firmware { status: "Downloading".to_owned() };
        Notice { number, at: Timestamp::UNIX_EPOCH, station: "CS".into(), what }
    }

    #[test]
    fn who_comes_back_gets_what_came_after_the_last_event_that_it_has() {
        let mut recent = Recent::default();
        (10..20).for_each(|number| recent.push(notice(number)));
        let (missed, lost) = recent.after(17);
        assert_eq!(missed.iter().map(|notice| notice.number).collect::<Vec<_>>(), [18, 19]);
        assert!(!lost);
        assert_eq!(recent.after(19), (Vec::new(), false));
        assert!(recent.after(5).1, "6 to 9 are gone");
        assert!(!recent.after(9).1);
    }

    #[test]
    fn the_buffer_is_bounded() {
        let mut recent = Recent::default();
        (0..10_000).for_each(|number| recent.push(notice(number)));
        assert_eq!(recent.after(0).0.len(), KEPT);
        assert!(recent.after(0).1);
    }
}
