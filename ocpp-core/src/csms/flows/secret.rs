//! A text that must not show up in logs (1.6 security, A01.FR.09).

use alloc::string::String;
use core::fmt;

/// A password on its way to the station. Its `Debug` form hides it (2.1 part 2, A01.FR.09), and a snapshot never contains it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a password.
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }

    /// The password itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
