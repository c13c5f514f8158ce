//! The pages: a frame that all of them share, and those for operators.
//!
//! A page is a template with a [`Page`], which the handler takes from the request and which knows the language, who is signed
//! in and what came of the form before. Pages are made on the server and work without scripts; with them, parts that change
//! are renewed by server-sent events. Everything is in the binary, and nothing is loaded from elsewhere.

mod assets;
mod audit;
mod chart;
mod dashboard;
mod energy;
mod explorer;
mod faults;
mod fields;
mod firmware;
mod flash;
pub mod format;
mod headers;
mod language;
mod ledger;
mod live;
mod maintenance;
mod notifications;
mod operations;
mod page;
mod pager;
mod payments;
mod people;
mod plans;
mod preferences;
mod reports;
mod sessions;
mod settings;
mod site_form;
mod sites;
mod station;
mod station_log;
mod stations;
mod tariffs;
pub mod texts;
mod token;
pub(crate) mod told;

use axum::extract::DefaultBodyLimit;
use axum::handler::Handler as _;
use axum::http::Method;

pub use assets::asset;
pub use chart::{Chart, Shape};
pub use fields::Fields;
pub use flash::Flash;
pub(crate) use headers::protect;
pub use language::Language;
pub use page::{Group, Link, Page};
pub use pager::Pager;

use crate::access::{Needs, Pages, Scope};
use crate::server::Csms;

const VIEW: Needs = Needs::Scope(Scope::View);
const OPERATE: Needs = Needs::Scope(Scope::Operate);
const ACCOUNT: Needs = Needs::Scope(Scope::Account);
const ADMINISTER: Needs = Needs::Scope(Scope::Administer);

/// The pages for operators and what all pages need.
pub(crate) fn pages(csms: &Csms) -> Pages {
    Pages::new(csms)
        .page(Method::GET, "/", VIEW, dashboard::show)
        .page(Method::GET, "/live", VIEW, live::board)
        .page(Method::POST, "/preferences", Needs::Nothing, preferences::choose)
        .page(Method::GET, "/assets/{*name}", Needs::Nothing, assets::serve)
        .merge(of_stations(csms))
        .merge(crate::payments::pages(csms))
        .merge(crate::payments::statement_pages(csms))
        .merge(of_money(csms))
        .merge(of_people(csms))
        .merge(of_upkeep(csms))
}

fn of_money(csms: &Csms) -> Pages {
    Pages::new(csms)
        .page(Method::GET, "/tariffs", VIEW, tariffs::list)
        .page(Method::POST, "/tariffs", ACCOUNT, tariffs::save)
        .page(Method::GET, "/tariffs/new", ACCOUNT, tariffs::new)
        .page(Method::GET, "/tariffs/{id}", VIEW, tariffs::show)
        .page(Method::POST, "/tariffs/{id}/state", ACCOUNT, tariffs::act)
        .page(Method::POST, "/tariffs/{id}/places", ACCOUNT, tariffs::place)
        .page(Method::GET, "/plans", VIEW, plans::list)
        .page(Method::POST, "/plans", ACCOUNT, plans::make)
        .page(Method::POST, "/drivers/{id}/subscription", ACCOUNT, plans::subscribe)
        .page(Method::POST, "/sessions/{station}/{id}/refund", ACCOUNT, sessions::refund)
        .page(Method::GET, "/payments", VIEW, payments::list)
        .page(Method::POST, "/payments", ACCOUNT, payments::top_up)
        .page(Method::POST, "/payments/{id}/refund", ACCOUNT, payments::refund)
        .page(Method::GET, "/ledger", ACCOUNT, ledger::list)
        .page(Method::GET, "/ledger/{account}", ACCOUNT, ledger::show)
        .page(Method::GET, "/invoices", VIEW, payments::list_invoices)
        .page(Method::POST, "/invoices", ACCOUNT, payments::make_invoice)
        .page(Method::GET, "/invoices/{number}", VIEW, payments::show_invoice)
}

