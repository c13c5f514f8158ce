//! How a command is carried out.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use ocpp_types::Version;
use ocpp_types::v2_1::{AuthorizationData, GetDisplayMessagesRequest, ReportBaseEnumType};

use super::Operation;
#[cfg(feature = "v1_6")]
use super::configuration::ReadKeys;
use super::gather::{Controls, DisplayMessages, Gather, Profiles};
use super::local_list::SendList;
use super::report::{AskForReport, Wanted};
use super::split::Split;
use super::variables::{Read, Write};
use crate::csms::authorization::AuthorizationStatus;
use crate::csms::command::{CallOutcome, Command};
use crate::csms::dialect::{self, Call};
use crate::csms::flows::FlowOperation;
use crate::csms::session::Session;
use crate::csms::wire::{bounded, invalid};
use crate::csms::{display, network, smart_charging};

/// Asks for a report of all variables of a kind.
pub(in crate::csms) fn inventory(base: ReportBaseEnumType) -> impl Operation + 'static {
    AskForReport::new(Wanted::Base(base))
}

/// How a command is carried out.
#[derive(Debug)]
pub(in crate::csms) enum Plan {
    /// By one call.
    Call(Call),
    /// By several.
    Operation(Box<dyn Operation>),
}

impl Plan {
    fn operation(operation: impl Operation + 'static) -> Self {
        Self::Operation(Box::new(operation))
    }
}

impl Session {
    /// How to carry out a command, or why it can't be.
    pub(in crate::csms) fn plan(&self, version: Version, command: Command) -> Result<Plan, CallOutcome> {
        let older = version == Version::V1_6;
        self.check(version, &command).map_err(|rule| CallOutcome::NotAllowed { rule })?;
        Ok(match command {
            #[cfg(feature = "v1_6")]
            Command::GetConfiguration { names } if older && names.len() > 1 => {
                let keys = names.iter().map(|name| bounded("/key", name)).collect::<Result<_, _>>()?;
                Plan::operation(Split::new(ReadKeys::default(), keys))
            }
            Command::GetConfiguration { names } if !older && names.len() > 1 => {
                let variables = names.iter().map(|name| crate::csms::v2::variable(name)).collect::<Result<_, _>>()?;
                Plan::operation(Split::new(Read::settings(), variables))
            }
            Command::GetVariables { variables } if !older => {
                at_least_one("/getVariableData", &variables)?;
                Plan::operation(Split::new(Read::default(), variables))
            }
            Command::SetVariables { variables } if !older => {
                at_least_one("/setVariableData", &variables)?;
                let variables = network::complete(version, variables);
                Plan::operation(Split::new(Write::default(), variables))
            }
            Command::GetBaseReport { base } if !older => Plan::operation(AskForReport::new(Wanted::Base(base))),
            Command::GetReport { criteria, variables } if !older => {
                Plan::operation(AskForReport::new(Wanted::Some { criteria, variables: variables.into() }))
            }
            Command::GetChargingProfiles { evse, criterion } if !older => {
                Plan::operation(Gather::new(Profiles { evse, criterion, gathered: Vec::new() }))
            }
            Command::GetDisplayMessages { ids, priority, state } if !older => {
                let mut request = GetDisplayMessagesRequest::new(0);
                request.id = (!ids.is_empty()).then_some(ids);
                request.priority = priority;
                request.state = state;
                Plan::operation(Gather::new(DisplayMessages { request, gathered: Vec::new() }))
            }
            Command::GetDERControl(request) if version == Version::V2_1 => {
                Plan::operation(Gather::new(Controls { request: *request, gathered: Vec::new() }))
            }
            Command::SendLocalList { version, update, entries, whole } => {
                Plan::operation(SendList::new(version, update, entries, whole))
            }
            Command::Flow(flow) => Plan::operation(FlowOperation::new(*flow)),
            command => Plan::Call(dialect::write_call(version, &command)?),
        })
    }
}

impl Session {
    /// What the standard doesn't let a CSMS send, and what the station can't do by its own account.
    fn check(&self, version: Version, command: &Command) -> Result<(), &'static str> {
        match command {
            Command::SetChargingProfile { evse, profile } => {
                smart_charging::check_profile(version, &self.mirrors, *evse, profile)
            }
            Command::ClearChargingProfile { profile, criteria } if version != Version::V1_6 => {
                smart_charging::check_clear(*profile, criteria.as_ref())
            }
            Command::GetChargingProfiles { criterion, .. } => smart_charging::check_criterion(criterion),
            Command::RemoteStart { charging_profile: Some(profile), .. } => smart_charging::check_start(profile),
            Command::SendLocalList { version, entries, whole, .. } => {
                check_list(*version, entries)?;
                check_list(*version, whole.as_deref().unwrap_or_default())
            }
            Command::SetVariables { variables } => network::check(&self.mirrors, variables),
            Command::SetDisplayMessage { message } => display::check_message(&self.mirrors, message),
            Command::SetDefaultTariff { tariff, .. } | Command::ChangeTransactionTariff { tariff, .. }
                if self.mirrors.tariffs.contradicts(tariff) =>
            {
                Err("I08.FR.08: a tariff with another content has another id")
            }
            Command::RequestBatterySwap { authorization, .. } if *authorization != AuthorizationStatus::Accepted => {
                Err("S02.FR.03: a token that is not authorized may not swap batteries")
            }
            _ => Ok(()),
        }
    }
}

/// Whether a local authorization list may be sent.
pub(in crate::csms) fn check_list(version: i64, entries: &[AuthorizationData]) -> Result<(), &'static str> {
    if version <= 0 {
        return Err("D01.FR.18: the version of a local authorization list is greater than 0");
    }
    let mut tokens = BTreeSet::new();
    let token = |entry: &AuthorizationData| {
        let token = &entry.id_token;
        (token.id_token.to_ascii_lowercase(), token.r#type.to_ascii_lowercase())
    };
    if !entries.iter().all(|entry| tokens.insert(token(entry))) {
        return Err("D01.FR.06: a token is in a local authorization list once");
    }
    Ok(())
}

fn at_least_one<T>(path: &str, list: &[T]) -> Result<(), CallOutcome> {
    if list.is_empty() { Err(invalid(path, "name at least one")) } else { Ok(()) }
}
