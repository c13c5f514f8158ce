//! A list that is sent in as many messages as the station needs.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Debug;
use core::mem;

use ocpp_types::Text;
use ocpp_types::v2_1::{ComponentType, GetVariableDataType, GetVariablesRequest, VariableType};

use super::{Happened, Next, Operation, Scene};
use crate::csms::command::{CallAnswer, CallOutcome, CallResult};
use crate::csms::message::{AnswerMessage, CallMessage};
use crate::csms::mirrors::{MessageLimit, Mirrors, VariableKey};
use crate::csms::wire::invalid;

/// What a message takes besides its entries, the frame around it included.
const OVERHEAD: usize = 150;

/// A list of entries, and how to send some of them.
pub(super) trait Batch: Debug + Send + Sync {
    /// One entry.
    type Entry: Debug + Send + Sync;

    /// How much the station takes, as far as that is known.
    fn limit(&self, mirrors: &Mirrors) -> MessageLimit;

    /// What holds the limit, to be asked for where it isn't known.
    fn limit_call(&self, mirrors: &Mirrors) -> Option<CallMessage>;

    /// How many bytes an entry takes in a message.
    fn bytes(entry: &Self::Entry) -> usize;

    /// Whether two entries may be in one message.
    fn compatible(_one: &Self::Entry, _other: &Self::Entry) -> bool {
        true
    }

    /// The call for some entries.
    fn call(&mut self, entries: Vec<Self::Entry>) -> CallMessage;

    /// Takes the answer in.
    fn take(&mut self, answer: AnswerMessage);

    /// What all of the answers mean.
    fn result(&mut self) -> CallResult;
}

/// How many questions about the limit are asked at most.
const MAX_QUESTIONS: usize = 2;

/// Sends a list, in one message or more.
#[derive(Debug)]
pub(super) struct Split<B: Batch> {
    batch: B,
    entries: VecDeque<B::Entry>,
    questions: usize,
    /// Whether the limit was asked for, and the answer is due.
    asking: bool,
}

impl<B: Batch> Split<B> {
    pub(super) fn new(batch: B, entries: Vec<B::Entry>) -> Self {
        Self { batch, entries: entries.into(), questions: 0, asking: false }
    }

    fn next(&mut self, scene: &Scene<'_>, payload: String) -> Next {
        let mirrors = scene.session.mirrors();
        let limit = self.batch.limit(mirrors);
        // One entry is what every station takes.
        if limit.items.is_none() && self.entries.len() > 1 && self.questions < MAX_QUESTIONS {
            self.questions += 1;
            if let Some(call) = self.batch.limit_call(mirrors) {
                self.asking = true;
                return Next::Call(call);
            }
        }
        if self.entries.is_empty() {
            let result = self.batch.result();
            return Next::End(CallOutcome::Answered(CallAnswer { payload, result }));
        }
        match chunk(&mut self.entries, limit, B::bytes, B::compatible) {
            Some(entries) => Next::Call(self.batch.call(entries)),
            None => Next::End(invalid("", "one entry alone is more than the station takes in a message")),
        }
    }
}

/// The first entries, as many as fit into a message; `None` where the first alone doesn't.
pub(in crate::csms) fn chunk<E>(
    entries: &mut VecDeque<E>,
    limit: MessageLimit,
    bytes_of: impl Fn(&E) -> usize,
    compatible: impl Fn(&E, &E) -> bool,
) -> Option<Vec<E>> {
    let mut chunk: Vec<E> = Vec::new();
    let mut bytes = OVERHEAD;
    while let Some(entry) = entries.front() {
        bytes += bytes_of(entry) + 1;
        let fits = limit.bytes.is_none_or(|limit| bytes <= limit);
        if !fits && chunk.is_empty() {
            return None;
        }
        let full = chunk.len() >= limit.items.unwrap_or(1);
        if !fits || full || chunk.iter().any(|other| !compatible(other, entry)) {
            break;
        }
        chunk.extend(entries.pop_front());
    }
    Some(chunk)
}

impl<B: Batch> Operation for Split<B> {
    fn advance(&mut self, scene: &mut Scene<'_>, happened: Happened<'_>) -> Next {
        match happened {
            Happened::Begun => self.next(scene, String::new()),
            Happened::Answered { message, payload } => {
                // The mirrors have read the answer about the limit already.
                if !mem::take(&mut self.asking) {
                    self.batch.take(*message);
                }
                self.next(scene, payload)
            }
            // A station that doesn't tell its limit gets one entry a message.
            Happened::Failed(CallOutcome::Error(_)) if mem::take(&mut self.asking) => {
                self.questions = MAX_QUESTIONS;
                self.next(scene, String::new())
            }
            Happened::Failed(outcome) => Next::End(outcome),
            _ => Next::Stay,
        }
    }
}

/// The call that reads a variable.
pub(super) fn read(key: &VariableKey) -> CallMessage {
    let name = |text: &str| Text::truncated(text);
    let mut variable = VariableType::new(name(&key.variable));
    variable.instance = key.instance.as_deref().map(name);
    let data = GetVariableDataType::new(ComponentType::new(name(&key.component)), variable);
    CallMessage::v2(GetVariablesRequest::new([data].into()))
}
