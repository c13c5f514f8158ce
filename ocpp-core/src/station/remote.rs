//! What the CSMS has the station do (2.1 part 2, block F; 1.6 edition 2, 5.11, 5.12, 5.17 and 5.18).

use alloc::string::String;
use alloc::vec::Vec;

use super::Station;
use super::authorization::{Authorization, PendingRemoteStart};
use super::config::BootReason;
use super::event::Registration;
use super::facts::{Token, TokenType};
use super::local_authorization::Judgement;
use super::metering::Context;
use super::output::QuestionKind;
use super::progress::ProgressReport;
use super::questions::About;
use super::settings::Key;
use super::transactions::{Happening, StoppedReason, Trigger};
use crate::rpc::IncomingId;

/// A message that the CSMS asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    BootNotification,
    Heartbeat,
    StatusNotification,
    MeterValues,
    TransactionEvent,
    /// `FirmwareStatusNotification` of 2.x, `SignedFirmwareStatusNotification` of 1.6.
    FirmwareStatus,
    /// `FirmwareStatusNotification` of 1.6.
    PlainFirmwareStatus,
    LogStatus,
    /// A request to sign a new certificate for the station.
    SignCertificate,
    DiagnosticsStatus,
}

impl Station {
    /// The CSMS wants a transaction. `Err` refuses; `Ok` may know the transaction already (F01.FR.13).
    /// 1.6 errata 3.32
    pub(super) fn remote_start(
        &mut self,
        place: Option<(u32, Option<u32>)>,
        token: Token,
        group: Option<String>,
        remote_start_id: Option<i64>,
    ) -> Result<Option<String>, ()> {
        // B02.FR.05; 1.6 edition 2, 4.2
        if self.provisioning.registration != Some(Registration::Accepted) {
            return Err(());
        }
        let connector = place.and_then(|(_, connector)| connector);
        let at = match place {
            Some((evse, None)) => self.position(evse),
            Some((evse, Some(connector))) => self.position_of(evse, connector),
            // F01.FR.20
            None => self.choose_for_remote_start(&token),
        };
        // C05.FR.01: a token that the CSMS made up is not asked about, nor is none at all.
        let is_judged = self.settings.boolean(Key::AuthorizeRemoteStart)
            && !matches!(token.kind, TokenType::Central | TokenType::NoAuthorization);
        // Who belongs to a group may show when the token is judged.
        let is_kept = |at: usize| match &group {
            None if is_judged => self.is_certainly_kept_from(at, &token),
            group => self.is_kept_from(at, &token, group.as_deref()),
        };
        let Some(at) = at.filter(|at| self.may_start_remotely(*at, connector) && !is_kept(*at)) else { return Err(()) };
        let evse = &mut self.evses[at];
        let transaction = evse.transaction.as_ref().map(|transaction| transaction.id.clone());
        if is_judged {
            // F01.FR.01: like a token that is presented.
            let evse = evse.id;
            match self.judge(&token) {
                Judgement::Accept(info) => {
                    let authorization = Authorization::new(token, None).started_remotely(connector, remote_start_id);
                    self.admit(at, authorization, info);
                }
                Judgement::Refuse(status) => self.turn_away(Some(evse), &token, &status),
                Judgement::Ask => {
                    self.evses[at].authorizing = Some(token.clone());
                    self.remote_starts.insert(evse, PendingRemoteStart { connector, remote_start_id });
                    self.ask_for_authorization(at, token);
                }
            }
        } else {
            // F01.FR.02
            let authorization = Authorization::new(token, group).started_remotely(connector, remote_start_id);
            self.accept(at, authorization, "RemoteStart");
        }
        let begun = self.evses[at].transaction.as_ref().map(|transaction| transaction.id.clone());
        Ok(transaction.or(begun))
    }

    /// F01.FR.23, F01.FR.24, G03
    fn may_start_remotely(&self, at: usize, connector: Option<u32>) -> bool {
        let evse = &self.evses[at];
        let is_his_connector = connector.is_none() || evse.plugged.is_none() || evse.plugged == connector;
        let was_authorized = evse.transaction.as_ref().is_some_and(super::transactions::Transaction::was_authorized);
        self.is_usable(at, connector)
            && is_his_connector
            && evse.authorization.is_none()
            && evse.authorizing.is_none()
            && !was_authorized
    }

    /// The EVSE that a remote start without one would mean, or the one that it names.
    pub(super) fn evse_for_remote_start(&self, place: Option<(u32, Option<u32>)>, token: &Token) -> Option<u32> {
        match place {
            Some((evse, _)) => Some(evse),
            None => self.choose_for_remote_start(token).map(|at| self.evses[at].id),
        }
    }

