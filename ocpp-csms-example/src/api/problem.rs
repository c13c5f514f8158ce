//! Errors as problem documents (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ocpp_core::csms;
use serde::Serialize;
use utoipa::ToSchema;

use crate::sites::SiteError;
use crate::stations::CallRefused;
use crate::store::StoreError;

/// What went wrong, in the form of RFC 9457.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// The HTTP status.
    #[schema(example = 404)]
    status: u16,
    /// What kind of problem it is.
    #[schema(example = "Not Found")]
    title: &'static str,
    /// What happened, and what to do.
    detail: String,
    /// Where the payload of a call departs from the schema.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<Finding>,
}

/// One departure of a payload from the schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Finding {
    /// Where in the payload, as JSON Pointer (RFC 6901); empty for the payload as a whole.
    path: String,
    /// The error code, as the station's version spells it.
    code: String,
    /// What is wrong.
    message: String,
}

impl From<csms::Finding> for Finding {
    fn from(finding: csms::Finding) -> Self {
        Self { path: finding.path, code: finding.code, message: finding.message }
    }
}

impl Problem {
    /// What happened, and what to do.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        Self { status: status.as_u16(), title, detail: detail.into(), findings: Vec::new() }
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub(super) fn unknown_station(id: &str) -> Self {
        Self::not_found(format!("there is no station {id:?}; enter it with PUT /api/v1/stations/{{id}}"))
    }

    pub(super) fn findings(detail: impl Into<String>, findings: Vec<Finding>) -> Self {
        Self { findings, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail) }
    }
}

impl Finding {
    pub(super) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { path: String::new(), code: code.to_owned(), message: message.into() }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        // The caller learns that it failed; how, is for the operator.
        tracing::error!(%error, "a request failed");
        if error.is_full() {
            return Self::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "the disk of the database is full, so nothing was changed: make room on it, or raise max_database_size, then try again",
            );
        }
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the database failed; the log of the server says how")
    }
}

impl From<SiteError> for Problem {
    fn from(error: SiteError) -> Self {
        match error {
            SiteError::Invalid(_) => Self::bad_request(error.to_string()),
            SiteError::Unknown(what) => Self::not_found(what),
            SiteError::Taken { .. } => Self::new(StatusCode::CONFLICT, error.to_string()),
            SiteError::Store(error) => error.into(),
        }
    }
}

impl From<CallRefused> for Problem {
    fn from(refused: CallRefused) -> Self {
        let status = match refused {
            CallRefused::NotConnected => StatusCode::CONFLICT,
            CallRefused::Busy => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, refused.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
