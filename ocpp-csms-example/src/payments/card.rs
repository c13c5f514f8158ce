//! Cards, through the public HTTP interface of Stripe: PaymentIntents, idempotency keys, signed webhooks, refunds.

use axum::http::HeaderMap;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::provider::{
    Action, Methods, Notification, NotificationError, Order, Outcome, PaymentProvider, ProviderError, RefundOrder,
    Refunded, Requested, Secret,
};
use super::signature;

const SIGNATURE: &str = "stripe-signature";

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
#[derive(Deserialize)]
struct Intent {
    id: String,
    status: String,
    #[serde(default)]
    amount_received: Option<i64>,
    #[serde(default)]
    last_payment_error: Option<Value>,
    #[serde(default)]
    next_action: Option<Value>,
}

impl Intent {
    fn outcome(&self) -> Outcome {
        let reason = || {
            let message = self.last_payment_error.as_ref().and_then(|error| error["message"].as_str());
            message.unwrap_or("the card was declined").to_owned()
        };
        match self.status.as_str() {
            "succeeded" => Outcome::Confirmed(self.amount_received.filter(|amount| *amount > 0)),
            "canceled" => Outcome::Declined("the payment was cancelled".to_owned()),
            "requires_payment_method" if self.last_payment_error.is_some() => Outcome::Declined(reason()),
            _ => Outcome::Pending,
        }
    }

    fn action(&self) -> Option<Action> {
        let url = self.next_action.as_ref()?["redirect_to_url"]["url"].as_str()?;
        // Whoever pays is sent there, so it has to be the processor's page and nothing that a browser runs.
        url.starts_with("https://").then(|| Action::Redirect(url.to_owned()))
    }
}

impl Card {
    pub(super) fn new(settings: CardSettings, client: reqwest::Client) -> Self {
        Self { settings, client }
    }

    async fn call<T: serde::de::DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<T, ProviderError> {
        let response = request.bearer_auth(self.settings.secret_key.reveal()).send().await?;
        let status = response.status();
        let text = response.text().await?;
        if status.is_success() {
            return serde_json::from_str(&text).map_err(|error| ProviderError::Temporary(error.to_string()));
        }
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        let message = body["error"]["message"].as_str().unwrap_or("no reason given").to_owned();
        // 409: the same key is in use at this moment; 429 and 5xx: later.
        if status.is_server_error() || matches!(status.as_u16(), 409 | 429) {
            Err(ProviderError::Temporary(format!("{status}: {message}")))
        } else {
            Err(ProviderError::Refused(format!("{status}: {message}")))
        }
    }

    fn post(&self, path: &str, key: &str, form: &[(&str, String)]) -> reqwest::RequestBuilder {
        self.client.post(format!("{}{path}", self.settings.url)).header("idempotency-key", key).form(form)
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
            let mut form = vec![
                ("amount", order.amount.to_string()),
                ("currency", order.currency.code().to_lowercase()),
                ("metadata[payment]", order.id.clone()),
                ("automatic_payment_methods[enabled]", "true".to_owned()),
            ];
            if let Some(method) = &order.method {
                form.push(("payment_method", method.clone()));
                form.push(("confirm", "true".to_owned()));
                form.push(("return_url", order.return_url.clone()));
            }
            let intent: Intent = self.call(self.post("/v1/payment_intents", &order.id, &form)).await?;
            let (outcome, action) = (intent.outcome(), intent.action());
            Ok(Requested { reference: intent.id, outcome, action })
        })
    }

    fn status<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Outcome, ProviderError>> {
        Box::pin(async move {
            let url = format!("{}/v1/payment_intents/{}", self.settings.url, escaped(reference));
            Ok(self.call::<Intent>(self.client.get(url)).await?.outcome())
        })
    }

    fn refund<'a>(&'a self, refund: &'a RefundOrder) -> BoxFuture<'a, Result<Refunded, ProviderError>> {
        #[derive(Deserialize)]
        struct Answer {
            id: String,
            status: String,
        }
        Box::pin(async move {
            let request = match &refund.known {
                Some(known) => self.client.get(format!("{}/v1/refunds/{}", self.settings.url, escaped(known))),
                None => {
                    let form = [("payment_intent", refund.reference.clone()), ("amount", refund.amount.to_string())];
                    self.post("/v1/refunds", &refund.id, &form)
                }
            };
            let answer: Answer = self.call(request).await?;
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
        signature::verify(&self.settings.webhook_secret, headers, SIGNATURE, body, now)?;
        let event: Event =
            serde_json::from_slice(body).map_err(|error| NotificationError::Content(error.to_string()))?;
        if !event.r#type.starts_with("payment_intent.") {
            return Ok(None);
        }
        let intent: Intent =
            serde_json::from_value(event.data.object).map_err(|error| NotificationError::Content(error.to_string()))?;
        let outcome = Some(intent.outcome());
        Ok(Some(Notification { id: event.id, reference: intent.id, outcome }))
    }
}

fn escaped(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
