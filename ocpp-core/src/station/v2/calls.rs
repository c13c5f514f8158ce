//! What a station says in 2.x, and what it hears in answer.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use jiff::Timestamp;
use ocpp_types::v2_1::{
    AuthorizationStatusEnumType, AuthorizeRequest, AuthorizeResponse, BootNotificationRequest,
    BootNotificationResponse, BootReasonEnumType, CertificateSigningUseEnumType, ChargingStateEnumType,
    ChargingStationType, ComponentType, ConnectorStatusEnumType, DataTransferResponse, EVSEType, EventDataType,
    EventNotificationEnumType, EventTriggerEnumType, GenericStatusEnumType, HeartbeatRequest, HeartbeatResponse,
    IdTokenInfoType, IdTokenType, LocationEnumType, MeasurandEnumType, MeterValueType, MeterValuesRequest, ModemType,
    NotifyEVChargingNeedsResponse, NotifyEventRequest, NotifyPriorityChargingRequest, PhaseEnumType,
    PullDynamicScheduleUpdateRequest, PullDynamicScheduleUpdateResponse, ReadingContextEnumType,
    RegistrationStatusEnumType, SampledValueType, SecurityEventNotificationRequest, SignCertificateRequest,
    SignCertificateResponse, SignedMeterValueType, StationRequest, StatusNotificationRequest, TransactionEventEnumType,
    TransactionEventRequest, TransactionEventResponse, TransactionType, TriggerReasonEnumType, UnitOfMeasureType,
    VariableType,
};
use ocpp_types::{Conformance, Message, Text, decode};

use super::{Rules, firmware, logs, reservations, smart_charging, variables, vendor_messages};
use crate::station::calls::{Call, Reply, StatusReport, TokenInfo};
use crate::station::config::BootReason;
use crate::station::event::{ConnectorStatus, Registration};
use crate::station::facts::{Token, TokenType};
use crate::station::metering::{self, Context};
use crate::station::progress::ProgressReport;
use crate::station::reading::{Measurand, Sample};
use crate::station::transactions::{Stage, TransactionMessage, Trigger};
use crate::station::{Product, SignedValue, Station};

/// Action and payload of a call, `None` where 2.x has no message for it.
pub(in crate::station) fn encode(station: &Station, rules: &Rules, call: &Call) -> Option<(&'static str, String)> {
    let request: StationRequest = match call {
        Call::Boot(reason) => boot_notification(&station.config.product, *reason).into(),
        Call::Heartbeat => HeartbeatRequest::new().into(),
        Call::VendorMessage { message, .. } => vendor_messages::request(message).into(),
        // 2.x has no status of the station itself.
        Call::Status(report) if report.evse == 0 => return None,
        Call::Status(report) => status_notification(report).into(),
        Call::Authorize { token, .. } => AuthorizeRequest::new(id_token(rules, token)).into(),
        Call::Transaction { message, .. } => transaction_event(rules, message).into(),
        Call::MeterValues { evse, value, .. } => {
            MeterValuesRequest::new(i64::from(*evse), alloc::vec![meter_value(rules, value)]).into()
        }
        Call::Report(report) => variables::notify_report(station, report).into(),
        Call::ChargingProfiles(report) => smart_charging::report_profiles(rules, report).into(),
        Call::ChargingLimit(notice) => smart_charging::charging_limit(station, rules, notice)?,
        Call::VehicleNeeds { evse, needs, since } => smart_charging::charging_needs(rules, *evse, needs, *since).into(),
        Call::VehiclePlan { evse, plan, at } => smart_charging::charging_plan(rules, *evse, plan, *at).into(),
        Call::PriorityCharging { .. } | Call::PullValues { .. } if !rules.has_extended_profiles => return None,
        Call::PriorityCharging { transaction, activated } => {
            NotifyPriorityChargingRequest::new(Text::truncated(transaction), *activated).into()
        }
        Call::PullValues { profile } => PullDynamicScheduleUpdateRequest::new(*profile).into(),
        Call::ReservationUpdate { id, update } => reservations::status_update(*id, *update).into(),
        Call::LockProblem { evse, connector, at } => lock_problem(*evse, *connector, *at).into(),
        Call::SignCertificate { csr, request_id } => {
            let mut request = SignCertificateRequest::new(Text::truncated(csr));
            // A02.FR.13, A02.FR.24
            request.certificate_type = Some(CertificateSigningUseEnumType::ChargingStationCertificate);
            request.request_id = rules.numbers_signing_requests.then_some(*request_id);
            request.into()
        }
        Call::SecurityEvent { event, at, info, .. } => {
            let name = event.name(rules.version);
            let mut request = SecurityEventNotificationRequest::new(Text::truncated(&name), (*at).into());
            request.tech_info = info.as_deref().map(Text::truncated);
            request.into()
        }
        Call::Progress { report: ProgressReport::Firmware(report), .. } => firmware::status(report)?.into(),
        Call::Progress { report: ProgressReport::Log(report), .. } => logs::status(report)?.into(),
        Call::LocalListConflict(_) => return None,
    };
    Some((request.action(), request.encode()))
}

