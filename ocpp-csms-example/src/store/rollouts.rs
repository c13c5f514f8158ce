//! Roll-outs of firmware: their waves, and how far each station is.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Row, Rows, Store, StoreError, Target, sql, text_enum};

text_enum! {
    /// How a roll-out stands.
    RolloutState {
        /// It begins later.
        Scheduled = "scheduled",
        /// It is under way.
        Running = "running",
        /// Somebody paused it: no further station is told.
        Paused = "paused",
        /// It stopped by itself: too many stations failed.
        Stopped = "stopped",
        /// Somebody called it off.
        Cancelled = "cancelled",
        /// Every station is done.
        Finished = "finished",
    }
}

text_enum! {
    /// How far a station is.
    UpdateState {
        /// Its turn has not come, or it is not connected.
        Waiting = "waiting",
        /// It was told.
        Sent = "sent",
        /// It fetches the image.
        Downloading = "downloading",
        /// It has it, and checked it.
        Downloaded = "downloaded",
        /// It installs it.
        Installing = "installing",
        /// It runs it.
        Installed = "installed",
        /// It refused or failed.
        Failed = "failed",
        /// It was left out.
        Skipped = "skipped",
    }
}

impl UpdateState {
    /// Whether nothing more is to come.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Installed | Self::Failed | Self::Skipped)
    }
}

text_enum! {
    /// Whether stations are given the signature.
    Signing {
        /// Always; 1.6 by the SignedUpdateFirmware of the security whitepaper.
        Always = "always",
        /// Never.
        Never = "never",
        /// Stations of 2.0.1 and 2.1 are, those of 1.6 are not.
        ByVersion = "by_version",
    }
}

/// A roll-out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollout {
    /// Its id.
    pub id: String,
    /// The image.
    pub image: String,
    /// How it stands.
    pub state: RolloutState,
    /// The wave that is under way, from 0.
    pub wave: i64,
    /// How many there are.
    pub waves: i64,
    /// When it began.
    pub wave_began_at: Option<Timestamp>,
    /// When the first one begins.
    pub starts_at: Timestamp,
    /// It stops when more than so many percent of a wave failed.
    pub max_failures: i64,
    /// How long a wave waits for stations that are offline.
    pub patience: SignedDuration,
    /// Whether stations are given the signature.
    pub signing: Signing,
    /// When it was planned.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When it last changed.
    pub changed_at: Timestamp,
    /// Why it stands so.
    pub detail: Option<String>,
}

/// A station of a roll-out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolloutStation {
    /// The station.
    pub station: String,
    /// Its wave, from 0.
    pub wave: i64,
    /// How far it is.
    pub state: UpdateState,
    /// How often it was told.
    pub attempts: i64,
    /// Its last word.
    pub status: Option<String>,
    /// Since when.
    pub changed_at: Timestamp,
    /// What went wrong.
    pub detail: Option<String>,
}

const STATIONS: Target = Target {
    into: "INSERT INTO rollout_stations (rollout, station, wave, state, attempts, changed_at)",
    columns: 6,
    otherwise: "",
};

const UNDER_WAY: &str = "('sent', 'downloading', 'downloaded', 'installing')";

impl Store {
    /// Keeps a new roll-out with its stations and their waves.
    pub(crate) async fn add_rollout(&self, rollout: &Rollout, stations: &[(String, i64)]) -> Result<(), StoreError> {
        let mut unit = self.unit().await?;
        let statement = sql(
            "INSERT INTO rollouts (id, image, state, wave, waves, starts_at, max_failures, patience, signing, created_at, \
             created_by, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $10)",
        );
        let statement = statement.bind(&rollout.id).bind(&rollout.image).bind(rollout.state.as_str());
        let statement = statement.bind(rollout.wave).bind(rollout.waves).bind(rollout.starts_at);
        let patience = i64::try_from(rollout.patience.as_millis()).unwrap_or(i64::MAX);
        let statement = statement.bind(rollout.max_failures).bind(patience).bind(rollout.signing.as_str());
        unit.execute(statement.bind(rollout.created_at).bind(&rollout.created_by)).await?;
        let mut rows = Rows::new(STATIONS);
        for (station, wave) in stations {
            let state = UpdateState::Waiting.as_str();
            rows.push([
                (&rollout.id).into(),
                station.into(),
                (*wave).into(),
                state.into(),
                0_i64.into(),
                rollout.created_at.into(),
            ]);
        }
        for statement in rows.statements() {
            unit.execute(statement).await?;
        }
        unit.commit().await
    }

