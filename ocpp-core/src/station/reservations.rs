//! Keeping EVSEs for somebody (2.1 part 2, block H; 1.6 edition 2, 3.11, 5.1 and 5.13).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use jiff::Timestamp;
use ocpp_types::Version;
use serde::{Deserialize, Serialize};

use super::Station;
use super::authorization::Authorization;
use super::calls::Call;
use super::facts::Token;
use super::settings::Key;
use crate::time::Instant;

/// An EVSE is kept for somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reservation {
    pub(super) id: i64,
    pub(super) target: Target,
    pub(super) token: Token,
    /// Tokens of this group may use it as well.
    pub(super) group: Option<String>,
    #[serde(with = "super::serial::time")]
    pub(super) expires: Timestamp,
}

/// What is kept. An EVSE charges one vehicle at a time, so that a reservation of one of its connectors keeps all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Target {
    Evse {
        evse: u32,
        connector: Option<u32>,
    },
    /// Any EVSE, or any with connectors of this type: whatever happens, one of them stays free.
    Any {
        connector_type: Option<String>,
    },
}

/// What becomes of a wish for a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReserveOutcome {
    Accepted,
    Faulted,
    Occupied,
    Rejected,
    Unavailable,
}

/// Why a reservation is over that nobody used (2.x).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReservationUpdate {
    Expired,
    Removed,
    NoTransaction,
}

/// The reservations in force. There are never more than EVSEs.
#[derive(Debug, Default)]
pub(super) struct Reservations {
    all: Vec<Reservation>,
    /// What the CSMS has not been told.
    updates: Vec<(i64, ReservationUpdate)>,
}

fn record(id: i64) -> String {
    format!("reservation/{id}")
}

impl Reservations {
    pub(super) fn restore(&mut self, reservation: Reservation) {
        self.all.push(reservation);
    }

    fn without(&self, id: i64) -> impl Iterator<Item = &Reservation> + Clone {
        self.all.iter().filter(move |known| known.id != id)
    }
}

impl Reservation {
    /// Whether the reservation keeps this EVSE.
    fn keeps(&self, id: u32) -> bool {
        matches!(self.target, Target::Evse { evse, .. } if evse == id)
    }

    /// Whether somebody may use it (1.6 edition 2, 5.13; H03.FR.01 to 06).
    fn is_for(&self, token: &Token, group: Option<&str>, version: Version) -> bool {
        let same_group = |wanted: &String| group.is_some_and(|group| group.eq_ignore_ascii_case(wanted));
        self.token.is_same(token, version) || self.group.as_ref().is_some_and(same_group)
    }
}

impl Station {
    /// The CSMS wants something kept (5.13; H01).
    pub(super) fn reserve(&mut self, mut wanted: Reservation) -> ReserveOutcome {
        // As fine as the station's time.
        wanted.expires = Timestamp::from_millisecond(wanted.expires.as_millisecond()).unwrap_or(wanted.expires);
        let outcome = self.judge_reservation(&wanted);
        if outcome == ReserveOutcome::Accepted {
            // H01.FR.02; 1.6 edition 2, 5.13: one with the same id is replaced.
            self.reservations.all.retain(|known| known.id != wanted.id);
            self.journal.put(record(wanted.id), &wanted);
            self.reservations.all.push(wanted);
        }
        outcome
    }

