//! What went wrong, in the language of who reads the page.
//!
//! Services say in English what is wrong and what to do, for the log and for the interface. A page says it by the kind of the error;
//! where only the details tell it, they follow as the service wrote them.

use super::Page;
use crate::access::AccessError;
use crate::faults::FaultError;
use crate::maintenance::{FileError, MaintenanceError};
use crate::notifications::SubscriptionError;
use crate::payments::{InvoiceError, PaymentError};
use crate::reports::ReportError;
use crate::sites::{PriceFileError, SiteError};
use crate::stations::CallRefused;
use crate::stations::operations::OperationRefused;
use crate::store::StoreError;
use crate::tariffs::{AmountTooFine, TariffsError};

/// An error that pages show.
pub(crate) trait Told {
    /// What is wrong, and what to do.
    fn told(&self, page: &Page) -> String;
}

/// What is wrong with what was asked for, as the service says it.
fn because(page: &Page, detail: impl ToString) -> String {
    page.with("errors.because", "detail", detail)
}

fn unknown(page: &Page, id: &str) -> String {
    page.with("errors.unknown", "id", id)
}

impl Told for StoreError {
    fn told(&self, page: &Page) -> String {
        tracing::error!(error = %self, path = page.path(), "what a page asked for was not kept");
        let key = if self.is_full() { "errors.disk_full" } else { "errors.database" };
        page.t(key).to_owned()
    }
}

impl Told for AccessError {
    fn told(&self, page: &Page) -> String {
        let key = match self {
            Self::TooManyAttempts(wait) => return page.with("access.too_many_attempts", "seconds", wait.as_secs() + 1),
            Self::Unknown(_, id) => return unknown(page, id),
            Self::Store(error) => return error.told(page),
            Self::WrongPassword => "access.wrong_password",
            Self::Busy | Self::Hashing | Self::Entropy(_) => "access.busy",
            Self::WeakPassword => "access.weak_password",
            Self::Login => "access.login_form",
            Self::Taken => "access.login_taken",
            Self::Text(..) => "access.name_form",
            Self::Link => "access.link_over",
            Self::Closed => "access.registration_closed",
            Self::InvitationNeeded => "access.invitation_needed",
            Self::LastAdmin => "errors.last_admin",
            Self::BalanceOfNobody => "errors.balance_of_nobody",
            Self::Scopes => "errors.scopes",
            Self::Expiry => "errors.expiry",
            Self::NotSignedIn => "errors.not_signed_in",
        };
        page.t(key).to_owned()
    }
}

impl Told for PaymentError {
    fn told(&self, page: &Page) -> String {
        let key = match self {
            Self::Provider(name) => return page.with("errors.provider", "provider", name),
            Self::Amount(_, least, most) => {
                return page.fill("errors.amount", [("least", least.clone()), ("most", most.clone())]);
            }
            Self::Currency(currency) => return page.with("errors.currency", "currency", currency.code()),
            Self::Station(id) | Self::Unknown(_, id) => return unknown(page, id),
            Self::NotCovered(balance) => return page.with("errors.not_covered", "balance", balance),
            Self::Store(error) => return error.told(page),
            Self::NotConnected => "errors.not_connected",
            Self::Busy => "errors.occupied",
            other => return because(page, other),
        };
        page.t(key).to_owned()
    }
}

impl Told for AmountTooFine {
    fn told(&self, page: &Page) -> String {
        page.t("money.error_amount").to_owned()
    }
}

impl Told for InvoiceError {
    fn told(&self, page: &Page) -> String {
        match self {
            Self::Nothing => page.t("errors.nothing_to_invoice").to_owned(),
            Self::Time => page.t("errors.reversed").to_owned(),
            Self::Store(error) => error.told(page),
            other => because(page, other),
        }
    }
}

