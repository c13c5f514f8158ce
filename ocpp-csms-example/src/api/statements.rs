//! What came to balances and went from them, and invoices as files.

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{Path, Query};
use super::logs::attach;
use super::reports::{Format, sheet};
use super::{Number, Problem};
use crate::access::{Actor, portal};
use crate::payments::{Movement, Statement, invoice_pdf, statement};
use crate::reports::{Range, ReportError, Sheet};
use crate::server::Csms;
use crate::store::Driver;
use crate::tariffs::amount;
use crate::web::Language;

/// A driver's statement.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatementView {
    /// Whose.
    name: String,
    /// The first day.
    #[schema(value_type = String, format = Date)]
    from: Date,
    /// The last day.
    #[schema(value_type = String, format = Date)]
    until: Date,
    /// One for each currency.
    accounts: Vec<AccountStatementView>,
}

/// A statement in one currency. What is below zero is owed by the driver.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountStatementView {
    #[schema(example = "EUR")]
    currency: &'static str,
    /// The balance before the first day.
    opening: Number,
    /// In the order of time.
    lines: Vec<StatementLineView>,
    /// The balance after the last day.
    closing: Number,
}

/// A line of a statement.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatementLineView {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    kind: Movement,
    /// A payment, a station, a month of a subscription.
    about: String,
    amount: Number,
    /// The balance after that.
    balance: Number,
}

impl From<Statement> for StatementView {
    fn from(statement: Statement) -> Self {
        let account = |account: crate::payments::AccountStatement| {
            let units = |minor| Number(amount(minor, account.currency));
            let line = |line: crate::payments::StatementLine| StatementLineView {
                at: line.at,
                kind: line.kind,
                about: line.about,
                amount: units(line.amount),
                balance: units(line.balance),
            };
            AccountStatementView {
                currency: account.currency.code(),
                opening: units(account.opening),
                closing: units(account.closing),
                lines: account.lines.into_iter().map(line).collect(),
            }
        };
        Self {
            name: statement.name,
            from: statement.range.from,
            until: statement.range.until,
            accounts: statement.accounts.into_iter().map(account).collect(),
        }
    }
}

/// Which days, and how they are written.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StatementDays {
    /// The first day, such as 2026-11-01. Default: 29 days before the last.
    from: Option<String>,
    /// The last day. Default: today.
    until: Option<String>,
    /// How it is written. Default: what `Accept` says, or JSON.
    format: Option<Format>,
    /// In which language the headings of files are: `en`, `ha`, `rw`, `pa`, `eu`. Default: names for programs in CSV, English in PDF.
    language: Option<String>,
}

async fn answer(csms: &Csms, driver: &Driver, days: StatementDays, headers: &HeaderMap) -> Result<Response, Problem> {
    let format = Format::of(days.format, headers)?;
    let language = days.language.as_deref().and_then(Language::of_tag);
    let zone = &csms.config().time_zone;
    let range = Range::parse(days.from.as_deref(), days.until.as_deref(), zone, Timestamp::now())?;
    let statement = statement(csms, driver, range).await?;
    match format {
        Format::Json => Ok(axum::Json(StatementView::from(statement)).into_response()),
        format => sheet(csms, &Sheet::of_statement(&statement, zone, language), "statement", range, format).await,
    }
}

/// What came to the balance of a driver and went from it.
#[utoipa::path(get, path = "/api/v1/drivers/{id}/statement", tag = "payments", operation_id = "get_statement", params(StatementDays),
    security(("bearer" = ["account"])),
    responses((status = 200, body = StatementView), (status = 400, body = Problem), (status = 404, body = Problem), (status = 406, body = Problem)))]
pub(super) async fn of_driver(
    State(csms): State<Csms>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(days): Query<StatementDays>,
) -> Result<Response, Problem> {
    let driver = csms.store().driver(&id).await?;
    let driver = driver.ok_or_else(|| Problem::not_found(format!("there is no driver {id:?}")))?;
    answer(&csms, &driver, days, &headers).await
}

/// What came to the balance of the driver who signed in, and went from it.
#[utoipa::path(get, path = "/api/v1/driver/statement", tag = "driver", operation_id = "get_own_statement", params(StatementDays),
    security(("bearer" = ["drive"])),
    responses((status = 200, body = StatementView), (status = 400, body = Problem), (status = 406, body = Problem)))]
pub(super) async fn own(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    Query(days): Query<StatementDays>,
) -> Result<Response, Problem> {
    let driver = portal::account(&csms, &actor).await?;
    answer(&csms, &driver, days, &headers).await
}

/// One invoice as PDF.
#[utoipa::path(get, path = "/api/v1/invoices/{number}/pdf", tag = "invoices", operation_id = "download_invoice",
    security(("bearer" = ["account"])),
    responses((status = 200, description = "The file", content_type = "application/pdf"), (status = 404, body = Problem)))]
pub(super) async fn invoice(State(csms): State<Csms>, Path(number): Path<i64>) -> Result<Response, Problem> {
    let invoice = csms.store().invoice(number).await?;
    let invoice = invoice.ok_or_else(|| Problem::not_found(format!("there is no invoice {number}")))?;
    let driver = match invoice.payer.driver() {
        Some(id) => csms.store().driver(id).await?,
        None => None,
    };
    let config = csms.config();
    let seller = config.operator.as_deref().unwrap_or("ocpp-csms");
    let file = invoice_pdf(&invoice, seller, driver.as_ref(), &config.time_zone).map_err(ReportError::from)?;
    let mut response = file.into_response();
    attach(&mut response, "application/pdf", &format!("invoice-{number}.pdf"));
    Ok(response)
}
