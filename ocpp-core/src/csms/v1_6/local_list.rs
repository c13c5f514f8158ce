//! The local authorization list in the types of 1.6 (1.6 edition 2, 5.15).

use alloc::vec::Vec;

use ocpp_types::v1_6::{AuthorizationData, AuthorizationStatus, IdTagInfo, SendLocalListRequest, UpdateType};
use ocpp_types::v2_1;

use crate::csms::command::CallOutcome;
use crate::csms::wire::bounded;

/// A part of a list, or which token 1.6 can't carry.
pub(in crate::csms) fn local_list(
    version: i64,
    update: &v2_1::UpdateEnumType,
    entries: &[v2_1::AuthorizationData],
) -> Result<SendLocalListRequest, CallOutcome> {
    let update = if *update == v2_1::UpdateEnumType::Full { UpdateType::Full } else { UpdateType::Differential };
    let entries = entries.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    let mut request = SendLocalListRequest::new(version, update);
    request.local_authorization_list = (!entries.is_empty()).then_some(entries);
    Ok(request)
}

fn entry(entry: &v2_1::AuthorizationData) -> Result<AuthorizationData, CallOutcome> {
    let mut written = AuthorizationData::new(bounded("/localAuthorizationList/idTag", &entry.id_token.id_token)?);
    if let Some(info) = &entry.id_token_info {
        use v2_1::AuthorizationStatusEnumType as Status;
        let status = match info.status {
            Status::Accepted => AuthorizationStatus::Accepted,
            Status::Expired => AuthorizationStatus::Expired,
            Status::ConcurrentTx => AuthorizationStatus::ConcurrentTx,
            Status::Invalid | Status::Unknown => AuthorizationStatus::Invalid,
            _ => AuthorizationStatus::Blocked,
        };
        let mut id_tag_info = IdTagInfo::new(status);
        id_tag_info.expiry_date = info.cache_expiry_date_time;
        if let Some(group) = &info.group_id_token {
            id_tag_info.parent_id_tag = Some(bounded("/localAuthorizationList/parentIdTag", &group.id_token)?);
        }
        written.id_tag_info = Some(id_tag_info);
    }
    Ok(written)
}
