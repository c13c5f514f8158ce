//! Signing in and out, for operators and drivers alike.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::{AccessError, Actor, Scope, Scopes, Who, drivers};
use crate::server::Csms;
use crate::store::{Driver, Operator, SetUpLink, SignIn, StoreError};

/// Characters of a name.
pub(super) const MAX_NAME: usize = 80;
/// How often it is kept that a session or an API token was used.
pub(super) const NOTED: SignedDuration = SignedDuration::from_secs(60);
/// How long a link may be followed.
const LINK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What kind of account somebody has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Operator,
    Driver,
}

impl Kind {
    pub(super) const ALL: [Self; 2] = [Self::Operator, Self::Driver];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Driver => "driver",
        }
    }

    /// After how long a session ends that nobody uses.
    pub(super) fn idle(self) -> SignedDuration {
        match self {
            Self::Operator => SignedDuration::from_hours(2),
            Self::Driver => SignedDuration::from_hours(14 * 24),
        }
    }

    /// After how long a session ends, however much it is used.
    pub(super) fn longest(self) -> SignedDuration {
        match self {
            Self::Operator => SignedDuration::from_hours(12),
            Self::Driver => SignedDuration::from_hours(60 * 24),
        }
    }
}

/// A session that was begun: its secret goes into the cookie and is kept nowhere.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) secret: Secret,
    pub(crate) kind: Kind,
    pub(crate) account: String,
    pub(crate) name: String,
    pub(crate) scopes: Scopes,
}

/// 256 random bits that somebody was given. Only its hash is kept.
pub(crate) struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    pub(super) fn generate() -> Result<Self, AccessError> {
        Ok(Self(URL_SAFE_NO_PAD.encode(super::secret()?)))
    }

    /// One that was presented.
    pub(crate) fn presented(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// As whoever is to know it is told.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    pub(super) fn hash(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.0.as_bytes()))
    }

    /// What the forms of a session send along: it follows from the cookie, and the cookie does not follow from it.
    pub(crate) fn csrf(&self) -> Arc<str> {
        let digest = Sha256::new().chain_update(b"csrf\0").chain_update(self.0.as_bytes()).finalize();
        URL_SAFE_NO_PAD.encode(digest).into()
    }
}

/// Somebody who may sign in.
#[derive(Debug)]
enum Account {
    Operator(Operator),
    Driver(Driver),
}

impl Account {
    async fn named(csms: &Csms, kind: Kind, name: &str) -> Result<Option<Self>, StoreError> {
        Ok(match kind {
            Kind::Operator => csms.store().operator_named(name).await?.map(Self::Operator),
            Kind::Driver => csms.store().driver_with_login(name).await?.map(Self::Driver),
        })
    }

    async fn of(csms: &Csms, kind: Kind, id: &str) -> Result<Option<Self>, StoreError> {
        Ok(match kind {
            Kind::Operator => csms.store().operator(id).await?.map(Self::Operator),
            Kind::Driver => csms.store().driver(id).await?.map(Self::Driver),
        })
    }

    /// The id, the hash of the password, and whether it may not sign in.
    fn facts(&self) -> (&str, Option<&str>, bool) {
        match self {
            Self::Operator(operator) => (&operator.id, operator.password_hash.as_deref(), operator.disabled),
            Self::Driver(driver) => (&driver.id, driver.password_hash.as_deref(), driver.disabled),
        }
    }

    fn scopes(&self) -> Scopes {
        match self {
            Self::Operator(operator) => operator.role.scopes(),
            Self::Driver(_) => [Scope::Drive].into_iter().collect(),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Operator(operator) => &operator.name,
            Self::Driver(driver) => &driver.name,
        }
    }

    fn who(&self) -> Who {
        match self {
            Self::Operator(Operator { id, name, role, .. }) => {
                Who::Operator { id: id.as_str().into(), name: name.as_str().into(), role: *role }
            }
            Self::Driver(Driver { id, name, .. }) => Who::Driver { id: id.as_str().into(), name: name.as_str().into() },
        }
    }
}

/// Begins a session for whoever knows the password.
///
/// # Errors
/// When it is wrong, the account is disabled, or too many wrong ones were tried.
pub(crate) async fn sign_in(
    csms: &Csms,
    kind: Kind,
    name: &str,
    password: &str,
    address: Option<IpAddr>,
) -> Result<Begun, AccessError> {
    let login = match kind {
        Kind::Driver => drivers::check_login(name).ok(),
        Kind::Operator => None,
    };
    let name = login.as_deref().unwrap_or(name).trim();
    if name.chars().count() > 4 * MAX_NAME {
        return Err(AccessError::WrongPassword);
    }
    let tried = format!("{} {}", kind.as_str(), name.to_lowercase());
    let account = Account::named(csms, kind, name).await?;
    let account = prove(csms, &tried, password, account, address).await?;
    let begun = begin(csms, kind, &account).await?;
    tracing::info!(kind = kind.as_str(), account = account.facts().0, ?address, "signed in");
    Ok(begun)
}

