//! Answers to a 1.6 station.

use alloc::string::{String, ToString};

use ocpp_types::v1_6::{
    self, AuthorizeResponse, BootNotificationResponse, DataTransferResponse, HeartbeatResponse, IdTagInfo,
    StartTransactionResponse, StopTransactionResponse,
};
use ocpp_types::{DateTime, Text, encode};

use crate::csms::authorization::{Authorization, AuthorizationStatus};
use crate::csms::config::RegistrationStatus;
use crate::csms::input::DataTransferStatus;
use crate::csms::message::ReplyMessage;
use crate::csms::request::{Reply, TransactionForm};

pub(in crate::csms) fn write_reply(reply: &Reply) -> String {
    match reply {
        Reply::Boot { registration, at } => {
            let status = match registration.status {
                RegistrationStatus::Accepted => v1_6::RegistrationStatus::Accepted,
                RegistrationStatus::Pending => v1_6::RegistrationStatus::Pending,
                RegistrationStatus::Rejected => v1_6::RegistrationStatus::Rejected,
            };
            let interval = i64::try_from(registration.interval.as_secs()).unwrap_or(i64::MAX);
            encode(&BootNotificationResponse::new(status, DateTime::from(*at), interval))
        }
        Reply::Heartbeat { at } => encode(&HeartbeatResponse::new(DateTime::from(*at))),
        Reply::Authorize(authorization) => encode(&AuthorizeResponse::new(id_tag_info(authorization))),
        Reply::Transaction { form: TransactionForm::Start, wire, authorization, .. } => {
            let info = match authorization {
                Some(authorization) => id_tag_info(authorization),
                None => IdTagInfo::new(v1_6::AuthorizationStatus::Invalid),
            };
            encode(&StartTransactionResponse::new(info, wire.number().unwrap_or(-1)))
        }
        Reply::Transaction { form: TransactionForm::Stop, authorization, .. } => {
            let mut response = StopTransactionResponse::new();
            response.id_tag_info = authorization.as_ref().map(id_tag_info);
            encode(&response)
        }
        Reply::Message(ReplyMessage::V1_6(response)) => response.encode(),
        // 1.6 has neither costs nor limits, nor asks about payments.
        Reply::Transaction { .. } | Reply::VatNumber { .. } | Reply::Receipt(_) | Reply::Message(_) | Reply::Empty => {
            "{}".into()
        }
        Reply::DataTransfer { status, data } => {
            let status = match status {
                DataTransferStatus::Accepted => v1_6::DataTransferStatus::Accepted,
                DataTransferStatus::Rejected => v1_6::DataTransferStatus::Rejected,
                DataTransferStatus::UnknownMessageId => v1_6::DataTransferStatus::UnknownMessageId,
                DataTransferStatus::UnknownVendorId => v1_6::DataTransferStatus::UnknownVendorId,
            };
            let mut response = DataTransferResponse::new(status);
            response.data = data.as_deref().map(plain_text);
            encode(&response)
        }
    }
}

/// 1.6 carries vendor data as text: a JSON string is the text itself, anything else its JSON.
pub(super) fn plain_text(json: &str) -> String {
    serde_json::from_str::<String>(json).unwrap_or_else(|_| json.to_string())
}

fn id_tag_info(authorization: &Authorization) -> IdTagInfo {
    let status = match authorization.status {
        AuthorizationStatus::Accepted => v1_6::AuthorizationStatus::Accepted,
        AuthorizationStatus::Expired => v1_6::AuthorizationStatus::Expired,
        AuthorizationStatus::ConcurrentTx => v1_6::AuthorizationStatus::ConcurrentTx,
        AuthorizationStatus::Invalid | AuthorizationStatus::Unknown => v1_6::AuthorizationStatus::Invalid,
        AuthorizationStatus::Blocked
        | AuthorizationStatus::NoCredit
        | AuthorizationStatus::NotAllowedTypeEVSE
        | AuthorizationStatus::NotAtThisLocation
        | AuthorizationStatus::NotAtThisTime => v1_6::AuthorizationStatus::Blocked,
    };
    let mut info = IdTagInfo::new(status);
    info.expiry_date = authorization.cache_expires_at.map(DateTime::from);
    // A group whose name 1.6 can't carry is left out: cut, it would be another one.
    info.parent_id_tag = authorization.group.as_ref().and_then(|group| Text::new(&*group.id).ok());
    info
}
