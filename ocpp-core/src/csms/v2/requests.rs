//! Calls of a 2.x station.

use alloc::boxed::Box;
use alloc::string::{String, ToString};

use ocpp_types::v2_1::{
    AuthorizeRequest, BootNotificationRequest, EVSEType, EventDataType, IdTokenType, NotifySettlementRequest,
    PaymentStatusEnumType, StationRequest, StatusNotificationRequest, TransactionEventEnumType,
    TransactionEventRequest,
};
use ocpp_types::{ErrorCode, Json};

use super::metering::readings;
use crate::csms::config::RegistrationStatus;
use crate::csms::event::{Boot, ConnectorStatus, TransactionEvent};
use crate::csms::identity::{AdditionalInfo, Place, Token, TransactionId};
use crate::csms::message::RequestMessage;
use crate::csms::metering::energy_register_wh;
use crate::csms::output::{CertificateHashes, ContractCertificates};
use crate::csms::request::{Request, TransactionForm};
use crate::csms::settlement::{Address, PaymentStatus, Receipt, Settlement};
use crate::csms::transactions::{Kind, Message, TransactionLimit, fingerprint};

pub(super) fn to_request(request: StationRequest, payload: &str) -> Request {
    match request {
        StationRequest::Authorize(request) => authorize(request),
        StationRequest::BootNotification(request) => Request::Boot(Box::new(boot(request))),
        StationRequest::DataTransfer(request) => Request::DataTransfer {
            vendor_id: request.vendor_id.to_string(),
            message_id: request.message_id.map(|text| text.to_string()),
            data: request.data.map(|json| json.get().to_string()),
        },
        StationRequest::FirmwareStatusNotification(request) => {
            Request::FirmwareStatus { status: request.status.to_string(), request_id: request.request_id }
        }
        StationRequest::Heartbeat(_) => Request::Heartbeat,
        StationRequest::LogStatusNotification(request) => {
            Request::LogStatus { status: request.status.to_string(), request_id: request.request_id }
        }
        StationRequest::MeterValues(request) => {
            let place = (request.evse_id > 0).then(|| Place::evse(request.evse_id));
            Request::MeterValues { place, readings: readings(request.meter_value) }
        }
        // A04.FR.03: the answer follows when it is stored.
        StationRequest::SecurityEventNotification(request) => Request::SecurityEvent {
            kind: request.r#type.to_string(),
            at: request.timestamp.timestamp(),
            detail: request.tech_info.map(|text| text.to_string()),
        },
        StationRequest::StatusNotification(request) => Request::Status(Box::new(status(&request))),
        StationRequest::NotifySettlement(request) => Request::Settlement(Box::new(settlement(request))),
        StationRequest::TransactionEvent(request) => transaction_event(request),
        StationRequest::VatNumberValidation(request) => {
            Request::VatNumber { number: request.vat_number.to_string(), evse: request.evse_id }
        }
        other => Request::Message { message: RequestMessage::V2(Box::new(other)), payload: payload.to_string() },
    }
}

