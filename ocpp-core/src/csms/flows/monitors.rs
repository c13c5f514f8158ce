//! Monitors of variables: set (N04), cleared (N06) and reported (N02).

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::vec::Vec;
use core::time::Duration;

use ocpp_types::v2_1::{
    ClearMonitoringResultType, ComponentVariableType, MonitorEnumType, MonitoringCriterionEnumType, MonitoringDataType,
    SetMonitoringDataType, SetMonitoringResultType,
};
use serde::{Deserialize, Serialize};

use super::call::{FlowAnswer, FlowCall};
use super::flow::{Awaited, Completion, FlowEnd, MonitoringQuery, Progress};
use super::parts::{Joined, Parts};
use super::steps::{Context, Next, Notice, Steps};
use crate::csms::command::{CallOutcome, Command};
use crate::csms::operations::{bytes_of, chunk};

/// A list that goes out in as many messages as the station needs.
#[derive(Debug, Clone, PartialEq)]
struct Batches<T> {
    rest: VecDeque<T>,
    /// The instance of the variables that hold the limits.
    instance: &'static str,
    /// Which limits were asked for.
    asked: usize,
    asking: bool,
}

impl<T: Serialize> Batches<T> {
    fn new(entries: Vec<T>, instance: &'static str) -> Self {
        Self { rest: entries.into(), instance, asked: 0, asking: false }
    }

    fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next entries that go out together, or the question how many may.
    fn next(&mut self, context: &Context<'_>) -> Result<Vec<T>, Box<Next>> {
        let limit = context.mirrors.message_limit("MonitoringCtrlr", Some(self.instance));
        if limit.items.is_none()
            && self.rest.len() > 1
            && let Some(variable) = ["ItemsPerMessage", "BytesPerMessage"].get(self.asked)
        {
            self.asked += 1;
            self.asking = true;
            let names = Vec::from([format!("MonitoringCtrlr.{variable}.{}", self.instance)]);
            return Err(Box::new(Next::Call(FlowCall::Command(Command::GetConfiguration { names }))));
        }
        let too_long = || Box::new(Next::not_allowed("one entry alone is more than the station takes in a message"));
        chunk(&mut self.rest, limit, bytes_of, |_, _| true).ok_or_else(too_long)
    }

    /// Whether the answer is one about a limit; the mirrors have read it.
    fn was_asking(&mut self) -> bool {
        core::mem::take(&mut self.asking)
    }
}

/// Monitors that are set, as many a message as the station takes (N04.FR.09).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Setting {
    batches: Batches<SetMonitoringDataType>,
    results: Vec<SetMonitoringResultType>,
}

impl Setting {
    pub(super) fn new(monitors: Vec<SetMonitoringDataType>) -> Self {
        Self { batches: Batches::new(monitors, "SetVariableMonitoring"), results: Vec::new() }
    }

    fn next(&mut self, context: &mut Context<'_>) -> Next {
        if self.batches.is_empty() {
            return Next::End(FlowEnd::Completed(Completion::MonitorsSet(core::mem::take(&mut self.results))));
        }
        match self.batches.next(context) {
            Ok(monitors) => Next::Call(FlowCall::SetMonitors(monitors)),
            Err(next) => *next,
        }
    }
}

impl Steps for Setting {
    fn begin(&mut self, context: &mut Context<'_>) -> Next {
        let monitors = &self.batches.rest;
        if monitors.is_empty() {
            return Next::not_allowed("at least one monitor is to be set");
        }
        // N11.FR.09
        let empty_stream = |monitor: &SetMonitoringDataType| {
            let stream = monitor.periodic_event_stream.as_ref();
            stream.is_some_and(|stream| stream.interval.is_none() && stream.values.is_none())
        };
        if monitors.iter().any(empty_stream) {
            return Next::not_allowed("a periodic event stream has an interval, or a number of values, or both");
        }
        let periodic =
            |kind: &MonitorEnumType| matches!(kind, MonitorEnumType::Periodic | MonitorEnumType::PeriodicClockAligned);
        if monitors.iter().any(|monitor| monitor.periodic_event_stream.is_some() && !periodic(&monitor.r#type)) {
            return Next::not_allowed("only periodic monitors have a periodic event stream");
        }
        self.next(context)
    }

    fn answered(&mut self, answer: FlowAnswer, context: &mut Context<'_>) -> Next {
        match answer {
            _ if self.batches.was_asking() => self.next(context),
            FlowAnswer::Monitors(results) => {
                self.results.extend(results);
                if !self.batches.is_empty() {
                    context.tell(Progress::Parts { count: self.results.len() });
                }
                self.next(context)
            }
            answer => Next::refused(answer),
        }
    }

    fn failed(&mut self, outcome: &CallOutcome, context: &mut Context<'_>) -> Option<Next> {
        let unknown = matches!(outcome, CallOutcome::Error(_)) && self.batches.was_asking();
        unknown.then(|| self.next(context))
    }

    fn overdue(&mut self, _: &mut Context<'_>) -> Next {
        Next::End(FlowEnd::Interrupted)
    }
}

/// Monitors that are cleared, as many a message as the station takes (N06.FR.04).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Clearing {
    batches: Batches<i64>,
    results: Vec<ClearMonitoringResultType>,
}

