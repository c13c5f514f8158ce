//! Payments, what is paid back, prepaid sessions, bills, balances and the ledger.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use iso_currency::Currency;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{Json, Path, Query};
use super::tariffs::BillView;
use super::tokens::limit;
use super::{Number, Problem};
use crate::access::Actor;
use crate::ledger::{Account, Payer};
use crate::payments::{NotificationError, NotifyError, PaymentError, Wanted};
use crate::server::Csms;
use crate::store::{
    BillFilter, BillRecord, Capture, Payment, PaymentRefund, PaymentState, PrepaidSession, RefundState, SessionStage,
};
use crate::tariffs::{amount, minor_units};

impl From<PaymentError> for Problem {
    fn from(error: PaymentError) -> Self {
        let status = match error {
            PaymentError::Store(error) => return error.into(),
            PaymentError::Unknown(..) | PaymentError::Station(_) => StatusCode::NOT_FOUND,
            PaymentError::NotConnected
            | PaymentError::OutOfService
            | PaymentError::Busy
            | PaymentError::NotCovered(_)
            | PaymentError::Refund(_) => StatusCode::CONFLICT,
            PaymentError::Provider(_)
            | PaymentError::Amount(..)
            | PaymentError::Method(_)
            | PaymentError::Currency(_)
            | PaymentError::Posting(_) => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.to_string())
    }
}

pub(super) fn currency(code: &str) -> Result<Currency, Problem> {
    let known = Currency::from_code(code);
    known.ok_or_else(|| {
        Problem::bad_request(format!("{code:?} is no currency; write its code of ISO 4217, such as EUR"))
    })
}

pub(super) fn units(amount: Decimal, currency: Currency) -> Result<i64, Problem> {
    minor_units(amount, currency).map_err(|error| Problem::bad_request(error.to_string()))
}

pub(super) fn payer(text: &str) -> Result<Payer, Problem> {
    let wrong = "write who pays as driver:ID or guest:ID";
    text.parse().map_err(|()| Problem::bad_request(wrong))
}

/// A payment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaymentView {
    id: String,
    /// Through whom.
    provider: String,
    /// Who pays: `driver:ID` or `guest:ID`.
    payer: String,
    /// The prepaid session that it is for.
    session: Option<String>,
    amount: Number,
    currency: &'static str,
    state: PaymentState,
    /// Where the provider only keeps the money ready, as a card processor does for a session: how that stands.
    capture: Capture,
    /// What is taken of that; null as long as it is not decided.
    captured: Option<Number>,
    /// What the provider calls it.
    reference: Option<String>,
    /// Why it was not paid.
    failure: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<Payment> for PaymentView {
    fn from(payment: Payment) -> Self {
        Self {
            payer: payment.payer.to_string(),
            amount: Number(amount(payment.amount, payment.currency)),
            currency: payment.currency.code(),
            id: payment.id,
            provider: payment.provider,
            session: payment.session,
            state: payment.state,
            capture: payment.capture,
            captured: payment.captured.map(|captured| Number(amount(captured, payment.currency))),
            reference: payment.progress.reference,
            failure: payment.progress.failure,
            created_at: payment.progress.created_at,
            updated_at: payment.progress.updated_at,
        }
    }
}

/// A part of a payment that goes back.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RefundView {
    id: String,
    payment: String,
    amount: Number,
    reason: String,
    state: RefundState,
    /// Why the provider refused, or did not answer.
    failure: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl RefundView {
    fn new(refund: PaymentRefund, currency: Currency) -> Self {
        Self {
            amount: Number(amount(refund.amount, currency)),
            id: refund.id,
            payment: refund.payment,
            reason: refund.reason,
            state: refund.state,
            failure: refund.progress.failure,
            created_at: refund.progress.created_at,
        }
    }
}

/// A session that is paid before it starts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PrepaidView {
    id: String,
    payer: String,
    station: String,
    evse: Option<i64>,
    /// What was to be set aside.
    amount: Number,
    /// What is set aside now.
    held: Number,
    currency: &'static str,
    stage: SessionStage,
    transaction: Option<String>,
    /// Why it did not start.
    failure: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<PrepaidSession> for PrepaidView {
    fn from(session: PrepaidSession) -> Self {
        let held = session.state.as_ref().map_or(0, crate::payments::Prepaid::held);
        Self {
            payer: session.payer.to_string(),
            amount: Number(amount(session.amount, session.currency)),
            held: Number(amount(held, session.currency)),
            currency: session.currency.code(),
            id: session.id,
            station: session.station,
            evse: session.evse,
            stage: session.stage,
            transaction: session.transaction,
            failure: session.failure,
            created_at: session.created_at,
        }
    }
}

