//! The audit log.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Problem;
use super::body::Query;
use super::tokens::limit;
use crate::server::Csms;
use crate::store::{AuditEntry, AuditFilter};

/// Lines that are exported at once.
const EXPORTED: u32 = 100_000;

/// One line of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditView {
    /// Its id; later ones are greater.
    id: String,
    /// When it was done.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// What kind of actor did it: `operator`, `driver`, `api_token`, `installation`, `program` or `anonymous`.
    actor_kind: String,
    /// The actor's account or API token.
    actor_id: Option<String>,
    /// What the actor was called then.
    actor_name: String,
    /// What was done.
    #[schema(example = "tariff.created")]
    action: String,
    /// On what.
    object: String,
    /// What else is worth knowing.
    detail: String,
    /// From where.
    address: Option<String>,
}

impl From<AuditEntry> for AuditView {
    fn from(entry: AuditEntry) -> Self {
        let AuditEntry { id, at, actor_kind, actor_id, actor_name, action, object, detail, address } = entry;
        Self { id, at, actor_kind, actor_id, actor_name, action, object, detail, address }
    }
}

/// Which lines.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// What was done: the whole name, such as `tariff.created`, or its beginning, such as `tariff`.
    action: Option<String>,
    /// On what.
    object: Option<String>,
    /// Who: the id of an account or API token, or a name.
    actor: Option<String>,
    /// Not earlier than this.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Earlier than this.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Only lines before this id: the last of the part before.
    before: Option<String>,
    /// How many at most: 1 to 1000, by default 100. An export has 100,000.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

impl Which {
    fn filter(self) -> AuditFilter {
        let Self { action, object, actor, from, until, before, limit: _ } = self;
        AuditFilter { action, object, actor, from, until, before }
    }
}

/// What was done, the latest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "access", operation_id = "list_audit", params(Which),
    security(("bearer" = ["administer"])), responses((status = 200, body = Vec<AuditView>), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(csms): State<Csms>,
    Query(which): Query<Which>,
) -> Result<axum::Json<Vec<AuditView>>, Problem> {
    let limit = limit(which.limit)?;
    let entries = csms.store().audit(&which.filter(), limit).await?;
    Ok(axum::Json(entries.into_iter().map(AuditView::from).collect()))
}

/// What was done, as CSV, the latest first.
#[utoipa::path(get, path = "/api/v1/audit.csv", tag = "access", operation_id = "export_audit", params(Which),
    security(("bearer" = ["administer"])),
    responses((status = 200, content_type = "text/csv", body = String), (status = 400, body = Problem)))]
pub(super) async fn export(State(csms): State<Csms>, Query(which): Query<Which>) -> Result<impl IntoResponse, Problem> {
    let entries = csms.store().audit(&which.filter(), EXPORTED).await?;
    let mut writer = csv::Writer::from_writer(Vec::new());
    for entry in entries {
        let mut view = AuditView::from(entry);
        for text in [&mut view.actor_name, &mut view.object, &mut view.detail] {
            *text = harmless(std::mem::take(text));
        }
        writer.serialize(view).map_err(|error| broken(&error))?;
    }
    let csv = writer.into_inner().map_err(|error| broken(&error))?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\""),
    ];
    Ok((headers, csv))
}

fn broken(error: &impl std::fmt::Display) -> Problem {
    tracing::error!(%error, "the audit log cannot be written as CSV");
    Problem::new(axum::http::StatusCode::INTERNAL_SERVER_ERROR, "the export failed; the log of the server says how")
}

/// A table calculation runs what begins like a formula; people choose names and details.
fn harmless(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_run_as_a_formula_is_a_text() {
        assert_eq!(harmless("=1+1".to_owned()), "'=1+1");
        assert_eq!(harmless("+250788123456".to_owned()), "'+250788123456");
        assert_eq!(harmless("ada".to_owned()), "ada");
    }
}
