//! The form of a site: what it is, its stations, groups and times of the week, each in a row of fields.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::{Fields, Page};
use crate::sites::Definition;

/// Empty rows for what is added.
const SPARE: usize = 2;
/// Rows at most, as a site has stations.
const MOST: usize = 500;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A field of a row.
pub(super) struct Cell {
    pub(super) name: String,
    /// The key of what it is called.
    pub(super) label: String,
    /// The type of its input; `choice` is a choice of `options`.
    pub(super) kind: &'static str,
    pub(super) value: String,
    pub(super) options: &'static [&'static str],
}

impl Cell {
    pub(super) fn is_choice(&self) -> bool {
        self.kind == "choice"
    }

    pub(super) fn is_check(&self) -> bool {
        self.kind == "checkbox"
    }

    pub(super) fn is_station(&self) -> bool {
        self.kind == "station"
    }
}

/// A part of the form: rows of the same fields.
pub(super) struct Part {
    /// Under which name errors stand.
    pub(super) name: &'static str,
    /// The key of its heading.
    pub(super) title: &'static str,
    /// The key of what is to be known.
    pub(super) hint: &'static str,
    pub(super) rows: Vec<Vec<Cell>>,
    pub(super) error: Option<String>,
    /// Whether it is folded away.
    pub(super) folded: bool,
}

/// What a part has in each row: its prefix, then names, keys and kinds of its fields. The first one decides whether a row counts.
struct Shape {
    name: &'static str,
    title: &'static str,
    hint: &'static str,
    prefix: char,
    columns: &'static [(&'static str, &'static str, &'static str)],
}

const UNITS: &[&str] = &["A", "W"];
const SHAPES: [Shape; 3] = [
    Shape {
        name: "stations",
        title: "sites.stations",
        hint: "sites.stations_rows",
        prefix: 's',
        columns: &[
            ("id", "stations.station", "station"),
            ("maximum", "sites.maximum_a", "number"),
            ("priority", "sites.priority", "number"),
            ("group", "sites.group", "text"),
        ],
    },
    Shape {
        name: "schedule",
        title: "sites.schedule",
        hint: "sites.schedule_rows",
        prefix: 'w',
        columns: &[
            ("limit", "sites.limit", "number"),
            ("unit", "stations.field_unit", "choice"),
            ("from", "sites.from", "time"),
            ("until", "sites.until", "time"),
            ("mon", "sites.day_mon", "checkbox"),
            ("tue", "sites.day_tue", "checkbox"),
            ("wed", "sites.day_wed", "checkbox"),
            ("thu", "sites.day_thu", "checkbox"),
            ("fri", "sites.day_fri", "checkbox"),
            ("sat", "sites.day_sat", "checkbox"),
            ("sun", "sites.day_sun", "checkbox"),
        ],
    },
    Shape {
        name: "groups",
        title: "sites.groups",
        hint: "sites.groups_rows",
        prefix: 'g',
        columns: &[
            ("id", "sites.group", "text"),
            ("limit", "sites.limit", "number"),
            ("unit", "stations.field_unit", "choice"),
        ],
    },
];

impl Shape {
    fn field(&self, row: usize, column: &str) -> String {
        format!("{}{row}_{column}", self.prefix)
    }

    /// The rows in which something was typed.
    fn used(&self, fields: &Fields) -> Vec<usize> {
        let first = self.columns.first().map_or("id", |(name, ..)| name);
        (0..MOST).filter(|row| fields.filled(&self.field(*row, first)).is_some()).collect()
    }
}

/// The rows of the form, with empty ones below.
pub(super) fn parts(fields: &Fields) -> Vec<Part> {
    let part = |shape: &Shape| {
        let used = shape.used(fields);
        let count = used.last().map_or(0, |last| last + 1) + SPARE;
        let cell = |row: usize, (column, label, kind): &(&'static str, &'static str, &'static str)| {
            let name = shape.field(row, column);
            let options = if *kind == "choice" { UNITS } else { &[] };
            Cell { value: fields.get(&name).to_owned(), name, label: (*label).to_owned(), kind, options }
        };
        let rows = (0..count.min(MOST)).map(|row| shape.columns.iter().map(|column| cell(row, column)).collect());
        let error = fields.error(shape.name).map(str::to_owned);
        let folded = shape.name != "stations" && used.is_empty() && error.is_none();
        Part { name: shape.name, title: shape.title, hint: shape.hint, rows: rows.collect(), error, folded }
    };
    SHAPES.iter().map(part).collect()
}

/// The number and the unit of a limit.
fn limit(value: &Value) -> (String, &'static str) {
    if value["watts"].is_null() { (value["amperes"].to_string(), "A") } else { (value["watts"].to_string(), "W") }
}

