//! The local authorization list brought to a wanted state (2.1 part 2, D01, D02; 1.6 edition 2, 5.10, 5.15).

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use ocpp_types::Version;
use ocpp_types::v2_1::{AuthorizationData, UpdateEnumType};

use super::call::{FlowAnswer, FlowCall};
use super::flow::{Completion, FlowEnd, LocalListSynchronisation, Progress};
use super::steps::{Context, Next, Steps};
use crate::csms::command::{CallOutcome, Command};
use crate::csms::mirrors::{MessageLimit, VariableKey};
use crate::csms::operations::{bytes_of, check_list, chunk};

/// The component of 2.x that knows of the list.
const COMPONENT: &str = "LocalAuthListCtrlr";
/// How many tokens a message may have, in 1.6 (edition 2, 9.2.3).
const MESSAGE_LENGTH: &str = "SendLocalListMaxLength";
/// How many tokens a list may have, in 1.6 (edition 2, 9.2.2).
const LIST_LENGTH: &str = "LocalAuthListMaxLength";

/// What the flow waits for the answer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Which version does the station have?
    Version,
    /// How much may be in one message?
    Limit,
    /// A part of the list.
    Part(Update),
    /// Which version does the station have now?
    Verification,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Update {
    Differential,
    Full,
    /// What did not fit into the message of a full update.
    Rest,
}

/// How it goes: the version is asked for, what differs is sent, and the version is asked for again.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Synchronisation {
    wanted: LocalListSynchronisation,
    step: Step,
    /// The version that the station has.
    held: i64,
    /// Only the whole list will do.
    whole: bool,
    asked_limit: bool,
    /// The parts that are still to be sent, each with its version.
    parts: VecDeque<(i64, Update, Vec<AuthorizationData>)>,
    sent: usize,
}

impl Synchronisation {
    pub(super) fn new(wanted: LocalListSynchronisation) -> Self {
        Self { wanted, step: Step::Version, held: 0, whole: false, asked_limit: false, parts: VecDeque::new(), sent: 0 }
    }

    fn ask_version(&mut self, step: Step) -> Next {
        self.step = step;
        Next::Call(FlowCall::Command(Command::GetLocalListVersion))
    }

    /// How much the station takes in a message, and how many tokens in all.
    fn limits(context: &Context<'_>) -> (MessageLimit, Option<usize>) {
        let number = |number: Option<i64>| number.and_then(|number| usize::try_from(number).ok());
        if context.version == Some(Version::V1_6) {
            let configuration = context.mirrors.configuration();
            let items = number(configuration.integer(MESSAGE_LENGTH)).filter(|items| *items > 0);
            return (MessageLimit { items, bytes: None }, number(configuration.integer(LIST_LENGTH)));
        }
        // D01.FR.12
        let entries = context.mirrors.device_model().get(&VariableKey::new(COMPONENT, "Entries"));
        let maximum = entries.and_then(|entries| entries.characteristics.as_ref()?.max_limit);
        let maximum = maximum.and_then(|maximum| usize::try_from(maximum).ok());
        (context.mirrors.message_limit(COMPONENT, None), maximum)
    }

