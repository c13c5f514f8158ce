//! Who may charge (2.1 part 2, block C; 1.6 edition 2, 4.1).

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use ocpp_types::Version;
use serde::{Deserialize, Serialize};

use super::calls::{Call, TokenInfo};
use super::event::{ConnectorStatus, Event};
use super::facts::{Token, TokenType};
use super::local_authorization::{Judgement, Known};
use super::metering::register;
use super::outbox::Called;
use super::output::Notice;
use super::settings::Key;
use super::transactions::{Happening, StoppedReason, Trigger};
use super::{Output, Station};

/// Somebody may charge at an EVSE.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Authorization {
    pub(super) token: Token,
    /// Tokens of the same group may end it (C09.FR.03; 1.6 edition 2, 3.10).
    pub(super) group: Option<String>,
    /// Connector that a remote start named.
    pub(super) connector: Option<u32>,
    /// Id of the remote start that it came with.
    pub(super) remote_start_id: Option<i64>,
    /// The reservation that it uses.
    #[serde(default)]
    pub(super) reservation: Option<i64>,
    /// Whether a message about the transaction has said whose it is.
    pub(super) told: bool,
    /// Whether the token was presented to the whole station, so that the plug decides about the EVSE.
    floating: bool,
}

/// Whose plug stays locked until he, or one of his group, comes back for it.
#[derive(Debug, Clone)]
pub(super) struct Owner {
    token: Token,
    group: Option<String>,
}

impl Owner {
    pub(super) fn of(authorization: Authorization) -> Self {
        Self { token: authorization.token, group: authorization.group }
    }

    /// Whether a token of this group is as good as his own (1.6 errata 3.5).
    fn has_group(&self, group: Option<&str>) -> bool {
        is_same_group(self.group.as_deref(), group)
    }
}

impl Authorization {
    pub(super) fn new(token: Token, group: Option<String>) -> Self {
        Self { token, group, connector: None, remote_start_id: None, reservation: None, told: false, floating: false }
    }

    pub(super) fn started_remotely(self, connector: Option<u32>, remote_start_id: Option<i64>) -> Self {
        Self { connector, remote_start_id, ..self }
    }
}

/// How many characters of a token a version has room for (1.6 edition 2, 7.28; part 2, `IdTokenType`).
pub(super) const fn token_limit(version: Version) -> usize {
    match version {
        Version::V1_6 => 20,
        Version::V2_0_1 => 36,
        Version::V2_1 => 255,
    }
}

/// Whether both are of one group (1.6 edition 2, 3.10; C09.FR.02). Groups are compared as tokens are.
fn is_same_group(one: Option<&str>, other: Option<&str>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one.eq_ignore_ascii_case(other))
}

impl Station {
    /// Somebody presented a token at an EVSE, or to the whole station.
    pub(super) fn token_presented(&mut self, evse: Option<u32>, token: Token) {
        let at = match evse {
            Some(evse) => self.position(evse),
            None => self.choose_evse(&token),
        };
        match at {
            Some(at) => self.present(at, token, evse.is_none()),
            None if evse.is_some() => self.ignore("a token was presented at an EVSE that doesn't exist"),
            None => self.turn_away(None, &token, "Occupied"),
        }
    }

    /// Which EVSE a token means that was presented to the whole station.
    fn choose_evse(&self, token: &Token) -> Option<usize> {
        let version = self.version();
        let positions = || 0..self.evses.len();
        let is_free = |at: &usize| {
            let evse = &self.evses[*at];
            evse.authorization.is_none()
                && evse.authorizing.is_none()
                && self.is_usable(*at, None)
                && !self.is_certainly_kept_from(*at, token)
        };
        let is_his = |at: &usize| {
            let evse = &self.evses[*at];
            let began = evse.authorization.as_ref().map(|authorization| &authorization.token);
            began
                .or(evse.locked_for.as_ref().map(|owner| &owner.token))
                .is_some_and(|known| known.is_same(token, version))
        };
        positions()
            .find(is_his)
            .or_else(|| {
                positions().filter(is_free).find(|at| self.evses[*at].plugged.is_some() && !self.evses[*at].finishing)
            })
            .or_else(|| positions().filter(is_free).find(|at| self.evses[*at].plugged.is_none()))
            .or_else(|| positions().find(is_free))
            // With everything in use it may be one of a group that wants to stop.
            .or_else(|| positions().find(|at| self.evses[*at].authorization.is_some()))
    }

