//! Security (1.6 security whitepaper edition 3; 2.1 part 2, block A): a concern a file.

mod events;
mod log;

pub use events::SecurityEvent;
pub use log::SecurityLogEntry;

pub(super) use log::SecurityLog;
