//! Whether a token may charge, where, and who pays.

use jiff::Timestamp;
use ocpp_core::csms::{self, Authorization, AuthorizationStatus};

use super::{Payer, Payment};
use crate::store::{Driver, Store, StoreError, Token, TokenStatus, TokenTerms};

/// What was decided about a token at a station.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// What the station is told.
    pub authorization: Authorization,
    /// Who pays for what it charges, if it charges.
    pub payer: Payer,
}

/// Decides about a token at a station. `has_credit` says whether a driver has a balance to charge from; it is asked only where that
/// matters.
///
/// # Errors
/// When the database fails.
pub async fn judge(
    store: &Store,
    station: &str,
    token: &str,
    now: Timestamp,
    has_credit: impl AsyncFnOnce(&str) -> Result<bool, StoreError>,
) -> Result<Judgement, StoreError> {
    let free_vend = store.station(station).await?.is_some_and(|station| station.free_vend);
    let known = store.token(token).await?;
    let authorization = authorize(known.as_ref(), free_vend, now);
    if known.is_none() || authorization.status != AuthorizationStatus::Accepted {
        return Ok(Judgement { authorization, payer: Payer::Nobody });
    }
    let terms = store.token_terms(token).await?;
    let driver = match &terms.driver {
        Some(id) => store.driver(id).await?,
        None => None,
    };
    let payer = payer_of(&terms, driver.as_ref());
    let credit = match &payer {
        Payer::Driver(driver) => Some(has_credit(driver).await?),
        Payer::Nobody => None,
    };
    Ok(Judgement { authorization: restrict(authorization, &terms, driver.as_ref(), station, credit, now), payer })
}

/// Who pays for what a token charges. A token that nobody entered, or that belongs to nobody, is free where it may charge at all.
///
/// # Errors
/// When the database fails.
pub async fn payer(store: &Store, token: &str) -> Result<Payer, StoreError> {
    let terms = store.token_terms(token).await?;
    let driver = match &terms.driver {
        Some(id) => store.driver(id).await?,
        None => None,
    };
    Ok(payer_of(&terms, driver.as_ref()))
}

fn payer_of(terms: &TokenTerms, driver: Option<&Driver>) -> Payer {
    match driver {
        Some(driver) if terms.payment.unwrap_or(driver.payment) == Payment::Balance => Payer::Driver(driver.id.clone()),
        _ => Payer::Nobody,
    }
}

/// What the terms of a token leave of the answer that its status alone would get. `credit` is `None` where nobody pays.
fn restrict(
    mut answer: Authorization,
    terms: &TokenTerms,
    driver: Option<&Driver>,
    station: &str,
    credit: Option<bool>,
    now: Timestamp,
) -> Authorization {
    let allowed = terms.stations.as_ref().is_none_or(|stations| stations.iter().any(|allowed| allowed == station));
    if driver.is_some_and(|driver| driver.disabled) {
        answer.status = AuthorizationStatus::Blocked;
    } else if !allowed {
        // In 1.6, which has no such status, the station reads Blocked.
        answer.status = AuthorizationStatus::NotAtThisLocation;
    } else if credit == Some(false) {
        // C17.FR.02
        answer.status = AuthorizationStatus::NoCredit;
    }
    // C17.FR.01, C17.FR.02: a prepaid token does not stay in the station's cache. Nor does what an operator may allow tomorrow.
    if credit.is_some() || answer.status != AuthorizationStatus::Accepted {
        answer.cache_expires_at = Some(now);
    }
    answer
}

