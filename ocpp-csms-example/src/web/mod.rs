//! The operator's page at `/`: stations, running sessions and bills, kept current by server-sent events.
//!
//! It shows and changes nothing, holds no secret and asks for no sign-in; whoever reaches the port reads it. Everything it needs
//! is in the binary.

mod live;
mod overview;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tokio_util::sync::CancellationToken;

use crate::server::Csms;

/// Nothing is loaded from elsewhere, and no other page frames this one.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(Debug, Clone)]
struct Web {
    csms: Csms,
    /// Open streams end with the server, which otherwise would wait for them.
    stop: CancellationToken,
}

/// The page and what belongs to it.
pub(crate) fn routes(csms: Csms, stop: CancellationToken) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/live", get(live::stream))
        .route("/assets/page.css", get(|| asset("text/css; charset=utf-8", include_str!("../../assets/page.css"))))
        .route("/assets/page.js", get(|| asset("text/javascript; charset=utf-8", include_str!("../../assets/page.js"))))
        .route("/assets/icon.svg", get(|| asset("image/svg+xml", include_str!("../../assets/icon.svg"))))
        .with_state(Web { csms, stop })
}

async fn page(State(web): State<Web>) -> Response {
    match overview::page(&web.csms).await {
        Ok(page) => ([(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY)], Html(page)).into_response(),
        Err(error) => {
            tracing::error!(%error, "the page cannot be made");
            (StatusCode::INTERNAL_SERVER_ERROR, "The page cannot be made; the log of the server says why.\n")
                .into_response()
        }
    }
}

async fn asset(kind: &'static str, content: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], content)
}