impl Clearing {
    pub(super) fn new(ids: Vec<i64>) -> Self {
        Self { batches: Batches::new(ids, "ClearVariableMonitoring"), results: Vec::new() }
    }

    fn next(&mut self, context: &mut Context<'_>) -> Next {
        if self.batches.is_empty() {
            return Next::End(FlowEnd::Completed(Completion::MonitorsCleared(core::mem::take(&mut self.results))));
        }
        match self.batches.next(context) {
            Ok(ids) => Next::Call(FlowCall::ClearMonitors(ids)),
            Err(next) => *next,
        }
    }
}

impl Steps for Clearing {
    fn begin(&mut self, context: &mut Context<'_>) -> Next {
        if self.batches.is_empty() {
            return Next::not_allowed("at least one monitor is to be cleared");
        }
        self.next(context)
    }

    fn answered(&mut self, answer: FlowAnswer, context: &mut Context<'_>) -> Next {
        match answer {
            _ if self.batches.was_asking() => self.next(context),
            FlowAnswer::Cleared(results) => {
                self.results.extend(results);
                if !self.batches.is_empty() {
                    context.tell(Progress::Parts { count: self.results.len() });
                }
                self.next(context)
            }
            answer => Next::refused(answer),
        }
    }

    fn failed(&mut self, outcome: &CallOutcome, context: &mut Context<'_>) -> Option<Next> {
        let unknown = matches!(outcome, CallOutcome::Error(_)) && self.batches.was_asking();
        unknown.then(|| self.next(context))
    }

    fn overdue(&mut self, _: &mut Context<'_>) -> Next {
        Next::End(FlowEnd::Interrupted)
    }
}

/// Monitors that the station reports in parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Report {
    #[serde(skip)]
    query: Option<(Vec<MonitoringCriterionEnumType>, Vec<ComponentVariableType>)>,
    silence: Duration,
    request_id: i64,
    parts: Parts<Vec<MonitoringDataType>>,
}

impl Report {
    pub(super) fn new(query: MonitoringQuery) -> Self {
        let MonitoringQuery { criteria, variables, silence } = query;
        Self { query: Some((criteria, variables)), silence, request_id: 0, parts: Parts::new() }
    }
}

impl Steps for Report {
    fn begin(&mut self, context: &mut Context<'_>) -> Next {
        let Some((criteria, variables)) = self.query.take() else { return Next::End(FlowEnd::Interrupted) };
        // N02.FR.07
        let limit = context.mirrors.message_limit("DeviceDataCtrlr", Some("GetReport")).items;
        if limit.is_some_and(|limit| variables.len() > limit) {
            return Next::not_allowed("the station takes fewer variables in one GetMonitoringReport");
        }
        self.request_id = context.request_id();
        Next::Call(FlowCall::GetMonitors { request_id: self.request_id, criteria, variables })
    }

    fn answered(&mut self, answer: FlowAnswer, context: &mut Context<'_>) -> Next {
        match answer {
            FlowAnswer::Status { status, .. } if status == "Accepted" => {
                context.tell(Progress::Accepted { status });
                Next::Wait(self.silence)
            }
            FlowAnswer::Status { status, .. } if status == "EmptyResultSet" => {
                Next::End(FlowEnd::Completed(Completion::Monitors(Vec::new())))
            }
            answer => Next::refused(answer),
        }
    }

    fn noticed(&mut self, notice: &Notice<'_>, context: &mut Context<'_>) -> Option<Next> {
        let Notice::Monitors(part) = notice else { return None };
        // N02.FR.04
        if part.request_id != self.request_id {
            return None;
        }
        let last = !part.tbc.unwrap_or(false);
        Some(match self.parts.add(part.seq_no, last, part.monitor.clone().unwrap_or_default()) {
            Joined::All(parts) => Next::End(FlowEnd::Completed(Completion::Monitors(parts.concat()))),
            Joined::Some(count) => {
                context.tell(Progress::Parts { count });
                Next::Wait(self.silence)
            }
            Joined::Broken => Next::End(FlowEnd::Incomplete),
        })
    }

    fn overdue(&mut self, _: &mut Context<'_>) -> Next {
        Next::timed_out(Awaited::Report)
    }
}