pub(in crate::csms) fn token(token: &IdTokenType) -> Token {
    let additional_info = token
        .additional_info
        .iter()
        .flatten()
        .map(|info| AdditionalInfo { kind: info.r#type.to_string(), value: info.additional_id_token.to_string() });
    Token {
        additional_info: additional_info.collect(),
        ..Token::with_kind(token.id_token.as_str(), token.r#type.as_str())
    }
}

/// C07.FR.02, C07.FR.06: with a contract comes what tells whether its certificate is good.
fn authorize(request: AuthorizeRequest) -> Request {
    let token = token(&request.id_token);
    let hashes = request.iso15118_certificate_hash_data.unwrap_or_default();
    if request.certificate.is_none() && hashes.is_empty() {
        return Request::Authorize { token };
    }
    let hashes = hashes.into_iter().map(|hashes| CertificateHashes {
        algorithm: hashes.hash_algorithm.to_string(),
        issuer_name: hashes.issuer_name_hash.to_string(),
        issuer_key: hashes.issuer_key_hash.to_string(),
        serial_number: hashes.serial_number.to_string(),
        responder_url: hashes.responder_url.to_string(),
    });
    let pem = request.certificate.map(|pem| pem.to_string());
    Request::AuthorizeContract { token, certificates: ContractCertificates { pem, hashes: hashes.collect() } }
}

fn settlement(request: NotifySettlementRequest) -> Settlement {
    let text = |text: &dyn ToString| text.to_string();
    Settlement {
        reference: request.psp_ref.to_string(),
        transaction: request.transaction_id.map(|id| TransactionId::new(id.as_str())),
        status: match request.status {
            PaymentStatusEnumType::Settled => PaymentStatus::Settled,
            PaymentStatusEnumType::Canceled => PaymentStatus::Canceled,
            PaymentStatusEnumType::Rejected => PaymentStatus::Rejected,
            PaymentStatusEnumType::Failed => PaymentStatus::Failed,
            other => PaymentStatus::Unlisted(other.to_string()),
        },
        detail: request.status_info.map(|detail| text(&detail)),
        amount: request.settlement_amount,
        at: request.settlement_time.timestamp(),
        receipt: Receipt { url: request.receipt_url.map(|url| text(&url)), id: request.receipt_id.map(|id| text(&id)) },
        vat_number: request.vat_number.map(|number| text(&number)),
        company: request.vat_company.map(|company| Address {
            name: text(&company.name),
            line: text(&company.address1),
            second_line: company.address2.map(|line| text(&line)),
            city: text(&company.city),
            postal_code: company.postal_code.map(|code| text(&code)),
            country: text(&company.country),
        }),
    }
}

/// EVSE 0 stands for the station, which no transaction takes place at.
fn place(evse: &EVSEType) -> Option<Place> {
    (evse.id > 0).then_some(Place { evse: evse.id, connector: evse.connector_id })
}

fn boot(request: BootNotificationRequest) -> Boot {
    let station = request.charging_station;
    let (iccid, imsi) = station.modem.map_or((None, None), |modem| (modem.iccid, modem.imsi));
    Boot {
        vendor: station.vendor_name.to_string(),
        model: station.model.to_string(),
        serial_number: station.serial_number.map(|text| text.to_string()),
        firmware_version: station.firmware_version.map(|text| text.to_string()),
        reason: Some(request.reason.to_string()),
        iccid: iccid.map(|text| text.to_string()),
        imsi: imsi.map(|text| text.to_string()),
        registration: RegistrationStatus::Pending,
    }
}

fn status(request: &StatusNotificationRequest) -> ConnectorStatus {
    ConnectorStatus {
        place: (request.evse_id > 0).then(|| Place::connector(request.evse_id, request.connector_id)),
        status: request.connector_status.to_string(),
        error: None,
        detail: None,
        at: request.timestamp.timestamp(),
    }
}

/// The state of a connector as 2.1 prefers to tell it (2.1 part 2, B01.FR.05).
pub(in crate::csms) fn availability_state(event: &EventDataType) -> Option<ConnectorStatus> {
    let is_connector = event.component.name.eq_ignore_ascii_case("Connector");
    if !is_connector || !event.variable.name.eq_ignore_ascii_case("AvailabilityState") {
        return None;
    }
    Some(ConnectorStatus {
        place: Some(event.component.evse.as_ref().and_then(place)?),
        status: event.actual_value.to_string(),
        error: None,
        detail: event.tech_info.as_ref().map(|text| text.to_string()),
        at: event.timestamp.timestamp(),
    })
}

/// How long a transaction's name may be where the schema is taken leniently. It is remembered for a long time.
const MAX_NAME: usize = 255;

fn transaction_event(request: TransactionEventRequest) -> Request {
    if request.transaction_info.transaction_id.len() > MAX_NAME {
        let code = ErrorCode::PropertyConstraintViolation;
        return Request::Refused { code, reason: "the transactionId is too long to be remembered" };
    }
    let kind = match request.event_type {
        TransactionEventEnumType::Started => Kind::Started,
        TransactionEventEnumType::Ended => Kind::Ended,
        _ => Kind::Updated,
    };
    // A message that is sent again may have turned into one that was kept offline; the rest stays.
    let fingerprint =
        fingerprint([request.event_type.as_str(), &request.timestamp.to_string(), request.trigger_reason.as_str()]);
    let info = request.transaction_info;
    let id = TransactionId::new(info.transaction_id.as_str());
    let mut event = TransactionEvent::new(id, request.timestamp.timestamp());
    event.place = request.evse.as_ref().and_then(place);
    event.sequence = Some(request.seq_no);
    event.trigger = Some(request.trigger_reason.to_string());
    event.token = request.id_token.as_deref().map(token);
    let stopped_reason = info.stopped_reason.map(|reason| reason.to_string());
    // TransactionType: Local where an end doesn't say.
    event.stopped_reason = stopped_reason.or_else(|| (kind == Kind::Ended).then(|| String::from("Local")));
    event.charging_state = info.charging_state.map(|state| state.to_string());
    event.readings = readings(request.meter_value.unwrap_or_default());
    event.meter_wh = energy_register_wh(&event.readings);
    event.offline = request.offline.unwrap_or(false);
    event.remote_start_id = info.remote_start_id;
    event.reservation_id = request.reservation_id;
    event.limit = info.transaction_limit.map(|limit| TransactionLimit {
        max_cost: limit.max_cost,
        max_energy: limit.max_energy,
        max_time: limit.max_time,
        max_soc: limit.max_so_c,
    });
    event.time_spent_charging = info.time_spent_charging;
    event.tariff_id = info.tariff_id.map(|id| id.to_string());
    let cost_details = request.cost_details.and_then(|details| Json::from_serialize(&*details).ok());
    event.cost_details = cost_details.map(|json| json.get().to_string());
    event.cable_max_current = request.cable_max_current;
    event.phases_used = request.number_of_phases_used;
    let message = Message { kind, event, fingerprint, named: true, start: None };
    Request::Transaction { form: TransactionForm::Event, message: Box::new(message) }
}