/// B01.FR.01, B01.FR.09
fn boot_notification(product: &Product, reason: BootReason) -> BootNotificationRequest {
    let model = Text::truncated(&product.model);
    let mut station = ChargingStationType::new(model, Text::truncated(&product.vendor_name));
    station.serial_number = product.serial_number.as_deref().map(Text::truncated);
    station.firmware_version = product.firmware_version.as_deref().map(Text::truncated);
    if product.iccid.is_some() || product.imsi.is_some() {
        let mut modem = ModemType::new();
        modem.iccid = product.iccid.as_deref().map(Text::truncated);
        modem.imsi = product.imsi.as_deref().map(Text::truncated);
        station.modem = Some(modem);
    }
    let reason = match reason {
        BootReason::ApplicationReset => BootReasonEnumType::ApplicationReset,
        BootReason::FirmwareUpdate => BootReasonEnumType::FirmwareUpdate,
        BootReason::LocalReset => BootReasonEnumType::LocalReset,
        BootReason::PowerUp => BootReasonEnumType::PowerUp,
        BootReason::RemoteReset => BootReasonEnumType::RemoteReset,
        BootReason::ScheduledReset => BootReasonEnumType::ScheduledReset,
        BootReason::Triggered => BootReasonEnumType::Triggered,
        BootReason::Unknown => BootReasonEnumType::Unknown,
        BootReason::Watchdog => BootReasonEnumType::Watchdog,
    };
    BootNotificationRequest::new(station, reason)
}

/// G01: `StatusNotification` is deprecated in 2.1 and still allowed (B01.FR.05, G01.FR.03).
fn status_notification(report: &StatusReport) -> StatusNotificationRequest {
    let status = match report.summary() {
        ConnectorStatus::Available => ConnectorStatusEnumType::Available,
        ConnectorStatus::Reserved => ConnectorStatusEnumType::Reserved,
        ConnectorStatus::Unavailable => ConnectorStatusEnumType::Unavailable,
        ConnectorStatus::Faulted => ConnectorStatusEnumType::Faulted,
        _ => ConnectorStatusEnumType::Occupied,
    };
    StatusNotificationRequest::new(report.at.into(), status, report.evse.into(), report.connector.into())
}

fn id_token(rules: &Rules, token: &Token) -> IdTokenType {
    let kind = match &token.kind {
        TokenType::Central => "Central",
        TokenType::EMaid => "eMAID",
        TokenType::Iso14443 => "ISO14443",
        TokenType::Iso15693 => "ISO15693",
        TokenType::KeyCode => "KeyCode",
        TokenType::Local => "Local",
        TokenType::MacAddress => "MacAddress",
        TokenType::NoAuthorization => "NoAuthorization",
        // Kinds that 2.0.1 doesn't have come nearest to one that the CSMS makes up.
        _ if !rules.open_token_types => "Central",
        TokenType::DirectPayment => "DirectPayment",
        TokenType::EvccId => "EVCCID",
        TokenType::Vin => "VIN",
        TokenType::Other(name) => name,
    };
    IdTokenType::new(Text::truncated(&token.value), Text::truncated(kind))
}

/// The kind of a token by its name.
pub(super) fn token_type(name: &str) -> TokenType {
    match name {
        "Central" => TokenType::Central,
        "DirectPayment" => TokenType::DirectPayment,
        "eMAID" => TokenType::EMaid,
        "EVCCID" => TokenType::EvccId,
        "ISO14443" => TokenType::Iso14443,
        "ISO15693" => TokenType::Iso15693,
        "KeyCode" => TokenType::KeyCode,
        "Local" => TokenType::Local,
        "MacAddress" => TokenType::MacAddress,
        "NoAuthorization" => TokenType::NoAuthorization,
        "VIN" => TokenType::Vin,
        other => TokenType::Other(other.into()),
    }
}

