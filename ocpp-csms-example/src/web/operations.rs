//! Forms for what stations can be asked to do.

use std::time::Duration;

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Map, Value};

use super::told::Told as _;
use super::{Fields, Flash, Page, stations};
use crate::access::Actor;
use crate::server::Csms;
use crate::stations::operations::{self, Administer, Operate, Request};
use crate::store::OperationState;

/// How long a form waits for the station, which most of the time answers at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a field of such a form holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    /// A box to tick.
    Check,
    /// One of these.
    Choice(&'static [&'static str]),
    /// A moment.
    Moment,
    /// Several, one in each line.
    Lines,
    /// Several numbers.
    Numbers,
    /// JSON.
    Json,
    /// Text of several lines.
    Long,
    Secret,
}

/// A field of such a form.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) required: bool,
    pub(super) preset: &'static str,
}

/// A form.
#[derive(Debug)]
pub(super) struct Operation {
    /// The name of the operation.
    pub(super) name: &'static str,
    /// On which tab of the station it is.
    pub(super) tab: &'static str,
    /// Whether it needs the scope `administer`.
    pub(super) administers: bool,
    pub(super) fields: &'static [Field],
}

impl Operation {
    /// Whether this page's reader may send it.
    pub(super) fn is_for(&self, page: &Page) -> bool {
        if self.administers { page.administers() } else { page.operates() }
    }

    /// The kinds of inputs, for the template.
    pub(super) fn action(&self) -> &'static str {
        if self.administers { "administer" } else { "operate" }
    }
}

impl Field {
    /// The type of the input element, where it is one.
    pub(super) fn input(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Text => Some("text"),
            Kind::Number => Some("number"),
            Kind::Moment => Some("datetime-local"),
            Kind::Secret => Some("password"),
            Kind::Check | Kind::Choice(_) | Kind::Lines | Kind::Numbers | Kind::Json | Kind::Long => None,
        }
    }

    pub(super) fn is_check(&self) -> bool {
        self.kind == Kind::Check
    }

    pub(super) fn choices(&self) -> Option<&'static [&'static str]> {
        match self.kind {
            Kind::Choice(choices) => Some(choices),
            _ => None,
        }
    }
}

const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: false, preset: "" }
}

const fn required(name: &'static str, kind: Kind, preset: &'static str) -> Field {
    Field { name, kind, required: true, preset }
}

const fn operate(name: &'static str, tab: &'static str, fields: &'static [Field]) -> Operation {
    Operation { name, tab, administers: false, fields }
}

const fn administer(name: &'static str, tab: &'static str, fields: &'static [Field]) -> Operation {
    Operation { name, tab, administers: true, fields }
}

const CERTIFICATES: &[&str] = &[
    "CSMSRootCertificate",
    "CentralSystemRootCertificate",
    "ManufacturerRootCertificate",
    "MORootCertificate",
    "V2GRootCertificate",
];

