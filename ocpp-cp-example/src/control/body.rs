//! What the paths take: small JSON objects, checked member by member.

use axum::body::Bytes;
use jiff::Timestamp;
use ocpp_core::station::smart_charging::{ExternalLimit, LimitOverTime, LimitSource, RateUnit};
use ocpp_core::station::{FaultCode, LocalStop, Token, TokenEntry, TokenType};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::problem::Problem;
use crate::hardware::EvChange;

/// Reads a body. An empty one counts as `{}`; the content type doesn't matter.
pub(super) fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    let json: &[u8] = if body.trim_ascii().is_empty() { b"{}" } else { body };
    // A list would do as well for serde: its items for the members in their order.
    if !json.trim_ascii_start().starts_with(b"{") {
        return Err(Problem::body("the body must be a JSON object"));
    }
    serde_json::from_slice(json).map_err(|error| Problem::body(format!("the body can't be used: {error}")))
}

/// `POST /evses/{n}/plug`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plug {
    /// Which connector of the EVSE; the first one when absent.
    #[serde(default = "first")]
    pub(super) connector: u32,
}

fn first() -> u32 {
    1
}

/// `POST /evses/{n}/tap`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tap {
    token: String,
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl Tap {
    pub(super) fn token(self) -> Token {
        let kind = self.kind.as_deref().map_or(TokenType::Iso14443, token_type);
        Token::new(self.token, kind)
    }
}

/// `PUT /auth-cache/{token}`, `PUT /local-list/{token}`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    #[serde(rename = "type")]
    kind: Option<String>,
    status: String,
    expires_at: Option<String>,
    group: Option<String>,
}

impl Entry {
    pub(super) fn of(self, token: String) -> Result<TokenEntry, Problem> {
        let expires_at = self.expires_at.map(|text| {
            let time = text.parse::<Timestamp>();
            time.map_err(|_| {
                Problem::body(format!("`expires_at` is no time: give one as `2026-11-20T08:00:00Z`, not `{text}`"))
            })
        });
        let kind = self.kind.as_deref().map_or(TokenType::Iso14443, token_type);
        let mut entry = TokenEntry::new(Token::new(token, kind), self.status);
        entry.expires_at = expires_at.transpose()?;
        entry.group = self.group;
        Ok(entry)
    }
}

/// The type of this name (2.1 appendices, `IdTokenEnumStringType`).
fn token_type(name: &str) -> TokenType {
    match name {
        "Central" => TokenType::Central,
        "DirectPayment" => TokenType::DirectPayment,
        "eMAID" => TokenType::EMaid,
        "EVCCID" => TokenType::EvccId,
        "ISO14443" => TokenType::Iso14443,
        "ISO15693" => TokenType::Iso15693,
        "KeyCode" => TokenType::KeyCode,
        "Local" => TokenType::Local,
        "MacAddress" => TokenType::MacAddress,
        "NoAuthorization" => TokenType::NoAuthorization,
        "VIN" => TokenType::Vin,
        other => TokenType::Other(other.to_owned()),
    }
}

/// `POST /evses/{n}/stop`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stop {
    reason: Option<String>,
}

/// The reasons that something at the station can have, by their names in 2.x (`ReasonEnumType`).
const STOPS: &[(&str, LocalStop)] = &[
    ("Local", LocalStop::Local),
    ("EmergencyStop", LocalStop::EmergencyStop),
    ("EnergyLimitReached", LocalStop::EnergyLimitReached),
    ("GroundFault", LocalStop::GroundFault),
    ("Other", LocalStop::Other),
    ("OvercurrentFault", LocalStop::OvercurrentFault),
    ("PowerQuality", LocalStop::PowerQuality),
    ("SOCLimitReached", LocalStop::StateOfChargeReached),
    ("StoppedByEV", LocalStop::StoppedByEv),
    ("TimeLimitReached", LocalStop::TimeLimitReached),
];

