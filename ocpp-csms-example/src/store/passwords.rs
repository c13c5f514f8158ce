//! Passwords that stations were given and may not have taken yet.

use super::{Store, StoreError, sql};

/// The password that a station was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPassword {
    /// As a keyed hash.
    pub password_hash: String,
    /// Whether the station may have it already: it is let in with it.
    pub usable: bool,
}

impl Store {
    /// The password that a station was given, as long as it is not known whether that or the one before counts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn new_password(&self, station: &str) -> Result<Option<NewPassword>, StoreError> {
        let row = self.fetch_optional(sql("SELECT * FROM new_passwords WHERE station = $1").bind(station)).await?;
        row.map(|row| Ok(NewPassword { password_hash: row.text("password_hash")?, usable: row.flag("usable")? }))
            .transpose()
    }

    /// A station is about to be given a password.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn offer_password(&self, station: &str, password_hash: &str) -> Result<(), StoreError> {
        let statement = sql("INSERT INTO new_passwords (station, password_hash, usable) VALUES ($1, $2, 0) \
             ON CONFLICT (station) DO UPDATE SET password_hash = excluded.password_hash, usable = 0");
        self.execute(statement.bind(station).bind(password_hash)).await?;
        Ok(())
    }

    /// The station may have taken the password.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn new_password_is_usable(&self, station: &str) -> Result<(), StoreError> {
        self.execute(sql("UPDATE new_passwords SET usable = 1 WHERE station = $1").bind(station)).await?;
        Ok(())
    }

    /// The station has the password: the one before counts no more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn new_password_counts(&self, station: &str) -> Result<(), StoreError> {
        let mut unit = self.unit().await?;
        let counts = sql("UPDATE stations SET password_hash = \
             COALESCE((SELECT password_hash FROM new_passwords WHERE station = $1), password_hash) WHERE id = $1");
        unit.execute(counts.bind(station)).await?;
        unit.execute(sql("DELETE FROM new_passwords WHERE station = $1").bind(station)).await?;
        unit.commit().await
    }

    /// The station does not have the password.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn new_password_is_void(&self, station: &str) -> Result<(), StoreError> {
        self.execute(sql("DELETE FROM new_passwords WHERE station = $1").bind(station)).await?;
        Ok(())
    }
}
