//! What a site is: its connection to the grid, what hangs on it, and how its power is shared.

use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::calendar::{Clock, Window};
use super::current::{Current, Limit, Supply};

/// Stations of a site at most.
const MOST_STATIONS: usize = 500;
/// EVSEs of a station at most.
const MOST_EVSES: usize = 64;

/// A site as its operator describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// What people call it: 1 to 100 characters.
    pub name: String,
    /// What may be drawn from the grid, always.
    pub limit: Limit,
    /// Phases of the connection: 1 or 3.
    #[serde(default = "three")]
    #[schema(minimum = 1, maximum = 3)]
    pub phases: u8,
    /// Volts between a phase and neutral: 100 to 400.
    #[serde(default = "volts")]
    pub voltage: u32,
    /// The time zone of the schedule, such as `Europe/Madrid`.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// When less may be drawn. Where windows overlap, the least of them counts.
    #[serde(default)]
    pub schedule: Vec<Window>,
    /// Parts with a limit of their own, such as a fuse.
    #[serde(default)]
    pub groups: Vec<Group>,
    /// The stations.
    #[serde(default)]
    pub stations: Vec<SiteStation>,
    /// Whether prices say when to charge.
    #[serde(default)]
    pub prices: Option<PricePolicy>,
}

/// A part of a site with a limit of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its name, unique in the site.
    pub id: String,
    /// What its stations may draw together.
    pub limit: Limit,
}

/// A station of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SiteStation {
    /// Its identity.
    pub id: String,
    /// The group it hangs on.
    #[serde(default)]
    pub group: Option<String>,
    /// The most that it can draw on each phase by its construction: this is kept in reserve as long as it is not known to obey.
    #[schema(value_type = f64)]
    pub maximum_a: Current,
    /// The least that a vehicle can charge with on each phase; whoever cannot have it waits. 6 A by IEC 61851.
    #[serde(default = "six")]
    #[schema(value_type = f64)]
    pub minimum_a: Current,
    /// What each EVSE may draw for a session that begins while the station is offline, where this much is to spare: its default
    /// profile. 6 A by default; 0 has such sessions wait.
    #[serde(default = "six")]
    #[schema(value_type = f64)]
    pub offline_a: Current,
    /// Higher ones are served first: 0 to 9.
    #[serde(default)]
    #[schema(maximum = 9)]
    pub priority: u8,
    /// How large its share is beside others' of the same priority: 1 to 100.
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 100)]
    pub weight: u8,
    /// Its EVSEs (connectors of 1.6); without any, one with three phases.
    #[serde(default)]
    pub evses: Vec<SiteEvse>,
}

/// An EVSE of a station.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SiteEvse {
    /// Its number, from 1.
    #[schema(minimum = 1)]
    pub id: i64,
    /// The most that it can draw on each phase; by default what the station can.
    #[serde(default)]
    #[schema(value_type = Option<f64>)]
    pub maximum_a: Option<Current>,
    /// Its phases: 1 or 3.
    #[serde(default = "three")]
    #[schema(minimum = 1, maximum = 3)]
    pub phases: u8,
    /// Which phases of the site its L1, L2 and L3 are. Where that is not known, a single phase counts on all three.
    #[serde(default)]
    pub rotation: Option<Rotation>,
}

/// Which phases of the site (R, S, T) the first, second and third phase of an EVSE are; the words of the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Rotation {
    /// As the site.
    Rst,
    /// L2 and L3 are exchanged.
    Rts,
    /// L1 and L2 are exchanged.
    Srt,
    /// L1 is S, L2 is T, L3 is R.
    Str,
    /// L1 is T, L2 is R, L3 is S.
    Trs,
    /// L1 and L3 are exchanged.
    Tsr,
}

impl Rotation {
    /// The places of L1, L2 and L3 among the site's phases.
    #[must_use]
    pub fn phases(self) -> [usize; 3] {
        match self {
            Self::Rst => [0, 1, 2],
            Self::Rts => [0, 2, 1],
            Self::Srt => [1, 0, 2],
            Self::Str => [1, 2, 0],
            Self::Trs => [2, 0, 1],
            Self::Tsr => [2, 1, 0],
        }
    }
}

/// How prices say when to charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PricePolicy {
    /// Whose prices.
    pub zone: String,
    /// What they mean.
    #[serde(flatten)]
    pub rule: PriceRule,
}

