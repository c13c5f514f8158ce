//! What differs between 2.0.1 and 2.1, as data.

use ocpp_types::Version;

/// The differences.
#[derive(Debug)]
pub(in crate::station) struct Rules {
    pub(super) version: Version,
    /// Whether the kind of a token is any text, and not one of a list.
    pub(super) open_token_types: bool,
    /// Whether a transaction that goes on after an interruption, or reaches a state of charge, has a trigger reason of its own.
    pub(super) has_new_trigger_reasons: bool,
    /// How many characters what a meter signed may have.
    pub(super) signed_data_limit: usize,
    /// Whether a request for a certificate has a number (A02.FR.24).
    pub(super) numbers_signing_requests: bool,
    /// Whether a reset can let transactions go on (B13).
    pub(super) has_resuming_reset: bool,
    /// Whether charging profiles can do what 2.1 has added: other purposes, limits that change, delays, rules for the time
    /// without a connection.
    pub(super) has_extended_profiles: bool,
}

const V2_1: Rules = Rules {
    version: Version::V2_1,
    open_token_types: true,
    has_new_trigger_reasons: true,
    numbers_signing_requests: true,
    has_resuming_reset: true,
    has_extended_profiles: true,
    signed_data_limit: 32_768,
};

const V2_0_1: Rules = Rules {
    version: Version::V2_0_1,
    open_token_types: false,
    has_new_trigger_reasons: false,
    numbers_signing_requests: false,
    has_resuming_reset: false,
    has_extended_profiles: false,
    signed_data_limit: 2_500,
};

impl Rules {
    /// The rules of a version.
    pub(in crate::station) const fn of(version: Version) -> &'static Self {
        match version {
            Version::V2_1 => &V2_1,
            Version::V2_0_1 | Version::V1_6 => &V2_0_1,
        }
    }
}