/// All forms, in their order on the tabs.
pub(super) const OPERATIONS: &[Operation] = &[
    operate("remote_start", "live", &[field("evse", Kind::Number), required("token", Kind::Text, "")]),
    operate("remote_stop", "live", &[required("transaction", Kind::Text, "")]),
    operate("unlock", "live", &[required("evse", Kind::Number, "1"), field("connector", Kind::Number)]),
    operate("change_availability", "live", &[field("evse", Kind::Number), field("operative", Kind::Check)]),
    operate(
        "reset",
        "live",
        &[required("kind", Kind::Choice(&["on_idle", "immediate", "hard"]), "on_idle"), field("evse", Kind::Number)],
    ),
    operate(
        "trigger",
        "live",
        &[
            required(
                "message",
                Kind::Choice(&[
                    "StatusNotification",
                    "MeterValues",
                    "BootNotification",
                    "Heartbeat",
                    "FirmwareStatusNotification",
                ]),
                "StatusNotification",
            ),
            field("evse", Kind::Number),
            field("connector", Kind::Number),
        ],
    ),
    operate("clear_cache", "live", &[]),
    operate("transaction_status", "sessions", &[required("transaction", Kind::Text, "")]),
    operate(
        "priority_charging",
        "profiles",
        &[required("transaction", Kind::Text, ""), field("activate", Kind::Check)],
    ),
    operate(
        "data_transfer",
        "messages",
        &[required("vendor_id", Kind::Text, ""), field("message_id", Kind::Text), field("data", Kind::Json)],
    ),
    administer("get_monitors", "configuration", &[]),
    administer(
        "set_monitors",
        "configuration",
        &[required(
            "monitors",
            Kind::Json,
            r#"[{"transaction": false, "value": 80, "type": "UpperThreshold", "severity": 4, "component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Temperature"}}]"#,
        )],
    ),
    administer("clear_monitors", "configuration", &[required("ids", Kind::Numbers, "")]),
    administer(
        "set_monitoring_base",
        "configuration",
        &[required("base", Kind::Choice(&["All", "FactoryDefault", "HardWiredOnly"]), "All")],
    ),
    administer("set_monitoring_level", "configuration", &[required("severity", Kind::Number, "5")]),
    administer(
        "customer_information",
        "security",
        &[field("token", Kind::Text), field("customer", Kind::Text), field("clear", Kind::Check)],
    ),
    administer(
        "delete_certificate",
        "security",
        &[
            required("algorithm", Kind::Choice(&["SHA256", "SHA384", "SHA512"]), "SHA256"),
            required("issuer_name", Kind::Text, ""),
            required("issuer_key", Kind::Text, ""),
            required("serial_number", Kind::Text, ""),
        ],
    ),
    administer(
        "switch_network",
        "security",
        &[required("slot", Kind::Number, "1"), field("profile", Kind::Json), field("fall_back", Kind::Numbers)],
    ),
    operate(
        "reserve",
        "reservations",
        &[required("token", Kind::Text, ""), field("evse", Kind::Number), required("expires_at", Kind::Moment, "")],
    ),
    operate("cancel_reservation", "reservations", &[required("reservation", Kind::Number, "")]),
    operate(
        "base_report",
        "configuration",
        &[required(
            "base",
            Kind::Choice(&["FullInventory", "ConfigurationInventory", "SummaryInventory"]),
            "FullInventory",
        )],
    ),
    operate("get_configuration", "configuration", &[field("names", Kind::Lines)]),
    administer(
        "set_configuration",
        "configuration",
        &[required("name", Kind::Text, ""), required("value", Kind::Text, "")],
    ),
    operate(
        "get_composite_schedule",
        "profiles",
        &[
            required("evse", Kind::Number, "0"),
            required("duration", Kind::Number, "3600"),
            required("unit", Kind::Choice(&["W", "A"]), "W"),
        ],
    ),
    operate("get_charging_profiles", "profiles", &[field("evse", Kind::Number)]),
    operate(
        "set_charging_profile",
        "profiles",
        &[
            required("evse", Kind::Number, "0"),
            required(
                "profile",
                Kind::Json,
                r#"{"id": 1, "stackLevel": 0, "chargingProfilePurpose": "ChargingStationMaxProfile", "chargingProfileKind": "Absolute", "chargingSchedule": [{"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 11000}]}]}"#,
            ),
        ],
    ),
    operate("clear_charging_profile", "profiles", &[field("profile", Kind::Number)]),
    operate("get_display_messages", "messages", &[]),
    operate(
        "set_display_message",
        "messages",
        &[required(
            "message",
            Kind::Json,
            r#"{"id": 1, "priority": "NormalCycle", "message": {"format": "UTF8", "content": "…"}}"#,
        )],
    ),
    operate("clear_display_message", "messages", &[required("id", Kind::Number, "")]),
    operate("get_local_list_version", "list", &[]),
    operate("synchronise_local_list", "list", &[]),
    administer("list_certificates", "security", &[]),
    administer(
        "renew_certificate",
        "security",
        &[required("purpose", Kind::Choice(&["charging_station", "v2g", "v2g20", "combined"]), "charging_station")],
    ),
    administer(
        "install_certificate",
        "security",
        &[required("kind", Kind::Choice(CERTIFICATES), "CSMSRootCertificate"), required("certificate", Kind::Long, "")],
    ),
    administer("change_password", "security", &[required("password", Kind::Secret, "")]),
    administer("upgrade_profile", "security", &[required("profile", Kind::Choice(&["1", "2", "3"]), "2")]),
];

