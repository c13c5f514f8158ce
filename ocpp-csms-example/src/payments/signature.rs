//! Signatures of webhooks, as Stripe makes them: `t=SECONDS,v1=HEX`, an HMAC-SHA256 of the time, a full stop and the body.

use axum::http::HeaderMap;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;

use super::provider::NotificationError;
use super::secret::Secret;

/// How many seconds ago something may have been signed, or in the future by a clock that is wrong.
const TOLERANCE: i64 = 300;

fn mac(secret: &Secret, at: i64, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mac = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes()).ok()?;
    Some(mac.chain_update(at.to_string()).chain_update(b".").chain_update(body))
}

/// The value of the header.
pub(super) fn sign(secret: &Secret, at: Timestamp, body: &[u8]) -> String {
    let signature = mac(secret, at.as_second(), body).map(|mac| hex::encode(mac.finalize().into_bytes()));
    format!("t={},v1={}", at.as_second(), signature.unwrap_or_default())
}

/// Checks that one of the signatures of the header is right, and not old: a webhook that was caught does no harm later.
pub(super) fn verify(
    secret: &Secret,
    headers: &HeaderMap,
    header: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<(), NotificationError> {
    let value = headers.get(header).and_then(|value| value.to_str().ok()).ok_or(NotificationError::Signature)?;
    let parts = || value.split(',').filter_map(|part| part.trim().split_once('='));
    let at = parts().find(|(name, _)| *name == "t").and_then(|(_, at)| at.parse::<i64>().ok());
    let at = at.ok_or(NotificationError::Signature)?;
    let is_right = |signature: &str| {
        let Ok(signature) = hex::decode(signature) else { return false };
        mac(secret, at, body).is_some_and(|mac| mac.verify_slice(&signature).is_ok())
    };
    if !parts().any(|(name, signature)| name == "v1" && is_right(signature)) {
        return Err(NotificationError::Signature);
    }
    if now.as_second().saturating_sub(at).saturating_abs() > TOLERANCE {
        return Err(NotificationError::Time);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(value: &str) -> HeaderMap {
        [("stripe-signature".parse().unwrap(), value.parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn only_what_was_signed_with_the_secret_and_not_long_ago_counts() {
        let secret = Secret::new("whsec_test");
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let signed = sign(&secret, now, b"{}");
        let check = |value: &str, body: &[u8], now| verify(&secret, &headers(value), "stripe-signature", body, now);
        assert_eq!(check(&signed, b"{}", now), Ok(()));
        assert_eq!(check(&format!("{signed},v1=00"), b"{}", now), Ok(()));
        assert_eq!(check(&signed, b"{ }", now), Err(NotificationError::Signature));
        let other = sign(&Secret::new("other"), now, b"{}");
        assert_eq!(check(&other, b"{}", now), Err(NotificationError::Signature));
        for wrong in ["", "t=1", "v1=00", "t=x,v1=00", "t=9223372036854775807,v1=zz"] {
            assert_eq!(check(wrong, b"{}", now), Err(NotificationError::Signature), "{wrong}");
        }
        let later = now + jiff::SignedDuration::from_secs(TOLERANCE + 1);
        assert_eq!(check(&signed, b"{}", later), Err(NotificationError::Time));
        assert_eq!(
            verify(&secret, &HeaderMap::new(), "stripe-signature", b"{}", now),
            Err(NotificationError::Signature)
        );
    }
}
