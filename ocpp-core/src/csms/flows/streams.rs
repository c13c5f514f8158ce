//! Monitors of the station and the periodic event streams that come of them (N02, N04, N06, N07, N11 to N15).

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use jiff::{SignedDuration, Timestamp};
use ocpp_types::v2_1::{
    ClearMonitoringStatusEnumType, ComponentType, CsmsRequest, EventDataType, MonitoringDataType,
    NotifyPeriodicEventStream, OpenPeriodicEventStreamRequest, SetMonitoringStatusEnumType, StationResponse,
    VariableType,
};
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

use crate::csms::identity::TransactionId;

/// How many monitors of a station are remembered, and how many streams may be open.
const MAX_MONITORS: usize = 10_000;
const MAX_STREAMS: usize = 1000;

/// A monitor of a variable: the part of its data that never changes, which a stream doesn't repeat (N11.FR.08).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Monitor {
    /// Its id.
    pub id: i64,
    /// What is monitored.
    pub component: ComponentType,
    /// Which variable of it.
    pub variable: VariableType,
    /// The kind in the standard's words, such as `Periodic`.
    pub kind: String,
    /// How severe its events are: 0 (danger) to 9 (debug).
    pub severity: i64,
    /// What it comes from, such as `CustomMonitor`.
    pub notification: String,
}

/// One event of a monitor or of the station itself (NotifyEvent).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MonitoringEvent {
    /// The event's id, unique until the station reboots.
    pub id: i64,
    /// When, by the station's clock.
    pub at: Timestamp,
    /// What made it: `Alerting`, `Delta` or `Periodic`.
    pub trigger: String,
    /// What it is about (N07.FR.06).
    pub component: ComponentType,
    /// Which variable of it.
    pub variable: VariableType,
    /// The value; empty for a variable that can't be read (N07.FR.10).
    pub value: String,
    /// What it comes from, such as `HardWiredNotification`.
    pub notification: String,
    /// The event that caused this one.
    pub cause: Option<i64>,
    /// Set when the condition is over.
    pub cleared: bool,
    /// The transaction that it belongs to.
    pub transaction: Option<TransactionId>,
    /// The monitor that it comes from.
    pub monitor: Option<i64>,
    /// How severe it is: 0 (danger) to 9 (debug).
    pub severity: Option<i64>,
    /// The maker's code.
    pub code: Option<String>,
    /// The maker's words.
    pub detail: Option<String>,
}

/// Values of a periodic event stream (NotifyPeriodicEventStream), with what the monitor says of them.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StreamValues {
    /// The stream.
    pub stream: i64,
    /// The monitor.
    pub monitor: Monitor,
    /// The values, oldest first.
    pub values: Vec<(Timestamp, String)>,
    /// How many more the station has.
    pub pending: i64,
    /// Whether that grows from message to message: the stream is to be adjusted (N15.FR.05).
    pub falls_behind: bool,
}

/// What is known of a station's monitors.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(in crate::csms) struct Monitors {
    monitors: BTreeMap<i64, Monitor>,
    streams: BTreeMap<i64, Stream>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Stream {
    monitor: i64,
    pending: i64,
}

impl Monitors {
    pub(in crate::csms) fn all(&self) -> impl Iterator<Item = &Monitor> {
        self.monitors.values()
    }

    fn remember(&mut self, monitor: Monitor) {
        if self.monitors.len() < MAX_MONITORS || self.monitors.contains_key(&monitor.id) {
            self.monitors.insert(monitor.id, monitor);
        }
    }