    /// Decides what is to be sent to a station that has another version.
    fn decide(&mut self, context: &mut Context<'_>) -> Next {
        let Some(version) = context.version else { return Next::End(FlowEnd::Interrupted) };
        let changes = (!self.whole).then(|| context.list.changes(version, self.held, &self.wanted.entries)).flatten();
        if self.held == self.wanted.version && changes.as_ref().is_none_or(Vec::is_empty) && !self.whole {
            return Next::End(FlowEnd::Completed(Completion::Nothing));
        }
        let (limit, maximum) = Self::limits(context);
        if maximum.is_some_and(|maximum| self.wanted.entries.len() > maximum) {
            return Next::not_allowed("the list has more tokens than the station holds");
        }
        if limit.items.is_none() && self.wanted.entries.len() > 1 && !self.asked_limit {
            (self.asked_limit, self.step) = (true, Step::Limit);
            let names = match version {
                Version::V1_6 => Vec::from([String::from(MESSAGE_LENGTH), String::from(LIST_LENGTH)]),
                _ => Vec::from([format!("{COMPONENT}.ItemsPerMessage"), format!("{COMPONENT}.BytesPerMessage")]),
            };
            return Next::Call(FlowCall::Command(Command::GetConfiguration { names }));
        }
        // Changes make sense where they are fewer than the list, and where there are versions for their messages between the one that
        // the station has and the wanted one (D01.FR.19).
        let changes = changes.filter(|changes| changes.len() < self.wanted.entries.len().max(1));
        let planned = match changes.map(|changes| self.plan(changes, Update::Differential, limit, self.held)) {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) | None => self.plan(self.wanted.entries.clone(), Update::Full, limit, 0),
        };
        match planned {
            Ok(()) => self.send_next(),
            Err(rule) => Next::not_allowed(rule),
        }
    }

    /// Splits a list into messages (D01.FR.03, D01.FR.11). The last of them has the wanted version, so that a station which got some of
    /// them only doesn't claim to have the list.
    fn plan(
        &mut self,
        entries: Vec<AuthorizationData>,
        first: Update,
        limit: MessageLimit,
        above: i64,
    ) -> Result<(), &'static str> {
        let mut rest = VecDeque::from(entries);
        let mut parts = Vec::new();
        while parts.is_empty() || !rest.is_empty() {
            let part = chunk(&mut rest, limit, bytes_of, |_, _| true);
            parts.push(part.ok_or("one entry alone is more than the station takes in a message")?);
        }
        let before = self.wanted.version.saturating_sub(i64::try_from(parts.len()).unwrap_or(i64::MAX));
        if before < above {
            return Err("the version leaves no room for those of the messages: count it up by the length of the list");
        }
        let update = |number: usize| match first {
            Update::Full if number > 0 => Update::Rest,
            first => first,
        };
        self.parts = parts
            .into_iter()
            .enumerate()
            .zip(before + 1..)
            .map(|((number, part), version)| (version, update(number), part))
            .collect();
        Ok(())
    }

    fn send_next(&mut self) -> Next {
        match self.parts.pop_front() {
            Some((version, update, entries)) => {
                self.step = Step::Part(update);
                let kind = if update == Update::Full { UpdateEnumType::Full } else { UpdateEnumType::Differential };
                Next::Call(FlowCall::SendLocalList { version, update: kind, entries })
            }
            None => self.ask_version(Step::Verification),
        }
    }

    /// D01.FR.03; 1.6 edition 2, 5.15: changes that the station can't take are followed by the whole list, once.
    fn send_whole(&mut self, context: &mut Context<'_>) -> Next {
        self.whole = true;
        self.decide(context)
    }

    fn taken(&mut self, update: Update, answer: FlowAnswer, context: &mut Context<'_>) -> Next {
        match &answer {
            FlowAnswer::Status { status, .. } if status == "Accepted" => {
                self.sent += 1;
                if !self.parts.is_empty() {
                    context.tell(Progress::Parts { count: self.sent });
                }
                self.send_next()
            }
            FlowAnswer::Status { status, .. }
                if matches!(&**status, "Failed" | "VersionMismatch") && update != Update::Full && !self.whole =>
            {
                context.tell(Progress::Status { status: status.clone() });
                self.send_whole(context)
            }
            _ => Next::refused(answer),
        }
    }
}

impl Steps for Synchronisation {
    fn begin(&mut self, _: &mut Context<'_>) -> Next {
        if let Err(rule) = check_list(self.wanted.version, &self.wanted.entries) {
            return Next::not_allowed(rule);
        }
        // 1.6 edition 2, 7.1; D01.FR.16: a list is made of tokens about which something is said.
        if self.wanted.entries.iter().any(|entry| entry.id_token_info.is_none()) {
            return Next::not_allowed("every token of a list has information");
        }
        self.ask_version(Step::Version)
    }

    fn answered(&mut self, answer: FlowAnswer, context: &mut Context<'_>) -> Next {
        match (self.step, answer) {
            // 1.6 edition 2, 5.10
            (Step::Version, FlowAnswer::ListVersion(-1)) => {
                let reason = Some(String::from("the station has no local authorization list"));
                Next::End(FlowEnd::Refused { status: String::from("NotSupported"), reason })
            }
            (Step::Version, FlowAnswer::ListVersion(held)) => {
                self.held = held;
                self.decide(context)
            }
            // The mirrors have read it.
            (Step::Limit, _) => self.decide(context),
            (Step::Part(update), answer) => self.taken(update, answer, context),
            (Step::Verification, FlowAnswer::ListVersion(version)) if version == self.wanted.version => {
                Next::End(FlowEnd::Completed(Completion::Done))
            }
            (Step::Verification, FlowAnswer::ListVersion(version)) if self.whole => {
                Next::End(FlowEnd::OtherVersion { version })
            }
            (Step::Verification, FlowAnswer::ListVersion(held)) => {
                self.held = held;
                self.send_whole(context)
            }
            (Step::Version | Step::Verification, answer) => Next::refused(answer),
        }
    }

    fn failed(&mut self, outcome: &CallOutcome, context: &mut Context<'_>) -> Option<Next> {
        // A station that doesn't tell its limit gets one token a message.
        let untold = self.step == Step::Limit && matches!(outcome, CallOutcome::Error(_));
        untold.then(|| self.decide(context))
    }

    fn overdue(&mut self, _: &mut Context<'_>) -> Next {
        Next::End(FlowEnd::Interrupted)
    }
}
