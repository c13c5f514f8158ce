//! Mobile money, in the shape of MTN's MoMo interface: a request to pay that the payer confirms on the telephone, a callback that
//! says only that something happened, and a question how it stands.

use axum::http::HeaderMap;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::provider::{
    Action, Methods, Notification, NotificationError, Order, Outcome, PaymentProvider, ProviderError, RefundOrder,
    Refunded, Requested,
};
use super::secret::Secret;
use crate::tariffs::amount;

/// How the operator of mobile money is reached.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MobileMoneySettings {
    /// Where, such as `https://sandbox.momodeveloper.mtn.com`.
    pub url: String,
    /// The environment that the operator names, such as `mtnrwanda`.
    pub environment: String,
    /// The user of the interface.
    pub user: String,
    /// The user's key.
    pub key: Secret,
    /// The key of the subscription for collections.
    pub collection_key: Secret,
    /// The key of the subscription for disbursements, for refunds.
    pub disbursement_key: Secret,
}

/// The provider.
#[derive(Debug)]
pub(super) struct MobileMoney {
    settings: MobileMoneySettings,
    client: reqwest::Client,
}

#[derive(Deserialize)]
struct State {
    status: String,
    #[serde(default)]
    reason: Option<Value>,
}

impl MobileMoney {
    pub(super) fn new(settings: MobileMoneySettings, client: reqwest::Client) -> Self {
        Self { settings, client }
    }

    async fn token(&self, product: &str, key: &Secret) -> Result<String, ProviderError> {
        #[derive(Deserialize)]
        struct Token {
            access_token: String,
        }
        let MobileMoneySettings { url, user, key: password, .. } = &self.settings;
        let request = self.client.post(format!("{url}/{product}/token/")).basic_auth(user, Some(password.reveal()));
        let response = request.header("ocp-apim-subscription-key", key.reveal()).send().await?;
        if !response.status().is_success() {
            return Err(ProviderError::Temporary(format!("no token: {}", response.status())));
        }
        Ok(response.json::<Token>().await?.access_token)
    }

    async fn send(&self, product: &str, request: reqwest::RequestBuilder) -> Result<reqwest::Response, ProviderError> {
        let key = match product {
            "collection" => &self.settings.collection_key,
            _ => &self.settings.disbursement_key,
        };
        let token = self.token(product, key).await?;
        let request = request
            .bearer_auth(token)
            .header("x-target-environment", &self.settings.environment)
            .header("ocp-apim-subscription-key", key.reveal());
        Ok(request.send().await?)
    }

    /// Asks for something under an id; that it was asked before is as good.
    async fn ask(
        &self,
        product: &str,
        what: &str,
        id: &str,
        callback: Option<&str>,
        body: &Value,
    ) -> Result<(), ProviderError> {
        let mut request = self.client.post(format!("{}/{product}/v1_0/{what}", self.settings.url));
        if let Some(callback) = callback {
            request = request.header("x-callback-url", callback);
        }
        let response = self.send(product, request.header("x-reference-id", id).json(body)).await?;
        let status = response.status();
        match status.as_u16() {
            409 => Ok(()),
            _ if status.is_success() => Ok(()),
            429 => Err(ProviderError::Temporary(status.to_string())),
            _ if status.is_client_error() => Err(ProviderError::Refused(status.to_string())),
            _ => Err(ProviderError::Temporary(status.to_string())),
        }
    }

    async fn state(&self, product: &str, what: &str, id: &str) -> Result<State, ProviderError> {
        let request = self.client.get(format!("{}/{product}/v1_0/{what}/{id}", self.settings.url));
        let response = self.send(product, request).await?;
        if !response.status().is_success() {
            return Err(ProviderError::Temporary(response.status().to_string()));
        }
        Ok(response.json().await?)
    }
}

/// The number as the interface wants it: digits with the country's code.
fn digits(phone: &str) -> Option<String> {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let is_number = phone.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')'));
    (is_number && (8..=15).contains(&digits.len())).then_some(digits)
}

impl PaymentProvider for MobileMoney {
    fn name(&self) -> &'static str {
        "mobile_money"
    }

    fn methods(&self) -> Methods {
        Methods::Phone
    }

    fn request<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<Requested, ProviderError>> {
        Box::pin(async move {
            let phone = order.method.as_deref().and_then(digits);
            let phone = phone.ok_or_else(|| {
                ProviderError::Refused(
                    "a telephone number is needed, with the country's code: 8 to 15 digits".to_owned(),
                )
            })?;
            let body = json!({
                "amount": amount(order.amount, order.currency).to_string(),
                "currency": order.currency.code(),
                "externalId": order.id,
                "payer": {"partyIdType": "MSISDN", "partyId": phone},
                "payerMessage": "Charging",
                "payeeNote": order.id,
            });
            self.ask("collection", "requesttopay", &order.id, Some(&order.callback_url), &body).await?;
            Ok(Requested { reference: order.id.clone(), outcome: Outcome::Pending, action: Some(Action::Phone) })
        })
    }

    fn status<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Outcome, ProviderError>> {
        Box::pin(async move {
            let state = self.state("collection", "requesttopay", reference).await?;
            Ok(match state.status.as_str() {
                "SUCCESSFUL" => Outcome::Confirmed(None),
                "FAILED" | "REJECTED" | "TIMEOUT" => {
                    let reason =
                        state.reason.map(|reason| reason.as_str().map_or_else(|| reason.to_string(), str::to_owned));
                    Outcome::Declined(reason.unwrap_or(state.status))
                }
                _ => Outcome::Pending,
            })
        })
    }

    fn refund<'a>(&'a self, refund: &'a RefundOrder) -> BoxFuture<'a, Result<Refunded, ProviderError>> {
        Box::pin(async move {
            let body = json!({
                "amount": amount(refund.amount, refund.currency).to_string(),
                "currency": refund.currency.code(),
                "externalId": refund.id,
                "payerMessage": "Charging",
                "payeeNote": refund.id,
                "referenceIdToRefund": refund.reference,
            });
            self.ask("disbursement", "refund", &refund.id, None, &body).await?;
            let state = self.state("disbursement", "refund", &refund.id).await?;
            match state.status.as_str() {
                "FAILED" => Err(ProviderError::Refused("the refund failed".to_owned())),
                status => Ok(Refunded { reference: refund.id.clone(), done: status == "SUCCESSFUL" }),
            }
        })
    }

    fn notification(
        &self,
        _: &HeaderMap,
        body: &[u8],
        _: Timestamp,
    ) -> Result<Option<Notification>, NotificationError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Callback {
            external_id: String,
        }
        let callback: Callback =
            serde_json::from_slice(body).map_err(|error| NotificationError::Content(error.to_string()))?;
        // Callbacks are not signed: this one only gives reason to ask.
        let id = format!("{}-{}", callback.external_id, uuid::Uuid::now_v7());
        Ok(Some(Notification { id, name: None, reference: callback.external_id, outcome: None }))
    }
}