    fn present(&mut self, at: usize, token: Token, floating: bool) {
        let version = self.version();
        let evse = &mut self.evses[at];
        let id = evse.id;
        if evse.locked_for.as_ref().is_some_and(|owner| owner.token.is_same(&token, version)) {
            // E05.FR.11, E09.FR.03: he has come back for his plug.
            evse.locked_for = None;
            return;
        }
        let known = self.known(&token).filter(Known::is_valid);
        if known.as_ref().is_some_and(|known| self.release_for_group(at, &known.info)) {
            return;
        }
        if known.as_ref().is_some_and(|known| self.is_master_pass(&known.info)) {
            // C16.FR.04, C16.FR.05
            self.master_pass(at, &token);
            return;
        }
        if let Some(authorization) = &self.evses[at].authorization {
            if authorization.token.is_same(&token, version)
                || known.is_some_and(|known| is_same_group(known.info.group.as_deref(), authorization.group.as_deref()))
            {
                // C01.FR.03, C09.FR.07, E07.FR.01: who began it can always end it, without being asked for; so can one of his
                // group that the station knows.
                let happening = Happening::new(Trigger::StopAuthorized, StoppedReason::Local).by(Some(token));
                self.end_authorization(at, happening);
            } else if (authorization.group.is_some() || self.has_master_pass())
                && self.may_send()
                && !self.settings.boolean(Key::DisableRemoteAuthorization)
            {
                // C09.FR.05, C16; 1.6 edition 2, 4.1
                self.ask_for_authorization(at, token);
            } else {
                self.effect(Output::Display { evse: Some(id), notice: Notice::InUse });
            }
            return;
        }
        let evse = &self.evses[at];
        if evse.authorizing.is_some() {
            // One question at a time: an impatient driver presents his token again and again.
            self.effect(Output::Display { evse: Some(id), notice: Notice::Authorizing });
            return;
        }
        let began = evse.transaction.as_ref().and_then(|transaction| transaction.token.as_ref());
        if began.is_some_and(|began| !began.is_same(&token, version)) {
            // C01.FR.23
            self.turn_away(Some(id), &token, "Occupied");
        } else if token.value.chars().count() > token_limit(version) {
            self.turn_away(Some(id), &token, "TooLong");
        } else if evse.locked_for.as_ref().is_some_and(|owner| owner.group.is_some()) && self.may_send() {
            // He may be one of the group of whoever left the plug.
            self.evses[at].authorizing = Some(token.clone());
            self.ask_for_authorization(at, token);
        } else if !self.is_usable(at, None) {
            self.turn_away(Some(id), &token, "Unavailable");
        } else if self.is_certainly_kept_from(at, &token) {
            self.turn_away(Some(id), &token, "Reserved");
        } else if token.kind == TokenType::NoAuthorization {
            // C02: a button has nobody to ask for.
            self.accept(at, Authorization { floating, ..Authorization::new(token, None) }, "NoAuthorization");
        } else if self.may_send() {
            match self.judge(&token) {
                Judgement::Accept(info) => {
                    self.admit(at, Authorization { floating, ..Authorization::new(token, None) }, info);
                }
                Judgement::Refuse(status) => self.turn_away(Some(id), &token, &status),
                Judgement::Ask => {
                    self.evses[at].authorizing = Some(token.clone());
                    self.effect(Output::Display { evse: Some(id), notice: Notice::Authorizing });
                    self.floating_token = floating.then(|| token.clone());
                    self.ask_for_authorization(at, token);
                }
            }
        } else {
            self.authorize_offline(at, Authorization { floating, ..Authorization::new(token, None) });
        }
    }

    /// Releases a plug that waits for its owner, if the token of somebody of his group was presented.
    fn release_for_group(&mut self, at: usize, info: &TokenInfo) -> bool {
        let evse = &mut self.evses[at];
        info.accepted && evse.locked_for.take_if(|owner| owner.has_group(info.group.as_deref())).is_some()
    }

    pub(super) fn ask_for_authorization(&mut self, at: usize, token: Token) {
        let evse = self.evses[at].id;
        if self.request(Call::Authorize { evse, token: token.clone() }) != Called::Yes {
            self.authorization_failed(evse, token);
        }
    }

