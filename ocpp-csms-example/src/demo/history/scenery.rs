//! Who and what the history is about.

use ocpp_core::types::Version;

use crate::access::drivers::Payment;

/// A station of the history.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) station: &'static str,
    pub(super) version: Version,
    pub(super) vendor: &'static str,
    pub(super) model: &'static str,
    pub(super) evses: i64,
    /// What an EVSE gives, in W.
    pub(super) power: u32,
    /// How many come to an EVSE in a day, at most.
    pub(super) visits: u32,
    /// Its own tariff, beside the default one.
    pub(super) tariff: Option<&'static str>,
}

/// The stations: first those that charge while the demonstration runs.
pub(super) const PLACES: [Place; 6] = [
    Place {
        station: "DEMO-16",
        version: Version::V1_6,
        vendor: "ocpp-cp",
        model: "7.4 kW",
        evses: 1,
        power: 7_400,
        visits: 4,
        tariff: None,
    },
    Place {
        station: "DEMO-201",
        version: Version::V2_0_1,
        vendor: "ocpp-cp",
        model: "11 kW",
        evses: 1,
        power: 11_000,
        visits: 5,
        tariff: None,
    },
    Place {
        station: "DEMO-21",
        version: Version::V2_1,
        vendor: "ocpp-cp",
        model: "22 kW",
        evses: 1,
        power: 22_000,
        visits: 7,
        tariff: None,
    },
    Place {
        station: DEPOT,
        version: Version::V1_6,
        vendor: "ocpp-cp",
        model: "Depot 22",
        evses: 2,
        power: 22_000,
        visits: 5,
        tariff: Some("day-and-night"),
    },
    Place {
        station: "MARKET-1",
        version: Version::V2_0_1,
        vendor: "ocpp-cp",
        model: "Market 50",
        evses: 2,
        power: 50_000,
        visits: 8,
        tariff: Some("quick"),
    },
    Place {
        station: HOTEL,
        version: Version::V2_1,
        vendor: "ocpp-cp",
        model: "Hotel 11",
        evses: 2,
        power: 11_000,
        visits: 3,
        tariff: Some("day-and-night"),
    },
];

/// A station at which something was broken for some hours.
pub(super) const DEPOT: &str = "DEPOT-1";
/// A station that has been away since yesterday.
pub(super) const HOTEL: &str = "HOTEL-1";
/// A station that nobody has accepted yet.
pub(super) const NEW: &str = "NEW-1";

/// Somebody who charges.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) name: &'static str,
    pub(super) login: &'static str,
    pub(super) card: &'static str,
    pub(super) payment: Payment,
}

const fn person(name: &'static str, login: &'static str, card: &'static str, payment: Payment) -> Person {
    Person { name, login, card, payment }
}

/// The drivers. The first is the one whose password is told.
pub(super) const PEOPLE: [Person; 12] = [
    person("Ane Etxeberria", "ane@example.org", "04E1A0B101", Payment::Balance),
    person("Amina Bello", "amina@example.org", "04E1A0B102", Payment::Balance),
    person("Keza Uwase", "keza@example.org", "04E1A0B103", Payment::Balance),
    person("Gurpreet Kaur", "gurpreet@example.org", "04E1A0B104", Payment::Balance),
    person("Sam Carter", "sam@example.org", "04E1A0B105", Payment::Balance),
    person("Iker Zabala", "iker@example.org", "04E1A0B106", Payment::Balance),
    person("Musa Danjuma", "musa@example.org", "04E1A0B107", Payment::Balance),
    person("Eric Mugisha", "eric@example.org", "04E1A0B108", Payment::Balance),
    person("Harjit Singh", "harjit@example.org", "04E1A0B109", Payment::Balance),
    person("Delivery van 1", "van1@example.org", "04E1A0B110", Payment::Free),
    person("Delivery van 2", "van2@example.org", "04E1A0B111", Payment::Free),
    person("Caretaker", "caretaker@example.org", "04E1A0B112", Payment::Free),
];

/// The tariffs: id, name and what they say.
pub(super) const TARIFFS: [(&str, &str, &str); 2] = [
    (
        "day-and-night",
        "Day and night",
        r#"{"currency": "EUR", "tax": {"percent": "21", "included": true}, "energy": [{"from": "07:00", "to": "22:00", "price": "0.44"}, {"from": "22:00", "to": "07:00", "price": "0.29"}]}"#,
    ),
    (
        "quick",
        "Quick charging",
        r#"{"currency": "EUR", "tax": {"percent": "21", "included": true}, "energy": "0.59", "start": "0.50", "idle": "6", "grace_minutes": 15}"#,
    ),
];

/// The site of the stations that charge, as the interface takes it. Its connection gives less than their cars would take together.
pub(super) const SITE: (&str, &str) = (
    "demo",
    r#"{"name": "Demonstration", "limit": {"amperes": 40}, "stations": [
        {"id": "DEMO-16", "maximum_a": 32, "evses": [{"id": 1, "phases": 1, "rotation": "RST"}]},
        {"id": "DEMO-201", "maximum_a": 16},
        {"id": "DEMO-21", "maximum_a": 32, "priority": 1}],
        "prices": {"zone": "demo", "rule": "thresholds", "full_below": "0.30", "minimum_above": "0.40"}}"#,
);
/// The zone of the day-ahead prices.
pub(super) const ZONE: &str = "demo";
