//! The transactions of a station, with their bills.

use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::body::{Path, Query};
use super::tokens::limit;
use super::{Number, Problem};
use crate::server::Csms;
use crate::store::Transaction;
use crate::tariffs::amount;

/// A transaction and its bill.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TransactionView {
    /// Its name, unique for the station; in 1.6 the integer in decimal.
    id: String,
    /// The token that started it.
    token: Option<String>,
    /// The EVSE; in 1.6 the connector.
    evse: Option<i64>,
    /// The connector of the EVSE.
    connector: Option<i64>,
    /// When it started, by the station's clock.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// When it stopped; null while it runs.
    #[schema(value_type = Option<String>, format = DateTime)]
    stopped_at: Option<Timestamp>,
    /// Why it stopped, in the standard's words, such as `EVDisconnected`.
    stop_reason: Option<String>,
    /// The energy register at the start, in Wh.
    meter_start_wh: Option<Number>,
    /// The newest reading of the energy register, in Wh.
    meter_last_wh: Option<Number>,
    /// What was charged so far, in Wh.
    energy_wh: Number,
    /// What it costs so far, in whole units of the currency, rounded half up to what the currency can express.
    cost: Number,
    /// The currency, ISO 4217.
    #[schema(example = "EUR")]
    currency: &'static str,
    /// The tariff by which it is billed.
    tariff: String,
    /// The version of the tariff.
    tariff_version: i64,
}

impl From<Transaction> for TransactionView {
    fn from(transaction: Transaction) -> Self {
        Self {
            energy_wh: Number(transaction.energy_wh()),
            cost: Number(amount(transaction.cost, transaction.currency)),
            currency: transaction.currency.code(),
            tariff: transaction.tariff.tariff,
            tariff_version: transaction.tariff.version,
            id: transaction.id,
            token: transaction.token,
            evse: transaction.evse,
            connector: transaction.connector,
            started_at: transaction.started_at,
            stopped_at: transaction.stopped_at,
            stop_reason: transaction.stop_reason,
            meter_start_wh: transaction.meter_start.map(Number),
            meter_last_wh: transaction.meter_last.map(Number),
        }
    }
}

/// Which transactions.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Part {
    /// Only those that started before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    before: Option<Timestamp>,
    /// How many at most: 1 to 1000, by default 100.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// The latest transactions of a station, the oldest of them first.
#[utoipa::path(get, path = "/api/v1/stations/{id}/transactions", tag = "stations",
    security(("bearer" = ["view"])), operation_id = "list_transactions",
    params(("id", description = "The station"), Part),
    responses((status = 200, body = Vec<TransactionView>), (status = 404, body = Problem)))]
pub(super) async fn list(
    State(csms): State<Csms>,
    Path(id): Path<String>,
    Query(part): Query<Part>,
) -> Result<axum::Json<Vec<TransactionView>>, Problem> {
    let limit = limit(part.limit)?;
    csms.store().station(&id).await?.ok_or_else(|| Problem::unknown_station(&id))?;
    let transactions = csms.store().transactions(&id, part.before, limit).await?;
    Ok(axum::Json(transactions.into_iter().map(TransactionView::from).collect()))
}

/// The meter values of a transaction in the order in which they were taken. Values are text, with all digits that the station sent.
#[utoipa::path(get, path = "/api/v1/stations/{id}/transactions/{transaction}/meter-values", tag = "stations",
    security(("bearer" = ["view"])),
    operation_id = "list_meter_values",
    params(("id", description = "The station"), ("transaction", description = "The transaction")),
    responses((status = 200, body = Vec<Object>), (status = 404, body = Problem)))]
pub(super) async fn meter_values(
    State(csms): State<Csms>,
    Path((id, transaction)): Path<(String, String)>,
) -> Result<axum::Json<Vec<Box<RawValue>>>, Problem> {
    csms.store()
        .transaction(&id, &transaction)
        .await?
        .ok_or_else(|| Problem::not_found(format!("station {id:?} has no transaction {transaction:?}")))?;
    let values = csms.store().meter_values(&id, &transaction).await?;
    // What is kept was made by this program, so it is JSON.
    Ok(axum::Json(values.into_iter().filter_map(|text| RawValue::from_string(text).ok()).collect()))
}
