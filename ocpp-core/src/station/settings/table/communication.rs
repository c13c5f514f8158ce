//! Communication: the connection, its messages and what one of them may hold.
//!
//! 1.6 edition 2, 9.1.34; 1.6 errata 3.83

use super::{COUNT, Definition, Key, Kind, SECONDS, instance, row, variable};

pub(super) const ROWS: &[Definition] = &[
    // 1.6 errata 3.90
    row(
        Key::FileTransferProtocols,
        Some("SupportedFileTransferProtocols"),
        variable("OCPPCommCtrlr", "FileTransferProtocols"),
        Kind::Members(&["FTP", "FTPS", "HTTP", "HTTPS", "SFTP"]),
        "FTP,HTTP,HTTPS",
    )
    .read_only(),
    row(Key::GetConfigurationMaxKeys, Some("GetConfigurationMaxKeys"), None, COUNT, "100").read_only(),
    row(
        Key::HeartbeatInterval,
        Some("HeartbeatInterval"),
        variable("OCPPCommCtrlr", "HeartbeatInterval"),
        Kind::Integer { minimum: 1, maximum: i32::MAX as i64 },
        "86400",
    )
    .unit("s"),
    row(Key::ItemsPerGetReport, None, instance("DeviceDataCtrlr", "ItemsPerMessage", "GetReport"), COUNT, "100")
        .read_only(),
    row(Key::ItemsPerGetVariables, None, instance("DeviceDataCtrlr", "ItemsPerMessage", "GetVariables"), COUNT, "100")
        .read_only(),
    row(Key::ItemsPerSetVariables, None, instance("DeviceDataCtrlr", "ItemsPerMessage", "SetVariables"), COUNT, "100")
        .read_only(),
    row(
        Key::MessageTimeout,
        Some("MessageTimeout"),
        instance("OCPPCommCtrlr", "MessageTimeout", "Default"),
        Kind::Integer { minimum: 1, maximum: 3_600 },
        "30",
    )
    .unit("s"),
    row(
        Key::NetworkProfileConnectionAttempts,
        None,
        variable("OCPPCommCtrlr", "NetworkProfileConnectionAttempts"),
        Kind::Integer { minimum: 1, maximum: 100 },
        "3",
    ),
    row(Key::OfflineThreshold, None, variable("OCPPCommCtrlr", "OfflineThreshold"), SECONDS, "60").unit("s"),
    row(Key::RetryBackOffRandomRange, None, variable("OCPPCommCtrlr", "RetryBackOffRandomRange"), SECONDS, "10")
        .unit("s"),
    row(Key::RetryBackOffRepeatTimes, None, variable("OCPPCommCtrlr", "RetryBackOffRepeatTimes"), COUNT, "5"),
    row(Key::RetryBackOffWaitMinimum, None, variable("OCPPCommCtrlr", "RetryBackOffWaitMinimum"), SECONDS, "10")
        .unit("s"),
    row(
        Key::WebSocketPingInterval,
        Some("WebSocketPingInterval"),
        variable("OCPPCommCtrlr", "WebSocketPingInterval"),
        SECONDS,
        "60",
    )
    .unit("s"),
];
