//! Whether the server lives, and whether it can work.

use axum::extract::State;
use axum::http::StatusCode;

use super::Problem;
use crate::server::Csms;

/// The process answers.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// The database answers, too.
pub(super) async fn ready(State(csms): State<Csms>) -> Result<&'static str, Problem> {
    csms.store().check().await.map_err(|error| {
        tracing::error!(%error, "not ready");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer; the log of the server says why")
    })?;
    Ok("ok\n")
}
