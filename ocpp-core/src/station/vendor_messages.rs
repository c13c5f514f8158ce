//! Messages that the standard has no words for (1.6 edition 2, 3.12, 4.3, 5.6; 2.1 part 2, block P).

use alloc::string::String;

use ocpp_types::Json;

use super::calls::Call;
use super::event::Event;
use super::input::Answer;
use super::outbox::Called;
use super::output::QuestionKind;
use super::questions::About;
use super::{Output, Station};
use crate::rpc::IncomingId;

/// A message of a vendor's own, `DataTransfer` on the wire.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct VendorMessage {
    /// Whose message it is: a domain name of his, reversed, such as `com.example`. At most 255 characters, whose case doesn't
    /// matter.
    pub vendor_id: String,
    /// Which of his messages, at most 50 characters.
    pub message_id: Option<String>,
    /// What it says. 1.6 has a text for it: a JSON string is sent as what it says, anything else as its JSON text, and what comes
    /// is a JSON string.
    pub data: Option<Json>,
}

impl VendorMessage {
    /// A message of this vendor.
    #[must_use]
    pub fn new(vendor_id: impl Into<String>) -> Self {
        Self { vendor_id: vendor_id.into(), message_id: None, data: None }
    }
}

/// What becomes of a vendor's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum VendorStatus {
    /// It was understood and taken.
    Accepted,
    /// It was understood and not taken.
    Rejected,
    /// The vendor is known, the message is not.
    UnknownMessageId,
    /// The vendor is not known.
    UnknownVendorId,
}

/// The answer to a vendor's message.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct VendorAnswer {
    /// What became of it.
    pub status: VendorStatus,
    /// What the answer says, as in [`VendorMessage::data`]; nothing for a vendor that is not known.
    pub data: Option<Json>,
}

impl VendorAnswer {
    /// An answer that says no more than what became of the message.
    #[must_use]
    pub const fn new(status: VendorStatus) -> Self {
        Self { status, data: None }
    }
}

/// A JSON value as 1.6's text.
pub(super) fn to_text(data: &Json) -> String {
    data.to::<String>().unwrap_or_else(|_| data.get().into())
}

/// 1.6's text as a JSON value.
pub(super) fn from_text(text: &str) -> Option<Json> {
    // A text can always be written.
    Json::from_serialize(text).ok()
}

impl Station {
    /// Whether the integrator knows a vendor's messages.
    pub(super) fn knows_vendor(&self, vendor_id: &str) -> bool {
        self.config.vendor_ids.iter().any(|known| known.eq_ignore_ascii_case(vendor_id))
    }

    /// The CSMS says something that only the integrator can answer.
    pub(super) fn ask_about_vendor_message(&mut self, message: VendorMessage, call: IncomingId) {
        self.ask(QuestionKind::VendorMessage(message), About::VendorMessage { call }, self.patience());
    }

    /// What the integrator's answer comes to: no answer of the right kind is a refusal.
    pub(super) fn answer_to_vendor(answer: &Answer) -> VendorAnswer {
        match answer {
            Answer::VendorMessage(answer) => answer.clone(),
            Answer::Done => VendorAnswer::new(VendorStatus::Accepted),
            _ => VendorAnswer::new(VendorStatus::Rejected),
        }
    }

    /// The integrator has something to say that the standard has no words for.
    pub(super) fn send_vendor_message(&mut self, id: u64, message: VendorMessage) {
        if self.request(Call::VendorMessage { id, message }) != Called::Yes {
            self.vendor_message_answered(id, None);
        }
    }

    pub(super) fn vendor_message_answered(&mut self, id: u64, answer: Option<VendorAnswer>) {
        self.effect(Output::Event(Event::VendorMessageAnswered { id, answer }));
    }
}
