//! How a command is carried out.

use alloc::boxed::Box;

use ocpp_types::Version;

use super::Operation;
use crate::csms::command::{CallOutcome, Command};
use crate::csms::dialect::{self, Call};
use crate::csms::session::Session;

/// How a command is carried out.
#[derive(Debug)]
pub(in crate::csms) enum Plan {
    /// By one call.
    Call(Call),
    /// By several.
    Operation(Box<dyn Operation>),
}

impl Session {
    /// How to carry out a command, or why it can't be.
    pub(in crate::csms) fn plan(&self, version: Version, command: &Command) -> Result<Plan, CallOutcome> {
        dialect::write_call(version, command).map(Plan::Call)
    }
}
