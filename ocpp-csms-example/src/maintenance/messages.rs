//! Searching the OCPP log of a station: by time, direction, action, message id and text.
//!
//! An answer belongs to the action of its call, so calls are remembered until they are answered. The log of a station is bounded, and is
//! read from its beginning a page at a time; nothing of it is held longer than needed.

use std::collections::{HashMap, VecDeque};

use futures_util::stream::{self, Stream};
use jiff::Timestamp;
use serde_json::value::RawValue;

use super::MaintenanceError;
use crate::server::Csms;
use crate::store::{Direction, StoreError, StoredMessage};

/// Frames that are read at once.
const PAGE: u32 = 500;
/// Calls that are remembered without an answer.
const CALLS: usize = 1_000;

/// Which frames. What is `None` may be anything.
#[derive(Debug, Clone, Default)]
pub struct MessageFilter {
    /// Not before this moment.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// Which way they went.
    pub direction: Option<Direction>,
    /// The action, of calls and of their answers, in any case.
    pub action: Option<String>,
    /// The id of the message.
    pub message_id: Option<String>,
    /// What the frame has in it, in any case.
    pub text: Option<String>,
}

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FrameKind {
    /// CALL.
    Call,
    /// CALLRESULT.
    Result,
    /// CALLERROR, or CALLRESULTERROR of 2.1.
    Error,
    /// SEND of 2.1.
    Send,
    /// None of OCPP's.
    Unknown,
}

/// A frame, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundMessage {
    /// As it is kept.
    pub message: StoredMessage,
    /// What it is.
    pub kind: FrameKind,
    /// Its id.
    pub id: Option<String>,
    /// The action; of an answer, that of its call.
    pub action: Option<String>,
}

impl MessageFilter {
    /// Checks that something can match.
    ///
    /// # Errors
    /// When the range is reversed.
    pub fn check(&self) -> Result<(), MaintenanceError> {
        if self.from.zip(self.until).is_some_and(|(from, until)| from >= until) {
            return Err(MaintenanceError::Invalid("from is not before until: turn them around".to_owned()));
        }
        Ok(())
    }

    fn matches(&self, found: &FoundMessage) -> bool {
        let at = found.message.at;
        let same = |wanted: &Option<String>, is: &Option<String>| {
            wanted.as_ref().is_none_or(|wanted| is.as_ref().is_some_and(|is| is.eq_ignore_ascii_case(wanted)))
        };
        self.from.is_none_or(|from| at >= from)
            && self.until.is_none_or(|until| at < until)
            && self.direction.is_none_or(|direction| direction == found.message.direction)
            && same(&self.action, &found.action)
            && self.message_id.as_ref().is_none_or(|id| found.id.as_ref() == Some(id))
            && self.text.as_ref().is_none_or(|text| found.message.text.to_lowercase().contains(&text.to_lowercase()))
    }
}

/// Knows what an answer answers.
#[derive(Debug, Default)]
struct Reader {
    /// The actions of calls without an answer, by direction and id.
    calls: HashMap<(bool, String), String>,
    /// Their order, so that the oldest is forgotten first.
    order: VecDeque<(bool, String)>,
}

impl Reader {
    fn read(&mut self, message: StoredMessage) -> FoundMessage {
        let head = head(&message.text);
        let is_received = message.direction == Direction::Received;
        let (kind, id, action) = match head {
            Some((2, id, action)) => {
                if let Some(action) = &action {
                    let key = (is_received, id.clone());
                    self.calls.insert(key.clone(), action.clone());
                    self.order.push_back(key);
                    if self.order.len() > CALLS
                        && let Some(oldest) = self.order.pop_front()
                    {
                        self.calls.remove(&oldest);
                    }
                }
                (FrameKind::Call, Some(id), action)
            }
            // An answer goes the other way.
            Some((3, id, _)) => (FrameKind::Result, Some(id.clone()), self.calls.remove(&(!is_received, id))),
            Some((4, id, _)) => (FrameKind::Error, Some(id.clone()), self.calls.remove(&(!is_received, id))),
            Some((5, id, _)) => (FrameKind::Error, Some(id), None),
            Some((6, id, action)) => (FrameKind::Send, Some(id), action),
            _ => (FrameKind::Unknown, None, None),
        };
        FoundMessage { message, kind, id, action }
    }
}

