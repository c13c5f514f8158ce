//! Calls of a 1.6 station (edition 2, chapter 4).

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};

use jiff::Timestamp;
use ocpp_types::v1_6::{
    BootNotificationRequest, ChargePointErrorCode, DataTransferRequest, MeterValuesRequest, StartTransactionRequest,
    StationRequest, StatusNotificationRequest, StopTransactionRequest,
};
use ocpp_types::{Conformance, DecodeError, Decoded};
use rust_decimal::Decimal;

use super::metering::readings;
use crate::csms::config::RegistrationStatus;
use crate::csms::event::{Boot, ConnectorStatus, TransactionEvent};
use crate::csms::identity::{Place, Token, TransactionId};
use crate::csms::message::RequestMessage;
use crate::csms::metering::energy_register_wh;
use crate::csms::request::{Request, TransactionForm};
use crate::csms::transactions::{Kind, Message, StartKey, fingerprint};
use crate::csms::wire::json_string;

pub(in crate::csms) fn read_request(
    action: &str,
    payload: &str,
    conformance: Conformance,
    at: Timestamp,
) -> Result<Decoded<Request>, DecodeError> {
    let decoded = StationRequest::decode(action, payload, conformance)?;
    Ok(decoded.map(|request| to_request(request, payload, at)))
}

fn to_request(request: StationRequest, payload: &str, at: Timestamp) -> Request {
    match request {
        StationRequest::Authorize(request) => Request::Authorize { token: Token::new(request.id_tag.as_str()) },
        StationRequest::BootNotification(request) => Request::Boot(Box::new(boot(request))),
        StationRequest::DataTransfer(request) => data_transfer(request),
        StationRequest::DiagnosticsStatusNotification(request) => {
            Request::LogStatus { status: request.status.to_string(), request_id: None }
        }
        StationRequest::FirmwareStatusNotification(request) => {
            Request::FirmwareStatus { status: request.status.to_string(), request_id: None }
        }
        StationRequest::Heartbeat(_) => Request::Heartbeat,
        StationRequest::LogStatusNotification(request) => {
            Request::LogStatus { status: request.status.to_string(), request_id: request.request_id }
        }
        StationRequest::MeterValues(request) => meter_values(request, payload, at),
        // 1.6 security, A04.FR.03: the answer follows when it is stored.
        StationRequest::SecurityEventNotification(request) => Request::SecurityEvent {
            kind: request.r#type.to_string(),
            at: request.timestamp.timestamp(),
            detail: request.tech_info.map(|text| text.to_string()),
        },
        StationRequest::SignedFirmwareStatusNotification(request) => {
            Request::FirmwareStatus { status: request.status.to_string(), request_id: request.request_id }
        }
        StationRequest::StartTransaction(request) => start_transaction(&request, payload),
        StationRequest::StatusNotification(request) => Request::Status(Box::new(status(&request, at))),
        StationRequest::StopTransaction(request) => stop_transaction(request, payload),
        other => Request::Message { message: RequestMessage::V1_6(Box::new(other)), payload: payload.to_string() },
    }
}

/// A connector of 1.6 is an EVSE of its own; connector 0 is the station (edition 2, 3.8).
fn place(connector_id: i64) -> Option<Place> {
    (connector_id > 0).then(|| Place::connector(connector_id, 1))
}

fn boot(request: BootNotificationRequest) -> Boot {
    let serial_number = request.charge_point_serial_number.or(request.charge_box_serial_number);
    Boot {
        vendor: request.charge_point_vendor.to_string(),
        model: request.charge_point_model.to_string(),
        serial_number: serial_number.map(|text| text.to_string()),
        firmware_version: request.firmware_version.map(|text| text.to_string()),
        reason: None,
        iccid: request.iccid.map(|text| text.to_string()),
        imsi: request.imsi.map(|text| text.to_string()),
        registration: RegistrationStatus::Pending,
    }
}

fn data_transfer(request: DataTransferRequest) -> Request {
    // Vendors also send objects, where the standard has text.
    let other = || request.extra.get("data").map(|json| json.get().to_string());
    Request::DataTransfer {
        vendor_id: request.vendor_id.to_string(),
        message_id: request.message_id.as_ref().map(|text| text.to_string()),
        data: request.data.as_deref().map(json_string).or_else(other),
    }
}

fn status(request: &StatusNotificationRequest, at: Timestamp) -> ConnectorStatus {
    let error = (request.error_code != ChargePointErrorCode::NoError).then(|| request.error_code.to_string());
    let detail = match (&request.vendor_error_code, &request.info) {
        (Some(code), Some(info)) => Some(format!("{code}: {info}")),
        (Some(text), None) => Some(text.to_string()),
        (None, Some(text)) => Some(text.to_string()),
        (None, None) => None,
    };
    ConnectorStatus {
        place: place(request.connector_id),
        status: request.status.to_string(),
        error,
        detail,
        at: request.timestamp.as_ref().map_or(at, |at| at.timestamp()),
    }
}

fn start_transaction(request: &StartTransactionRequest, payload: &str) -> Request {
    let at = request.timestamp.timestamp();
    // The session names the transaction when it answers.
    let mut event = TransactionEvent::new(TransactionId::new(String::new()), at);
    event.place = place(request.connector_id);
    event.token = Some(Token::new(request.id_tag.as_str()));
    event.meter_wh = Some(Decimal::from(request.meter_start));
    event.reservation_id = request.reservation_id;
    let start = StartKey {
        connector: request.connector_id,
        token: fingerprint([&*request.id_tag.to_ascii_lowercase()]),
        meter_start: request.meter_start,
        at: at.as_microsecond(),
    };
    transaction(TransactionForm::Start, Kind::Started, event, payload, Some(start))
}

fn meter_values(request: MeterValuesRequest, payload: &str, at: Timestamp) -> Request {
    let readings = readings(request.meter_value);
    let place = place(request.connector_id);
    // The main meter belongs to no transaction, whatever the station says (errata to 1.6, 3.16).
    let Some(number) = request.transaction_id.filter(|_| place.is_some()) else {
        return Request::MeterValues { place, readings };
    };
    let at = readings.iter().map(|reading| reading.at).max().unwrap_or(at);
    let mut event = TransactionEvent::new(TransactionId::from(number), at);
    event.place = place;
    event.meter_wh = energy_register_wh(&readings);
    event.readings = readings;
    transaction(TransactionForm::MeterValues, Kind::Updated, event, payload, None)
}

fn stop_transaction(request: StopTransactionRequest, payload: &str) -> Request {
    let mut event = TransactionEvent::new(TransactionId::from(request.transaction_id), request.timestamp.timestamp());
    event.token = request.id_tag.as_ref().map(|id_tag| Token::new(id_tag.as_str()));
    event.meter_wh = Some(Decimal::from(request.meter_stop));
    // Edition 2, 4.10: Local where the station doesn't say.
    event.stopped_reason = Some(request.reason.map_or("Local".into(), |reason| reason.to_string()));
    event.readings = readings(request.transaction_data.unwrap_or_default());
    transaction(TransactionForm::Stop, Kind::Ended, event, payload, None)
}

fn transaction(
    form: TransactionForm,
    kind: Kind,
    event: TransactionEvent,
    payload: &str,
    start: Option<StartKey>,
) -> Request {
    // -1 is what a station says that was never told the id (errata to 1.6, 3.18); others say 0.
    let named = event.transaction.number().is_some_and(|number| number > 0);
    let fingerprint = fingerprint([payload]);
    Request::Transaction { form, message: Box::new(Message { kind, event, fingerprint, named, start }) }
}