    /// The CSMS can't be asked: the station decides by itself.
    fn authorize_offline(&mut self, at: usize, authorization: Authorization) {
        let verdict = if self.is_connected() || !self.provisioning.was_accepted() {
            // B02.FR.02, B03.FR.02; 1.6 edition 2, 4.2.1, errata 3.11: nobody charges at a station that no CSMS knows.
            Err("NotRegistered".to_string())
        } else {
            self.judge_offline(&authorization.token)
        };
        match verdict {
            Ok(info) => self.admit(at, authorization, info),
            Err(status) => {
                let evse = self.evses[at].id;
                self.turn_away(Some(evse), &authorization.token, &status);
            }
        }
    }

    /// A token is valid: it charges, unless something about it or the place forbids that.
    pub(super) fn admit(&mut self, at: usize, authorization: Authorization, info: TokenInfo) {
        let evse = self.evses[at].id;
        let token = &authorization.token;
        if self.is_master_pass(&info) {
            self.master_pass(at, token);
        } else if !info.evses.is_empty() && !info.evses.contains(&evse) {
            // C01.FR.21
            self.turn_away(Some(evse), token, "NotAtThisLocation");
        } else if !self.is_usable(at, None) {
            self.turn_away(Some(evse), token, "Unavailable");
        } else {
            self.authorization_cache_used(token);
            self.accept(at, Authorization { group: info.group, ..authorization }, &info.status);
        }
    }

    fn has_master_pass(&self) -> bool {
        !self.settings.text(Key::MasterPassGroupId).is_empty()
    }

    /// Whether a token ends everybody's transaction and begins none (C16).
    fn is_master_pass(&self, info: &TokenInfo) -> bool {
        self.has_master_pass() && is_same_group(info.group.as_deref(), Some(self.settings.text(Key::MasterPassGroupId)))
    }

    /// C16.FR.02, C16.FR.03, C16.FR.08: without a way to choose a transaction it ends them all.
    fn master_pass(&mut self, at: usize, token: &Token) {
        let running: Vec<usize> = (0..self.evses.len()).filter(|at| self.evses[*at].authorization.is_some()).collect();
        if running.is_empty() {
            // C12.FR.09
            let evse = self.evses[at].id;
            self.turn_away(Some(evse), token, "MasterPass");
        }
        for at in running {
            let happening = Happening::new(Trigger::StopAuthorized, StoppedReason::MasterPass);
            self.end_authorization(at, happening.by(Some(token.clone())));
        }
    }

    /// The CSMS said whether a token may charge.
    pub(super) fn authorization_answered(&mut self, evse: u32, token: Token, info: TokenInfo) {
        self.remember(&token, &info);
        let version = self.version();
        let Some(at) = self.position(evse) else { return };
        let was_asked = self.no_longer_authorizing(at, &token);
        if info.accepted && self.is_master_pass(&info) {
            self.master_pass(at, &token);
            return;
        }
        if let Some(authorization) = &self.evses[at].authorization {
            if authorization.token.is_same(&token, version) {
                return;
            }
            if info.accepted && is_same_group(info.group.as_deref(), authorization.group.as_deref()) {
                // C09.FR.03
                let happening = Happening::new(Trigger::StopAuthorized, StoppedReason::Local).by(Some(token));
                self.end_authorization(at, happening);
            } else {
                // C09.FR.11
                self.turn_away(Some(evse), &token, &info.status);
            }
            return;
        }
        let Some(asked) = was_asked else { return };
        if self.release_for_group(at, &info) {
            return;
        }
        if info.accepted {
            let authorization = self.authorization_after(token, asked);
            self.admit(at, authorization, info);
        } else {
            self.turn_away(Some(evse), &token, &info.status);
        }
    }

    fn authorization_after(&mut self, token: Token, asked: PendingRemoteStart) -> Authorization {
        let version = self.version();
        let floating = self.floating_token.take_if(|floating| floating.is_same(&token, version)).is_some();
        let authorization = Authorization { floating, ..Authorization::new(token, None) };
        authorization.started_remotely(asked.connector, asked.remote_start_id)
    }

    /// The CSMS didn't say whether a token may charge.
    pub(super) fn authorization_failed(&mut self, evse: u32, token: Token) {
        let Some(at) = self.position(evse) else { return };
        let Some(asked) = self.no_longer_authorizing(at, &token) else { return };
        if self.evses[at].authorization.is_some() {
            return;
        }
        if self.is_connected() || !self.is_usable(at, None) {
            self.turn_away(Some(evse), &token, "NoAnswer");
        } else {
            let authorization = self.authorization_after(token, asked);
            self.authorize_offline(at, authorization);
        }
    }

