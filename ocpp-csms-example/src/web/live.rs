//! The page's stream: its changing part anew whenever something changed.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::sync::watch;

use super::{Web, overview};

/// Changes that follow each other faster are shown together.
const PAUSE: Duration = Duration::from_millis(250);

pub(super) async fn stream(State(web): State<Web>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut changes = web.csms.stations().changes();
    // The page may be older than its stream: the first event comes at once.
    changes.mark_changed();
    Sse::new(unfold((web, changes), |(web, mut changes)| async move {
        let event = next(&web, &mut changes).await?;
        Some((Ok(event), (web, changes)))
    }))
    .keep_alive(KeepAlive::default())
}

/// The next event; `None` at the end of the server.
async fn next(web: &Web, changes: &mut watch::Receiver<u64>) -> Option<Event> {
    loop {
        let changed = async {
            changes.changed().await.ok()?;
            tokio::time::sleep(PAUSE).await;
            changes.mark_unchanged();
            Some(())
        };
        web.stop.run_until_cancelled(changed).await??;
        match overview::fragment(&web.csms).await {
            Ok(fragment) => return Some(Event::default().event("overview").data(fragment)),
            Err(error) => tracing::error!(%error, "the page cannot be kept current"),
        }
    }
}
