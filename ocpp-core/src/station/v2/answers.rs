//! What a station does for a 2.x CSMS.

use alloc::string::{String, ToString};

use ocpp_types::v2_1::{
    ChangeAvailabilityRequest, ChangeAvailabilityResponse, ChangeAvailabilityStatusEnumType, ClearCacheResponse,
    ClearCacheStatusEnumType, CsmsRequest, EVSEType, GenericDeviceModelStatusEnumType, GetBaseReportRequest,
    GetBaseReportResponse, GetTransactionStatusRequest, GetTransactionStatusResponse, MessageTriggerEnumType,
    OperationalStatusEnumType, ReportBaseEnumType, RequestStartStopStatusEnumType, RequestStartTransactionRequest,
    RequestStartTransactionResponse, RequestStopTransactionRequest, RequestStopTransactionResponse, ResetEnumType,
    ResetRequest, ResetResponse, ResetStatusEnumType, StatusInfoType, TriggerMessageRequest, TriggerMessageResponse,
    TriggerMessageStatusEnumType, UnlockConnectorRequest, UnlockConnectorResponse, UnlockStatusEnumType,
};
use ocpp_types::{Conformance, DecodeError, Text, encode};

use super::{
    Rules, calls, certificates, firmware, local_list, logs, reservations, smart_charging, variables, vendor_messages,
};
use crate::rpc::{CallError, ErrorCode, MessageType};
use crate::station::availability::{AvailabilityChange, Place};
use crate::station::config::BootReason;
use crate::station::dialect::Answered;
use crate::station::facts::Token;
use crate::station::remote::Wanted;
use crate::station::report::ReportBase;
use crate::station::reset::{Reset, ResetOutcome};
use crate::station::transactions::StoppedReason;
use crate::station::{AfterAnswer, Station};

/// Reads a request by the schema of its version.
fn read(rules: &Rules, action: &str, payload: &str) -> Result<CsmsRequest, DecodeError> {
    match rules.version {
        #[cfg(feature = "v2_0_1")]
        ocpp_types::Version::V2_0_1 => {
            let decoded = ocpp_types::v2_0_1::CsmsRequest::decode(action, payload, Conformance::Strict)?;
            Ok(decoded.message.into())
        }
        _ => Ok(CsmsRequest::decode(action, payload, Conformance::Strict)?.message),
    }
}

/// Does what the CSMS wants and answers it.
pub(in crate::station) fn answer(station: &mut Station, rules: &Rules, action: &str, payload: &str) -> Answered {
    let request = match read(rules, action, payload) {
        Ok(request) => request,
        Err(error) => {
            return Answered::Refuse(CallError::of_payload(MessageType::Call, payload, &error, rules.version));
        }
    };
    Answered::Now(match request {
        CsmsRequest::CancelReservation(request) => encode(&reservations::cancel_reservation(station, &request)),
        CsmsRequest::ChangeAvailability(request) => encode(&change_availability(station, &request)),
        CsmsRequest::CertificateSigned(request) => return certificates::certificate_signed(station, request),
        CsmsRequest::DeleteCertificate(request) => encode(&certificates::delete_certificate(station, &request)),
        CsmsRequest::GetInstalledCertificateIds(request) => {
            encode(&certificates::get_installed_certificate_ids(station, &request))
        }
        CsmsRequest::InstallCertificate(request) => return certificates::install_certificate(request),
        CsmsRequest::ClearCache(_) => encode(&clear_cache(station)),
        CsmsRequest::ClearChargingProfile(_)
        | CsmsRequest::GetChargingProfiles(_)
        | CsmsRequest::GetCompositeSchedule(_)
        | CsmsRequest::SetChargingProfile(_)
        | CsmsRequest::UpdateDynamicSchedule(_)
        | CsmsRequest::UsePriorityCharging(_)
            if !station.charges_smartly() =>
        {
            return smart_charging::refused_as_a_whole();
        }
        CsmsRequest::ClearChargingProfile(request) => {
            encode(&smart_charging::clear_charging_profile(station, &request))
        }
        CsmsRequest::GetChargingProfiles(request) => {
            encode(&smart_charging::get_charging_profiles(station, rules, &request))
        }
        CsmsRequest::GetCompositeSchedule(request) => {
            encode(&smart_charging::get_composite_schedule(station, &request))
        }
        CsmsRequest::UpdateDynamicSchedule(request) => {
            encode(&smart_charging::update_dynamic_schedule(station, &request))
        }
        CsmsRequest::UsePriorityCharging(request) => encode(&smart_charging::use_priority_charging(station, &request)),
        CsmsRequest::SetChargingProfile(request) => encode(&smart_charging::set_charging_profile(station, &request)),
        CsmsRequest::DataTransfer(request) => return vendor_messages::ask(station, request),
        CsmsRequest::GetBaseReport(request) => encode(&get_base_report(station, &request)),
        CsmsRequest::GetLog(request) => return logs::get_log(station, &request),
        CsmsRequest::UpdateFirmware(request) => return firmware::update_firmware(station, &request),
        CsmsRequest::GetLocalListVersion(_) => encode(&local_list::get_version(station)),
        CsmsRequest::GetTransactionStatus(request) => encode(&get_transaction_status(station, &request)),
        CsmsRequest::GetVariables(request) => encode(&variables::get_variables(station, rules, request)),
        CsmsRequest::RequestStartTransaction(request) => encode(&request_start(station, &request)),
        CsmsRequest::RequestStopTransaction(request) => encode(&request_stop(station, &request)),
        CsmsRequest::ReserveNow(request) => encode(&reservations::reserve_now(station, &request)),
        CsmsRequest::Reset(request) => encode(&reset(station, rules, &request)),
        CsmsRequest::SendLocalList(request) => encode(&local_list::send(station, request, payload.len())),
        CsmsRequest::SetVariables(request) => encode(&variables::set_variables(station, rules, request)),
        CsmsRequest::TriggerMessage(request) => encode(&trigger(station, &request)),
        CsmsRequest::UnlockConnector(request) => return unlock(station, &request),
        _ => return Answered::Refuse(CallError::new(ErrorCode::NotSupported, "this station does not do it")),
    })
}

