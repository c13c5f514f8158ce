//! Reservations for a 1.6 CSMS (edition 2, 5.1 and 5.13).

use alloc::string::ToString;

use ocpp_types::v1_6::{
    CancelReservationRequest, CancelReservationResponse, CancelReservationStatus, ReservationStatus, ReserveNowRequest,
    ReserveNowResponse,
};

use crate::station::Station;
use crate::station::facts::{Token, TokenType};
use crate::station::reservations::{Reservation, ReserveOutcome, Target};

/// 1.6 edition 2, 5.13
pub(super) fn reserve_now(station: &mut Station, request: &ReserveNowRequest) -> ReserveNowResponse {
    let target = match request.connector_id {
        0 => Some(Target::Any { connector_type: None }),
        number => {
            station.by_through_number(number).map(|(evse, connector)| Target::Evse { evse, connector: Some(connector) })
        }
    };
    let outcome = target.map_or(ReserveOutcome::Rejected, |target| {
        station.reserve(Reservation {
            id: request.reservation_id,
            target,
            token: Token::new(request.id_tag.as_str(), TokenType::Iso14443),
            group: request.parent_id_tag.as_ref().map(ToString::to_string),
            expires: request.expiry_date.timestamp(),
        })
    });
    ReserveNowResponse::new(match outcome {
        ReserveOutcome::Accepted => ReservationStatus::Accepted,
        ReserveOutcome::Faulted => ReservationStatus::Faulted,
        ReserveOutcome::Occupied => ReservationStatus::Occupied,
        ReserveOutcome::Rejected => ReservationStatus::Rejected,
        ReserveOutcome::Unavailable => ReservationStatus::Unavailable,
    })
}

/// 1.6 edition 2, 5.1
pub(super) fn cancel_reservation(
    station: &mut Station,
    request: &CancelReservationRequest,
) -> CancelReservationResponse {
    CancelReservationResponse::new(if station.remove_reservation(request.reservation_id) {
        CancelReservationStatus::Accepted
    } else {
        CancelReservationStatus::Rejected
    })
}
