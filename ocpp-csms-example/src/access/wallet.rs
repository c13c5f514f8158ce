//! How drivers pay and start at the portal: the balance, what fills it up, and the start at a station.

use askama::Template;
use axum::Form;
use axum::extract::{Extension, State};
use axum::http::Method;
use axum::response::Response;
use jiff::Timestamp;
use ocpp_core::csms::AuthorizationStatus;

use super::onboarding::outlets;
use super::{AccessError, Actor, Needs, Pages, Payer, Scope, judge, portal};
use crate::payments::{Action, Methods, PaymentError};
use crate::server::Csms;
use crate::stations::operations::{Operate, OperationRefused};
use crate::store::{Payment, PaymentState, PrepaidSession, StoreError};
use crate::web::format::money;
use crate::web::told::Told as _;
use crate::web::{Fields, Flash, Page};

/// Payments on the page.
const PAYMENTS: u32 = 10;

/// The pages.
pub(crate) fn pages(csms: &Csms) -> Pages {
    let drive = Needs::Scope(Scope::Drive);
    Pages::new(csms)
        .page(Method::GET, "/driver/balance", drive, form)
        .page(Method::POST, "/driver/balance", drive, top_up)
        .page(Method::POST, "/driver/start", drive, start_here)
}

/// Why a driver's session is not started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Access(#[from] AccessError),
    /// There is no such outlet.
    #[error("there is no such outlet: take the station and the outlet as they stand below the code")]
    Place,
    /// None of the driver's tokens may charge there.
    #[error("none of your cards and codes may charge there: ask the operator")]
    NotAllowed,
    /// The driver has no such session that goes on.
    #[error("you have no such session that goes on")]
    NoSession,
    #[error(transparent)]
    Payment(#[from] PaymentError),
    #[error(transparent)]
    Station(#[from] OperationRefused),
    #[error("the database failed; the log of the server says how")]
    Store(#[from] StoreError),
}

/// Starts charging at an outlet with the first of the driver's tokens that may: from the balance, or free. What was set aside for it, if
/// anything was.
///
/// # Errors
/// When none may, the balance is empty, or the station cannot start.
pub(crate) async fn start(
    csms: &Csms,
    actor: &Actor,
    station: &str,
    evse: i64,
) -> Result<Option<PrepaidSession>, StartError> {
    let driver = portal::account(csms, actor).await?;
    if !outlets(csms, station).contains(&evse) {
        return Err(StartError::Place);
    }
    for own in portal::tokens(csms, &driver.id).await? {
        let token = own.token.token;
        // Whether the balance covers it is decided where the money is set aside.
        let judgement = judge(csms.store(), station, &token, Timestamp::now(), async |_| Ok(true)).await?;
        if judgement.authorization.status != AuthorizationStatus::Accepted {
            continue;
        }
        return match judgement.payer {
            Payer::Driver(driver) => {
                Ok(Some(csms.payments().start_session(&driver, &token, station, Some(evse), None).await?))
            }
            Payer::Nobody => {
                let request = Operate::RemoteStart {
                    evse: Some(evse),
                    token,
                    token_type: None,
                    remote_start_id: None,
                    charging_profile: None,
                };
                csms.stations().operate(station, request, actor.name()).await?;
                Ok(None)
            }
        };
    }
    Err(StartError::NotAllowed)
}

/// Has a station stop a session of the driver who asks.
///
/// # Errors
/// When it is not the driver's or is over, or the station cannot be told.
pub(crate) async fn stop(csms: &Csms, actor: &Actor, station: &str, session: &str) -> Result<(), StartError> {
    let driver = portal::account(csms, actor).await?;
    let known = csms.store().transaction(station, session).await?;
    let known = known.ok_or(StartError::NoSession)?;
    let payer = crate::ledger::Payer::Driver(driver.id.clone()).to_string();
    let is_own = known.payer.as_deref() == Some(&payer)
        || match &known.token {
            Some(token) => csms.store().token_terms(token).await?.driver.as_deref() == Some(&driver.id),
            None => false,
        };
    // Whether somebody else's session exists is nobody's business.
    if !is_own || known.stopped_at.is_some() {
        return Err(StartError::NoSession);
    }
    let request = Operate::RemoteStop { transaction: session.to_owned() };
    csms.stations().operate(station, request, actor.name()).await?;
    csms.audit(actor, "session.stopped", format!("{station}/{session}"), "by its driver").await;
    Ok(())
}

/// What a driver can spend, as it is shown.
///
/// # Errors
/// When the database fails.
pub(crate) async fn balances(csms: &Csms, driver: &str) -> Result<Vec<String>, StoreError> {
    let balances = csms.payments().balances(driver).await?;
    let standard = csms.tariffs().standard().tariff.currency();
    if balances.is_empty() {
        return Ok(vec![money(0, standard)]);
    }
    Ok(balances.into_iter().map(|(currency, amount)| money(amount, currency)).collect())
}

#[derive(Template)]
#[template(path = "access/balance.html")]
struct Balance<'a> {
    page: &'a Page,
    balances: Vec<String>,
    currency: &'static str,
    providers: Vec<(String, String)>,
    methods: Vec<(String, String)>,
    phone: bool,
    payments: Vec<PaymentRow>,
    fields: Fields,
    problem: Option<String>,
}

struct PaymentRow {
    at: Timestamp,
    amount: String,
    state: String,
    redirect: Option<String>,
}

impl<'a> Balance<'a> {
    async fn new(csms: &Csms, page: &'a Page, driver: &str, fields: Fields) -> Result<Self, StoreError> {
        let offered = csms.payments().providers();
        let words = offered.iter().find_map(|(_, methods)| match methods {
            Methods::Choice(words) => Some(*words),
            _ => None,
        });
        let payer = crate::ledger::Payer::Driver(driver.to_owned());
        let payments = csms.store().payments(Some(&payer), None, PAYMENTS).await?;
        Ok(Self {
            balances: balances(csms, driver).await?,
            currency: csms.tariffs().standard().tariff.currency().code(),
            providers: offered
                .iter()
                .map(|(name, _)| ((*name).to_owned(), page.word("pay.provider_", name).into_owned()))
                .collect(),
            methods: words
                .unwrap_or_default()
                .iter()
                .map(|word| ((*word).to_owned(), page.word("pay.method_", word).into_owned()))
                .collect(),
            phone: offered.iter().any(|(_, methods)| *methods == Methods::Phone),
            payments: payments.into_iter().map(|payment| PaymentRow::new(page, payment)).collect(),
            fields,
            problem: None,
            page,
        })
    }
}

impl PaymentRow {
    fn new(page: &Page, payment: Payment) -> Self {
        let action = payment.action.as_deref().and_then(|action| serde_json::from_str(action).ok());
        let waits = payment.state == PaymentState::Requested;
        Self {
            at: payment.progress.created_at,
            amount: money(payment.amount, payment.currency),
            state: page.word("access.payment_", payment.state.as_str()).into_owned(),
            redirect: match action {
                Some(Action::Redirect(place)) if waits => Some(place),
                _ => None,
            },
        }
    }
}

async fn form(page: Page, State(csms): State<Csms>, Extension(actor): Extension<Actor>) -> Response {
    let driver = match portal::account(&csms, &actor).await {
        Ok(driver) => driver,
        Err(error) => return super::entrance::refuse(&page, &error),
    };
    match Balance::new(&csms, &page, &driver.id, Fields::default().with("amount", "20")).await {
        Ok(balance) => page.show(&balance),
        Err(error) => page.broken(&error),
    }
}

async fn top_up(
    page: Page,
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Form(mut fields): Form<Fields>,
) -> Response {
    let driver = match portal::account(&csms, &actor).await {
        Ok(driver) => driver,
        Err(error) => return super::entrance::refuse(&page, &error),
    };
    let currency = csms.tariffs().standard().tariff.currency();
    let mut problem = None;
    if let Some(amount) = crate::payments::typed_amount(&page, &mut fields, currency) {
        let wanted = crate::payments::wanted(csms.payments(), &fields, amount, currency);
        match csms.payments().top_up(&driver.id, wanted).await {
            Ok(payment) => {
                csms.audit(&actor, "payment.requested", &payment.id, "top-up by the driver").await;
                return Flash::good(page.t("access.payment_begun")).at("/driver/balance");
            }
            Err(PaymentError::Store(error)) => return page.broken(&error),
            Err(error) => problem = Some(error.told(&page)),
        }
    }
    match Balance::new(&csms, &page, &driver.id, fields).await {
        Ok(balance) => page.refuse(&Balance { problem, ..balance }),
        Err(error) => page.broken(&error),
    }
}

async fn start_here(
    page: Page,
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Form(fields): Form<Fields>,
) -> Response {
    let Ok(evse) = fields.get("outlet").parse::<i64>() else {
        return Flash::bad(page.t("access.unknown_place")).at("/driver");
    };
    match start(&csms, &actor, fields.get("station"), evse).await {
        Ok(_) => Flash::good(page.t("access.starting")).at("/driver"),
        Err(StartError::Place) => Flash::bad(page.t("access.unknown_place")).at("/driver"),
        Err(StartError::NotAllowed) => Flash::bad(page.t("access.not_there")).at("/driver"),
        Err(StartError::Payment(PaymentError::NotCovered(balance))) => {
            Flash::bad(page.with("access.balance_too_small", "balance", balance)).at("/driver/balance")
        }
        Err(StartError::Store(error)) => page.broken(&error),
        Err(StartError::Payment(error)) => Flash::bad(error.told(&page)).at("/driver"),
        Err(error) => Flash::bad(page.with("errors.because", "detail", error)).at("/driver"),
    }
}
