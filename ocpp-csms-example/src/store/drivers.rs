//! The accounts of drivers, and the terms of their tokens.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;

use super::{Row, Store, StoreError, Transaction, Unit, sql, transactions};
use crate::access::Payment;

/// A driver's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Driver {
    /// Its id.
    pub id: String,
    /// The e-mail address or telephone number that it signs in with, whatever the case of its letters.
    pub login: String,
    /// What the driver wants to be called.
    pub name: String,
    /// The argon2id hash of its password; `None` until one was chosen.
    pub password_hash: Option<String>,
    /// Whether it may neither sign in nor charge.
    pub disabled: bool,
    /// How what its tokens charge is paid.
    pub payment: Payment,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it last signed in.
    pub last_sign_in_at: Option<Timestamp>,
}

/// Whose a token is, and on what terms it charges. A token that has none belongs to nobody, charges everywhere, and is free.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TokenTerms {
    /// Whose it is: the id of a driver.
    pub driver: Option<String>,
    /// How it pays. `None`: as its driver does.
    pub payment: Option<Payment>,
    /// The stations where it may charge. `None`: all.
    pub stations: Option<Vec<String>>,
}

impl Store {
    /// At most `limit` drivers in the order of their logins, after the one called `after`; with `search`, only those whose login or name
    /// contains it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drivers(
        &self,
        search: Option<&str>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Driver>, StoreError> {
        // Compared in Rust's lower case on the one side and the database's on the other; logins are kept in Rust's.
        let statement = sql("SELECT * FROM drivers WHERE login_key > $1 AND (CAST($2 AS TEXT) IS NULL \
             OR replace(login_key, $2, '') <> login_key OR replace(lower(name), $2, '') <> lower(name)) \
             ORDER BY login_key LIMIT $3")
        .bind(after.unwrap_or_default().to_lowercase())
        .bind(search.filter(|text| !text.is_empty()).map(str::to_lowercase))
        .bind(limit);
        self.fetch_all(statement).await?.iter().map(read).collect()
    }

    /// The driver with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn driver(&self, id: &str) -> Result<Option<Driver>, StoreError> {
        let row = self.fetch_optional(sql("SELECT * FROM drivers WHERE id = $1").bind(id)).await?;
        row.as_ref().map(read).transpose()
    }

    /// The drivers with these ids.
    pub(crate) async fn drivers_with_ids(&self, ids: &BTreeSet<&str>) -> Result<Vec<Driver>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let places: Vec<_> = (1..=ids.len()).map(|place| format!("${place}")).collect();
        let text = format!("SELECT * FROM drivers WHERE id IN ({})", places.join(", "));
        let statement = ids.iter().fold(sql(text), |statement, id| statement.bind(*id));
        self.fetch_all(statement).await?.iter().map(read).collect()
    }

    /// The driver who signs in with this e-mail address or telephone number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn driver_with_login(&self, login: &str) -> Result<Option<Driver>, StoreError> {
        let statement = sql("SELECT * FROM drivers WHERE login_key = $1").bind(login.to_lowercase());
        self.fetch_optional(statement).await?.as_ref().map(read).transpose()
    }

    /// Makes an account. False when somebody has that login.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_driver(&self, driver: &Driver) -> Result<bool, StoreError> {
        let mut unit = self.unit().await?;
        let added = unit.add_driver(driver).await?;
        unit.commit().await?;
        Ok(added)
    }

    /// Keeps when a driver signed in.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn driver_signed_in(&self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        self.execute(sql("UPDATE drivers SET last_sign_in_at = $2 WHERE id = $1").bind(id).bind(now)).await?;
        Ok(())
    }

    /// The terms of a token, whatever the case of its letters. Those of a token that nobody entered are the default.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn token_terms(&self, token: &str) -> Result<TokenTerms, StoreError> {
        let key = token.to_ascii_lowercase();
        let row = self.fetch_optional(sql("SELECT * FROM token_terms WHERE token_key = $1").bind(&key)).await?;
        let Some(row) = row else { return Ok(TokenTerms::default()) };
        let stations = if row.flag("every_station")? {
            None
        } else {
            let statement = sql("SELECT station FROM token_stations WHERE token_key = $1 ORDER BY station").bind(&key);
            Some(self.fetch_all(statement).await?.iter().map(|row| row.text("station")).collect::<Result<_, _>>()?)
        };
        Ok(TokenTerms { driver: row.optional_text("driver")?, payment: row.optional_parsed("payment")?, stations })
    }

    /// Replaces the terms of a token that is entered.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_token_terms(&self, token: &str, terms: &TokenTerms) -> Result<(), StoreError> {
        let mut unit = self.unit().await?;
        put_token_terms(&mut unit, token, terms).await?;
        unit.commit().await
    }

    /// The tokens that no list of a station may hold, in lower case, because what they may do depends on the place, on a balance, or on
    /// whether their driver is still let in.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tokens_asked_for(&self) -> Result<HashSet<String>, StoreError> {
        let statement = sql("SELECT token_terms.token_key AS token_key FROM token_terms \
             LEFT JOIN drivers ON drivers.id = token_terms.driver WHERE token_terms.every_station = 0 \
             OR COALESCE(token_terms.payment, drivers.payment) = 'balance' OR drivers.disabled <> 0");
        self.fetch_all(statement).await?.iter().map(|row| row.text("token_key")).collect()
    }

    /// The tokens of a driver, as they were entered.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tokens_of_driver(&self, driver: &str) -> Result<Vec<String>, StoreError> {
        let statement = sql(
            "SELECT tokens.token AS token FROM token_terms JOIN tokens ON tokens.token_key = token_terms.token_key \
             WHERE token_terms.driver = $1 ORDER BY tokens.created_at, tokens.token_key",
        )
        .bind(driver);
        self.fetch_all(statement).await?.iter().map(|row| row.text("token")).collect()
    }

    /// What a driver charged, the latest first: with the driver's tokens since they are the driver's, and from the driver's balance.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn transactions_of_driver(&self, driver: &str, limit: u32) -> Result<Vec<Transaction>, StoreError> {
        let paid = sql("SELECT * FROM transactions WHERE payer = $1 ORDER BY started_at DESC LIMIT $2");
        let mut rows = self.fetch_all(paid.bind(format!("driver:{driver}")).bind(limit)).await?;
        // Each token by itself: there are few, and all that a token has charged is in order already.
        let terms = sql("SELECT token_key, since FROM token_terms WHERE driver = $1").bind(driver);
        for token in self.fetch_all(terms).await? {
            let charged = sql("SELECT * FROM transactions WHERE lower(token) = $1 AND started_at >= $2 \
                 ORDER BY started_at DESC LIMIT $3");
            let charged = charged.bind(token.text("token_key")?).bind(token.integer("since")?).bind(limit);
            rows.extend(self.fetch_all(charged).await?);
        }
        let mut found = BTreeMap::new();
        for row in &rows {
            let transaction = transactions::read(row)?;
            let Transaction { started_at, station, id, .. } = &transaction;
            found.insert((Reverse(*started_at), station.clone(), id.clone()), transaction);
        }
        Ok(found.into_values().take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
    }
}