/// What prices mean for a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum PriceRule {
    /// Charge in the cheapest slots that suffice until the driver leaves. Who has told nothing has the time and the energy given here.
    Cheapest {
        /// When drivers leave, in the site's time zone.
        #[schema(value_type = String, example = "07:00")]
        departure: Clock,
        /// How much they need, in Wh.
        energy_wh: u64,
    },
    /// Charge with all there is below one price, with the least above another, and between them with half.
    Thresholds {
        /// The price for a kWh up to which all is used.
        #[schema(value_type = String, example = "0.10")]
        full_below: Decimal,
        /// The price for a kWh from which the least is used.
        #[schema(value_type = String, example = "0.30")]
        minimum_above: Decimal,
    },
}

const fn three() -> u8 {
    3
}

const fn one() -> u8 {
    1
}

const fn volts() -> u32 {
    230
}

const fn six() -> Current {
    Current::amperes(6)
}

fn utc() -> String {
    "UTC".to_owned()
}

impl Definition {
    /// What it is fed with.
    #[must_use]
    pub fn supply(&self) -> Supply {
        Supply { phases: self.phases, voltage: self.voltage }
    }

    /// The time zone.
    ///
    /// # Errors
    /// When nobody knows it.
    pub fn zone(&self) -> Result<TimeZone, jiff::Error> {
        TimeZone::get(&self.time_zone)
    }

    /// Everything that is wrong with it, each with what to do.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut check = |holds: bool, problem: String| {
            if !holds {
                problems.push(problem);
            }
        };
        check((1..=100).contains(&self.name.chars().count()), "give the site a name of 1 to 100 characters".to_owned());
        check(matches!(self.phases, 1 | 3), format!("{} phases: a connection has 1 or 3", self.phases));
        check(
            (100..=400).contains(&self.voltage),
            format!("{} V: give the volts of a phase, 100 to 400", self.voltage),
        );
        let unknown_zone = format!("nobody knows the time zone {:?}: write it as Europe/Madrid", self.time_zone);
        check(self.zone().is_ok(), unknown_zone);
        check(self.stations.len() <= MOST_STATIONS, format!("more than {MOST_STATIONS} stations: make two sites"));
        let limit = self.limit.current(self.supply());
        check(
            limit > Current::default(),
            "the limit of the site is 0: give what may be drawn from the grid".to_owned(),
        );
        for window in &self.schedule {
            let of_window = window.limit.current(self.supply());
            let what = format!("the schedule from {} until {}", window.from, window.until);
            check(window.from != window.until, format!("{what} is empty: let it end at another time"));
            check(
                of_window <= limit,
                format!("{what} allows {of_window}, the site {limit}: lower it, or raise the site's"),
            );
        }
        for (index, group) in self.groups.iter().enumerate() {
            let what = format!("the group {:?}", group.id);
            let is_first = self.groups[..index].iter().all(|other| other.id != group.id);
            check(is_first, format!("{what} is there twice: remove one"));
            check((1..=50).contains(&group.id.chars().count()), format!("{what} needs a name of 1 to 50 characters"));
            let of_group = group.limit.current(self.supply());
            check(
                of_group <= limit,
                format!("{what} allows {of_group}, the site {limit}: lower it, or raise the site's"),
            );
        }
        for (index, station) in self.stations.iter().enumerate() {
            let is_first = self.stations[..index].iter().all(|other| other.id != station.id);
            check(is_first, format!("the station {:?} is there twice: remove one", station.id));
        }
        problems.extend(self.stations.iter().flat_map(|station| self.problems_of(station, limit)));
        problems.extend(self.prices.as_ref().and_then(PricePolicy::problem));
        problems
    }

    fn problems_of(&self, station: &SiteStation, limit: Current) -> Vec<String> {
        let what = format!("the station {:?}", station.id);
        let mut problems = Vec::new();
        let mut check = |holds: bool, problem: String| {
            if !holds {
                problems.push(problem);
            }
        };
        let SiteStation { maximum_a: most, minimum_a: least, offline_a: offline, .. } = *station;
        check(most > Current::default(), format!("{what} has maximum_a 0: give what it can draw"));
        check(
            least > Current::default(),
            format!("{what} has minimum_a 0: give the least that a vehicle charges with"),
        );
        check(least <= most, format!("{what} has minimum_a {least} above its maximum_a {most}: lower it"));
        check(
            least <= limit,
            format!("{what} has minimum_a {least}, the site allows {limit}: nobody could charge there"),
        );
        check(offline <= most, format!("{what} has offline_a {offline} above its maximum_a {most}: lower it"));
        check(
            offline == Current::default() || offline >= least,
            format!("{what} has offline_a {offline} below its minimum_a {least}: raise it, or make it 0"),
        );
        check(station.priority <= 9, format!("{what} has priority {}: 0 to 9", station.priority));
        check((1..=100).contains(&station.weight), format!("{what} has weight {}: 1 to 100", station.weight));
        check(station.evses.len() <= MOST_EVSES, format!("{what} has more than {MOST_EVSES} EVSEs"));
        if let Some(group) = &station.group {
            match self.groups.iter().find(|known| known.id == *group) {
                Some(group) => {
                    let of_group = group.limit.current(self.supply());
                    let id = &group.id;
                    check(
                        least <= of_group,
                        format!(
                            "{what} has minimum_a {least}, its group {id:?} allows {of_group}: nobody could charge there"
                        ),
                    );
                }
                None => check(false, format!("{what} is in the group {group:?}: add that group, or name another")),
            }
        }
        for (index, evse) in station.evses.iter().enumerate() {
            let what = format!("EVSE {} of {what}", evse.id);
            check(evse.id >= 1, format!("{what}: EVSEs are counted from 1"));
            let is_first = station.evses[..index].iter().all(|other| other.id != evse.id);
            check(is_first, format!("{what} is there twice: remove one"));
            check(matches!(evse.phases, 1 | 3), format!("{what} has {} phases: 1 or 3", evse.phases));
            check(evse.phases <= self.phases, format!("{what} has {} phases, the site {}", evse.phases, self.phases));
            let of_evse = evse.maximum_a.unwrap_or(most);
            check(of_evse <= most, format!("{what} has maximum_a {of_evse} above the station's {most}: lower it"));
            check(least <= of_evse, format!("{what} has maximum_a {of_evse} below minimum_a {least}: raise it"));
        }
        problems
    }
}

