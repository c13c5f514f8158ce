//! Payments and invoices.

use std::collections::BTreeSet;

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use iso_currency::Currency;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::live::Failed;
use super::told::Told as _;
use super::{Fields, Flash, Page, format};
use crate::access::Actor;
use crate::ledger::{Account, Payer};
use crate::payments::{InvoiceLine, Wanted as Payable};
use crate::server::Csms;
use crate::store::{Driver, Invoice, Payment};
use crate::tariffs::minor_units;

/// Payments and invoices on a page.
const SIZE: usize = 50;
/// Drivers that can be chosen on a page.
const CHOICE: u32 = 500;

fn limit() -> u32 {
    u32::try_from(SIZE + 1).unwrap_or(u32::MAX)
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    before: Option<i64>,
}

#[derive(Template)]
#[template(path = "payments.html")]
struct Payments {
    page: Page,
    rows: Vec<Row>,
    balances: Vec<(String, String)>,
    drivers: Vec<Driver>,
    providers: Vec<&'static str>,
    fields: Fields,
    next: Option<String>,
}

struct Row {
    payment: Payment,
    payer: String,
    amount: String,
    state: &'static str,
}

/// Those of these payers who are drivers.
async fn payers(csms: &Csms, payers: impl Iterator<Item = &Payer>) -> Result<Vec<Driver>, Failed> {
    let ids: BTreeSet<&str> = payers.filter_map(Payer::driver).collect();
    Ok(csms.store().drivers_with_ids(&ids).await?)
}

/// What somebody who pays is called.
fn name(drivers: &[Driver], payer: &Payer) -> String {
    match payer.driver() {
        Some(id) => {
            drivers.iter().find(|driver| driver.id == id).map_or_else(|| id.to_owned(), |known| known.name.clone())
        }
        None => String::new(),
    }
}

async fn view(csms: &Csms, page: Page, wanted: Wanted, fields: Fields) -> Result<Payments, Failed> {
    let before = wanted.before.and_then(|before| Timestamp::from_millisecond(before).ok());
    let mut payments = csms.store().payments(None, before, limit()).await?;
    let more = payments.len() > SIZE;
    payments.truncate(SIZE);
    let next = payments.last().filter(|_| more);
    let next = next.map(|last| format!("/payments?before={}", last.progress.created_at.as_millisecond()));
    let drivers = csms.store().drivers(None, None, CHOICE).await?;
    let named = payers(csms, payments.iter().map(|payment| &payment.payer)).await?;
    let rows = payments.into_iter().map(|payment| Row {
        payer: name(&named, &payment.payer),
        amount: format::money(payment.amount, payment.currency),
        state: payment.state.as_str(),
        payment,
    });
    let rows = rows.collect();
    // A liability is negative in the books, and what somebody has on the page.
    let shown = |name: &str, amount: i64, currency| (name.to_owned(), format::money(amount.saturating_neg(), currency));
    let mut balances = Vec::new();
    for (name, account) in [("money.revenue", Account::Revenue), ("money.tax", Account::Tax)] {
        for (_, currency, amount) in csms.store().balances_of(&account).await? {
            balances.push(shown(page.t(name), amount, currency));
        }
    }
    for (currency, amount) in csms.store().balance_of_drivers().await? {
        balances.push(shown(page.t("frame.drivers"), amount, currency));
    }
    let providers = csms.payments().providers().into_iter().map(|(name, _)| name).collect();
    Ok(Payments { page, rows, balances, drivers, providers, fields, next })
}

pub(super) async fn list(page: Page, State(csms): State<Csms>, Query(wanted): Query<Wanted>) -> Response {
    let fields = Fields::default().with("currency", csms.tariffs().standard().tariff.currency().code());
    match view(&csms, page.clone(), wanted, fields).await {
        Ok(view) => page.show(&view),
        Err(error) => page.broken(&error),
    }
}

/// Fills up a driver's balance through a provider.
pub(super) async fn top_up(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Form(mut fields): Form<Fields>,
) -> Response {
    let driver = fields.text("driver", 60, page.t("stations.error_choice"));
    let amount = fields.parsed::<Decimal>("amount", page.t("money.error_amount"));
    let currency = Currency::from_code(&fields.get("currency").to_uppercase());
    if currency.is_none() {
        fields.fail("currency", page.t("money.currency_hint"));
    }
    if let (Some(amount), Some(currency)) = (amount, currency)
        && fields.fine()
    {
        match minor_units(amount, currency) {
            Ok(amount) => {
                let provider = fields.get("provider").to_owned();
                let method = fields.filled("method").map(str::to_owned);
                match csms.payments().top_up(&driver, Payable { amount, currency, provider, method }).await {
                    Ok(payment) => {
                        let text = format::money(payment.amount, payment.currency);
                        csms.audit(&actor, "payment.made", &payment.id, &text).await;
                        return Flash::good(page.with("money.topped_up", "amount", text)).at("/payments");
                    }
                    Err(error) => fields.fail("amount", error.told(&page)),
                }
            }
            Err(error) => fields.fail("amount", error.told(&page)),
        }
    }
    match view(&csms, page.clone(), Wanted::default(), fields).await {
        Ok(view) => page.refuse(&view),
        Err(error) => page.broken(&error),
    }
}