    /// One roll-out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rollout(&self, id: &str) -> Result<Option<Rollout>, StoreError> {
        let row = self.fetch_optional(sql("SELECT * FROM rollouts WHERE id = $1").bind(id)).await?;
        row.map(|row| read(&row)).transpose()
    }

    /// The newest roll-outs, the newest first; older than the one with the id `before`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rollouts(&self, before: Option<&str>, limit: u32) -> Result<Vec<Rollout>, StoreError> {
        let statement =
            sql("SELECT * FROM rollouts WHERE CAST($1 AS TEXT) IS NULL OR id < $1 ORDER BY id DESC LIMIT $2");
        self.fetch_all(statement.bind(before).bind(limit)).await?.iter().map(read).collect()
    }

    /// The roll-outs that are to be looked after.
    pub(crate) async fn active_rollouts(&self) -> Result<Vec<Rollout>, StoreError> {
        let statement = sql("SELECT * FROM rollouts WHERE state IN ('scheduled', 'running') ORDER BY id");
        self.fetch_all(statement).await?.iter().map(read).collect()
    }

    /// The stations of a roll-out up to a wave, in the order of waves.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rollout_stations(&self, id: &str, up_to_wave: i64) -> Result<Vec<RolloutStation>, StoreError> {
        let statement = sql("SELECT * FROM rollout_stations WHERE rollout = $1 AND wave <= $2 ORDER BY wave, station");
        let rows = self.fetch_all(statement.bind(id).bind(up_to_wave)).await?;
        rows.iter()
            .map(|row| {
                Ok(RolloutStation {
                    station: row.text("station")?,
                    wave: row.integer("wave")?,
                    state: row.parsed("state")?,
                    attempts: row.integer("attempts")?,
                    status: row.optional_text("status")?,
                    changed_at: row.moment("changed_at")?,
                    detail: row.optional_text("detail")?,
                })
            })
            .collect()
    }

    /// A roll-out stands differently now; false when it does not stand as it was thought to.
    pub(crate) async fn move_rollout(
        &self,
        rollout: &Rollout,
        state: RolloutState,
        wave: i64,
        detail: Option<&str>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let began =
            if wave != rollout.wave || rollout.wave_began_at.is_none() { Some(now) } else { rollout.wave_began_at };
        let began = began.filter(|_| state != RolloutState::Scheduled);
        let statement =
            sql("UPDATE rollouts SET state = $2, wave = $3, detail = $4, changed_at = $5, wave_began_at = $6 \
             WHERE id = $1 AND state = $7 AND wave = $8");
        let statement = statement.bind(&rollout.id).bind(state.as_str()).bind(wave).bind(detail).bind(now).bind(began);
        Ok(self.execute(statement.bind(rollout.state.as_str()).bind(rollout.wave)).await? > 0)
    }

    /// A station goes from one state to another; false when it is in a third one.
    pub(crate) async fn move_update(
        &self,
        rollout: &str,
        station: &str,
        from: &[UpdateState],
        to: UpdateState,
        detail: Option<&str>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut unit = self.unit().await?;
        let mut moved = 0;
        for from in from {
            let statement = sql("UPDATE rollout_stations SET state = $4, detail = $5, changed_at = $6, \
                 attempts = CASE WHEN $4 = 'sent' THEN attempts + 1 ELSE attempts END, \
                 request_id = CASE WHEN $4 IN ('sent', 'waiting') THEN NULL ELSE request_id END, \
                 status = CASE WHEN $4 IN ('sent', 'waiting') THEN NULL ELSE status END \
                 WHERE rollout = $1 AND station = $2 AND state = $3");
            let statement = statement.bind(rollout).bind(station).bind(from.as_str()).bind(to.as_str());
            moved += unit.execute(statement.bind(detail).bind(now)).await?;
            if moved > 0 {
                break;
            }
        }
        unit.commit().await?;
        Ok(moved > 0)
    }

    /// The failed stations of the wave under way are to be told again.
    pub(crate) async fn retry_wave(&self, rollout: &Rollout, now: Timestamp) -> Result<u64, StoreError> {
        let statement = sql(
            "UPDATE rollout_stations SET state = 'waiting', attempts = 0, detail = NULL, status = NULL, request_id = NULL, \
             changed_at = $3 WHERE rollout = $1 AND wave = $2 AND state = 'failed'",
        );
        self.execute(statement.bind(&rollout.id).bind(rollout.wave).bind(now)).await
    }

    /// What was told when the program ended and got no word is to be told again.
    pub(crate) async fn forget_sent_updates(&self, now: Timestamp) -> Result<u64, StoreError> {
        let statement = sql("UPDATE rollout_stations SET state = 'waiting', changed_at = $1 WHERE state = 'sent'");
        self.execute(statement.bind(now)).await
    }

    /// What a station says about its update. `request_id` is the station's name for it, which its first word gives it.
    pub(crate) async fn update_status(
        &self,
        station: &str,
        request_id: Option<i64>,
        status: &str,
        state: UpdateState,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let detail = (state == UpdateState::Failed).then(|| format!("the station says {status}"));
        let statement = sql(format!(
            "UPDATE rollout_stations SET status = $3, state = $4, detail = $5, changed_at = $6, \
             request_id = COALESCE(request_id, $2) WHERE station = $1 AND state IN {UNDER_WAY} \
             AND (request_id IS NULL OR CAST($2 AS BIGINT) IS NULL OR request_id = $2)"
        ));
        let statement = statement.bind(station).bind(request_id).bind(status).bind(state.as_str());
        self.execute(statement.bind(detail).bind(now)).await?;
        Ok(())
    }

    /// A station booted with a version: if that is the one it was told to install, it is installed.
    pub(crate) async fn update_booted(&self, station: &str, version: &str, now: Timestamp) -> Result<(), StoreError> {
        let statement = sql(format!(
            "UPDATE rollout_stations SET state = 'installed', detail = NULL, changed_at = $3 \
             WHERE station = $1 AND state IN {UNDER_WAY} AND rollout IN \
             (SELECT rollouts.id FROM rollouts JOIN firmware_images ON firmware_images.id = rollouts.image \
             WHERE firmware_images.version = $2)"
        ));
        self.execute(statement.bind(station).bind(version).bind(now)).await?;
        Ok(())
    }
}

fn read(row: &Row) -> Result<Rollout, StoreError> {
    Ok(Rollout {
        id: row.text("id")?,
        image: row.text("image")?,
        state: row.parsed("state")?,
        wave: row.integer("wave")?,
        waves: row.integer("waves")?,
        wave_began_at: row.optional_moment("wave_began_at")?,
        starts_at: row.moment("starts_at")?,
        max_failures: row.integer("max_failures")?,
        patience: SignedDuration::from_millis(row.integer("patience")?),
        signing: row.parsed("signing")?,
        created_at: row.moment("created_at")?,
        created_by: row.text("created_by")?,
        changed_at: row.moment("changed_at")?,
        detail: row.optional_text("detail")?,
    })
}