/// A payment to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TopUp {
    /// How much, in whole units of the currency.
    #[schema(value_type = f64)]
    amount: Decimal,
    /// ISO 4217.
    #[schema(example = "EUR")]
    currency: String,
    /// Through which provider.
    provider: String,
    /// What the provider needs to know of the payer: a telephone number, a payment method, or what the sandbox is to do.
    method: Option<String>,
}

impl TopUp {
    pub(super) fn wanted(self) -> Result<Wanted, Problem> {
        let currency = currency(&self.currency)?;
        Ok(Wanted { amount: units(self.amount, currency)?, currency, provider: self.provider, method: self.method })
    }
}

/// Tops up the balance of a driver.
#[utoipa::path(post, path = "/api/v1/drivers/{id}/top-ups", tag = "payments", operation_id = "top_up", request_body = TopUp,
    security(("bearer" = ["account"])),
    responses((status = 202, description = "The provider is asked", body = PaymentView), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn top_up(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
    Json(wanted): Json<TopUp>,
) -> Result<(StatusCode, axum::Json<PaymentView>), Problem> {
    csms.store().driver(&id).await?.ok_or_else(|| Problem::not_found(format!("there is no driver {id:?}")))?;
    let payment = csms.payments().top_up(&id, wanted.wanted()?).await?;
    csms.audit(&actor, "payment.requested", &payment.id, format!("top-up of {}", payment.payer)).await;
    Ok((StatusCode::ACCEPTED, axum::Json(payment.into())))
}

/// What a driver can spend, in one currency.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BalanceView {
    currency: &'static str,
    /// Negative where the driver owes it.
    balance: Number,
}

/// The balance of a driver, by currency.
#[utoipa::path(get, path = "/api/v1/drivers/{id}/balance", tag = "payments", operation_id = "get_balance",
    security(("bearer" = ["view"])), responses((status = 200, body = Vec<BalanceView>)))]
pub(super) async fn balance(
    State(csms): State<Csms>,
    Path(id): Path<String>,
) -> Result<axum::Json<Vec<BalanceView>>, Problem> {
    Ok(axum::Json(balances(&csms, &id).await?))
}

/// A session that somebody pays for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPrepaid {
    station: String,
    evse: Option<i64>,
    /// A guest's payment.
    payment: Option<TopUp>,
    /// Or a driver, who pays from the balance.
    driver: Option<String>,
    /// The token that the station is told, with a driver.
    token: Option<String>,
    /// With a driver: how much is set aside, in whole units of the currency that holds there. Default: all there is.
    #[schema(value_type = Option<f64>)]
    amount: Option<Decimal>,
}

/// Starts a session that is paid before: by a guest, or from a driver's balance.
#[utoipa::path(post, path = "/api/v1/prepaid-sessions", tag = "payments", operation_id = "start_prepaid_session",
    request_body = NewPrepaid, security(("bearer" = ["account"])),
    responses((status = 202, description = "The provider or the station is asked", body = PrepaidView), (status = 400, body = Problem),
        (status = 404, body = Problem), (status = 409, description = "The station cannot, or the balance does not cover it", body = Problem)))]
pub(super) async fn start_prepaid(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Json(wanted): Json<NewPrepaid>,
) -> Result<(StatusCode, axum::Json<PrepaidView>), Problem> {
    let NewPrepaid { station, evse, payment, driver, token, amount } = wanted;
    let session = match (payment, driver, token) {
        (Some(payment), None, None) => csms.payments().pay_session(&station, evse, payment.wanted()?).await?.0,
        (None, Some(driver), Some(token)) => {
            let currency = csms.tariffs().at(&station, evse).tariff.currency();
            let amount = amount.map(|amount| units(amount, currency)).transpose()?;
            csms.payments().start_session(&driver, &token, &station, evse, amount).await?
        }
        _ => return Err(Problem::bad_request("give either a `payment`, or a `driver` and the `token` to start with")),
    };
    csms.audit(&actor, "prepaid_session.started", &session.id, format!("at {station}")).await;
    Ok((StatusCode::ACCEPTED, axum::Json(session.into())))
}

/// How a prepaid session stands.
#[utoipa::path(get, path = "/api/v1/prepaid-sessions/{id}", tag = "payments", operation_id = "get_prepaid_session",
    security(("bearer" = ["view"])), responses((status = 200, body = PrepaidView), (status = 404, body = Problem)))]
