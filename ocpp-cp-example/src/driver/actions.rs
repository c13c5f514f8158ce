//! What a person, a car, a fault or a tester does to the station.

use ocpp_core::station::replay::Entry;
use ocpp_core::station::{
    ConnectionFailure, Fault, Input, SettingChange, SettingError, SettingName, TokenEntryError, TokenType,
};

use super::Driver;
use super::connection::Lost;
use crate::command::{Action, Change, Command, Setting};
use crate::error::CommandError;
use crate::hardware::Evse;

/// The longest token of any version, in characters (2.1 part 2, `IdTokenType.idToken`).
const TOKEN: usize = 255;

impl Driver {
    pub(super) async fn command(&mut self, command: Command) {
        // Who doesn't wait for an answer any more doesn't need it.
        match command {
            Command::State(reply) => drop(reply.send(self.view())),
            Command::Messages(reply) => drop(reply.send(self.messages.all())),
            Command::Setting { name, change, reply } => drop(reply.send(self.setting(name, change))),
            Command::Act(action, reply) => {
                self.tell_hardware();
                let outcome = self.act(action).await;
                self.save_hardware();
                self.settle().await;
                drop(reply.send(outcome));
            }
            Command::Shutdown(reply) => drop(reply.send(())),
        }
    }

    async fn act(&mut self, action: Action) -> Result<(), CommandError> {
        match action {
            Action::Plug { evse: id, connector } => {
                let evse = self.evse(id)?;
                if connector == 0 || connector > evse.connectors() {
                    return Err(CommandError::Unknown(format!(
                        "EVSE {id} has no connector {connector}: its connectors are 1 to {}",
                        evse.connectors()
                    )));
                }
                if !evse.plug(connector) {
                    return Err(CommandError::NotPossible(format!("a cable is in at EVSE {id}: unplug it first")));
                }
                self.tell_cable(id, Input::PluggedIn { evse: id, connector });
            }
            Action::Unplug { evse: id } => {
                let Some(connector) = self.evse(id)?.unplug() else {
                    return Err(CommandError::NotPossible(format!("no cable is in at EVSE {id}: plug one in first")));
                };
                self.tell_cable(id, Input::Unplugged { evse: id, connector });
            }
            Action::Tap { evse: id, token } => {
                self.evse(id)?;
                let length = token.value.chars().count();
                if length > TOKEN || (length == 0 && token.kind != TokenType::NoAuthorization) {
                    return Err(CommandError::Invalid(format!(
                        "a token has 1 to {TOKEN} characters, this one has {length}"
                    )));
                }
                self.handle(Input::TokenPresented { evse: Some(id), token });
            }
            Action::Cache { entry } => {
                let now = self.clock.now();
                self.recording.entry(|| Entry::CachedToken { now: now.into(), entry: entry.clone() });
                let kept = self.station.put_into_authorization_cache(now, &entry);
                self.carry_on();
                kept.map_err(|error| entry_error(&error))?;
            }
            Action::List { entry } => {
                let now = self.clock.now();
                self.recording.entry(|| Entry::ListedToken { now: now.into(), entry: entry.clone() });
                let kept = self.station.put_into_local_list(now, &entry);
                self.carry_on();
                kept.map_err(|error| entry_error(&error))?;
            }
            Action::Stop { evse: id, reason } => {
                self.evse(id)?;
                let state = self.station.state(self.clock.now());
                if !state.evses.iter().any(|evse| evse.id == id && evse.transaction.is_some()) {
                    return Err(CommandError::NotPossible(format!(
                        "no transaction runs at EVSE {id}: plug in and tap a token first"
                    )));
                }
                self.handle(Input::StopPressed { evse: id, reason });
            }
            Action::Ev { evse, change } => {
                self.evse(evse)?.ev_mut().change(change);
                self.tell_hardware();
            }
            Action::Fault { evse: id, code } => {
                self.evse(id)?.set_fault(Some(code.as_str().to_owned()));
                self.tell(Input::Fault { evse: Some(id), connector: None, fault: Fault::new(code) });
            }
            Action::ClearFault { evse: id } => {
                self.evse(id)?.set_fault(None);
                self.tell(Input::FaultCleared { evse: Some(id), connector: None });
            }
            Action::Lock { evse, fails } => self.evse(evse)?.set_lock_fails(fails),
            Action::Bay { evse: id, occupied } => {
                let evse = self.evse(id)?;
                if evse.bay_occupied() != occupied {
                    evse.set_bay(occupied);
                    self.handle(Input::ParkingBay { evse: id, occupied });
                }
            }
            Action::Limit { limit } => {
                if let Some(evse) = limit.evse {
                    self.evse(evse)?;
                }
                self.tell(Input::ChargingLimit(limit));
            }
            Action::Priority { evse: id, wanted } => {
                self.evse(id)?;
                let state = self.station.state(self.clock.now());
                if !state.evses.iter().any(|evse| evse.id == id && evse.transaction.is_some()) {
                    return Err(CommandError::NotPossible(format!(
                        "no transaction runs at EVSE {id}: plug in and tap a token first"
                    )));
                }
                self.tell(Input::PriorityCharging { evse: id, wanted });
            }
            Action::PowerCut { keep_transactions } => self.power_cut(keep_transactions).await,
            Action::Restart => self.tell(Input::LocalReset),
            Action::Network { up } => self.set_network(up),
            Action::AlignClock => self.tell(Input::ClockAligned),
        }
        Ok(())
    }

