//! Another password for the station (A01; 1.6 security, A01.FR.02).

use alloc::string::{String, ToString};
use core::fmt::Write as _;
use core::time::Duration;

use ocpp_types::Version;
use serde::{Deserialize, Serialize};

use super::call::{FlowAnswer, FlowCall};
use super::flow::{Awaited, Completion, FlowEnd, PasswordChange, Progress};
use super::secret::Secret;
use super::steps::{Context, Next, Notice, PasswordUsed, Steps};
use super::time::Moment;
use crate::csms::command::{CallOutcome, Command};

/// How it goes: the station is told, accepts, closes the connection, and comes back with the new password.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Password {
    /// Gone as soon as the station was told.
    #[serde(skip)]
    password: Option<Secret>,
    keep_old: Duration,
    within: Duration,
    state: State,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum State {
    Telling,
    /// The station accepted; the old password is good until `old_until`, if at all.
    Returning {
        old_until: Option<Moment>,
        until: Moment,
    },
    /// The station accepted for after its next reboot, or it is not known whether it did: both passwords are good until one is used.
    Uncertain {
        until: Moment,
        returns_with_old: bool,
    },
}

impl Password {
    pub(super) fn new(change: PasswordChange) -> Self {
        let PasswordChange { password, keep_old, within } = change;
        Self { password: Some(password), keep_old, within, state: State::Telling }
    }

    fn uncertain(&mut self, context: &Context<'_>, returns_with_old: bool) -> Next {
        self.state = State::Uncertain { until: Moment::later(context.utc, self.within), returns_with_old };
        Next::Wait(self.within)
    }
}

impl Steps for Password {
    fn begin(&mut self, context: &mut Context<'_>) -> Next {
        let Some(password) = self.password.take() else { return Next::End(FlowEnd::Interrupted) };
        let text = password.reveal();
        let (name, value) = match context.version {
            // Whitepaper, 7.2: 16 to 20 bytes as hexadecimal digits.
            Some(Version::V1_6) if !(16..=20).contains(&text.len()) => {
                return Next::not_allowed("a password of 1.6 has 16 to 20 bytes");
            }
            Some(Version::V1_6) => ("AuthorizationKey", hexadecimal(text)),
            // A00.FR.205
            Some(Version::V2_0_1) if !(16..=40).contains(&text.chars().count()) => {
                return Next::not_allowed("a password of 2.0.1 has 16 to 40 characters");
            }
            _ if !(16..=64).contains(&text.chars().count()) => {
                return Next::not_allowed("a password of 2.1 has 16 to 64 characters");
            }
            // A01.FR.01, A01.FR.02
            _ => ("SecurityCtrlr.BasicAuthPassword", text.to_string()),
        };
        Next::Call(FlowCall::Command(Command::SetConfiguration { name: name.into(), value }))
    }

    fn answered(&mut self, answer: FlowAnswer, context: &mut Context<'_>) -> Next {
        match answer {
            FlowAnswer::Status { status, .. } if status == "Accepted" => {
                context.tell(Progress::PasswordAccepted);
                // A01.FR.03; 1.6 security, A01.FR.03
                let old_until = if self.keep_old.is_zero() {
                    context.tell(Progress::PasswordSuperseded);
                    None
                } else {
                    Some(Moment::later(context.utc, self.keep_old))
                };
                self.state = State::Returning { old_until, until: Moment::later(context.utc, self.within) };
                Next::Wait(if old_until.is_some() { self.keep_old.min(self.within) } else { self.within })
            }
            // It goes by the new one after it has rebooted, so the old one is good until then.
            FlowAnswer::Status { status, .. } if status == "RebootRequired" => {
                context.tell(Progress::PasswordAccepted);
                self.uncertain(context, true)
            }
            // A01.FR.04; 1.6 security, A01.FR.04
            answer => Next::refused(answer),
        }
    }

    fn failed(&mut self, outcome: &CallOutcome, context: &mut Context<'_>) -> Option<Next> {
        match outcome {
            CallOutcome::TimedOut | CallOutcome::ConnectionLost | CallOutcome::MalformedAnswer { .. } => {
                context.tell(Progress::PasswordUncertain);
                Some(self.uncertain(context, false))
            }
            _ => None,
        }
    }

    fn cancelled(&mut self, sent: bool, context: &mut Context<'_>) {
        if sent && self.state == State::Telling {
            context.tell(Progress::PasswordUncertain);
        }
    }

    fn noticed(&mut self, notice: &Notice<'_>, context: &mut Context<'_>) -> Option<Next> {
        let Notice::Connected = notice else { return None };
        let used = context.authentication.and_then(|authentication| authentication.password);
        match (&self.state, used) {
            (State::Telling, _) => None,
            // Nothing but the new one was let in.
            (State::Returning { old_until: None, .. }, None | Some(PasswordUsed::New)) => {
                Some(Next::End(FlowEnd::Completed(Completion::Done)))
            }
            (_, Some(PasswordUsed::New)) => {
                context.tell(Progress::PasswordSuperseded);
                Some(Next::End(FlowEnd::Completed(Completion::Done)))
            }
            (State::Uncertain { returns_with_old: true, .. }, _) | (_, None) => None,
            (_, Some(PasswordUsed::Old)) => Some(Next::End(FlowEnd::WentBack)),
        }
    }

    fn overdue(&mut self, context: &mut Context<'_>) -> Next {
        match self.state {
            State::Returning { old_until: Some(_), until: end } if end > Moment::at(context.utc) => {
                context.tell(Progress::PasswordSuperseded);
                self.state = State::Returning { old_until: None, until: end };
                Next::Wait(end.since(context.utc))
            }
            _ => Next::timed_out(Awaited::Reconnection),
        }
    }
}

fn hexadecimal(text: &str) -> String {
    let mut digits = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        // Writing to a string never fails.
        let _ = write!(digits, "{byte:02X}");
    }
    digits
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    /// A01.FR.09; 1.6 security, A01.FR.09
    #[test]
    fn a_password_is_not_shown_and_not_kept() {
        let change = PasswordChange::new(Secret::new("0123456789abcdef"));
        assert!(!format!("{change:?}").contains("0123"));
        let flow = Password::new(change);
        assert!(!format!("{flow:?}").contains("0123"));
        assert!(!serde_json::to_string(&flow).unwrap().contains("0123"));
    }
}
