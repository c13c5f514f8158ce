//! Transactions: when they begin and end, and how their messages are delivered.
//!
//! 1.6 edition 2, 9.1.6, 9.1.23, 9.1.24, 9.1.31 to 9.1.33; 1.6 errata 3.77, 3.80, 3.89

use super::{Definition, Key, Kind, SECONDS, instance, row, variable};

pub(super) const ROWS: &[Definition] = &[
    row(Key::EvConnectionTimeOut, Some("ConnectionTimeOut"), variable("TxCtrlr", "EVConnectionTimeOut"), SECONDS, "60")
        .unit("s"),
    row(
        Key::MaxEnergyOnInvalidId,
        Some("MaxEnergyOnInvalidId"),
        variable("TxCtrlr", "MaxEnergyOnInvalidId"),
        Kind::Integer { minimum: 0, maximum: i32::MAX as i64 },
        "0",
    )
    .unit("Wh"),
    row(
        Key::MessageAttemptInterval,
        Some("TransactionMessageRetryInterval"),
        instance("OCPPCommCtrlr", "MessageAttemptInterval", "TransactionEvent"),
        SECONDS,
        "60",
    )
    .unit("s"),
    row(
        Key::MessageAttempts,
        Some("TransactionMessageAttempts"),
        instance("OCPPCommCtrlr", "MessageAttempts", "TransactionEvent"),
        Kind::Integer { minimum: 1, maximum: 1_000 },
        "3",
    ),
    row(
        Key::StopTxOnEvSideDisconnect,
        Some("StopTransactionOnEVSideDisconnect"),
        variable("TxCtrlr", "StopTxOnEVSideDisconnect"),
        Kind::Boolean,
        "true",
    ),
    row(
        Key::StopTxOnInvalidId,
        Some("StopTransactionOnInvalidId"),
        variable("TxCtrlr", "StopTxOnInvalidId"),
        Kind::Boolean,
        "true",
    ),
    row(
        Key::TxAllowEnergyTransferResumption,
        None,
        variable("TxCtrlr", "TxAllowEnergyTransferResumption"),
        Kind::Boolean,
        "true",
    )
    .since_2_1(),
    row(Key::TxResumptionTimeout, None, variable("TxCtrlr", "TxResumptionTimeout"), SECONDS, "0").unit("s").since_2_1(),
    row(Key::TxStartPoint, None, variable("TxCtrlr", "TxStartPoint"), Kind::Points, "PowerPathClosed"),
    row(Key::TxStopPoint, None, variable("TxCtrlr", "TxStopPoint"), Kind::Points, "EVConnected,Authorized"),
    row(
        Key::UnlockOnEvSideDisconnect,
        Some("UnlockConnectorOnEVSideDisconnect"),
        variable("OCPPCommCtrlr", "UnlockOnEVSideDisconnect"),
        Kind::Boolean,
        "true",
    ),
];
