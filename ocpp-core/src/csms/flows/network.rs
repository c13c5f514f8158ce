//! Another way for the station to connect: network profiles and security profiles (A05, B09, B10; security whitepaper, A05).

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use ocpp_types::Version;
use ocpp_types::v2_1::{CsmsRequest, NetworkConnectionProfileType};
use serde::{Deserialize, Serialize};

use super::call::{FlowAnswer, FlowCall};
use super::flow::{Awaited, Completion, FlowEnd, NetworkSwitch, ProfileUpgrade, Progress};
use super::steps::{Context, Next, Notice, Steps};
use crate::csms::command::{CallOutcome, Command, ResetKind};
use crate::csms::message::CallMessage;
use crate::csms::mirrors::Mirrors;
use crate::csms::network;

const PRIORITY: &str = "OCPPCommCtrlr.NetworkConfigurationPriority";
const ACTIVE: &str = "OCPPCommCtrlr.ActiveNetworkProfile";

/// How it goes in 2.x: the profile is written into its slot, the slot becomes the first of the priorities, the station resets, comes
/// back and says which slot it uses. In 1.6 one key does all that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Network {
    /// The security profile to be reached, where that is what it's about.
    security_profile: Option<u8>,
    slot: Option<i64>,
    /// Written by the first step; what it holds (a password, perhaps) is in no snapshot.
    #[serde(skip)]
    profile: Option<Box<NetworkConnectionProfileType>>,
    fall_back: Vec<i64>,
    within: Duration,
    state: State,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum State {
    WritingSlot,
    Prioritizing,
    Resetting,
    /// The reset was refused: the priorities are put back.
    PuttingBack {
        status: String,
        reason: Option<String>,
    },
    Returning {
        connected: bool,
    },
    /// It is back and is asked which slot it uses.
    Asking,
}

impl Network {
    pub(super) fn switch(switch: NetworkSwitch) -> Self {
        let NetworkSwitch { slot, profile, fall_back, within } = switch;
        let security_profile = profile.as_ref().and_then(|profile| u8::try_from(profile.security_profile).ok());
        Self { security_profile, slot: Some(slot), profile, fall_back, within, state: State::WritingSlot }
    }

    pub(super) fn upgrade(upgrade: ProfileUpgrade) -> Self {
        let ProfileUpgrade { profile, network, within } = upgrade;
        let network = network.map(Self::switch);
        let (slot, connection, fall_back) =
            network.map_or((None, None, Vec::new()), |network| (network.slot, network.profile, network.fall_back));
        let security_profile = Some(profile);
        Self { security_profile, slot, profile: connection, fall_back, within, state: State::WritingSlot }
    }

    /// The order in which the station tries its slots, the new one first (A05; B10.FR.01).
    fn prioritize(&mut self, slot: i64) -> Next {
        self.state = State::Prioritizing;
        let mut slots = Vec::from([slot]);
        slots.extend(self.fall_back.iter().copied().filter(|other| *other != slot));
        Next::Call(set_priority(&slots))
    }

    fn wait(&mut self, status: String, context: &mut Context<'_>) -> Next {
        context.tell(Progress::Accepted { status });
        self.state = State::Returning { connected: false };
        Next::Wait(self.within)
    }

    /// The station is back: by the profile that it was to come by, or not.
    fn arrived(&self, context: &mut Context<'_>) -> Next {
        let used = context.authentication.map(|authentication| authentication.security_profile);
        match (self.security_profile, used) {
            (Some(wanted), Some(used)) if used < wanted => Next::End(FlowEnd::WentBack),
            (Some(wanted), Some(_)) => {
                // A05.FR.07; 1.6 security, A05.FR.09
                context.reached_profile = Some(wanted);
                Next::End(FlowEnd::Completed(Completion::Done))
            }
            _ => Next::End(FlowEnd::Completed(Completion::Done)),
        }
    }
}

impl Steps for Network {
    fn begin(&mut self, context: &mut Context<'_>) -> Next {
        let used = context.authentication.map(|authentication| authentication.security_profile);
        if let (Some(wanted), Some(used)) = (self.security_profile, used)
            && wanted < used
        {
            return Next::not_allowed("a station is not led to a lower security profile (A05)");
        }
        match (context.version, self.slot) {
            (Some(Version::V1_6), None) => {
                let Some(wanted) = self.security_profile else { return Next::End(FlowEnd::Interrupted) };
                self.state = State::Prioritizing;
                let (name, value) = (String::from("SecurityProfile"), wanted.to_string());
                Next::Call(FlowCall::Command(Command::SetConfiguration { name, value }))
            }
            (Some(Version::V1_6), Some(_)) => Next::not_allowed("1.6 has no network profiles"),
            (_, None) => Next::not_allowed("2.x changes its security profile by a network profile: name one"),
            (_, Some(slot)) => match self.profile.take() {
                Some(profile) if i64::from(self.security_profile.unwrap_or(0)) != profile.security_profile => {
                    Next::not_allowed("the network profile has another security profile than the one to be reached")
                }
                Some(profile) => Next::Call(FlowCall::SetNetworkProfile { slot, profile }),
                None => self.prioritize(slot),
            },
        }
    }