/// Type, id and action of a frame, also of one that was cut.
fn head(text: &str) -> Option<(u8, String, Option<String>)> {
    if let Ok(parts) = serde_json::from_str::<Vec<&RawValue>>(text) {
        let kind = parts.first()?.get().parse().ok()?;
        let id = serde_json::from_str(parts.get(1)?.get()).ok()?;
        let action = parts.get(2).and_then(|action| serde_json::from_str(action.get()).ok());
        return Some((kind, id, action));
    }
    // The beginning of a frame that was too long to be kept whole.
    let mut parts = text.trim_start().strip_prefix('[')?.splitn(4, ',');
    let kind = parts.next()?.trim().parse().ok()?;
    let id = serde_json::from_str(parts.next()?.trim()).ok()?;
    let action = parts.next().and_then(|action| serde_json::from_str(action.trim()).ok());
    Some((kind, id, action))
}

/// All frames that match, the oldest first, as they are read.
pub fn matching(
    csms: &Csms,
    station: String,
    filter: MessageFilter,
) -> impl Stream<Item = Result<Vec<FoundMessage>, StoreError>> + Send + use<> {
    let store = csms.store().clone();
    let begin = (store, station, filter, Reader::default(), 0_i64);
    stream::try_unfold(begin, |(store, station, filter, mut reader, after)| async move {
        let page = store.messages_after(&station, after, PAGE).await?;
        let Some(after) = page.last().map(|last| last.number) else { return Ok(None) };
        let found = page.into_iter().map(|message| reader.read(message)).filter(|found| filter.matches(found));
        Ok(Some((found.collect(), (store, station, filter, reader, after))))
    })
}

/// The latest frames that match with numbers below `before`, at most `limit`, the oldest first.
///
/// # Errors
/// When there is no such station, or nothing can match.
pub async fn search(
    csms: &Csms,
    station: &str,
    filter: MessageFilter,
    before: Option<i64>,
    limit: usize,
) -> Result<Vec<FoundMessage>, MaintenanceError> {
    filter.check()?;
    csms.store().station(station).await?.ok_or_else(|| MaintenanceError::unknown("station", station))?;
    csms.message_log().flush().await;
    let mut latest = VecDeque::new();
    let (mut reader, mut after) = (Reader::default(), 0);
    loop {
        let page = csms.store().messages_after(station, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.number;
        for message in page {
            if before.is_some_and(|before| message.number >= before) {
                return Ok(latest.into());
            }
            let found = reader.read(message);
            if filter.matches(&found) {
                latest.push_back(found);
                if latest.len() > limit {
                    latest.pop_front();
                }
            }
        }
    }
    Ok(latest.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: i64, direction: Direction, text: &str) -> StoredMessage {
        StoredMessage { number, at: Timestamp::from_second(number).unwrap(), direction, text: text.to_owned() }
    }

    fn found(filter: &MessageFilter) -> Vec<i64> {
        use Direction::{Received, Sent};
        let mut reader = Reader::default();
        [
            message(1, Received, "[2,\"a\",\"Heartbeat\",{}]"),
            message(2, Sent, "[2,\"a\",\"Reset\",{\"type\":\"Immediate\"}]"),
            message(3, Sent, "[3,\"a\",{\"currentTime\":\"now\"}]"),
            message(4, Received, "[4,\"a\",\"NotSupported\",\"\",{}]"),
            message(5, Received, "[6,\"b\",\"NotifyPeriodicEventStream\",{}]"),
            message(6, Received, "[2,\"c\",\"DataTransfer\",{\"data\":\"cut off"),
            message(7, Received, "nonsense"),
        ]
        .into_iter()
        .map(|message| reader.read(message))
        .filter(|found| filter.matches(found))
        .map(|found| found.message.number)
        .collect()
    }

    #[test]
    fn an_answer_is_found_by_the_action_of_its_call() {
        let action =
            |action: &str| found(&MessageFilter { action: Some(action.to_owned()), ..MessageFilter::default() });
        // Both sides may use the same id.
        assert_eq!(action("heartbeat"), [1, 3]);
        assert_eq!(action("Reset"), [2, 4]);
        assert_eq!(action("DataTransfer"), [6]);
        assert_eq!(action("NotifyPeriodicEventStream"), [5]);
    }

    #[test]
    fn frames_are_found_by_time_direction_id_and_text() {
        let filter = MessageFilter::default();
        assert_eq!(found(&filter).len(), 7);
        let at = |second| Some(Timestamp::from_second(second).unwrap());
        assert_eq!(found(&MessageFilter { from: at(2), until: at(4), ..filter.clone() }), [2, 3]);
        assert_eq!(found(&MessageFilter { direction: Some(Direction::Sent), ..filter.clone() }), [2, 3]);
        assert_eq!(found(&MessageFilter { message_id: Some("b".to_owned()), ..filter.clone() }), [5]);
        assert_eq!(found(&MessageFilter { text: Some("IMMEDIATE".to_owned()), ..filter.clone() }), [2]);
        assert!(MessageFilter { from: at(4), until: at(2), ..filter }.check().is_err());
    }
}
