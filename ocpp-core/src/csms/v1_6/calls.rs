//! Calls to a 1.6 station (edition 2, chapter 5).

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::ToString;

use ocpp_types::v1_6::{
    AvailabilityType, CancelReservationRequest, ChangeAvailabilityRequest, ChangeConfigurationRequest,
    ClearCacheRequest, ClearChargingProfileRequest, CsmsRequest, DataTransferRequest, ExtendedTriggerMessageRequest,
    GetCompositeScheduleRequest, GetConfigurationRequest, GetLocalListVersionRequest, MessageTrigger,
    MessageTriggerEnumType, RemoteStartTransactionRequest, RemoteStopTransactionRequest, ReserveNowRequest,
    ResetRequest, ResetType, SetChargingProfileRequest, TriggerMessageRequest, UnlockConnectorRequest,
};
use ocpp_types::{Conformance, Version};

use super::replies::plain_text;
use super::smart_charging;
use crate::csms::command::{CallOutcome, Command, ResetKind};
use crate::csms::dialect::{AnswerForm, Call};
use crate::csms::identity::Place;
use crate::csms::message::CallMessage;
use crate::csms::wire::{bounded, invalid, raw, with_member};

const ACCEPTED: AnswerForm = AnswerForm::Status(&["Accepted"]);

