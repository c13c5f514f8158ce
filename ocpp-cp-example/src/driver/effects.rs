//! What the station wants done.

use std::borrow::Cow;

use ocpp_core::station::replay::Entry;
use ocpp_core::station::{
    Answer, ConnectionFailure, ConnectorStatus, Event, Input, Notice, Output, Question, QuestionKind,
};

use super::connection::Lost;
use super::{Driver, credentials, tls};
use crate::messages::Direction;

/// The longest text of a log line; longer ones are cut. `GET /messages` has them whole.
const LINE: usize = 800;

impl Driver {
    /// Hands a fact to the station and carries out what comes of it, until there is nothing left to do.
    pub(super) fn handle(&mut self, input: Input) {
        self.inbox.push_back(input);
        self.carry_on();
    }

    /// Carries out everything that the station wants, and hands it the facts that come of that.
    pub(super) fn carry_on(&mut self) {
        loop {
            while let Some(output) = self.station.poll_output() {
                self.recording.output(&output);
                self.carry_out(output);
            }
            self.recording.outputs_end();
            let Some(input) = self.inbox.pop_front() else { return };
            let now = self.clock.now();
            self.recording.entry(|| Entry::Input { now: now.into(), input: input.clone() });
            self.station.handle(now, input);
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Connect(connect) => {
                tracing::info!(station = %self.config.id, "connecting to {}", connect.csms_url);
                match tls::client(&connect, &self.keys) {
                    Ok(tls) => self.connection.connect(connect, tls),
                    Err(error) => self.inbox.push_back(Input::ConnectionFailed {
                        failure: ConnectionFailure::Other,
                        reason: format!("{error}; check the certificates and keys"),
                    }),
                }
            }
            Output::Close { reason } => {
                if self.connection.start_closing(reason) == Lost::Attempt {
                    self.inbox.push_back(Input::ConnectionFailed {
                        failure: ConnectionFailure::Other,
                        reason: reason.to_owned(),
                    });
                }
            }
            Output::Transmit(text) => {
                if self.connection.is_open() {
                    self.record(Direction::Sent, &text);
                    self.connection.send(text);
                } else {
                    // The connection has just ended; the station hears of that next.
                    tracing::debug!(station = %self.config.id, "not sent without a connection: {}", shortened(&text));
                }
            }
            Output::Store(batch) => {
                // The meters go first: no stored transaction has a reading that its meter has forgotten.
                self.save_hardware();
                match self.disk.write(batch) {
                    Ok(Some(id)) => self.inbox.push_back(Input::Stored(id)),
                    Ok(None) => {}
                    Err(error) => self.broken = Some(error),
                }
            }
            Output::PermitEnergy { evse, permitted } => {
                if let Some(evse) = self.hardware.evse_mut(evse) {
                    evse.permit(permitted);
                }
            }
            Output::SetLimit { evse, limit } => {
                if let Some(evse) = self.hardware.evse_mut(evse) {
                    evse.set_limit(limit.map(|limit| limit.power));
                }
            }
            Output::Lock { evse, connector } => {
                if !self.lock(evse, connector, true) {
                    self.inbox.push_back(Input::LockFailed { evse, connector });
                }
            }
            Output::Unlock { evse, connector } => {
                if !self.lock(evse, connector, false) {
                    tracing::warn!(station = %self.config.id, "EVSE {evse}, connector {connector}: the lock does not open");
                }
            }
            Output::Restart { evse: None } => self.restart = true,
            Output::Restart { evse: Some(evse) } => {
                tracing::info!(station = %self.config.id, "EVSE {evse}: its electronics restart");
            }
            Output::SetPingInterval(interval) => self.connection.set_ping_interval(interval),
            Output::SetClock(time) => {
                tracing::debug!(station = %self.config.id, "the clock of the machine is left alone; the CSMS says {time}");
            }
            Output::Display { evse, notice } => {
                let place = evse.map(|evse| format!("EVSE {evse}, ")).unwrap_or_default();
                tracing::info!(station = %self.config.id, "{place}display: {}", words(notice));
            }
            Output::ForgetKey { key } => {
                if let Err(error) = self.keys.forget(&key) {
                    tracing::warn!(station = %self.config.id, "a key that is not used any more is still there: {error}");
                }
            }
            Output::Download(download) => self.download(download),
            Output::CancelDownload { update } => self.cancel_download(update),
            Output::Install(install) => self.install(&install),
            Output::Upload(upload) => self.upload(upload),
            Output::CancelUpload { upload } => self.cancel_upload(upload),
            Output::Ask(Question {
                id,
                kind: QuestionKind::FirmwareSignature { update, certificate, signature },
                ..
            }) => {
                self.check_signature(id, update, certificate, signature);
            }
            Output::Ask(Question { id: question, kind, .. }) => {
                let answer = self.answer(&kind);
                self.inbox.push_back(Input::Answer { question, answer });
            }
            Output::Event(event) => self.event(event),
            other => tracing::warn!(station = %self.config.id, "not simulated: {other:?}"),
        }
    }

    /// Moves a lock. False when it doesn't move.
    fn lock(&mut self, evse: u32, connector: u32, locked: bool) -> bool {
        self.hardware.evse_mut(evse).is_some_and(|evse| evse.set_locked(connector, locked).is_ok())
    }

