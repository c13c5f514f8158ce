//! Cards, through the public HTTP interface of Stripe: pages of Checkout, PaymentIntents, idempotency keys, signed webhooks, refunds.
//!
//! A payer who says nothing of how to pay is sent to a page of Checkout; a payment method that is known (`pm_…`) is charged at once.
//! What is paid for a session is only kept ready (`capture_method = manual`): what the session came to is taken when it is over.

use axum::http::HeaderMap;
use futures_util::future::BoxFuture;
use iso_currency::Currency;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::provider::{
    Action, CaptureOrder, Methods, Notification, NotificationError, Order, Outcome, Paid, PaymentProvider,
    ProviderError, RefundOrder, Refunded, Requested,
};
use super::secret::Secret;
use super::signature;

const SIGNATURE: &str = "stripe-signature";
/// Names of pages of Checkout begin so, those of PaymentIntents otherwise.
const PAGE: &str = "cs_";
/// The page that Checkout shows for a payment that it calls by a name of its own, with the payment in it.
const WITH_INTENT: &str = "?expand[]=payment_intent";
/// Currencies without minor units whose amounts are written as if there were hundredths.
const HUNDREDTHS: [Currency; 2] = [Currency::ISK, Currency::UGX];

/// How the card processor is reached.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardSettings {
    /// Where. Default: `https://api.stripe.com`.
    #[serde(default = "api")]
    pub url: String,
    /// The secret key of the account.
    pub secret_key: Secret,
    /// The secret with which webhooks are signed.
    pub webhook_secret: Secret,
}

fn api() -> String {
    "https://api.stripe.com".to_owned()
}

/// The provider.
#[derive(Debug)]
pub(super) struct Card {
    settings: CardSettings,
    client: reqwest::Client,
}

/// What of a PaymentIntent matters here.
#[derive(Debug, Deserialize)]
struct Intent {
    id: String,
    status: String,
    #[serde(default)]
    currency: String,
    #[serde(default)]
    amount_capturable: i64,
    #[serde(default)]
    amount_received: i64,
    #[serde(default)]
    last_payment_error: Option<Value>,
    #[serde(default)]
    next_action: Option<Value>,
    #[serde(default)]
    metadata: Metadata,
}

/// What was written beside a payment when it was asked for.
#[derive(Debug, Default, Deserialize)]
struct Metadata {
    /// The id of the payment.
    #[serde(default)]
    payment: Option<String>,
    /// Set where a page of Checkout asks for it.
    #[serde(default)]
    page: Option<String>,
}

/// What of a page of Checkout matters here.
#[derive(Debug, Deserialize)]
struct CheckoutPage {
    id: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    payment_intent: Option<Expandable>,
    #[serde(default)]
    client_reference_id: Option<String>,
}

/// A payment, or its name alone.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Expandable {
    Name(String),
    Whole(Box<Intent>),
}

impl Intent {
    fn paid(&self, amount: i64) -> Paid {
        let currency = Currency::from_code(&self.currency.to_uppercase());
        Paid { amount: amount / currency.map_or(1, scale), currency }
    }

    fn outcome(&self) -> Outcome {
        let error = self.last_payment_error.as_ref();
        let reason = || error.and_then(|error| error["message"].as_str()).unwrap_or("the card was declined").to_owned();
        match self.status.as_str() {
            "succeeded" => Outcome::Confirmed((self.amount_received > 0).then(|| self.paid(self.amount_received))),
            "requires_capture" => Outcome::Held(self.paid(self.amount_capturable)),
            "canceled" => Outcome::Declined("the payment was cancelled".to_owned()),
            // On a page the payer may try another card.
            "requires_payment_method" if error.is_some() && self.metadata.page.is_none() => Outcome::Declined(reason()),
            _ => Outcome::Pending,
        }
    }

    fn action(&self) -> Option<Action> {
        redirect(self.next_action.as_ref()?["redirect_to_url"]["url"].as_str()?)
    }
}

impl CheckoutPage {
    fn outcome(&self) -> Outcome {
        match (self.status.as_deref(), &self.payment_intent) {
            (Some("expired"), _) => Outcome::Declined("nobody paid on the page".to_owned()),
            (Some("complete"), Some(Expandable::Whole(intent))) => intent.outcome(),
            _ => Outcome::Pending,
        }
    }

    fn intent(&self) -> Option<&str> {
        match self.payment_intent.as_ref()? {
            Expandable::Name(name) => Some(name),
            Expandable::Whole(intent) => Some(&intent.id),
        }
    }
}

/// Whoever pays is sent there, so it has to be the processor's page and nothing that a browser runs.
fn redirect(url: &str) -> Option<Action> {
    url.starts_with("https://").then(|| Action::Redirect(url.to_owned()))
}

