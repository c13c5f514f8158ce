//! The pages that a QR code at a station opens: pay, watch the session, read the receipt. Nobody has to sign in: whoever knows the
//! id of a session, which nobody guesses, sees it.

use askama::Template;
use axum::extract::{Form, Path, Query, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use iso_currency::Currency;
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rust_decimal::Decimal;

use super::{Action, Methods, Payments, Wanted};
use crate::access::{Needs, Pages};
use crate::server::Csms;
use crate::sessions::usage;
use crate::store::{PaymentState, PrepaidSession, SessionStage, StoreError};
use crate::tariffs::{Item, Line, Tariff, amount, minor_units};
use crate::web::format::{kilo, money};
use crate::web::told::Told as _;
use crate::web::{Fields, Page};

/// The pages.
pub(crate) fn pages(csms: &Csms) -> Pages {
    Pages::new(csms)
        .page(Method::GET, "/pay/{station}/{evse}", Needs::Nothing, form)
        .page(Method::POST, "/pay/{station}/{evse}", Needs::Nothing, pay)
        .page(Method::GET, "/pay/session/{id}", Needs::Nothing, session)
        .page(Method::GET, "/pay/session/{id}/state", Needs::Nothing, state)
        .page(Method::GET, "/pay/session/{id}/receipt", Needs::Nothing, receipt)
}

#[derive(Template)]
#[template(path = "pay.html")]
struct PayForm {
    page: Page,
    place: String,
    path: String,
    prices: Vec<String>,
    currency: &'static str,
    providers: Vec<(String, String)>,
    methods: Vec<(String, String)>,
    phone: bool,
    fields: Fields,
    problem: Option<String>,
}

impl PayForm {
    fn new(csms: &Csms, page: &Page, station: &str, evse: i64, fields: Fields) -> Self {
        let tariff = csms.tariffs().at(station, Some(evse)).tariff;
        let offered = csms.payments().providers();
        let name = |name: &str| (name.to_owned(), page.word("pay.provider_", name).into_owned());
        let methods = offered.iter().find_map(|(_, methods)| match methods {
            Methods::Choice(words) => Some(*words),
            _ => None,
        });
        let word = |word: &&str| ((*word).to_owned(), page.word("pay.method_", word).into_owned());
        Self {
            place: place(page, station, Some(evse)),
            path: pay_path(station, Some(evse)),
            prices: prices(page, &tariff),
            currency: tariff.currency().code(),
            providers: offered.iter().map(|(provider, _)| name(provider)).collect(),
            methods: methods.unwrap_or_default().iter().map(word).collect(),
            phone: offered.iter().any(|(_, methods)| *methods == Methods::Phone),
            fields,
            problem: None,
            page: page.clone(),
        }
    }
}

fn place(page: &Page, station: &str, evse: Option<i64>) -> String {
    match evse {
        Some(evse) => page.fill("pay.at_evse", [("station", station.to_owned()), ("evse", evse.to_string())]),
        None => page.with("pay.at", "station", station),
    }
}

fn pay_path(station: &str, evse: Option<i64>) -> String {
    format!("/pay/{}/{}", utf8_percent_encode(station, NON_ALPHANUMERIC), evse.unwrap_or(1))
}

/// What a tariff charges for, one line each.
fn prices(page: &Page, tariff: &Tariff) -> Vec<String> {
    let code = tariff.currency().code();
    let range = |(lowest, highest): (Decimal, Decimal)| {
        let range = if lowest == highest { lowest.to_string() } else { format!("{lowest} – {highest}") };
        format!("{range} {code}")
    };
    let mut lines = Vec::new();
    for (key, timetable) in
        [("pay.per_kwh", tariff.energy()), ("pay.per_hour", tariff.time()), ("pay.per_idle_hour", tariff.idle())]
    {
        if timetable.is_free() {
            continue;
        }
        let mut line = page.with(key, "price", range(timetable.range()));
        if key == "pay.per_idle_hour" && tariff.grace_minutes() > 0 {
            line = format!("{line}, {}", page.with("pay.after_minutes", "minutes", tariff.grace_minutes()));
        }
        lines.push(line);
    }
    for (key, price) in [("pay.per_session", tariff.start()), ("pay.at_least", tariff.minimum())] {
        if !price.is_zero() {
            lines.push(page.with(key, "price", format!("{price} {code}")));
        }
    }
    let tax = tariff.tax();
    if !tax.percent.is_zero() && !lines.is_empty() {
        let key = if tax.included { "pay.tax_included" } else { "pay.tax_added" };
        lines.push(page.with(key, "percent", tax.percent));
    }
    lines
}

async fn is_known(csms: &Csms, station: &str) -> Result<bool, StoreError> {
    Ok(csms.store().station(station).await?.is_some())
}

/// What the address of the page says beside the place.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Asked {
    /// A driver who is signed in wants to pay here nevertheless.
    as_guest: bool,
}

