//! How charging is paid for: on a balance that is topped up, or by a guest for one session.
//!
//! Every step is kept before the next one is taken, and whatever is asked of a provider or a station may be asked again. So a
//! process that dies goes on where it was: a worker looks after everything that is not finished.

mod card;
#[cfg(test)]
mod crash_tests;
mod invoice_file;
mod invoicing;
mod mobile_money;
mod pages;
mod prepaid;
mod provider;
mod refunds;
mod sandbox;
mod secret;
mod service;
mod settings;
mod signature;
mod statement;
mod statement_pages;
mod steps;
mod worker;

pub use card::CardSettings;
pub use invoice_file::invoice_pdf;
pub use invoicing::{InvoiceError, InvoiceLine};
pub use mobile_money::MobileMoneySettings;
pub(crate) use pages::{pages, typed_amount, wanted};
pub use prepaid::{Effects, Happened, Prepaid, Stage};
pub use provider::{
    Action, CaptureOrder, Methods, Notification, NotificationError, Order, Outcome, Paid, PaymentProvider,
    ProviderError, RefundOrder, Refunded, Requested,
};
pub(crate) use refunds::return_rest;
pub use secret::Secret;
pub use service::{NotifyError, PaymentError, Payments, Wanted};
pub use settings::PaymentSettings;
pub use statement::{AccountStatement, Movement, Statement, StatementLine, statement};
pub(crate) use statement_pages::statement_pages;
pub(crate) use steps::take_over;