/// The answer to a station about a token; `known` is what the operator entered about it, if anything.
///
/// At a station with `free_vend` whoever is not known may charge as well, but who was locked out stays locked out.
#[must_use]
pub fn authorize(known: Option<&Token>, free_vend: bool, now: Timestamp) -> Authorization {
    let Some(token) = known else {
        return Authorization::new(if free_vend {
            AuthorizationStatus::Accepted
        } else {
            AuthorizationStatus::Invalid
        });
    };
    // C01.FR.18, C01.FR.22, C01.FR.24, C04.FR.01, C04.FR.02: the operator decides what a token is told.
    let status = match token.status {
        TokenStatus::Accepted if token.expires_at.is_some_and(|expiry| expiry <= now) => AuthorizationStatus::Expired,
        TokenStatus::Accepted => AuthorizationStatus::Accepted,
        TokenStatus::Blocked => AuthorizationStatus::Blocked,
        TokenStatus::Invalid => AuthorizationStatus::Invalid,
        TokenStatus::Expired => AuthorizationStatus::Expired,
        TokenStatus::ConcurrentTx => AuthorizationStatus::ConcurrentTx,
        TokenStatus::NoCredit => AuthorizationStatus::NoCredit,
        TokenStatus::NotAllowedTypeEvse => AuthorizationStatus::NotAllowedTypeEVSE,
        TokenStatus::NotAtThisLocation => AuthorizationStatus::NotAtThisLocation,
        TokenStatus::NotAtThisTime => AuthorizationStatus::NotAtThisTime,
        TokenStatus::Unknown => AuthorizationStatus::Unknown,
    };
    let mut answer = Authorization::new(status);
    answer.group = token.group.as_ref().map(|group| csms::Token::with_kind(group, "Central"));
    // C17.FR.02: an account is not kept by the station, as it may be filled up at any time.
    answer.cache_expires_at = if status == AuthorizationStatus::NoCredit { Some(now) } else { token.expires_at };
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(status: TokenStatus, expires_at: Option<&str>) -> Token {
        let now = Timestamp::UNIX_EPOCH;
        Token {
            token: "04A1B2C3".to_owned(),
            kind: "ISO14443".to_owned(),
            status,
            expires_at: expires_at.map(|text| text.parse().unwrap()),
            group: Some("FLEET".to_owned()),
            created_at: now,
            updated_at: now,
        }
    }

    fn status(known: Option<&Token>, free_vend: bool) -> AuthorizationStatus {
        authorize(known, free_vend, "2026-06-01T12:00:00Z".parse().unwrap()).status
    }

    #[test]
    fn an_unknown_token_charges_only_where_anyone_may() {
        assert_eq!(status(None, false), AuthorizationStatus::Invalid);
        assert_eq!(status(None, true), AuthorizationStatus::Accepted);
    }

    #[test]
    fn an_accepted_token_charges_until_it_expires() {
        assert_eq!(status(Some(&token(TokenStatus::Accepted, None)), false), AuthorizationStatus::Accepted);
        let last = token(TokenStatus::Accepted, Some("2026-06-01T12:00:00.001Z"));
        assert_eq!(status(Some(&last), false), AuthorizationStatus::Accepted);
        let over = token(TokenStatus::Accepted, Some("2026-06-01T12:00:00Z"));
        assert_eq!(status(Some(&over), false), AuthorizationStatus::Expired);
    }

    #[test]
    fn a_blocked_token_does_not_charge_even_where_anyone_may() {
        assert_eq!(status(Some(&token(TokenStatus::Blocked, None)), true), AuthorizationStatus::Blocked);
        assert_eq!(status(Some(&token(TokenStatus::Invalid, None)), true), AuthorizationStatus::Invalid);
        assert_eq!(status(Some(&token(TokenStatus::Expired, None)), true), AuthorizationStatus::Expired);
    }

    fn driver(payment: Payment) -> Driver {
        let now = Timestamp::UNIX_EPOCH;
        Driver {
            id: "ada".to_owned(),
            login: "ada@example.org".to_owned(),
            name: "Ada".to_owned(),
            password_hash: None,
            disabled: false,
            payment,
            created_at: now,
            updated_at: now,
            last_sign_in_at: None,
        }
    }

    #[test]
    fn whose_token_pays_from_a_balance_is_decided_by_the_token_and_else_by_its_driver() {
        let paid = Payer::Driver("ada".to_owned());
        for (own, of_driver, expected) in [
            (None, Payment::Balance, &paid),
            (None, Payment::Free, &Payer::Nobody),
            (Some(Payment::Free), Payment::Balance, &Payer::Nobody),
            (Some(Payment::Balance), Payment::Free, &paid),
        ] {
            let terms = TokenTerms { driver: Some("ada".to_owned()), payment: own, stations: None };
            assert_eq!(&payer_of(&terms, Some(&driver(of_driver))), expected);
        }
        assert_eq!(payer_of(&TokenTerms::default(), None), Payer::Nobody);
    }

    #[test]
    fn a_token_charges_where_it_may_and_while_somebody_pays() {
        let now = "2026-06-01T12:00:00Z".parse().unwrap();
        let everywhere = TokenTerms::default();
        let somewhere = TokenTerms { stations: Some(vec!["CS-1".to_owned()]), ..TokenTerms::default() };
        let nowhere = TokenTerms { stations: Some(vec![]), ..TokenTerms::default() };
        let judged = |terms: &TokenTerms, credit: Option<bool>, disabled: bool| {
            let driver = Driver { disabled, ..driver(Payment::Balance) };
            let accepted = authorize(Some(&token(TokenStatus::Accepted, None)), false, now);
            let answer = restrict(accepted, terms, Some(&driver), "CS-1", credit, now);
            (answer.status, answer.cache_expires_at)
        };
        assert_eq!(judged(&everywhere, None, false), (AuthorizationStatus::Accepted, None));
        assert_eq!(judged(&somewhere, None, false), (AuthorizationStatus::Accepted, None));
        assert_eq!(judged(&nowhere, None, false), (AuthorizationStatus::NotAtThisLocation, Some(now)));
        assert_eq!(judged(&everywhere, None, true), (AuthorizationStatus::Blocked, Some(now)));
        // C17.FR.01, C17.FR.02
        assert_eq!(judged(&everywhere, Some(true), false), (AuthorizationStatus::Accepted, Some(now)));
        assert_eq!(judged(&everywhere, Some(false), false), (AuthorizationStatus::NoCredit, Some(now)));
    }

    #[test]
    fn the_station_learns_the_group_and_the_expiry() {
        let token = token(TokenStatus::Accepted, Some("2027-01-01T00:00:00Z"));
        let answer = authorize(Some(&token), false, Timestamp::UNIX_EPOCH);
        assert_eq!(answer.group.unwrap().id, "FLEET");
        assert_eq!(answer.cache_expires_at, token.expires_at);
    }
}
