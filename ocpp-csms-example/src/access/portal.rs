//! The portal of drivers: what they charged, what it cost, what they charge with.

use askama::Template;
use axum::extract::{Extension, Path, Query, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;

use super::{AccessError, Actor, Needs, Pages, Payment, Scope, mask, wallet};
use crate::server::Csms;
use crate::store::{Driver, StoreError, Token, TokenStatus, Transaction};
use crate::web::format::{kilo, money};
use crate::web::{Flash, Page};

/// Sessions on the page.
const SESSIONS: u32 = 50;

/// The pages.
pub(crate) fn pages(csms: &Csms) -> Pages {
    let drive = Needs::Scope(Scope::Drive);
    Pages::new(csms).page(Method::GET, "/driver", drive, home).page(
        Method::POST,
        "/driver/tokens/{token}/block",
        drive,
        block,
    )
}

/// What a driver charges with, and whether it is usable now.
#[derive(Debug)]
pub(crate) struct OwnToken {
    pub(crate) token: Token,
    pub(crate) usable: bool,
}

/// The account behind a request of a driver.
///
/// # Errors
/// When it is not a driver who asks.
pub(crate) async fn account(csms: &Csms, actor: &Actor) -> Result<Driver, AccessError> {
    let id = actor.driver().ok_or(AccessError::NotSignedIn)?;
    csms.store().driver(id).await?.ok_or(AccessError::NotSignedIn)
}

/// The tokens of a driver.
///
/// # Errors
/// When the database fails.
pub(crate) async fn tokens(csms: &Csms, driver: &str) -> Result<Vec<OwnToken>, StoreError> {
    let now = Timestamp::now();
    let mut tokens = Vec::new();
    for name in csms.store().tokens_of_driver(driver).await? {
        if let Some(token) = csms.store().token(&name).await? {
            let usable = token.status == TokenStatus::Accepted && token.expires_at.is_none_or(|expiry| expiry > now);
            tokens.push(OwnToken { token, usable });
        }
    }
    Ok(tokens)
}

/// What a driver charged, the latest first.
///
/// # Errors
/// When the database fails.
pub(crate) async fn sessions(csms: &Csms, driver: &str, limit: u32) -> Result<Vec<Transaction>, StoreError> {
    csms.store().transactions_of_driver(driver, limit).await
}

/// A driver has lost a card: nobody charges with it any more. Only an operator allows it again.
///
/// # Errors
/// When it is not the driver's.
pub(crate) async fn block_token(csms: &Csms, actor: &Actor, name: &str) -> Result<Token, AccessError> {
    let unknown = || AccessError::Unknown("token of yours", mask(name));
    let driver = actor.driver().ok_or(AccessError::NotSignedIn)?;
    if csms.store().token_terms(name).await?.driver.as_deref() != Some(driver) {
        return Err(unknown());
    }
    let mut token = csms.store().token(name).await?.ok_or_else(unknown)?;
    (token.status, token.updated_at) = (TokenStatus::Blocked, Timestamp::now());
    csms.store().put_token(&token).await?;
    csms.audit(actor, "token.changed", mask(name), "blocked by its driver").await;
    Ok(token)
}

#[derive(Template)]
#[template(path = "access/driver.html")]
struct Home<'a> {
    page: &'a Page,
    name: String,
    free: bool,
    balances: Vec<String>,
    tokens: Vec<TokenRow>,
    sessions: Vec<SessionRow>,
    /// Where the driver stands, as the code there says.
    here: Here,
}

/// Where a driver stands.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Here {
    station: String,
    outlet: Option<i64>,
}

impl Here {
    /// The outlet, the first one unless it is said.
    fn number(&self) -> i64 {
        self.outlet.unwrap_or(1)
    }

    /// The page on which the same is paid for without the account.
    fn guest(&self) -> Option<String> {
        let encoded = percent_encoding::utf8_percent_encode(&self.station, percent_encoding::NON_ALPHANUMERIC);
        (!self.station.is_empty()).then(|| format!("/pay/{encoded}/{}?as_guest=true", self.number()))
    }
}

struct TokenRow {
    /// As it is shown: the whole app code, the end of a card.
    shown: String,
    path: String,
    is_app: bool,
    usable: bool,
    expires: Option<String>,
}

struct SessionRow {
    started_at: Timestamp,
    station: String,
    energy: String,
    cost: String,
    running: bool,
}

async fn home(
    page: Page,
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Query(here): Query<Here>,
) -> Response {
    let driver = match account(&csms, &actor).await {
        Ok(driver) => driver,
        Err(error) => return super::entrance::refuse(&page, &error),
    };
    let (tokens, sessions) = (tokens(&csms, &driver.id).await, sessions(&csms, &driver.id, SESSIONS).await);
    match (tokens, sessions, wallet::balances(&csms, &driver.id).await) {
        (Ok(tokens), Ok(sessions), Ok(balances)) => page.show(&Home {
            page: &page,
            name: driver.name,
            free: driver.payment == Payment::Free,
            balances,
            tokens: tokens.into_iter().map(TokenRow::from).collect(),
            sessions: sessions.into_iter().map(SessionRow::from).collect(),
            here,
        }),
        (Err(error), ..) | (_, Err(error), _) | (.., Err(error)) => page.broken(&error),
    }
}

impl From<OwnToken> for TokenRow {
    fn from(OwnToken { token, usable }: OwnToken) -> Self {
        let is_app = token.kind == "Central";
        let encoded = percent_encoding::utf8_percent_encode(&token.token, percent_encoding::NON_ALPHANUMERIC);
        Self {
            path: format!("/driver/tokens/{encoded}/block"),
            shown: if is_app { token.token.clone() } else { mask(&token.token) },
            is_app,
            usable,
            expires: token.expires_at.map(|expiry| expiry.strftime("%Y-%m-%d").to_string()),
        }
    }
}

impl From<Transaction> for SessionRow {
    fn from(session: Transaction) -> Self {
        Self {
            started_at: session.started_at,
            energy: kilo(session.energy_wh(), 3),
            cost: money(session.cost, session.currency),
            running: session.stopped_at.is_none(),
            station: session.station,
        }
    }
}

async fn block(
    page: Page,
    State(csms): State<Csms>,
    Extension(actor): Extension<Actor>,
    Path(token): Path<String>,
) -> Response {
    match block_token(&csms, &actor, &token).await {
        Ok(token) => Flash::good(page.with("access.blocked", "token", mask(&token.token))).at("/driver"),
        Err(AccessError::Unknown(..)) => page.notice(
            StatusCode::NOT_FOUND,
            page.t("access.not_possible"),
            AccessError::Unknown("token of yours", mask(&token)).to_string(),
        ),
        Err(error) => super::entrance::refuse(&page, &error),
    }
}