impl Unit {
    /// The driver with this id.
    pub(crate) async fn driver(&mut self, id: &str) -> Result<Option<Driver>, StoreError> {
        let row = self.fetch_optional(sql("SELECT * FROM drivers WHERE id = $1").bind(id)).await?;
        row.as_ref().map(read).transpose()
    }

    /// Makes an account. False when somebody has that login.
    pub(crate) async fn add_driver(&mut self, driver: &Driver) -> Result<bool, StoreError> {
        let statement = sql("INSERT INTO drivers (id, login_key, login, name, password_hash, disabled, payment, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING")
        .bind(&driver.id)
        .bind(driver.login.to_lowercase())
        .bind(&driver.login)
        .bind(&driver.name)
        .bind(&driver.password_hash)
        .bind(driver.disabled)
        .bind(driver.payment.as_str())
        .bind(driver.created_at)
        .bind(driver.updated_at);
        Ok(self.execute(statement).await? > 0)
    }

    /// Keeps what was changed of an account. False when somebody else has its new login.
    pub(crate) async fn put_driver(&mut self, driver: &Driver) -> Result<bool, StoreError> {
        let statement = sql("UPDATE drivers SET login_key = $2, login = $3, name = $4, password_hash = $5, disabled = $6, payment = $7, \
             updated_at = $8 WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM drivers AS d WHERE d.login_key = $2 AND d.id <> $1)")
        .bind(&driver.id)
        .bind(driver.login.to_lowercase())
        .bind(&driver.login)
        .bind(&driver.name)
        .bind(&driver.password_hash)
        .bind(driver.disabled)
        .bind(driver.payment.as_str())
        .bind(driver.updated_at);
        Ok(self.execute(statement).await? > 0)
    }
}

fn read(row: &Row) -> Result<Driver, StoreError> {
    Ok(Driver {
        id: row.text("id")?,
        login: row.text("login")?,
        name: row.text("name")?,
        password_hash: row.optional_text("password_hash")?,
        disabled: row.flag("disabled")?,
        payment: row.parsed("payment")?,
        created_at: row.moment("created_at")?,
        updated_at: row.moment("updated_at")?,
        last_sign_in_at: row.optional_moment("last_sign_in_at")?,
    })
}

pub(super) async fn put_token_terms(unit: &mut Unit, token: &str, terms: &TokenTerms) -> Result<(), StoreError> {
    let key = token.to_ascii_lowercase();
    let statement =
        sql("INSERT INTO token_terms (token_key, driver, payment, every_station, since) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (token_key) DO UPDATE SET driver = excluded.driver, payment = excluded.payment, \
         every_station = excluded.every_station, \
         since = CASE WHEN token_terms.driver = excluded.driver THEN token_terms.since ELSE excluded.since END")
        .bind(&key)
        .bind(&terms.driver)
        .bind(terms.payment.map(Payment::as_str))
        .bind(terms.stations.is_none())
        .bind(Timestamp::now());
    unit.execute(statement).await?;
    unit.execute(sql("DELETE FROM token_stations WHERE token_key = $1").bind(&key)).await?;
    for station in terms.stations.iter().flatten() {
        let statement = sql("INSERT INTO token_stations (token_key, station) VALUES ($1, $2) ON CONFLICT DO NOTHING");
        unit.execute(statement.bind(&key).bind(station)).await?;
    }
    Ok(())
}
