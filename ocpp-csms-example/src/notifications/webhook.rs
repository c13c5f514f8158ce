//! Webhooks: an event as JSON by POST, signed.

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use reqwest::Url;
use reqwest::redirect::Policy;
use sha2::Sha256;

use super::address::{PublicOnly, is_public};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends webhooks.
#[derive(Debug)]
pub(super) struct Webhooks {
    client: reqwest::Client,
    private_addresses: bool,
}

/// Why a target can be none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It is neither a URL nor an address.
    #[error("{0:?} is no target: give https://…, http://… or mailto:somebody@example.com")]
    Form(String),
    /// It is an address of a private network.
    #[error("{0} is an address of a private network: allow those with private_addresses, or give another")]
    Private(String),
    /// Mail is not set up.
    #[error("mail is not set up: name a server in the table notifications.mail of the configuration")]
    NoMail,
}

impl Webhooks {
    pub(super) fn new(private_addresses: bool) -> Self {
        // A redirect could lead anywhere, and whoever has a new address can say so.
        let builder = reqwest::Client::builder().timeout(TIMEOUT).redirect(Policy::none()).no_proxy();
        let builder = if private_addresses { builder } else { builder.dns_resolver(std::sync::Arc::new(PublicOnly)) };
        Self { client: builder.build().unwrap_or_default(), private_addresses }
    }

    /// Whether a webhook may go there, as far as the URL says.
    pub(super) fn check(&self, target: &str) -> Result<Url, TargetError> {
        let form = || TargetError::Form(target.to_owned());
        let url: Url = target.parse().map_err(|_| form())?;
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
            return Err(form());
        }
        let host = url.host_str().ok_or_else(form)?;
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse();
        match literal {
            Ok(address) if !self.private_addresses && !is_public(address) => {
                Err(TargetError::Private(address.to_string()))
            }
            _ => Ok(url),
        }
    }

    /// Tells somebody. `Err` says what went wrong, for people.
    pub(super) async fn send(
        &self,
        target: &str,
        secret: &str,
        id: &str,
        kind: &str,
        body: &str,
    ) -> Result<String, String> {
        let url = self.check(target).map_err(|error| error.to_string())?;
        let request = self
            .client
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-event", kind)
            .header("webhook-signature", signature(secret, Timestamp::now().as_second(), body))
            .body(body.to_owned());
        let answer = request.send().await.map_err(|error| root_cause(&error))?;
        let status = answer.status();
        if status.is_success() { Ok(status.to_string()) } else { Err(format!("answered {status}")) }
    }
}

/// `t=SECONDS,v1=HEX`: HMAC-SHA256 with the secret over the seconds since 1970, a full stop, and the body. Whoever receives it refuses old
/// ones, so that none can be played back.
pub(super) fn signature(secret: &str, seconds: i64, body: &str) -> String {
    // HMAC takes keys of any length.
    let signed = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .map(|mac| mac.chain_update(seconds.to_string()).chain_update(".").chain_update(body).finalize().into_bytes());
    let signed = signed.map(hex::encode).unwrap_or_default();
    format!("t={seconds},v1={signed}")
}

/// What is at the bottom of an error; the rest repeats the URL, which may hold a token.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let text = cause.to_string();
    if text.contains("://") { "the server cannot be reached".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_moment_and_the_body() {
        // echo -n '1780000000.{}' | openssl dgst -sha256 -hmac secret
        let signed = signature("secret", 1_780_000_000, "{}");
        assert!(signed.starts_with("t=1780000000,v1="));
        assert_eq!(signed.len(), "t=1780000000,v1=".len() + 64);
        assert_ne!(signed, signature("secret", 1_780_000_001, "{}").replace("001", "000"));
        assert_ne!(signed, signature("other", 1_780_000_000, "{}"));
        assert_ne!(signed, signature("secret", 1_780_000_000, "{ }"));
    }

    #[test]
    fn a_private_address_is_no_target_unless_it_is_allowed() {
        // As the server does at its start.
        let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
        for target in
            ["http://127.0.0.1/", "http://[::1]:80/", "https://10.0.0.1/hook", "http://169.254.169.254/latest"]
        {
            assert!(matches!(Webhooks::new(false).check(target), Err(TargetError::Private(_))), "{target}");
            assert!(Webhooks::new(true).check(target).is_ok());
        }
        // Other ways to write such an address are read by the URL parser.
        assert!(matches!(Webhooks::new(false).check("http://2130706433/"), Err(TargetError::Private(_))));
        for target in ["ftp://example.com/", "example.com", "https://user:secret@example.com/", "javascript:alert(1)"] {
            assert!(matches!(Webhooks::new(true).check(target), Err(TargetError::Form(_))), "{target}");
        }
    }
}