async fn form(
    page: Page,
    State(csms): State<Csms>,
    Path((station, evse)): Path<(String, i64)>,
    Query(asked): Query<Asked>,
) -> Response {
    // Who has an account charges with it, unless they want it otherwise.
    if page.actor().is_some_and(|actor| actor.driver().is_some()) && !asked.as_guest {
        let station = percent_encoding::utf8_percent_encode(&station, percent_encoding::NON_ALPHANUMERIC);
        return Redirect::to(&format!("/driver?station={station}&outlet={evse}")).into_response();
    }
    match is_known(&csms, &station).await {
        Ok(true) if evse > 0 => {
            let fields = Fields::default().with("amount", "10");
            page.show(&PayForm::new(&csms, &page, &station, evse, fields))
        }
        Ok(_) => missing(&page, "pay.unknown"),
        Err(error) => page.broken(&error),
    }
}

fn missing(page: &Page, key: &str) -> Response {
    page.notice(StatusCode::NOT_FOUND, page.t("pay.title"), page.t(key))
}

async fn pay(
    page: Page,
    State(csms): State<Csms>,
    Path((station, evse)): Path<(String, i64)>,
    Form(mut fields): Form<Fields>,
) -> Response {
    match is_known(&csms, &station).await {
        Ok(true) if evse > 0 => {}
        Ok(_) => return missing(&page, "pay.unknown"),
        Err(error) => return page.broken(&error),
    }
    let currency = csms.tariffs().at(&station, Some(evse)).tariff.currency();
    let Some(amount) = typed_amount(&page, &mut fields, currency) else {
        return page.refuse(&PayForm::new(&csms, &page, &station, evse, fields));
    };
    let wanted = wanted(csms.payments(), &fields, amount, currency);
    match csms.payments().pay_session(&station, Some(evse), wanted).await {
        Ok((session, _)) => Redirect::to(&format!("/pay/session/{}", session.id)).into_response(),
        Err(super::PaymentError::Store(error)) => page.broken(&error),
        Err(error) => {
            let form = PayForm::new(&csms, &page, &station, evse, fields);
            page.refuse(&PayForm { problem: Some(error.told(&page)), ..form })
        }
    }
}

/// The amount that was typed, with a comma or a point.
pub(crate) fn typed_amount(page: &Page, fields: &mut Fields, currency: Currency) -> Option<i64> {
    let typed: Option<Decimal> = fields.get("amount").replace(',', ".").parse().ok();
    let amount = typed.and_then(|amount| minor_units(amount, currency).ok());
    if amount.is_none() {
        fields.fail("amount", page.t("pay.error_amount"));
    }
    amount
}

pub(crate) fn wanted(payments: &Payments, fields: &Fields, amount: i64, currency: Currency) -> Wanted {
    let provider = fields.get("provider").to_owned();
    let kind = payments.providers().into_iter().find(|(name, _)| *name == provider).map(|(_, methods)| methods);
    let method = match kind {
        Some(Methods::Choice(_)) => fields.filled("method"),
        Some(Methods::Phone) => fields.filled("phone"),
        _ => None,
    };
    Wanted { amount, currency, method: method.map(str::to_owned), provider }
}

#[derive(Template)]
#[template(path = "pay_session.html")]
struct SessionPage {
    page: Page,
    place: String,
    state: StatePart,
}

/// What changes while a session goes on: asked for again and again by the page.
#[derive(Template)]
#[template(path = "pay_state.html")]
struct StatePart {
    page: Page,
    id: String,
    stage: &'static str,
    is_over: bool,
    title: String,
    text: String,
    failure: Option<String>,
    redirect: Option<String>,
    phone: bool,
    paid: String,
    cost: Option<String>,
    energy: Option<String>,
    back: Option<String>,
    has_receipt: bool,
    again: String,
}