    fn answered(&mut self, answer: FlowAnswer, context: &mut Context<'_>) -> Next {
        match (&self.state, answer) {
            (State::WritingSlot, FlowAnswer::Status { status, .. }) if status == "Accepted" => match self.slot {
                Some(slot) => self.prioritize(slot),
                None => Next::End(FlowEnd::Interrupted),
            },
            (State::Prioritizing, FlowAnswer::Status { status, .. })
                if status == "Accepted" || status == "RebootRequired" =>
            {
                if self.slot.is_none() && status == "Accepted" {
                    // A 1.6 station reconnects by itself.
                    return self.wait(status, context);
                }
                self.state = State::Resetting;
                // A05: OnIdle, so that no transaction is cut off.
                Next::Call(FlowCall::Command(Command::Reset { kind: ResetKind::OnIdle, evse: None }))
            }
            (State::Resetting, FlowAnswer::Status { status, .. }) if status == "Accepted" || status == "Scheduled" => {
                self.wait(status, context)
            }
            (State::Resetting, FlowAnswer::Status { status, reason, .. })
                if self.slot.is_some() && !self.fall_back.is_empty() =>
            {
                self.state = State::PuttingBack { status, reason };
                Next::Call(set_priority(&self.fall_back))
            }
            (State::PuttingBack { status, reason }, _) => {
                Next::End(FlowEnd::Refused { status: status.clone(), reason: reason.clone() })
            }
            (State::Asking, FlowAnswer::Settings(settings)) => {
                let active = settings.first().and_then(|setting| setting.value.as_deref()?.trim().parse::<i64>().ok());
                if active.is_some() && active != self.slot {
                    return Next::End(FlowEnd::WentBack);
                }
                self.arrived(context)
            }
            (State::Asking, _) => self.arrived(context),
            (_, answer) => Next::refused(answer),
        }
    }

    fn failed(&mut self, outcome: &CallOutcome, context: &mut Context<'_>) -> Option<Next> {
        match (&self.state, outcome) {
            // It resets, or reconnects, before it answers.
            (State::Resetting, CallOutcome::ConnectionLost | CallOutcome::TimedOut) => {
                self.state = State::Returning { connected: false };
                Some(Next::Wait(self.within))
            }
            (State::Prioritizing, CallOutcome::ConnectionLost | CallOutcome::TimedOut) if self.slot.is_none() => {
                self.state = State::Returning { connected: false };
                Some(Next::Wait(self.within))
            }
            (State::PuttingBack { status, reason }, _) => {
                Some(Next::End(FlowEnd::Refused { status: status.clone(), reason: reason.clone() }))
            }
            // Which slot it uses can't be learned: how it connected tells enough.
            (State::Asking, CallOutcome::ConnectionLost | CallOutcome::NotConnected) => {
                self.state = State::Returning { connected: false };
                Some(Next::Wait(self.within))
            }
            (State::Asking, _) => Some(self.arrived(context)),
            _ => None,
        }
    }

    fn noticed(&mut self, notice: &Notice<'_>, context: &mut Context<'_>) -> Option<Next> {
        let State::Returning { connected } = &mut self.state else { return None };
        match notice {
            // 1.6: the station changes over by a new connection, without a boot.
            Notice::Connected if self.slot.is_none() => {
                context.authentication?;
                Some(self.arrived(context))
            }
            Notice::Connected => {
                *connected = true;
                None
            }
            // 2.x: it has rebooted. A connection without that is a line that was bad for a moment.
            Notice::Booted if *connected => {
                self.state = State::Asking;
                let names = Vec::from([ACTIVE.to_string()]);
                Some(Next::Call(FlowCall::Command(Command::GetConfiguration { names })))
            }
            _ => None,
        }
    }

    fn overdue(&mut self, _: &mut Context<'_>) -> Next {
        Next::timed_out(Awaited::Reconnection)
    }
}

/// Why this call may not be sent, whoever wrote it, if it writes into a network profile that the station may be using (B09.FR.21).
pub(in crate::csms) fn forbids(call: &CallMessage, mirrors: &Mirrors) -> Option<&'static str> {
    #[cfg_attr(not(feature = "v1_6"), allow(irrefutable_let_patterns))]
    let CallMessage::V2(request) = call else { return None };
    let CsmsRequest::SetVariables(request) = &**request else { return None };
    network::check(mirrors, &request.set_variable_data).err()
}

fn set_priority(slots: &[i64]) -> FlowCall {
    let mut value = String::new();
    for slot in slots {
        let comma = if value.is_empty() { "" } else { "," };
        value.push_str(&format!("{comma}{slot}"));
    }
    FlowCall::Command(Command::SetConfiguration { name: PRIORITY.into(), value })
}
