//! What a station asks and what it is answered, without regard to version. The dialects translate.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use jiff::Timestamp;
use ocpp_types::ErrorCode;

use super::authorization::Authorization;
use super::config::Registration;
use super::event::{Boot, ConnectorStatus};
use super::identity::{Place, Token, TransactionId};
use super::input::DataTransferStatus;
use super::message::{ReplyMessage, RequestMessage};
use super::metering::MeterReading;
use super::output::ContractCertificates;
use super::settlement::{Address, Receipt, Settlement};
use super::transactions::{Message, TransactionAnswer};

/// A call of the station.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Request {
    Boot(Box<Boot>),
    Heartbeat,
    Status(Box<ConnectorStatus>),
    Authorize {
        token: Token,
    },
    AuthorizeContract {
        token: Token,
        certificates: ContractCertificates,
    },
    VatNumber {
        number: String,
        evse: Option<i64>,
    },
    Settlement(Box<Settlement>),
    Transaction {
        form: TransactionForm,
        message: Box<Message>,
    },
    MeterValues {
        place: Option<Place>,
        readings: Vec<MeterReading>,
    },
    SecurityEvent {
        kind: String,
        at: Timestamp,
        detail: Option<String>,
    },
    FirmwareStatus {
        status: String,
        request_id: Option<i64>,
    },
    LogStatus {
        status: String,
        request_id: Option<i64>,
    },
    DataTransfer {
        vendor_id: String,
        message_id: Option<String>,
        data: Option<String>,
    },
    /// What a concern of the session reads by itself.
    Message {
        message: RequestMessage,
        /// As it came.
        payload: String,
    },
    /// Cannot be done, for this reason.
    Refused {
        code: ErrorCode,
        reason: &'static str,
    },
}

/// Which message of a version a transaction's message was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TransactionForm {
    /// StartTransaction of 1.6.
    Start,
    /// MeterValues of 1.6.
    MeterValues,
    /// StopTransaction of 1.6.
    Stop,
    /// TransactionEvent of 2.x.
    Event,
}

/// The answer to a call of the station.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reply {
    Boot {
        registration: Registration,
        at: Timestamp,
    },
    Heartbeat {
        at: Timestamp,
    },
    Authorize(Authorization),
    Transaction {
        form: TransactionForm,
        wire: TransactionId,
        authorization: Option<Authorization>,
        answer: TransactionAnswer,
    },
    VatNumber {
        number: String,
        evse: Option<i64>,
        valid: bool,
        company: Option<Address>,
    },
    Receipt(Receipt),
    DataTransfer {
        status: DataTransferStatus,
        data: Option<String>,
    },
    /// What a concern of the session writes by itself.
    Message(ReplyMessage),
    Empty,
}
