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
mod preferences;
pub mod texts;

use axum::Router;
use axum::routing::{get, post};
use tokio_util::sync::CancellationToken;
use tower_http::compression::CompressionLayer;

pub use assets::asset;
pub use fields::Fields;
pub use flash::Flash;
pub(crate) use headers::protect;
pub use language::Language;
pub use page::{Group, Link, Page, Viewer};

use crate::server::Csms;

#[derive(Debug, Clone)]
struct Web {
    csms: Csms,
    /// Open streams end with the server, which otherwise would wait for them.
    stop: CancellationToken,
}

/// The pages for operators and what all pages need.
pub(crate) fn routes(csms: Csms, stop: CancellationToken) -> Router {
    Router::new()
        .route("/", get(dashboard::show))
        .route("/live", get(live::stream))
        .route("/preferences", post(preferences::choose))
        .route("/assets/{*name}", get(assets::serve))
        .layer(CompressionLayer::new())
        .with_state(Web { csms, stop })
}
