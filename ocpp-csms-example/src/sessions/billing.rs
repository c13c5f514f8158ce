//! The money of a session, in the database transaction that keeps what its station reported: who pays, what is set aside, and the
//! bill, made once.

use iso_currency::Currency;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::course::usage;
use crate::ledger::{AmountError, Entry, Payer, Settlement};
use crate::payments::{Happened, Prepaid, Stage};
use crate::store::{
    BillRecord, Clock, PrepaidSession, SessionStage, StoreError, Transaction, Unit, bills, ledger, prepaid,
    subscriptions,
};
use crate::tariffs::{Bill, Item, Tariff};

/// What is set aside for a driver's session at first, in whole units of the currency: more is, as long as there is more.
const HOLD: i64 = 20;

/// How long before the money is used up a station is told to stop.
const LEAD: SignedDuration = SignedDuration::from_secs(1);
/// How many seconds it is looked ahead: no money lasts longer that is used up by time.
const FAR: i64 = 30 * 86_400;

/// Whoever charges for nothing.
const FREE: &str = "free";

impl Transaction {
    /// Whose account is charged, if anybody's is.
    #[must_use]
    pub fn payer(&self) -> Option<Payer> {
        self.payer.as_ref()?.parse().ok()
    }
}

/// A session became known: who pays for it, and something is set aside for it.
pub(crate) async fn begun(unit: &mut Unit, transaction: &mut Transaction, now: Timestamp) -> Result<(), StoreError> {
    let Some(token) = transaction.token.clone() else { return Ok(()) };
    if let Some(mut session) = prepaid::prepaid_of_token(unit, &transaction.station, &token).await? {
        transaction.payer = Some(session.payer.to_string());
        session.transaction = Some(transaction.id.clone());
        return tell(unit, &mut session, Happened::Started { transaction: transaction.id.clone() }, now).await;
    }
    transaction.payer = bills::payer_of_token(unit, &token).await?;
    if let Some(payer) = transaction.payer() {
        put_aside(unit, transaction, &token, payer, now).await?;
    }
    Ok(())
}

/// A driver charges on a balance: part of it is set aside.
async fn put_aside(
    unit: &mut Unit,
    transaction: &Transaction,
    token: &str,
    payer: Payer,
    now: Timestamp,
) -> Result<(), StoreError> {
    let currency = transaction.currency;
    let id = format!("{}/{}", transaction.station, transaction.id);
    if prepaid::prepaid(unit, &id).await?.is_some() {
        return Ok(());
    }
    let covered = -ledger::balance(unit, &payer.account(), currency).await?;
    let amount = covered.min(first_hold(currency));
    let (state, due_at) = if amount > 0 {
        let (mut state, entry) = Prepaid::hold(&id, &payer, amount, currency).map_err(unpostable)?;
        ledger::post(unit, &entry, now).await?;
        state.take(Happened::Started { transaction: transaction.id.clone() }).map_err(unpostable)?;
        (state, None)
    } else {
        let (state, _) = Prepaid::uncovered(&id, &payer, currency, &transaction.id);
        (state, Some(now))
    };
    let session = PrepaidSession {
        id,
        payer,
        station: transaction.station.clone(),
        evse: transaction.evse,
        token: token.to_owned(),
        remote_start_id: 0,
        currency,
        amount: amount.max(0),
        stage: SessionStage::Running,
        state: Some(state),
        revision: 0,
        transaction: Some(transaction.id.clone()),
        failure: None,
        attempts: 0,
        due_at,
        give_up_at: None,
        clock: None,
        created_at: now,
        updated_at: now,
    };
    prepaid::put_prepaid(unit, &session).await
}

fn first_hold(currency: Currency) -> i64 {
    10_i64.checked_pow(crate::tariffs::digits(currency)).and_then(|units| units.checked_mul(HOLD)).unwrap_or(HOLD)
}

/// A session goes on, as its station reports: more is set aside while there is more, and else the station is to stop before all is used
/// up. `before` is what it cost when it was looked at last.
pub(crate) async fn went_on(
    unit: &mut Unit,
    transaction: &Transaction,
    tariff: &Tariff,
    before: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    if transaction.payer().is_none() {
        return Ok(());
    }
    let Some(mut session) = prepaid::prepaid_of_transaction(unit, &transaction.station, &transaction.id).await? else {
        return Ok(());
    };
    if tariff.depends_on_time() {
        let told_at = transaction.course.until().unwrap_or(transaction.started_at);
        session.clock = Some(Clock { told_at, heard_at: now });
    }
    // The next report comes after about as much again: whoever waits for it would be too late.
    let soon = transaction.cost.saturating_add((transaction.cost - before).max(0));
    cover(unit, session, transaction, tariff, soon, now).await
}

