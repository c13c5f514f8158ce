//! Carries roll-outs out: tells stations when it is their turn and they are there, goes on from wave to wave, stops when too many fail.
//!
//! All that is decided is decided from what is kept, so a restart changes nothing: what was told without an answer is told again, which
//! stations take for the newer update (L01.FR.24; 1.6 security, L01.FR.26).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ocpp_core::csms::flows::{FirmwareSignature, FirmwareUpdate, Flow, FlowEnd};
use ocpp_core::csms::{CallOutcome, Command};
use ocpp_core::types::Version;
use tokio_util::sync::CancellationToken;

use super::MaintenanceError;
use super::firmware::location;
use super::logs::told;
use crate::server::Csms;
use crate::store::{FirmwareImage, Rollout, RolloutState, RolloutStation, Signing, StoreError, UpdateState};

/// How often it is looked whether something is due.
const ROUND: Duration = Duration::from_secs(2);
/// How often a station is told that cannot be reached in the end.
const ATTEMPTS: i64 = 3;
/// How long a station may say nothing.
const SILENCE: SignedDuration = SignedDuration::from_hours(12);
/// How often a station tries to fetch the image, and how long it waits in between.
const RETRIES: (i64, Duration) = (3, Duration::from_secs(120));
/// Stations that are told in one round.
const AT_ONCE: usize = 50;

/// Carries roll-outs out until the server stops.
pub(crate) async fn run(csms: Csms, stop: CancellationToken) {
    if let Err(error) = csms.store().forget_sent_updates(Timestamp::now()).await {
        tracing::error!(%error, "the roll-outs cannot be gone on with");
    }
    let mut rounds = tokio::time::interval(ROUND);
    rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = rounds.tick() => {}
            () = csms.maintenance().woken() => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = round(&csms).await {
            tracing::error!(%error, "the roll-outs are left as they are");
        }
    }
}

async fn round(csms: &Csms) -> Result<(), StoreError> {
    for rollout in csms.store().active_rollouts().await? {
        let now = Timestamp::now();
        match rollout.state {
            RolloutState::Scheduled if rollout.starts_at <= now => {
                csms.store().move_rollout(&rollout, RolloutState::Running, 0, None, now).await?;
                csms.maintenance().wake();
            }
            RolloutState::Running => advance(csms, &rollout, now).await?,
            _ => {}
        }
    }
    Ok(())
}

/// What is to be done with a roll-out as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Next {
    /// Too many of the wave failed.
    Stop { failed: usize, of: usize },
    /// Everybody is done.
    Finish,
    /// The next wave has its turn.
    Advance,
    /// Whoever waits and is there is told.
    Tell,
}

fn next(rollout: &Rollout, stations: &[RolloutStation], now: Timestamp) -> Next {
    let of_wave: Vec<_> = stations.iter().filter(|station| station.wave == rollout.wave).collect();
    let failed = of_wave.iter().filter(|station| station.state == UpdateState::Failed).count();
    let share = i64::try_from(failed * 100).unwrap_or(i64::MAX);
    if failed > 0 && share > rollout.max_failures.saturating_mul(i64::try_from(of_wave.len()).unwrap_or(i64::MAX)) {
        return Next::Stop { failed, of: of_wave.len() };
    }
    let is_last = rollout.wave + 1 >= rollout.waves;
    if stations.iter().all(|station| station.state.is_final()) {
        return if is_last { Next::Finish } else { Next::Advance };
    }
    // Who is offline for long holds nobody up any more, and gets it all the same.
    let began = rollout.wave_began_at.unwrap_or(now);
    let is_patient = now.duration_since(began) < rollout.patience;
    let only_waiting = stations.iter().all(|station| station.state.is_final() || station.state == UpdateState::Waiting);
    if !is_last && only_waiting && !is_patient { Next::Advance } else { Next::Tell }
}