pub(super) async fn prepaid(
    State(csms): State<Csms>,
    Path(id): Path<String>,
) -> Result<axum::Json<PrepaidView>, Problem> {
    let session = csms.store().prepaid_session(&id).await?;
    let session = session.ok_or_else(|| Problem::not_found(format!("there is no prepaid session {id:?}")))?;
    Ok(axum::Json(session.into()))
}

/// Which payments.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PaymentPart {
    /// Of one payer: `driver:ID` or `guest:ID`.
    payer: Option<String>,
    /// Only those that were made before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    before: Option<Timestamp>,
    /// How many at most: 1 to 1000, by default 100.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Payments, the newest first.
#[utoipa::path(get, path = "/api/v1/payments", tag = "payments", operation_id = "list_payments", params(PaymentPart),
    security(("bearer" = ["account"])), responses((status = 200, body = Vec<PaymentView>), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(csms): State<Csms>,
    Query(part): Query<PaymentPart>,
) -> Result<axum::Json<Vec<PaymentView>>, Problem> {
    let of = part.payer.as_deref().map(payer).transpose()?;
    let payments = csms.store().payments(of.as_ref(), part.before, limit(part.limit)?).await?;
    Ok(axum::Json(payments.into_iter().map(PaymentView::from).collect()))
}

/// One payment.
#[utoipa::path(get, path = "/api/v1/payments/{id}", tag = "payments", operation_id = "get_payment",
    security(("bearer" = ["account"])), responses((status = 200, body = PaymentView), (status = 404, body = Problem)))]
pub(super) async fn get(State(csms): State<Csms>, Path(id): Path<String>) -> Result<axum::Json<PaymentView>, Problem> {
    Ok(axum::Json(known(&csms, &id).await?.into()))
}

/// What somebody can spend, by currency.
pub(super) async fn balances(csms: &Csms, driver: &str) -> Result<Vec<BalanceView>, Problem> {
    let view = |(currency, minor): (Currency, i64)| BalanceView {
        currency: currency.code(),
        balance: Number(amount(minor, currency)),
    };
    Ok(csms.payments().balances(driver).await?.into_iter().map(view).collect())
}

async fn known(csms: &Csms, id: &str) -> Result<Payment, Problem> {
    csms.store().payment(id).await?.ok_or_else(|| Problem::not_found(format!("there is no payment {id:?}")))
}

/// What is to go back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRefund {
    /// How much, in whole units of the currency. Default: all that is left.
    #[schema(value_type = Option<f64>)]
    amount: Option<Decimal>,
    /// Why.
    reason: String,
}

/// The refunds of a payment, the oldest first.
#[utoipa::path(get, path = "/api/v1/payments/{id}/refunds", tag = "payments", operation_id = "list_refunds",
    security(("bearer" = ["account"])), responses((status = 200, body = Vec<RefundView>), (status = 404, body = Problem)))]
pub(super) async fn refunds(
    State(csms): State<Csms>,
    Path(id): Path<String>,
) -> Result<axum::Json<Vec<RefundView>>, Problem> {
    let payment = known(&csms, &id).await?;
    let refunds = csms.store().refunds(&id).await?;
    Ok(axum::Json(refunds.into_iter().map(|refund| RefundView::new(refund, payment.currency)).collect()))
}

/// Gives back a payment, or part of it, through its provider.
#[utoipa::path(post, path = "/api/v1/payments/{id}/refunds", tag = "payments", operation_id = "refund_payment",
    request_body = NewRefund, security(("bearer" = ["account"])),
    responses((status = 202, description = "The provider is asked", body = RefundView), (status = 404, body = Problem),
        (status = 409, description = "It is more than is left", body = Problem)))]
pub(super) async fn refund(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
    Json(wanted): Json<NewRefund>,
) -> Result<(StatusCode, axum::Json<RefundView>), Problem> {
    let payment = known(&csms, &id).await?;
    let minor = wanted.amount.map(|amount| units(amount, payment.currency)).transpose()?;
    let refund = csms.payments().refund(&id, minor, &wanted.reason).await?;
    csms.audit(&actor, "payment.refunded", &id, &wanted.reason).await;
    Ok((StatusCode::ACCEPTED, axum::Json(RefundView::new(refund, payment.currency))))
}

