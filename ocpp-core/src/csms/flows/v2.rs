//! Calls of flows to a 2.x station (2.1 part 2, blocks A, B, L, M, N).

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use ocpp_types::v2_1::{
    AdjustPeriodicEventStreamRequest, CertificateHashDataType, CertificateSignedRequest, CertificateSigningUseEnumType,
    ClearVariableMonitoringRequest, CustomerInformationRequest, DeleteCertificateRequest, FirmwareType,
    GetCertificateIdUseEnumType, GetInstalledCertificateIdsRequest, GetLogRequest, GetMonitoringReportRequest,
    GetPeriodicEventStreamRequest, IdTokenType, InstallCertificateRequest, InstallCertificateUseEnumType, LogEnumType,
    LogParametersType, MonitoringBaseEnumType, PeriodicEventStreamParamsType, PublishFirmwareRequest,
    SetMonitoringBaseRequest, SetMonitoringLevelRequest, SetNetworkProfileRequest, SetVariableMonitoringRequest,
    StationResponse, StatusInfoType, UnpublishFirmwareRequest, UpdateFirmwareRequest,
};
use ocpp_types::{DateTime, Version};

use super::call::{FlowAnswer, FlowCall, seconds};
use super::certificates::{CertificateHash, InstalledCertificate};
use super::flow::{CertificateDelivery, Customer, FirmwareUpdate, LogRetrieval};
use crate::csms::command::{CallOutcome, CallResult};
use crate::csms::dialect::{self, AnswerForm};
use crate::csms::message::{AnswerMessage, CallMessage};
use crate::csms::operations::write_local_list;
use crate::csms::wire::{bounded, invalid};

/// Commands are written on the messages of 2.1; what 2.0.1 can't say of them is found when the call is encoded.
#[cfg(feature = "v2_1")]
const COMMANDS: Version = Version::V2_1;
#[cfg(not(feature = "v2_1"))]
const COMMANDS: Version = Version::V2_0_1;

pub(super) fn write(call: &FlowCall) -> Result<CallMessage, CallOutcome> {
    Ok(match call {
        FlowCall::Command(command) => {
            return dialect::write_call(COMMANDS, command)?.message.ok_or(CallOutcome::NotSupported);
        }
        // B09.FR.01, B09.FR.14
        FlowCall::SetNetworkProfile { slot, profile } => {
            CallMessage::v2(SetNetworkProfileRequest::new(*slot, (**profile).clone()))
        }
        FlowCall::CertificateSigned(delivery) => CallMessage::v2(certificate_signed(delivery)?),
        FlowCall::InstallCertificate(installation) => {
            let kind = match &*installation.kind {
                "CentralSystemRootCertificate" => "CSMSRootCertificate",
                kind => kind,
            };
            let kind = match InstallCertificateUseEnumType::from(kind) {
                InstallCertificateUseEnumType::Unlisted(kind) => {
                    return Err(invalid("/certificateType", format!("{} is not known to 2.x", &*kind)));
                }
                kind => kind,
            };
            let certificate = bounded("/certificate", &installation.certificate)?;
            CallMessage::v2(InstallCertificateRequest::new(kind, certificate))
        }
        FlowCall::DeleteCertificate(hash) => CallMessage::v2(DeleteCertificateRequest::new(hash_data(hash)?)),
        FlowCall::InstalledCertificates(kinds) => {
            let mut request = GetInstalledCertificateIdsRequest::new();
            let known = |kind: &String| match GetCertificateIdUseEnumType::from(&**kind) {
                GetCertificateIdUseEnumType::Unlisted(kind) => {
                    Err(invalid("/certificateType", format!("{} is not known to 2.x", &*kind)))
                }
                kind => Ok(kind),
            };
            let kinds = kinds.iter().map(known).collect::<Result<Vec<_>, _>>()?;
            request.certificate_type = (!kinds.is_empty()).then_some(kinds);
            CallMessage::v2(request)
        }
        FlowCall::UpdateFirmware { request_id, update } => CallMessage::v2(update_firmware(*request_id, update)?),
        FlowCall::PublishFirmware { request_id, publication } => {
            let location = bounded("/location", &publication.location)?;
            let checksum = bounded("/checksum", &publication.checksum)?;
            let mut request = PublishFirmwareRequest::new(location, checksum, *request_id);
            request.retries = publication.retries;
            request.retry_interval = seconds(publication.retry_interval);
            CallMessage::v2(request)
        }
        // L04.FR.01
        FlowCall::UnpublishFirmware { checksum } => {
            CallMessage::v2(UnpublishFirmwareRequest::new(bounded("/checksum", checksum)?))
        }
        FlowCall::GetLog { request_id, log } => CallMessage::v2(get_log(*request_id, log)?),
        FlowCall::CustomerInformation { request_id, customer, report, clear } => {
            CallMessage::v2(customer_information(*request_id, customer, *report, *clear)?)
        }
        FlowCall::SetMonitoringBase { base } => {
            let base = match MonitoringBaseEnumType::from(&**base) {
                MonitoringBaseEnumType::Unlisted(_) => {
                    return Err(invalid("/monitoringBase", "All, FactoryDefault or HardWiredOnly"));
                }
                base => base,
            };
            CallMessage::v2(SetMonitoringBaseRequest::new(base))
        }
        FlowCall::SetMonitoringLevel { severity } => {
            // N03.FR.01: 0 is the most severe, 9 the least.
            if !(0..=9).contains(severity) {
                return Err(invalid("/severity", "0 to 9"));
            }
            CallMessage::v2(SetMonitoringLevelRequest::new(*severity))
        }
        // N04.FR.02: what comes back names the same variables.
        FlowCall::SetMonitors(monitors) => CallMessage::v2(SetVariableMonitoringRequest::new(monitors.clone())),
        FlowCall::ClearMonitors(ids) => CallMessage::v2(ClearVariableMonitoringRequest::new(ids.clone())),
        FlowCall::GetMonitors { request_id, criteria, variables } => {
            // N02.FR.05, N02.FR.06, N02.FR.08, N02.FR.11: what is left out limits nothing. N02.FR.12, N02.FR.13, N02.FR.14
            let mut request = GetMonitoringReportRequest::new(*request_id);
            request.monitoring_criteria = (!criteria.is_empty()).then(|| criteria.clone());
            request.component_variable = (!variables.is_empty()).then(|| variables.clone());
            CallMessage::v2(request)
        }
        // N14.FR.01
        FlowCall::AdjustEventStream { id, interval, values } => {
            let mut parameters = PeriodicEventStreamParamsType::new();
            parameters.interval = *interval;
            parameters.values = *values;
            CallMessage::v2(AdjustPeriodicEventStreamRequest::new(*id, parameters))
        }
        FlowCall::GetEventStreams => CallMessage::v2(GetPeriodicEventStreamRequest::new()),
        FlowCall::SendLocalList { version, update, entries } => {
            return write_local_list(Some(COMMANDS), *version, update.clone(), entries.clone());
        }
    })
}

