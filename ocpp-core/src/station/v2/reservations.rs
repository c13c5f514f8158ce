//! Reservations for a 2.x CSMS (block H).

use alloc::string::ToString;

use ocpp_types::v2_1::{
    CancelReservationRequest, CancelReservationResponse, CancelReservationStatusEnumType, IdTokenType,
    ReservationStatusUpdateRequest, ReservationUpdateStatusEnumType, ReserveNowRequest, ReserveNowResponse,
    ReserveNowStatusEnumType,
};

use super::calls;
use crate::station::Station;
use crate::station::facts::Token;
use crate::station::reservations::{Reservation, ReservationUpdate, ReserveOutcome, Target};

fn token(token: &IdTokenType) -> Token {
    Token::new(token.id_token.as_str(), calls::token_type(token.r#type.as_str()))
}

/// H01
pub(super) fn reserve_now(station: &mut Station, request: &ReserveNowRequest) -> ReserveNowResponse {
    let target = match request.evse_id {
        // An EVSE 0 is none that could be kept.
        Some(evse) => Target::Evse { evse: u32::try_from(evse).unwrap_or(0), connector: None },
        None => Target::Any { connector_type: request.connector_type.as_ref().map(ToString::to_string) },
    };
    let outcome = station.reserve(Reservation {
        id: request.id,
        target,
        token: token(&request.id_token),
        group: request.group_id_token.as_ref().map(|group| group.id_token.to_string()),
        expires: request.expiry_date_time.timestamp(),
    });
    ReserveNowResponse::new(match outcome {
        ReserveOutcome::Accepted => ReserveNowStatusEnumType::Accepted,
        ReserveOutcome::Faulted => ReserveNowStatusEnumType::Faulted,
        ReserveOutcome::Occupied => ReserveNowStatusEnumType::Occupied,
        ReserveOutcome::Rejected => ReserveNowStatusEnumType::Rejected,
        ReserveOutcome::Unavailable => ReserveNowStatusEnumType::Unavailable,
    })
}

/// H02
pub(super) fn cancel_reservation(
    station: &mut Station,
    request: &CancelReservationRequest,
) -> CancelReservationResponse {
    CancelReservationResponse::new(if station.remove_reservation(request.reservation_id) {
        CancelReservationStatusEnumType::Accepted
    } else {
        CancelReservationStatusEnumType::Rejected
    })
}

/// H01.FR.16, H01.FR.17, H03.FR.11, H04.FR.01
pub(super) fn status_update(id: i64, update: ReservationUpdate) -> ReservationStatusUpdateRequest {
    ReservationStatusUpdateRequest::new(id, ReservationUpdateStatusEnumType::from(update.as_str()))
}
