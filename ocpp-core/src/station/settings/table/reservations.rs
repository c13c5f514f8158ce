//! Reservations.

use super::{Definition, Key, Kind, row, variable};

pub(super) const ROWS: &[Definition] = &[
    row(Key::ReservationAvailable, None, variable("ReservationCtrlr", "Available"), Kind::Boolean, "true").read_only(),
    row(Key::ReservationEnabled, None, variable("ReservationCtrlr", "Enabled"), Kind::Boolean, "true"),
    row(
        Key::ReservationNonEvseSpecific,
        Some("ReserveConnectorZeroSupported"),
        variable("ReservationCtrlr", "NonEvseSpecific"),
        Kind::Boolean,
        "true",
    )
    .read_only(),
];
