//! The stream of the dashboard: its changing part anew whenever something changed.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::sync::watch;

use super::{Page, dashboard};
use crate::server::Csms;
use crate::store::StoreError;

/// Changes that follow each other faster are shown together.
const PAUSE: Duration = Duration::from_millis(250);

/// Why a part cannot be renewed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the template: {0}")]
    Template(#[from] askama::Error),
}

pub(super) async fn stream(page: Page, State(csms): State<Csms>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut changes = csms.stations().changes();
    // The page may be older than its stream: the first event comes at once.
    changes.mark_changed();
    Sse::new(unfold((csms, page, changes), |(csms, page, mut changes)| async move {
        let event = next(&csms, &page, &mut changes).await?;
        Some((Ok(event), (csms, page, changes)))
    }))
    .keep_alive(KeepAlive::default())
}

/// The next event; `None` at the end of the server.
async fn next(csms: &Csms, page: &Page, changes: &mut watch::Receiver<u64>) -> Option<Event> {
    loop {
        let changed = async {
            changes.changed().await.ok()?;
            tokio::time::sleep(PAUSE).await;
            changes.mark_unchanged();
            Some(())
        };
        csms.stopping().run_until_cancelled(changed).await??;
        match dashboard::fragment(csms, page).await {
            Ok(fragment) => return Some(Event::default().event("board").data(fragment)),
            Err(error) => tracing::error!(%error, "the dashboard cannot be kept current"),
        }
    }
}
