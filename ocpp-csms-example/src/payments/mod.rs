//! How charging is paid for: on a balance that is topped up, or by a guest for one session.
//!
//! Every step is kept before the next one is taken, and whatever is asked of a provider or a station may be asked again. So a
//! process that dies goes on where it was: a worker looks after everything that is not finished.

mod card;
#[cfg(test)]
mod crash_tests;
mod invoicing;
mod mobile_money;
mod pages;
mod prepaid;
mod provider;
mod refunds;
mod sandbox;
mod service;
mod settings;
mod signature;
mod steps;
mod worker;

pub use card::CardSettings;
pub use invoicing::{InvoiceError, InvoiceLine};
pub use mobile_money::MobileMoneySettings;
pub(crate) use pages::{pages, typed_amount, wanted};
pub use prepaid::{Effects, Happened, Prepaid, Stage};
pub use provider::{
    Action, Methods, Notification, NotificationError, Order, Outcome, PaymentProvider, ProviderError, RefundOrder,
    Refunded, Requested, Secret,
};
pub(crate) use refunds::return_rest;
pub use service::{NotifyError, PaymentError, Payments, Wanted};
pub use settings::PaymentSettings;