/// By how much an amount in minor units is multiplied.
fn scale(currency: Currency) -> i64 {
    if HUNDREDTHS.contains(&currency) { 100 } else { 1 }
}

fn wire(amount: i64, currency: Currency) -> String {
    amount.saturating_mul(scale(currency)).to_string()
}

impl Card {
    pub(super) fn new(settings: CardSettings, client: reqwest::Client) -> Self {
        Self { settings, client }
    }

    async fn call<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<T, ProviderError> {
        let response = request.bearer_auth(self.settings.secret_key.reveal()).send().await?;
        let status = response.status();
        let text = response.text().await?;
        if status.is_success() {
            return serde_json::from_str(&text).map_err(|error| ProviderError::Temporary(error.to_string()));
        }
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        let message = body["error"]["message"].as_str().unwrap_or("no reason given").to_owned();
        // 401 and 403: a wrong key is put right by the operator; 409: the idempotency key is in use at this moment; 429 and 5xx: later. What
        // was asked for in other words before, because the address of this server changed, may have been done: a webhook tells.
        let was_asked = body["error"]["type"] == "idempotency_error";
        if was_asked || status.is_server_error() || matches!(status.as_u16(), 401 | 403 | 409 | 429) {
            Err(ProviderError::Temporary(format!("{status}: {message}")))
        } else {
            Err(ProviderError::Refused(format!("{status}: {message}")))
        }
    }

    fn post(&self, path: &str, key: &str, form: &[(&str, String)]) -> reqwest::RequestBuilder {
        self.client.post(format!("{}{path}", self.settings.url)).header("idempotency-key", key).form(form)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, id: &str, query: &str) -> Result<T, ProviderError> {
        self.call(self.client.get(format!("{}{path}/{}{query}", self.settings.url, escaped(id)))).await
    }

    /// The PaymentIntent of a payment: what was asked for, or what a page made.
    async fn intent_of(&self, reference: &str) -> Result<String, ProviderError> {
        if !reference.starts_with(PAGE) {
            return Ok(reference.to_owned());
        }
        let page: CheckoutPage = self.get("/v1/checkout/sessions", reference, WITH_INTENT).await?;
        let none = || ProviderError::Refused("nobody paid on the page".to_owned());
        page.intent().map(str::to_owned).ok_or_else(none)
    }

    async fn charge(&self, order: &Order, method: &str) -> Result<Requested, ProviderError> {
        let mut form = vec![
            ("amount", wire(order.amount, order.currency)),
            ("currency", order.currency.code().to_lowercase()),
            ("metadata[payment]", order.id.clone()),
            ("automatic_payment_methods[enabled]", "true".to_owned()),
            ("payment_method", method.to_owned()),
            ("confirm", "true".to_owned()),
            ("return_url", order.return_url.clone()),
        ];
        if order.hold {
            form.push(("capture_method", "manual".to_owned()));
        }
        let intent: Intent = self.call(self.post("/v1/payment_intents", &order.id, &form)).await?;
        let (outcome, action) = (intent.outcome(), intent.action());
        Ok(Requested { reference: intent.id, outcome, action })
    }

    async fn show_page(&self, order: &Order) -> Result<Requested, ProviderError> {
        let mut form = vec![
            ("mode", "payment".to_owned()),
            ("client_reference_id", order.id.clone()),
            ("success_url", order.return_url.clone()),
            ("cancel_url", order.return_url.clone()),
            ("line_items[0][quantity]", "1".to_owned()),
            ("line_items[0][price_data][currency]", order.currency.code().to_lowercase()),
            ("line_items[0][price_data][unit_amount]", wire(order.amount, order.currency)),
            ("line_items[0][price_data][product_data][name]", "Charging".to_owned()),
            ("payment_intent_data[metadata][payment]", order.id.clone()),
            ("payment_intent_data[metadata][page]", "checkout".to_owned()),
        ];
        if order.hold {
            form.push(("payment_intent_data[capture_method]", "manual".to_owned()));
        }
        let page: CheckoutPage = self.call(self.post("/v1/checkout/sessions", &order.id, &form)).await?;
        let action = page.url.as_deref().and_then(redirect);
        Ok(Requested { outcome: page.outcome(), reference: page.id, action })
    }
}

