//! Security (1.6 security whitepaper edition 3; 2.1 part 2, block A): a concern a file.

mod access;
mod certificates;
mod events;
mod log;
mod password;
mod signing;

pub use access::{ClientCertificate, ConnectionFailure};
pub use certificates::{CertificateFacts, RootCertificate, RootUse, StationCertificate};
pub use events::SecurityEvent;
pub use log::SecurityLogEntry;
pub use password::Password;
pub use signing::{CertificateToJudge, SigningRequestWanted};

pub(super) use access::Access;
pub(super) use certificates::Certificates;
#[cfg(any(feature = "v1_6", feature = "v2_0_1", feature = "v2_1"))]
pub(super) use certificates::Installed;
pub(super) use log::SecurityLog;
pub(super) use signing::{CertificateOutcome, CertificateRequest, Signing};
