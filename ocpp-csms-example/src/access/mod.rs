//! Who may do what: drivers by their tokens, stations by their passwords, programs by API tokens, people by signing in.

pub(crate) mod account;
mod actor;
mod api_token;
mod audit;
mod decision;
pub(crate) mod drivers;
pub(crate) mod entrance;
mod error;
pub(crate) mod gate;
mod guard;
mod mask;
pub(crate) mod onboarding;
pub(crate) mod operators;
mod password;
mod people;
pub(crate) mod portal;
mod scope;
mod throttle;
pub(crate) mod wallet;

pub use actor::{Actor, Who};
pub use api_token::ApiToken;
pub use decision::{Judgement, authorize, judge, payer};
pub use drivers::{Payer, Payment};
pub use error::AccessError;
pub(crate) use gate::Gate;
pub use gate::Refused;
pub(crate) use guard::Pages;
pub use guard::{Needs, PageRule};
pub use mask::mask;
pub use password::PasswordKey;
pub use scope::{Role, Scope, Scopes};
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