impl PaymentProvider for Card {
    fn name(&self) -> &'static str {
        "card"
    }

    fn methods(&self) -> Methods {
        Methods::Nothing
    }

    fn request<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<Requested, ProviderError>> {
        Box::pin(async move {
            match &order.method {
                Some(method) => self.charge(order, method).await,
                None => self.show_page(order).await,
            }
        })
    }

    fn status<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Outcome, ProviderError>> {
        Box::pin(async move {
            if reference.starts_with(PAGE) {
                let page: CheckoutPage = self.get("/v1/checkout/sessions", reference, WITH_INTENT).await?;
                return Ok(page.outcome());
            }
            Ok(self.get::<Intent>("/v1/payment_intents", reference, "").await?.outcome())
        })
    }

    fn cancel<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Outcome, ProviderError>> {
        Box::pin(async move {
            let (path, end) = match reference.starts_with(PAGE) {
                true => ("/v1/checkout/sessions", "expire"),
                false => ("/v1/payment_intents", "cancel"),
            };
            let path = format!("{path}/{}/{end}", escaped(reference));
            match self.call::<Value>(self.post(&path, &format!("cancel-{reference}"), &[])).await {
                // It was paid, or had ended, in the meantime: then that counts.
                Ok(_) | Err(ProviderError::Refused(_)) => self.status(reference).await,
                Err(error) => Err(error),
            }
        })
    }

    fn capture<'a>(&'a self, order: &'a CaptureOrder) -> BoxFuture<'a, Result<i64, ProviderError>> {
        Box::pin(async move {
            let intent = self.intent_of(&order.reference).await?;
            let (end, form) = match order.amount {
                0 => ("cancel", vec![]),
                amount => ("capture", vec![("amount_to_capture", wire(amount, order.currency))]),
            };
            let path = format!("/v1/payment_intents/{}/{end}", escaped(&intent));
            let refused = match self.call::<Intent>(self.post(&path, &format!("{end}-{}", order.id), &form)).await {
                Ok(intent) => return Ok(intent.paid(intent.amount_received).amount),
                Err(ProviderError::Refused(reason)) => reason,
                Err(error) => return Err(error),
            };
            // It was done before, or the money is not kept ready any more.
            let intent: Intent = self.get("/v1/payment_intents", &intent, "").await?;
            match intent.status.as_str() {
                "succeeded" | "canceled" => Ok(intent.paid(intent.amount_received).amount),
                _ => Err(ProviderError::Refused(refused)),
            }
        })
    }

    fn refund<'a>(&'a self, refund: &'a RefundOrder) -> BoxFuture<'a, Result<Refunded, ProviderError>> {
        #[derive(Deserialize)]
        struct Answer {
            id: String,
            status: String,
        }
        Box::pin(async move {
            let answer: Answer = match &refund.known {
                Some(known) => self.get("/v1/refunds", known, "").await?,
                None => {
                    let intent = self.intent_of(&refund.reference).await?;
                    let form = [("payment_intent", intent), ("amount", wire(refund.amount, refund.currency))];
                    self.call(self.post("/v1/refunds", &refund.id, &form)).await?
                }
            };
            match answer.status.as_str() {
                "failed" | "canceled" => Err(ProviderError::Refused(format!("the refund {}", answer.status))),
                status => Ok(Refunded { reference: answer.id, done: status == "succeeded" }),
            }
        })
    }

    fn notification(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Option<Notification>, NotificationError> {
        #[derive(Deserialize)]
        struct Event {
            id: String,
            r#type: String,
            data: Data,
        }
        #[derive(Deserialize)]
        struct Data {
            object: Value,
        }
        fn read<T: DeserializeOwned>(object: Value) -> Result<T, NotificationError> {
            serde_json::from_value(object).map_err(|error| NotificationError::Content(error.to_string()))
        }
        signature::verify(&self.settings.webhook_secret, headers, SIGNATURE, body, now)?;
        let event: Event =
            serde_json::from_slice(body).map_err(|error| NotificationError::Content(error.to_string()))?;
        if event.r#type.starts_with("checkout.session.") {
            let page: CheckoutPage = read(event.data.object)?;
            // It names the payment without saying how that stands.
            let (reference, name) = (page.client_reference_id.unwrap_or_else(|| page.id.clone()), Some(page.id));
            return Ok(Some(Notification { id: event.id, reference, name, outcome: None }));
        }
        if !event.r#type.starts_with("payment_intent.") {
            return Ok(None);
        }
        let intent: Intent = read(event.data.object)?;
        let outcome = Some(intent.outcome());
        let (reference, name) = (intent.metadata.payment.unwrap_or_else(|| intent.id.clone()), Some(intent.id));
        Ok(Some(Notification { id: event.id, reference, name, outcome }))
    }
}

fn escaped(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_written_in_the_units_of_the_processor() {
        assert_eq!(wire(1_050, Currency::EUR), "1050");
        assert_eq!(wire(500, Currency::RWF), "500");
        assert_eq!(wire(500, Currency::UGX), "50000");
    }

    #[test]
    fn only_a_page_under_tls_is_a_place_to_send_a_payer_to() {
        assert_eq!(redirect("https://pay.example/1"), Some(Action::Redirect("https://pay.example/1".to_owned())));
        for url in ["javascript:alert(1)", "http://pay.example", "//pay.example"] {
            assert_eq!(redirect(url), None);
        }
    }
}
