//! Roll-outs: firmware for many stations, a few first.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::waves::{WaveSize, divide};
use super::{MaintenanceError, firmware};
use crate::access::Actor;
use crate::server::Csms;
use crate::store::{Registration, Rollout, RolloutState, Signing, Station, UpdateState};

/// Stations that are read at once.
const PAGE: u32 = 1_000;
/// The latest time at which a roll-out may begin.
const LATEST: SignedDuration = SignedDuration::from_hours(366 * 24);

/// What is rolled out, to whom and how.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The image.
    pub image: String,
    /// The stations, in the order in which they come; `None`: all that the image is for.
    pub stations: Option<Vec<String>>,
    /// How large the waves are; who is left makes the last one.
    pub waves: Vec<WaveSize>,
    /// When the first one begins.
    pub starts_at: Timestamp,
    /// It stops when more than so many percent of a wave failed, 0 to 100.
    pub max_failures: u8,
    /// How long a wave waits for stations that are offline. They get the firmware when they come, but hold up nobody any more.
    pub patience: SignedDuration,
    /// Whether stations are given the signature.
    pub signing: Signing,
}

/// Plans a roll-out, which begins by itself.
///
/// # Errors
/// When there is no such image, the stations are not those that it is for, or the waves make no sense.
pub async fn roll_out(csms: &Csms, actor: &Actor, plan: Plan) -> Result<Rollout, MaintenanceError> {
    let image = firmware::image(csms, &plan.image).await?;
    let invalid = |text: String| Err(MaintenanceError::Invalid(text));
    let now = Timestamp::now();
    if plan.max_failures > 100 {
        return invalid("max_failures is a percentage, 0 to 100".to_owned());
    }
    if plan.patience.is_negative() || plan.patience > SignedDuration::from_hours(24 * 366) {
        return invalid("patience_hours is 0 to 8784".to_owned());
    }
    if plan.starts_at > now.saturating_add(LATEST).unwrap_or(Timestamp::MAX) {
        return invalid("starts_at is more than a year ahead: plan it later".to_owned());
    }
    let fits = |station: &Station| {
        let identity = station.identity.as_ref();
        identity.is_some_and(|told| {
            told.vendor.eq_ignore_ascii_case(&image.vendor) && told.model.eq_ignore_ascii_case(&image.model)
        })
    };
    let stations = match &plan.stations {
        Some(named) => {
            let mut seen = BTreeSet::new();
            for id in named {
                let station = csms.store().station(id).await?;
                let station = station.ok_or_else(|| MaintenanceError::unknown("station", id))?;
                if !fits(&station) {
                    return invalid(format!(
                        "the image is for {} {}, which {id} did not say it is: leave it out, or upload the image for its model",
                        image.vendor, image.model
                    ));
                }
                if !seen.insert(id) {
                    return invalid(format!("{id} is named twice"));
                }
            }
            named.clone()
        }
        None => {
            let (mut found, mut after) = (Vec::new(), None::<String>);
            loop {
                let page = csms.store().stations(after.as_deref(), PAGE).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.id.clone());
                let accepted = page.into_iter().filter(|station| station.registration == Registration::Accepted);
                found.extend(accepted.filter(|station| fits(station)).map(|station| station.id));
            }
            found
        }
    };
    if stations.is_empty() {
        return invalid(format!(
            "there is no accepted station that said that it is a {} {}: see vendor and model of the image",
            image.vendor, image.model
        ));
    }
    let number = stations.len();
    let (stations, waves) = divide(stations, &plan.waves)?;
    let rollout = Rollout {
        id: Uuid::now_v7().to_string(),
        image: plan.image,
        state: RolloutState::Scheduled,
        wave: 0,
        waves,
        wave_began_at: None,
        starts_at: plan.starts_at.max(now),
        max_failures: plan.max_failures.into(),
        patience: plan.patience,
        signing: plan.signing,
        created_at: now,
        created_by: actor.name().to_owned(),
        changed_at: now,
        detail: None,
    };
    csms.store().add_rollout(&rollout, &stations).await?;
    let detail = format!("{} {} {} for {number} stations", image.vendor, image.model, image.version);
    csms.audit(actor, "rollout.planned", &rollout.id, detail).await;
    csms.maintenance().wake();
    Ok(rollout)
}

/// One roll-out.
///
/// # Errors
/// When there is none.
pub async fn rollout(csms: &Csms, id: &str) -> Result<Rollout, MaintenanceError> {
    csms.store().rollout(id).await?.ok_or_else(|| MaintenanceError::unknown("roll-out", id))
}

/// What can be done to a roll-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RolloutOrder {
    /// No further station is told.
    Pause,
    /// It goes on; if it stopped because stations failed, those of its wave are told again.
    Resume,
    /// It ends. Stations that were told already go on.
    Cancel,
}

/// Pauses, resumes or cancels a roll-out.
///
/// # Errors
/// When there is none, or it does not stand so that this could be done.
pub async fn direct(csms: &Csms, actor: &Actor, id: &str, order: RolloutOrder) -> Result<Rollout, MaintenanceError> {
    use RolloutState::{Cancelled, Paused, Running, Scheduled, Stopped};
    let before = rollout(csms, id).await?;
    let now = Timestamp::now();
    let (state, word) = match (order, before.state) {
        (RolloutOrder::Pause, Running | Scheduled) => (Paused, "paused"),
        (RolloutOrder::Resume, Paused) if before.wave_began_at.is_none() => (Scheduled, "resumed"),
        (RolloutOrder::Resume, Paused | Stopped) => (Running, "resumed"),
        (RolloutOrder::Cancel, Running | Scheduled | Paused | Stopped) => (Cancelled, "cancelled"),
        (_, state) => {
            return Err(MaintenanceError::Conflict(format!("the roll-out is {state}, so this cannot be done to it")));
        }
    };
    let detail = format!("{word} by {}", actor.name());
    if !csms.store().move_rollout(&before, state, before.wave, Some(&detail), now).await? {
        return Err(MaintenanceError::Conflict("the roll-out changed at this moment: look again".to_owned()));
    }
    if before.state == Stopped && state == Running {
        csms.store().retry_wave(&before, now).await?;
    }
    csms.audit(actor, &format!("rollout.{word}"), id, "").await;
    csms.maintenance().wake();
    rollout(csms, id).await
}

/// Leaves a station out of a roll-out, or tells it again.
///
/// # Errors
/// When there is no such station in it, or it does not stand so that this could be done.
pub async fn direct_station(
    csms: &Csms,
    actor: &Actor,
    id: &str,
    station: &str,
    skip: bool,
) -> Result<(), MaintenanceError> {
    let rollout = rollout(csms, id).await?;
    let (from, to, word) = match skip {
        true => (&[UpdateState::Waiting, UpdateState::Failed][..], UpdateState::Skipped, "skipped"),
        false => (&[UpdateState::Failed, UpdateState::Skipped][..], UpdateState::Waiting, "retried"),
    };
    if matches!(rollout.state, RolloutState::Cancelled | RolloutState::Finished) {
        return Err(MaintenanceError::Conflict(format!("the roll-out is {}: plan another one", rollout.state)));
    }
    let detail = format!("{word} by {}", actor.name());
    if !csms.store().move_update(id, station, from, to, Some(&detail), Timestamp::now()).await? {
        return Err(MaintenanceError::Conflict(format!(
            "{station} is not in this roll-out, or cannot be {word} as it stands"
        )));
    }
    csms.audit(actor, &format!("rollout.station_{word}"), id, station).await;
    csms.maintenance().wake();
    Ok(())
}
