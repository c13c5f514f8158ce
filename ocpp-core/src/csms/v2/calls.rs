//! Calls to a 2.x station.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use ocpp_types::Json;
use ocpp_types::v2_1::{
    AdditionalInfoType, CancelReservationRequest, ChangeAvailabilityRequest, ClearCacheRequest, CostUpdatedRequest,
    CsmsRequest, DataTransferRequest, EVSEType, GetTransactionStatusRequest, GetVariableDataType, GetVariablesRequest,
    IdTokenType, MessageTriggerEnumType, NotifyWebPaymentStartedRequest, OperationalStatusEnumType,
    RequestStartTransactionRequest, RequestStopTransactionRequest, ReserveNowRequest, ResetEnumType, ResetRequest,
    SetVariableDataType, SetVariablesRequest, TriggerMessageRequest, UnlockConnectorRequest,
};

use super::{driver, names, smart_charging};
use crate::csms::command::{CallOutcome, Command, ResetKind};
use crate::csms::dialect::AnswerForm;
use crate::csms::identity::{Place, Token};
use crate::csms::wire::{bounded, invalid, with_member};

pub(super) const ACCEPTED: AnswerForm = AnswerForm::Status(&["Accepted"]);
const ACCEPTED_OR_SCHEDULED: AnswerForm = AnswerForm::Status(&["Accepted", "Scheduled"]);

/// A command in the messages of 2.1, or as the application wrote it.
pub(super) enum Written<'a> {
    Typed(Box<CsmsRequest>, AnswerForm),
    Raw { action: &'a str, payload: &'a str, validate: bool },
}