    /// Ends the waiting for an answer about a token. `None` if it was not waited for.
    fn no_longer_authorizing(&mut self, at: usize, token: &Token) -> Option<PendingRemoteStart> {
        let version = self.version();
        let evse = &mut self.evses[at];
        evse.authorizing.take_if(|awaited| awaited.is_same(token, version))?;
        let remote = self.remote_starts.remove(&evse.id);
        Some(remote.unwrap_or_default())
    }

    /// Somebody may charge.
    pub(super) fn accept(&mut self, at: usize, mut authorization: Authorization, status: &str) {
        if self.is_kept_from(at, &authorization.token, authorization.group.as_deref()) {
            // 1.6 edition 2, 5.13
            let evse = self.evses[at].id;
            self.turn_away(Some(evse), &authorization.token, "Reserved");
            return;
        }
        self.use_reservation(at, &mut authorization);
        let before = self.points(at);
        let trigger = if authorization.remote_start_id.is_some() { Trigger::RemoteStart } else { Trigger::Authorized };
        let evse = &mut self.evses[at];
        let id = evse.id;
        let token = authorization.token.value.clone();
        evse.authorization = Some(authorization);
        evse.locked_for = None;
        evse.finishing = false;
        let event = Event::Authorization { evse: Some(id), token, accepted: true, status: status.to_string() };
        self.effect(Output::Event(event));
        self.effect(Output::Display { evse: Some(id), notice: Notice::Authorized });
        if self.evses[at].plugged.is_none() {
            self.await_plug(at);
        }
        self.happen(at, before, Happening::new(trigger, StoppedReason::Other));
    }

    pub(super) fn await_plug(&mut self, at: usize) {
        let patience = self.settings.duration(Key::EvConnectionTimeOut);
        self.evses[at].connect_by = (!patience.is_zero()).then(|| self.now.instant + patience);
    }

    /// Somebody may not charge.
    pub(super) fn turn_away(&mut self, evse: Option<u32>, token: &Token, status: &str) {
        // C04.FR.04: a key code appears in no log.
        let shown = if token.kind == TokenType::KeyCode { String::new() } else { token.value.clone() };
        let event = Event::Authorization { evse, token: shown, accepted: false, status: status.to_string() };
        self.effect(Output::Event(event));
        self.effect(Output::Display { evse, notice: Notice::NotAuthorized });
    }

    /// Nobody may charge any more at this EVSE, and what becomes of its transaction follows from the settings.
    pub(super) fn end_authorization(&mut self, at: usize, happening: Happening) {
        if self.evses[at].recover_by.is_some() {
            self.recover(at, true);
        }
        let before = self.points(at);
        let evse = &mut self.evses[at];
        evse.connect_by = None;
        evse.authorization = None;
        if evse.transaction.is_some() {
            self.happen(at, before, happening);
        }
    }

    /// The plug did not come in time (C01.FR.26, E03.FR.05, F02.FR.07; 1.6 edition 2, 9.1.6).
    pub(super) fn give_up_waiting_for_plugs(&mut self) {
        for at in 0..self.evses.len() {
            if self.evses[at].connect_by.take_if(|deadline| *deadline <= self.now.instant).is_none() {
                continue;
            }
            let evse = Some(self.evses[at].id);
            self.effect(Output::Display { evse, notice: Notice::ConnectionTimedOut });
            self.reservation_not_used(at);
            let happening = Happening::new(Trigger::EvConnectTimeout, StoppedReason::Timeout);
            // E03.FR.15: with the parking bay as its end, the transaction waits for the bay.
            let waits_for_bay = self.settings.has(Key::TxStopPoint, "ParkingBayOccupancy");
            self.end_authorization(at, if waits_for_bay { happening } else { happening.at_once() });
        }
    }

    /// In 1.6 a plug waits for its token as long as a token for its plug (1.6 edition 2, 9.1.6).
    pub(super) fn await_token(&mut self, at: usize) {
        let patience = self.settings.duration(Key::EvConnectionTimeOut);
        let awaited = self.version() == Version::V1_6 && !patience.is_zero();
        let evse = &self.evses[at];
        let preparing = evse
            .connectors
            .iter()
            .any(|connector| evse.status(connector, self.condition()) == ConnectorStatus::Preparing);
        let evse = &mut self.evses[at];
        if awaited && preparing && evse.plugged.is_some() && evse.authorization.is_none() {
            evse.token_by.get_or_insert(self.now.instant + patience);
        } else {
            evse.token_by = None;
        }
    }

