//! The tokens that are known here, as a station's local list (D01).

use jiff::Timestamp;
use ocpp_core::csms::flows::{Flow, LocalListSynchronisation};
use ocpp_core::csms::{AuthorizationStatus, Command};
use ocpp_core::types::v2_1::{AuthorizationData, IdTokenInfoType, IdTokenType};
use ocpp_core::types::{DateTime, Text};

use crate::access::authorize;
use crate::store::{Store, StoreError, Token};

/// Tokens that are read at once.
const PAGE: u32 = 1000;
/// The most tokens that a list is made of.
const MOST: usize = 100_000;

/// The whole list. Its version is the time in seconds, so that later lists have greater ones.
pub(super) async fn command(store: &Store) -> Result<Command, StoreError> {
    let now = Timestamp::now();
    let asked_for = store.tokens_asked_for().await?;
    let mut entries = Vec::new();
    let mut after: Option<String> = None;
    while entries.len() < MOST {
        let tokens = store.tokens(after.as_deref(), PAGE).await?;
        after = tokens.last().map(|token| token.token.clone());
        let is_last = tokens.len() < PAGE as usize;
        let listed = tokens.iter().filter(|token| !asked_for.contains(&token.token.to_ascii_lowercase()));
        entries.extend(listed.filter_map(|token| entry(token, now)));
        if is_last {
            break;
        }
    }
    let wanted = LocalListSynchronisation::new(now.as_second(), entries);
    Ok(Command::Flow(Box::new(Flow::SynchroniseLocalList(wanted))))
}

/// `None` for a token that no list can hold.
fn entry(token: &Token, now: Timestamp) -> Option<AuthorizationData> {
    let answer = authorize(Some(token), false, now);
    // What depends on the moment or the place is asked for each time.
    let listed = matches!(
        answer.status,
        AuthorizationStatus::Accepted
            | AuthorizationStatus::Blocked
            | AuthorizationStatus::Expired
            | AuthorizationStatus::Invalid
    );
    if !listed {
        return None;
    }
    let mut info = IdTokenInfoType::new(format!("{:?}", answer.status).as_str().into());
    info.cache_expiry_date_time = token.expires_at.map(DateTime::from);
    info.group_id_token = token.group.as_deref().and_then(|group| id_token(group, "Central")).map(Box::new);
    let mut entry = AuthorizationData::new(id_token(&token.token, &token.kind)?);
    entry.id_token_info = Some(Box::new(info));
    Some(entry)
}

fn id_token(id: &str, kind: &str) -> Option<IdTokenType> {
    Some(IdTokenType::new(Text::new(id).ok()?, Text::new(kind).ok()?))
}
