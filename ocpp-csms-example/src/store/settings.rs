//! What the installation keeps for itself: its secrets.

use super::{Store, StoreError, sql};

impl Store {
    /// The value of a setting.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        let row = self.fetch_optional(sql("SELECT value FROM settings WHERE name = $1").bind(name)).await?;
        row.map(|row| row.text("value")).transpose()
    }

    /// Keeps a value, whatever the setting had before.
    pub(crate) async fn put_setting(&self, name: &str, value: &str) -> Result<(), StoreError> {
        let statement = super::sql(
            "INSERT INTO settings (name, value) VALUES ($1, $2) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        );
        self.execute(statement.bind(name).bind(value)).await?;
        Ok(())
    }

    /// Keeps `value` unless the setting has one already, and returns the one that is kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn setting_or(&self, name: &str, value: &str) -> Result<String, StoreError> {
        let statement = sql("INSERT INTO settings (name, value) VALUES ($1, $2) \
             ON CONFLICT (name) DO UPDATE SET value = settings.value RETURNING value");
        self.fetch_one(statement.bind(name).bind(value)).await?.text("value")
    }
}