/// What a form says, as the operation takes it; the first of what is wrong with it as key and name of the field.
fn read(operation: &Operation, fields: &Fields) -> Result<Value, (&'static str, &'static str)> {
    let mut object = Map::new();
    object.insert("operation".to_owned(), operation.name.into());
    for field in operation.fields {
        let name = field.name;
        if field.is_check() {
            object.insert(name.to_owned(), fields.ticked(name).into());
            continue;
        }
        let Some(text) = fields.filled(name) else {
            if field.required {
                return Err(("stations.error_missing", name));
            }
            continue;
        };
        let number = || text.parse::<i64>().map(Value::from).map_err(|_| ("stations.error_number", name));
        let value = match field.kind {
            Kind::Number => number()?,
            // The security profile is a number.
            Kind::Choice(_) if operation.name == "upgrade_profile" => number()?,
            Kind::Json => serde_json::from_str(text).map_err(|_| ("stations.error_json", name))?,
            Kind::Numbers => {
                let numbers = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty());
                let numbers: Result<Vec<i64>, _> = numbers.map(str::parse).collect();
                numbers.map_err(|_| ("stations.error_number", name))?.into()
            }
            Kind::Lines => text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().into(),
            Kind::Moment => {
                let moment: jiff::civil::DateTime = text.parse().map_err(|_| ("stations.error_moment", name))?;
                let moment = moment.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| ("stations.error_moment", name))?;
                moment.timestamp().to_string().into()
            }
            _ => text.into(),
        };
        object.insert(name.to_owned(), value);
    }
    Ok(Value::Object(object))
}

/// Day-to-day operation.
pub(super) async fn operate_station(
    page: Page,
    actor: axum::Extension<Actor>,
    State(csms): State<Csms>,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Response {
    run(&page, &actor, &csms, &id, &fields, false).await
}

/// Set-up and security.
pub(super) async fn administer_station(
    page: Page,
    actor: axum::Extension<Actor>,
    State(csms): State<Csms>,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Response {
    run(&page, &actor, &csms, &id, &fields, true).await
}

async fn run(page: &Page, actor: &Actor, csms: &Csms, id: &str, fields: &Fields, administers: bool) -> Response {
    let known =
        OPERATIONS.iter().find(|known| known.name == fields.get("operation") && known.administers == administers);
    let Some(operation) = known else {
        return Flash::bad(page.t("stations.error_choice")).at(&stations::path(id));
    };
    let tab = match operation.tab {
        "live" => stations::path(id),
        tab => format!("{}/{tab}", stations::path(id)),
    };
    let value = match read(operation, fields) {
        Ok(value) => value,
        Err((key, name)) => {
            let field = page.t(&format!("stations.field_{name}")).to_owned();
            return Flash::bad(page.with(key, "field", field)).at(&tab);
        }
    };
    let request = if administers {
        serde_json::from_value::<Administer>(value).map(Request::from)
    } else {
        serde_json::from_value::<Operate>(value).map(Request::from)
    };
    let begun = match request {
        Ok(request) => operations::begin(csms, actor, id, request).await.map_err(|error| error.told(page)),
        Err(error) => Err(page.with("errors.because", "detail", error)),
    };
    let ended = match begun {
        Ok(begun) => csms.stations().operation_ends(begun, PATIENCE).await.map_err(|error| error.told(page)),
        Err(error) => Err(error),
    };
    let name = page.t(&format!("stations.op_{}", operation.name)).to_owned();
    match ended {
        Ok(ended) => {
            let state = page.t(&format!("stations.state_{}", ended.state)).to_owned();
            let good = matches!(ended.state, OperationState::Succeeded | OperationState::Running);
            let text = match ended.detail {
                Some(detail) => format!("{name}: {state} ({detail})"),
                None => format!("{name}: {state}"),
            };
            Flash { good, text }.at(&tab)
        }
        Err(error) => Flash::bad(format!("{name}: {error}")).at(&tab),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(operation: &Operation) -> Fields {
        operation.fields.iter().fold(Fields::default(), |fields, field| {
            let value = match field.kind {
                _ if !field.preset.is_empty() => field.preset,
                Kind::Number | Kind::Numbers => "1",
                Kind::Json => "{}",
                Kind::Moment => "2026-11-20T12:00",
                Kind::Check => "on",
                _ => "text",
            };
            fields.with(field.name, value)
        })
    }

    #[test]
    fn every_form_says_what_its_operation_takes() {
        for operation in OPERATIONS {
            let value = read(operation, &filled(operation)).unwrap();
            let understood = if operation.administers {
                serde_json::from_value::<Administer>(value).map(drop)
            } else {
                serde_json::from_value::<Operate>(value).map(drop)
            };
            understood.unwrap_or_else(|error| panic!("{}: {error}", operation.name));
        }
    }

    #[test]
    fn what_is_missing_or_no_number_is_told_by_its_field() {
        let unlock = OPERATIONS.iter().find(|known| known.name == "unlock").unwrap();
        assert_eq!(read(unlock, &Fields::default()), Err(("stations.error_missing", "evse")));
        assert_eq!(read(unlock, &Fields::default().with("evse", "two")), Err(("stations.error_number", "evse")));
    }
}
