//! What a station does for a 1.6 CSMS (edition 2, chapter 5).

use alloc::string::String;
use alloc::vec::Vec;

use ocpp_types::v1_6::{
    AvailabilityStatus, AvailabilityType, ChangeAvailabilityRequest, ChangeAvailabilityResponse, ClearCacheResponse,
    ClearCacheStatus, CsmsRequest, MessageTrigger, RemoteStartStopStatus, RemoteStartTransactionRequest,
    RemoteStartTransactionResponse, RemoteStopTransactionRequest, RemoteStopTransactionResponse, ResetRequest,
    ResetResponse, ResetStatus, ResetType, TriggerMessageRequest, TriggerMessageResponse, TriggerMessageStatus,
    UnlockConnectorRequest, UnlockConnectorResponse, UnlockStatus,
};
use ocpp_types::{Conformance, encode};

use super::{certificates, configuration, firmware, local_list, logs, reservations, smart_charging, vendor_messages};
use crate::rpc::{CallError, ErrorCode, MessageType};
use crate::station::Station;
use crate::station::availability::{AvailabilityChange, Place};
use crate::station::config::BootReason;
use crate::station::dialect::Answered;
use crate::station::facts::{Token, TokenType};
use crate::station::remote::Wanted;
use crate::station::reset::{Reset, ResetOutcome};
use crate::station::transactions::{Happening, StoppedReason, Trigger};

/// Does what the CSMS wants and answers it.
pub(in crate::station) fn answer(station: &mut Station, action: &str, payload: &str) -> Answered {
    let request = match CsmsRequest::decode(action, payload, Conformance::Strict) {
        Ok(decoded) => decoded.message,
        Err(error) => {
            return Answered::Refuse(CallError::of_payload(
                MessageType::Call,
                payload,
                &error,
                ocpp_types::Version::V1_6,
            ));
        }
    };
    Answered::Now(match request {
        CsmsRequest::CancelReservation(request) => encode(&reservations::cancel_reservation(station, &request)),
        CsmsRequest::ChangeAvailability(request) => encode(&change_availability(station, &request)),
        CsmsRequest::ChangeConfiguration(request) => encode(&configuration::change(station, &request)),
        CsmsRequest::CertificateSigned(request) => return certificates::certificate_signed(station, request),
        CsmsRequest::DeleteCertificate(request) => encode(&certificates::delete_certificate(station, &request)),
        CsmsRequest::GetInstalledCertificateIds(request) => {
            encode(&certificates::get_installed_certificate_ids(station, &request))
        }
        CsmsRequest::InstallCertificate(request) => return certificates::install_certificate(request),
        CsmsRequest::ExtendedTriggerMessage(request) => encode(&certificates::extended_trigger(station, &request)),
        CsmsRequest::ClearCache(_) => encode(&clear_cache(station)),
        CsmsRequest::DataTransfer(request) => return vendor_messages::ask(station, request),
        // Somebody has switched it off in 2.x, where that is a variable.
        CsmsRequest::ClearChargingProfile(_)
        | CsmsRequest::GetCompositeSchedule(_)
        | CsmsRequest::SetChargingProfile(_)
            if !station.charges_smartly() =>
        {
            return Answered::Refuse(CallError::new(ErrorCode::NotSupported, "smart charging is switched off"));
        }
        CsmsRequest::ClearChargingProfile(request) => {
            encode(&smart_charging::clear_charging_profile(station, &request))
        }
        CsmsRequest::GetCompositeSchedule(request) => {
            encode(&smart_charging::get_composite_schedule(station, &request))
        }
        CsmsRequest::GetConfiguration(request) => return configuration::get(station, &request),
        CsmsRequest::GetDiagnostics(request) => return logs::get_diagnostics(&request),
        CsmsRequest::GetLog(request) => return logs::get_log(station, &request),
        CsmsRequest::SignedUpdateFirmware(request) => return firmware::signed_update_firmware(station, &request),
        CsmsRequest::UpdateFirmware(request) => return firmware::update_firmware(station, &request),
        CsmsRequest::GetLocalListVersion(_) => encode(&local_list::get_version(station)),
        CsmsRequest::RemoteStartTransaction(request) => encode(&remote_start(station, &request)),
        CsmsRequest::RemoteStopTransaction(request) => encode(&remote_stop(station, &request)),
        CsmsRequest::ReserveNow(request) => encode(&reservations::reserve_now(station, &request)),
        CsmsRequest::Reset(request) => encode(&reset(station, &request)),
        CsmsRequest::SendLocalList(request) => encode(&local_list::send(station, request)),
        CsmsRequest::SetChargingProfile(request) => return smart_charging::set_charging_profile(station, &request),
        CsmsRequest::TriggerMessage(request) => encode(&trigger(station, &request)),
        CsmsRequest::UnlockConnector(request) => return unlock(station, &request),
        // The profiles that the station doesn't have (3.3).
        _ => return Answered::Refuse(CallError::new(ErrorCode::NotSupported, "this station does not do it")),
    })
}

/// 1.6 edition 2, 5.2
fn change_availability(station: &mut Station, request: &ChangeAvailabilityRequest) -> ChangeAvailabilityResponse {
    let operative = request.r#type != AvailabilityType::Inoperative;
    let places: Vec<Place> = if request.connector_id == 0 {
        // The station and all its connectors.
        let connectors = station
            .evses
            .iter()
            .flat_map(|evse| evse.connectors.iter().map(|connector| Place::Connector(evse.id, connector.id)));
        core::iter::once(Place::Station).chain(connectors).collect()
    } else {
        let connector = station.by_through_number(request.connector_id);
        connector.map(|(evse, connector)| Place::Connector(evse, connector)).into_iter().collect()
    };
    let changes: Vec<_> = places.into_iter().map(|place| station.change_availability(place, operative)).collect();
    ChangeAvailabilityResponse::new(match () {
        () if changes.is_empty() || changes.contains(&AvailabilityChange::Rejected) => AvailabilityStatus::Rejected,
        () if changes.contains(&AvailabilityChange::Scheduled) => AvailabilityStatus::Scheduled,
        () => AvailabilityStatus::Accepted,
    })
}

