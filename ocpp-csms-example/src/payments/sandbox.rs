//! A provider that is no provider: for trying out, for the demonstration and for tests. What becomes of a payment is what the
//! payer chose. It keeps nothing, so it answers after a restart as before.

use axum::http::HeaderMap;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::provider::{
    Methods, Notification, NotificationError, Order, Outcome, PaymentProvider, ProviderError, RefundOrder, Refunded,
    Requested,
};
use super::secret::Secret;
use super::signature;

/// The header of its signature.
pub(super) const SIGNATURE: &str = "sandbox-signature";
/// How long a payment takes where it takes a while.
const DELAY: SignedDuration = SignedDuration::from_secs(3);
/// How long after its answer it tells what became of a payment.
const ANSWER: std::time::Duration = std::time::Duration::from_millis(100);
const METHODS: &[&str] = &["success", "decline", "delay", "webhook_twice", "webhook_never"];

/// A notification on its way to this server itself.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// The provider.
#[derive(Debug)]
pub(super) struct Sandbox {
    secret: Secret,
    deliveries: mpsc::UnboundedSender<Delivery>,
}

impl Sandbox {
    pub(super) fn new(deliveries: mpsc::UnboundedSender<Delivery>) -> Self {
        // Only this process delivers its notifications.
        Self { secret: Secret::new(Uuid::new_v4().to_string()), deliveries }
    }

    fn deliver(&self, reference: &str) {
        let outcome = match outcome(reference, Timestamp::now()) {
            Outcome::Declined(_) => "declined",
            Outcome::Confirmed(_) => "confirmed",
            Outcome::Pending | Outcome::Held(_) => return,
        };
        let body = json!({"id": format!("event-{reference}"), "payment": reference, "outcome": outcome}).to_string();
        let mut headers = HeaderMap::new();
        if let Ok(value) = signature::sign(&self.secret, Timestamp::now(), body.as_bytes()).parse() {
            headers.insert(SIGNATURE, value);
        }
        let deliveries = self.deliveries.clone();
        tokio::spawn(async move {
            // As others do, it answers before it tells what became of it.
            tokio::time::sleep(ANSWER).await;
            // The server may be ending; then the payment is asked after.
            let _ = deliveries.send(Delivery { headers, body: body.into_bytes() });
        });
    }
}

/// A reference says all there is to know: what was chosen, and the payment, whose id tells when it was made.
fn outcome(reference: &str, now: Timestamp) -> Outcome {
    let (method, id) = reference.split_once(':').unwrap_or((reference, ""));
    match method {
        "decline" => Outcome::Declined("the card was declined".to_owned()),
        "delay" => {
            let made = Uuid::parse_str(id).ok().and_then(|id| id.get_timestamp()).map(|at| at.to_unix().0);
            let made = made.and_then(|at| i64::try_from(at).ok()).unwrap_or(0);
            let is_over = now.as_second() - made >= DELAY.as_secs();
            if is_over { Outcome::Confirmed(None) } else { Outcome::Pending }
        }
        _ => Outcome::Confirmed(None),
    }
}

impl PaymentProvider for Sandbox {
    fn name(&self) -> &'static str {
        "sandbox"
    }

    fn methods(&self) -> Methods {
        Methods::Choice(METHODS)
    }

    fn request<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<Requested, ProviderError>> {
        Box::pin(async move {
            let method = order.method.as_deref().unwrap_or("success");
            if !METHODS.contains(&method) {
                return Err(ProviderError::Refused(format!("{method:?} is none of {METHODS:?}")));
            }
            let reference = format!("{method}:{}", order.id);
            match method {
                "webhook_twice" => {
                    self.deliver(&reference);
                    self.deliver(&reference);
                }
                "success" | "decline" => self.deliver(&reference),
                _ => {}
            }
            Ok(Requested { reference, outcome: Outcome::Pending, action: None })
        })
    }

    fn status<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Outcome, ProviderError>> {
        Box::pin(async move { Ok(outcome(reference, Timestamp::now())) })
    }

    fn refund<'a>(&'a self, refund: &'a RefundOrder) -> BoxFuture<'a, Result<Refunded, ProviderError>> {
        Box::pin(async move { Ok(Refunded { reference: format!("refund:{}", refund.id), done: true }) })
    }

    fn notification(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Option<Notification>, NotificationError> {
        signature::verify(&self.secret, headers, SIGNATURE, body, now)?;
        let body: Value =
            serde_json::from_slice(body).map_err(|error| NotificationError::Content(error.to_string()))?;
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        let (Some(id), Some(reference)) = (text("id"), text("payment")) else {
            return Err(NotificationError::Content("id and payment are missing".to_owned()));
        };
        let outcome = match body["outcome"].as_str() {
            Some("confirmed") => Outcome::Confirmed(None),
            Some("declined") => Outcome::Declined("the card was declined".to_owned()),
            _ => return Ok(None),
        };
        Ok(Some(Notification { id, name: None, reference, outcome: Some(outcome) }))
    }
}