async fn find(csms: &Csms, page: &Page, id: &str) -> Result<Option<(String, StatePart)>, StoreError> {
    let store = csms.store();
    // A driver's own session is seen in the portal, by the driver.
    let known = store.prepaid_session(id).await?.filter(|session| session.payer.driver().is_none());
    let Some(session) = known else { return Ok(None) };
    let PrepaidSession { station, evse, currency, stage, .. } = &session;
    let transaction = match &session.transaction {
        Some(transaction) => store.transaction(station, transaction).await?,
        None => None,
    };
    let payment = store.payment_for(id).await?;
    let action: Option<Action> =
        payment.as_ref().and_then(|payment| serde_json::from_str(payment.action.as_deref()?).ok());
    let is_paid = payment.as_ref().is_some_and(|payment| payment.state == PaymentState::Confirmed);
    let is_over = matches!(stage, SessionStage::Released | SessionStage::Settled | SessionStage::Abandoned);
    let mut cost = transaction.as_ref().map(|transaction| transaction.cost);
    if let Some(transaction) = transaction.as_ref().filter(|transaction| transaction.stopped_at.is_none())
        && let Ok(tariff) = csms.tariffs().version(&transaction.tariff).await
        && let Ok(bill) = tariff.bill(&usage(transaction, Timestamp::now()))
    {
        cost = Some(bill.total.max(transaction.cost));
    }
    let until = session.give_up_at.map(|at| at.strftime("%H:%M").to_string()).unwrap_or_default();
    let text = page.with(&format!("pay.stage_{}_text", stage.as_str()), "time", format!("{until} UTC"));
    let state = StatePart {
        title: page.t(&format!("pay.stage_{}", stage.as_str())).to_owned(),
        text,
        stage: stage.as_str(),
        is_over,
        failure: session.failure.clone(),
        redirect: match &action {
            Some(Action::Redirect(url)) => Some(url.clone()),
            _ => None,
        },
        phone: action == Some(Action::Phone),
        paid: money(if is_paid { session.amount } else { 0 }, *currency),
        back: (is_over && is_paid).then(|| money((session.amount - cost.unwrap_or(0)).max(0), *currency)),
        cost: cost.map(|cost| money(cost, *currency)),
        energy: transaction.as_ref().map(|transaction| kilo(transaction.energy_wh(), 3)),
        has_receipt: *stage == SessionStage::Settled,
        again: pay_path(station, *evse),
        id: session.id.clone(),
        page: page.clone(),
    };
    Ok(Some((place(page, station, *evse), state)))
}

async fn session(page: Page, State(csms): State<Csms>, Path(id): Path<String>) -> Response {
    match find(&csms, &page, &id).await {
        Ok(Some((place, state))) => page.show(&SessionPage { page: page.clone(), place, state }),
        Ok(None) => missing(&page, "pay.no_session"),
        Err(error) => page.broken(&error),
    }
}

async fn state(page: Page, State(csms): State<Csms>, Path(id): Path<String>) -> Response {
    match find(&csms, &page, &id).await {
        Ok(Some((_, state))) => page.show(&state),
        Ok(None) => missing(&page, "pay.no_session"),
        Err(error) => page.broken(&error),
    }
}

/// A line of a receipt.
struct ReceiptLine {
    name: String,
    quantity: Decimal,
    price: Decimal,
    amount: Decimal,
}

#[derive(Template)]
#[template(path = "pay_receipt.html")]
struct Receipt {
    page: Page,
    place: String,
    id: String,
    billed_at: Timestamp,
    currency: &'static str,
    lines: Vec<ReceiptLine>,
    net: Decimal,
    tax: Decimal,
    total: Decimal,
}

async fn receipt(page: Page, State(csms): State<Csms>, Path(id): Path<String>) -> Response {
    match find_receipt(&csms, &page, &id).await {
        Ok(Some(view)) => page.show(&view),
        Ok(None) => missing(&page, "pay.no_session"),
        Err(error) => page.broken(&error),
    }
}

async fn find_receipt(csms: &Csms, page: &Page, id: &str) -> Result<Option<Receipt>, StoreError> {
    let known = csms.store().prepaid_session(id).await?.filter(|session| session.payer.driver().is_none());
    let Some(session) = known else { return Ok(None) };
    let Some(transaction) = &session.transaction else { return Ok(None) };
    let Some(bill) = csms.store().bill(&session.station, transaction).await? else { return Ok(None) };
    let units = |minor| amount(minor, bill.currency);
    let line = |line: &Line| ReceiptLine {
        name: page.t(item_key(line.item)).to_owned(),
        quantity: line.quantity,
        price: line.price,
        amount: units(line.amount),
    };
    Ok(Some(Receipt {
        place: place(page, &session.station, session.evse),
        lines: bill.bill.lines.iter().map(line).collect(),
        net: units(bill.bill.net + bill.adjusted.0),
        tax: units(bill.bill.tax + bill.adjusted.1),
        total: units(bill.bill.total + bill.adjusted.0 + bill.adjusted.1),
        billed_at: bill.billed_at,
        currency: bill.currency.code(),
        id: session.id,
        page: page.clone(),
    }))
}

fn item_key(item: Item) -> &'static str {
    match item {
        Item::Start => "pay.item_start",
        Item::Energy => "pay.item_energy",
        Item::Time => "pay.item_time",
        Item::Idle => "pay.item_idle",
        Item::Minimum => "pay.item_minimum",
        Item::Included => "pay.item_included",
        Item::Discount => "pay.item_discount",
    }
}
