//! A card processor that speaks the part of Stripe's interface that is used: pages of Checkout, PaymentIntents with manual capture,
//! refunds, idempotency keys, error bodies, signed webhooks. It keeps books of its own, to be compared with those of the program.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, RawForm, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};
use sha2::Sha256;

/// What the program has to know.
pub const KEY: &str = "sk_test_of_the_stand_in";
pub const WEBHOOK_SECRET: &str = "whsec_of_the_stand_in";

/// What goes wrong with a request, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing is done, and this is answered.
    Answer(u16),
    /// It is done, and the answer is lost.
    LostAnswer,
    /// It takes a while.
    Slow(Duration),
}

#[derive(Debug, Clone)]
pub struct Intent {
    pub id: String,
    pub status: &'static str,
    pub amount: i64,
    pub currency: String,
    pub capturable: i64,
    pub received: i64,
    pub refunded: i64,
    pub payment: String,
    error: Option<&'static str>,
    page: bool,
    manual: bool,
}

#[derive(Debug)]
struct Page {
    status: &'static str,
    payment: String,
    form: BTreeMap<String, String>,
    intent: Option<String>,
}

#[derive(Debug, Default)]
struct Books {
    intents: BTreeMap<String, Intent>,
    pages: BTreeMap<String, Page>,
    refunds: BTreeMap<String, (String, i64, &'static str)>,
    /// By idempotency key: what was asked, and what was answered.
    answers: BTreeMap<String, (String, u16, Value)>,
    trouble: VecDeque<Trouble>,
    /// Requests that changed something, by path.
    asked: Vec<String>,
    events: Vec<(String, Value)>,
    next: u32,
    refunds_pend: bool,
}

impl Books {
    fn name(&mut self, prefix: &str) -> String {
        self.next += 1;
        format!("{prefix}_{}", self.next)
    }

    fn tell(&mut self, kind: &str, object: Value) {
        let id = self.name("evt");
        self.events.push((id.clone(), json!({"id": id, "type": kind, "data": {"object": object}})));
    }
}

impl Intent {
    fn view(&self) -> Value {
        let mut metadata = json!({"payment": self.payment});
        if self.page {
            metadata["page"] = json!("checkout");
        }
        json!({"id": self.id, "object": "payment_intent", "status": self.status, "amount": self.amount, "currency": self.currency,
            "amount_capturable": self.capturable, "amount_received": self.received, "metadata": metadata,
            "last_payment_error": self.error.map(|message| json!({"message": message, "code": "card_declined"})),
            "next_action": (self.status == "requires_action")
                .then(|| json!({"type": "redirect_to_url", "redirect_to_url": {"url": "https://bank.example/3ds"}}))})
    }

    /// The card is good for it.
    fn pay(&mut self) {
        if self.manual {
            (self.status, self.capturable) = ("requires_capture", self.amount);
        } else {
            (self.status, self.received) = ("succeeded", self.amount);
        }
    }

    fn kind(&self) -> &'static str {
        match self.status {
            "requires_capture" => "payment_intent.amount_capturable_updated",
            "succeeded" => "payment_intent.succeeded",
            "canceled" => "payment_intent.canceled",
            "requires_payment_method" => "payment_intent.payment_failed",
            _ => "payment_intent.created",
        }
    }
}

type Hook = Arc<dyn Fn() + Send + Sync>;

/// The processor, on a port of its own.
#[derive(Clone)]
pub struct Processor {
    pub address: SocketAddr,
    books: Arc<Mutex<Books>>,
    /// Called whenever it is asked for something.
    hook: Arc<Mutex<Option<Hook>>>,
}

