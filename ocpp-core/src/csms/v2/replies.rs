//! Answers to a 2.x station.

use alloc::boxed::Box;
use alloc::vec::Vec;

use ocpp_types::v2_1::{
    AddressType, AuthorizationStatusEnumType, AuthorizeCertificateStatusEnumType, AuthorizeResponse,
    BootNotificationResponse, CsmsResponse, DataTransferResponse, DataTransferStatusEnumType, GenericStatusEnumType,
    HeartbeatResponse, IdTokenInfoType, IdTokenType, MessageContentType, MessageFormatEnumType,
    NotifySettlementResponse, RegistrationStatusEnumType, TransactionEventResponse, TransactionLimitType,
    VatNumberValidationResponse,
};
use ocpp_types::{DateTime, Json, Text};

use super::Rules;
use crate::csms::authorization::{Authorization, AuthorizationStatus, CertificateStatus};
use crate::csms::config::RegistrationStatus;
use crate::csms::identity::Token;
use crate::csms::input::DataTransferStatus;
use crate::csms::message::ReplyMessage;
use crate::csms::request::Reply;
use crate::csms::settlement::Address;
use crate::csms::transactions::{DriverMessage, TransactionAnswer};

/// How many messages to the driver 2.1 takes besides the first.
const MAX_OTHER_MESSAGES: usize = 4;

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
        Reply::Authorize(authorization) => {
            let mut response = AuthorizeResponse::new(id_token_info(authorization, rules));
            response.certificate_status = authorization.certificate.map(certificate_status);
            // I08.FR.01
            if rules.newest && authorization.status == AuthorizationStatus::Accepted {
                response.tariff = authorization.tariff.clone();
                // I08.FR.09
                if let Some(tariff) = &mut response.tariff {
                    tariff.valid_from = None;
                }
            }
            // Q01.FR.01, Q01.FR.08, Q02.FR.03
            if rules.newest && !authorization.allowed_energy_transfer.is_empty() {
                let modes = authorization.allowed_energy_transfer.iter().map(|mode| (&**mode).into());
                response.allowed_energy_transfer = Some(modes.collect());
            }
            response.into()
        }
        Reply::Transaction { authorization, answer, .. } => transaction_event(authorization.as_ref(), answer, rules),
        // C18.FR.09, C18.FR.10
        Reply::VatNumber { number, evse, valid, company } => {
            let status = if *valid { GenericStatusEnumType::Accepted } else { GenericStatusEnumType::Rejected };
            let mut response = VatNumberValidationResponse::new(Text::truncated(number), status);
            response.evse_id = *evse;
            response.company = company.as_ref().map(|company| Box::new(address(company)));
            response.into()
        }
        // C21.FR.03
        Reply::Receipt(receipt) => {
            let mut response = NotifySettlementResponse::new();
            response.receipt_url = receipt.url.as_deref().and_then(|url| Text::new(url).ok());
            response.receipt_id = receipt.id.as_deref().and_then(|id| Text::new(id).ok());
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

fn transaction_event(authorization: Option<&Authorization>, answer: &TransactionAnswer, rules: &Rules) -> CsmsResponse {
    let mut response = TransactionEventResponse::new();
    // I02.FR.01, I03.FR.02
    response.total_cost = answer.total_cost;
    response.charging_priority = answer.charging_priority;
    // E01.FR.12, E02.FR.02, E03.FR.02
    response.id_token_info = authorization.map(|authorization| Box::new(id_token_info(authorization, rules)));
    // I06.FR.02
    let mut messages = answer.messages.iter().map(|message| to_message(message, rules));
    response.updated_personal_message = messages.next().map(Box::new);
    if rules.newest {
        let others: Vec<_> = messages.take(MAX_OTHER_MESSAGES).collect();
        response.updated_personal_message_extra = (!others.is_empty()).then_some(others);
        // E16.FR.02
        response.transaction_limit = answer.limit.as_ref().map(|limit| {
            let mut written = TransactionLimitType::new();
            written.max_cost = limit.max_cost;
            written.max_energy = limit.max_energy;
            written.max_time = limit.max_time;
            written.max_so_c = limit.max_soc;
            Box::new(written)
        });
    }
    response.into()
}

fn to_message(message: &DriverMessage, rules: &Rules) -> MessageContentType {
    let content = &message.content;
    let end = content.char_indices().nth(rules.message_length).map_or(content.len(), |(end, _)| end);
    let content = Text::truncated(content.get(..end).unwrap_or_default());
    let mut written = MessageContentType::new(MessageFormatEnumType::UTF8, content);
    written.language = language(message.language.as_deref());
    written
}

fn language(language: Option<&str>) -> Option<Text<8>> {
    language.and_then(|language| Text::new(language).ok())
}

fn certificate_status(status: CertificateStatus) -> AuthorizeCertificateStatusEnumType {
    match status {
        CertificateStatus::Accepted => AuthorizeCertificateStatusEnumType::Accepted,
        CertificateStatus::SignatureError => AuthorizeCertificateStatusEnumType::SignatureError,
        CertificateStatus::CertificateExpired => AuthorizeCertificateStatusEnumType::CertificateExpired,
        CertificateStatus::CertificateRevoked => AuthorizeCertificateStatusEnumType::CertificateRevoked,
        CertificateStatus::NoCertificateAvailable => AuthorizeCertificateStatusEnumType::NoCertificateAvailable,
        CertificateStatus::CertChainError => AuthorizeCertificateStatusEnumType::CertChainError,
        CertificateStatus::ContractCancelled => AuthorizeCertificateStatusEnumType::ContractCancelled,
    }
}

fn address(company: &Address) -> AddressType {
    let mut address = AddressType::new(
        Text::truncated(&company.name),
        Text::truncated(&company.line),
        Text::truncated(&company.city),
        Text::truncated(&company.country),
    );
    address.address2 = company.second_line.as_deref().map(Text::truncated);
    address.postal_code = company.postal_code.as_deref().map(Text::truncated);
    address
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
    let mut info = IdTokenInfoType::new(status);
    info.cache_expiry_date_time = authorization.cache_expires_at.map(DateTime::from);
    // C01.FR.06, C09.FR.09, C09.FR.12
    info.group_id_token = authorization.group.as_ref().and_then(|group| group_id_token(group, rules)).map(Box::new);
    info.personal_message = authorization.message.as_ref().map(|content| {
        let message = DriverMessage { content: content.clone(), language: authorization.language.clone() };
        Box::new(to_message(&message, rules))
    });
    info.language1 = language(authorization.language.as_deref());
    info.language2 = language(authorization.second_language.as_deref());
    info.charging_priority = authorization.charging_priority;
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
