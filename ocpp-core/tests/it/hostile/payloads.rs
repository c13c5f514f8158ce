//! Payloads that a schema describes, of values that mean something to a station, with departures.

use ocpp_core::types::schema::{Kind, ObjectSchema};
use ocpp_core::types::{Conformance, Version, v1_6, v2_0_1, v2_1};
use serde_json::{Map, Value, json};

/// Choices, made by bytes; without any left the first one is made.
pub struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn next(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    /// A number below `most`, which is at most 256.
    pub fn below(&mut self, most: u64) -> u64 {
        u64::from(self.next()) % most.max(1)
    }

    fn choose<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}

const TOKENS: [&str; 5] = ["TAG", "A", "B", "tag", "x"];

pub fn token(bytes: &mut Bytes<'_>) -> &'static str {
    bytes.choose(&TOKENS)
}

const KEYS: [&str; 24] = [
    "AllowOfflineTxForUnknownId",
    "AuthorizationCacheEnabled",
    "AuthorizationKey",
    "AuthorizeRemoteTxRequests",
    "ClockAlignedDataInterval",
    "ConnectionTimeOut",
    "ConnectorPhaseRotation",
    "HeartbeatInterval",
    "LocalAuthListEnabled",
    "LocalPreAuthorize",
    "MaxEnergyOnInvalidId",
    "MessageTimeout",
    "MeterValueSampleInterval",
    "MeterValuesSampledData",
    "MinimumStatusDuration",
    "ResetRetries",
    "StopTransactionOnEVSideDisconnect",
    "StopTransactionOnInvalidId",
    "StopTxnAlignedData",
    "StopTxnSampledData",
    "TransactionMessageAttempts",
    "TransactionMessageRetryInterval",
    "UnlockConnectorOnEVSideDisconnect",
    "WebSocketPingInterval",
];
const VALUES: [&str; 10] =
    ["true", "false", "0", "1", "7", "60", "100000", "", "Energy.Active.Import.Register,SoC", "x"];
const NAMES: [&str; 14] = [
    "TxCtrlr",
    "SampledDataCtrlr",
    "AlignedDataCtrlr",
    "AuthCtrlr",
    "AuthCacheCtrlr",
    "LocalAuthListCtrlr",
    "OCPPCommCtrlr",
    "TxStartPoint",
    "TxStopPoint",
    "Enabled",
    "TxUpdatedInterval",
    "Interval",
    "TxResumptionTimeout",
    "EVConnectionTimeOut",
];
const DATES: [&str; 6] = [
    "2026-11-20T08:00:00Z",
    "2026-11-20T08:10:00Z",
    "2026-11-21T08:00:00.5+01:00",
    "1970-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "2025-02-30T00:00:00Z",
];

macro_rules! sum {
    ($version:expr, $sum:ident, $what:ident $arguments:tt) => {
        match $version {
            Version::V1_6 => v1_6::$sum::$what $arguments,
            Version::V2_0_1 => v2_0_1::$sum::$what $arguments,
            Version::V2_1 => v2_1::$sum::$what $arguments,
        }
    };
}

/// A call of the CSMS.
pub fn request(version: Version, bytes: &mut Bytes<'_>, transaction: Option<&str>) -> (&'static str, String) {
    let actions = match version {
        Version::V1_6 => v1_6::CsmsRequest::ACTIONS,
        Version::V2_0_1 => v2_0_1::CsmsRequest::ACTIONS,
        Version::V2_1 => v2_1::CsmsRequest::ACTIONS,
    };
    let action = bytes.choose(actions);
    let schema = sum!(version, CsmsRequest, schema(action));
    (action, schema.map_or_else(|| "{}".into(), |schema| object(schema, bytes, transaction, 0).to_string()))
}

/// An answer of the CSMS.
pub fn response(version: Version, action: &str, bytes: &mut Bytes<'_>) -> String {
    let schema = sum!(version, CsmsResponse, schema(action));
    schema.map_or_else(|| "{}".into(), |schema| object(schema, bytes, None, 0).to_string())
}

/// Panics where a call of a station breaks the schema.
pub fn check_request(version: Version, action: &str, payload: &Value) {
    let text = payload.to_string();
    let result = match version {
        Version::V1_6 => v1_6::StationRequest::decode(action, &text, Conformance::Strict).map(drop),
        Version::V2_0_1 => v2_0_1::StationRequest::decode(action, &text, Conformance::Strict).map(drop),
        Version::V2_1 => v2_1::StationRequest::decode(action, &text, Conformance::Strict).map(drop),
    };
    result.unwrap_or_else(|error| panic!("{version} {action} {text}: {error}"));
}

fn object(schema: &ObjectSchema, bytes: &mut Bytes<'_>, transaction: Option<&str>, depth: usize) -> Value {
    let mut members = Map::new();
    for member in schema.members {
        let wanted = if member.required { bytes.below(64) != 63 } else { depth < 6 && bytes.below(3) == 0 };
        if wanted && member.name != "customData" {
            members.insert(member.name.into(), value(member.name, &member.kind, bytes, transaction, depth));
        }
    }
    Value::Object(members)
}

fn value(name: &str, kind: &Kind, bytes: &mut Bytes<'_>, transaction: Option<&str>, depth: usize) -> Value {
    if bytes.below(96) == 95 {
        return anything(bytes);
    }
    match kind {
        Kind::Text { .. } if name == "transactionId" => json!(transaction.unwrap_or("x")),
        Kind::Text { maximum } => match name {
            "key" => json!(bytes.choose(&KEYS)),
            "value" | "attributeValue" => json!(bytes.choose(&VALUES)),
            "name" => json!(bytes.choose(&NAMES)),
            "idTag" | "idToken" | "parentIdTag" => json!(token(bytes)),
            "vendorId" => json!(bytes.choose(&["com.example", "org.other"])),
            "type" => json!(bytes.choose(&["ISO14443", "Central"])),
            _ if bytes.below(16) == 15 => json!("é".repeat(maximum.unwrap_or(5_000).min(5_000))),
            _ => json!(bytes.choose(&["x", "", "Default"])),
        },
        Kind::Uri => json!(bytes.choose(&["https://example.com/f", "no uri"])),
        Kind::DateTime => json!(bytes.choose(&DATES)),
        Kind::Integer { maximum, .. } => match bytes.below(8) {
            7 => json!(maximum.unwrap_or(i64::MAX)),
            6 => json!(-1),
            5 => json!(bytes.next()),
            _ => json!(bytes.below(4)),
        },
        Kind::Number { .. } => match bytes.below(6) {
            0 => json!(0),
            1 => json!(-3.5),
            2 => json!(1e15),
            _ => json!(f64::from(bytes.next()) / 2.0),
        },
        Kind::Boolean => json!(bytes.below(2) == 0),
        Kind::Enum(schema) => json!(bytes.choose(schema.values)),
        Kind::Object(schema) => object(schema, bytes, transaction, depth + 1),
        Kind::List { item, minimum, maximum } => {
            let most = maximum.unwrap_or(5).min(5) as u64;
            let length = usize::try_from(bytes.below(most + 1)).unwrap().max(*minimum);
            Value::Array((0..length).map(|_| value(name, item, bytes, transaction, depth + 1)).collect())
        }
        _ => anything(bytes),
    }
}

fn anything(bytes: &mut Bytes<'_>) -> Value {
    match bytes.below(6) {
        0 => Value::Null,
        1 => json!(-7),
        2 => json!("text"),
        3 => json!({}),
        4 => json!([[], {"a": null}]),
        _ => json!(true),
    }
}