async fn advance(csms: &Csms, rollout: &Rollout, now: Timestamp) -> Result<(), StoreError> {
    let store = csms.store();
    let mut stations = store.rollout_stations(&rollout.id, rollout.wave).await?;
    for station in &mut stations {
        let is_under_way = !station.state.is_final() && station.state != UpdateState::Waiting;
        if is_under_way && now.duration_since(station.changed_at) > SILENCE {
            let detail = "the station said nothing for half a day: see what it runs, then tell it again";
            let from = [station.state];
            store.move_update(&rollout.id, &station.station, &from, UpdateState::Failed, Some(detail), now).await?;
            station.state = UpdateState::Failed;
        }
    }
    match next(rollout, &stations, now) {
        Next::Stop { failed, of } => {
            let detail = format!("{failed} of the {of} stations of wave {} failed", rollout.wave + 1);
            tracing::warn!(rollout = rollout.id, "a roll-out stops: {detail}");
            store.move_rollout(rollout, RolloutState::Stopped, rollout.wave, Some(&detail), now).await?;
        }
        Next::Finish => {
            store.move_rollout(rollout, RolloutState::Finished, rollout.wave, None, now).await?;
        }
        Next::Advance => {
            store.move_rollout(rollout, RolloutState::Running, rollout.wave + 1, None, now).await?;
            csms.maintenance().wake();
        }
        Next::Tell => {
            let Some(image) = store.firmware_image(&rollout.image).await? else { return Ok(()) };
            let is_there = |station: &&RolloutStation| {
                station.state == UpdateState::Waiting && csms.stations().live(&station.station).connection.is_some()
            };
            for station in stations.iter().filter(is_there).take(AT_ONCE) {
                tell(csms, rollout, &image, station, now).await?;
            }
        }
    }
    Ok(())
}

/// Tells a station to update itself.
async fn tell(
    csms: &Csms,
    rollout: &Rollout,
    image: &FirmwareImage,
    station: &RolloutStation,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (store, id) = (csms.store(), station.station.as_str());
    let waiting = [UpdateState::Waiting];
    let known = store.station(id).await?;
    let runs = known.as_ref().and_then(|known| known.identity.as_ref()?.firmware_version.as_deref());
    if runs == Some(image.version.as_str()) {
        let detail = Some("it runs this version already");
        store.move_update(&rollout.id, id, &waiting, UpdateState::Skipped, detail, now).await?;
        return Ok(());
    }
    let update = match update(csms, rollout, image, id) {
        Ok(update) => update,
        Err(error) => {
            let detail = error.to_string();
            store.move_update(&rollout.id, id, &waiting, UpdateState::Failed, Some(&detail), now).await?;
            return Ok(());
        }
    };
    if !store.move_update(&rollout.id, id, &waiting, UpdateState::Sent, None, now).await? {
        return Ok(());
    }
    let (csms, rollout, id) = (csms.clone(), rollout.id.clone(), id.to_owned());
    let attempts = station.attempts + 1;
    tokio::spawn(async move {
        let outcome = csms.stations().call(&id, Command::Flow(Box::new(Flow::UpdateFirmware(update)))).await;
        let end = match &outcome {
            Ok(outcome) => end_of(outcome),
            Err(_) => End::Unheard("the connection ended".to_owned()),
        };
        let all = [UpdateState::Sent, UpdateState::Downloading, UpdateState::Downloaded, UpdateState::Installing];
        let (from, to, detail) = match end {
            End::Installed => (&all[..], UpdateState::Installed, None),
            End::Failed(detail) => (&all[..], UpdateState::Failed, Some(detail)),
            // Once it said something, it says the rest as well.
            End::Unheard(detail) if attempts < ATTEMPTS => (&all[..1], UpdateState::Waiting, Some(detail)),
            End::Unheard(detail) => (&all[..1], UpdateState::Failed, Some(detail)),
        };
        let now = Timestamp::now();
        if let Err(error) = csms.store().move_update(&rollout, &id, from, to, detail.as_deref(), now).await {
            tracing::error!(station = %id, %error, "what became of an update cannot be kept");
        }
        csms.maintenance().wake();
    });
    Ok(())
}

fn update(
    csms: &Csms,
    rollout: &Rollout,
    image: &FirmwareImage,
    station: &str,
) -> Result<FirmwareUpdate, MaintenanceError> {
    let version = csms.stations().live(station).connection.map(|connection| connection.version);
    let is_signed = match rollout.signing {
        Signing::Always => true,
        Signing::Never => false,
        Signing::ByVersion => version != Some(Version::V1_6),
    };
    let mut update = FirmwareUpdate::new(location(csms, station, image)?, Timestamp::now());
    (update.retries, update.retry_interval) = (Some(RETRIES.0), Some(RETRIES.1));
    // L01.FR.11; 1.6 security, L01.FR.11
    update.signature = is_signed
        .then(|| FirmwareSignature { certificate: image.certificate.clone(), signature: image.signature.clone() });
    Ok(update)
}

/// How telling a station ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Installed,
    Failed(String),
    /// It may not have heard it.
    Unheard(String),
}