impl Told for TariffsError {
    fn told(&self, page: &Page) -> String {
        let key = match self {
            Self::Unknown(id) | Self::UnknownVersion(id, _) => return unknown(page, id),
            Self::Store(error) => return error.told(page),
            Self::IsDefault(id) => return page.with("errors.tariff_is_default", "tariff", id),
            Self::InUse(id, place) => {
                return page.fill("errors.tariff_in_use", [("tariff", id.clone()), ("place", place.clone())]);
            }
            Self::Retired(id) => return page.with("errors.tariff_retired", "tariff", id),
            Self::Id(_) => "errors.tariff_id",
            Self::Name => "errors.tariff_name",
            Self::Evse => "errors.tariff_evse",
        };
        page.t(key).to_owned()
    }
}

impl Told for SiteError {
    fn told(&self, page: &Page) -> String {
        match self {
            Self::Taken { station, site } => {
                page.fill("errors.station_taken", [("station", station.clone()), ("site", site.clone())])
            }
            Self::Store(error) => error.told(page),
            Self::Invalid(_) | Self::Unknown(_) => because(page, self),
        }
    }
}

impl Told for PriceFileError {
    fn told(&self, page: &Page) -> String {
        match self {
            Self::Empty => page.t("errors.prices_empty").to_owned(),
            Self::TooLong => page.t("errors.prices_too_long").to_owned(),
            Self::Unreadable(_) => format!("{} {}", page.t("errors.prices_unreadable"), because(page, self)),
            Self::Line { line, problem } => {
                page.fill("errors.prices_line", [("line", line.to_string()), ("detail", problem.clone())])
            }
        }
    }
}

impl Told for FileError {
    fn told(&self, page: &Page) -> String {
        let key = match self {
            Self::TooLarge { limit, .. } => return page.with("errors.file_too_large", "size", limit >> 20),
            Self::Incomplete { .. } | Self::BrokenOff { .. } => "errors.file_broken_off",
            Self::Empty => "errors.file_empty",
            Self::DiskFull(_) => "errors.disk_full",
            other => return because(page, other),
        };
        page.t(key).to_owned()
    }
}

impl Told for MaintenanceError {
    fn told(&self, page: &Page) -> String {
        match self {
            Self::Store(error) => error.told(page),
            Self::File(error) => error.told(page),
            Self::Unknown { id, .. } => unknown(page, id),
            Self::NotConnected => page.t("errors.not_connected").to_owned(),
            Self::NoAddress => page.t("errors.no_address").to_owned(),
            other => because(page, other),
        }
    }
}

impl Told for ReportError {
    fn told(&self, page: &Page) -> String {
        match self {
            Self::Store(error) => error.told(page),
            Self::NotADay { value, .. } => page.with("errors.no_day", "value", value),
            Self::Reversed { .. } => page.t("errors.reversed").to_owned(),
            Self::TooLong { days, max, .. } => {
                page.fill("errors.too_many_days", [("days", days.to_string()), ("most", max.to_string())])
            }
            Self::UnknownZone(zone) => page.with("errors.zone", "zone", zone),
            Self::Unknown { id, .. } => unknown(page, id),
            other => because(page, other),
        }
    }
}

impl Told for FaultError {
    fn told(&self, page: &Page) -> String {
        match self {
            Self::Unknown(id) => unknown(page, id),
            Self::Already(state) => page.word("operation.fault_now_", state.as_str()).into_owned(),
            Self::Store(error) => error.told(page),
        }
    }
}

impl Told for SubscriptionError {
    fn told(&self, page: &Page) -> String {
        match self {
            Self::Unknown(id) => unknown(page, id),
            Self::Kind(_) => page.t("errors.kinds").to_owned(),
            Self::Secret => page.t("errors.secret").to_owned(),
            Self::Store(error) => error.told(page),
            other => because(page, other),
        }
    }
}

impl Told for OperationRefused {
    fn told(&self, page: &Page) -> String {
        match self {
            Self::UnknownStation(id) => unknown(page, id),
            Self::Call(CallRefused::NotConnected) => page.t("errors.not_connected").to_owned(),
            Self::Call(CallRefused::Busy) => page.t("errors.station_busy").to_owned(),
            Self::Store(error) => error.told(page),
            other => because(page, other),
        }
    }
}
