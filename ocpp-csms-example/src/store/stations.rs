//! The stations: which there are, how far they are trusted, what they said they are.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use ocpp_core::types::Version;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::session_states::{COLUMNS, TABLES};
use super::{Row, Rows, SessionState, Store, StoreError, Target, Unit, sql};

// Facts of many stations by one statement each.
const CONNECTED: Target = Target {
    into: "UPDATE stations SET version = fact.column2, last_connected_at = fact.column3 FROM (",
    columns: 3,
    otherwise: ") AS fact WHERE stations.id = fact.column1",
};
const BOOTED: Target = Target {
    into: "UPDATE stations SET vendor = fact.column2, model = fact.column3, serial_number = fact.column4, \
           firmware_version = fact.column5, last_booted_at = fact.column6, certificate_name = CASE \
           WHEN security_profile >= 1 THEN COALESCE(certificate_name, fact.column4) ELSE certificate_name END FROM (",
    columns: 6,
    otherwise: ") AS fact WHERE stations.id = fact.column1",
};

/// What a station's BootNotification is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Registration {
    /// It belongs to this CSMS and may work.
    Accepted,
    /// It may stay connected, and waits for the operator.
    Pending,
    /// It is turned away.
    Rejected,
}

impl Registration {
    /// As it is written in the API and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Pending => "pending",
            Self::Rejected => "rejected",
        }
    }
}

impl fmt::Display for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Registration {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Accepted, Self::Pending, Self::Rejected].into_iter().find(|known| known.as_str() == text).ok_or(())
    }
}

/// What a station says about itself in its BootNotification.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// Who made it.
    pub vendor: String,
    /// What the maker calls it.
    pub model: String,
    /// The number on its plate.
    pub serial_number: Option<String>,
    /// What it runs.
    pub firmware_version: Option<String>,
}

/// A station as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Station {
    /// Its identity, percent-decoded.
    pub id: String,
    /// What its boot is answered with.
    pub registration: Registration,
    /// How it must prove who it is: 0 not at all, 1 by password, 2 by password over TLS, 3 by certificate. `None`: nobody
    /// decided yet.
    pub security_profile: Option<u8>,
    /// Its password, as a keyed hash.
    pub password_hash: Option<String>,
    /// The name in its certificate, where that is not its identity: its serial number.
    pub certificate_name: Option<String>,
    /// Whether any token charges here.
    pub free_vend: bool,
    /// Whether an operator entered it; if not, it came by itself.
    pub provisioned: bool,
    /// The version that it spoke last.
    pub version: Option<Version>,
    /// What it said about itself when it last booted.
    pub identity: Option<Identity>,
    /// When it became known.
    pub created_at: Timestamp,
    /// When it last connected.
    pub last_connected_at: Option<Timestamp>,
    /// When it last booted.
    pub last_booted_at: Option<Timestamp>,
}

/// What an operator changes of a station. What is `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct StationChange {
    /// What its boot is answered with; a new station is accepted unless this says otherwise.
    pub registration: Option<Registration>,
    /// How it must prove who it is.
    pub security_profile: Option<u8>,
    /// The keyed hash of its new password.
    pub password_hash: Option<String>,
    /// The name in its certificate, where that is not its identity.
    pub certificate_name: Option<String>,
    /// Whether any token charges here.
    pub free_vend: Option<bool>,
}

