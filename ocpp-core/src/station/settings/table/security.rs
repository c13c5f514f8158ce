//! Security: who the station says it is.

use super::{Definition, Key, Kind, row, variable};

pub(super) const ROWS: &[Definition] = &[
    row(
        Key::BasicAuthPassword,
        Some("AuthorizationKey"),
        variable("SecurityCtrlr", "BasicAuthPassword"),
        Kind::Text { maximum: 64 },
        "",
    )
    .write_only(),
    row(Key::Identity, None, variable("SecurityCtrlr", "Identity"), Kind::Text { maximum: 48 }, "").read_only(),
];
