//! The accounts of drivers, and the tokens that are theirs.

use std::net::IpAddr;
use std::str::FromStr;
use std::time::Instant;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::account::{self, Begun, Kind, Secret, check_name};
use super::{AccessError, Actor};
use crate::config::DriverRegistration;
use crate::server::Csms;
use crate::store::{Driver, Token, TokenStatus, TokenTerms};

/// How what a token charges is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Payment {
    /// Not at all: for those to whom the stations belong.
    Free,
    /// From the driver's balance.
    Balance,
}

impl Payment {
    /// As it is written in the API and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Balance => "balance",
        }
    }
}

impl FromStr for Payment {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Free, Self::Balance].into_iter().find(|payment| payment.as_str() == text).ok_or(())
    }
}

/// Who pays for what a token charges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payer {
    /// Nobody: it is free.
    Nobody,
    /// The balance of this driver.
    Driver(String),
}

/// What is changed of a driver. What is `None` stays.
#[derive(Debug, Clone, Default)]
pub(crate) struct DriverChange {
    pub(crate) login: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) payment: Option<Payment>,
    pub(crate) disabled: Option<bool>,
}

fn new(login: &str, name: &str, payment: Payment) -> Result<Driver, AccessError> {
    let now = Timestamp::now();
    Ok(Driver {
        id: Uuid::now_v7().to_string(),
        login: check_login(login)?,
        name: check_name("name", name)?,
        password_hash: None,
        disabled: false,
        payment,
        created_at: now,
        updated_at: now,
        last_sign_in_at: None,
    })
}

/// Makes an account for a driver, and the link by which the driver chooses a password.
///
/// # Errors
/// When the login is taken, or is none.
pub(crate) async fn create(
    csms: &Csms,
    actor: &Actor,
    login: &str,
    name: &str,
    payment: Payment,
) -> Result<(Driver, Secret), AccessError> {
    let driver = new(login, name, payment)?;
    if !csms.store().add_driver(&driver).await? {
        return Err(AccessError::Taken);
    }
    give_app_token(csms, &driver.id).await?;
    let link = account::link(csms, Kind::Driver.as_str(), &driver.id).await?;
    csms.audit(actor, "driver.created", &driver.id, format!("{}, {}", driver.login, payment.as_str())).await;
    Ok((driver, link))
}

/// Changes an account. One that is disabled is signed out everywhere, and its tokens do not charge.
///
/// # Errors
/// When there is none, or its new login is taken.
pub(crate) async fn change(csms: &Csms, actor: &Actor, id: &str, change: DriverChange) -> Result<Driver, AccessError> {
    let login = change.login.as_deref().map(check_login).transpose()?;
    let name = change.name.as_deref().map(|name| check_name("name", name)).transpose()?;
    let mut unit = csms.store().serial_unit().await?;
    let mut driver = unit.driver(id).await?.ok_or_else(|| AccessError::Unknown("driver", id.to_owned()))?;
    driver.login = login.unwrap_or(driver.login);
    driver.name = name.unwrap_or(driver.name);
    driver.payment = change.payment.unwrap_or(driver.payment);
    driver.disabled = change.disabled.unwrap_or(driver.disabled);
    driver.updated_at = Timestamp::now();
    if !unit.put_driver(&driver).await? {
        return Err(AccessError::Taken);
    }
    if driver.disabled {
        unit.end_sign_ins(id, None).await?;
    }
    unit.commit().await?;
    let state = if driver.disabled { "disabled" } else { "enabled" };
    let detail = format!("{}, {}, {state}", driver.login, driver.payment.as_str());
    csms.audit(actor, "driver.changed", id, detail).await;
    Ok(driver)
}

/// A new link by which a driver chooses a password.
///
/// # Errors
/// When there is no such account.
pub(crate) async fn set_up_link(csms: &Csms, actor: &Actor, id: &str) -> Result<Secret, AccessError> {
    let driver = csms.store().driver(id).await?.ok_or_else(|| AccessError::Unknown("driver", id.to_owned()))?;
    let link = account::link(csms, Kind::Driver.as_str(), id).await?;
    csms.audit(actor, "driver.link_made", id, driver.login).await;
    Ok(link)
}

/// A link by which one driver registers, and how that driver pays.
///
/// # Errors
/// When there is nothing to make a secret of.
pub(crate) async fn invite(csms: &Csms, actor: &Actor, payment: Payment) -> Result<Secret, AccessError> {
    let link = account::link(csms, "invitation", payment.as_str()).await?;
    csms.audit(actor, "driver.invited", "", payment.as_str()).await;
    Ok(link)
}

