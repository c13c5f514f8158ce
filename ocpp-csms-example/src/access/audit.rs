//! The audit log: who did what, when, on what, from where.

use std::fmt;

use jiff::Timestamp;
use uuid::Uuid;

use super::Actor;
use crate::server::Csms;
use crate::store::AuditEntry;

/// Characters of a detail.
const MAX_DETAIL: usize = 2_000;

impl Csms {
    /// Keeps what an actor did, after it was done. `action` is `object_kind.verb_in_the_past`, such as `tariff.created`; `object` is the id
    /// of what it was done to; `detail` says what a reader would ask next, and never holds a secret.
    ///
    /// A failure is logged and nothing else: what was done is done.
    pub async fn audit(&self, actor: &Actor, action: &str, object: impl fmt::Display, detail: impl fmt::Display) {
        let entry = AuditEntry {
            id: Uuid::now_v7().to_string(),
            at: Timestamp::now(),
            actor_kind: actor.kind().to_owned(),
            actor_id: actor.id().map(str::to_owned),
            actor_name: actor.name().to_owned(),
            action: action.to_owned(),
            object: object.to_string(),
            detail: detail.to_string().chars().take(MAX_DETAIL).collect(),
            address: actor.address.map(|address| address.to_string()),
        };
        if let Err(error) = self.store().put_audit(&entry).await {
            tracing::error!(%error, actor = entry.actor_name, action, object = entry.object, "the audit log was not kept");
        }
    }
}
