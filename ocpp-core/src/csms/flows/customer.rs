//! What a station knows of a customer (N09), and having it forgotten (N10).

use alloc::string::{String, ToString};
use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::call::{FlowAnswer, FlowCall};
use super::flow::{Awaited, Completion, Customer, CustomerQuery, FlowEnd, Progress};
use super::parts::{Joined, Parts};
use super::steps::{Context, Next, Notice, Steps};

/// How it goes: the station takes the request, and sends what it knows in parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Information {
    #[serde(skip)]
    customer: Option<Customer>,
    report: bool,
    clear: bool,
    silence: Duration,
    request_id: i64,
    parts: Parts<String>,
}

impl Information {
    pub(super) fn new(query: CustomerQuery) -> Self {
        let CustomerQuery { customer, report, clear, silence } = query;
        Self { customer: Some(customer), report, clear, silence, request_id: 0, parts: Parts::new() }
    }
}

impl Steps for Information {
    fn begin(&mut self, context: &mut Context<'_>) -> Next {
        // N09.FR.07, N10.FR.07: the station would refuse it.
        if !self.report && !self.clear {
            return Next::not_allowed("a customer's information is to be reported or cleared, or both");
        }
        let Some(customer) = self.customer.take() else { return Next::End(FlowEnd::Interrupted) };
        self.request_id = context.request_id();
        let (request_id, report, clear) = (self.request_id, self.report, self.clear);
        Next::Call(FlowCall::CustomerInformation { request_id, customer, report, clear })
    }

    fn answered(&mut self, answer: FlowAnswer, context: &mut Context<'_>) -> Next {
        match answer {
            FlowAnswer::Status { status, .. } if status == "Accepted" => {
                context.tell(Progress::Accepted { status });
                Next::Wait(self.silence)
            }
            answer => Next::refused(answer),
        }
    }

    fn noticed(&mut self, notice: &Notice<'_>, context: &mut Context<'_>) -> Option<Next> {
        let Notice::Customer(part) = notice else { return None };
        if part.request_id != self.request_id {
            return None;
        }
        let last = !part.tbc.unwrap_or(false);
        Some(match self.parts.add(part.seq_no, last, part.data.to_string()) {
            Joined::All(parts) => Next::End(FlowEnd::Completed(Completion::Customer { data: parts.concat() })),
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