/// What a site is, in the fields of the form.
pub(super) fn fields_of(id: &str, definition: &Definition) -> Fields {
    let value = serde_json::to_value(definition).unwrap_or_default();
    let (number, unit) = limit(&value["limit"]);
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let list = |name: &str| value[name].as_array().cloned().unwrap_or_default().into_iter().enumerate();
    let mut fields = Fields::default()
        .with("id", id)
        .with("name", &definition.name)
        .with("limit", number)
        .with("unit", unit)
        .with("phases", definition.phases)
        .with("voltage", definition.voltage)
        .with("time_zone", &definition.time_zone);
    for (row, station) in list("stations") {
        for (column, member) in [("id", "id"), ("maximum", "maximum_a"), ("priority", "priority"), ("group", "group")] {
            fields = fields.with(&format!("s{row}_{column}"), text(&station[member]));
        }
    }
    for (row, group) in list("groups") {
        let (number, unit) = limit(&group["limit"]);
        fields = fields.with(&format!("g{row}_id"), text(&group["id"])).with(&format!("g{row}_limit"), number);
        fields = fields.with(&format!("g{row}_unit"), unit);
    }
    for (row, window) in list("schedule") {
        let (number, unit) = limit(&window["limit"]);
        fields = fields.with(&format!("w{row}_limit"), number).with(&format!("w{row}_unit"), unit);
        for name in ["from", "until"] {
            fields = fields.with(&format!("w{row}_{name}"), text(&window[name]));
        }
        for day in window["days"].as_array().into_iter().flatten() {
            fields = fields.with(&format!("w{row}_{}", text(day)), "on");
        }
    }
    let prices = &value["prices"];
    let rule = text(&prices["rule"]);
    fields = fields.with("price_rule", if rule.is_empty() { "none" } else { &rule });
    for (field, member) in [
        ("price_zone", "zone"),
        ("departure", "departure"),
        ("full_below", "full_below"),
        ("minimum_above", "minimum_above"),
    ] {
        fields = fields.with(field, text(&prices[member]));
    }
    match prices["energy_wh"].as_u64() {
        Some(wh) => fields.with("energy", (Decimal::from(wh) / Decimal::ONE_THOUSAND).normalize()),
        None => fields,
    }
}

/// A number as it was typed, for JSON.
fn number(typed: &str) -> Option<Value> {
    let number: Decimal = typed.trim().parse().ok()?;
    serde_json::from_str(&number.normalize().to_string()).ok()
}

fn limit_of(typed: &str, unit: &str) -> Option<Value> {
    let name = if unit == "W" { "watts" } else { "amperes" };
    let mut object = Map::new();
    object.insert(name.to_owned(), number(typed)?);
    Some(object.into())
}

/// What the form says, over what is known of the site's stations.
pub(super) fn definition_of(page: &Page, fields: &mut Fields, before: Option<&Definition>) -> Option<Definition> {
    let before = before.and_then(|before| serde_json::to_value(before).ok()).unwrap_or_default();
    let mut value = json!({
        "name": fields.get("name"),
        "time_zone": fields.filled("time_zone").unwrap_or("UTC"),
        "stations": stations(page, fields, &before),
        "schedule": schedule(page, fields),
        "groups": groups(page, fields),
        "prices": prices(page, fields),
    });
    match limit_of(fields.get("limit"), fields.get("unit")) {
        Some(limit) => value["limit"] = limit,
        None => fields.fail("limit", page.t("money.error_amount")),
    }
    for name in ["phases", "voltage"] {
        if let Some(number) = fields.optional::<u32>(name, page.t("money.error_amount")) {
            value[name] = number.into();
        }
    }
    if !fields.fine() {
        return None;
    }
    let error = |error: serde_json::Error| fields.fail("stations", page.with("errors.because", "detail", error));
    serde_json::from_value(value).map_err(error).ok()
}

/// Notes that a row cannot be read.
fn unreadable(page: &Page, fields: &mut Fields, part: &'static str, row: usize) {
    fields.fail(part, page.with("sites.error_row", "row", row + 1));
}

fn stations(page: &Page, fields: &mut Fields, before: &Value) -> Vec<Value> {
    let mut stations = Vec::new();
    for row in SHAPES[0].used(fields) {
        let get = |column: &str| fields.get(&format!("s{row}_{column}")).to_owned();
        let (id, group) = (get("id"), get("group"));
        let priority = if get("priority").is_empty() { Some(0) } else { get("priority").parse::<u8>().ok() };
        let (Some(maximum), Some(priority)) = (number(&get("maximum")), priority) else {
            unreadable(page, fields, "stations", row);
            continue;
        };
        // What the form does not ask for, such as the phases of its EVSEs, stays.
        let known = before["stations"].as_array().into_iter().flatten().find(|station| station["id"] == *id);
        let mut station = known.cloned().unwrap_or_else(|| json!({}));
        station["id"] = id.into();
        station["maximum_a"] = maximum;
        station["priority"] = priority.into();
        station["group"] = Some(group).filter(|group| !group.is_empty()).into();
        stations.push(station);
    }
    stations
}

