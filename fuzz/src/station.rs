//! A station at which somebody charges, under a CSMS that sends and answers anything. What that is and what must hold is
//! written once, for a property test of the library as well.

#[path = "../../ocpp-core/tests/it/hostile/mod.rs"]
#[allow(unreachable_pub, clippy::unwrap_used, reason = "it is a test")]
mod hostile;

use ocpp_core::types::Version;

/// Lets a CSMS of the version that the first byte says do what the others say.
pub fn check(data: &[u8]) {
    if let Some((version, rest)) = data.split_first() {
        hostile::check(Version::ALL[usize::from(*version) % Version::ALL.len()], rest);
    }
}