/// A number of the wire as one of the station's, 0 standing for none that exists.
fn number(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

fn place(evse: &EVSEType) -> (u32, Option<u32>) {
    (number(evse.id), evse.connector_id.map(number))
}

/// G03, G04
fn change_availability(station: &mut Station, request: &ChangeAvailabilityRequest) -> ChangeAvailabilityResponse {
    let operative = request.operational_status != OperationalStatusEnumType::Inoperative;
    let place = match request.evse.as_ref().map(place) {
        // G04.FR.01
        None | Some((0, None)) => Place::Station,
        Some((evse, None)) => Place::Evse(evse),
        Some((evse, Some(connector))) => Place::Connector(evse, connector),
    };
    ChangeAvailabilityResponse::new(match station.change_availability(place, operative) {
        AvailabilityChange::Accepted => ChangeAvailabilityStatusEnumType::Accepted,
        AvailabilityChange::Scheduled => ChangeAvailabilityStatusEnumType::Scheduled,
        AvailabilityChange::Rejected => ChangeAvailabilityStatusEnumType::Rejected,
    })
}

/// C11
fn clear_cache(station: &mut Station) -> ClearCacheResponse {
    ClearCacheResponse::new(if station.clear_authorization_cache() {
        ClearCacheStatusEnumType::Accepted
    } else {
        // C11.FR.04
        ClearCacheStatusEnumType::Rejected
    })
}

/// B07
fn get_base_report(station: &mut Station, request: &GetBaseReportRequest) -> GetBaseReportResponse {
    let base = match request.report_base {
        ReportBaseEnumType::ConfigurationInventory => ReportBase::Configuration,
        ReportBaseEnumType::FullInventory => ReportBase::Full,
        ReportBaseEnumType::SummaryInventory => ReportBase::Summary,
        // B07.FR.02
        _ => return GetBaseReportResponse::new(GenericDeviceModelStatusEnumType::NotSupported),
    };
    station.after_answer.push(AfterAnswer::Report(base, request.request_id));
    GetBaseReportResponse::new(GenericDeviceModelStatusEnumType::Accepted)
}

/// E14
fn get_transaction_status(station: &Station, request: &GetTransactionStatusRequest) -> GetTransactionStatusResponse {
    let (ongoing, queued) = station.transaction_status(request.transaction_id.as_deref());
    let mut response = GetTransactionStatusResponse::new(queued);
    response.ongoing_indicator = ongoing;
    response
}

/// F01, F02
fn request_start(station: &mut Station, request: &RequestStartTransactionRequest) -> RequestStartTransactionResponse {
    let token = Token::new(request.id_token.id_token.as_str(), calls::token_type(request.id_token.r#type.as_str()));
    let group = request.group_id_token.as_ref().map(|group| group.id_token.as_str().to_string());
    let mut place = request.evse_id.map(|evse| (number(evse), None));
    let mut awaiting = None;
    // K05.FR.04: a station without smart charging ignores the profile.
    if let Some(wire) = request.charging_profile.as_deref().filter(|_| station.charges_smartly()) {
        let Some(evse) = station.evse_for_remote_start(place, &token) else {
            return RequestStartTransactionResponse::new(RequestStartStopStatusEnumType::Rejected);
        };
        match smart_charging::profile_of_remote_start(station, evse, wire) {
            Ok(profile) => awaiting = Some((evse, profile)),
            Err(refusal) => {
                // K05.FR.05
                let mut response = RequestStartTransactionResponse::new(RequestStartStopStatusEnumType::Rejected);
                response.status_info = Some(smart_charging::status_info(smart_charging::reason(refusal)));
                return response;
            }
        }
        // The profile belongs to the transaction to come, and to no other.
        place = Some((evse, None));
    }
    match station.remote_start(place, token, group, Some(request.remote_start_id)) {
        Ok(transaction) => {
            if let Some((evse, profile)) = awaiting {
                station.await_transaction(evse, profile);
            }
            let mut response = RequestStartTransactionResponse::new(RequestStartStopStatusEnumType::Accepted);
            // F01.FR.13
            response.transaction_id = transaction.as_deref().map(Text::truncated);
            response
        }
        Err(()) => RequestStartTransactionResponse::new(RequestStartStopStatusEnumType::Rejected),
    }
}

/// F03
fn request_stop(station: &mut Station, request: &RequestStopTransactionRequest) -> RequestStopTransactionResponse {
    let wanted = request.transaction_id.as_str();
    RequestStopTransactionResponse::new(if station.remote_stop(|_, transaction| transaction == wanted) {
        RequestStartStopStatusEnumType::Accepted
    } else {
        RequestStartStopStatusEnumType::Rejected
    })
}

/// B11 to B13
fn reset(station: &mut Station, rules: &Rules, request: &ResetRequest) -> ResetResponse {
    let reset = match request.r#type {
        ResetEnumType::OnIdle => Reset::OnIdle,
        ResetEnumType::ImmediateAndResume if rules.has_resuming_reset => Reset::Resume,
        _ => Reset::Now(StoppedReason::HardReset),
    };
    // B11.FR.09: an EVSE is not restarted alone.
    if request.evse_id.is_some() {
        return ResetResponse::new(ResetStatusEnumType::Rejected);
    }
    let mut response = ResetResponse::new(match station.reset(reset, BootReason::RemoteReset) {
        ResetOutcome::Accepted => ResetStatusEnumType::Accepted,
        ResetOutcome::Scheduled => ResetStatusEnumType::Scheduled,
        ResetOutcome::Rejected => ResetStatusEnumType::Rejected,
    });
    if station.firmware.is_installing() {
        // 2.1 part 2 appendices, reason codes
        response.status_info = Some(StatusInfoType::new(Text::truncated("FwUpdateInProgress")));
    }
    response
}

/// F06
fn trigger(station: &mut Station, request: &TriggerMessageRequest) -> TriggerMessageResponse {
    let wanted = match request.requested_message {
        MessageTriggerEnumType::BootNotification => Wanted::BootNotification,
        MessageTriggerEnumType::Heartbeat => Wanted::Heartbeat,
        MessageTriggerEnumType::MeterValues => Wanted::MeterValues,
        MessageTriggerEnumType::StatusNotification => Wanted::StatusNotification,
        MessageTriggerEnumType::TransactionEvent => Wanted::TransactionEvent,
        MessageTriggerEnumType::FirmwareStatusNotification => Wanted::FirmwareStatus,
        MessageTriggerEnumType::LogStatusNotification => Wanted::LogStatus,
        MessageTriggerEnumType::SignChargingStationCertificate => Wanted::SignCertificate,
        // F06.FR.08, F06.FR.19
        _ => return TriggerMessageResponse::new(TriggerMessageStatusEnumType::NotImplemented),
    };
    let place = request.evse.as_ref().map(place);
    TriggerMessageResponse::new(if station.trigger(wanted, place) {
        TriggerMessageStatusEnumType::Accepted
    } else {
        TriggerMessageStatusEnumType::Rejected
    })
}

/// F05
fn unlock(station: &Station, request: &UnlockConnectorRequest) -> Answered {
    let (evse, connector) = (number(request.evse_id), number(request.connector_id));
    let status = match station.position_of(evse, connector) {
        // F05.FR.03
        None => UnlockStatusEnumType::UnknownConnector,
        // F05.FR.02
        Some(at) if station.evses[at].transaction.is_some() && station.evses[at].authorization.is_some() => {
            UnlockStatusEnumType::OngoingAuthorizedTransaction
        }
        // A cable that is fixed to the station has no lock there.
        Some(at) if !station.evses[at].detachable_cable => UnlockStatusEnumType::UnlockFailed,
        Some(_) => return Answered::Unlock { evse, connector },
    };
    Answered::Now(encode(&UnlockConnectorResponse::new(status)))
}

/// F05.FR.04, F05.FR.05
pub(in crate::station) fn unlock_answer(unlocked: bool) -> String {
    let status = if unlocked { UnlockStatusEnumType::Unlocked } else { UnlockStatusEnumType::UnlockFailed };
    encode(&UnlockConnectorResponse::new(status))
}
