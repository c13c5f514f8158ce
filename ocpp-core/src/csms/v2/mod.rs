//! The dialect of OCPP 2.0.1 and 2.1: written on the messages of 2.1, to and from which those of 2.0.1 are converted.

mod answers;
mod calls;
mod driver;
mod metering;
mod names;
mod replies;
mod requests;
mod smart_charging;

pub(super) use answers::{meaning, reason, settings};
pub(super) use calls::variable;
pub(super) use requests::{availability_state, token};

#[cfg(feature = "v2_0_1")]
pub(super) mod v2_0_1;
#[cfg(feature = "v2_1")]
pub(super) mod v2_1;

/// What differs between the versions beyond their messages.
#[derive(Debug)]
struct Rules {
    /// The kinds of tokens; `None` where any text may be one.
    token_kinds: Option<&'static [&'static str]>,
    /// Whether it has what came with 2.1 in the messages that 2.0.1 has as well.
    newest: bool,
    /// How many characters of a message to the driver are sent.
    message_length: usize,
}
