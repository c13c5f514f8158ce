//! What a session wants done.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::event::Event;
use super::flows::{ChainStatusRequest, ChargingNeeds, ContractRequest, OcspRequest, SigningRequest};
use super::identity::{Place, QuestionId, StoreToken, Token, TransactionId};
use super::settlement::Settlement;
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
    /// A vehicle identifies itself by the contract in its certificate (2.x, ISO 15118; 2.1 part 2, C07). May this token charge, and
    /// is its certificate good? Answered with [`Answer::Authorization`](super::Answer::Authorization), with
    /// [`Authorization::certificate`](super::Authorization::certificate) set.
    AuthorizeContract {
        /// The token, of the kind `eMAID`.
        token: Token,
        /// What there is to check.
        certificates: ContractCertificates,
    },
    /// What does a transaction cost? Asked where a message of it is repeated whose answer is not remembered. Answered with
    /// [`Answer::Transaction`](super::Answer::Transaction).
    Cost {
        /// Which.
        transaction: TransactionId,
    },
    /// What are the values of a dynamic charging profile now? (2.1 part 2, K28.) Answered with
    /// [`Answer::DynamicSchedule`](super::Answer::DynamicSchedule); unanswered, the station keeps to the values that it was given last.
    DynamicSchedule {
        /// The id of the profile; see [`Mirrors::charging_profiles`](super::Mirrors::charging_profiles).
        profile: i64,
    },
    /// Is this a valid VAT number? (2.1 part 2, C18.FR.09.) Answered with [`Answer::VatNumber`](super::Answer::VatNumber).
    VatNumber {
        /// The number, as the driver entered it.
        number: String,
        /// Where the driver entered it.
        evse: Option<i64>,
    },
    /// A payment was settled or not (2.1 part 2, C21 to C23). To be kept for good, and answered with
    /// [`Answer::Receipt`](super::Answer::Receipt). Comes again where the answer was lost: the reference and the status tell.
    Settlement(Box<Settlement>),
    /// The station wants a certificate signed (A02, A03). Answered with [`Answer::Signing`](super::Answer::Signing), else refused.
    SignCertificate(SigningRequest),
    /// An EV wants its contract certificate (M01, M02): for a provider. Answered with [`Answer::Contract`](super::Answer::Contract).
    Contract(ContractRequest),
    /// Is this certificate revoked (M06)? For an OCSP responder. Answered with
    /// [`Answer::CertificateStatus`](super::Answer::CertificateStatus).
    CertificateStatus(OcspRequest),
    /// Are these certificates revoked (M07, 2.1)? For their responders and lists. Answered with
    /// [`Answer::CertificateChainStatus`](super::Answer::CertificateChainStatus).
    CertificateChainStatus(Vec<ChainStatusRequest>),
    /// What is this EV to charge by (K15)? Answered with [`Answer::ChargingNeeds`](super::Answer::ChargingNeeds), else it does without.
    ChargingNeeds(ChargingNeeds),
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

/// A vehicle's certificates, as far as the station has passed them on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractCertificates {
    /// The contract certificate and its chain, PEM; only where the station cannot check them itself (C07.FR.06).
    pub pem: Option<String>,
    /// What an OCSP responder needs to know about each certificate, the contract's first; at most four.
    pub hashes: Vec<CertificateHashes>,
}

/// What an OCSP responder needs to know about a certificate (OCSPRequestDataType). Hexadecimal, as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateHashes {
    /// The algorithm, such as `SHA256`.
    pub algorithm: String,
    /// The hash of the issuer's name.
    pub issuer_name: String,
    /// The hash of the issuer's key.
    pub issuer_key: String,
    /// The serial number.
    pub serial_number: String,
    /// Where the responder is.
    pub responder_url: String,
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
