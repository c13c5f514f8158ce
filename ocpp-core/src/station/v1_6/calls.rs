//! What a station says in 1.6, and what it hears in answer (edition 2, chapter 4).

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use jiff::Timestamp;
use ocpp_types::v1_6::{
    AuthorizationStatus, AuthorizeRequest, AuthorizeResponse, BootNotificationRequest, BootNotificationResponse,
    ChargePointErrorCode, ChargePointStatus, DataTransferResponse, GenericStatusEnumType, HeartbeatRequest,
    HeartbeatResponse, IdTagInfo, Location, Measurand, MeterValue, MeterValuesRequest, Phase, ReadingContext, Reason,
    RegistrationStatus, SampledValue, SecurityEventNotificationRequest, SignCertificateRequest,
    SignCertificateResponse, StartTransactionRequest, StartTransactionResponse, StationRequest,
    StatusNotificationRequest, StopTransactionRequest, StopTransactionResponse, UnitOfMeasure, ValueFormat,
};
use ocpp_types::{Conformance, DateTime, Message, Text, Version, decode};
use rust_decimal::prelude::ToPrimitive;
use serde::Serialize;

use super::{firmware, logs, vendor_messages};
use crate::station::calls::{Call, Reply, StatusReport, TokenInfo};
use crate::station::event::{ConnectorStatus, Registration};
use crate::station::metering::{self, Context};
use crate::station::progress::ProgressReport;
use crate::station::reading::Sample;
use crate::station::transactions::{Stage, StoppedReason, TransactionMessage, Trigger};
use crate::station::{Product, SignedValue, Station};

/// Action and payload of a call, `None` where 1.6 has no message for it.
pub(in crate::station) fn encode(station: &Station, call: &Call) -> Option<(&'static str, String)> {
    let request: StationRequest = match call {
        Call::Boot(_) => boot_notification(&station.config.product).into(),
        Call::Heartbeat => HeartbeatRequest::new().into(),
        Call::VendorMessage { message, .. } => vendor_messages::request(message).into(),
        Call::Status(report) => status_notification(station, report).into(),
        Call::LocalListConflict(report) => {
            let mut request = status_notification(station, report);
            request.error_code = ChargePointErrorCode::LocalListConflict;
            request.into()
        }
        Call::Authorize { token, .. } => AuthorizeRequest::new(Text::truncated(&token.value)).into(),
        Call::Transaction { message, csms_id, .. } => transaction_message(station, message, *csms_id)?,
        Call::MeterValues { evse, connector, csms_id, value, .. } => {
            let connector = if *evse == 0 { 0 } else { station.through_number(*evse, *connector).into() };
            let mut request = MeterValuesRequest::new(connector, alloc::vec![meter_value(value)]);
            request.transaction_id = *csms_id;
            request.into()
        }
        // A lock that fails is part of the status (4.9), and there is no device model.
        Call::SignCertificate { csr, .. } => SignCertificateRequest::new(Text::truncated(csr)).into(),
        Call::SecurityEvent { event, at, info, .. } => {
            let name = event.name(Version::V1_6);
            let mut request = SecurityEventNotificationRequest::new(Text::truncated(&name), (*at).into());
            request.tech_info = info.as_deref().map(Text::truncated);
            request.into()
        }
        Call::LockProblem { .. }
        | Call::ReservationUpdate { .. }
        | Call::Report(_)
        | Call::ChargingProfiles(_)
        | Call::ChargingLimit(_)
        | Call::PriorityCharging { .. }
        | Call::PullValues { .. }
        | Call::VehicleNeeds { .. }
        | Call::VehiclePlan { .. } => {
            return None;
        }
        Call::Progress { report: ProgressReport::Firmware(report), .. } => firmware::status(report)?,
        Call::Progress { report: ProgressReport::Log(report), .. } => logs::status(report)?,
    };
    Some((request.action(), request.encode()))
}

/// 1.6 edition 2, 4.2
fn boot_notification(product: &Product) -> BootNotificationRequest {
    let mut request =
        BootNotificationRequest::new(Text::truncated(&product.vendor_name), Text::truncated(&product.model));
    request.charge_point_serial_number = product.serial_number.as_deref().map(Text::truncated);
    request.firmware_version = product.firmware_version.as_deref().map(Text::truncated);
    request.iccid = product.iccid.as_deref().map(Text::truncated);
    request.imsi = product.imsi.as_deref().map(Text::truncated);
    request.meter_type = product.meter_type.as_deref().map(Text::truncated);
    request.meter_serial_number = product.meter_serial_number.as_deref().map(Text::truncated);
    request
}

