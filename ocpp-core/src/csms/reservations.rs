//! Reservations: made and cancelled by calls of the CSMS, whoever makes them, and ended by what the station tells (2.1 part 2, H;
//! 1.6 edition 2, 5.3, 5.13).
//!
//! That a reservation was used up is told by [`TransactionEvent::reservation_id`](super::TransactionEvent::reservation_id).

use alloc::boxed::Box;
use alloc::string::{String, ToString as _};

use jiff::Timestamp;
#[cfg(feature = "v1_6")]
use ocpp_types::v1_6;
use ocpp_types::v2_1;

use super::event::Event;
use super::identity::Token;
use super::message::{AnswerMessage, CallMessage};
use super::session::Session;
use crate::rpc::IncomingId;

/// A place to charge at, kept for a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// Its number, unique for the station. One that exists already is replaced.
    pub id: i64,
    /// Where; `None` leaves it to the station (in 1.6 connector 0).
    pub evse: Option<i64>,
    /// The kind of connector, in the standard's words (2.x).
    pub connector_type: Option<String>,
    /// For whom.
    pub token: Token,
    /// The group whose other tokens may use it as well.
    pub group: Option<Token>,
    /// When it is over.
    pub expires_at: Timestamp,
}

impl Session {
    /// The station answered a call: a reservation may have been made or cancelled by it.
    pub(super) fn observe_reservation(&mut self, call: &CallMessage, answer: &AnswerMessage) {
        let event = match (call, answer) {
            #[cfg(feature = "v1_6")]
            (CallMessage::V1_6(call), AnswerMessage::V1_6(answer)) => of_1_6(call, answer),
            (CallMessage::V2(call), AnswerMessage::V2(answer)) => of_2_x(call, answer),
            #[allow(unreachable_patterns)]
            _ => None,
        };
        if let Some(event) = event {
            self.event(event);
        }
    }

    /// The station ended a reservation (H01.FR.16, H01.FR.17, H03.FR.11, H04.FR.01).
    pub(super) fn receive_reservation_status(
        &mut self,
        id: IncomingId,
        request: &v2_1::ReservationStatusUpdateRequest,
    ) {
        let (reservation, status) = (request.reservation_id, request.reservation_update_status.to_string());
        self.take_note(id, Event::ReservationEnded { reservation, status });
    }
}

#[cfg(feature = "v1_6")]
fn of_1_6(call: &v1_6::CsmsRequest, answer: &v1_6::StationResponse) -> Option<Event> {
    match (call, answer) {
        (v1_6::CsmsRequest::ReserveNow(call), v1_6::StationResponse::ReserveNow(answer)) => {
            let made = answer.status == v1_6::ReservationStatus::Accepted;
            made.then(|| {
                Event::Reserved(Box::new(Reservation {
                    id: call.reservation_id,
                    evse: (call.connector_id > 0).then_some(call.connector_id),
                    connector_type: None,
                    token: Token::new(call.id_tag.as_str()),
                    group: call.parent_id_tag.as_ref().map(|group| Token::new(group.as_str())),
                    expires_at: call.expiry_date.timestamp(),
                }))
            })
        }
        (v1_6::CsmsRequest::CancelReservation(call), v1_6::StationResponse::CancelReservation(answer)) => {
            let cancelled = answer.status == v1_6::CancelReservationStatus::Accepted;
            cancelled.then_some(Event::ReservationCancelled { reservation: call.reservation_id })
        }
        _ => None,
    }
}

fn of_2_x(call: &v2_1::CsmsRequest, answer: &v2_1::StationResponse) -> Option<Event> {
    match (call, answer) {
        (v2_1::CsmsRequest::ReserveNow(call), v2_1::StationResponse::ReserveNow(answer)) => {
            let made = answer.status == v2_1::ReserveNowStatusEnumType::Accepted;
            made.then(|| {
                Event::Reserved(Box::new(Reservation {
                    id: call.id,
                    evse: call.evse_id,
                    connector_type: call.connector_type.as_ref().map(|kind| kind.to_string()),
                    token: super::v2::token(&call.id_token),
                    group: call.group_id_token.as_deref().map(super::v2::token),
                    expires_at: call.expiry_date_time.timestamp(),
                }))
            })
        }
        (v2_1::CsmsRequest::CancelReservation(call), v2_1::StationResponse::CancelReservation(answer)) => {
            let cancelled = answer.status == v2_1::CancelReservationStatusEnumType::Accepted;
            cancelled.then_some(Event::ReservationCancelled { reservation: call.reservation_id })
        }
        _ => None,
    }
}
