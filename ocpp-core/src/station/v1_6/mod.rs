//! The concerns of a station as 1.6 writes them (edition 2, chapters 4 to 7).

mod answers;
mod calls;
mod certificates;
mod configuration;
mod firmware;
mod local_list;
mod logs;
mod reservations;
mod smart_charging;
mod vendor_messages;

pub(super) use answers::{answer, unlock_answer};
pub(super) use calls::{encode, reply};
pub(super) use certificates::certificate_answer;
pub(super) use firmware::update_firmware_answer;
pub(super) use logs::{diagnostics_answer, log_answer};
pub(super) use vendor_messages::answer as vendor_answer;