/// Time went on, and costs money: nothing need be reported for that.
pub(crate) async fn time_went_on(
    unit: &mut Unit,
    id: &str,
    transaction: &Transaction,
    tariff: &Tariff,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(mut session) = prepaid::prepaid(unit, id).await? else { return Ok(()) };
    let Some(clock) = session.clock.filter(|_| session.stage == SessionStage::Running) else {
        session.due_at = None;
        return prepaid::change_prepaid(unit, &session).await;
    };
    let bill = tariff.bill(&usage(transaction, later(clock.at_station(now), LEAD)));
    let soon = bill.map_or(transaction.cost, |bill| bill.total.max(transaction.cost));
    cover(unit, session, transaction, tariff, soon, now).await
}

fn later(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// When what is set aside is used up by time alone, less what a station needs to stop; by this server's clock.
fn used_up_at(
    transaction: &Transaction,
    tariff: &Tariff,
    clock: Option<Clock>,
    limit: i64,
    now: Timestamp,
) -> Option<Timestamp> {
    let clock = clock.filter(|_| tariff.depends_on_time())?;
    let is_used_up = |seconds| {
        let until = later(clock.told_at, SignedDuration::from_secs(seconds));
        tariff.bill(&usage(transaction, until)).is_ok_and(|bill| bill.total >= limit)
    };
    if !is_used_up(FAR) {
        // It is looked at again by then, or when something is reported.
        return None;
    }
    // What a session costs only grows.
    let (mut before, mut after) = (0, FAR);
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if is_used_up(middle) { after = middle } else { before = middle }
    }
    let due = clock.here(later(clock.told_at, SignedDuration::from_secs(after) - LEAD));
    Some(due.max(now))
}

/// Sets more aside for what a session costs now or soon, while there is more, and else has the station stop.
async fn cover(
    unit: &mut Unit,
    mut session: PrepaidSession,
    transaction: &Transaction,
    tariff: &Tariff,
    soon: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    let clock = session.clock;
    let Some(state) = &mut session.state else { return Ok(()) };
    if state.is_stopping() || state.stage() != Stage::Running {
        return Ok(());
    }
    if soon < state.limit() {
        if clock.is_some() {
            session.due_at = used_up_at(transaction, tariff, clock, state.limit(), now);
            session.updated_at = now;
            prepaid::change_prepaid(unit, &session).await?;
        }
        return Ok(());
    }
    let covered = -ledger::balance(unit, &session.payer.account(), session.currency).await?;
    let more = covered.min(first_hold(session.currency).max(soon.saturating_sub(state.limit()).saturating_add(1)));
    if more > 0 {
        let name = session.revision.to_string();
        if let Some(entry) = state.more(&name, more).map_err(unpostable)? {
            ledger::post(unit, &entry, now).await?;
        }
    }
    let limit = state.limit();
    if soon >= limit {
        return tell(unit, &mut session, Happened::Costs { total: soon }, now).await;
    }
    session.due_at = used_up_at(transaction, tariff, clock, limit, now);
    session.updated_at = now;
    prepaid::change_prepaid(unit, &session).await
}

/// Tells a prepaid session what happened, and keeps what comes of it.
pub(crate) async fn tell(
    unit: &mut Unit,
    session: &mut PrepaidSession,
    happened: Happened,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(state) = &mut session.state else { return Ok(()) };
    let effects = state.take(happened).map_err(unpostable)?;
    if let Some(entry) = &effects.entry {
        ledger::post(unit, entry, now).await?;
    }
    let stage = SessionStage::from(state.stage());
    if effects.stop.is_some() {
        (session.due_at, session.attempts) = (Some(now), 0);
    } else if stage != session.stage {
        (session.due_at, session.attempts) = (None, 0);
    }
    session.stage = stage;
    session.updated_at = now;
    prepaid::change_prepaid(unit, session).await?;
    if matches!(stage, SessionStage::Released | SessionStage::Settled) {
        crate::payments::return_rest(unit, &session.payer, session.currency, now).await?;
    }
    Ok(())
}

