//! How a command is carried out.

use alloc::boxed::Box;

use ocpp_types::Version;

use super::Operation;
#[cfg(feature = "v1_6")]
use super::configuration::ReadKeys;
use super::report::{AskForReport, Wanted};
use super::split::Split;
use super::variables::{Read, Write};
use crate::csms::command::{CallOutcome, Command};
use crate::csms::dialect::{self, Call};
use crate::csms::session::Session;
use crate::csms::wire::{bounded, invalid};

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
                Plan::operation(Split::new(Write::default(), variables))
            }
            Command::GetBaseReport { base } if !older => Plan::operation(AskForReport::new(Wanted::Base(base))),
            Command::GetReport { criteria, variables } if !older => {
                Plan::operation(AskForReport::new(Wanted::Some { criteria, variables: variables.into() }))
            }
            command => Plan::Call(dialect::write_call(version, &command)?),
        })
    }
}

fn at_least_one<T>(path: &str, list: &[T]) -> Result<(), CallOutcome> {
    if list.is_empty() { Err(invalid(path, "name at least one")) } else { Ok(()) }
}