fn end_of(outcome: &CallOutcome) -> End {
    match outcome {
        CallOutcome::Flow(end) => match &**end {
            FlowEnd::Completed(_) => End::Installed,
            FlowEnd::Refused { status, reason } => {
                let reason = reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
                End::Failed(format!("the station refused: {status}{reason}"))
            }
            FlowEnd::Failed { status } => End::Failed(format!("the station says {status}")),
            FlowEnd::Superseded => End::Failed("a newer update took its place".to_owned()),
            FlowEnd::NotAllowed { rule } => End::Failed(format!("not allowed: {rule}")),
            FlowEnd::TimedOut { .. } => End::Failed("the station said nothing for hours".to_owned()),
            FlowEnd::CallFailed { outcome, .. } => match outcome {
                CallOutcome::Error(_) | CallOutcome::Invalid { .. } | CallOutcome::NotSupported => {
                    End::Failed(told(outcome))
                }
                outcome => End::Unheard(told(outcome)),
            },
            other => End::Unheard(format!("{other:?}")),
        },
        CallOutcome::Error(_) | CallOutcome::Invalid { .. } | CallOutcome::NotSupported => End::Failed(told(outcome)),
        outcome => End::Unheard(told(outcome)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rollout(wave: i64, waves: i64, max_failures: i64) -> Rollout {
        let began = Timestamp::from_second(1_000_000).unwrap();
        Rollout {
            id: "R".to_owned(),
            image: "I".to_owned(),
            state: RolloutState::Running,
            wave,
            waves,
            wave_began_at: Some(began),
            starts_at: began,
            max_failures,
            patience: SignedDuration::from_hours(24),
            signing: Signing::ByVersion,
            created_at: began,
            created_by: String::new(),
            changed_at: began,
            detail: None,
        }
    }

    fn stations(states: &[(i64, UpdateState)]) -> Vec<RolloutStation> {
        let station = |(number, (wave, state)): (usize, &(i64, UpdateState))| RolloutStation {
            station: number.to_string(),
            wave: *wave,
            state: *state,
            attempts: 1,
            status: None,
            changed_at: Timestamp::UNIX_EPOCH,
            detail: None,
        };
        states.iter().enumerate().map(station).collect()
    }

    fn after_hours(hours: i64, rollout: &Rollout, states: &[(i64, UpdateState)]) -> Next {
        let now = rollout.wave_began_at.unwrap() + SignedDuration::from_hours(hours);
        next(rollout, &stations(states), now)
    }

    #[test]
    fn a_wave_has_its_turn_when_the_one_before_is_done() {
        use UpdateState::{Installed, Skipped, Waiting};
        let first = rollout(0, 2, 10);
        assert_eq!(after_hours(1, &first, &[(0, Installed), (0, Waiting)]), Next::Tell);
        assert_eq!(after_hours(1, &first, &[(0, Installed), (0, Skipped)]), Next::Advance);
        assert_eq!(after_hours(1, &rollout(1, 2, 10), &[(0, Installed), (1, Installed)]), Next::Finish);
    }

    #[test]
    fn who_is_offline_for_long_holds_nobody_up_and_is_not_forgotten() {
        use UpdateState::{Downloading, Installed, Waiting};
        let first = rollout(0, 2, 10);
        assert_eq!(after_hours(25, &first, &[(0, Installed), (0, Waiting)]), Next::Advance);
        assert_eq!(after_hours(25, &first, &[(0, Downloading), (0, Waiting)]), Next::Tell);
        assert_eq!(after_hours(25, &rollout(1, 2, 10), &[(0, Waiting), (1, Installed)]), Next::Tell);
    }

    #[test]
    fn it_stops_when_more_than_allowed_failed_and_not_before() {
        use UpdateState::{Failed, Installed, Waiting};
        let half = rollout(0, 2, 50);
        assert_eq!(after_hours(1, &half, &[(0, Failed), (0, Waiting)]), Next::Tell);
        assert_eq!(after_hours(1, &half, &[(0, Failed), (0, Failed), (0, Waiting)]), Next::Stop { failed: 2, of: 3 });
        let none = rollout(1, 2, 0);
        assert_eq!(after_hours(1, &none, &[(0, Failed), (1, Installed), (1, Waiting)]), Next::Tell);
        assert_eq!(after_hours(1, &none, &[(0, Installed), (1, Failed)]), Next::Stop { failed: 1, of: 1 });
    }

    #[test]
    fn who_may_not_have_heard_it_is_told_again() {
        assert!(matches!(end_of(&CallOutcome::NotConnected), End::Unheard(_)));
        let flow = |end| end_of(&CallOutcome::Flow(Box::new(end)));
        assert!(matches!(flow(FlowEnd::Interrupted), End::Unheard(_)));
        let refused = FlowEnd::Refused { status: "InvalidCertificate".to_owned(), reason: None };
        assert!(matches!(flow(refused), End::Failed(_)));
    }
}
