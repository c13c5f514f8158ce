//! How charging is paid for.

mod prepaid;

pub use prepaid::{Effects, Happened, Prepaid, Stage};