/// The account, if this is its password and it may sign in. Each attempt counts as a wrong one until it was right, so many at once are no
/// way around the count.
async fn prove(
    csms: &Csms,
    tried: &str,
    password: &str,
    account: Option<Account>,
    address: Option<IpAddr>,
) -> Result<Account, AccessError> {
    let gate = csms.gate();
    if let Some(address) = address {
        gate.throttle.attempt(address, tried, Instant::now()).map_err(AccessError::TooManyAttempts)?;
    }
    let kept = account.as_ref().and_then(|account| account.facts().1);
    let right = match gate.hashing.verify(password, kept).await {
        Ok(right) => right,
        Err(error) => {
            if let Some(address) = address {
                gate.throttle.withdraw(address, tried);
            }
            return Err(error);
        }
    };
    match account {
        Some(account) if right => {
            if let Some(address) = address {
                gate.throttle.withdraw(address, tried);
                gate.throttle.succeeded(address, tried, Instant::now());
            }
            // Told only to whoever knows the password.
            if account.facts().2 { Err(AccessError::WrongPassword) } else { Ok(account) }
        }
        _ => {
            tracing::warn!(?address, "a wrong password was tried");
            Err(AccessError::WrongPassword)
        }
    }
}

async fn begin(csms: &Csms, kind: Kind, account: &Account) -> Result<Begun, AccessError> {
    let secret = Secret::generate()?;
    let now = Timestamp::now();
    let store = csms.store();
    for kind in Kind::ALL {
        store.forget_sign_ins(kind.as_str(), now - kind.longest(), now - kind.idle(), now).await?;
    }
    let id = account.facts().0;
    let session = SignIn {
        hash: secret.hash(),
        kind: kind.as_str().to_owned(),
        account: id.to_owned(),
        created_at: now,
        seen_at: now,
    };
    store.add_sign_in(&session).await?;
    match kind {
        Kind::Operator => store.operator_signed_in(id, now).await?,
        Kind::Driver => store.driver_signed_in(id, now).await?,
    }
    Ok(Begun { secret, kind, account: id.to_owned(), name: account.name().to_owned(), scopes: account.scopes() })
}

/// Ends the session of a cookie.
///
/// # Errors
/// When the database fails.
pub(crate) async fn sign_out(csms: &Csms, secret: &Secret) -> Result<(), AccessError> {
    Ok(csms.store().end_sign_in(&secret.hash()).await?)
}

/// Who has this session. `None` when it is over, or its account may not sign in any more.
pub(super) async fn resume(csms: &Csms, secret: &Secret, address: Option<IpAddr>) -> Result<Option<Actor>, StoreError> {
    let hash = secret.hash();
    let Some(session) = csms.store().sign_in(&hash).await? else { return Ok(None) };
    let now = Timestamp::now();
    let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.as_str() == session.kind) else { return Ok(None) };
    if !is_alive(kind, &session, now) {
        csms.store().end_sign_in(&hash).await?;
        return Ok(None);
    }
    let Some(account) = Account::of(csms, kind, &session.account).await? else { return Ok(None) };
    if account.facts().2 {
        return Ok(None);
    }
    if now.duration_since(session.seen_at) >= NOTED {
        csms.store().sign_in_seen(&hash, now).await?;
    }
    Ok(Some(Actor { who: account.who(), scopes: account.scopes(), address, csrf: Some(secret.csrf()) }))
}

fn is_alive(kind: Kind, session: &SignIn, now: Timestamp) -> bool {
    now.duration_since(session.created_at) < kind.longest() && now.duration_since(session.seen_at) < kind.idle()
}

/// Changes the own password; the other sessions of the account end.
///
/// # Errors
/// When the old one is wrong, or the new one too short.
pub(crate) async fn change_password(
    csms: &Csms,
    actor: &Actor,
    session: &Secret,
    old: &str,
    new: &str,
) -> Result<(), AccessError> {
    let (kind, id) = match &actor.who {
        Who::Operator { id, .. } => (Kind::Operator, id),
        Who::Driver { id, .. } => (Kind::Driver, id),
        _ => return Err(AccessError::NotSignedIn),
    };
    let account = Account::of(csms, kind, id).await?;
    prove(csms, &format!("{} {id}", kind.as_str()), old, account, actor.address).await?;
    let hash = csms.gate().hashing.hash(new).await?;
    keep_password(csms, kind, id, hash, Some(session)).await?;
    csms.audit(actor, "password.changed", id, kind.as_str()).await;
    Ok(())
}