pub(super) fn to_request(command: &Command) -> Result<Written<'_>, CallOutcome> {
    let (request, answer): (CsmsRequest, AnswerForm) = match command {
        // F01, F02; F07.FR.01: with a limit as well, which TransactionAnswer::limit tells; C24.FR.01, C25.FR.23
        Command::RemoteStart { evse, token, remote_start_id, group, charging_profile } => {
            let mut request = RequestStartTransactionRequest::new(id_token("/idToken", token)?, *remote_start_id);
            request.evse_id = *evse;
            let group = group.as_ref().map(|group| id_token("/groupIdToken", group));
            request.group_id_token = group.transpose()?.map(Box::new);
            // F01.FR.08, F02.FR.16, K05.FR.01
            (with_member(&request, "chargingProfile", charging_profile.as_deref())?.into(), ACCEPTED)
        }
        // F03.FR.01, F04.FR.01
        Command::RemoteStop { transaction } => {
            let id = bounded("/transactionId", transaction.as_str())?;
            (RequestStopTransactionRequest::new(id).into(), ACCEPTED)
        }
        // H01, 2.1 part 2
        Command::Reserve(reservation) => {
            let token = id_token("/idToken", &reservation.token)?;
            let mut request = ReserveNowRequest::new(reservation.id, reservation.expires_at.into(), token);
            request.evse_id = reservation.evse;
            let kind = reservation.connector_type.as_deref().map(|kind| bounded("/connectorType", kind));
            request.connector_type = kind.transpose()?;
            let group = reservation.group.as_ref().map(|group| id_token("/groupIdToken", group));
            request.group_id_token = group.transpose()?.map(Box::new);
            (request.into(), ACCEPTED)
        }
        // H02
        Command::CancelReservation { reservation } => (CancelReservationRequest::new(*reservation).into(), ACCEPTED),
        // E14
        Command::GetTransactionStatus { transaction } => {
            let mut request = GetTransactionStatusRequest::new();
            let id = transaction.as_ref().map(|transaction| bounded("/transactionId", transaction.as_str()));
            request.transaction_id = id.transpose()?;
            (request.into(), AnswerForm::TransactionStatus)
        }
        // I02.FR.01
        Command::CostUpdated { transaction, total_cost } => {
            let id = bounded("/transactionId", transaction.as_str())?;
            (CostUpdatedRequest::new(*total_cost, id).into(), AnswerForm::Received)
        }
        // C25.FR.21
        Command::WebPaymentStarted { evse, timeout } => {
            (NotifyWebPaymentStartedRequest::new(*evse, *timeout).into(), AnswerForm::Received)
        }
        Command::Reset { kind, evse } => {
            let kind = match kind {
                ResetKind::OnIdle => ResetEnumType::OnIdle,
                ResetKind::Immediate | ResetKind::Hard => ResetEnumType::Immediate,
            };
            let mut request = ResetRequest::new(kind);
            request.evse_id = *evse;
            (request.into(), ACCEPTED_OR_SCHEDULED)
        }
        Command::Unlock { evse, connector } => {
            (UnlockConnectorRequest::new(*evse, *connector).into(), AnswerForm::Status(&["Unlocked"]))
        }
        Command::ChangeAvailability { place, operative } => {
            let status =
                if *operative { OperationalStatusEnumType::Operative } else { OperationalStatusEnumType::Inoperative };
            let mut request = ChangeAvailabilityRequest::new(status);
            request.evse = place.map(evse);
            (request.into(), ACCEPTED_OR_SCHEDULED)
        }
        // F06.FR.01, F06.FR.02
        Command::TriggerMessage { message, place } => {
            let requested = MessageTriggerEnumType::from(&**message);
            if matches!(requested, MessageTriggerEnumType::Unlisted(_)) {
                return Err(invalid("/requestedMessage", format!("{message} can't be triggered")));
            }
            // F06.FR.13
            let connector = place.and_then(|place| place.connector);
            if requested == MessageTriggerEnumType::StatusNotification && connector.is_none() {
                return Err(invalid("/evse/connectorId", "a StatusNotification is about one connector: name it"));
            }
            let mut request = TriggerMessageRequest::new(requested);
            request.evse = place.map(evse);
            (request.into(), ACCEPTED)
        }
        Command::GetConfiguration { names } => {
            if names.is_empty() {
                return Err(invalid("/getVariableData", "name at least one variable, or ask for a report"));
            }
            let data = names.iter().map(|name| variable(name)).collect::<Result<_, _>>()?;
            (GetVariablesRequest::new(data).into(), AnswerForm::Configuration)
        }
        Command::SetConfiguration { name, value } => {
            let (component, variable) = names::parse(name)?;
            let value = bounded("/setVariableData/0/attributeValue", value)?;
            let request = SetVariablesRequest::new([SetVariableDataType::new(value, component, variable)].into());
            (request.into(), AnswerForm::Status(&["Accepted", "RebootRequired"]))
        }
        Command::ClearCache => (ClearCacheRequest::new().into(), ACCEPTED),
        Command::DataTransfer { vendor_id, message_id, data } => {
            let mut request = DataTransferRequest::new(bounded("/vendorId", vendor_id)?);
            request.message_id = message_id.as_deref().map(|id| bounded("/messageId", id)).transpose()?;
            let json = data.as_deref().map(Json::parse).transpose();
            request.data = json.map_err(|error| invalid("/data", format!("not JSON: {error}")))?;
            (request.into(), AnswerForm::DataTransfer)
        }
        // Flows make calls of their own.
        Command::Flow(_) => return Err(CallOutcome::NotSupported),
        Command::Raw { action, payload, validate } => {
            return Ok(Written::Raw { action, payload, validate: *validate });
        }
        other => match smart_charging::to_request(other)? {
            Some(written) => written,
            None => driver::to_request(other)?,
        },
    };
    Ok(Written::Typed(Box::new(request), answer))
}

/// The variable that a name stands for.
pub(in crate::csms) fn variable(name: &str) -> Result<GetVariableDataType, CallOutcome> {
    names::parse(name).map(|(component, variable)| GetVariableDataType::new(component, variable))
}

pub(super) fn id_token(path: &str, token: &Token) -> Result<IdTokenType, CallOutcome> {
    let kind = token.kind.as_deref().unwrap_or("Central");
    let id = bounded(&format!("{path}/idToken"), &token.id)?;
    let mut id_token = IdTokenType::new(id, bounded(&format!("{path}/type"), kind)?);
    let additional_info = token.additional_info.iter().map(|info| {
        let value = bounded(&format!("{path}/additionalInfo/additionalIdToken"), &info.value)?;
        Ok(AdditionalInfoType::new(value, bounded(&format!("{path}/additionalInfo/type"), &info.kind)?))
    });
    let additional_info: Vec<_> = additional_info.collect::<Result<_, CallOutcome>>()?;
    id_token.additional_info = (!additional_info.is_empty()).then_some(additional_info);
    Ok(id_token)
}

fn evse(place: Place) -> EVSEType {
    let mut evse = EVSEType::new(place.evse);
    evse.connector_id = place.connector;
    evse
}
