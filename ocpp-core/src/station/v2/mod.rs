//! The concerns of a station as 2.0.1 and 2.1 write them (part 2).
//!
//! Both are written once, in the types of 2.1: a message that uses nothing that is new in 2.1 looks the same in 2.0.1, and what
//! a 2.0.1 CSMS sends is judged by its own schema and then converted. What differs beyond that is [`Rules`].

mod answers;
mod calls;
mod certificates;
mod firmware;
mod local_list;
mod logs;
mod reservations;
mod rules;
mod smart_charging;
mod variables;
mod vendor_messages;

pub(super) use answers::{answer, unlock_answer};
pub(super) use calls::{encode, reply};
pub(super) use certificates::certificate_answer;
pub(super) use firmware::update_firmware_answer;
pub(super) use logs::log_answer;
pub(super) use rules::Rules;
pub(super) use vendor_messages::answer as vendor_answer;