    fn judge_reservation(&self, wanted: &Reservation) -> ReserveOutcome {
        // H01.FR.01. What is over already can't be kept.
        if !self.settings.boolean(Key::ReservationEnabled) || wanted.expires <= self.utc() {
            return ReserveOutcome::Rejected;
        }
        // What is reported as unavailable can't be kept (L01.FR.07).
        if self.is_held_for_firmware() {
            return ReserveOutcome::Unavailable;
        }
        let rest = self.reservations.without(wanted.id);
        match &wanted.target {
            Target::Evse { evse, connector } => {
                let at = match connector {
                    Some(connector) => self.position_of(*evse, *connector),
                    None => self.position(*evse),
                };
                let Some(at) = at else { return ReserveOutcome::Rejected };
                if let Some(hindrance) = self.hindrance(at, *connector) {
                    return hindrance;
                }
                let is_free = self.is_free(at) && !rest.clone().any(|known| known.keeps(*evse));
                if is_free && self.has_room(rest, |other| other != at) {
                    ReserveOutcome::Accepted
                } else {
                    ReserveOutcome::Occupied
                }
            }
            // H01.FR.19; 1.6 edition 2, 9.3.1
            Target::Any { .. } if !self.settings.boolean(Key::ReservationNonEvseSpecific) => ReserveOutcome::Rejected,
            Target::Any { connector_type } => {
                let targets = || (0..self.evses.len()).filter(|at| self.has_type(*at, connector_type.as_deref()));
                if targets().next().is_none() {
                    return ReserveOutcome::Rejected;
                }
                if self.has_room(rest.chain([wanted]), |_| true) {
                    return ReserveOutcome::Accepted;
                }
                // H01.FR.11, H01.FR.12, H01.FR.14
                let hindrances: Vec<_> = targets().map(|at| self.hindrance(at, None)).collect();
                match () {
                    () if hindrances.iter().any(Option::is_none) => ReserveOutcome::Occupied,
                    () if hindrances.iter().all(|one| *one == Some(ReserveOutcome::Faulted)) => ReserveOutcome::Faulted,
                    () => ReserveOutcome::Unavailable,
                }
            }
        }
    }

    /// Why nobody can use an EVSE, or this connector of it.
    fn hindrance(&self, at: usize, connector: Option<u32>) -> Option<ReserveOutcome> {
        let evse = &self.evses[at];
        let is_meant = |id: u32| connector.is_none_or(|connector| connector == id);
        let is_operative = self.operative
            && evse.operative
            && evse.connectors.iter().any(|connector| is_meant(connector.id) && connector.operative);
        match () {
            () if self.condition().faulted || evse.blocking_fault(connector).is_some() => Some(ReserveOutcome::Faulted),
            () if !is_operative => Some(ReserveOutcome::Unavailable),
            () => None,
        }
    }

    /// Whether nobody uses an EVSE.
    fn is_free(&self, at: usize) -> bool {
        let evse = &self.evses[at];
        evse.plugged.is_none()
            && evse.authorization.is_none()
            && evse.authorizing.is_none()
            && evse.transaction.is_none()
            && evse.locked.is_none()
    }

    fn has_type(&self, at: usize, wanted: Option<&str>) -> bool {
        let known = self.config.evses.get(at).and_then(|evse| evse.connector_type.as_deref());
        wanted.is_none_or(|wanted| known.is_some_and(|known| known.eq_ignore_ascii_case(wanted)))
    }

    /// Whether somebody is about to use a reservation.
    fn is_in_use(&self, id: i64) -> bool {
        let authorizations = self.evses.iter().filter_map(|evse| evse.authorization.as_ref());
        authorizations.into_iter().any(|authorization| authorization.reservation == Some(id))
    }