    /// Everything that isn't on the disk or made of metal is gone.
    async fn power_cut(&mut self, keep_transactions: bool) {
        tracing::info!(station = %self.config.id, "power cut");
        self.connection.cut();
        self.connection_error = Some("the power was cut".to_owned());
        self.start_again(Some(keep_transactions)).await;
    }

    fn set_network(&mut self, up: bool) {
        if self.network == up {
            return;
        }
        self.network = up;
        let lost = if up { Lost::Nothing } else { self.connection.cut() };
        tracing::info!(station = %self.config.id, "the network is {}", if up { "up" } else { "down" });
        self.tell(Input::Network { up });
        let reason = "the network is down".to_owned();
        if !up {
            self.connection_error = Some(reason.clone());
        }
        match lost {
            Lost::Nothing => {}
            Lost::Attempt => self.handle(Input::ConnectionFailed { failure: ConnectionFailure::Other, reason }),
            Lost::Connection => self.handle(Input::Disconnected { reason }),
        }
    }

    /// Changes a setting at the station itself.
    pub(super) fn change_setting(
        &mut self,
        name: &SettingName,
        value: Option<&str>,
    ) -> Result<SettingChange, SettingError> {
        let now = self.clock.now();
        let value_owned = || value.map(str::to_owned);
        self.recording.entry(|| Entry::Setting { now: now.into(), name: name.clone(), value: value_owned() });
        self.station.change_setting(now, name, value)
    }

    fn setting(&mut self, name: String, change: Option<Change>) -> Result<Setting, CommandError> {
        let key = SettingName::new(name.as_str());
        let mut restart_required = false;
        if let Some(change) = change {
            let value = match &change {
                Change::Put(value) => Some(value.as_str()),
                Change::Reset => None,
            };
            let changed = self.change_setting(&key, value);
            self.carry_on();
            restart_required = changed.map_err(setting_error)? == SettingChange::RebootRequired;
        }
        let value = match self.station.setting(&key) {
            Ok(value) => Some(value),
            Err(SettingError::WriteOnly(_)) => None,
            Err(error) => return Err(setting_error(error)),
        };
        Ok(Setting { name, value, restart_required })
    }

    fn evse(&mut self, evse: u32) -> Result<&mut Evse, CommandError> {
        let evses = self.hardware.len();
        self.hardware.evse_mut(evse).ok_or_else(|| {
            CommandError::Unknown(format!("there is no EVSE {evse}: the EVSEs of this station are 1 to {evses}"))
        })
    }
}

fn entry_error(error: &TokenEntryError) -> CommandError {
    match error {
        TokenEntryError::Disabled(_) | TokenEntryError::Full(_) => CommandError::NotPossible(error.to_string()),
        _ => CommandError::Invalid(error.to_string()),
    }
}

fn setting_error(error: SettingError) -> CommandError {
    match error {
        SettingError::Unknown(_) => CommandError::Unknown(format!(
            "{error}: give a configuration key of 1.6, or `Component.Variable[.Instance]` of 2.x"
        )),
        SettingError::ReadOnly(_) => CommandError::NotPossible(error.to_string()),
        SettingError::WriteOnly(_) | SettingError::Value { .. } => CommandError::Invalid(error.to_string()),
        other => CommandError::Invalid(other.to_string()),
    }
}
