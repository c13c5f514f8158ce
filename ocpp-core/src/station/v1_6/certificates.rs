//! Certificates and triggers of the security whitepaper for a 1.6 CSMS.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use ocpp_types::v1_6::{
    CertificateHashDataType, CertificateSignedRequest, CertificateSignedResponse, CertificateUseEnumType,
    DeleteCertificateRequest, DeleteCertificateResponse, ExtendedTriggerMessageRequest, ExtendedTriggerMessageResponse,
    GetInstalledCertificateIdsRequest, GetInstalledCertificateIdsResponse, GetInstalledCertificateStatusEnumType,
    HashAlgorithmEnumType, InstallCertificateRequest, InstallCertificateResponse, MessageTriggerEnumType,
    TriggerMessageStatusEnumType,
};
use ocpp_types::{Text, encode};

use crate::certificate_hash::CertificateHashData;
use crate::station::Station;
use crate::station::dialect::Answered;
use crate::station::remote::Wanted;
use crate::station::security::{CertificateOutcome, CertificateRequest, Installed, RootUse};

fn root_use(wire: &CertificateUseEnumType) -> Option<RootUse> {
    match wire {
        CertificateUseEnumType::CentralSystemRootCertificate => Some(RootUse::Csms),
        CertificateUseEnumType::ManufacturerRootCertificate => Some(RootUse::Manufacturer),
        _ => None,
    }
}

/// 1.6 security, A02, A03
pub(super) fn certificate_signed(station: &mut Station, request: CertificateSignedRequest) -> Answered {
    match station.certificate_signed(request.certificate_chain.to_string(), None) {
        Ok(request) => Answered::AfterCertificate(request),
        Err(()) => Answered::Now(certificate_answer(CertificateOutcome::Signed(false))),
    }
}

/// 1.6 security, M05.FR.01
pub(super) fn install_certificate(request: InstallCertificateRequest) -> Answered {
    match root_use(&request.certificate_type) {
        Some(root_use) => {
            let certificate = request.certificate.to_string();
            Answered::AfterCertificate(alloc::boxed::Box::new(CertificateRequest::Install { root_use, certificate }))
        }
        None => Answered::Now(certificate_answer(CertificateOutcome::Installed(Installed::Rejected))),
    }
}

pub(in crate::station) fn certificate_answer(outcome: CertificateOutcome) -> String {
    match outcome {
        CertificateOutcome::Installed(_) => encode(&InstallCertificateResponse::new(outcome.as_str().into())),
        CertificateOutcome::Signed(_) => encode(&CertificateSignedResponse::new(outcome.as_str().into())),
    }
}

/// 1.6 security, M04.FR.01
pub(super) fn delete_certificate(
    station: &mut Station,
    request: &DeleteCertificateRequest,
) -> DeleteCertificateResponse {
    let name = &request.certificate_hash_data;
    let hashes = [&*name.issuer_name_hash, &*name.issuer_key_hash, &*name.serial_number];
    let deleted = station.delete_certificate_of_hash(name.hash_algorithm.as_str(), hashes);
    DeleteCertificateResponse::new(deleted.as_str().into())
}

/// 1.6 security, M03.FR.01/02/03/04
pub(super) fn get_installed_certificate_ids(
    station: &Station,
    request: &GetInstalledCertificateIdsRequest,
) -> GetInstalledCertificateIdsResponse {
    let wanted = root_use(&request.certificate_type);
    let names: Vec<_> = match wanted {
        Some(root_use) => {
            station.certificates.names(&[root_use]).into_iter().map(|(_, name)| hash_data(name)).collect()
        }
        None => Vec::new(),
    };
    if names.is_empty() {
        return GetInstalledCertificateIdsResponse::new(GetInstalledCertificateStatusEnumType::NotFound);
    }
    let mut response = GetInstalledCertificateIdsResponse::new(GetInstalledCertificateStatusEnumType::Accepted);
    response.certificate_hash_data = Some(names);
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

/// 1.6 security, 5.7, 6.16, 6.17
pub(super) fn extended_trigger(
    station: &mut Station,
    request: &ExtendedTriggerMessageRequest,
) -> ExtendedTriggerMessageResponse {
    let wanted = match request.requested_message {
        MessageTriggerEnumType::BootNotification => Wanted::BootNotification,
        MessageTriggerEnumType::LogStatusNotification => Wanted::LogStatus,
        MessageTriggerEnumType::FirmwareStatusNotification => Wanted::FirmwareStatus,
        MessageTriggerEnumType::Heartbeat => Wanted::Heartbeat,
        MessageTriggerEnumType::MeterValues => Wanted::MeterValues,
        MessageTriggerEnumType::SignChargePointCertificate => Wanted::SignCertificate,
        MessageTriggerEnumType::StatusNotification => Wanted::StatusNotification,
        _ => return ExtendedTriggerMessageResponse::new(TriggerMessageStatusEnumType::NotImplemented),
    };
    let place = match request.connector_id {
        None => None,
        Some(number) => match station.by_through_number(number) {
            Some((evse, connector)) => Some((evse, Some(connector))),
            None => return ExtendedTriggerMessageResponse::new(TriggerMessageStatusEnumType::Rejected),
        },
    };
    ExtendedTriggerMessageResponse::new(if station.trigger(wanted, place) {
        TriggerMessageStatusEnumType::Accepted
    } else {
        TriggerMessageStatusEnumType::Rejected
    })
}
