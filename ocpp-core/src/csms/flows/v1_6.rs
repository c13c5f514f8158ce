//! Calls of flows to a 1.6 station (edition 2, chapter 5; security whitepaper, chapter 5).

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use ocpp_types::DateTime;
use ocpp_types::v1_6::{
    CertificateHashDataType, CertificateSignedRequest, CertificateUseEnumType, DeleteCertificateRequest, FirmwareType,
    GetDiagnosticsRequest, GetInstalledCertificateIdsRequest, GetLogRequest, HashAlgorithmEnumType,
    InstallCertificateRequest, LogEnumType, LogParametersType, SignedUpdateFirmwareRequest, StationResponse,
    UpdateFirmwareRequest,
};

use super::call::{FlowAnswer, FlowCall, seconds};
use super::certificates::{CertificateHash, InstalledCertificate};
use super::flow::{FirmwareSignature, FirmwareUpdate, LogRetrieval};
use crate::csms::command::{CallOutcome, CallResult};
use crate::csms::dialect::{self, AnswerForm};
use crate::csms::message::{AnswerMessage, CallMessage};
use crate::csms::wire::{bounded, invalid};

pub(super) fn write(call: &FlowCall) -> Result<CallMessage, CallOutcome> {
    Ok(match call {
        FlowCall::Command(command) => {
            let call = dialect::write_call(ocpp_types::Version::V1_6, command)?;
            return call.message.ok_or(CallOutcome::NotSupported);
        }
        FlowCall::CertificateSigned(delivery) => {
            CallMessage::v1_6(CertificateSignedRequest::new(bounded("/certificateChain", &delivery.chain)?))
        }
        FlowCall::InstallCertificate(installation) => {
            let kind = certificate_use(&installation.kind)?;
            let certificate = bounded("/certificate", &installation.certificate)?;
            CallMessage::v1_6(InstallCertificateRequest::new(kind, certificate))
        }
        FlowCall::DeleteCertificate(hash) => CallMessage::v1_6(DeleteCertificateRequest::new(hash_data(hash)?)),
        FlowCall::InstalledCertificates(kinds) => {
            let kind = kinds.first().map(|kind| certificate_use(kind)).transpose()?;
            let kind = kind.unwrap_or(CertificateUseEnumType::CentralSystemRootCertificate);
            CallMessage::v1_6(GetInstalledCertificateIdsRequest::new(kind))
        }
        FlowCall::UpdateFirmware { request_id, update } => match &update.signature {
            Some(signature) => signed_update(*request_id, update, signature)?,
            None => {
                let mut request =
                    UpdateFirmwareRequest::new(update.location.clone(), DateTime::from(update.retrieve_at));
                request.retries = update.retries;
                request.retry_interval = seconds(update.retry_interval);
                CallMessage::v1_6(request)
            }
        },
        FlowCall::GetLog { request_id, log } => match &log.kind {
            Some(kind) => get_log(*request_id, log, kind)?,
            None => {
                let mut request = GetDiagnosticsRequest::new(log.location.clone());
                request.retries = log.retries;
                request.retry_interval = seconds(log.retry_interval);
                request.start_time = log.oldest.map(DateTime::from);
                request.stop_time = log.latest.map(DateTime::from);
                CallMessage::v1_6(request)
            }
        },
        FlowCall::SendLocalList { version, update, entries } => {
            CallMessage::v1_6(crate::csms::v1_6::local_list(*version, update, entries)?)
        }
        _ => return Err(CallOutcome::NotSupported),
    })
}

/// L01.FR.11 of the whitepaper: the signing certificate goes with it.
fn signed_update(
    request_id: i64,
    update: &FirmwareUpdate,
    signature: &FirmwareSignature,
) -> Result<CallMessage, CallOutcome> {
    let mut firmware = FirmwareType::new(
        bounded("/firmware/location", &update.location)?,
        DateTime::from(update.retrieve_at),
        bounded("/firmware/signingCertificate", &signature.certificate)?,
        bounded("/firmware/signature", &signature.signature)?,
    );
    firmware.install_date_time = update.install_at.map(DateTime::from);
    let mut request = SignedUpdateFirmwareRequest::new(request_id, firmware);
    request.retries = update.retries;
    request.retry_interval = seconds(update.retry_interval);
    Ok(CallMessage::v1_6(request))
}