impl Store {
    /// The station with this identity.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn station(&self, id: &str) -> Result<Option<Station>, StoreError> {
        let statement = sql("SELECT * FROM stations WHERE id = $1").bind(id);
        self.fetch_optional(statement).await?.map(|row| read(&row)).transpose()
    }

    /// The station with this identity, and the state of its conversation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn station_with_state(&self, id: &str) -> Result<Option<(Station, SessionState)>, StoreError> {
        let statement = sql(format!("SELECT stations.*, {COLUMNS} FROM stations {TABLES} WHERE stations.id = $1"));
        let row = self.fetch_optional(statement.bind(id)).await?;
        row.map(|row| Ok((read(&row)?, SessionState::read(&row)?))).transpose()
    }

    /// At most `limit` stations in the order of their identities, after the one called `after`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stations(&self, after: Option<&str>, limit: u32) -> Result<Vec<Station>, StoreError> {
        let statement = sql("SELECT * FROM stations WHERE id > $1 ORDER BY id LIMIT $2")
            .bind(after.unwrap_or_default())
            .bind(limit);
        self.fetch_all(statement).await?.iter().map(read).collect()
    }

    /// Enters a station or changes it, as an operator does. True when it is new.
    ///
    /// A password for a station whose profile is open or 0 makes it profile 1, unless the change names a profile.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_station(&self, id: &str, change: &StationChange, now: Timestamp) -> Result<bool, StoreError> {
        let mut unit = self.unit().await?;
        let enter = sql("INSERT INTO stations (id, registration, free_vend, provisioned, created_at) \
             VALUES ($1, 'accepted', 0, 1, $2) ON CONFLICT (id) DO NOTHING");
        let is_new = unit.execute(enter.bind(id).bind(now)).await? > 0;
        let statement = sql("UPDATE stations SET provisioned = 1, registration = COALESCE($2, registration), \
             security_profile = COALESCE($3, CASE WHEN $4 IS NOT NULL AND COALESCE(security_profile, 0) = 0 THEN 1 \
             ELSE security_profile END), password_hash = COALESCE($4, password_hash), \
             free_vend = COALESCE($5, free_vend), certificate_name = COALESCE($6, certificate_name) WHERE id = $1")
        .bind(id)
        .bind(change.registration.map(Registration::as_str))
        .bind(change.security_profile.map(i64::from))
        .bind(&change.password_hash)
        .bind(change.free_vend.map(i64::from))
        .bind(&change.certificate_name);
        unit.execute(statement).await?;
        unit.commit().await?;
        Ok(is_new)
    }

    /// Enters a station that came by itself, unless `limit` of them are waiting already. False when it was not entered.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn onboard_station(
        &self,
        id: &str,
        registration: Registration,
        limit: u32,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let statement = sql("INSERT INTO stations (id, registration, free_vend, provisioned, created_at) \
             SELECT $1, $2, 0, 0, $3 WHERE (SELECT COUNT(*) FROM stations WHERE provisioned = 0) < $4 \
             ON CONFLICT (id) DO NOTHING")
        .bind(id)
        .bind(registration.as_str())
        .bind(now)
        .bind(i64::from(limit));
        Ok(self.execute(statement).await? > 0)
    }

    /// Keeps that a station changed over to a higher security profile. One of profile 0, or about which nobody decided, stays as it is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn raise_security_profile(&self, id: &str, profile: u8) -> Result<(), StoreError> {
        let statement =
            sql("UPDATE stations SET security_profile = $2 WHERE id = $1 AND security_profile BETWEEN 1 AND $2 - 1")
                .bind(id)
                .bind(i64::from(profile));
        self.execute(statement).await?;
        Ok(())
    }
}

/// Keeps that a station connected, and in which version.
pub(crate) fn station_connected(unit: &mut Unit, id: &str, version: Version, now: Timestamp) {
    let mut rows = Rows::new(CONNECTED);
    rows.push([id.into(), version.number().into(), now.into()]);
    unit.keep(rows);
}

/// Keeps what a station said about itself when it booted. The first serial number of one that proved who it is, is from then on a
/// name that its certificate may have.
pub(crate) fn station_booted(unit: &mut Unit, id: &str, identity: &Identity, now: Timestamp) {
    let mut rows = Rows::new(BOOTED);
    rows.push([
        id.into(),
        (&identity.vendor).into(),
        (&identity.model).into(),
        (&identity.serial_number).into(),
        (&identity.firmware_version).into(),
        now.into(),
    ]);
    unit.keep(rows);
}

pub(super) fn read(row: &Row) -> Result<Station, StoreError> {
    let security_profile = row
        .optional_integer("security_profile")?
        .map(|value| {
            u8::try_from(value)
                .map_err(|_| StoreError::Content { what: "a security profile", value: value.to_string() })
        })
        .transpose()?;
    let version = row.optional_text("version")?;
    let identity = match (row.optional_text("vendor")?, row.optional_text("model")?) {
        (Some(vendor), Some(model)) => Some(Identity {
            vendor,
            model,
            serial_number: row.optional_text("serial_number")?,
            firmware_version: row.optional_text("firmware_version")?,
        }),
        _ => None,
    };
    Ok(Station {
        id: row.text("id")?,
        registration: row.parsed("registration")?,
        security_profile,
        password_hash: row.optional_text("password_hash")?,
        certificate_name: row.optional_text("certificate_name")?,
        free_vend: row.flag("free_vend")?,
        provisioned: row.flag("provisioned")?,
        version: version.and_then(|number| Version::ALL.into_iter().find(|version| version.number() == number)),
        identity,
        created_at: row.moment("created_at")?,
        last_connected_at: row.optional_moment("last_connected_at")?,
        last_booted_at: row.optional_moment("last_booted_at")?,
    })
}