/// A session is over: it is billed, once; what is found out after that is an adjustment of the bill. `is_final` is false where
/// the end of the session is lost, and what is known has to do.
pub(crate) async fn ended(
    unit: &mut Unit,
    transaction: &mut Transaction,
    tariff: &Tariff,
    is_final: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let known = bills::bill(unit, &transaction.station, &transaction.id).await?;
    let bill = make_bill(unit, transaction, tariff, known.as_ref(), now).await?;
    transaction.cost = bill.total;
    let Some(known) = known else {
        let record = BillRecord {
            station: transaction.station.clone(),
            transaction: transaction.id.clone(),
            payer: transaction.payer.clone(),
            tariff: transaction.tariff.clone(),
            currency: transaction.currency,
            energy_wh: transaction.energy_wh(),
            is_final,
            billed_at: now,
            invoice: None,
            adjusted: (0, 0),
            refunded: (0, 0),
            bill,
        };
        if bills::put_bill(unit, &record).await? {
            charge(unit, &record, now).await?;
        }
        return Ok(());
    };
    let change = (bill.net - known.bill.net - known.adjusted.0, bill.tax - known.bill.tax - known.adjusted.1);
    if change == (0, 0) {
        return Ok(());
    }
    let reason = if known.is_final { "late readings" } else { "the end became known" };
    let number = bills::put_adjustment(unit, &known, change, reason, now).await?;
    if let Some(payer) = transaction.payer() {
        let what = format!("{}/{}/{number}", known.station, known.transaction);
        let change = Settlement { net: change.0, tax: change.1 };
        let entry = Entry::adjust(&what, &payer, change, known.currency).map_err(unpostable)?;
        ledger::post(unit, &entry, now).await?;
        crate::payments::return_rest(unit, &payer, known.currency, now).await?;
    }
    Ok(())
}

async fn make_bill(
    unit: &mut Unit,
    transaction: &Transaction,
    tariff: &Tariff,
    known: Option<&BillRecord>,
    now: Timestamp,
) -> Result<Bill, StoreError> {
    if transaction.payer.as_deref() == Some(FREE) {
        return Ok(Bill::default());
    }
    let Ok(bill) = tariff.bill(&usage(transaction, now)) else {
        // What was believable last; the record that its meter is wrong is in the log already.
        return Ok(Bill { net: transaction.cost, tax: 0, total: transaction.cost, lines: Vec::new() });
    };
    let (included, percent) = match known {
        Some(known) => terms_of(&known.bill),
        None => match transaction.payer() {
            Some(Payer::Driver(driver)) => {
                let energy = bill.lines.iter().filter(|line| line.item == Item::Energy).map(|line| line.quantity).sum();
                subscriptions::use_up(unit, &driver, transaction.currency, energy, now).await?
            }
            _ => (Decimal::ZERO, Decimal::ZERO),
        },
    };
    if included.is_zero() && percent.is_zero() {
        return Ok(bill);
    }
    tariff
        .reduced(bill, included, percent)
        .map_err(|error| StoreError::Content { what: "the bill of a session", value: error.to_string() })
}

/// What a subscription took off a bill: kWh, and percent.
fn terms_of(bill: &Bill) -> (Decimal, Decimal) {
    let of = |item| bill.lines.iter().find(|line| line.item == item).map(|line| line.quantity).unwrap_or_default();
    (of(Item::Included), of(Item::Discount) * Decimal::ONE_HUNDRED)
}

async fn charge(unit: &mut Unit, record: &BillRecord, now: Timestamp) -> Result<(), StoreError> {
    let settlement = Settlement { net: record.bill.net, tax: record.bill.tax };
    if let Some(mut session) = prepaid::prepaid_of_transaction(unit, &record.station, &record.transaction).await? {
        return tell(unit, &mut session, Happened::Ended(settlement), now).await;
    }
    let payer: Option<Payer> = record.payer.as_ref().and_then(|payer| payer.parse().ok());
    let Some(payer) = payer.filter(|_| record.bill.total > 0) else { return Ok(()) };
    let what = format!("{}/{}", record.station, record.transaction);
    let entry = Entry::charge(&what, &payer, settlement, record.currency).map_err(unpostable)?;
    ledger::post(unit, &entry, now).await?;
    Ok(())
}

pub(crate) fn unpostable(error: AmountError) -> StoreError {
    StoreError::Content { what: "an amount of money", value: error.to_string() }
}
