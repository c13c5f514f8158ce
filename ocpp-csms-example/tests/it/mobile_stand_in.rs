//! An operator of mobile money, in the shape of MTN's interface: tokens, requests to pay, their state, refunds, callbacks without a
//! signature.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use ocpp_csms::payments::{MobileMoneySettings, Secret};
use serde_json::{Value, json};

#[derive(Debug, Clone)]
pub struct Transfer {
    pub body: Value,
    pub callback: Option<String>,
    pub status: &'static str,
    pub reason: Option<&'static str>,
}

#[derive(Debug, Default)]
struct Books {
    payments: BTreeMap<String, Transfer>,
    refunds: BTreeMap<String, Transfer>,
    /// The next requests are answered so.
    trouble: Vec<u16>,
    asked: u32,
}

/// The operator, on a port of its own.
#[derive(Clone)]
pub struct Operator {
    address: SocketAddr,
    books: Arc<Mutex<Books>>,
}

impl Operator {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let operator = Self { address: listener.local_addr().unwrap(), books: Arc::default() };
        let routes = Router::new()
            .route("/{product}/token/", post(token))
            .route("/collection/v1_0/requesttopay", post(request_to_pay))
            .route("/collection/v1_0/requesttopay/{id}", get(payment))
            .route("/disbursement/v1_0/refund", post(refund))
            .route("/disbursement/v1_0/refund/{id}", get(refunded))
            .with_state(operator.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        operator
    }

    pub fn settings(&self) -> MobileMoneySettings {
        MobileMoneySettings {
            url: format!("http://{}", self.address),
            environment: "sandbox".to_owned(),
            user: "user".to_owned(),
            key: Secret::new("momo-key"),
            collection_key: Secret::new("momo-collection"),
            disbursement_key: Secret::new("momo-disbursement"),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    /// How the next requests are answered, the last of these first.
    pub fn trouble(&self, statuses: &[u16]) {
        self.lock().trouble.extend(statuses);
    }

    pub fn payments(&self) -> BTreeMap<String, Transfer> {
        self.lock().payments.clone()
    }

    pub fn refunds(&self) -> BTreeMap<String, Transfer> {
        self.lock().refunds.clone()
    }

    pub fn asked(&self) -> u32 {
        self.lock().asked
    }

    /// The payer answers on the telephone.
    pub fn decide(&self, id: &str, status: &'static str, reason: Option<&'static str>) {
        let mut books = self.lock();
        let payment = books.payments.get_mut(id).unwrap();
        (payment.status, payment.reason) = (status, reason);
    }

    pub fn decide_refunds(&self, status: &'static str) {
        self.lock().refunds.values_mut().for_each(|refund| refund.status = status);
    }
}

fn has(headers: &HeaderMap, name: &str, value: &str) -> bool {
    headers.get(name).is_some_and(|sent| sent == value)
}

async fn token(Path(product): Path<String>, headers: HeaderMap) -> Response {
    // user:momo-key
    let is_known = has(&headers, "authorization", "Basic dXNlcjptb21vLWtleQ==")
        && has(&headers, "ocp-apim-subscription-key", &format!("momo-{product}"));
    if !is_known {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    axum::Json(json!({"access_token": format!("token-{product}"), "token_type": "access_token", "expires_in": 3600}))
        .into_response()
}

/// Who asks has a token of this product, and names the environment.
fn is_let_in(product: &str, headers: &HeaderMap) -> bool {
    has(headers, "authorization", &format!("Bearer token-{product}"))
        && has(headers, "ocp-apim-subscription-key", &format!("momo-{product}"))
        && has(headers, "x-target-environment", "sandbox")
}

fn take_in(
    operator: &Operator,
    product: &str,
    headers: &HeaderMap,
    body: Value,
    books: impl FnOnce(&mut Books) -> &mut BTreeMap<String, Transfer>,
) -> StatusCode {
    if !is_let_in(product, headers) {
        return StatusCode::UNAUTHORIZED;
    }
    let id = headers["x-reference-id"].to_str().unwrap().to_owned();
    let callback = headers.get("x-callback-url").map(|url| url.to_str().unwrap().to_owned());
    let mut kept = operator.lock();
    kept.asked += 1;
    if let Some(status) = kept.trouble.pop() {
        return StatusCode::from_u16(status).unwrap();
    }
    let transfers = books(&mut kept);
    if transfers.contains_key(&id) {
        return StatusCode::CONFLICT;
    }
    transfers.insert(id, Transfer { body, callback, status: "PENDING", reason: None });
    StatusCode::ACCEPTED
}

fn shown(product: &str, headers: &HeaderMap, transfer: Option<Transfer>) -> Response {
    match transfer {
        _ if !is_let_in(product, headers) => StatusCode::UNAUTHORIZED.into_response(),
        Some(Transfer { body, status, reason, .. }) => {
            axum::Json(json!({"amount": body["amount"], "currency": body["currency"], "externalId": body["externalId"],
                "status": status, "reason": reason}))
            .into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn request_to_pay(
    State(operator): State<Operator>,
    headers: HeaderMap,
    axum::Json(body): axum::Json<Value>,
) -> StatusCode {
    take_in(&operator, "collection", &headers, body, |books| &mut books.payments)
}

async fn payment(State(operator): State<Operator>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let found = operator.lock().payments.get(&id).cloned();
    shown("collection", &headers, found)
}

async fn refund(
    State(operator): State<Operator>,
    headers: HeaderMap,
    axum::Json(body): axum::Json<Value>,
) -> StatusCode {
    take_in(&operator, "disbursement", &headers, body, |books| &mut books.refunds)
}

async fn refunded(State(operator): State<Operator>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let found = operator.lock().refunds.get(&id).cloned();
    shown("disbursement", &headers, found)
}