/// 1.6 edition 2, 4.9
fn status_notification(station: &Station, report: &StatusReport) -> StatusNotificationRequest {
    let connector = if report.evse == 0 { 0 } else { station.through_number(report.evse, report.connector) };
    let status = match report.status {
        ConnectorStatus::Available => ChargePointStatus::Available,
        ConnectorStatus::Preparing => ChargePointStatus::Preparing,
        ConnectorStatus::Charging => ChargePointStatus::Charging,
        ConnectorStatus::SuspendedEvse => ChargePointStatus::SuspendedEVSE,
        ConnectorStatus::SuspendedEv => ChargePointStatus::SuspendedEV,
        ConnectorStatus::Finishing => ChargePointStatus::Finishing,
        ConnectorStatus::Reserved => ChargePointStatus::Reserved,
        ConnectorStatus::Unavailable => ChargePointStatus::Unavailable,
        ConnectorStatus::Faulted => ChargePointStatus::Faulted,
    };
    let error = report.fault.as_ref().map_or(ChargePointErrorCode::NoError, |fault| fault.code.as_str().into());
    let mut request = StatusNotificationRequest::new(connector.into(), error, status);
    request.timestamp = Some(report.at.into());
    let info = report.fault.as_ref().and_then(|fault| fault.info.as_deref()).or(report.info);
    request.info = info.map(Text::truncated);
    if let Some(code) = report.fault.as_ref().and_then(|fault| fault.vendor_error_code.as_deref()) {
        request.vendor_error_code = Some(Text::truncated(code));
        request.vendor_id = Some(Text::truncated(&station.config.product.vendor_name));
    }
    request
}

/// What 1.6 says about a transaction: its beginning, its end, and in between only what the meter says.
fn transaction_message(
    station: &Station,
    message: &TransactionMessage,
    csms_id: Option<i64>,
) -> Option<StationRequest> {
    let connector = i64::from(station.through_number(message.evse, message.connector.unwrap_or(1)));
    // Whole Wh, as a register without decimals would show them: `StopTxnSampledData` has the exact values.
    let register = message.register.and_then(|register| register.trunc().to_i64()).unwrap_or(0);
    // Without an answer to StartTransaction there is no other id (1.6 errata 3.18).
    let transaction = csms_id.unwrap_or(-1);
    Some(match message.stage {
        Stage::Started => {
            let token = message.token.as_ref().map_or("", |token| &token.value);
            let mut request =
                StartTransactionRequest::new(connector, Text::truncated(token), register, message.at.into());
            request.reservation_id = message.reservation;
            request.into()
        }
        Stage::Updated => {
            // The values of the beginning are told with the end, unless a setting asks for a message of their own.
            let is_wanted = |value: &&metering::MeterValue| {
                value.context != Context::Begin || message.trigger == Trigger::MeterValuePeriodic
            };
            let values: Vec<_> = message.values.iter().filter(is_wanted).map(meter_value).collect();
            if values.is_empty() {
                return None;
            }
            let mut request = MeterValuesRequest::new(connector, values);
            request.transaction_id = Some(transaction);
            request.into()
        }
        Stage::Ended => {
            let mut request = StopTransactionRequest::new(register, message.at.into(), transaction);
            request.id_tag = message.token.as_ref().map(|token| Text::truncated(&token.value));
            request.reason = message.reason.map(reason);
            request.transaction_data =
                (!message.values.is_empty()).then(|| message.values.iter().map(meter_value).collect());
            request.into()
        }
    })
}

fn reason(reason: StoppedReason) -> Reason {
    match reason {
        StoppedReason::DeAuthorized => Reason::DeAuthorized,
        StoppedReason::EmergencyStop => Reason::EmergencyStop,
        StoppedReason::EvDisconnected => Reason::EVDisconnected,
        StoppedReason::HardReset => Reason::HardReset,
        StoppedReason::SoftReset => Reason::SoftReset,
        StoppedReason::Local => Reason::Local,
        StoppedReason::PowerLoss => Reason::PowerLoss,
        StoppedReason::Reboot => Reason::Reboot,
        StoppedReason::Remote => Reason::Remote,
        StoppedReason::UnlockCommand => Reason::UnlockCommand,
        // 1.6 has no words for these.
        StoppedReason::EnergyLimitReached
        | StoppedReason::GroundFault
        | StoppedReason::MasterPass
        | StoppedReason::Other
        | StoppedReason::OvercurrentFault
        | StoppedReason::PowerQuality
        | StoppedReason::SocLimitReached
        | StoppedReason::StoppedByEv
        | StoppedReason::TimeLimitReached
        | StoppedReason::Timeout => Reason::Other,
    }
}

