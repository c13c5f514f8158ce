//! What a session wants done.

use alloc::string::String;
use alloc::vec::Vec;

use super::event::Event;
use super::identity::{Place, QuestionId, StoreToken, Token, TransactionId};
use crate::time::Instant;

/// An effect, taken from [`Session::poll_output`](super::Session::poll_output).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Output {
    /// Send this text frame.
    Transmit(String),
    /// Tell the application. Nothing depends on it.
    Event(Event),
    /// Store these facts for good, all or none, then hand back [`Input::Stored`](super::Input::Stored): the station is not
    /// answered before. Store [`Session::snapshot`](super::Session::snapshot) in the same database transaction: so each fact
    /// is reported once, even where a node dies in between. Every fact a bill is made of comes this way.
    Record {
        /// For the acknowledgement.
        token: StoreToken,
        /// The facts, in order; not empty.
        events: Vec<Event>,
    },
    /// Answer with [`Input::Answer`](super::Input::Answer) within the configured time.
    Ask {
        /// For the answer.
        question: QuestionId,
        /// What is asked.
        about: Question,
    },
    /// Close the connection: whoever is at the other end cannot be talked to.
    Close {
        /// Why.
        reason: String,
    },
}

/// What the application is asked.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Question {
    /// May this token charge? Answered with [`Answer::Authorization`](super::Answer::Authorization).
    Authorize {
        /// Which.
        token: Token,
    },
    /// A token was presented in a transaction: at its start, or later to go on or to stop. Answered with
    /// [`Answer::Authorization`](super::Answer::Authorization). The transaction exists whatever the answer: a station that is
    /// told no stops giving energy.
    Transaction {
        /// Which token.
        token: Token,
        /// The transaction; `None` at the start in 1.6, where the answer may name it.
        transaction: Option<TransactionId>,
        /// Where.
        place: Option<Place>,
        /// Whether this is the start of the transaction, or else a later moment.
        starts: bool,
        /// Whether the transaction is over already: the answer only serves the station's cache.
        ended: bool,
        /// Whether it happened while the station was offline: it can't be undone.
        offline: bool,
    },
    /// A vendor's own message. Answered with [`Answer::DataTransfer`](super::Answer::DataTransfer).
    DataTransfer {
        /// The vendor.
        vendor_id: String,
        /// The vendor's name for the message.
        message_id: Option<String>,
        /// The data: JSON text.
        data: Option<String>,
    },
}

/// When to call a session again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    /// When.
    pub at: Instant,
    /// Why.
    pub reason: DeadlineReason,
}

/// What a session waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeadlineReason {
    /// The station's answer to a call.
    Call,
    /// The application's answer to a question.
    Answer,
    /// The application's acknowledgement of what it stores.
    Store,
    /// What a command of several messages waits for.
    Operation,
}