fn schedule(page: &Page, fields: &mut Fields) -> Vec<Value> {
    let mut windows = Vec::new();
    for row in SHAPES[1].used(fields) {
        let get = |column: &str| fields.get(&format!("w{row}_{column}")).to_owned();
        let days: Vec<_> =
            DAYS.into_iter().filter(|day| fields.ticked(&format!("w{row}_{day}"))).map(Value::from).collect();
        let times = [get("from"), get("until")];
        match limit_of(&get("limit"), &get("unit")) {
            Some(limit) if times.iter().all(|time| time.len() == 5) => {
                let [from, until] = times;
                windows.push(json!({"days": days, "from": from, "until": until, "limit": limit}));
            }
            _ => unreadable(page, fields, "schedule", row),
        }
    }
    windows
}

fn groups(page: &Page, fields: &mut Fields) -> Vec<Value> {
    let mut groups = Vec::new();
    for row in SHAPES[2].used(fields) {
        let get = |column: &str| fields.get(&format!("g{row}_{column}")).to_owned();
        match limit_of(&get("limit"), &get("unit")) {
            Some(limit) => groups.push(json!({"id": get("id"), "limit": limit})),
            None => unreadable(page, fields, "groups", row),
        }
    }
    groups
}

fn prices(page: &Page, fields: &mut Fields) -> Value {
    let rule = fields.get("price_rule").to_owned();
    let zone = fields.get("price_zone").to_owned();
    let known = matches!(rule.as_str(), "cheapest" | "thresholds");
    if !known {
        return Value::Null;
    }
    if zone.is_empty() {
        fields.fail("price_zone", page.t("sites.error_zone"));
    }
    let amount = page.t("money.error_amount");
    if rule == "cheapest" {
        let energy = fields.parsed::<Decimal>("energy", amount).and_then(|kwh| {
            let wh = kwh.checked_mul(Decimal::ONE_THOUSAND)?.trunc();
            u64::try_from(wh).ok()
        });
        if fields.get("departure").len() != 5 {
            fields.fail("departure", page.t("sites.error_time"));
        }
        return json!({"zone": zone, "rule": rule, "departure": fields.get("departure"), "energy_wh": energy.unwrap_or_default()});
    }
    let below = fields.parsed::<Decimal>("full_below", amount).unwrap_or_default();
    let above = fields.parsed::<Decimal>("minimum_above", amount).unwrap_or_default();
    json!({"zone": zone, "rule": rule, "full_below": below, "minimum_above": above})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_survives_its_form() {
        let written = r#"{"name": "Depot", "limit": {"amperes": 40.5}, "phases": 3, "voltage": 230, "time_zone": "Europe/Madrid",
            "schedule": [{"days": ["mon", "fri"], "from": "17:00", "until": "20:00", "limit": {"watts": 11000}}],
            "groups": [{"id": "fuse", "limit": {"amperes": 32}}],
            "stations": [{"id": "CS-1", "maximum_a": 32, "group": "fuse", "priority": 2, "offline_a": 0,
                "evses": [{"id": 1, "phases": 1, "rotation": "RST"}]}, {"id": "CS-2", "maximum_a": 16.5}],
            "prices": {"zone": "ES", "rule": "cheapest", "departure": "07:00", "energy_wh": 20000}}"#;
        let site: Definition = serde_json::from_str(written).unwrap();
        let mut fields = fields_of("depot", &site);
        let page = Page::of_tests();
        assert_eq!(definition_of(&page, &mut fields, Some(&site)), Some(site));
    }

    #[test]
    fn a_row_that_makes_no_sense_is_told_by_its_number() {
        let mut fields = Fields::default()
            .with("name", "Depot")
            .with("limit", 40)
            .with("s0_id", "CS-1")
            .with("s0_maximum", 32)
            .with("s1_id", "CS-2")
            .with("s1_maximum", "many");
        assert_eq!(definition_of(&Page::of_tests(), &mut fields, None), None);
        assert!(fields.error("stations").unwrap().contains('2'), "{:?}", fields.error("stations"));
        // What was typed stays, with empty rows below.
        assert_eq!(parts(&fields)[0].rows.len(), 4);
    }
}
