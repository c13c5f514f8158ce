//! What a payment provider has to be able to do.

use axum::http::HeaderMap;
use futures_util::future::BoxFuture;
use iso_currency::Currency;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Somebody who takes money of drivers: a card processor, an operator of mobile money.
///
/// Everything may be asked again after a failure, and happens once: what is asked carries an id that makes it so.
pub trait PaymentProvider: Send + Sync + std::fmt::Debug {
    /// What it's called in the database and in the paths of the interface.
    fn name(&self) -> &'static str;

    /// The ways to pay that it asks the payer to choose from; empty where there is nothing to choose or to type.
    fn methods(&self) -> Methods;

    /// Asks for a payment.
    fn request<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<Requested, ProviderError>>;

    /// How a payment stands.
    fn status<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Outcome, ProviderError>>;

    /// Ends a payment that nobody has made in time, so that nobody makes it any more, and says how it stands after that. Where that
    /// cannot be done it says how it stands.
    fn cancel<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Outcome, ProviderError>> {
        self.status(reference)
    }

    /// Takes a part of what is kept ready ([`Outcome::Held`]) and lets go of the rest; how much was taken, now or when it was asked
    /// before. To take nothing lets go of it all.
    fn capture<'a>(&'a self, _: &'a CaptureOrder) -> BoxFuture<'a, Result<i64, ProviderError>> {
        Box::pin(async { Err(ProviderError::Refused("it keeps no money ready".to_owned())) })
    }

    /// Gives back a payment, or part of it; asked again with the same id it tells how that stands.
    fn refund<'a>(&'a self, refund: &'a RefundOrder) -> BoxFuture<'a, Result<Refunded, ProviderError>>;

    /// Reads what the provider tells by itself, and makes sure that it is the provider who does.
    ///
    /// # Errors
    /// It isn't from the provider, or isn't understood.
    fn notification(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Option<Notification>, NotificationError>;
}

/// How a payer tells a provider who is to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Methods {
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A telephone number.
    Phone,
    /// Nothing: the provider asks by itself.
    Nothing,
}

/// A payment that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Makes it happen once. A UUID.
    pub id: String,
    /// How much, in minor units.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
    /// What the payer said of how to pay.
    pub method: Option<String>,
    /// Whether it is enough that the provider keeps the money ready: how much of it is taken turns out later.
    pub hold: bool,
    /// Where the payer's browser is to come back to.
    pub return_url: String,
    /// Where the provider is to tell what becomes of it.
    pub callback_url: String,
}

/// The answer to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requested {
    /// What the provider calls it.
    pub reference: String,
    /// How it stands.
    pub outcome: Outcome,
    /// What the payer has to do.
    pub action: Option<Action>,
}

/// What a payer has to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// To go on at another page.
    Redirect(String),
    /// To confirm on the telephone.
    Phone,
}

/// How a payment stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is decided.
    Pending,
    /// It is paid: this much, where the provider says so.
    Confirmed(Option<Paid>),
    /// The money is kept ready, to be taken by [`PaymentProvider::capture`].
    Held(Paid),
    /// It's refused.
    Declined(String),
}

impl Outcome {
    /// What was paid or is kept ready, where the provider says so.
    #[must_use]
    pub fn paid(&self) -> Option<Paid> {
        match self {
            Self::Confirmed(paid) => *paid,
            Self::Held(paid) => Some(*paid),
            Self::Pending | Self::Declined(_) => None,
        }
    }
}

/// An amount as a provider tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paid {
    /// In minor units.
    pub amount: i64,
    /// The currency; `None` where it's one that nobody knows here.
    pub currency: Option<Currency>,
}

/// What is taken of money that is kept ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureOrder {
    /// The id of the payment, which makes it happen once. A UUID.
    pub id: String,
    /// What the provider calls the payment.
    pub reference: String,
    /// How much, in minor units. The rest is let go.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
}

/// A payment that is given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundOrder {
    /// Makes it happen once. A UUID.
    pub id: String,
    /// What the provider calls the payment.
    pub reference: String,
    /// How much, in minor units.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
    /// What the provider called the refund when it was asked before.
    pub known: Option<String>,
}

/// How a refund stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refunded {
    /// What the provider calls it.
    pub reference: String,
    /// Whether it is paid back; else it's under way.
    pub done: bool,
}

/// Something a provider tells by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Tells it from others: the same comes more than once.
    pub id: String,
    /// What the provider calls the payment, or the id with which it was asked for.
    pub reference: String,
    /// What the provider calls the payment, where it says so: its answer to the order may be lost.
    pub name: Option<String>,
    /// How it stands; `None` where the provider has to be asked, because anybody could have told this.
    pub outcome: Option<Outcome>,
}

/// Why a provider did not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// It may do it when it's asked again.
    #[error("the payment provider is not available: {0}")]
    Temporary(String),
    /// It won't.
    #[error("the payment provider refuses: {0}")]
    Refused(String),
}

/// Why a notification does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotificationError {
    /// It isn't signed, or by somebody else.
    #[error(
        "the signature is missing or wrong: check the secret of the webhook in the configuration and at the provider"
    )]
    Signature,
    /// It was signed too long ago, or in the future.
    #[error("the signature is from another time: check the clocks of this server")]
    Time,
    /// It isn't what the provider sends.
    #[error("not understood: {0}")]
    Content(String),
    /// It tells of another amount or another currency than was asked for.
    #[error("the payment {0} was asked for with another amount or in another currency: look it up at the provider")]
    Amount(String),
    /// No such provider is set up.
    #[error("there is no payment provider of this name")]
    Unknown,
}

impl From<reqwest::Error> for ProviderError {
    fn from(error: reqwest::Error) -> Self {
        // Without its address: that may hold what is to be kept secret.
        Self::Temporary(error.without_url().to_string())
    }
}