    /// The token did not come in time: whoever plugged in has to do something (1.6 edition 2, 4.9: B6; 1.6 errata 3.20). A
    /// token that is presented to the whole station doesn't mean this cable any more.
    pub(super) fn give_up_waiting_for_tokens(&mut self) {
        for at in 0..self.evses.len() {
            let evse = &mut self.evses[at];
            if evse.authorizing.is_none() && evse.token_by.take_if(|deadline| *deadline <= self.now.instant).is_some() {
                evse.finishing = true;
                let evse = Some(evse.id);
                self.effect(Output::Display { evse, notice: Notice::AuthorizationTimedOut });
            }
        }
    }

    /// The plug came at another EVSE than the one that a token presented to the whole station was put down to.
    pub(super) fn fetch_floating_authorization(&mut self, at: usize) {
        if self.evses[at].authorization.is_some() || self.evses[at].authorizing.is_some() || !self.is_usable(at, None) {
            return;
        }
        let is_meant = |other: &usize| {
            let evse = &self.evses[*other];
            evse.plugged.is_none()
                && evse.transaction.is_none()
                && evse.authorization.as_ref().is_some_and(|authorization| {
                    let group = authorization.group.as_deref();
                    authorization.floating && !self.is_kept_from(at, &authorization.token, group)
                })
        };
        let Some(other) = (0..self.evses.len()).find(is_meant) else { return };
        let evse = &mut self.evses[other];
        evse.connect_by = None;
        if let Some(authorization) = evse.authorization.take() {
            self.accept(at, authorization, "Accepted");
        }
    }

    /// What the CSMS says about the token of a running transaction (E05, C15.FR.03 to 07; 1.6 edition 2, 4.8).
    pub(super) fn token_judged(&mut self, transaction: &str, token: &Token, info: TokenInfo) {
        let version = self.version();
        let is_meant = |known: &super::transactions::Transaction| known.id == transaction;
        let Some(at) = self.evses.iter().position(|evse| evse.transaction.as_ref().is_some_and(is_meant)) else {
            return;
        };
        let Some(authorization) = &mut self.evses[at].authorization else { return };
        if !authorization.token.is_same(token, version) {
            return;
        }
        if info.accepted {
            if authorization.group.is_none() && info.group.is_some() {
                authorization.group = info.group;
                self.save_transaction(at);
            }
            return;
        }
        let id = self.evses[at].id;
        self.turn_away(Some(id), token, &info.status);
        if self.settings.boolean(Key::StopTxOnInvalidId) {
            // E05.FR.11; 1.6 errata 3.17: the plug of somebody who is turned away waits for him.
            let evse = &mut self.evses[at];
            let owner = evse.authorization.clone().map(Owner::of);
            evse.locked_for = owner.filter(|_| evse.locked.is_some());
            self.end_authorization(at, Happening::new(Trigger::Deauthorized, StoppedReason::DeAuthorized));
            return;
        }
        let limit = self.settings.integer(Key::MaxEnergyOnInvalidId);
        if let Some(transaction) = &mut self.evses[at].transaction {
            match transaction.meter_start {
                // C15.FR.07
                Some(start) if limit > 0 => transaction.barred_at = Some(start + rust_decimal::Decimal::from(limit)),
                // C15.FR.06
                _ => transaction.barred = true,
            }
        }
        self.save_transaction(at);
        self.check_energy_limit(at);
        self.charging_state_changed(at);
    }

    /// Withholds energy where the allowance for a refused token is used up.
    pub(super) fn check_energy_limit(&mut self, at: usize) {
        let evse = &mut self.evses[at];
        let Some(transaction) = &mut evse.transaction else { return };
        let reached =
            transaction.barred_at.zip(register(&evse.reading)).is_some_and(|(limit, register)| register >= limit);
        if reached && !core::mem::replace(&mut transaction.barred, true) {
            self.save_transaction(at);
            self.charging_state_changed(at);
        }
    }
}

/// What a remote start said, for the time until its token is authorised.
#[derive(Debug, Clone, Default)]
pub(super) struct PendingRemoteStart {
    pub(super) connector: Option<u32>,
    pub(super) remote_start_id: Option<i64>,
}