fn certificate_signed(delivery: &CertificateDelivery) -> Result<CertificateSignedRequest, CallOutcome> {
    let mut request = CertificateSignedRequest::new(bounded("/certificateChain", &delivery.chain)?);
    // A02.FR.14, A03.FR.14
    request.certificate_type = delivery.purpose.certificate_type().map(CertificateSigningUseEnumType::from);
    // A02.FR.25, A03.FR.21
    request.request_id = delivery.request_id;
    Ok(request)
}

fn update_firmware(request_id: i64, update: &FirmwareUpdate) -> Result<UpdateFirmwareRequest, CallOutcome> {
    let location = bounded("/firmware/location", &update.location)?;
    let mut firmware = FirmwareType::new(location, DateTime::from(update.retrieve_at));
    firmware.install_date_time = update.install_at.map(DateTime::from);
    if let Some(signature) = &update.signature {
        // L01.FR.09, L01.FR.11
        firmware.signing_certificate = Some(bounded("/firmware/signingCertificate", &signature.certificate)?);
        firmware.signature = Some(bounded("/firmware/signature", &signature.signature)?);
    }
    let mut request = UpdateFirmwareRequest::new(request_id, firmware);
    request.retries = update.retries;
    request.retry_interval = seconds(update.retry_interval);
    Ok(request)
}

fn get_log(request_id: i64, log: &LogRetrieval) -> Result<GetLogRequest, CallOutcome> {
    let mut parameters = LogParametersType::new(bounded("/log/remoteLocation", &log.location)?);
    parameters.oldest_timestamp = log.oldest.map(DateTime::from);
    parameters.latest_timestamp = log.latest.map(DateTime::from);
    let kind = match LogEnumType::from(log.kind.as_deref().unwrap_or("DiagnosticsLog")) {
        LogEnumType::Unlisted(kind) => return Err(invalid("/logType", format!("{} is not known to 2.x", &*kind))),
        kind => kind,
    };
    let mut request = GetLogRequest::new(parameters, kind, request_id);
    request.retries = log.retries;
    request.retry_interval = seconds(log.retry_interval);
    Ok(request)
}

