//! Texts that an enumeration of the standard does not have.

use alloc::boxed::Box;
use core::fmt;
use core::ops::Deref;

/// The text of an enumeration's value that the standard does not have, kept as a peer sent it.
///
/// One pointer wide, so that enumerations stay small.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(clippy::box_collection)]
pub struct UnlistedValue(Box<Box<str>>);

impl From<&str> for UnlistedValue {
    fn from(text: &str) -> Self {
        Self(Box::new(text.into()))
    }
}

impl Deref for UnlistedValue {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for UnlistedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
