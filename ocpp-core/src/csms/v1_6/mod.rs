//! The dialect of OCPP 1.6.

mod answers;
mod calls;
mod metering;
mod replies;
mod requests;

pub(super) use answers::read_answer;
pub(super) use calls::write_call;
pub(super) use replies::write_reply;
pub(super) use requests::read_request;
