//! How a site stands, for people.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::current::Current;
use super::plan::{Place, Scene, Target};
use super::schedule::Schedule;

/// A site as it stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LiveSite {
    /// Its name in the interface.
    pub id: String,
    /// When it was planned.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What may be drawn on each phase now.
    #[schema(value_type = f64)]
    pub limit_a: Current,
    /// What may be drawn when nothing limits it further.
    #[schema(value_type = f64)]
    pub connection_a: Current,
    /// The phases of the connection.
    pub phases: u8,
    /// Volts between a phase and neutral.
    pub voltage: u32,
    /// What is drawn, as far as the stations measure it, in W.
    pub used_w: u64,
    /// What stations under control may draw, on the phase with the most of it.
    #[schema(value_type = f64)]
    pub allotted_a: Current,
    /// What is kept for stations that are out of control: offline, not obeying, not able to.
    #[schema(value_type = f64)]
    pub reserved_a: Current,
    /// More may be drawn than there is: what was allowed before has not been taken back yet, or cannot be.
    pub overcommitted: bool,
    /// The ids of the signals that hold now.
    pub signals: Vec<String>,
    /// What a kWh costs now, where prices matter.
    #[schema(value_type = Option<String>)]
    pub price: Option<rust_decimal::Decimal>,
    /// The groups.
    pub groups: Vec<LiveGroup>,
    /// The EVSEs, by station and number.
    pub places: Vec<LivePlace>,
    /// What is planned, from now on.
    pub plan: Vec<PlanStep>,
}

/// A group as it stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LiveGroup {
    /// Its name.
    pub id: String,
    /// What may be drawn on each phase.
    #[schema(value_type = f64)]
    pub limit_a: Current,
    /// What its stations may draw, on the phase with the most of it.
    #[schema(value_type = f64)]
    pub allotted_a: Current,
}

/// How far a station is under control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Obedience {
    /// It does what it is told.
    Obeys,
    /// What others had told it is being removed.
    Preparing,
    /// It is not connected.
    Offline,
    /// It takes no charging profiles.
    Unsupported,
    /// It refused what it was sent, or did not answer; it is asked again.
    Waiting,
    /// It draws more than it was told.
    Defies,
}

impl Obedience {
    /// The word for it, as in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Obeys => "obeys",
            Self::Preparing => "preparing",
            Self::Offline => "offline",
            Self::Unsupported => "unsupported",
            Self::Waiting => "waiting",
            Self::Defies => "defies",
        }
    }
}

/// An EVSE as it stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LivePlace {
    /// Its station.
    pub station: String,
    /// Its number.
    pub evse: i64,
    /// Whether it is under control.
    pub obedience: Obedience,
    /// Why not, in words.
    pub reason: Option<String>,
    /// The session that runs.
    pub session: Option<String>,
    /// The vehicle takes nothing at present.
    pub suspended: bool,
    /// What it may draw now, by all that it may have been told.
    #[schema(value_type = f64)]
    pub may_draw_a: Current,
    /// What a session may draw that begins without being heard of; null where nothing was told.
    #[schema(value_type = Option<f64>)]
    pub default_a: Option<Current>,
    /// What is planned for it now; null where it is out of control.
    #[schema(value_type = Option<f64>)]
    pub planned_a: Option<Current>,
    /// What is planned for its session.
    pub plan: Vec<PlanStep>,
    /// What it draws, in W.
    pub measured_w: Option<u64>,
}

/// A stretch of a plan.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PlanStep {
    /// From when.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// What there is on each phase.
    #[schema(value_type = f64)]
    pub limit_a: Current,
    /// What is planned to be drawn or kept in reserve, on the phase with the most of it.
    #[schema(value_type = f64)]
    pub planned_a: Current,
    /// What a kWh costs then, where prices matter.
    #[schema(value_type = Option<String>)]
    pub price: Option<rust_decimal::Decimal>,
}

fn most(load: [u32; 3]) -> Current {
    Current::tenths(load.into_iter().max().unwrap_or(0))
}

fn moment(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}

/// What a pool's places may draw now, under control or not.
pub(super) fn drawn(scene: &Scene, pool: usize, obeys: Option<bool>) -> Current {
    most(scene.drawn(pool, |_, place| obeys.is_none_or(|obeys| obeys == place.obeys).then(|| place.bound(scene.now))))
}

/// The plan of the site, stretch by stretch.
pub(super) fn outlook(scene: &Scene, targets: &[Option<Target>]) -> Vec<PlanStep> {
    let planned = |moment: i64| {
        most(scene.drawn(0, |index, place| {
            Some(match targets.get(index).and_then(Option::as_ref) {
                Some(target) => place.load(target.default, target.session.as_ref(), moment),
                None => place.bound(moment),
            })
        }))
    };
    let mut moments = scene.moments();
    moments.extend(
        targets
            .iter()
            .flatten()
            .flat_map(|target| target.session.iter())
            .flat_map(|schedule| schedule.changes_after(scene.now)),
    );
    moments.sort_unstable();
    moments.dedup();
    let limit = |at: i64| scene.pools.first().map_or(0, |pool| pool.at(at));
    let step = |at: i64| PlanStep {
        from: moment(at),
        limit_a: Current::tenths(limit(at)),
        planned_a: planned(at),
        price: price(scene, at),
    };
    moments.into_iter().map(step).collect()
}

pub(super) fn price(scene: &Scene, at: i64) -> Option<rust_decimal::Decimal> {
    scene.prices.iter().find(|step| step.from <= at && at < step.until).map(|step| step.price)
}

/// The plan of one place.
pub(super) fn steps(scene: &Scene, place: &Place, schedule: &Schedule) -> Vec<PlanStep> {
    let step = |at: i64| PlanStep {
        from: moment(at),
        limit_a: Current::tenths(place.most),
        planned_a: Current::tenths(schedule.at(at)),
        price: price(scene, at),
    };
    std::iter::once(scene.now).chain(schedule.changes_after(scene.now)).map(step).collect()
}