/// The bill of a session.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionBillView {
    station: String,
    transaction: String,
    /// Who pays: `driver:ID`, `guest:ID`, `free`; null where it's on nobody's account.
    payer: Option<String>,
    tariff: String,
    tariff_version: i64,
    energy_wh: Number,
    /// False where the end of the session was lost.
    is_final: bool,
    #[schema(value_type = String, format = DateTime)]
    billed_at: Timestamp,
    /// The number of the invoice that it is on.
    invoice: Option<i64>,
    bill: BillView,
    /// What was found out later.
    adjusted: Number,
    /// What was given back.
    refunded: Number,
    /// What is to be paid after all.
    due: Number,
}

impl From<BillRecord> for SessionBillView {
    fn from(record: BillRecord) -> Self {
        let units = |minor| Number(amount(minor, record.currency));
        Self {
            adjusted: units(record.adjusted.0 + record.adjusted.1),
            refunded: units(record.refunded.0 + record.refunded.1),
            due: units(record.due()),
            bill: BillView::new(&record.bill, record.currency),
            energy_wh: Number(record.energy_wh),
            station: record.station,
            transaction: record.transaction,
            payer: record.payer,
            tariff: record.tariff.tariff,
            tariff_version: record.tariff.version,
            is_final: record.is_final,
            billed_at: record.billed_at,
            invoice: record.invoice,
        }
    }
}

/// Which bills.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct BillPart {
    /// Of one payer: `driver:ID` or `guest:ID`.
    payer: Option<String>,
    /// Of one station.
    station: Option<String>,
    /// Made at this moment or later.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Made before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    before: Option<Timestamp>,
    /// How many at most: 1 to 1000, by default 100.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Bills, the newest first.
#[utoipa::path(get, path = "/api/v1/bills", tag = "payments", operation_id = "list_bills", params(BillPart),
    security(("bearer" = ["account"])), responses((status = 200, body = Vec<SessionBillView>), (status = 400, body = Problem)))]
pub(super) async fn bills(
    State(csms): State<Csms>,
    Query(part): Query<BillPart>,
) -> Result<axum::Json<Vec<SessionBillView>>, Problem> {
    let filter = BillFilter { payer: part.payer, station: part.station, from: part.from, before: part.before };
    let bills = csms.store().bills(&filter, limit(part.limit)?).await?;
    Ok(axum::Json(bills.into_iter().map(SessionBillView::from).collect()))
}

/// The bill of a session.
#[utoipa::path(get, path = "/api/v1/stations/{id}/transactions/{transaction}/bill", tag = "payments", operation_id = "get_bill",
    security(("bearer" = ["view"])), responses((status = 200, body = SessionBillView), (status = 404, body = Problem)))]
pub(super) async fn bill(
    State(csms): State<Csms>,
    Path((id, transaction)): Path<(String, String)>,
) -> Result<axum::Json<SessionBillView>, Problem> {
    let bill = csms.store().bill(&id, &transaction).await?;
    let missing =
        || Problem::not_found(format!("session {transaction:?} of {id:?} has no bill; it is made when it ends"));
    Ok(axum::Json(bill.ok_or_else(missing)?.into()))
}

/// Gives back what a session cost, or part of it, to who paid.
#[utoipa::path(post, path = "/api/v1/stations/{id}/transactions/{transaction}/refunds", tag = "payments", operation_id = "refund_session",
    request_body = NewRefund, security(("bearer" = ["account"])),
    responses((status = 200, body = SessionBillView), (status = 404, body = Problem),
        (status = 409, description = "It is more than was paid, or nobody paid", body = Problem)))]
pub(super) async fn refund_bill(
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path((id, transaction)): Path<(String, String)>,
    Json(wanted): Json<NewRefund>,
) -> Result<axum::Json<SessionBillView>, Problem> {
    let missing = || Problem::not_found(format!("session {transaction:?} of {id:?} has no bill"));
    let known = csms.store().bill(&id, &transaction).await?.ok_or_else(missing)?;
    let minor = wanted.amount.map(|amount| units(amount, known.currency)).transpose()?;
    csms.payments().refund_bill(&id, &transaction, minor, &wanted.reason).await?;
    csms.audit(&actor, "session.refunded", format!("{id}/{transaction}"), &wanted.reason).await;
    Ok(axum::Json(csms.store().bill(&id, &transaction).await?.ok_or_else(missing)?.into()))
}

/// An account of the ledger.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountView {
    /// `provider:NAME`, `driver:ID`, `guest:ID`, `hold:SESSION`, `revenue`, `tax` or `refunds`.
    account: String,
    currency: &'static str,
    /// Positive where the operator has it, negative where the operator owes it.
    balance: Number,
}