/// 1.6 edition 2, 5.4; 1.6 errata 3.23: without a cache it is rejected.
fn clear_cache(station: &mut Station) -> ClearCacheResponse {
    ClearCacheResponse::new(if station.clear_authorization_cache() {
        ClearCacheStatus::Accepted
    } else {
        ClearCacheStatus::Rejected
    })
}

/// 1.6 edition 2, 5.11
fn remote_start(station: &mut Station, request: &RemoteStartTransactionRequest) -> RemoteStartTransactionResponse {
    let place = match request.connector_id {
        None => Ok(None),
        Some(number) => {
            station.by_through_number(number).map(|(evse, connector)| Some((evse, Some(connector)))).ok_or(())
        }
    };
    let started = place.and_then(|place| {
        let token = Token::new(request.id_tag.as_str(), TokenType::Iso14443);
        let Some(wire) = request.charging_profile.as_deref() else {
            return station.remote_start(place, token, None, None).map(drop);
        };
        // 1.6 edition 2, 5.16.2: the profile belongs to the transaction to come, and to no other.
        let evse = station.evse_for_remote_start(place, &token).ok_or(())?;
        let profile = smart_charging::profile_of_remote_start(station, wire, evse).ok_or(())?;
        station.remote_start(Some((evse, place.and_then(|(_, connector)| connector))), token, None, None)?;
        station.await_transaction(evse, profile);
        Ok(())
    });
    RemoteStartTransactionResponse::new(match started {
        Ok(()) => RemoteStartStopStatus::Accepted,
        Err(()) => RemoteStartStopStatus::Rejected,
    })
}

/// 1.6 edition 2, 5.12
fn remote_stop(station: &mut Station, request: &RemoteStopTransactionRequest) -> RemoteStopTransactionResponse {
    let wanted = Some(request.transaction_id);
    let stopped = station.remote_stop(|station, transaction| station.outbox.csms_id(transaction) == wanted);
    RemoteStopTransactionResponse::new(if stopped {
        RemoteStartStopStatus::Accepted
    } else {
        RemoteStartStopStatus::Rejected
    })
}

/// 1.6 edition 2, 5.14
fn reset(station: &mut Station, request: &ResetRequest) -> ResetResponse {
    let stopped = match request.r#type {
        ResetType::Hard => StoppedReason::HardReset,
        _ => StoppedReason::SoftReset,
    };
    ResetResponse::new(match station.reset(Reset::Now(stopped), BootReason::RemoteReset) {
        ResetOutcome::Accepted | ResetOutcome::Scheduled => ResetStatus::Accepted,
        ResetOutcome::Rejected => ResetStatus::Rejected,
    })
}

/// 1.6 edition 2, 5.17
fn trigger(station: &mut Station, request: &TriggerMessageRequest) -> TriggerMessageResponse {
    let wanted = match request.requested_message {
        MessageTrigger::BootNotification => Wanted::BootNotification,
        MessageTrigger::Heartbeat => Wanted::Heartbeat,
        MessageTrigger::MeterValues => Wanted::MeterValues,
        MessageTrigger::StatusNotification => Wanted::StatusNotification,
        MessageTrigger::FirmwareStatusNotification => Wanted::PlainFirmwareStatus,
        MessageTrigger::DiagnosticsStatusNotification => Wanted::DiagnosticsStatus,
        _ => return TriggerMessageResponse::new(TriggerMessageStatus::NotImplemented),
    };
    let place = match request.connector_id {
        None => None,
        Some(0) => Some((0, None)),
        Some(number) => match station.by_through_number(number) {
            Some((evse, connector)) => Some((evse, Some(connector))),
            None => return TriggerMessageResponse::new(TriggerMessageStatus::Rejected),
        },
    };
    TriggerMessageResponse::new(if station.trigger(wanted, place) {
        TriggerMessageStatus::Accepted
    } else {
        TriggerMessageStatus::Rejected
    })
}

/// 1.6 edition 2, 5.18; 1.6 errata 3.87
fn unlock(station: &mut Station, request: &UnlockConnectorRequest) -> Answered {
    let place = station.by_through_number(request.connector_id);
    let place = place.and_then(|(evse, connector)| Some((station.position(evse)?, evse, connector)));
    let Some((at, evse, connector)) = place.filter(|(at, ..)| station.evses[*at].detachable_cable) else {
        return Answered::Now(encode(&UnlockConnectorResponse::new(UnlockStatus::NotSupported)));
    };
    let is_in_use = station.evses[at].plugged.is_none_or(|plugged| plugged == connector);
    if station.evses[at].transaction.is_some() && is_in_use {
        let happening = Happening::new(Trigger::UnlockCommand, StoppedReason::UnlockCommand);
        station.end_authorization(at, happening.at_once());
    }
    Answered::Unlock { evse, connector }
}

pub(in crate::station) fn unlock_answer(unlocked: bool) -> String {
    encode(&UnlockConnectorResponse::new(if unlocked { UnlockStatus::Unlocked } else { UnlockStatus::UnlockFailed }))
}