    /// Takes in what a call came to, whoever made it.
    pub(super) fn observe(&mut self, call: &CsmsRequest, answer: &StationResponse) {
        match (call, answer) {
            (CsmsRequest::SetVariableMonitoring(_), StationResponse::SetVariableMonitoring(response)) => {
                for result in &response.set_monitoring_result {
                    let (SetMonitoringStatusEnumType::Accepted, Some(id)) = (&result.status, result.id) else {
                        continue;
                    };
                    self.remember(Monitor {
                        id,
                        component: result.component.clone(),
                        variable: result.variable.clone(),
                        kind: result.r#type.to_string(),
                        severity: result.severity,
                        notification: "CustomMonitor".into(),
                    });
                }
            }
            (CsmsRequest::ClearVariableMonitoring(_), StationResponse::ClearVariableMonitoring(response)) => {
                for result in &response.clear_monitoring_result {
                    if result.status != ClearMonitoringStatusEnumType::Rejected {
                        self.monitors.remove(&result.id);
                    }
                }
            }
            _ => {}
        }
    }

    /// Takes in what the station reported.
    pub(super) fn reported(&mut self, monitors: &[MonitoringDataType]) {
        for data in monitors {
            for monitoring in &data.variable_monitoring {
                self.remember(Monitor {
                    id: monitoring.id,
                    component: data.component.clone(),
                    variable: data.variable.clone(),
                    kind: monitoring.r#type.to_string(),
                    severity: monitoring.severity,
                    notification: monitoring.event_notification_type.to_string(),
                });
            }
        }
    }

    /// The station rebooted: the ids of its monitors may be others, and its streams are gone (N04.FR.19). Whether any were known.
    pub(super) fn rebooted(&mut self) -> bool {
        let known = !self.monitors.is_empty();
        self.monitors.clear();
        self.streams.clear();
        known
    }

    /// A stream opens. Refused where nothing is known of its monitor, because its values would say nothing (N11.FR.05, N11.FR.06).
    pub(super) fn open(&mut self, request: &OpenPeriodicEventStreamRequest) -> Option<&Monitor> {
        let data = &request.constant_stream_data;
        let monitor = self.monitors.get(&data.variable_monitoring_id)?;
        if self.streams.len() >= MAX_STREAMS && !self.streams.contains_key(&data.id) {
            return None;
        }
        // N11.FR.04
        self.streams.insert(data.id, Stream { monitor: data.variable_monitoring_id, pending: 0 });
        Some(monitor)
    }

    /// N13.FR.02
    pub(super) fn close(&mut self, stream: i64) -> bool {
        self.streams.remove(&stream).is_some()
    }

    /// Values came (N15.FR.03). `None` for a stream that is not open.
    pub(super) fn values(&mut self, message: &NotifyPeriodicEventStream) -> Option<StreamValues> {
        let stream = self.streams.get_mut(&message.id)?;
        let monitor = self.monitors.get(&stream.monitor)?.clone();
        let falls_behind = message.pending > stream.pending;
        stream.pending = message.pending;
        let base = message.basetime.timestamp();
        let values = message.data.iter().map(|element| {
            let offset = SignedDuration::try_from_secs_f64(element.t.to_f64().unwrap_or(0.0));
            let at = offset.ok().and_then(|offset| base.checked_add(offset).ok());
            (at.unwrap_or(base), element.v.to_string())
        });
        let values = values.collect();
        Some(StreamValues { stream: message.id, monitor, values, pending: message.pending, falls_behind })
    }
}

impl From<&EventDataType> for MonitoringEvent {
    fn from(data: &EventDataType) -> Self {
        Self {
            id: data.event_id,
            at: data.timestamp.timestamp(),
            trigger: data.trigger.to_string(),
            component: data.component.clone(),
            variable: data.variable.clone(),
            value: data.actual_value.to_string(),
            notification: data.event_notification_type.to_string(),
            cause: data.cause,
            cleared: data.cleared.unwrap_or(false),
            transaction: data.transaction_id.as_ref().map(|id| TransactionId::new(id.as_str())),
            monitor: data.variable_monitoring_id,
            severity: data.severity,
            code: data.tech_code.as_ref().map(ToString::to_string),
            detail: data.tech_info.as_ref().map(ToString::to_string),
        }
    }
}
