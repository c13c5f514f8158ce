//! Who may do what: drivers by their tokens, stations by their passwords, programs by the API token.

mod api_token;
mod decision;
mod mask;
mod password;
mod throttle;

pub use api_token::ApiToken;
pub use decision::authorize;
pub use mask::mask;
pub use password::PasswordKey;
pub use throttle::Throttle;

/// The system has no entropy to make a secret of.
#[derive(Debug, thiserror::Error)]
#[error("the operating system provides no random numbers: {0}")]
pub struct NoEntropy(String);

/// A secret of 256 bits.
fn secret() -> Result<[u8; 32], NoEntropy> {
    use rand::TryRng as _;
    let mut bytes = [0; 32];
    rand::rngs::SysRng.try_fill_bytes(&mut bytes).map_err(|error| NoEntropy(error.to_string()))?;
    Ok(bytes)
}
