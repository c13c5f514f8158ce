//! Uploading logs (2.1 part 2, N01; 1.6 edition 2, 4.4 and 5.9; 1.6 security, N01).
//!
//! The engine owns the attempts and what the CSMS is told. The integrator knows which logs there are, writes the file and moves it.

mod interface;
mod upload;

pub use interface::{LogKind, LogStatus, LogWanted, Upload, UploadFailure, UploadId, UploadOutcome};
pub(super) use upload::{LogOutcome, LogRequest, Logs};
