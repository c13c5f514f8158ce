//! Nothing is promised before it is stored: changes are gathered into batches, and effects wait behind them.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

use super::output::{BatchId, Output};
use super::store::{Batch, Change, Record};

/// Gathers the changes and effects of one input, and lets the effects out when what they depend on is stored.
#[derive(Debug, Default)]
pub(super) struct Journal {
    changes: Vec<Change>,
    effects: Vec<Output>,
    last: BatchId,
    stored: BatchId,
    waiting: VecDeque<(BatchId, Output)>,
    outputs: VecDeque<Output>,
}

impl Journal {
    /// Keeps a fact under a key.
    pub(super) fn put<T: Serialize>(&mut self, key: String, value: &T) {
        // Our own types have no map keys but texts and no failing members, so that this always succeeds.
        if let Ok(value) = serde_json::to_string(value) {
            self.change(Change::Put(Record { key, value }));
        }
    }

    /// Forgets the fact of a key.
    pub(super) fn delete(&mut self, key: String) {
        self.change(Change::Delete(key));
    }

    fn change(&mut self, change: Change) {
        self.changes.retain(|known| known.key() != change.key());
        self.changes.push(change);
    }

    /// Notes an effect of the input at hand.
    pub(super) fn effect(&mut self, effect: Output) {
        self.effects.push(effect);
    }

    /// Ends an input: its changes become a batch, and its effects follow.
    pub(super) fn flush(&mut self) {
        if !self.changes.is_empty() {
            self.last = BatchId(self.last.0 + 1);
            let changes = core::mem::take(&mut self.changes);
            self.outputs.push_back(Output::Store(Batch { id: self.last, changes }));
        }
        for effect in core::mem::take(&mut self.effects) {
            // What is still waiting must not come after its withdrawal.
            self.waiting.retain(|(_, waiting)| !withdraws(&effect, waiting));
            if depends_on_storage(&effect) && self.stored < self.last {
                self.waiting.push_back((self.last, effect));
            } else {
                self.outputs.push_back(effect);
            }
        }
    }

    /// The batches up to this one are on durable storage.
    pub(super) fn stored(&mut self, batch: BatchId) {
        self.stored = self.stored.max(batch.min(self.last));
        while self.waiting.front().is_some_and(|(needed, _)| *needed <= self.stored) {
            self.outputs.extend(self.waiting.pop_front().map(|(_, effect)| effect));
        }
    }

    /// The connection is gone, and with it everything that was to be sent on it.
    pub(super) fn forget_frames(&mut self) {
        let is_frame = |effect: &Output| matches!(effect, Output::Transmit(_));
        self.effects.retain(|effect| !is_frame(effect));
        self.waiting.retain(|(_, effect)| !is_frame(effect));
        self.outputs.retain(|effect| !is_frame(effect));
    }

    pub(super) fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }
}

/// Whether an effect takes back another one.
fn withdraws(effect: &Output, other: &Output) -> bool {
    match (effect, other) {
        (Output::PermitEnergy { evse, permitted: false }, Output::PermitEnergy { evse: known, .. }) => evse == known,
        (Output::CancelDownload { update }, Output::Download(download)) => *update == download.update,
        (Output::CancelUpload { upload }, Output::Upload(known)) => *upload == known.upload,
        _ => false,
    }
}

/// Whether an effect makes a promise. Withdrawing energy is never delayed, and what only informs promises nothing.
fn depends_on_storage(effect: &Output) -> bool {
    matches!(
        effect,
        Output::Transmit(_)
            | Output::PermitEnergy { permitted: true, .. }
            | Output::Lock { .. }
            | Output::Unlock { .. }
            | Output::Restart { .. }
            | Output::Close { .. }
            | Output::ForgetKey { .. }
            | Output::Ask(_)
            | Output::Download(_)
            | Output::Install(_)
            | Output::Upload(_)
    )
}