/// Which accounts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AccountPart {
    /// Only those whose names begin so.
    #[serde(default)]
    prefix: String,
}

/// The accounts of the ledger and their balances, which add up to zero.
#[utoipa::path(get, path = "/api/v1/ledger/accounts", tag = "ledger", operation_id = "list_accounts", params(AccountPart),
    security(("bearer" = ["account"])), responses((status = 200, body = Vec<AccountView>)))]
pub(super) async fn accounts(
    State(csms): State<Csms>,
    Query(part): Query<AccountPart>,
) -> Result<axum::Json<Vec<AccountView>>, Problem> {
    let view = |(account, currency, minor): (Account, Currency, i64)| AccountView {
        account: account.to_string(),
        currency: currency.code(),
        balance: Number(amount(minor, currency)),
    };
    Ok(axum::Json(csms.store().balances(&part.prefix).await?.into_iter().map(view).collect()))
}

/// An entry as an account sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EntryView {
    /// What makes it happen once: its kind, and what it is about.
    reference: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    amount: Number,
    currency: &'static str,
}

/// The entries of an account, the newest first.
#[utoipa::path(get, path = "/api/v1/ledger/accounts/{account}/entries", tag = "ledger", operation_id = "list_entries", params(PaymentPart),
    security(("bearer" = ["account"])), responses((status = 200, body = Vec<EntryView>), (status = 404, body = Problem)))]
pub(super) async fn entries(
    State(csms): State<Csms>,
    Path(account): Path<String>,
    Query(part): Query<PaymentPart>,
) -> Result<axum::Json<Vec<EntryView>>, Problem> {
    let known: Account =
        account.parse().map_err(|()| Problem::not_found(format!("{account:?} is no account of the ledger")))?;
    let lines = csms.store().account_lines(&known, part.before, limit(part.limit)?).await?;
    let view = |line: crate::store::AccountLine| EntryView {
        amount: Number(amount(line.amount, line.currency)),
        currency: line.currency.code(),
        reference: line.reference,
        at: line.at,
    };
    Ok(axum::Json(lines.into_iter().map(view).collect()))
}

/// What is wrong with the ledger: nothing, ever.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LedgerView {
    /// Whether nothing is wrong.
    balanced: bool,
    /// Entries whose amounts don't add up to zero.
    unbalanced: Vec<String>,
    /// Accounts whose balance is not what their entries come to.
    wrong_balances: Vec<String>,
    /// Money that is still set aside for a session that is over, or not set aside for one that is not.
    forgotten_holds: Vec<String>,
    /// What was earned, taxed or given back, where it is not what the bills say.
    not_as_billed: Vec<String>,
    /// Bills and payments without their entry.
    unposted: Vec<String>,
    /// Payments whose money a provider keeps ready although the session is over.
    untaken: Vec<String>,
}

/// Counts the ledger anew.
#[utoipa::path(get, path = "/api/v1/ledger/check", tag = "ledger", operation_id = "check_ledger",
    security(("bearer" = ["account"])), responses((status = 200, body = LedgerView)))]
pub(super) async fn check(State(csms): State<Csms>) -> Result<axum::Json<LedgerView>, Problem> {
    let faults = csms.store().check_ledger().await?;
    Ok(axum::Json(LedgerView {
        balanced: faults.is_empty(),
        unbalanced: faults.unbalanced,
        wrong_balances: faults.wrong_balances,
        forgotten_holds: faults.forgotten_holds,
        not_as_billed: faults.not_as_billed,
        unposted: faults.unposted,
        untaken: faults.untaken,
    }))
}

/// What a payment provider tells by itself. It has to be signed as the provider does.
#[utoipa::path(post, path = "/api/v1/webhooks/{provider}", tag = "payments", operation_id = "provider_webhook",
    request_body(content = Vec<u8>, content_type = "application/json"), security(()),
    responses((status = 204, description = "Taken in; told again, it changes nothing"), (status = 400, body = Problem),
        (status = 404, description = "There is no such provider", body = Problem)))]
pub(super) async fn webhook(
    State(csms): State<Csms>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    match csms.payments().notified(&provider, &headers, &body).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(NotifyError::Store(error)) => Err(error.into()),
        Err(NotifyError::Notification(error)) => {
            let status = match error {
                NotificationError::Unknown => StatusCode::NOT_FOUND,
                _ => StatusCode::BAD_REQUEST,
            };
            tracing::warn!(provider, %error, "a notification of a payment provider does not count");
            Err(Problem::new(status, error.to_string()))
        }
    }
}
