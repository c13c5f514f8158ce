//! Security: who the station says it is, and how it proves it (1.6 security, 7.1 to 7.6; 2.1 part 2, `SecurityCtrlr`).

use super::{COUNT, Definition, Key, Kind, SECONDS, row, variable};

/// Most characters of a chain of certificates (1.6 security, 7.3).
const CHAIN: Kind = Kind::Integer { minimum: 0, maximum: 10_000 };
const PROFILE: Kind = Kind::Integer { minimum: 0, maximum: 3 };

pub(super) const ROWS: &[Definition] = &[
    // 2.x changes it by network connection profiles only.
    row(Key::ActiveSecurityProfile, None, variable("SecurityCtrlr", "SecurityProfile"), PROFILE, "0").read_only(),
    row(
        Key::AdditionalRootCertificateCheck,
        Some("AdditionalRootCertificateCheck"),
        variable("SecurityCtrlr", "AdditionalRootCertificateCheck"),
        Kind::Boolean,
        "false",
    )
    .read_only(),
    row(
        Key::BasicAuthPassword,
        Some("AuthorizationKey"),
        variable("SecurityCtrlr", "BasicAuthPassword"),
        Kind::Text { maximum: 64 },
        "",
    )
    .write_only(),
    row(Key::CertSigningRepeatTimes, None, variable("SecurityCtrlr", "CertSigningRepeatTimes"), COUNT, "3"),
    row(Key::CertSigningWaitMinimum, None, variable("SecurityCtrlr", "CertSigningWaitMinimum"), SECONDS, "60")
        .unit("s"),
    row(Key::CertificateEntries, None, variable("SecurityCtrlr", "CertificateEntries"), COUNT, "0").read_only(),
    row(
        Key::CertificateSignedMaxChainSize,
        Some("CertificateSignedMaxChainSize"),
        variable("SecurityCtrlr", "MaxCertificateChainSize"),
        CHAIN,
        "10000",
    )
    .read_only(),
    row(Key::CertificateStoreMaxLength, Some("CertificateStoreMaxLength"), None, COUNT, "16").read_only(),
    row(Key::Identity, None, variable("SecurityCtrlr", "Identity"), Kind::Text { maximum: 48 }, "").read_only(),
    row(
        Key::OrganizationName,
        Some("CpoName"),
        variable("SecurityCtrlr", "OrganizationName"),
        Kind::Text { maximum: 500 },
        "",
    ),
    row(Key::SecurityProfile, Some("SecurityProfile"), None, PROFILE, "0"),
];
