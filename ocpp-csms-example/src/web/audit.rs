//! The audit log.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::Page;
use crate::server::Csms;
use crate::store::{AuditEntry, AuditFilter};

/// Entries on a page.
const SIZE: usize = 100;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    action: String,
    #[serde(default)]
    actor: String,
    #[serde(default)]
    object: String,
    before: Option<String>,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct Audit {
    page: Page,
    wanted: Wanted,
    entries: Vec<AuditEntry>,
    next: Option<String>,
}

pub(super) async fn show(page: Page, State(csms): State<Csms>, Query(wanted): Query<Wanted>) -> Response {
    let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let filter = AuditFilter {
        action: some(&wanted.action),
        actor: some(&wanted.actor),
        object: some(&wanted.object),
        before: wanted.before.clone(),
        ..AuditFilter::default()
    };
    let limit = u32::try_from(SIZE + 1).unwrap_or(u32::MAX);
    let mut entries = match csms.store().audit(&filter, limit).await {
        Ok(entries) => entries,
        Err(error) => return page.broken(&error),
    };
    let more = entries.len() > SIZE;
    entries.truncate(SIZE);
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let next = entries.last().filter(|_| more).map(|last| {
        let [action, actor, object] = [&wanted.action, &wanted.actor, &wanted.object].map(|text| encode(text));
        format!("/audit?action={action}&actor={actor}&object={object}&before={}", last.id)
    });
    page.show(&Audit { page: page.clone(), wanted, entries, next })
}