/// Block E
fn transaction_event(rules: &Rules, message: &TransactionMessage) -> TransactionEventRequest {
    let stage = match message.stage {
        Stage::Started => TransactionEventEnumType::Started,
        Stage::Updated => TransactionEventEnumType::Updated,
        Stage::Ended => TransactionEventEnumType::Ended,
    };
    let mut transaction = TransactionType::new(Text::truncated(&message.transaction));
    transaction.charging_state = Some(ChargingStateEnumType::from(message.charging_state.as_str()));
    transaction.stopped_reason = message.reason.map(|reason| reason.as_str().into());
    transaction.remote_start_id = message.remote_start_id;
    let trigger = trigger_reason(rules, message.trigger);
    let mut event =
        TransactionEventRequest::new(stage, message.at.into(), trigger, i64::from(message.seq_no), transaction);
    event.reservation_id = message.reservation;
    event.offline = message.offline.then_some(true);
    if message.names_evse || message.stage == Stage::Started {
        let mut evse = EVSEType::new(message.evse.into());
        evse.connector_id = message.connector.map(i64::from);
        event.evse = Some(evse);
    }
    event.id_token = message.token.as_ref().map(|token| Box::new(id_token(rules, token)));
    event.meter_value =
        (!message.values.is_empty()).then(|| message.values.iter().map(|value| meter_value(rules, value)).collect());
    event
}

fn trigger_reason(rules: &Rules, trigger: Trigger) -> TriggerReasonEnumType {
    match trigger {
        Trigger::TxResumed | Trigger::SocLimitReached if !rules.has_new_trigger_reasons => {
            TriggerReasonEnumType::ChargingStateChanged
        }
        Trigger::AbnormalCondition => TriggerReasonEnumType::AbnormalCondition,
        Trigger::Authorized => TriggerReasonEnumType::Authorized,
        Trigger::CablePluggedIn => TriggerReasonEnumType::CablePluggedIn,
        Trigger::ChargingRateChanged => TriggerReasonEnumType::ChargingRateChanged,
        Trigger::ChargingStateChanged => TriggerReasonEnumType::ChargingStateChanged,
        Trigger::Deauthorized => TriggerReasonEnumType::Deauthorized,
        Trigger::EnergyLimitReached => TriggerReasonEnumType::EnergyLimitReached,
        Trigger::EvCommunicationLost => TriggerReasonEnumType::EVCommunicationLost,
        Trigger::EvConnectTimeout => TriggerReasonEnumType::EVConnectTimeout,
        Trigger::EvDeparted => TriggerReasonEnumType::EVDeparted,
        Trigger::EvDetected => TriggerReasonEnumType::EVDetected,
        Trigger::MeterValueClock => TriggerReasonEnumType::MeterValueClock,
        Trigger::MeterValuePeriodic => TriggerReasonEnumType::MeterValuePeriodic,
        Trigger::RemoteStart => TriggerReasonEnumType::RemoteStart,
        Trigger::RemoteStop => TriggerReasonEnumType::RemoteStop,
        Trigger::ResetCommand => TriggerReasonEnumType::ResetCommand,
        Trigger::SocLimitReached => TriggerReasonEnumType::SoCLimitReached,
        Trigger::StopAuthorized => TriggerReasonEnumType::StopAuthorized,
        Trigger::TimeLimitReached => TriggerReasonEnumType::TimeLimitReached,
        Trigger::Requested => TriggerReasonEnumType::Trigger,
        Trigger::TxResumed => TriggerReasonEnumType::TxResumed,
        Trigger::UnlockCommand => TriggerReasonEnumType::UnlockCommand,
    }
}

/// Block J
fn meter_value(rules: &Rules, value: &metering::MeterValue) -> MeterValueType {
    let context = match value.context {
        Context::Begin => ReadingContextEnumType::TransactionBegin,
        Context::Clock => ReadingContextEnumType::SampleClock,
        Context::End => ReadingContextEnumType::TransactionEnd,
        Context::Periodic => ReadingContextEnumType::SamplePeriodic,
        Context::Requested => ReadingContextEnumType::Trigger,
    };
    let samples = value.samples.iter().map(|sample| sampled_value(rules, sample, &context)).collect();
    MeterValueType::new(samples, value.at.into())
}

