//! Tariffs, their versions, and where they hold.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Row, Store, StoreError, sql};
use crate::tariffs::{Assignment, Scope, Tariff, TariffRecord, TariffVersion};

const SELECT: &str = "SELECT t.id, t.name, t.version, t.is_default, t.origin, t.retired_at, t.created_at, t.updated_at, v.content \
     FROM tariffs t JOIN tariff_versions v ON v.tariff = t.id AND v.version = t.version";

impl Store {
    /// All tariffs.
    pub(crate) async fn tariffs(&self) -> Result<Vec<TariffRecord>, StoreError> {
        self.fetch_all(sql(SELECT)).await?.iter().map(read).collect()
    }

    /// One tariff.
    pub(crate) async fn tariff(&self, id: &str) -> Result<Option<TariffRecord>, StoreError> {
        let row = self.fetch_optional(sql(format!("{SELECT} WHERE t.id = $1")).bind(id)).await?;
        row.as_ref().map(read).transpose()
    }

    /// The versions of a tariff with who made them and when, the newest first.
    pub(crate) async fn tariff_versions(
        &self,
        id: &str,
    ) -> Result<Vec<(i64, Arc<Tariff>, String, Timestamp)>, StoreError> {
        let select = sql(
            "SELECT version, content, created_by, created_at FROM tariff_versions WHERE tariff = $1 ORDER BY version DESC",
        );
        let rows = self.fetch_all(select.bind(id)).await?;
        rows.iter()
            .map(|row| Ok((row.integer("version")?, content(row)?, row.text("created_by")?, row.moment("created_at")?)))
            .collect()
    }

    /// What a version of a tariff says.
    pub(crate) async fn tariff_version(&self, of: &TariffVersion) -> Result<Option<Arc<Tariff>>, StoreError> {
        let select = sql("SELECT content FROM tariff_versions WHERE tariff = $1 AND version = $2");
        let row = self.fetch_optional(select.bind(&of.tariff).bind(of.version)).await?;
        row.as_ref().map(content).transpose()
    }

    /// Keeps a tariff; a new version of it where it says something else than before.
    pub(crate) async fn put_tariff(
        &self,
        id: &str,
        name: &str,
        tariff: &Tariff,
        is_configured: bool,
        by: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let origin = if is_configured { "configuration" } else { "operator" };
        let text = serde_json::to_string(tariff)
            .map_err(|error| StoreError::Content { what: "a tariff", value: error.to_string() })?;
        let mut unit = self.serial_unit().await?;
        let known = unit.fetch_optional(sql(format!("{SELECT} WHERE t.id = $1")).bind(id)).await?;
        let known = known.as_ref().map(read).transpose()?;
        let version = match &known {
            Some(known) if *known.tariff == *tariff => known.version,
            Some(known) => known.version + 1,
            None => 1,
        };
        let insert = "INSERT INTO tariffs (id, name, version, is_default, origin, retired_at, created_at, updated_at) \
             VALUES ($1, $2, $3, 0, $4, NULL, $5, $5) ON CONFLICT (id) DO UPDATE SET name = excluded.name, \
             version = excluded.version, origin = excluded.origin, retired_at = NULL, updated_at = excluded.updated_at";
        unit.execute(sql(insert).bind(id).bind(name).bind(version).bind(origin).bind(now)).await?;
        let insert = "INSERT INTO tariff_versions (tariff, version, content, created_by, created_at) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
        unit.execute(sql(insert).bind(id).bind(version).bind(text).bind(by).bind(now)).await?;
        unit.commit().await
    }

    /// Takes a tariff out of use.
    pub(crate) async fn retire_tariff(&self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        self.execute(sql("UPDATE tariffs SET retired_at = $2 WHERE id = $1").bind(id).bind(now)).await?;
        Ok(())
    }

    /// Makes one tariff the default, and no other.
    pub(crate) async fn set_default_tariff(&self, id: &str) -> Result<(), StoreError> {
        let mut unit = self.unit().await?;
        unit.execute(sql("UPDATE tariffs SET is_default = 0 WHERE is_default = 1")).await?;
        unit.execute(sql("UPDATE tariffs SET is_default = 1 WHERE id = $1").bind(id)).await?;
        unit.commit().await
    }

    /// Where tariffs hold.
    pub(crate) async fn tariff_assignments(&self) -> Result<Vec<Assignment>, StoreError> {
        let rows = self.fetch_all(sql("SELECT scope, target, evse, tariff FROM tariff_assignments")).await?;
        rows.iter()
            .map(|row| {
                Ok(Assignment {
                    scope: row.parsed::<Scope>("scope")?,
                    target: row.text("target")?,
                    evse: row.integer("evse")?,
                    tariff: row.text("tariff")?,
                })
            })
            .collect()
    }

    /// Lets a tariff hold at a place.
    pub(crate) async fn assign_tariff(&self, assignment: &Assignment) -> Result<(), StoreError> {
        let insert = "INSERT INTO tariff_assignments (scope, target, evse, tariff) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (scope, target, evse) DO UPDATE SET tariff = excluded.tariff";
        let Assignment { scope, target, evse, tariff } = assignment;
        self.execute(sql(insert).bind(scope.as_str()).bind(target).bind(*evse).bind(tariff)).await?;
        Ok(())
    }

    /// Lets no tariff of its own hold at a place; whether one did.
    pub(crate) async fn unassign_tariff(&self, scope: Scope, target: &str, evse: i64) -> Result<bool, StoreError> {
        let delete = sql("DELETE FROM tariff_assignments WHERE scope = $1 AND target = $2 AND evse = $3");
        Ok(self.execute(delete.bind(scope.as_str()).bind(target).bind(evse)).await? > 0)
    }

    /// Which site each station belongs to, of those that have one.
    pub(crate) async fn sites_of_stations(&self) -> Result<HashMap<String, String>, StoreError> {
        let rows = self.fetch_all(sql("SELECT station, site FROM site_stations")).await?;
        rows.iter().map(|row| Ok((row.text("station")?, row.text("site")?))).collect()
    }
}

fn content(row: &Row) -> Result<Arc<Tariff>, StoreError> {
    let text = row.text("content")?;
    match serde_json::from_str(&text) {
        Ok(tariff) => Ok(Arc::new(tariff)),
        Err(_) => Err(StoreError::Content { what: "a tariff", value: text }),
    }
}

fn read(row: &Row) -> Result<TariffRecord, StoreError> {
    Ok(TariffRecord {
        id: row.text("id")?,
        name: row.text("name")?,
        version: row.integer("version")?,
        tariff: content(row)?,
        is_default: row.flag("is_default")?,
        is_configured: row.text("origin")? == "configuration",
        retired_at: row.optional_moment("retired_at")?,
        created_at: row.moment("created_at")?,
        updated_at: row.moment("updated_at")?,
    })
}
