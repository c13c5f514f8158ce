//! The dialect of OCPP 1.6.

mod answers;
mod calls;
mod local_list;
mod metering;
mod replies;
mod requests;
mod smart_charging;

pub(super) use answers::{decode_answer, meaning};
pub(super) use calls::{encode_call, write_call};
pub(super) use local_list::local_list;
pub(super) use replies::write_reply;
pub(super) use requests::read_request;
pub(super) use smart_charging::{from_profile, from_purpose};