impl PricePolicy {
    fn problem(&self) -> Option<String> {
        match &self.rule {
            _ if self.zone.is_empty() => Some("prices need a zone: the one under which they are imported".to_owned()),
            PriceRule::Thresholds { full_below, minimum_above } if full_below > minimum_above => {
                Some(format!("full_below {full_below} is above minimum_above {minimum_above}: exchange them"))
            }
            PriceRule::Cheapest { energy_wh: 0, .. } => {
                Some("energy_wh is 0: give how much drivers need who have told nothing".to_owned())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn problems(change: impl FnOnce(&mut Value)) -> String {
        let mut site = json!({
            "name": "Garage", "limit": {"amperes": 63}, "time_zone": "Europe/Madrid",
            "schedule": [{"days": ["mon"], "from": "17:00", "until": "20:00", "limit": {"amperes": 32}}],
            "groups": [{"id": "row", "limit": {"watts": 22_080}}],
            "stations": [{"id": "CS-1", "group": "row", "maximum_a": 32, "evses": [{"id": 1, "phases": 1, "rotation": "STR"}]}],
            "prices": {"zone": "ES", "rule": "thresholds", "full_below": "0.1", "minimum_above": "0.3"},
        });
        change(&mut site);
        serde_json::from_value::<Definition>(site).unwrap().problems().join("; ")
    }

    #[test]
    fn a_site_that_makes_sense_has_no_problems() {
        assert_eq!(problems(|_| {}), "");
    }

    #[test]
    fn what_makes_no_sense_is_named_with_what_to_do() {
        let cases: [(&str, Value, &str); 9] = [
            ("/groups/0/limit", json!({"amperes": 64}), "the group \"row\" allows 64 A, the site 63 A: lower it"),
            ("/schedule/0/limit", json!({"amperes": 70}), "allows 70 A, the site 63 A"),
            ("/stations/0/group", json!("column"), "add that group, or name another"),
            ("/stations/0/minimum_a", json!(40), "minimum_a 40 A above its maximum_a 32 A: lower it"),
            ("/stations/0/evses/0/phases", json!(2), "has 2 phases: 1 or 3"),
            ("/time_zone", json!("Mars/Base"), "nobody knows the time zone \"Mars/Base\""),
            ("/limit", json!({"amperes": 0}), "the limit of the site is 0"),
            ("/prices/full_below", json!("0.5"), "exchange them"),
            ("/schedule/0/until", json!("17:00"), "is empty"),
        ];
        for (pointer, value, expected) in cases {
            let found = problems(|site| match site.pointer_mut(pointer) {
                Some(place) => *place = value,
                None => site["stations"][0]["minimum_a"] = value,
            });
            assert!(found.contains(expected), "{pointer}: {found}");
        }
    }

    #[test]
    fn a_station_that_is_there_twice_is_named() {
        let found = problems(|site| {
            let again = site["stations"][0].clone();
            site["stations"].as_array_mut().unwrap().push(again);
        });
        assert!(found.contains("the station \"CS-1\" is there twice"), "{found}");
    }
}
