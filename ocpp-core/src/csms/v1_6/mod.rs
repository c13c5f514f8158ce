//! The dialect of OCPP 1.6.

mod answers;
mod calls;
mod metering;
mod replies;
mod requests;

pub(super) use answers::{decode_answer, meaning};
pub(super) use calls::{encode_call, write_call};
pub(super) use replies::write_reply;
pub(super) use requests::read_request;
