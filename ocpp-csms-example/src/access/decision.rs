//! Whether a token may charge.

use jiff::Timestamp;
use ocpp_core::csms::{self, Authorization, AuthorizationStatus};

use crate::store::{Token, TokenStatus};

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

    #[test]
    fn the_station_learns_the_group_and_the_expiry() {
        let token = token(TokenStatus::Accepted, Some("2027-01-01T00:00:00Z"));
        let answer = authorize(Some(&token), false, Timestamp::UNIX_EPOCH);
        assert_eq!(answer.group.unwrap().id, "FLEET");
        assert_eq!(answer.cache_expires_at, token.expires_at);
    }
}