/// 1.6 edition 2, 7.33, 7.43
fn meter_value(value: &metering::MeterValue) -> MeterValue {
    let context = match value.context {
        Context::Begin => ReadingContext::TransactionBegin,
        Context::Clock => ReadingContext::SampleClock,
        Context::End => ReadingContext::TransactionEnd,
        Context::Periodic => ReadingContext::SamplePeriodic,
        Context::Requested => ReadingContext::Trigger,
    };
    let mut samples = Vec::with_capacity(value.samples.len());
    for sample in &value.samples {
        let raw = sampled_value(sample, &context);
        // What is signed comes after the same in plain, which every Central System can read.
        let signed = sample.signed.as_ref().map(|signed| {
            let mut sampled = raw.clone();
            sampled.value = signed_value(signed);
            sampled.format = Some(ValueFormat::SignedData);
            sampled
        });
        samples.push(raw);
        samples.extend(signed);
    }
    MeterValue::new(value.at.into(), samples)
}

/// A signed value as a text ("Signed meter values in OCPP", 3.2.1).
fn signed_value(signed: &SignedValue) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct SignedMeterValue<'a> {
        signed_meter_data: &'a str,
        signing_method: &'a str,
        encoding_method: &'a str,
        public_key: &'a str,
    }
    let value = SignedMeterValue {
        signed_meter_data: &signed.data,
        signing_method: &signed.signing_method,
        encoding_method: &signed.encoding_method,
        public_key: &signed.public_key,
    };
    // Four texts can always be written.
    serde_json::to_string(&value).unwrap_or_default()
}

fn sampled_value(sample: &Sample, context: &ReadingContext) -> SampledValue {
    let mut sampled = SampledValue::new(sample.value.to_string());
    sampled.context = Some(context.clone());
    sampled.measurand = Some(Measurand::from(sample.measurand.as_str()));
    sampled.phase = sample.phase.map(|phase| Phase::from(phase.as_str()));
    // The meter measures what goes out to the vehicle; its state of charge is its own.
    sampled.location = Some(match (sample.location, sample.measurand) {
        (Some(location), _) => Location::from(location.as_str()),
        (None, crate::station::Measurand::StateOfCharge) => Location::EV,
        (None, _) => Location::Outlet,
    });
    let unit = match sample.measurand.unit() {
        // A number of revolutions and of cycles has no unit in 1.6 (1.6 edition 2, 7.45; 1.6 errata 3.86).
        "" | "RPM" | "Hertz" => None,
        unit => Some(UnitOfMeasure::from(unit)),
    };
    sampled.unit = unit;
    sampled
}

/// Reads the answer to a call.
pub(in crate::station) fn reply(call: &Call, payload: &str) -> Result<(Reply, Option<String>), String> {
    match call {
        Call::Boot(_) => read(payload, |answer: BootNotificationResponse| Reply::Boot {
            status: match answer.status {
                RegistrationStatus::Accepted => Registration::Accepted,
                RegistrationStatus::Pending => Registration::Pending,
                // An unknown word is no acceptance.
                _ => Registration::Rejected,
            },
            interval: answer.interval,
            current_time: time(answer.current_time),
        }),
        Call::SignCertificate { .. } => read(payload, |answer: SignCertificateResponse| Reply::SignCertificate {
            accepted: answer.status == GenericStatusEnumType::Accepted,
        }),
        Call::Heartbeat => {
            read(payload, |answer: HeartbeatResponse| Reply::Heartbeat { current_time: time(answer.current_time) })
        }
        Call::Authorize { .. } => {
            read(payload, |answer: AuthorizeResponse| Reply::Authorize(token_info(answer.id_tag_info)))
        }
        Call::Transaction { message, .. } => match message.stage {
            Stage::Started => read(payload, |answer: StartTransactionResponse| Reply::Transaction {
                info: Some(token_info(answer.id_tag_info)),
                csms_id: Some(answer.transaction_id),
            }),
            Stage::Ended => read(payload, |answer: StopTransactionResponse| Reply::Transaction {
                info: answer.id_tag_info.map(token_info),
                csms_id: None,
            }),
            Stage::Updated => Ok((Reply::Transaction { info: None, csms_id: None }, None)),
        },
        Call::VendorMessage { .. } => {
            read(payload, |answer: DataTransferResponse| Reply::VendorMessage(vendor_messages::answered(answer)))
        }
        _ => Ok((Reply::Done, None)),
    }
}

fn read<M: Message>(payload: &str, make: impl FnOnce(M) -> Reply) -> Result<(Reply, Option<String>), String> {
    let decoded = decode::<M>(payload, Conformance::Lenient).map_err(|error| error.description())?;
    let findings = decoded.findings.first().map(|finding| finding.message.clone());
    Ok((make(decoded.message), findings))
}

#[allow(clippy::unnecessary_wraps, reason = "a reply may have no time")]
fn time(time: DateTime) -> Option<Timestamp> {
    Some(time.timestamp())
}

pub(super) fn token_info(info: IdTagInfo) -> TokenInfo {
    TokenInfo {
        status: info.status.as_str().to_string(),
        accepted: info.status == AuthorizationStatus::Accepted,
        group: info.parent_id_tag.map(Text::into_string),
        evses: Vec::new(),
        expires: info.expiry_date.map(|time| time.timestamp()),
    }
}