fn sampled_value(rules: &Rules, sample: &Sample, context: &ReadingContextEnumType) -> SampledValueType {
    let mut sampled = SampledValueType::new(sample.value);
    sampled.context = Some(context.clone());
    sampled.measurand = Some(MeasurandEnumType::from(sample.measurand.as_str()));
    sampled.phase = sample.phase.map(|phase| PhaseEnumType::from(phase.as_str()));
    sampled.location = Some(match (sample.location, sample.measurand) {
        (Some(location), _) => LocationEnumType::from(location.as_str()),
        (None, Measurand::StateOfCharge) => LocationEnumType::EV,
        (None, _) => LocationEnumType::Outlet,
    });
    sampled.signed_meter_value = sample.signed.as_ref().and_then(|signed| signed_value(rules, signed)).map(Into::into);
    let unit = sample.measurand.unit();
    if !unit.is_empty() {
        let mut unit_of_measure = UnitOfMeasureType::new();
        unit_of_measure.unit = Some(Text::truncated(unit));
        sampled.unit_of_measure = Some(unit_of_measure);
    }
    sampled
}

/// J01.FR.21, J02.FR.21. Data that the version has no room for is left out: a part of it can't be checked.
fn signed_value(rules: &Rules, signed: &SignedValue) -> Option<SignedMeterValueType> {
    if signed.data.chars().count() > rules.signed_data_limit {
        return None;
    }
    let data = Text::new(signed.data.as_str()).ok()?;
    let mut value = SignedMeterValueType::new(data, Text::truncated(&signed.encoding_method));
    // 2.0.1 wants both, empty where there is nothing to tell.
    value.signing_method = Some(Text::truncated(&signed.signing_method));
    value.public_key = Some(Text::truncated(&signed.public_key));
    Some(value)
}

/// G05.FR.02
fn lock_problem(evse: u32, connector: u32, at: Timestamp) -> NotifyEventRequest {
    let mut component = ComponentType::new(Text::truncated("ConnectorPlugRetentionLock"));
    let mut place = EVSEType::new(evse.into());
    place.connector_id = Some(connector.into());
    component.evse = Some(place);
    let event = EventDataType::new(
        0,
        at.into(),
        EventTriggerEnumType::Alerting,
        Text::truncated("true"),
        component,
        EventNotificationEnumType::HardWiredNotification,
        VariableType::new(Text::truncated("Problem")),
    );
    NotifyEventRequest::new(at.into(), 0, alloc::vec![event])
}

/// Reads the answer to a call.
pub(in crate::station) fn reply(call: &Call, payload: &str) -> Result<(Reply, Option<String>), String> {
    match call {
        Call::Boot(_) => read(payload, |answer: BootNotificationResponse| Reply::Boot {
            status: match answer.status {
                RegistrationStatusEnumType::Accepted => Registration::Accepted,
                RegistrationStatusEnumType::Pending => Registration::Pending,
                // An unknown word is no acceptance.
                _ => Registration::Rejected,
            },
            interval: answer.interval,
            current_time: Some(answer.current_time.timestamp()),
        }),
        Call::SignCertificate { .. } => read(payload, |answer: SignCertificateResponse| Reply::SignCertificate {
            accepted: answer.status == GenericStatusEnumType::Accepted,
        }),
        Call::Heartbeat => read(payload, |answer: HeartbeatResponse| Reply::Heartbeat {
            current_time: Some(answer.current_time.timestamp()),
        }),
        Call::Authorize { .. } => {
            read(payload, |answer: AuthorizeResponse| Reply::Authorize(token_info(answer.id_token_info)))
        }
        Call::Transaction { .. } => read(payload, |answer: TransactionEventResponse| Reply::Transaction {
            info: answer.id_token_info.map(|info| token_info(*info)),
            csms_id: None,
        }),
        Call::VehicleNeeds { .. } => read(payload, |answer: NotifyEVChargingNeedsResponse| Reply::VehicleNeeds {
            sends_schedule: smart_charging::sends_schedule(&answer),
        }),
        Call::PullValues { .. } => {
            read(payload, |answer: PullDynamicScheduleUpdateResponse| Reply::Values(smart_charging::pulled(&answer)))
        }
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

pub(super) fn token_info(info: IdTokenInfoType) -> TokenInfo {
    let evses = info.evse_id.unwrap_or_default();
    TokenInfo {
        status: info.status.as_str().to_string(),
        accepted: info.status == AuthorizationStatusEnumType::Accepted,
        group: info.group_id_token.map(|group| group.id_token.as_str().to_string()),
        evses: evses.into_iter().filter_map(|evse| u32::try_from(evse).ok()).collect::<Vec<_>>(),
        expires: info.cache_expiry_date_time.map(|time| time.timestamp()),
    }
}