impl Stop {
    pub(super) fn reason(self) -> Result<LocalStop, Problem> {
        let Some(reason) = self.reason else { return Ok(LocalStop::Local) };
        STOPS.iter().find(|(name, _)| *name == reason).map(|(_, stop)| *stop).ok_or_else(|| {
            let hint = match reason.as_str() {
                "EVDisconnected" => ": POST …/unplug brings it about",
                "PowerLoss" => ": POST /power-cut brings it about",
                "Reboot" | "HardReset" | "SoftReset" | "ImmediateReset" => ": POST /restart or a Reset brings it about",
                "DeAuthorized" | "Remote" | "UnlockCommand" => ": only the CSMS brings it about",
                _ => "",
            };
            let names: Vec<_> = STOPS.iter().map(|(name, _)| *name).collect();
            Problem::body(format!(
                "`{reason}` is no reason to stop at the station{hint}; those are {}",
                names.join(", ")
            ))
        })
    }
}

/// `POST /evses/{n}/fault`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fault {
    code: String,
}

impl Fault {
    pub(super) fn code(&self) -> Result<FaultCode, Problem> {
        FaultCode::from_name(&self.code).ok_or_else(|| {
            let names: Vec<_> = FaultCode::ALL.iter().map(|code| code.as_str()).collect();
            Problem::body(format!("`{}` is no code of a fault; those are {}", self.code, names.join(", ")))
        })
    }
}

/// `POST /evses/{n}/ev`
pub(super) fn ev(body: &Bytes) -> Result<EvChange, Problem> {
    let change: EvChange = read(body)?;
    if change.soc.is_some_and(|soc| soc < Decimal::ZERO || soc > Decimal::ONE_HUNDRED) {
        return Err(Problem::body("`soc` is a percentage: give a number from 0 to 100"));
    }
    Ok(change)
}

/// `POST /evses/{n}/lock`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lock {
    pub(super) fails: bool,
}

/// `POST /evses/{n}/bay`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bay {
    pub(super) occupied: bool,
}

/// `POST /evses/{n}/priority`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Priority {
    pub(super) wanted: bool,
}

/// `POST /limit`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Limit {
    source: String,
    evse: Option<u32>,
    #[serde(default)]
    local_generation: bool,
    amperes: Option<Decimal>,
    watts: Option<Decimal>,
}

const SOURCES: &[LimitSource] = &[LimitSource::EnergyManagement, LimitSource::SystemOperator, LimitSource::Other];

impl Limit {
    pub(super) fn limit(self) -> Result<ExternalLimit, Problem> {
        let source = SOURCES.iter().copied().find(|source| source.as_str() == self.source).ok_or_else(|| {
            let names: Vec<_> = SOURCES.iter().map(|source| source.as_str()).collect();
            Problem::body(format!("`{}` is no source of a limit; those are {}", self.source, names.join(", ")))
        })?;
        let limit = match (self.amperes, self.watts) {
            (Some(_), Some(_)) => return Err(Problem::body("give the limit in `amperes` or in `watts`, not in both")),
            (Some(limit), None) => Some((limit, RateUnit::Amperes)),
            (None, Some(limit)) => Some((limit, RateUnit::Watts)),
            (None, None) => None,
        };
        if limit.is_some_and(|(limit, _)| limit < Decimal::ZERO) {
            return Err(Problem::body("a limit must not be negative; without one it is released"));
        }
        let limit = limit.map(|(limit, unit)| LimitOverTime::Constant { limit, unit });
        Ok(ExternalLimit { source, evse: self.evse, is_local_generation: self.local_generation, limit })
    }
}

/// `POST /power-cut`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PowerCut {
    #[serde(default = "yes")]
    pub(super) keep_transactions: bool,
}

fn yes() -> bool {
    true
}

/// `POST /network`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Network {
    pub(super) up: bool,
}