pub(in crate::csms) fn write_call(command: &Command) -> Result<Call, CallOutcome> {
    let (request, answer): (CsmsRequest, AnswerForm) = match command {
        // 1.6 edition 2, 5.11
        Command::RemoteStart { evse, token, remote_start_id: _, group: _, charging_profile } => {
            let mut request = RemoteStartTransactionRequest::new(bounded("/idTag", &token.id)?);
            request.connector_id = *evse;
            (with_member(&request, "chargingProfile", charging_profile.as_deref())?.into(), ACCEPTED)
        }
        Command::RemoteStop { transaction } => {
            let number = transaction.number();
            let number = number.ok_or_else(|| invalid("/transactionId", "1.6 knows transactions by integers"))?;
            (RemoteStopTransactionRequest::new(number).into(), ACCEPTED)
        }
        // 1.6 edition 2, 5.13
        Command::Reserve(reservation) => {
            let id_tag = bounded("/idTag", &reservation.token.id)?;
            let (connector, expiry) = (reservation.evse.unwrap_or(0), reservation.expires_at.into());
            let mut request = ReserveNowRequest::new(connector, expiry, id_tag, reservation.id);
            let group = reservation.group.as_ref().map(|group| bounded("/parentIdTag", &group.id));
            request.parent_id_tag = group.transpose()?;
            (request.into(), ACCEPTED)
        }
        // 1.6 edition 2, 5.3
        Command::CancelReservation { reservation } => (CancelReservationRequest::new(*reservation).into(), ACCEPTED),
        Command::GetTransactionStatus { .. } | Command::CostUpdated { .. } | Command::WebPaymentStarted { .. } => {
            return Err(CallOutcome::NotSupported);
        }
        Command::Reset { evse: Some(_), .. } => return Err(CallOutcome::NotSupported),
        Command::Reset { kind, evse: None } => {
            let kind = match kind {
                ResetKind::Immediate | ResetKind::OnIdle => ResetType::Soft,
                ResetKind::Hard => ResetType::Hard,
            };
            (ResetRequest::new(kind).into(), ACCEPTED)
        }
        Command::Unlock { evse, connector: _ } => {
            (UnlockConnectorRequest::new(*evse).into(), AnswerForm::Status(&["Unlocked"]))
        }
        Command::ChangeAvailability { place, operative } => {
            let kind = if *operative { AvailabilityType::Operative } else { AvailabilityType::Inoperative };
            let connector_id = place.map_or(0, |place| place.evse);
            (ChangeAvailabilityRequest::new(connector_id, kind).into(), AnswerForm::Status(&["Accepted", "Scheduled"]))
        }
        Command::TriggerMessage { message, place } => (trigger(message, *place)?, ACCEPTED),
        Command::GetConfiguration { names } => {
            let mut request = GetConfigurationRequest::new();
            if !names.is_empty() {
                request.key = Some(names.iter().map(|name| bounded("/key", name)).collect::<Result<_, _>>()?);
            }
            (request.into(), AnswerForm::Configuration)
        }
        Command::GetBaseReport { base: _ } => (GetConfigurationRequest::new().into(), AnswerForm::Configuration),
        Command::SetConfiguration { name, value } => {
            let request = ChangeConfigurationRequest::new(bounded("/key", name)?, bounded("/value", value)?);
            (request.into(), AnswerForm::Status(&["Accepted", "RebootRequired"]))
        }
        Command::ClearCache => (ClearCacheRequest::new().into(), ACCEPTED),
        Command::DataTransfer { vendor_id, message_id, data } => {
            let mut request = DataTransferRequest::new(bounded("/vendorId", vendor_id)?);
            request.message_id = message_id.as_deref().map(|id| bounded("/messageId", id)).transpose()?;
            request.data = data.as_deref().map(plain_text);
            (request.into(), AnswerForm::DataTransfer)
        }
        // Flows make calls of their own.
        Command::Flow(_) => return Err(CallOutcome::NotSupported),
        Command::Raw { action, payload, validate } => {
            let check =
                |action: &str, payload: &str| CsmsRequest::decode(action, payload, Conformance::Strict).map(|_| ());
            let mut call = raw(Version::V1_6, action, payload, validate.then_some(check))?;
            let decoded = CsmsRequest::decode(action, payload, Conformance::Lenient);
            call.message = decoded.ok().map(|decoded| CallMessage::v1_6(decoded.message));
            return Ok(call);
        }
        Command::SetChargingProfile { evse, profile } => {
            (SetChargingProfileRequest::new(*evse, smart_charging::to_profile(profile)?).into(), ACCEPTED)
        }
        Command::ClearChargingProfile { profile, criteria } => {
            let mut request = ClearChargingProfileRequest::new();
            request.id = *profile;
            if let Some(criteria) = criteria {
                request.connector_id = criteria.evse_id;
                request.stack_level = criteria.stack_level;
                let purpose = criteria.charging_profile_purpose.as_ref();
                request.charging_profile_purpose = purpose.map(smart_charging::to_purpose).transpose()?;
            }
            (request.into(), ACCEPTED)
        }
        Command::GetCompositeSchedule { evse, duration, unit } => {
            let mut request = GetCompositeScheduleRequest::new(*evse, *duration);
            request.charging_rate_unit = unit.as_ref().map(smart_charging::to_unit).transpose()?;
            (request.into(), AnswerForm::CompositeSchedule)
        }
        Command::GetLocalListVersion => (GetLocalListVersionRequest::new().into(), AnswerForm::LocalListVersion),
        // Not in this version, or of several calls.
        _ => return Err(CallOutcome::NotSupported),
    };
    Ok(encode_call(Box::new(request), answer))
}

pub(in crate::csms) fn encode_call(request: Box<CsmsRequest>, answer: AnswerForm) -> Call {
    let (action, payload) = (Cow::Borrowed(request.action()), request.encode());
    Call { action, payload, answer, message: Some(CallMessage::V1_6(request)) }
}

/// TriggerMessage, or the security whitepaper's ExtendedTriggerMessage for what only that knows.
fn trigger(message: &str, place: Option<Place>) -> Result<CsmsRequest, CallOutcome> {
    let connector_id = place.map(|place| place.evse);
    match (MessageTrigger::from(message), MessageTriggerEnumType::from(message)) {
        (MessageTrigger::Unlisted(_), MessageTriggerEnumType::Unlisted(unlisted)) => {
            Err(invalid("/requestedMessage", unlisted.to_string() + " can't be triggered in 1.6"))
        }
        (MessageTrigger::Unlisted(_), requested) => {
            let mut request = ExtendedTriggerMessageRequest::new(requested);
            request.connector_id = connector_id;
            Ok(request.into())
        }
        (requested, _) => {
            let mut request = TriggerMessageRequest::new(requested);
            request.connector_id = connector_id;
            Ok(request.into())
        }
    }
}