async fn keep_password(
    csms: &Csms,
    kind: Kind,
    id: &str,
    hash: String,
    but: Option<&Secret>,
) -> Result<(), AccessError> {
    let unknown = || AccessError::Unknown(kind.as_str(), id.to_owned());
    let mut unit = csms.store().serial_unit().await?;
    let now = Timestamp::now();
    match kind {
        Kind::Operator => {
            let mut operator = unit.operator(id).await?.ok_or_else(unknown)?;
            (operator.password_hash, operator.updated_at) = (Some(hash), now);
            unit.put_operator(&operator).await?;
        }
        Kind::Driver => {
            let mut driver = unit.driver(id).await?.ok_or_else(unknown)?;
            (driver.password_hash, driver.updated_at) = (Some(hash), now);
            unit.put_driver(&driver).await?;
        }
    }
    unit.end_sign_ins(id, but.map(Secret::hash).as_deref()).await?;
    Ok(unit.commit().await?)
}

/// Makes a link by which the owner of an account chooses a password. It works once, for seven days, and those made before do not work
/// any more.
pub(super) async fn link(csms: &Csms, kind: &str, account: &str) -> Result<Secret, AccessError> {
    let secret = Secret::generate()?;
    let link = SetUpLink {
        hash: secret.hash(),
        kind: kind.to_owned(),
        account: account.to_owned(),
        expires_at: Timestamp::now() + LINK,
    };
    csms.store().add_set_up_link(&link).await?;
    Ok(secret)
}

/// Whose password a link lets one choose: the kind of account and its name.
///
/// # Errors
/// When the link is over.
pub(crate) async fn link_owner(csms: &Csms, secret: &Secret) -> Result<(Kind, String), AccessError> {
    let link = csms.store().set_up_link(&secret.hash(), Timestamp::now()).await?.ok_or(AccessError::Link)?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == link.kind).ok_or(AccessError::Link)?;
    let account = Account::of(csms, kind, &link.account).await?.ok_or(AccessError::Link)?;
    let name = match &account {
        Account::Operator(operator) => operator.name.clone(),
        Account::Driver(driver) => driver.login.clone(),
    };
    Ok((kind, name))
}

/// Chooses a password by a link, and signs in. All sessions of the account from before end.
///
/// # Errors
/// When the link is over, the password too short, or the account disabled.
pub(crate) async fn follow_link(
    csms: &Csms,
    secret: &Secret,
    password: &str,
    address: Option<IpAddr>,
) -> Result<Begun, AccessError> {
    let (kind, _) = link_owner(csms, secret).await?;
    let hash = csms.gate().hashing.hash(password).await?;
    let mut unit = csms.store().unit().await?;
    let link = unit.take_set_up_link(&secret.hash(), Timestamp::now()).await?.ok_or(AccessError::Link)?;
    unit.commit().await?;
    keep_password(csms, kind, &link.account, hash, None).await?;
    let account = Account::of(csms, kind, &link.account).await?.ok_or(AccessError::Link)?;
    let actor = Actor { who: account.who(), scopes: account.scopes(), address, csrf: None };
    csms.audit(&actor, "password.set", &link.account, kind.as_str()).await;
    if account.facts().2 {
        return Err(AccessError::WrongPassword);
    }
    begin(csms, kind, &account).await
}

/// Checks a name of an account.
pub(super) fn check_name(what: &'static str, name: &str) -> Result<String, AccessError> {
    let name = name.trim();
    let length = name.chars().count();
    if length == 0 || length > MAX_NAME || name.chars().any(char::is_control) {
        return Err(AccessError::Text(what, MAX_NAME));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_when_nobody_uses_it_and_in_any_case_in_the_end() {
        let now: Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
        for kind in Kind::ALL {
            let second = SignedDuration::from_secs(1);
            let alive = |age: SignedDuration, idle: SignedDuration| {
                let session = SignIn {
                    hash: String::new(),
                    kind: kind.as_str().to_owned(),
                    account: String::new(),
                    created_at: now - age,
                    seen_at: now - idle,
                };
                is_alive(kind, &session, now)
            };
            assert!(alive(kind.longest() - second, kind.idle() - second));
            assert!(!alive(kind.longest() - second, kind.idle()));
            assert!(!alive(kind.longest(), SignedDuration::ZERO));
        }
    }

    #[test]
    fn the_token_of_forms_follows_from_the_cookie_and_is_neither_it_nor_its_hash() {
        let (one, other) = (Secret::generate().unwrap(), Secret::generate().unwrap());
        assert_eq!(one.csrf(), Secret::presented(one.text()).csrf());
        assert_ne!(one.csrf(), other.csrf());
        assert_ne!(&*one.csrf(), one.text());
        assert_ne!(&*one.csrf(), one.hash());
    }
}