fn get_log(request_id: i64, log: &LogRetrieval, kind: &str) -> Result<CallMessage, CallOutcome> {
    let kind = match LogEnumType::from(kind) {
        LogEnumType::Unlisted(_) => return Err(invalid("/logType", "1.6 has DiagnosticsLog and SecurityLog")),
        kind => kind,
    };
    let mut parameters = LogParametersType::new(bounded("/log/remoteLocation", &log.location)?);
    parameters.oldest_timestamp = log.oldest.map(DateTime::from);
    parameters.latest_timestamp = log.latest.map(DateTime::from);
    let mut request = GetLogRequest::new(parameters, kind, request_id);
    request.retries = log.retries;
    request.retry_interval = seconds(log.retry_interval);
    Ok(CallMessage::v1_6(request))
}

/// The kinds of 1.6, also by the names that 2.x gives them.
fn certificate_use(kind: &str) -> Result<CertificateUseEnumType, CallOutcome> {
    match kind {
        "CentralSystemRootCertificate" | "CSMSRootCertificate" => {
            Ok(CertificateUseEnumType::CentralSystemRootCertificate)
        }
        "ManufacturerRootCertificate" => Ok(CertificateUseEnumType::ManufacturerRootCertificate),
        other => Err(invalid("/certificateType", other.to_string() + " is not known to 1.6")),
    }
}

fn hash_data(hash: &CertificateHash) -> Result<CertificateHashDataType, CallOutcome> {
    let algorithm = match HashAlgorithmEnumType::from(&*hash.algorithm) {
        HashAlgorithmEnumType::Unlisted(_) => {
            return Err(invalid("/certificateHashData/hashAlgorithm", "SHA256, SHA384 or SHA512"));
        }
        algorithm => algorithm,
    };
    Ok(CertificateHashDataType::new(
        algorithm,
        bounded("/certificateHashData/issuerNameHash", &hash.issuer_name)?,
        bounded("/certificateHashData/issuerKeyHash", &hash.issuer_key)?,
        bounded("/certificateHashData/serialNumber", &hash.serial_number)?,
    ))
}

pub(super) fn read(response: StationResponse) -> FlowAnswer {
    let (status, file) = match response {
        StationResponse::CertificateSigned(response) => (response.status.to_string(), None),
        StationResponse::DeleteCertificate(response) => (response.status.to_string(), None),
        StationResponse::InstallCertificate(response) => (response.status.to_string(), None),
        StationResponse::SignedUpdateFirmware(response) => (response.status.to_string(), None),
        StationResponse::GetLog(response) => {
            (response.status.to_string(), response.filename.map(|name| name.to_string()))
        }
        // Its file's name is its status.
        StationResponse::GetDiagnostics(response) => {
            let status = if response.file_name.is_some() { "Accepted" } else { "NoFile" };
            (status.to_string(), response.file_name.map(|name| name.to_string()))
        }
        StationResponse::SendLocalList(response) => (response.status.to_string(), None),
        StationResponse::GetLocalListVersion(response) => return FlowAnswer::ListVersion(response.list_version),
        StationResponse::UpdateFirmware(_) => (String::from("Accepted"), None),
        StationResponse::GetInstalledCertificateIds(response) => {
            let hashes = response.certificate_hash_data.unwrap_or_default();
            // The kind is the one that was asked for.
            let installed = |data: CertificateHashDataType| InstalledCertificate {
                kind: String::new(),
                hash: hash(data),
                children: Vec::new(),
            };
            return FlowAnswer::Certificates(hashes.into_iter().map(installed).collect());
        }
        other => return command_answer(other),
    };
    FlowAnswer::Status { status, reason: None, file }
}

pub(super) fn hash(data: CertificateHashDataType) -> CertificateHash {
    CertificateHash {
        algorithm: data.hash_algorithm.to_string(),
        issuer_name: data.issuer_name_hash.to_string(),
        issuer_key: data.issuer_key_hash.to_string(),
        serial_number: data.serial_number.to_string(),
    }
}

/// The answer to what a single command does.
fn command_answer(response: StationResponse) -> FlowAnswer {
    let form = match &response {
        StationResponse::GetConfiguration(_) => AnswerForm::Configuration,
        _ => AnswerForm::Status(&[]),
    };
    match dialect::meaning(&form, AnswerMessage::V1_6(response.into())) {
        CallResult::Refused { status, reason } => FlowAnswer::Status { status, reason, file: None },
        CallResult::Configuration { settings, .. } => FlowAnswer::Settings(settings),
        _ => FlowAnswer::Empty,
    }
}
