//! The accounts of operators, and the API tokens that they make.

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::account::{self, Kind, Secret, check_name};
use super::{AccessError, Actor, Role, Scope, Scopes, Who};
use crate::server::Csms;
use crate::store::{KeptApiToken, Operator, StoreError};

/// What is changed of an operator. What is `None` stays.
#[derive(Debug, Clone, Default)]
pub(crate) struct OperatorChange {
    pub(crate) name: Option<String>,
    pub(crate) role: Option<Role>,
    pub(crate) disabled: Option<bool>,
}

/// Makes an account, and the link by which its owner chooses a password.
///
/// # Errors
/// When the name is taken, or is none.
pub(crate) async fn create(
    csms: &Csms,
    actor: &Actor,
    name: &str,
    role: Role,
) -> Result<(Operator, Secret), AccessError> {
    let operator = add(csms, name, role).await?;
    let link = account::link(csms, Kind::Operator.as_str(), &operator.id).await?;
    csms.audit(actor, "operator.created", &operator.id, format!("{} as {role}", operator.name)).await;
    Ok((operator, link))
}

async fn add(csms: &Csms, name: &str, role: Role) -> Result<Operator, AccessError> {
    let now = Timestamp::now();
    let operator = Operator {
        id: Uuid::now_v7().to_string(),
        name: check_name("name", name)?,
        role,
        password_hash: None,
        disabled: false,
        created_at: now,
        updated_at: now,
        last_sign_in_at: None,
    };
    if csms.store().add_operator(&operator).await? { Ok(operator) } else { Err(AccessError::Taken) }
}

/// Changes an account. One that is disabled, or has another role, is signed out everywhere.
///
/// # Errors
/// When there is none, its new name is taken, or nobody could administer any more.
pub(crate) async fn change(
    csms: &Csms,
    actor: &Actor,
    id: &str,
    change: OperatorChange,
) -> Result<Operator, AccessError> {
    let name = change.name.as_deref().map(|name| check_name("name", name)).transpose()?;
    let mut unit = csms.store().serial_unit().await?;
    let before = unit.operator(id).await?.ok_or_else(|| AccessError::Unknown("operator", id.to_owned()))?;
    let mut after = before.clone();
    after.name = name.unwrap_or(after.name);
    after.role = change.role.unwrap_or(after.role);
    after.disabled = change.disabled.unwrap_or(after.disabled);
    after.updated_at = Timestamp::now();
    let was_admin = before.role == Role::Admin && !before.disabled && before.password_hash.is_some();
    if was_admin && (after.role != Role::Admin || after.disabled) && unit.other_admins(id).await? == 0 {
        return Err(AccessError::LastAdmin);
    }
    if !unit.put_operator(&after).await? {
        return Err(AccessError::Taken);
    }
    if after.disabled || after.role != before.role {
        unit.end_sign_ins(id, None).await?;
    }
    unit.commit().await?;
    let state = if after.disabled { "disabled" } else { "enabled" };
    csms.audit(actor, "operator.changed", id, format!("{} as {}, {state}", after.name, after.role)).await;
    Ok(after)
}

/// A new link by which an operator chooses a password.
///
/// # Errors
/// When there is no such account.
pub(crate) async fn set_up_link(csms: &Csms, actor: &Actor, id: &str) -> Result<Secret, AccessError> {
    let operator = csms.store().operator(id).await?.ok_or_else(|| AccessError::Unknown("operator", id.to_owned()))?;
    let link = account::link(csms, Kind::Operator.as_str(), id).await?;
    csms.audit(actor, "operator.link_made", id, operator.name).await;
    Ok(link)
}

/// As long as nobody can sign in who may do everything, each start makes a link for the account `admin`.
///
/// # Errors
/// When the database fails, or there is nothing to make a secret of.
pub(crate) async fn first_admin(csms: &Csms) -> Result<Option<Secret>, AccessError> {
    const NAME: &str = "admin";
    if csms.store().has_admin().await? {
        return Ok(None);
    }
    let admin = match csms.store().operator_named(NAME).await? {
        Some(operator) => operator,
        None => add(csms, NAME, Role::Admin).await?,
    };
    if admin.role != Role::Admin || admin.disabled {
        let mut unit = csms.store().serial_unit().await?;
        unit.put_operator(&Operator { role: Role::Admin, disabled: false, ..admin.clone() }).await?;
        unit.commit().await?;
    }
    let link = account::link(csms, Kind::Operator.as_str(), &admin.id).await?;
    csms.audit(&Actor::program(), "operator.link_made", &admin.id, NAME).await;
    Ok(Some(link))
}

/// Makes an API token. Its text is told once.
///
/// # Errors
/// When it has no name, no scope or one that programs do not have, or is over already.
pub(crate) async fn create_api_token(
    csms: &Csms,
    actor: &Actor,
    name: &str,
    scopes: Scopes,
    expires_at: Option<Timestamp>,
) -> Result<(KeptApiToken, Secret), AccessError> {
    let now = Timestamp::now();
    if scopes == Scopes::NONE || scopes.contains(Scope::Drive) {
        return Err(AccessError::Scopes);
    }
    if expires_at.is_some_and(|end| end <= now) {
        return Err(AccessError::Expiry);
    }
    let secret = Secret::generate()?;
    let token = KeptApiToken {
        id: Uuid::now_v7().to_string(),
        name: check_name("name", name)?,
        hash: secret.hash(),
        scopes,
        created_by: actor.name().to_owned(),
        created_at: now,
        expires_at,
        last_used_at: None,
        revoked_at: None,
    };
    csms.store().add_api_token(&token).await?;
    csms.audit(actor, "api_token.created", &token.id, format!("{}: {scopes}", token.name)).await;
    Ok((token, secret))
}

/// From now on an API token is not taken.
///
/// # Errors
/// When there is none that was.
pub(crate) async fn revoke_api_token(csms: &Csms, actor: &Actor, id: &str) -> Result<(), AccessError> {
    if !csms.store().revoke_api_token(id, Timestamp::now()).await? {
        return Err(AccessError::Unknown("API token", id.to_owned()));
    }
    csms.audit(actor, "api_token.revoked", id, "").await;
    Ok(())
}

/// Who holds an API token with this text.
pub(super) async fn holder(csms: &Csms, text: &str) -> Result<Option<(Who, Scopes)>, StoreError> {
    let now = Timestamp::now();
    let Some(token) = csms.store().api_token(&Secret::presented(text).hash()).await? else { return Ok(None) };
    if token.revoked_at.is_some() || token.expires_at.is_some_and(|end| end <= now) {
        return Ok(None);
    }
    if token.last_used_at.is_none_or(|last| now.duration_since(last) >= account::NOTED) {
        csms.store().api_token_used(&token.id, now).await?;
    }
    let who = Who::ApiToken { id: Arc::from(token.id), name: Arc::from(token.name) };
    Ok(Some((who, token.scopes)))
}
