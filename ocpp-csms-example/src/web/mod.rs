//! The pages: a frame that all of them share, and those for operators.
//!
//! A page is a template with a [`Page`], which the handler takes from the request and which knows the language, who is signed
//! in and what came of the form before. Pages are made on the server and work without scripts; with them, parts that change
//! are renewed by server-sent events. Everything is in the binary, and nothing is loaded from elsewhere.

mod assets;
mod chart;
mod dashboard;
mod explorer;
mod fields;
mod flash;
pub mod format;
mod headers;
mod language;
mod live;
mod operations;
mod page;
mod pager;
mod preferences;
mod sessions;
mod station;
mod stations;
pub mod texts;

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
const ADMINISTER: Needs = Needs::Scope(Scope::Administer);

/// The pages for operators and what all pages need.
pub(crate) fn pages(csms: &Csms) -> Pages {
    Pages::new(csms)
        .page(Method::GET, "/", VIEW, dashboard::show)
        .page(Method::GET, "/live", VIEW, live::board)
        .page(Method::POST, "/preferences", Needs::Nothing, preferences::choose)
        .page(Method::GET, "/assets/{*name}", Needs::Nothing, assets::serve)
        .merge(of_stations(csms))
}

fn of_stations(csms: &Csms) -> Pages {
    Pages::new(csms)
        .page(Method::GET, "/stations", VIEW, stations::list)
        .page(Method::POST, "/stations", OPERATE, stations::enter)
        .page(Method::GET, "/stations/{id}", VIEW, station::show)
        .page(Method::GET, "/stations/{id}/{tab}", VIEW, station::tab)
        .page(Method::GET, "/stations/{id}/live/stream", VIEW, station::stream)
        .page(Method::GET, "/stations/{id}/log/latest", VIEW, station::latest_frames)
        .page(Method::POST, "/stations/{id}/registration", OPERATE, stations::register)
        .page(Method::POST, "/stations/{id}/operate", OPERATE, operations::operate_station)
        .page(Method::POST, "/stations/{id}/administer", ADMINISTER, operations::administer_station)
        .page(Method::GET, "/sessions", VIEW, sessions::list)
        .page(Method::GET, "/sessions/{station}/{id}", VIEW, sessions::show)
        .page(Method::GET, "/explorer", OPERATE, explorer::show)
        .page(Method::POST, "/explorer", OPERATE, explorer::call)
        .page(Method::GET, "/explorer/schema/{version}/{action}", VIEW, explorer::schema)
}
