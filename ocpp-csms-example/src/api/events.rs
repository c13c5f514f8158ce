//! What happens at stations, as a stream.

use std::collections::{HashSet, VecDeque};
use std::convert::Infallible;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{self, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use serde::Deserialize;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use utoipa::IntoParams;

use super::Problem;
use super::body::Query;
use crate::server::Csms;
use crate::stations::{Event, Notice, What, kind_fits};

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Only those of this station.
    station: Option<String>,
    /// Only those of these kinds, separated by commas; `transaction.*` stands for all that begin so.
    kind: Option<String>,
    /// Only those after the event with this number, as far as they are remembered; the header `Last-Event-ID` has precedence. Default:
    /// from now on.
    after: Option<u64>,
}

struct Filter {
    station: Option<String>,
    kinds: Option<HashSet<String>>,
}

impl Filter {
    fn new(station: Option<String>, kinds: Option<&str>) -> Result<Self, Problem> {
        let kinds = kinds.map(|kinds| kinds.split(',').map(|kind| kind.trim().to_owned()).collect::<HashSet<_>>());
        for kind in kinds.iter().flatten() {
            if !What::KINDS.iter().any(|known| kind_fits(kind, known)) {
                return Err(Problem::bad_request(format!(
                    "there are no events {kind:?}; the kinds are {}",
                    What::KINDS.join(", ")
                )));
            }
        }
        Ok(Self { station, kinds })
    }

    fn takes(&self, notice: &Notice) -> bool {
        self.station.as_deref().is_none_or(|station| station == &*notice.station)
            && self.kinds.as_ref().is_none_or(|kinds| kinds.iter().any(|kind| kind_fits(kind, notice.what.kind())))
    }
}

/// What happens from now on, or after an event, as server-sent events: `id` is the number, `event` the kind, `data` an event. Who does not
/// read fast enough gets an event `gap` for what was missed. The last 4096 events are remembered.
#[utoipa::path(get, path = "/api/v1/events", tag = "events", operation_id = "stream_events", params(Which,
        ("Last-Event-ID" = Option<u64>, Header, description = "The number of the last event that was read")),
    security(("bearer" = ["view"])),
    responses((status = 200, description = "A stream of events", body = Event, content_type = "text/event-stream"),
        (status = 400, body = Problem)))]
pub(super) async fn stream(
    State(csms): State<Csms>,
    Query(which): Query<Which>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<sse::Event, Infallible>>>, Problem> {
    let filter = Filter::new(which.station, which.kind.as_deref())?;
    let last = match headers.get("last-event-id").map(|value| value.to_str().ok().and_then(|text| text.parse().ok())) {
        Some(Some(number)) => Some(number),
        Some(None) => return Err(Problem::bad_request("Last-Event-ID is the number of an event")),
        None => which.after,
    };
    let (missed, lost, notices) = match last {
        Some(number) => csms.stations().notices_after(number),
        None => (Vec::new(), false, csms.stations().notices()),
    };
    let mut waiting: VecDeque<sse::Event> = lost.then(gap).into_iter().collect();
    waiting.extend(missed.iter().filter(|notice| filter.takes(notice)).map(to_sse));
    let stop = csms.stopping().clone();
    let stream = unfold((filter, waiting, notices), move |(filter, mut waiting, mut notices)| {
        let stop = stop.clone();
        async move {
            let event = match waiting.pop_front() {
                Some(event) => event,
                None => stop.run_until_cancelled(next(&filter, &mut notices)).await??,
            };
            Some((Ok(event), (filter, waiting, notices)))
        }
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

/// The next event that somebody wants; `None` at the end of the server.
async fn next(filter: &Filter, notices: &mut broadcast::Receiver<Notice>) -> Option<sse::Event> {
    loop {
        match notices.recv().await {
            Ok(notice) if filter.takes(&notice) => return Some(to_sse(&notice)),
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return Some(gap()),
            Err(RecvError::Closed) => return None,
        }
    }
}

fn to_sse(notice: &Notice) -> sse::Event {
    let event = Event::from(notice);
    let data = serde_json::to_string(&event).unwrap_or_default();
    sse::Event::default().id(event.id.to_string()).event(event.kind).data(data)
}

fn gap() -> sse::Event {
    sse::Event::default().event("gap").data("{}")
}