/// Whether a driver may register: with this invitation, or without any.
///
/// # Errors
/// When the policy of the installation says otherwise, or the invitation is over.
pub(crate) async fn may_register(csms: &Csms, invitation: Option<&Secret>) -> Result<(), AccessError> {
    if let Some(secret) = invitation {
        let link = csms.store().set_up_link(&secret.hash(), Timestamp::now()).await?;
        return if link.is_some_and(|link| link.kind == "invitation") { Ok(()) } else { Err(AccessError::Link) };
    }
    match csms.config().driver_registration {
        DriverRegistration::Open => Ok(()),
        DriverRegistration::Invitation => Err(AccessError::InvitationNeeded),
        DriverRegistration::Closed => Err(AccessError::Closed),
    }
}

/// A driver registers, and is signed in. Without an invitation what is charged is paid from the balance.
///
/// # Errors
/// When the policy forbids it, the login is taken or none, or the password too short.
pub(crate) async fn register(
    csms: &Csms,
    login: &str,
    name: &str,
    password: &str,
    invitation: Option<&Secret>,
    address: Option<IpAddr>,
) -> Result<Begun, AccessError> {
    may_register(csms, invitation).await?;
    if let Some(address) = address {
        // Accounts are made for people one by one; an address that makes many waits as one that guesses does.
        csms.gate().throttle.attempt(address, "register", Instant::now()).map_err(AccessError::TooManyAttempts)?;
    }
    let mut driver = new(login, name, Payment::Balance)?;
    driver.password_hash = Some(csms.gate().hashing.hash(password).await?);
    let mut unit = csms.store().serial_unit().await?;
    if let Some(secret) = invitation {
        let link = unit.take_set_up_link(&secret.hash(), Timestamp::now()).await?.ok_or(AccessError::Link)?;
        driver.payment = link.account.parse().map_err(|()| AccessError::Link)?;
    }
    if !unit.add_driver(&driver).await? {
        return Err(AccessError::Taken);
    }
    unit.commit().await?;
    give_app_token(csms, &driver.id).await?;
    csms.audit(&Actor::anonymous(address), "driver.registered", &driver.id, &driver.login).await;
    account::sign_in(csms, Kind::Driver, &driver.login, password, address).await
}

/// Every driver has a token that is no card: what the portal starts sessions with.
async fn give_app_token(csms: &Csms, driver: &str) -> Result<(), AccessError> {
    let now = Timestamp::now();
    // 64 random bits: nobody guesses it, and it fits into the 20 characters of 1.6 (CiString20Type).
    let bytes = super::secret()?;
    let token = Token {
        token: format!("APP{}", hex::encode_upper(&bytes[..8])),
        kind: "Central".to_owned(),
        status: TokenStatus::Accepted,
        expires_at: None,
        group: None,
        created_at: now,
        updated_at: now,
    };
    let terms = TokenTerms { driver: Some(driver.to_owned()), payment: None, stations: None };
    csms.store().put_token_with(&token, &terms).await?;
    Ok(())
}

/// An e-mail address, or a telephone number with its country.
pub(super) fn check_login(login: &str) -> Result<String, AccessError> {
    let login = login.trim();
    if let Some(digits) = login.strip_prefix('+') {
        let number: String = digits.chars().filter(|character| !matches!(character, ' ' | '-' | '(' | ')')).collect();
        let fits = (7..=15).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
        return if fits { Ok(format!("+{number}")) } else { Err(AccessError::Login) };
    }
    let is_address = login.chars().count() <= 254
        && !login.chars().any(|character| character.is_control() || character.is_whitespace())
        && login.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && !domain.contains('@')
                && domain.len() > 2
                && domain.split('.').all(|part| !part.is_empty())
        });
    if is_address { Ok(login.to_owned()) } else { Err(AccessError::Login) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_an_address_or_a_number() {
        assert_eq!(check_login(" ada@example.org ").unwrap(), "ada@example.org");
        assert_eq!(check_login("+250 788-123 456").unwrap(), "+250788123456");
        for login in
            ["", "ada", "@example.org", "ada@", "ada@x..y", "a@b@c.d", "a b@c.de", "+12", "+12a4567", "0788123456"]
        {
            assert!(check_login(login).is_err(), "{login}");
        }
    }
}
