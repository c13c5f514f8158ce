//! Parts of pages that are made anew whenever something changed.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::sync::watch;

use super::{Page, dashboard};
use crate::reports::ReportError;
use crate::server::Csms;
use crate::sites::SiteError;
use crate::stations::InspectionError;
use crate::store::StoreError;

/// Changes that follow each other faster are shown together.
const PAUSE: Duration = Duration::from_millis(250);

/// Why a part cannot be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error(transparent)]
    Inspection(#[from] InspectionError),
    #[error(transparent)]
    Site(#[from] SiteError),
    #[error("the template: {0}")]
    Template(#[from] askama::Error),
}

/// The board of the dashboard.
pub(super) async fn board(page: Page, State(csms): State<Csms>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    renew(csms, "board", move |csms| {
        let page = page.clone();
        async move { dashboard::fragment(&csms, &page).await }
    })
}

/// Sends a part at once, and again whenever something changed, until the server ends.
pub(super) fn renew<M, F>(csms: Csms, name: &'static str, make: M) -> Sse<impl Stream<Item = Result<Event, Infallible>>>
where
    M: Fn(Csms) -> F + Send + Sync + 'static,
    F: Future<Output = Result<String, Failed>> + Send + 'static,
{
    let mut changes = csms.stations().changes();
    // The page may be older than its stream: the first event comes at once.
    changes.mark_changed();
    Sse::new(unfold((csms, make, changes), move |(csms, make, mut changes)| async move {
        let part = next(&csms, &make, &mut changes).await?;
        Some((Ok(Event::default().event(name).data(part)), (csms, make, changes)))
    }))
    .keep_alive(KeepAlive::default())
}

/// The next event; `None` at the end of the server.
async fn next<M, F>(csms: &Csms, make: &M, changes: &mut watch::Receiver<u64>) -> Option<String>
where
    M: Fn(Csms) -> F,
    F: Future<Output = Result<String, Failed>>,
{
    loop {
        let changed = async {
            changes.changed().await.ok()?;
            tokio::time::sleep(PAUSE).await;
            changes.mark_unchanged();
            Some(())
        };
        csms.stopping().run_until_cancelled(changed).await??;
        match make(csms.clone()).await {
            Ok(part) => return Some(part),
            Err(error) => tracing::error!(%error, "a page cannot be kept current"),
        }
    }
}
