//! What a station holds, as far as is known: kept before anything is sent, so that what may have arrived is never forgotten.
//!
//! A profile that was sent counts until the answer says that it was refused; one that it replaces counts until the answer says that it
//! was accepted. What was never answered leaves both.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::schedule::Schedule;

/// A station under control, or on its way there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Control {
    /// Profiles of others were cleared.
    pub(crate) prepared: bool,
    /// Why it takes no profiles.
    pub(crate) unsupported: Option<String>,
    /// It takes watts instead of amperes.
    pub(crate) watts: bool,
    /// The periods that a schedule may have.
    pub(crate) periods: Option<usize>,
    /// The level above those of others.
    pub(crate) stack_level: i64,
    /// By EVSE.
    pub(crate) evses: BTreeMap<i64, Held>,
}

/// What holds at an EVSE.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Held {
    /// For sessions that have no profile of their own.
    pub(crate) default: HeldDefault,
    /// For the session that runs.
    pub(crate) transaction: Option<HeldTransaction>,
}

/// A default profile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HeldDefault {
    /// What it allows at most; nothing is known to be installed where there is none.
    pub(crate) most: Option<u32>,
    /// What was accepted last, unless something else was sent since.
    pub(crate) last: Option<u32>,
}

/// A profile of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HeldTransaction {
    /// Which transaction.
    pub(crate) id: String,
    /// What it allows at most.
    pub(crate) most: Schedule,
    /// What was accepted last, unless something else was sent since.
    pub(crate) last: Option<Schedule>,
}

impl Held {
    /// A default profile is about to be sent.
    pub(crate) fn sending_default(&mut self, tenths: u32) {
        let most = self.default.most.map(|most| most.max(tenths));
        self.default = HeldDefault { most, last: None };
    }

    /// It was accepted.
    pub(crate) fn accepted_default(&mut self, tenths: u32) {
        self.default = HeldDefault { most: Some(tenths), last: Some(tenths) };
    }

    /// A profile of a transaction is about to be sent.
    pub(crate) fn sending(&mut self, id: &str, schedule: &Schedule) {
        let most = match &self.transaction {
            Some(held) if held.id == id => held.most.highest(schedule),
            _ => schedule.clone(),
        };
        self.transaction = Some(HeldTransaction { id: id.to_owned(), most, last: None });
    }

    /// It was accepted.
    pub(crate) fn accepted(&mut self, id: &str, schedule: &Schedule) {
        let last = Some(schedule.clone());
        self.transaction = Some(HeldTransaction { id: id.to_owned(), most: schedule.clone(), last });
    }

    /// Of transactions, only this one runs any more: a profile ends with its transaction (1.6 edition 2, 3.13.1; K02.FR.05).
    pub(crate) fn only(&mut self, running: Option<&str>) -> bool {
        let over = self.transaction.as_ref().is_some_and(|held| Some(held.id.as_str()) != running);
        if over {
            self.transaction = None;
        }
        over
    }

    /// The station restarted: what it holds is sent once more, though it should hold it still (K01.FR.27; 1.6 errata 3.37).
    pub(crate) fn doubt(&mut self) {
        self.default.last = None;
        if let Some(held) = &mut self.transaction {
            held.last = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_and_not_answered_counts_beside_what_was_there() {
        let mut held = Held::default();
        held.sending_default(60);
        assert_eq!(held.default, HeldDefault { most: None, last: None });
        held.accepted_default(60);
        held.sending_default(0);
        assert_eq!(held.default, HeldDefault { most: Some(60), last: None });
        held.accepted("T", &Schedule::constant(160));
        held.sending("T", &Schedule::constant(80));
        assert_eq!(held.transaction.as_ref().unwrap().most, Schedule::constant(160));
        held.accepted("T", &Schedule::constant(80));
        assert_eq!(held.transaction.as_ref().unwrap().most, Schedule::constant(80));
    }

    #[test]
    fn a_profile_ends_with_its_transaction() {
        let mut held = Held::default();
        held.accepted("T", &Schedule::constant(160));
        assert!(!held.only(Some("T")));
        assert!(held.only(Some("U")));
        assert_eq!(held.transaction, None);
    }
}
