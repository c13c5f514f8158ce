//! The frame codec.

use ocpp_core::rpc::{Frame, FrameError, MessageType};
use ocpp_core::types::Version;
use serde::de::IgnoredAny;

/// A text that is a frame is written again as the same frame; one that is not has a problem, and an answer that is one.
pub fn check(text: &str) {
    for version in Version::ALL {
        match Frame::parse(text, version) {
            Ok(frame) => {
                let again = frame.encode();
                assert_eq!(Frame::parse(&again, version), Ok(frame));
            }
            Err(error) => {
                if let Some(answer) = error.answer(version) {
                    let answer = Frame::parse(&answer, version);
                    // The id of a call is repeated exactly, also where it is too long.
                    assert!(answer.is_ok_and(|answer| !answer.id().is_empty()) || is_odd(&error));
                }
            }
        }
    }
    let _ = FrameError::of_payload(MessageType::Call, text);
}

/// Whether the id that has to be repeated is itself one that no frame may have, or nothing.
fn is_odd(error: &FrameError<'_>) -> bool {
    error.message_id.as_ref().is_some_and(|id| id.is_empty() || id.chars().count() > ocpp_core::rpc::MAX_MESSAGE_ID)
}

/// Whether a text is JSON.
pub(crate) fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}
