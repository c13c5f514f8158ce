//! The bearer token of the REST interface.
//!
//! It has 256 random bits, or is as good as the operator chose it; so a plain SHA-256 of it is kept, and a request is
//! compared in constant time.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::NoEntropy;

/// What a bearer token is compared with.
#[derive(Clone)]
pub struct ApiToken {
    digest: [u8; 32],
}

impl std::fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiToken")
    }
}

impl ApiToken {
    /// The token that the operator chose.
    #[must_use]
    pub fn chosen(token: &str) -> Self {
        Self { digest: Sha256::digest(token.as_bytes()).into() }
    }

    /// A new token, and its text, which is shown once.
    ///
    /// # Errors
    /// When the system has no entropy.
    pub fn generate() -> Result<(Self, String), NoEntropy> {
        let text = URL_SAFE_NO_PAD.encode(super::secret()?);
        Ok((Self::chosen(&text), text))
    }

    /// What is kept of it.
    #[must_use]
    pub fn to_stored(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.digest)
    }

    /// The token that was kept; `None` when the text is not what [`Self::to_stored`] makes.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        let digest = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        Some(Self { digest })
    }

    /// Whether this is the token, in a time that does not tell how much of it is right.
    #[must_use]
    pub fn matches(&self, presented: &str) -> bool {
        let digest: [u8; 32] = Sha256::digest(presented.as_bytes()).into();
        digest.ct_eq(&self.digest).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_being_stored_and_only_itself_matches() {
        let (token, text) = ApiToken::generate().unwrap();
        let stored = token.to_stored();
        assert!(!stored.contains(&text));
        let token = ApiToken::from_stored(&stored).unwrap();
        assert!(token.matches(&text));
        assert!(!token.matches(&text[1..]));
        assert!(!token.matches(""));
    }

    #[test]
    fn two_generated_tokens_differ() {
        assert_ne!(ApiToken::generate().unwrap().1, ApiToken::generate().unwrap().1);
    }
}