    fn choose_for_remote_start(&self, token: &Token) -> Option<usize> {
        let is_meant = |at: &usize| self.may_start_remotely(*at, None) && !self.is_certainly_kept_from(*at, token);
        let free = || (0..self.evses.len()).filter(is_meant);
        free().find(|at| self.evses[*at].plugged.is_some()).or_else(|| free().next())
    }

    /// The CSMS wants a transaction to end (F03.FR.07, F03.FR.08). Whether there is such a transaction.
    /// 1.6 errata 3.33
    pub(super) fn remote_stop(&mut self, is_meant: impl Fn(&Self, &str) -> bool) -> bool {
        if self.provisioning.registration != Some(Registration::Accepted) {
            return false;
        }
        let at = self
            .evses
            .iter()
            .position(|evse| evse.transaction.as_ref().is_some_and(|transaction| is_meant(self, &transaction.id)));
        match at {
            Some(at) => {
                self.end_authorization(at, Happening::new(Trigger::RemoteStop, StoppedReason::Remote));
                true
            }
            None => false,
        }
    }

    /// Whether a transaction goes on, and whether messages about it wait (E14).
    pub(super) fn transaction_status(&self, transaction: Option<&str>) -> (Option<bool>, bool) {
        match transaction {
            Some(id) => {
                let is_ongoing =
                    self.evses.iter().any(|evse| evse.transaction.as_ref().is_some_and(|known| known.id == id));
                (Some(is_ongoing), self.outbox.has_messages_of(id))
            }
            // E14.FR.06
            None => (None, self.outbox.len() > 0),
        }
    }

    /// The CSMS wants to be told something. `None`: this station has no such message (F06.FR.08).
    /// 1.6 errata 3.46
    pub(super) fn trigger(&mut self, wanted: Wanted, place: Option<(u32, Option<u32>)>) -> bool {
        // A place that doesn't exist is no place to report about; where it is not relevant it is ignored (F06.FR.03).
        let is_somewhere = place.is_none_or(|(evse, connector)| {
            (evse == 0 && connector.is_none()) || self.position_of(evse, connector.unwrap_or(1)).is_some()
        });
        match wanted {
            Wanted::BootNotification => {
                if !self.may_be_triggered_to_boot() {
                    return false;
                }
                self.boot(BootReason::Triggered);
                true
            }
            Wanted::Heartbeat => {
                self.heartbeat();
                true
            }
            Wanted::StatusNotification if !is_somewhere => false,
            Wanted::StatusNotification => {
                self.report_on_trigger(place);
                true
            }
            Wanted::MeterValues => is_somewhere && self.trigger_meter_values(place),
            Wanted::TransactionEvent => is_somewhere && self.trigger_transaction_events(place),
            Wanted::FirmwareStatus => self.report_now(ProgressReport::Firmware(self.firmware_report_on_trigger())),
            Wanted::PlainFirmwareStatus => {
                self.report_now(ProgressReport::Firmware(self.plain_firmware_report_on_trigger()))
            }
            Wanted::SignCertificate => self.request_certificate(true),
            Wanted::LogStatus => self.report_now(ProgressReport::Log(self.log_report_on_trigger())),
            Wanted::DiagnosticsStatus => self.report_now(ProgressReport::Log(self.diagnostics_report_on_trigger())),
        }
    }

    pub(super) fn meant(&self, place: Option<(u32, Option<u32>)>) -> Vec<usize> {
        // F06.FR.11; the station as a whole has no meter of its own.
        let is_meant = |id: u32| place.is_none_or(|(evse, _)| evse == id);
        (0..self.evses.len()).filter(|at| is_meant(self.evses[*at].id)).collect()
    }

    /// F06.FR.07
    fn trigger_transaction_events(&mut self, place: Option<(u32, Option<u32>)>) -> bool {
        let mut sent = false;
        if self.may_send() {
            for at in self.meant(place) {
                if self.evses[at].transaction.is_some() {
                    let value = self.meter_value(at, Key::TxUpdatedMeasurands, Context::Requested);
                    self.update_transaction(at, Trigger::Requested, value);
                    sent = true;
                }
            }
        }
        sent
    }

    /// Asks the integrator to release a plug. The answer to the call follows from his answer.
    pub(super) fn ask_to_unlock(&mut self, evse: u32, connector: u32, call: IncomingId) {
        let about = About::Unlock { call, evse, connector };
        self.ask(QuestionKind::Unlock { evse, connector }, about, self.patience());
    }

    /// The integrator has tried to release a plug.
    pub(super) fn unlock_tried(&mut self, evse: u32, connector: u32, unlocked: bool) {
        if let Some(at) = self.position(evse).filter(|_| unlocked) {
            let evse = &mut self.evses[at];
            evse.locked.take_if(|locked| *locked == connector);
            evse.locked_for = None;
        }
    }
}
