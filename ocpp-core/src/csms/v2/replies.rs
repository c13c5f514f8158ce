//! Answers to a 2.x station.

use alloc::boxed::Box;

use ocpp_types::v2_1::{
    AuthorizationStatusEnumType, AuthorizeResponse, BootNotificationResponse, CsmsResponse, DataTransferResponse,
    DataTransferStatusEnumType, HeartbeatResponse, IdTokenInfoType, IdTokenType, MessageContentType,
    MessageFormatEnumType, RegistrationStatusEnumType, TransactionEventResponse,
};
use ocpp_types::{DateTime, Json, Text};

use super::Rules;
use crate::csms::authorization::{Authorization, AuthorizationStatus};
use crate::csms::config::RegistrationStatus;
use crate::csms::identity::Token;
use crate::csms::input::DataTransferStatus;
use crate::csms::message::ReplyMessage;
use crate::csms::request::Reply;

/// The answer; `None` for the empty object, which has no meaning but that something was received.
pub(super) fn to_response(reply: &Reply, rules: &Rules) -> Option<CsmsResponse> {
    Some(match reply {
        Reply::Boot { registration, at } => {
            let status = match registration.status {
                RegistrationStatus::Accepted => RegistrationStatusEnumType::Accepted,
                RegistrationStatus::Pending => RegistrationStatusEnumType::Pending,
                RegistrationStatus::Rejected => RegistrationStatusEnumType::Rejected,
            };
            let interval = i64::try_from(registration.interval.as_secs()).unwrap_or(i64::MAX);
            BootNotificationResponse::new(DateTime::from(*at), interval, status).into()
        }
        Reply::Heartbeat { at } => HeartbeatResponse::new(DateTime::from(*at)).into(),
        Reply::Authorize(authorization) => AuthorizeResponse::new(id_token_info(authorization, rules)).into(),
        Reply::Transaction { authorization, .. } => {
            let mut response = TransactionEventResponse::new();
            response.total_cost = authorization.as_ref().and_then(|authorization| authorization.total_cost);
            response.id_token_info =
                authorization.as_ref().map(|authorization| Box::new(id_token_info(authorization, rules)));
            response.into()
        }
        Reply::DataTransfer { status, data } => {
            let status = match status {
                DataTransferStatus::Accepted => DataTransferStatusEnumType::Accepted,
                DataTransferStatus::Rejected => DataTransferStatusEnumType::Rejected,
                DataTransferStatus::UnknownMessageId => DataTransferStatusEnumType::UnknownMessageId,
                DataTransferStatus::UnknownVendorId => DataTransferStatusEnumType::UnknownVendorId,
            };
            let mut response = DataTransferResponse::new(status);
            response.data = data.as_deref().and_then(|data| Json::parse(data).ok());
            response.into()
        }
        Reply::Message(ReplyMessage::V2(response)) => (**response).clone(),
        Reply::Message(_) | Reply::Empty => return None,
    })
}

fn id_token_info(authorization: &Authorization, rules: &Rules) -> IdTokenInfoType {
    let status = match authorization.status {
        AuthorizationStatus::Accepted => AuthorizationStatusEnumType::Accepted,
        AuthorizationStatus::Blocked => AuthorizationStatusEnumType::Blocked,
        AuthorizationStatus::Expired => AuthorizationStatusEnumType::Expired,
        AuthorizationStatus::Invalid => AuthorizationStatusEnumType::Invalid,
        AuthorizationStatus::ConcurrentTx => AuthorizationStatusEnumType::ConcurrentTx,
        AuthorizationStatus::NoCredit => AuthorizationStatusEnumType::NoCredit,
        AuthorizationStatus::NotAllowedTypeEVSE => AuthorizationStatusEnumType::NotAllowedTypeEVSE,
        AuthorizationStatus::NotAtThisLocation => AuthorizationStatusEnumType::NotAtThisLocation,
        AuthorizationStatus::NotAtThisTime => AuthorizationStatusEnumType::NotAtThisTime,
        AuthorizationStatus::Unknown => AuthorizationStatusEnumType::Unknown,
    };
    let language = authorization.language.as_deref().and_then(|language| Text::new(language).ok());
    let mut info = IdTokenInfoType::new(status);
    info.cache_expiry_date_time = authorization.cache_expires_at.map(DateTime::from);
    // C01.FR.06, C09.FR.09, C09.FR.12
    info.group_id_token = authorization.group.as_ref().and_then(|group| group_id_token(group, rules)).map(Box::new);
    info.personal_message = authorization.message.as_deref().map(|message| {
        let end = message.char_indices().nth(rules.message_length).map_or(message.len(), |(end, _)| end);
        let content = Text::truncated(message.get(..end).unwrap_or_default());
        let mut message = MessageContentType::new(MessageFormatEnumType::UTF8, content);
        message.language.clone_from(&language);
        Box::new(message)
    });
    info.language1 = language;
    // C01.FR.19, C01.FR.20
    info.evse_id = (!authorization.evses.is_empty()).then(|| authorization.evses.clone());
    info
}

/// A group whose name can't be carried is left out: cut, it would be another one.
fn group_id_token(group: &Token, rules: &Rules) -> Option<IdTokenType> {
    let kind = group.kind.as_deref().unwrap_or("Central");
    let kind = match rules.token_kinds {
        Some(kinds) if !kinds.contains(&kind) => "Central",
        _ => kind,
    };
    Some(IdTokenType::new(Text::new(&*group.id).ok()?, Text::new(kind).ok()?))
}
