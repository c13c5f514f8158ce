//! What a session is told.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use ocpp_types::v2_1::ChargingScheduleUpdateType;
use ocpp_types::{Conformance, Version};

use super::authorization::Authorization;
use super::command::Command;
use super::config::Registration;
use super::flows::{Authentication, ChainStatus, ChargingOffer, ContractAnswer, Signing};
use super::identity::{CommandId, QuestionId, StoreToken};
use super::settlement::{Address, Receipt};
use super::transactions::TransactionAnswer;

/// A fact, handed to [`Session::handle`](super::Session::handle).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Input {
    /// The station connected, and this version was negotiated. A connection that was there before is gone: what was sent
    /// on it and not answered is reported as lost.
    Connected {
        /// The version.
        version: Version,
    },
    /// How the station proved who it is that connects next. To be told before [`Input::Connected`], where it is known.
    Authenticated(Authentication),
    /// The station has proven who it is by a client certificate (security profile 3). To be handed in right after
    /// [`Input::Connected`]: a 2.x station whose boot names another serial number is cut off (2.1 part 2, B01.FR.11, B01.FR.12).
    ClientCertificate {
        /// The certificate's common name.
        common_name: String,
    },
    /// The connection ended.
    Disconnected,
    /// A text frame was received.
    Frame(String),
    /// The deadline of [`Session::poll_timeout`](super::Session::poll_timeout) came. Harmless when it didn't.
    Timeout,
    /// The application decided whether the station is served. Counts from now on; a connected station that waits is let boot again.
    Registration(Registration),
    /// How strictly to judge from now on.
    Conformance(Conformance),
    /// The application answers a question. An answer that comes too late changes nothing.
    Answer {
        /// The question.
        question: QuestionId,
        /// The answer.
        answer: Answer,
    },
    /// The facts of a batch are stored for good: the station may be told.
    Stored(StoreToken),
    /// The same, and what the station is to be told about the transaction that the facts are about. 1.6 is told nothing of it.
    StoredAndAnswered {
        /// The batch.
        token: StoreToken,
        /// What the station is told.
        answer: TransactionAnswer,
    },
    /// The facts of a batch could not be stored, and none was: the station is told of an internal error, sends them again, and
    /// they are reported again.
    NotStored(StoreToken),
    /// The application wants something of the station.
    Command {
        /// A name for it, returned with the result.
        id: CommandId,
        /// What.
        command: Command,
    },
    /// The application does not want a [`Command::Flow`] any more: it ends as [`FlowEnd::Cancelled`](super::flows::FlowEnd::Cancelled), in
    /// whatever step it is, connected or not. Changes nothing where this command has ended, or is no flow.
    Cancel(CommandId),
}

/// The answer to a [`Question`](super::Question).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Answer {
    /// To [`Question::Authorize`](super::Question::Authorize), [`Question::AuthorizeContract`](super::Question::AuthorizeContract)
    /// and [`Question::Transaction`](super::Question::Transaction).
    Authorization(Authorization),
    /// To [`Question::Cost`](super::Question::Cost).
    Transaction(TransactionAnswer),
    /// To [`Question::VatNumber`](super::Question::VatNumber).
    VatNumber {
        /// Whether it is valid.
        valid: bool,
        /// The company that it belongs to, if that may be told.
        company: Option<Address>,
    },
    /// To [`Question::DynamicSchedule`](super::Question::DynamicSchedule): the values that change; `None` where none does.
    DynamicSchedule(Option<Box<ChargingScheduleUpdateType>>),
    /// To [`Question::Settlement`](super::Question::Settlement): the receipt that this CSMS has made, if so (C21.FR.03).
    Receipt(Receipt),
    /// To [`Question::SignCertificate`](super::Question::SignCertificate).
    Signing(Signing),
    /// To [`Question::Contract`](super::Question::Contract).
    Contract(ContractAnswer),
    /// To [`Question::CertificateStatus`](super::Question::CertificateStatus): the responder's OCSPResponse, DER encoded (RFC 6960); `None` where
    /// none could be had.
    CertificateStatus(Option<Vec<u8>>),
    /// To [`Question::CertificateChainStatus`](super::Question::CertificateChainStatus): one for each certificate, in their order.
    CertificateChainStatus(Vec<ChainStatus>),
    /// To [`Question::ChargingNeeds`](super::Question::ChargingNeeds).
    ChargingNeeds(ChargingOffer),
    /// To [`Question::DataTransfer`](super::Question::DataTransfer).
    DataTransfer {
        /// Whether the message was understood.
        status: DataTransferStatus,
        /// Data for the station: JSON text.
        data: Option<String>,
    },
}

/// What became of a vendor's message (P01.FR.07, P02.FR.08).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataTransferStatus {
    /// Understood and accepted.
    Accepted,
    /// Understood and refused.
    Rejected,
    /// Nobody knows the message (P01.FR.06, P02.FR.07).
    UnknownMessageId,
    /// Nobody knows the vendor (P01.FR.05, P02.FR.06).
    UnknownVendorId,
}
