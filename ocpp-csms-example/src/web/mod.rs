//! The pages: a frame that all of them share, and those for operators.
//!
//! A page is a template with a [`Page`], which the handler takes from the request and which knows the language, who is signed
//! in and what came of the form before. Pages are made on the server and work without scripts; with them, parts that change
//! are renewed by server-sent events. Everything is in the binary, and nothing is loaded from elsewhere.

mod assets;
mod dashboard;
mod fields;
mod flash;
pub mod format;
mod headers;
mod language;
mod live;
mod page;
mod pager;
mod preferences;
pub mod texts;

use axum::http::Method;

pub use assets::asset;
pub use fields::Fields;
pub use flash::Flash;
pub(crate) use headers::protect;
pub use language::Language;
pub use page::{Group, Link, Page};
pub use pager::Pager;

use crate::access::{Needs, Pages, Scope};
use crate::server::Csms;

const VIEW: Needs = Needs::Scope(Scope::View);

/// The pages for operators and what all pages need.
pub(crate) fn pages(csms: &Csms) -> Pages {
    Pages::new(csms)
        .page(Method::GET, "/", VIEW, dashboard::show)
        .page(Method::GET, "/live", VIEW, live::stream)
        .page(Method::POST, "/preferences", Needs::Nothing, preferences::choose)
        .page(Method::GET, "/assets/{*name}", Needs::Nothing, assets::serve)
}
