//! The local authorisation list of 1.6 (edition 2, 5.10 and 5.15).

use ocpp_types::v1_6::{
    AuthorizationData, AuthorizationStatus, GetLocalListVersionResponse, SendLocalListRequest, SendLocalListResponse,
    UpdateStatus, UpdateType,
};

use super::calls;
use crate::station::Station;
use crate::station::calls::TokenInfo;
use crate::station::facts::Token;
use crate::station::local_list::{self, Update, Updated};

/// 1.6 edition 2, 5.10
pub(super) fn get_version(station: &Station) -> GetLocalListVersionResponse {
    GetLocalListVersionResponse::new(match station.local_list_version() {
        None => -1,
        // An empty list has no version, whatever the last update was called.
        Some(_) if station.local_list.len() == 0 => 0,
        Some(version) => version,
    })
}

/// 1.6 edition 2, 5.15
pub(super) fn send(station: &mut Station, request: SendLocalListRequest) -> SendLocalListResponse {
    let update = Update {
        kind: match request.update_type {
            UpdateType::Differential => local_list::UpdateType::Differential,
            _ => local_list::UpdateType::Full,
        },
        version: request.list_version,
        tokens: request.local_authorization_list.unwrap_or_default().into_iter().map(entry).collect(),
        // 1.6 has no limit for the size of the message.
        bytes: 0,
    };
    SendLocalListResponse::new(match station.update_local_list(update) {
        Updated::Accepted => UpdateStatus::Accepted,
        Updated::Failed => UpdateStatus::Failed,
        Updated::NotEnabled => UpdateStatus::NotSupported,
        Updated::VersionMismatch => UpdateStatus::VersionMismatch,
    })
}

fn entry(data: AuthorizationData) -> (Token, Option<TokenInfo>) {
    let info = data.id_tag_info.map(|info| {
        // 1.6 edition 2, 3.5.2: in a list this word stands for a valid token.
        let is_concurrent = info.status == AuthorizationStatus::ConcurrentTx;
        let info = calls::token_info(info);
        TokenInfo { accepted: info.accepted || is_concurrent, ..info }
    });
    (Token::rfid(data.id_tag.as_str()), info)
}