/// N09.FR.04, N10.FR.08: the type of the customer leaves room for exactly one reference.
fn customer_information(
    request_id: i64,
    customer: &Customer,
    report: bool,
    clear: bool,
) -> Result<CustomerInformationRequest, CallOutcome> {
    let mut request = CustomerInformationRequest::new(request_id, report, clear);
    match customer {
        Customer::Token(token) => {
            let kind = token.kind.as_deref().unwrap_or("Central");
            let token = IdTokenType::new(bounded("/idToken/idToken", &token.id)?, bounded("/idToken/type", kind)?);
            request.id_token = Some(Box::new(token));
        }
        // N09.FR.08, N10.FR.09
        Customer::Certificate(hash) => request.customer_certificate = Some(Box::new(hash_data(hash)?)),
        Customer::Identifier(identifier) => {
            request.customer_identifier = Some(bounded("/customerIdentifier", identifier)?);
        }
    }
    Ok(request)
}

pub(super) fn hash_data(hash: &CertificateHash) -> Result<CertificateHashDataType, CallOutcome> {
    Ok(CertificateHashDataType::new(
        (&*hash.algorithm).into(),
        bounded("/certificateHashData/issuerNameHash", &hash.issuer_name)?,
        bounded("/certificateHashData/issuerKeyHash", &hash.issuer_key)?,
        bounded("/certificateHashData/serialNumber", &hash.serial_number)?,
    ))
}

pub(super) fn hash(data: &CertificateHashDataType) -> CertificateHash {
    CertificateHash {
        algorithm: data.hash_algorithm.to_string(),
        issuer_name: data.issuer_name_hash.to_string(),
        issuer_key: data.issuer_key_hash.to_string(),
        serial_number: data.serial_number.to_string(),
    }
}

pub(super) fn read(response: StationResponse) -> FlowAnswer {
    let (status, info, file) = match response {
        StationResponse::SetNetworkProfile(response) => (response.status.to_string(), response.status_info, None),
        StationResponse::CertificateSigned(response) => (response.status.to_string(), response.status_info, None),
        StationResponse::InstallCertificate(response) => (response.status.to_string(), response.status_info, None),
        StationResponse::DeleteCertificate(response) => (response.status.to_string(), response.status_info, None),
        StationResponse::UpdateFirmware(response) => (response.status.to_string(), response.status_info, None),
        StationResponse::PublishFirmware(response) => (response.status.to_string(), response.status_info, None),
        StationResponse::UnpublishFirmware(response) => (response.status.to_string(), None, None),
        StationResponse::GetLog(response) => {
            let file = response.filename.map(|name| name.to_string());
            (response.status.to_string(), response.status_info, file)
        }
        StationResponse::CustomerInformation(response) => (response.status.to_string(), response.status_info, None),
        StationResponse::SetMonitoringBase(response) => (response.status.to_string(), response.status_info, None),
        StationResponse::SetChargingProfile(response) => (response.status.to_string(), response.status_info, None),
        StationResponse::SetMonitoringLevel(response) => (response.status.to_string(), response.status_info, None),
        StationResponse::GetMonitoringReport(response) => (response.status.to_string(), response.status_info, None),
        StationResponse::AdjustPeriodicEventStream(response) => {
            (response.status.to_string(), response.status_info, None)
        }
        StationResponse::SendLocalList(response) => (response.status.to_string(), response.status_info, None),
        StationResponse::GetLocalListVersion(response) => return FlowAnswer::ListVersion(response.version_number),
        StationResponse::SetVariableMonitoring(response) => {
            return FlowAnswer::Monitors(response.set_monitoring_result);
        }
        StationResponse::ClearVariableMonitoring(response) => {
            return FlowAnswer::Cleared(response.clear_monitoring_result);
        }
        StationResponse::GetPeriodicEventStream(response) => {
            return FlowAnswer::EventStreams(response.constant_stream_data.unwrap_or_default());
        }
        StationResponse::GetInstalledCertificateIds(response) => {
            let chains = response.certificate_hash_data_chain.unwrap_or_default();
            let installed = chains.iter().map(|chain| InstalledCertificate {
                kind: chain.certificate_type.to_string(),
                hash: hash(&chain.certificate_hash_data),
                children: chain.child_certificate_hash_data.iter().flatten().map(hash).collect(),
            });
            return FlowAnswer::Certificates(installed.collect());
        }
        other => return command_answer(other),
    };
    FlowAnswer::Status { status, reason: info.as_ref().map(reason), file }
}

fn reason(info: &StatusInfoType) -> String {
    match &info.additional_info {
        Some(words) => format!("{}: {words}", info.reason_code),
        None => info.reason_code.to_string(),
    }
}

/// The answer to what a single command does.
fn command_answer(response: StationResponse) -> FlowAnswer {
    let form = match &response {
        StationResponse::GetVariables(_) => AnswerForm::Configuration,
        _ => AnswerForm::Status(&[]),
    };
    match dialect::meaning(&form, AnswerMessage::V2(response.into())) {
        CallResult::Refused { status, reason } => FlowAnswer::Status { status, reason, file: None },
        CallResult::Configuration { settings, .. } => FlowAnswer::Settings(settings),
        _ => FlowAnswer::Empty,
    }
}