/// A path that takes nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// `PUT /settings/{name}`: `{"value": …}`, or the value itself, as JSON or as plain text.
pub(super) fn setting(body: &Bytes) -> Result<String, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Setting {
        value: serde_json::Value,
    }
    let advice = || Problem::body(r#"the body must be {"value": "…"}, or the value itself"#);
    let text = std::str::from_utf8(body).map_err(|_| advice())?.trim();
    let value = match text.bytes().next() {
        Some(b'{') => serde_json::from_str::<Setting>(text).map_err(|_| advice())?.value,
        Some(b'"') => serde_json::from_str(text).map_err(|_| advice())?,
        Some(b'[') | None => return Err(advice()),
        Some(_) => return Ok(text.to_owned()),
    };
    match value {
        serde_json::Value::String(text) => Ok(text),
        serde_json::Value::Number(number) => Ok(number.to_string()),
        serde_json::Value::Bool(boolean) => Ok(boolean.to_string()),
        serde_json::Value::Null | serde_json::Value::Array(_) | serde_json::Value::Object(_) => Err(advice()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Bytes {
        Bytes::copy_from_slice(text.as_bytes())
    }

    #[test]
    fn an_absent_body_takes_the_defaults_and_an_unknown_member_is_refused() {
        assert_eq!(read::<Plug>(&bytes(" \n")).unwrap().connector, 1);
        assert!(read::<PowerCut>(&bytes("{}")).unwrap().keep_transactions);
        assert!(read::<Plug>(&bytes(r#"{"conector":2}"#)).is_err());
        assert!(read::<Lock>(&bytes("{}")).is_err());
        assert!(read::<Nothing>(&bytes("[")).is_err());
    }

    #[test]
    fn a_token_has_the_type_it_is_given_and_is_a_card_otherwise() {
        let tap = |json| read::<Tap>(&bytes(json)).unwrap().token();
        assert_eq!(tap(r#"{"token":"AB"}"#), Token::rfid("AB"));
        assert_eq!(tap(r#"{"token":"1234","type":"KeyCode"}"#), Token::new("1234", TokenType::KeyCode));
        assert_eq!(tap(r#"{"token":"x","type":"Own"}"#).kind, TokenType::Other("Own".to_owned()));
    }

    #[test]
    fn an_entry_needs_a_status_and_a_time_that_is_one() {
        let entry = |json| read::<Entry>(&bytes(json)).unwrap().of("AB".to_owned());
        assert_eq!(entry(r#"{"status":"Accepted"}"#), Ok(TokenEntry::new(Token::rfid("AB"), "Accepted")));
        let full = entry(r#"{"status":"Blocked","expires_at":"2026-11-20T08:00:00Z","group":"G","type":"KeyCode"}"#);
        let mut expected = TokenEntry::new(Token::new("AB", TokenType::KeyCode), "Blocked");
        expected.expires_at = Some("2026-11-20T08:00:00Z".parse().unwrap());
        expected.group = Some("G".to_owned());
        assert_eq!(full, Ok(expected));
        assert!(entry(r#"{"status":"Accepted","expires_at":"soon"}"#).is_err());
        assert!(read::<Entry>(&bytes("{}")).is_err());
    }

    #[test]
    fn a_reason_or_code_that_is_none_is_answered_with_those_that_are() {
        let stop = |json| read::<Stop>(&bytes(json)).unwrap().reason();
        assert_eq!(stop("{}"), Ok(LocalStop::Local));
        assert_eq!(stop(r#"{"reason":"SOCLimitReached"}"#), Ok(LocalStop::StateOfChargeReached));
        assert!(format!("{:?}", stop(r#"{"reason":"EVDisconnected"}"#).unwrap_err()).contains("unplug"));
        let fault = |json| read::<Fault>(&bytes(json)).unwrap().code();
        assert_eq!(fault(r#"{"code":"GroundFailure"}"#), Ok(FaultCode::GroundFailure));
        assert!(format!("{:?}", fault(r#"{"code":"Groundfailure"}"#).unwrap_err()).contains("GroundFailure"));
    }

    #[test]
    fn a_state_of_charge_is_a_percentage() {
        assert!(ev(&bytes(r#"{"soc":100.0,"ready":true}"#)).is_ok());
        assert!(ev(&bytes(r#"{"soc":101}"#)).is_err());
        assert!(ev(&bytes(r#"{"soc":-0.5}"#)).is_err());
    }

    #[test]
    fn the_value_of_a_setting_may_be_wrapped_or_bare() {
        assert_eq!(setting(&bytes(r#"{"value":"60"}"#)), Ok("60".to_owned()));
        assert_eq!(setting(&bytes(r#"{"value":60}"#)), Ok("60".to_owned()));
        assert_eq!(setting(&bytes("true")), Ok("true".to_owned()));
        assert_eq!(setting(&bytes("\"\"")), Ok(String::new()));
        assert_eq!(setting(&bytes("Voltage,SoC\n")), Ok("Voltage,SoC".to_owned()));
        for bad in ["", "{}", r#"{"value":null}"#, r#"{"value":"1","more":1}"#, "[]", "\"sixty", r#"{"value":"#] {
            assert!(setting(&bytes(bad)).is_err(), "{bad}");
        }
    }
}
