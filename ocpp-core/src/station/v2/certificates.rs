//! Certificates for a 2.x CSMS (blocks A and M).

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use ocpp_types::v2_1::{
    CertificateHashDataChainType, CertificateHashDataType, CertificateSignedRequest, CertificateSignedResponse,
    CertificateSigningUseEnumType, DeleteCertificateRequest, DeleteCertificateResponse, GetCertificateIdUseEnumType,
    GetInstalledCertificateIdsRequest, GetInstalledCertificateIdsResponse, GetInstalledCertificateStatusEnumType,
    HashAlgorithmEnumType, InstallCertificateRequest, InstallCertificateResponse, InstallCertificateUseEnumType,
};
use ocpp_types::{Text, encode};

use crate::certificate_hash::CertificateHashData;
use crate::station::Station;
use crate::station::dialect::Answered;
use crate::station::security::{CertificateOutcome, CertificateRequest, Installed, RootUse};

/// A02.FR.06, A02.FR.13, A02.FR.26
pub(super) fn certificate_signed(station: &mut Station, request: CertificateSignedRequest) -> Answered {
    let is_for_csms = request
        .certificate_type
        .is_none_or(|wanted| wanted == CertificateSigningUseEnumType::ChargingStationCertificate);
    let signed = station.certificate_signed(request.certificate_chain.to_string(), request.request_id);
    match signed {
        Ok(request) if is_for_csms => Answered::AfterCertificate(request),
        _ => Answered::Now(certificate_answer(CertificateOutcome::Signed(false))),
    }
}

/// M05.FR.01
pub(super) fn install_certificate(request: InstallCertificateRequest) -> Answered {
    let root_use = match request.certificate_type {
        InstallCertificateUseEnumType::CSMSRootCertificate => RootUse::Csms,
        InstallCertificateUseEnumType::ManufacturerRootCertificate => RootUse::Manufacturer,
        InstallCertificateUseEnumType::V2GRootCertificate => RootUse::V2g,
        InstallCertificateUseEnumType::MORootCertificate => RootUse::MobilityOperator,
        InstallCertificateUseEnumType::OEMRootCertificate => RootUse::Oem,
        _ => return Answered::Now(certificate_answer(CertificateOutcome::Installed(Installed::Rejected))),
    };
    let certificate = request.certificate.to_string();
    Answered::AfterCertificate(alloc::boxed::Box::new(CertificateRequest::Install { root_use, certificate }))
}

pub(in crate::station) fn certificate_answer(outcome: CertificateOutcome) -> String {
    match outcome {
        CertificateOutcome::Installed(_) => encode(&InstallCertificateResponse::new(outcome.as_str().into())),
        CertificateOutcome::Signed(_) => encode(&CertificateSignedResponse::new(outcome.as_str().into())),
    }
}

/// M04.FR.01
pub(super) fn delete_certificate(
    station: &mut Station,
    request: &DeleteCertificateRequest,
) -> DeleteCertificateResponse {
    let name = &request.certificate_hash_data;
    let hashes = [&*name.issuer_name_hash, &*name.issuer_key_hash, &*name.serial_number];
    let deleted = station.delete_certificate_of_hash(name.hash_algorithm.as_str(), hashes);
    DeleteCertificateResponse::new(deleted.as_str().into())
}

/// What a list of certificates calls the uses of roots.
const USES: [(RootUse, &str); 5] = [
    (RootUse::Csms, "CSMSRootCertificate"),
    (RootUse::Manufacturer, "ManufacturerRootCertificate"),
    (RootUse::V2g, "V2GRootCertificate"),
    (RootUse::MobilityOperator, "MORootCertificate"),
    (RootUse::Oem, "OEMRootCertificate"),
];

/// M03.FR.01 to M03.FR.04
pub(super) fn get_installed_certificate_ids(
    station: &Station,
    request: &GetInstalledCertificateIdsRequest,
) -> GetInstalledCertificateIdsResponse {
    let asked = request.certificate_type.as_deref().unwrap_or_default();
    let of_name = |wanted: &GetCertificateIdUseEnumType| USES.iter().find(|(_, name)| *name == wanted.as_str());
    let wanted: Vec<RootUse> = asked.iter().filter_map(of_name).map(|(root_use, _)| *root_use).collect();
    let names = if asked.is_empty() || !wanted.is_empty() { station.certificates.names(&wanted) } else { Vec::new() };
    if names.is_empty() {
        return GetInstalledCertificateIdsResponse::new(GetInstalledCertificateStatusEnumType::NotFound);
    }
    let mut response = GetInstalledCertificateIdsResponse::new(GetInstalledCertificateStatusEnumType::Accepted);
    let chain = names.into_iter().filter_map(|(root_use, name)| {
        let (_, wire) = USES.iter().find(|(known, _)| *known == root_use)?;
        Some(CertificateHashDataChainType::new(hash_data(name), GetCertificateIdUseEnumType::from(*wire)))
    });
    response.certificate_hash_data_chain = Some(chain.collect());
    response
}

fn hash_data(name: &CertificateHashData) -> CertificateHashDataType {
    CertificateHashDataType::new(
        HashAlgorithmEnumType::from(name.algorithm.as_str()),
        Text::truncated(&name.issuer_name_hash),
        Text::truncated(&name.issuer_key_hash),
        Text::truncated(&name.serial_number),
    )
}
