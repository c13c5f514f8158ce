//! The bearer token at the door.

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::Problem;
use crate::server::Csms;

pub(super) async fn require_token(State(csms): State<Csms>, request: Request, next: Next) -> Result<Response, Problem> {
    let presented = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = presented.and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    match token {
        Some(token) if csms.api_token().matches(token) => Ok(next.run(request).await),
        Some(_) => Err(Problem::new(StatusCode::UNAUTHORIZED, "the bearer token is wrong")),
        None => Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "send the API token in the header Authorization: Bearer …; it is OCPP_CSMS_API_TOKEN, or was shown at the first start",
        )),
    }
}