    /// How many free EVSEs there are beyond those that reservations need, of all EVSEs that are considered or of those with
    /// connectors of one type (H01.FR.07, H01.FR.09; 1.6 edition 2, 5.13).
    fn spare<'a>(
        &'a self,
        reservations: impl Iterator<Item = &'a Reservation> + Clone,
        connector_type: Option<&str>,
        is_considered: impl Fn(usize) -> bool,
    ) -> i64 {
        let is_spare = |at: &usize| {
            is_considered(*at)
                && self.has_type(*at, connector_type)
                && self.is_free(*at)
                && self.hindrance(*at, None).is_none()
                && !reservations.clone().any(|known| known.keeps(self.evses[*at].id))
        };
        let free = (0..self.evses.len()).filter(is_spare).count();
        let needs = |known: &&Reservation| match &known.target {
            Target::Any { connector_type: wanted } => {
                let is_counted = connector_type.is_none()
                    || wanted
                        .as_deref()
                        .zip(connector_type)
                        .is_some_and(|(one, other)| one.eq_ignore_ascii_case(other));
                is_counted && !self.is_in_use(known.id)
            }
            Target::Evse { .. } => false,
        };
        let needed = reservations.clone().filter(needs).count();
        i64::try_from(free).unwrap_or(i64::MAX) - i64::try_from(needed).unwrap_or(i64::MAX)
    }

    /// Whether enough EVSEs stay free for every reservation that names none.
    fn has_room<'a>(
        &'a self,
        reservations: impl Iterator<Item = &'a Reservation> + Clone,
        is_considered: impl Fn(usize) -> bool,
    ) -> bool {
        let types = reservations.clone().filter_map(|known| match &known.target {
            Target::Any { connector_type } if !self.is_in_use(known.id) => Some(connector_type.as_deref()),
            _ => None,
        });
        // Without any of them there is nothing to keep free.
        types.clone().next().is_none()
            || types.chain([None]).all(|kind| self.spare(reservations.clone(), kind, &is_considered) >= 0)
    }

    /// The reservation that somebody would use at an EVSE.
    fn reservation_for(&self, at: usize, token: &Token, group: Option<&str>) -> Option<&Reservation> {
        let id = self.evses[at].id;
        let version = self.version();
        let mine = || self.reservations.all.iter().filter(|known| known.is_for(token, group, version));
        mine().find(|known| known.keeps(id)).or_else(|| {
            mine().find(|known| match &known.target {
                Target::Any { connector_type } => self.has_type(at, connector_type.as_deref()),
                Target::Evse { .. } => false,
            })
        })
    }

    /// Whether an EVSE is kept for others: nobody else may charge there (1.6 edition 2, 5.13; H01.FR.07).
    pub(super) fn is_kept_from(&self, at: usize, token: &Token, group: Option<&str>) -> bool {
        if self.reservations.all.is_empty() || self.evses[at].authorization.is_some() {
            return false;
        }
        let id = self.evses[at].id;
        match self.reservation_for(at, token, group) {
            Some(reservation) if reservation.keeps(id) => false,
            // Somebody with a reservation for any EVSE doesn't get that of somebody else.
            found => {
                let is_kept = self.reservations.all.iter().any(|known| known.keeps(id));
                is_kept || (found.is_none() && !self.has_room(self.reservations.all.iter(), |other| other != at))
            }
        }
    }

    /// Whether an EVSE is kept for others whatever group somebody turns out to belong to (H03.FR.08).
    pub(super) fn is_certainly_kept_from(&self, at: usize, token: &Token) -> bool {
        let id = self.evses[at].id;
        let has_group = |known: &Reservation| {
            known.group.is_some() && (known.keeps(id) || matches!(known.target, Target::Any { .. }))
        };
        self.is_kept_from(at, token, None) && !self.reservations.all.iter().any(has_group)
    }

    /// Somebody may charge, and uses the reservation that he has. In 2.x that ends it (H03.FR.09), in 1.6 the transaction does
    /// (edition 2, 5.13).
    pub(super) fn use_reservation(&mut self, at: usize, authorization: &mut Authorization) {
        let found = self.reservation_for(at, &authorization.token, authorization.group.as_deref());
        authorization.reservation = found.map(|reservation| reservation.id);
        if self.version() != Version::V1_6
            && let Some(id) = authorization.reservation
        {
            self.remove_reservation(id);
        }
    }

    /// A transaction begins: what its driver had reserved is over (1.6 edition 2, 5.13).
    pub(super) fn end_reservation_by_use(&mut self, at: usize) {
        if self.version() != Version::V1_6 {
            return;
        }
        let Some(id) = self.evses[at].authorization.as_ref().and_then(|authorization| authorization.reservation) else {
            return;
        };
        if !self.remove_reservation(id)
            && let Some(authorization) = &mut self.evses[at].authorization
        {
            // It ended before it was used.
            authorization.reservation = None;
        }
    }

    /// Whoever had a reservation didn't plug in (H03.FR.11).
    pub(super) fn reservation_not_used(&mut self, at: usize) {
        let evse = &self.evses[at];
        let used = evse.authorization.as_ref().and_then(|authorization| authorization.reservation);
        // The others have no word for it.
        if let Some(id) = used.filter(|_| evse.transaction.is_none() && self.version() == Version::V2_1) {
            self.reservations.updates.push((id, ReservationUpdate::NoTransaction));
        }
    }

    /// The CSMS wants a reservation to end (1.6 edition 2, 5.1; H02). Whether there is one.
    pub(super) fn remove_reservation(&mut self, id: i64) -> bool {
        let before = self.reservations.all.len();
        self.reservations.all.retain(|known| known.id != id);
        let removed = self.reservations.all.len() < before;
        if removed {
            self.journal.delete(record(id));
        }
        removed
    }

    /// When the next reservation expires.
    pub(super) fn reservation_deadline(&self) -> Option<Instant> {
        let expires = self.reservations.all.iter().map(|known| known.expires).min()?;
        let wait = core::time::Duration::try_from(expires.duration_since(self.utc())).unwrap_or_default();
        Some(self.now.instant + wait)
    }

    /// Ends what has expired or can't be used any more, and finds out which EVSEs are kept.
    pub(super) fn settle_reservations(&mut self) {
        let now = self.utc();
        let over: Vec<_> = self
            .reservations
            .all
            .iter()
            .filter_map(|known| match () {
                // H04.FR.01; 1.6 edition 2, 5.13
                () if known.expires <= now => Some((known.id, ReservationUpdate::Expired)),
                // H01.FR.16, H01.FR.17; 1.6 edition 2, 5.13
                () if !self.is_usable_by_anybody(&known.target) => Some((known.id, ReservationUpdate::Removed)),
                () => None,
            })
            .collect();
        for (id, update) in over {
            self.remove_reservation(id);
            self.reservations.updates.push((id, update));
        }
        let kept: Vec<bool> = (0..self.evses.len()).map(|at| self.shows_as_reserved(at)).collect();
        for (evse, kept) in self.evses.iter_mut().zip(kept) {
            evse.reserved = kept;
        }
        if !self.reservations.updates.is_empty() && self.may_send() {
            for (id, update) in core::mem::take(&mut self.reservations.updates) {
                self.request(Call::ReservationUpdate { id, update });
            }
        }
    }

    fn is_usable_by_anybody(&self, target: &Target) -> bool {
        match target {
            Target::Evse { evse, connector } => {
                self.position(*evse).is_some_and(|at| self.hindrance(at, *connector).is_none())
            }
            Target::Any { connector_type } => (0..self.evses.len())
                .any(|at| self.has_type(at, connector_type.as_deref()) && self.hindrance(at, None).is_none()),
        }
    }

    /// Whether the connectors of an EVSE are reported as reserved: it is, or in 2.x every free one is needed for reservations
    /// that name none (H01.FR.20, H01.FR.23, H01.FR.24). In 1.6 those reserve no specific connector (5.13).
    fn shows_as_reserved(&self, at: usize) -> bool {
        let id = self.evses[at].id;
        let all = || self.reservations.all.iter();
        if all().any(|known| known.keeps(id)) {
            return true;
        }
        if self.version() == Version::V1_6 || !self.is_free(at) {
            return false;
        }
        all().any(|known| match &known.target {
            Target::Any { connector_type } => {
                self.has_type(at, connector_type.as_deref())
                    && self.spare(all(), connector_type.as_deref(), |_| true) <= 0
            }
            Target::Evse { .. } => false,
        })
    }
}

impl ReservationUpdate {
    /// The name in 2.x (`ReservationUpdateStatusEnumType`).
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "Expired",
            Self::Removed => "Removed",
            Self::NoTransaction => "NoTransaction",
        }
    }
}