    fn answer(&mut self, question: &QuestionKind) -> Answer {
        let done = match *question {
            QuestionKind::Unlock { evse, connector } => self.lock(evse, connector, false),
            QuestionKind::SigningCertificate { ref certificate } => return self.judge_signing_certificate(certificate),
            QuestionKind::Log(ref log) => return self.find_log(log),
            QuestionKind::SignCsr(ref wanted) => return credentials::signing_request(&mut self.keys, wanted),
            QuestionKind::Certificate(ref question) => {
                return credentials::judge(&self.keys, question, self.clock.now());
            }
            ref other => {
                tracing::warn!(station = %self.config.id, "not simulated: {other:?}");
                false
            }
        };
        if done { Answer::Done } else { Answer::Failed }
    }

    fn event(&mut self, event: Event) {
        let station = &self.config.id;
        match &event {
            Event::Online { .. } => {}
            Event::Offline { reason } => tracing::info!(%station, "offline: {reason}"),
            Event::Registration { status, interval } => {
                tracing::info!(%station, "registration {status:?}, interval {interval} s");
            }
            Event::ConnectorStatus { evse, connector, status } => {
                tracing::info!(%station, "EVSE {evse}, connector {connector}: {}", status_words(*status));
            }
            Event::Authorization { evse, token, accepted, status } => {
                let place = evse.map(|evse| format!("EVSE {evse}: ")).unwrap_or_default();
                let verdict = if *accepted { "may charge" } else { "may not charge" };
                tracing::info!(%station, "{place}token {token} {verdict}: {status}");
            }
            Event::TransactionStarted { evse, transaction } => {
                tracing::info!(%station, "EVSE {evse}: transaction {transaction} started");
                self.transaction_started(*evse, transaction);
            }
            Event::TransactionEnded { evse, transaction, reason } => {
                tracing::info!(%station, "EVSE {evse}: transaction {transaction} ended: {reason}");
                self.transaction_ended(*evse, transaction, reason);
            }
            Event::MessageLost { transaction, seq_no, reason } => {
                tracing::error!(%station, "message {seq_no} of transaction {transaction} given up: {reason}");
            }
            Event::FirmwareStatus { status, .. } => tracing::info!(%station, "firmware: {}", status.as_str()),
            Event::LogStatus { status, .. } => tracing::info!(%station, "log: {}", status.as_str()),
            Event::SettingChanged { name, value } => tracing::info!(%station, "setting {name} = {value}"),
            Event::PeerFault { description } => tracing::warn!(%station, "fault of the CSMS: {description}"),
            Event::Refused { action, code, description } => {
                tracing::warn!(%station, "the CSMS refused {action}: {code} {description}");
            }
            Event::InputIgnored { reason } => tracing::warn!(%station, "ignored: {reason}"),
            other => tracing::info!(%station, "{other:?}"),
        }
    }

    /// Has the state of all EVSEs written that is new since the last time.
    pub(super) fn save_hardware(&mut self) {
        self.saved = tokio::time::Instant::now();
        for ((id, evse), told) in self.hardware.iter().zip(&mut self.told) {
            if let Some(saved) = told.unsaved(evse)
                && let Err(error) = self.disk.write_hardware(id, saved)
            {
                self.broken = Some(error);
            }
        }
    }
}

/// What a display would show.
fn words(notice: Notice) -> Cow<'static, str> {
    match notice {
        Notice::Authorizing => "checking your card".into(),
        Notice::Authorized => "you may charge".into(),
        Notice::NotAuthorized => "your card is not accepted".into(),
        Notice::AuthorizationTimedOut => "no token was presented in time".into(),
        Notice::ConnectionTimedOut => "the cable was not plugged in in time".into(),
        Notice::InUse => "in use by somebody else".into(),
        Notice::NoPriorityCharging => "there is no priority charging here".into(),
        other => format!("{other:?}").into(),
    }
}

fn status_words(status: ConnectorStatus) -> Cow<'static, str> {
    match status {
        ConnectorStatus::Available => "available".into(),
        ConnectorStatus::Preparing => "preparing".into(),
        ConnectorStatus::Charging => "charging".into(),
        ConnectorStatus::SuspendedEvse => "suspended by the station".into(),
        ConnectorStatus::SuspendedEv => "suspended by the car".into(),
        ConnectorStatus::Finishing => "finishing".into(),
        ConnectorStatus::Reserved => "reserved".into(),
        ConnectorStatus::Unavailable => "out of service".into(),
        ConnectorStatus::Faulted => "out of order".into(),
        other => format!("{other:?}").into(),
    }
}

/// The text of a log line.
pub(super) fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LINE) {
        Some((end, _)) => format!("{}… ({} bytes)", text.get(..end).unwrap_or_default(), text.len()).into(),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_frame_makes_a_short_line() {
        assert_eq!(shortened("[3]"), "[3]");
        let long = "é".repeat(LINE + 1);
        assert_eq!(shortened(&long), format!("{}… ({} bytes)", "é".repeat(LINE), 2 * (LINE + 1)));
    }
}
