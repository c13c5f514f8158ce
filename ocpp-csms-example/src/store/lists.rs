//! Lists as people read them: filtered, searched, a page at a time.

use jiff::Timestamp;

use super::conditions::Conditions;
use super::{Registration, Statement, Station, Store, StoreError, Transaction, sql, stations, transactions};

/// Which stations.
#[derive(Debug, Clone, Default)]
pub(crate) struct StationFilter {
    /// Part of the identity, the maker, the model or the serial number, whatever the case.
    pub(crate) search: Option<String>,
    /// How they are registered.
    pub(crate) registration: Option<Registration>,
}

/// How many stations there are.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StationCounts {
    pub(crate) all: u64,
    pub(crate) pending: u64,
}

/// Which sessions.
#[derive(Debug, Clone, Default)]
pub(crate) struct SessionFilter {
    /// Of this station.
    pub(crate) station: Option<String>,
    /// With this token, whatever the case.
    pub(crate) token: Option<String>,
    /// Those that run, or those that are over.
    pub(crate) running: Option<bool>,
}

/// Where a page of sessions ends: the start, the station and the id of its last one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionCursor {
    pub(crate) started_at: Timestamp,
    pub(crate) station: String,
    pub(crate) id: String,
}

/// What `LIKE` finds anywhere; `!` takes their meaning from the signs that have one.
fn anywhere(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

impl StationFilter {
    const WHERE: &str = "(CAST($1 AS TEXT) IS NULL OR lower(id) LIKE $1 ESCAPE '!' OR lower(vendor) LIKE $1 ESCAPE '!' \
         OR lower(model) LIKE $1 ESCAPE '!' OR lower(serial_number) LIKE $1 ESCAPE '!') \
         AND (CAST($2 AS TEXT) IS NULL OR registration = $2)";

    fn bind(&self, statement: Statement) -> Statement {
        statement
            .bind(self.search.as_deref().map(anywhere))
            .bind(self.registration.map(|registration| registration.as_str().to_owned()))
    }
}

impl Store {
    /// How many stations a filter finds.
    pub(crate) async fn count_stations(&self, filter: &StationFilter) -> Result<u64, StoreError> {
        let statement =
            filter.bind(sql(format!("SELECT COUNT(*) AS number FROM stations WHERE {}", StationFilter::WHERE)));
        Ok(u64::try_from(self.fetch_one(statement).await?.integer("number")?).unwrap_or(0))
    }

    /// The stations that a filter finds, in the order of their identities.
    pub(crate) async fn find_stations(
        &self,
        filter: &StationFilter,
        offset: u32,
        limit: u32,
    ) -> Result<Vec<Station>, StoreError> {
        let text = format!("SELECT * FROM stations WHERE {} ORDER BY id LIMIT $3 OFFSET $4", StationFilter::WHERE);
        let statement = filter.bind(sql(text)).bind(limit).bind(offset);
        self.fetch_all(statement).await?.iter().map(stations::read).collect()
    }

    /// How many stations there are, and how many of them wait.
    pub(crate) async fn station_counts(&self) -> Result<StationCounts, StoreError> {
        let all = self.count_stations(&StationFilter::default()).await?;
        let waiting = StationFilter { registration: Some(Registration::Pending), ..StationFilter::default() };
        Ok(StationCounts { all, pending: self.count_stations(&waiting).await? })
    }

    /// The sessions that a filter finds, the latest first, after the end of another page.
    pub(crate) async fn find_sessions(
        &self,
        filter: &SessionFilter,
        after: Option<&SessionCursor>,
        limit: u32,
    ) -> Result<Vec<Transaction>, StoreError> {
        let mut conditions = Conditions::default();
        conditions.with("station =", filter.station.as_ref());
        conditions.with("lower(token) =", filter.token.as_deref().map(str::to_lowercase));
        match filter.running {
            Some(true) => conditions.and("stopped_at IS NULL"),
            Some(false) => conditions.and("stopped_at IS NOT NULL"),
            None => {}
        }
        if let Some(SessionCursor { started_at, station, id }) = after {
            let at = conditions.place(*started_at);
            let (station, id) = (conditions.place(station), conditions.place(id));
            conditions.and(&format!("started_at <= {at}"));
            conditions
                .and(&format!("(started_at < {at} OR station < {station} OR (station = {station} AND id < {id}))"));
        }
        let order = "started_at DESC, station DESC, id DESC";
        let statement = conditions.select("SELECT * FROM transactions", order, limit);
        self.fetch_all(statement).await?.iter().map(transactions::read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_means_its_signs() {
        assert_eq!(anywhere("A_1%!"), "%a!_1!%!!%");
    }
}