fn of_people(csms: &Csms) -> Pages {
    Pages::new(csms)
        .page(Method::GET, "/drivers", VIEW, people::list_drivers)
        .page(Method::POST, "/drivers", OPERATE, people::create_driver)
        .page(Method::GET, "/drivers/{id}", VIEW, people::show_driver)
        .page(Method::POST, "/drivers/{id}", OPERATE, people::change_driver)
        .page(Method::GET, "/tokens", VIEW, people::list_tokens)
        .page(Method::POST, "/tokens", OPERATE, people::enter_token)
        .page(Method::GET, "/tokens/{token}", VIEW, token::show)
        .page(Method::POST, "/tokens/{token}", OPERATE, people::change_token)
        .page(Method::POST, "/tokens/{token}/terms", OPERATE, token::save)
        .page(Method::GET, "/audit", ADMINISTER, audit::show)
        .page(Method::GET, "/settings", ADMINISTER, settings::show)
        .page(Method::POST, "/settings/operators", ADMINISTER, settings::create_operator)
        .page(Method::POST, "/settings/operators/{id}", ADMINISTER, settings::change_operator)
        .page(Method::POST, "/settings/api-tokens", ADMINISTER, settings::create_token)
        .page(Method::POST, "/settings/api-tokens/{id}/revoke", ADMINISTER, settings::revoke_token)
}

fn of_upkeep(csms: &Csms) -> Pages {
    Pages::new(csms)
        .page(Method::GET, "/sites", VIEW, sites::list)
        .page(Method::POST, "/sites", OPERATE, sites::save)
        .page(Method::GET, "/sites/new", OPERATE, sites::new)
        .page(Method::GET, "/sites/{id}", VIEW, sites::show)
        .page(Method::POST, "/sites/{id}/remove", OPERATE, sites::remove)
        .page(Method::GET, "/faults", VIEW, faults::list)
        .page(Method::POST, "/faults/{id}", OPERATE, faults::act)
        .page(Method::GET, "/reports", VIEW, reports::show)
        .page(Method::GET, "/maintenance", VIEW, maintenance::list)
        .page(Method::POST, "/maintenance", OPERATE, maintenance::request)
        .page(Method::GET, "/maintenance/messages", VIEW, station_log::find)
        .page(Method::GET, "/maintenance/{id}", VIEW, maintenance::read)
        .page(Method::GET, "/maintenance/{id}/file", VIEW, maintenance::download)
        .page(Method::GET, "/firmware", VIEW, firmware::list)
        // The image is written to the disk as it comes, up to its own limit.
        .page(Method::POST, "/firmware", OPERATE, firmware::upload.layer(DefaultBodyLimit::disable()))
        .page(Method::GET, "/firmware/root", VIEW, firmware::root)
        .page(Method::POST, "/firmware/{id}", OPERATE, firmware::change)
        .page(Method::POST, "/firmware/rollouts", OPERATE, firmware::plan)
        .page(Method::GET, "/firmware/rollouts/{id}", VIEW, firmware::show)
        .page(Method::POST, "/firmware/rollouts/{id}", OPERATE, firmware::direct)
        .page(Method::GET, "/energy", VIEW, energy::show)
        .page(Method::POST, "/energy/prices", OPERATE, energy::import)
        .page(Method::POST, "/energy/signals", OPERATE, energy::signal)
        .page(Method::POST, "/energy/signals/{id}/remove", OPERATE, energy::remove_signal)
        .page(Method::GET, "/notifications", ADMINISTER, notifications::list)
        .page(Method::POST, "/notifications", ADMINISTER, notifications::subscribe)
        .page(Method::GET, "/notifications/{id}", ADMINISTER, notifications::show)
        .page(Method::POST, "/notifications/{id}", ADMINISTER, notifications::change)
}

fn of_stations(csms: &Csms) -> Pages {
    Pages::new(csms)
        .page(Method::GET, "/stations", VIEW, stations::list)
        .page(Method::POST, "/stations", OPERATE, stations::enter)
        .page(Method::GET, "/stations/{id}", VIEW, station::show)
        .page(Method::GET, "/stations/{id}/{tab}", VIEW, station::tab)
        .page(Method::GET, "/stations/{id}/live/stream", VIEW, station::stream)
        .page(Method::GET, "/stations/{id}/log/latest", VIEW, station_log::latest_frames)
        .page(Method::POST, "/stations/{id}/registration", OPERATE, stations::register)
        .page(Method::POST, "/stations/{id}/operate", OPERATE, operations::operate_station)
        .page(Method::POST, "/stations/{id}/administer", ADMINISTER, operations::administer_station)
        .page(Method::GET, "/sessions", VIEW, sessions::list)
        .page(Method::GET, "/sessions/{station}/{id}", VIEW, sessions::show)
        .page(Method::GET, "/explorer", OPERATE, explorer::show)
        .page(Method::POST, "/explorer", OPERATE, explorer::call)
        .page(Method::GET, "/explorer/schema/{version}/{action}", VIEW, explorer::schema)
}