impl Processor {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let processor = Self { address: listener.local_addr().unwrap(), books: Arc::default(), hook: Arc::default() };
        let routes = Router::new()
            .route("/v1/payment_intents", post(make_intent))
            .route("/v1/payment_intents/{id}", get(show_intent))
            .route("/v1/payment_intents/{id}/{end}", post(end_intent))
            .route("/v1/checkout/sessions", post(make_page))
            .route("/v1/checkout/sessions/{id}", get(show_page))
            .route("/v1/checkout/sessions/{id}/expire", post(expire_page))
            .route("/v1/refunds", post(make_refund))
            .route("/v1/refunds/{id}", get(show_refund))
            .with_state(processor.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        processor
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The part of a configuration that leads here.
    pub fn settings(&self) -> ocpp_csms::payments::CardSettings {
        ocpp_csms::payments::CardSettings {
            url: self.url(),
            secret_key: ocpp_csms::payments::Secret::new(KEY),
            webhook_secret: ocpp_csms::payments::Secret::new(WEBHOOK_SECRET),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    /// What goes wrong with the next requests, one after the other.
    pub fn trouble(&self, trouble: impl IntoIterator<Item = Trouble>) {
        self.lock().trouble.extend(trouble);
    }

    /// Refunds are not done at once.
    pub fn refunds_pend(&self, pend: bool) {
        self.lock().refunds_pend = pend;
        if !pend {
            self.lock().refunds.values_mut().for_each(|refund| refund.2 = "succeeded");
        }
    }

    pub fn on_request(&self, hook: impl Fn() + Send + Sync + 'static) {
        *self.hook.lock().unwrap() = Some(Arc::new(hook));
    }

    pub fn intents(&self) -> Vec<Intent> {
        self.lock().intents.values().cloned().collect()
    }

    pub fn asked(&self) -> Vec<String> {
        self.lock().asked.clone()
    }

    /// What it owes the operator, in minor units.
    pub fn balance(&self) -> i64 {
        self.lock().intents.values().map(|intent| intent.received - intent.refunded).sum()
    }

    /// What it still keeps ready.
    pub fn held(&self) -> i64 {
        self.lock().intents.values().map(|intent| intent.capturable).sum()
    }

    /// The form with which the only page was asked for.
    pub fn page_form(&self) -> BTreeMap<String, String> {
        self.lock().pages.values().next().unwrap().form.clone()
    }

    /// The payer fills in the only page that is open.
    pub fn fill_in(&self, card_is_good: bool) {
        let mut books = self.lock();
        let id = books.name("pi");
        let (page_id, page) = books.pages.iter_mut().find(|(_, page)| page.status == "open").unwrap();
        let field = |name: &str| page.form[name].clone();
        let mut intent = Intent {
            id: id.clone(),
            status: "requires_payment_method",
            amount: field("line_items[0][price_data][unit_amount]").parse().unwrap(),
            currency: field("line_items[0][price_data][currency]"),
            capturable: 0,
            received: 0,
            refunded: 0,
            payment: field("payment_intent_data[metadata][payment]"),
            error: None,
            page: page.form.contains_key("payment_intent_data[metadata][page]"),
            manual: page.form.get("payment_intent_data[capture_method]").is_some_and(|method| method == "manual"),
        };
        if card_is_good {
            intent.pay();
            (page.status, page.intent) = ("complete", Some(id.clone()));
        } else {
            intent.error = Some("Your card was declined.");
        }
        let page_view = json!({"id": page_id, "object": "checkout.session", "status": page.status, "client_reference_id": page.payment,
            "payment_intent": page.intent});
        let (kind, view) = (intent.kind(), intent.view());
        books.intents.insert(id, intent);
        books.tell(kind, view);
        if card_is_good {
            books.tell("checkout.session.completed", page_view);
        }
    }

    /// The payer confirms what the bank wanted to know, or the bank says no.
    pub fn confirm(&self, payment: &str, card_is_good: bool) {
        let mut books = self.lock();
        let intent = books.intents.values_mut().find(|intent| intent.payment == payment).unwrap();
        if card_is_good {
            intent.pay();
        } else {
            (intent.status, intent.error) = ("requires_payment_method", Some("Your card was declined."));
        }
        let (kind, view) = (intent.kind(), intent.view());
        books.tell(kind, view);
    }

    /// What it has to tell, in the order in which it happened.
    pub fn events(&self) -> Vec<Value> {
        self.lock().events.iter().map(|(_, event)| event.clone()).collect()
    }

    /// Tells of an event; how it was answered.
    pub async fn deliver(&self, csms: &str, event: &Value) -> Option<(u16, Value)> {
        let body = event.to_string();
        post_webhook(csms, &signature(WEBHOOK_SECRET, Timestamp::now(), &body), body).await
    }
}

/// A webhook with this signature; how it was answered, if at all.
pub async fn post_webhook(csms: &str, signature: &str, body: String) -> Option<(u16, Value)> {
    let request = reqwest::Client::new().post(format!("{csms}/api/v1/webhooks/card"));
    let response = request.header("stripe-signature", signature).body(body).send().await.ok()?;
    let status = response.status().as_u16();
    Some((status, serde_json::from_str(&response.text().await.ok()?).unwrap_or_default()))
}

pub fn signature(secret: &str, at: Timestamp, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{}.{body}", at.as_second()).as_bytes());
    format!("t={},v1={}", at.as_second(), hex::encode(mac.finalize().into_bytes()))
}

fn fields(form: &[u8]) -> BTreeMap<String, String> {
    let query = format!("http://form/?{}", String::from_utf8_lossy(form));
    reqwest::Url::parse(&query).unwrap().query_pairs().into_owned().collect()
}

fn error(status: u16, kind: &str, message: &str) -> (u16, Value) {
    (status, json!({"error": {"type": kind, "message": message}}))
}

/// Answers a request that changes something: once for each idempotency key, with whatever goes wrong.
async fn once(
    processor: &Processor,
    headers: &HeaderMap,
    path: &str,
    form: &[u8],
    perform: impl FnOnce(&mut Books, BTreeMap<String, String>) -> (u16, Value),
) -> Response {
    let hook = processor.hook.lock().unwrap().clone();
    if let Some(hook) = &hook {
        hook();
    }
    let trouble = processor.lock().trouble.pop_front();
    match trouble {
        Some(Trouble::Answer(status)) => {
            let (status, body) = error(status, "api_error", "there is trouble");
            return answer(status, body);
        }
        Some(Trouble::Slow(pause)) => tokio::time::sleep(pause).await,
        _ => {}
    }
    if headers.get(AUTHORIZATION).is_none_or(|value| value != &format!("Bearer {KEY}")) {
        let (status, body) = error(401, "invalid_request_error", "Invalid API Key provided");
        return answer(status, body);
    }
    let (status, body) = {
        let mut books = processor.lock();
        let asked = format!("{path}?{}", String::from_utf8_lossy(form));
        let key = headers.get("idempotency-key").map(|key| key.to_str().unwrap().to_owned());
        match key.as_ref().and_then(|key| books.answers.get(key)).cloned() {
            Some((before, status, body)) if before == asked => (status, body),
            Some(_) => error(
                400,
                "idempotency_error",
                "Keys for idempotent requests can only be used with the same parameters",
            ),
            None => {
                books.asked.push(path.to_owned());
                let (status, body) = perform(&mut books, fields(form));
                if let Some(key) = key {
                    books.answers.insert(key, (asked, status, body.clone()));
                }
                (status, body)
            }
        }
    };
    if let Some(hook) = &hook {
        hook();
    }
    if trouble == Some(Trouble::LostAnswer) {
        let (status, body) = error(503, "api_error", "the answer is lost");
        return answer(status, body);
    }
    answer(status, body)
}

fn answer(status: u16, body: Value) -> Response {
    (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response()
}

fn shown(found: Option<Value>) -> Response {
    let (status, body) =
        found.map_or_else(|| error(404, "invalid_request_error", "No such object"), |found| (200, found));
    answer(status, body)
}

async fn make_intent(State(processor): State<Processor>, headers: HeaderMap, RawForm(form): RawForm) -> Response {
    once(&processor, &headers, "/v1/payment_intents", &form, |books, fields| {
        let mut intent = Intent {
            id: books.name("pi"),
            status: "requires_payment_method",
            amount: fields["amount"].parse().unwrap(),
            currency: fields["currency"].clone(),
            capturable: 0,
            received: 0,
            refunded: 0,
            payment: fields["metadata[payment]"].clone(),
            error: None,
            page: false,
            manual: fields.get("capture_method").is_some_and(|method| method == "manual"),
        };
        match fields["payment_method"].as_str() {
            "pm_card_visa" => intent.pay(),
            "pm_card_visa_chargeDeclined" => {
                intent.error = Some("Your card was declined.");
                let (kind, view) = (intent.kind(), intent.view());
                books.intents.insert(intent.id.clone(), intent);
                books.tell(kind, view.clone());
                return (402, json!({"error": {"type": "card_error", "code": "card_declined", "message": "Your card was declined.", "payment_intent": view}}));
            }
            "pm_card_authenticationRequired" => intent.status = "requires_action",
            _ => return error(400, "invalid_request_error", "No such PaymentMethod"),
        }
        let (kind, view) = (intent.kind(), intent.view());
        books.intents.insert(intent.id.clone(), intent);
        books.tell(kind, view.clone());
        (200, view)
    })
    .await
}

async fn show_intent(State(processor): State<Processor>, Path(id): Path<String>) -> Response {
    let found = processor.lock().intents.get(&id).map(Intent::view);
    shown(found)
}

async fn end_intent(
    State(processor): State<Processor>,
    Path((id, end)): Path<(String, String)>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Response {
    once(&processor, &headers, &format!("/v1/payment_intents/{id}/{end}"), &form, |books, fields| {
        let Some(intent) = books.intents.get_mut(&id) else {
            return error(404, "invalid_request_error", "No such payment_intent");
        };
        let amount = fields.get("amount_to_capture").map_or(intent.amount, |amount| amount.parse().unwrap());
        match (end.as_str(), intent.status) {
            ("capture", "requires_capture") if amount <= intent.capturable => {
                (intent.status, intent.received, intent.capturable) = ("succeeded", amount, 0);
            }
            ("cancel", "succeeded" | "canceled") | ("capture", _) => {
                return error(
                    400,
                    "invalid_request_error",
                    "This PaymentIntent could not be changed because of its status",
                );
            }
            _ => (intent.status, intent.capturable) = ("canceled", 0),
        }
        let (kind, view) = (intent.kind(), intent.view());
        books.tell(kind, view.clone());
        (200, view)
    })
    .await
}

fn page_view(books: &Books, id: &str) -> Option<Value> {
    let page = books.pages.get(id)?;
    let intent = page.intent.as_ref().and_then(|intent| books.intents.get(intent)).map(Intent::view);
    let url = (page.status == "open").then(|| format!("https://checkout.example/{id}"));
    Some(
        json!({"id": id, "object": "checkout.session", "status": page.status, "url": url, "client_reference_id": page.payment,
        "payment_intent": intent}),
    )
}

async fn make_page(State(processor): State<Processor>, headers: HeaderMap, RawForm(form): RawForm) -> Response {
    once(&processor, &headers, "/v1/checkout/sessions", &form, |books, fields| {
        let id = books.name("cs");
        let payment = fields["client_reference_id"].clone();
        books.pages.insert(id.clone(), Page { status: "open", payment, form: fields, intent: None });
        (200, page_view(books, &id).unwrap())
    })
    .await
}

async fn show_page(State(processor): State<Processor>, Path(id): Path<String>) -> Response {
    let found = page_view(&processor.lock(), &id);
    shown(found)
}

async fn expire_page(
    State(processor): State<Processor>,
    Path(id): Path<String>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Response {
    once(&processor, &headers, &format!("/v1/checkout/sessions/{id}/expire"), &form, |books, _| {
        match books.pages.get_mut(&id) {
            Some(page) if page.status == "open" => {
                page.status = "expired";
                (200, page_view(books, &id).unwrap())
            }
            _ => {
                error(400, "invalid_request_error", "Only Checkout Sessions with a status in [\"open\"] can be expired")
            }
        }
    })
    .await
}

async fn make_refund(State(processor): State<Processor>, headers: HeaderMap, RawForm(form): RawForm) -> Response {
    once(&processor, &headers, "/v1/refunds", &form, |books, fields| {
        let status = if books.refunds_pend { "pending" } else { "succeeded" };
        let amount: i64 = fields["amount"].parse().unwrap();
        let Some(intent) = books.intents.get_mut(&fields["payment_intent"]) else {
            return error(404, "invalid_request_error", "No such payment_intent");
        };
        if intent.refunded + amount > intent.received {
            return error(400, "invalid_request_error", "Refund amount is greater than unrefunded amount on charge");
        }
        intent.refunded += amount;
        let id = books.name("re");
        books.refunds.insert(id.clone(), (fields["payment_intent"].clone(), amount, status));
        (200, json!({"id": id, "object": "refund", "status": status, "amount": amount}))
    })
    .await
}

async fn show_refund(State(processor): State<Processor>, Path(id): Path<String>) -> Response {
    let found = processor
        .lock()
        .refunds
        .get(&id)
        .map(|(_, amount, status)| json!({"id": id, "status": status, "amount": amount}));
    shown(found)
}
