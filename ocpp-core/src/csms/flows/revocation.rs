//! Whether certificates are revoked: what a responder or a list says, as a station is told (M06, M07).

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use ocpp_types::v2_1::{
    CertificateHashDataType, CertificateStatusEnumType, CertificateStatusSourceEnumType, CertificateStatusType,
    GetCertificateChainStatusRequest, GetCertificateChainStatusResponse, GetCertificateStatusEnumType,
    GetCertificateStatusResponse,
};
use ocpp_types::{DateTime, Text, Version};

use super::question::{ChainStatus, ChainStatusRequest, OcspStatus};

/// A certificate of a chain that a station asks about.
#[derive(Debug)]
pub(in crate::csms) struct Check {
    hash: CertificateHashDataType,
    source: CertificateStatusSourceEnumType,
}

/// What the application is asked, and what is needed to answer.
pub(super) fn read(request: GetCertificateChainStatusRequest) -> (Vec<ChainStatusRequest>, Vec<Check>) {
    let mut asked = Vec::new();
    let mut checks = Vec::new();
    for info in request.certificate_status_requests {
        asked.push(ChainStatusRequest {
            certificate: (&info.certificate_hash_data).into(),
            source: info.source.to_string(),
            urls: info.urls.iter().map(ToString::to_string).collect(),
        });
        checks.push(Check { hash: info.certificate_hash_data, source: info.source });
    }
    (asked, checks)
}

/// The answer of a responder, as the station is told it.
pub(super) fn status(ocsp_response: Option<&[u8]>, version: Option<Version>) -> GetCertificateStatusResponse {
    let room = if version == Some(Version::V2_0_1) { 5_500 } else { 18_000 };
    let encoded = ocsp_response.filter(|der| is_sequence(der)).map(|der| BASE64_STANDARD.encode(der));
    let Some(result) = encoded.filter(|result| result.len() <= room).and_then(|result| Text::new(result).ok()) else {
        // M06.FR.04
        return GetCertificateStatusResponse::new(GetCertificateStatusEnumType::Failed);
    };
    // M06.FR.02, M06.FR.03
    let mut response = GetCertificateStatusResponse::new(GetCertificateStatusEnumType::Accepted);
    response.ocsp_result = Some(result);
    response
}

/// Whether this is one DER encoded sequence, as an OCSPResponse is (M06.FR.08, M06.FR.09; RFC 6960, 4.2.1).
fn is_sequence(der: &[u8]) -> bool {
    let Some((0x30, [first, rest @ ..])) = der.split_first() else { return false };
    let length_bytes = usize::from(first & 0x7F);
    if first & 0x80 == 0 {
        return rest.len() == length_bytes;
    }
    if length_bytes == 0 || length_bytes > 4 {
        return false;
    }
    let Some((length, content)) = rest.split_at_checked(length_bytes) else { return false };
    let length = length.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
    content.len() == length
}

/// What was found out about each certificate (M07.FR.08). What the application leaves out has failed.
pub(super) fn chain_status(
    checks: Vec<Check>,
    statuses: Vec<ChainStatus>,
    now: Timestamp,
) -> GetCertificateChainStatusResponse {
    let statuses = statuses.into_iter().map(Some).chain(core::iter::repeat_with(|| None));
    let answers = checks.into_iter().zip(statuses).map(|(check, status)| {
        let (status, next_update) = judge(&check, status, now);
        CertificateStatusType::new(check.hash, check.source, status, DateTime::from(next_update))
    });
    GetCertificateChainStatusResponse::new(answers.collect())
}

fn judge(check: &Check, status: Option<ChainStatus>, now: Timestamp) -> (CertificateStatusEnumType, Timestamp) {
    match status {
        // M07.FR.03
        Some(ChainStatus::Ocsp { status, next_update }) => {
            let status = match status {
                OcspStatus::Good => CertificateStatusEnumType::Good,
                OcspStatus::Revoked => CertificateStatusEnumType::Revoked,
                OcspStatus::Unknown => CertificateStatusEnumType::Unknown,
            };
            (status, next_update)
        }
        // M07.FR.06, M07.FR.07
        Some(ChainStatus::Crl { revoked, next_update }) => {
            let serial_number = plain(&check.hash.serial_number);
            let listed = revoked.iter().any(|revoked| plain(revoked).eq_ignore_ascii_case(&serial_number));
            let status = if listed { CertificateStatusEnumType::Revoked } else { CertificateStatusEnumType::Good };
            (status, next_update)
        }
        // M07.FR.02, M07.FR.05
        Some(ChainStatus::Failed) | None => (CertificateStatusEnumType::Failed, now),
    }
}

/// A serial number without what people put before it.
fn plain(serial_number: &str) -> String {
    serial_number.trim_start_matches("0x").trim_start_matches('0').into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// M06.FR.08, M06.FR.09
    #[test]
    fn only_a_whole_sequence_is_an_ocsp_response() {
        assert!(is_sequence(&[0x30, 0x03, 0x0A, 0x01, 0x00]));
        let mut long = [0; 4 + 300];
        long[..4].copy_from_slice(&[0x30, 0x82, 0x01, 0x2C]);
        assert!(is_sequence(&long));
        for wrong in [&[][..], &[0x30], &[0x31, 0x00], &[0x30, 0x02, 0x00], &[0x30, 0x80, 0x00], &[0x30, 0x82, 0x01]] {
            assert!(!is_sequence(wrong), "{wrong:?}");
        }
    }
}