/// Gives a payment back.
pub(super) async fn refund(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Path(id): Path<String>,
) -> Response {
    match csms.payments().refund(&id, None, actor.name()).await {
        Ok(refund) => {
            csms.audit(&actor, "payment.refunded", &id, &refund.id).await;
            Flash::good(page.t("money.refunded")).at("/payments")
        }
        Err(error) => Flash::bad(error.told(&page)).at("/payments"),
    }
}

#[derive(Template)]
#[template(path = "invoices.html")]
struct Invoices {
    page: Page,
    rows: Vec<(Invoice, String, String)>,
    drivers: Vec<Driver>,
    fields: Fields,
    next: Option<String>,
}

async fn invoices_view(csms: &Csms, page: Page, wanted: Wanted, fields: Fields) -> Result<Invoices, Failed> {
    let mut invoices = csms.store().invoices(None, wanted.before, limit()).await?;
    let more = invoices.len() > SIZE;
    invoices.truncate(SIZE);
    let next = invoices.last().filter(|_| more).map(|last| format!("/invoices?before={}", last.number));
    let drivers = csms.store().drivers(None, None, CHOICE).await?;
    let named = payers(csms, invoices.iter().map(|invoice| &invoice.payer)).await?;
    let row = |invoice: Invoice| {
        let payer = name(&named, &invoice.payer);
        let total = format::money(invoice.total, invoice.currency);
        (invoice, payer, total)
    };
    let rows = invoices.into_iter().map(row).collect();
    Ok(Invoices { page, rows, drivers, fields, next })
}

pub(super) async fn list_invoices(page: Page, State(csms): State<Csms>, Query(wanted): Query<Wanted>) -> Response {
    let fields = Fields::default().with("currency", csms.tariffs().standard().tariff.currency().code());
    match invoices_view(&csms, page.clone(), wanted, fields).await {
        Ok(view) => page.show(&view),
        Err(error) => page.broken(&error),
    }
}

/// Makes an invoice of everything of a driver that is on none yet.
pub(super) async fn make_invoice(
    page: Page,
    axum::Extension(actor): axum::Extension<Actor>,
    State(csms): State<Csms>,
    Form(mut fields): Form<Fields>,
) -> Response {
    let driver = fields.text("driver", 60, page.t("stations.error_choice"));
    match Currency::from_code(&fields.get("currency").to_uppercase()) {
        Some(currency) if fields.fine() => {
            let payer = Payer::Driver(driver);
            match csms.payments().invoice(&payer, currency, Timestamp::UNIX_EPOCH, Timestamp::now()).await {
                Ok(invoice) => {
                    csms.audit(&actor, "invoice.made", invoice.number, "").await;
                    let text = page.with("money.invoice_made", "number", invoice.number);
                    return Flash::good(text).at(&format!("/invoices/{}", invoice.number));
                }
                Err(error) => fields.fail("driver", error.told(&page)),
            }
        }
        Some(_) => {}
        None => fields.fail("currency", page.t("money.currency_hint")),
    }
    match invoices_view(&csms, page.clone(), Wanted::default(), fields).await {
        Ok(view) => page.refuse(&view),
        Err(error) => page.broken(&error),
    }
}

#[derive(Template)]
#[template(path = "invoice.html")]
struct InvoiceView {
    page: Page,
    invoice: Invoice,
    payer: String,
    lines: Vec<LineRow>,
    net: String,
    tax: String,
    total: String,
    seller: String,
}

pub(super) async fn show_invoice(page: Page, State(csms): State<Csms>, Path(number): Path<i64>) -> Response {
    let found = async {
        let invoice = csms.store().invoice(number).await?;
        let driver = match invoice.as_ref().and_then(|invoice| invoice.payer.driver()) {
            Some(id) => csms.store().driver(id).await?,
            None => None,
        };
        Ok::<_, Failed>(invoice.map(|invoice| (invoice, driver)))
    };
    match found.await {
        Ok(Some((invoice, driver))) => {
            let currency = invoice.currency;
            let lines = invoice.lines.iter().map(|line| invoice_line(&page, line, currency)).collect();
            page.show(&InvoiceView {
                payer: driver.map(|driver| format!("{} ({})", driver.name, driver.login)).unwrap_or_default(),
                net: format::money(invoice.net, currency),
                tax: format::money(invoice.tax, currency),
                total: format::money(invoice.total, currency),
                seller: csms.config().operator.clone().unwrap_or_else(|| "ocpp-csms".to_owned()),
                page: page.clone(),
                lines,
                invoice,
            })
        }
        Ok(None) => page.notice(StatusCode::NOT_FOUND, page.t("money.unknown_invoice"), ""),
        Err(error) => page.broken(&error),
    }
}

/// A line of an invoice.
struct LineRow {
    /// What for, in words.
    what: String,
    at: Timestamp,
    energy: String,
    amount: String,
}

fn invoice_line(page: &Page, line: &InvoiceLine, currency: Currency) -> LineRow {
    LineRow {
        what: format!("{} {}", page.word("money.line_", &line.kind), line.about),
        at: line.at,
        energy: line.energy_wh.map(|wh| format::kilo(wh, 3)).unwrap_or_default(),
        amount: format::money(line.net, currency),
    }
}
