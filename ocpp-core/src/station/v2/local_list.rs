//! The local authorisation list (block D).

use ocpp_types::v2_1::{
    AuthorizationData, GetLocalListVersionResponse, SendLocalListRequest, SendLocalListResponse,
    SendLocalListStatusEnumType, UpdateEnumType,
};

use super::calls;
use crate::station::Station;
use crate::station::calls::TokenInfo;
use crate::station::facts::Token;
use crate::station::local_list::{Update, UpdateType, Updated};

/// D02.FR.01 to 03
pub(super) fn get_version(station: &Station) -> GetLocalListVersionResponse {
    GetLocalListVersionResponse::new(station.local_list_version().unwrap_or(0))
}

/// D01. `bytes` is the size of the request.
pub(super) fn send(station: &mut Station, request: SendLocalListRequest, bytes: usize) -> SendLocalListResponse {
    let update = Update {
        kind: match request.update_type {
            UpdateEnumType::Differential => UpdateType::Differential,
            _ => UpdateType::Full,
        },
        version: request.version_number,
        tokens: request.local_authorization_list.unwrap_or_default().into_iter().map(entry).collect(),
        bytes,
    };
    SendLocalListResponse::new(match station.update_local_list(update) {
        Updated::Accepted => SendLocalListStatusEnumType::Accepted,
        Updated::Failed | Updated::NotEnabled => SendLocalListStatusEnumType::Failed,
        Updated::VersionMismatch => SendLocalListStatusEnumType::VersionMismatch,
    })
}

fn entry(data: AuthorizationData) -> (Token, Option<TokenInfo>) {
    let kind = calls::token_type(data.id_token.r#type.as_str());
    let token = Token::new(data.id_token.id_token.as_str(), kind);
    (token, data.id_token_info.map(|info| calls::token_info(*info)))
}
