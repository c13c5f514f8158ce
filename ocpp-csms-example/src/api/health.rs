//! Whether the server lives, whether it can work, and how much it does.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;

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

/// Figures for Prometheus.
pub(super) async fn metrics(State(csms): State<Csms>) -> Result<impl IntoResponse, Problem> {
    let text = csms.stations().metrics().text().map_err(|error| {
        tracing::error!(%error, "no metrics");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the figures cannot be written")
    })?;
    Ok(([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text))
}
