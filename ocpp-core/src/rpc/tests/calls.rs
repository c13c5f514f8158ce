//! Calls of this side, and what becomes of them.

use alloc::format;
use alloc::string::ToString as _;
use alloc::vec::Vec;
use core::time::Duration;

use ocpp_types::{ErrorCode, Json, Version};

use super::{NOW, calling, endpoint, endpoint_with, incoming, sent};
use crate::rpc::{
    CallError, CallFailure, EndpointConfig, MessageType, NotAccepted, OutgoingCall, Problem, Received, SendNotAccepted,
};

fn heartbeat() -> OutgoingCall {
    OutgoingCall::new("Heartbeat", "{}")
}

// 2.1 part 4, 4.1.1; 1.6-J, 4.1.1
#[test]
fn one_call_at_a_time_waits_for_its_answer() {
    for version in Version::ALL {
        let mut endpoint = endpoint(version);
        let (first, first_id) = calling(&mut endpoint, "Heartbeat");
        let second = endpoint.call(OutgoingCall::new("StatusNotification", r#"{"a":1}"#)).unwrap();
        assert_eq!(sent(&mut endpoint), [""; 0]);
        assert_eq!((endpoint.outstanding(), endpoint.queued()), (Some(first), 1));

        let answer = format!(r#"[3,"{first_id}",{{"currentTime":"…"}}]"#);
        let Received::Result(result) = endpoint.handle_text(&answer) else { panic!() };
        assert_eq!((result.call, &*result.action), (first, "Heartbeat"));
        assert_eq!(result.payload, r#"{"currentTime":"…"}"#);

        let next = sent(&mut endpoint);
        assert_eq!(next.len(), 1);
        assert!(next[0].ends_with(r#","StatusNotification",{"a":1}]"#), "{next:?}");
        assert_eq!(endpoint.outstanding(), Some(second));
    }
}

// 2.1 part 4, 4.1.1: calls of both sides may cross
#[test]
fn a_call_of_the_peer_is_answered_while_one_of_this_side_waits() {
    let mut endpoint = endpoint(Version::V2_1);
    let (call, id) = calling(&mut endpoint, "Heartbeat");
    // Both sides may even use the same message id.
    let text = format!(r#"[2,"{id}","Reset",{{}}]"#);
    let reset = incoming(&mut endpoint, &text);
    assert!(endpoint.respond(reset.id, r#"{"status":"Accepted"}"#));
    assert_eq!(sent(&mut endpoint), [format!(r#"[3,"{id}",{{"status":"Accepted"}}]"#)]);
    assert_eq!(endpoint.outstanding(), Some(call));
}

#[test]
fn an_error_fails_the_call_with_everything_the_peer_says() {
    let mut endpoint = endpoint(Version::V1_6);
    let (call, id) = calling(&mut endpoint, "Heartbeat");
    let text = format!(r#"[4,"{id}","FormationViolation","what?",{{"why":1}}]"#);
    let Received::Failed(failed) = endpoint.handle_text(&text) else { panic!() };
    let details = Json::parse(r#"{"why":1}"#).unwrap();
    let error = CallError::new(ErrorCode::FormatViolation, "what?").with_details(&details);
    assert_eq!((failed.call, failed.failure), (call, CallFailure::Refused(error)));
    assert_eq!(endpoint.outstanding(), None);
}

// 2.1 part 4, 4.1.1
#[test]
fn a_call_times_out_when_its_time_has_passed_since_it_was_sent() {
    let mut endpoint = endpoint(Version::V2_1);
    let call = endpoint.call(heartbeat()).unwrap();
    assert_eq!(endpoint.poll_timeout(), None, "nothing has been sent");
    let sent_at = NOW + Duration::from_secs(5);
    assert!(endpoint.poll_transmit(sent_at).is_some());
    let deadline = sent_at + Duration::from_secs(30);
    assert_eq!(endpoint.poll_timeout(), Some(deadline));
    assert_eq!(endpoint.handle_timeout(deadline - Duration::from_millis(1)), None);
    let failed = endpoint.handle_timeout(deadline).unwrap();
    assert_eq!((failed.call, failed.failure), (call, CallFailure::TimedOut));
    assert_eq!((endpoint.poll_timeout(), endpoint.handle_timeout(deadline)), (None, None));
}

#[test]
fn a_call_may_have_a_deadline_of_its_own() {
    let mut endpoint = endpoint(Version::V2_1);
    endpoint.call(heartbeat().with_timeout(Duration::from_secs(300))).unwrap();
    assert!(endpoint.poll_transmit(NOW).is_some());
    assert_eq!(endpoint.poll_timeout(), Some(NOW + Duration::from_secs(300)));
}

// 2.1 part 4, 4.1.1: a call that has timed out makes room for the next
#[test]
fn the_next_call_is_sent_after_a_timeout() {
    let mut endpoint = endpoint(Version::V2_1);
    calling(&mut endpoint, "Heartbeat");
    endpoint.call(heartbeat()).unwrap();
    assert!(endpoint.handle_timeout(NOW + Duration::from_secs(30)).is_some());
    assert_eq!(sent(&mut endpoint).len(), 1);
}

#[test]
fn a_late_answer_is_reported_and_changes_nothing() {
    let mut endpoint = endpoint(Version::V2_1);
    let (late, late_id) = calling(&mut endpoint, "Heartbeat");
    endpoint.handle_timeout(NOW + Duration::from_secs(30));
    let (current, _) = calling(&mut endpoint, "Heartbeat");
    let answer = format!(r#"[3,"{late_id}",{{"a":1}}]"#);
    let Received::Unmatched(unmatched) = endpoint.handle_text(&answer) else { panic!() };
    assert_eq!((unmatched.late_for, unmatched.payload), (Some(late), Some(r#"{"a":1}"#)));
    assert_eq!(endpoint.outstanding(), Some(current));
    // The same once more is an answer to nothing.
    let Received::Unmatched(unmatched) = endpoint.handle_text(&answer) else { panic!() };
    assert_eq!(unmatched.late_for, None);
    assert_eq!(sent(&mut endpoint), [""; 0]);
}

#[test]
fn an_answer_to_nothing_is_reported_and_changes_nothing() {
    let mut endpoint = endpoint(Version::V2_1);
    let (call, _) = calling(&mut endpoint, "Heartbeat");
    let Received::Unmatched(result) = endpoint.handle_text(r#"[3,"nobody",{}]"#) else { panic!() };
    assert_eq!((result.message_type, result.late_for), (MessageType::CallResult, None));
    let Received::Unmatched(error) = endpoint.handle_text(r#"[4,"-1","RpcFrameworkError","",{}]"#) else { panic!() };
    assert_eq!((error.message_type, &*error.message_id), (MessageType::CallError, "-1"));
    assert_eq!(error.error.unwrap().code, ErrorCode::RpcFrameworkError);
    assert_eq!(endpoint.outstanding(), Some(call));
    assert_eq!(sent(&mut endpoint), [""; 0]);
}

#[test]
fn an_answer_after_the_deadline_counts_until_the_timeout_is_handled() {
    let mut endpoint = endpoint(Version::V2_1);
    let (_, id) = calling(&mut endpoint, "Heartbeat");
    let answer = format!(r#"[3,"{id}",{{}}]"#);
    assert!(matches!(endpoint.handle_text(&answer), Received::Result(_)));
    assert_eq!(endpoint.handle_timeout(NOW + Duration::from_secs(31)), None);
}

// 2.1 part 4, 4.2.3
#[test]
fn an_unreadable_answer_fails_the_call_and_is_rejected_in_2_1() {
    for (version, told) in [(Version::V1_6, 0), (Version::V2_0_1, 0), (Version::V2_1, 1)] {
        for (rest, problem) in [
            ("", Problem::ElementCount { expected: 3, found: 2 }),
            (",7", Problem::PayloadNotAnObject),
            (",{", Problem::PayloadNotJson),
        ] {
            let mut endpoint = endpoint(version);
            let (call, id) = calling(&mut endpoint, "Heartbeat");
            let answer = format!(r#"[3,"{id}"{rest}]"#);
            let Received::Failed(failed) = endpoint.handle_text(&answer) else { panic!() };
            assert_eq!((failed.call, failed.failure), (call, CallFailure::Unreadable(problem)));
            let sent = sent(&mut endpoint);
            assert_eq!(sent.len(), told, "{sent:?}");
            assert!(sent.iter().all(|text| text.starts_with(&format!(r#"[5,"{id}","#))), "{sent:?}");
        }
    }
}

#[test]
fn an_unreadable_error_fails_the_call_and_is_not_answered() {
    let mut endpoint = endpoint(Version::V2_1);
    let (_, id) = calling(&mut endpoint, "Heartbeat");
    let answer = format!(r#"[4,"{id}",7]"#);
    let Received::Failed(failed) = endpoint.handle_text(&answer) else { panic!() };
    assert!(matches!(failed.failure, CallFailure::Unreadable(_)));
    assert_eq!(sent(&mut endpoint), [""; 0]);
}

#[test]
fn a_full_queue_gives_the_call_back() {
    let config = EndpointConfig { queue_limit: 2, ..EndpointConfig::default() };
    let mut endpoint = endpoint_with(Version::V2_1, config);
    endpoint.call(heartbeat()).unwrap();
    endpoint.call(heartbeat()).unwrap();
    let refused = endpoint.call(OutgoingCall::new("Third", r#"{"a":1}"#)).unwrap_err();
    assert_eq!(refused.reason, NotAccepted::QueueFull);
    assert_eq!((refused.call.action(), refused.call.payload()), ("Third", r#"{"a":1}"#));
    assert!(endpoint.poll_transmit(NOW).is_some());
    assert!(endpoint.call(refused.call).is_ok(), "one has left the queue");
}

#[test]
fn without_a_connection_no_call_is_accepted() {
    let mut endpoint = endpoint(Version::V2_1);
    endpoint.handle_disconnect();
    assert_eq!(endpoint.call(heartbeat()).unwrap_err().reason, NotAccepted::NotConnected);
    assert_eq!(endpoint.send("NotifyPeriodicEventStream", "{}"), Err(SendNotAccepted::NotConnected));
}

#[test]
fn a_held_queue_lets_only_those_pass_that_go_ahead() {
    let mut endpoint = endpoint(Version::V2_1);
    endpoint.hold();
    endpoint.call(heartbeat()).unwrap();
    assert_eq!(sent(&mut endpoint), [""; 0]);
    let boot = endpoint.call(OutgoingCall::new("BootNotification", "{}").ahead_of_queue()).unwrap();
    assert_eq!(sent(&mut endpoint).len(), 1);
    assert_eq!(endpoint.outstanding(), Some(boot));
    endpoint.handle_timeout(NOW + Duration::from_secs(30));
    assert_eq!(sent(&mut endpoint), [""; 0]);
    endpoint.release();
    assert_eq!(sent(&mut endpoint).len(), 1);
}

#[test]
fn calls_that_go_ahead_keep_their_order_among_themselves() {
    let mut endpoint = endpoint(Version::V2_1);
    endpoint.call(OutgoingCall::new("C", "{}")).unwrap();
    endpoint.call(OutgoingCall::new("A", "{}").ahead_of_queue()).unwrap();
    endpoint.call(OutgoingCall::new("B", "{}").ahead_of_queue()).unwrap();
    for action in ["A", "B", "C"] {
        let text = endpoint.poll_transmit(NOW).unwrap();
        assert!(text.contains(&format!(r#","{action}","#)), "{text}");
        endpoint.handle_timeout(NOW + Duration::from_secs(30));
    }
}

#[test]
fn a_queued_call_can_be_cancelled_and_a_sent_one_cannot() {
    let mut endpoint = endpoint(Version::V2_1);
    let (first, _) = calling(&mut endpoint, "Heartbeat");
    let queued = endpoint.call(heartbeat()).unwrap();
    let ahead = endpoint.call(heartbeat().ahead_of_queue()).unwrap();
    assert!(endpoint.cancel(queued) && endpoint.cancel(ahead));
    assert!(!endpoint.cancel(queued), "it is gone");
    assert!(!endpoint.cancel(first), "it was sent");
    assert_eq!((endpoint.outstanding(), endpoint.queued()), (Some(first), 0));
}

#[test]
fn the_end_of_the_connection_gives_all_calls_back_in_order() {
    let mut endpoint = endpoint(Version::V2_1);
    let (outstanding, _) = calling(&mut endpoint, "Heartbeat");
    let queued = endpoint.call(heartbeat()).unwrap();
    let ahead = endpoint.call(heartbeat().ahead_of_queue()).unwrap();
    let failed = endpoint.handle_disconnect();
    let failed: Vec<_> = failed.into_iter().map(|failed| (failed.call, failed.failure)).collect();
    let lost = |sent| CallFailure::Disconnected { sent };
    assert_eq!(failed, [(outstanding, lost(true)), (ahead, lost(false)), (queued, lost(false))]);
    assert_eq!((endpoint.outstanding(), endpoint.queued(), endpoint.poll_timeout()), (None, 0, None));
}

// 2.1 part 4, 4.1.4; 1.6-J, 4.1.4; 1.6-J errata 3.1, 3.7
#[test]
fn message_ids_go_on_after_a_reconnection() {
    let mut endpoint = endpoint(Version::V2_1);
    let (_, first) = calling(&mut endpoint, "Heartbeat");
    endpoint.handle_disconnect();
    endpoint.handle_connect(Version::V1_6);
    let (_, second) = calling(&mut endpoint, "Heartbeat");
    assert_ne!(first, second);
    assert_eq!(endpoint.version(), Some(Version::V1_6));
}

#[test]
fn an_answer_on_another_connection_is_dropped() {
    let mut endpoint = endpoint(Version::V2_1);
    let old = incoming(&mut endpoint, r#"[2,"1","Reset",{}]"#);
    endpoint.handle_connect(Version::V2_1);
    let new = incoming(&mut endpoint, r#"[2,"1","Reset",{}]"#);
    assert!(!endpoint.respond(old.id, r#"{"status":"Rejected"}"#));
    assert_eq!(sent(&mut endpoint), [""; 0]);
    assert!(endpoint.respond(new.id, r#"{"status":"Accepted"}"#));
    assert_eq!(sent(&mut endpoint), [r#"[3,"1",{"status":"Accepted"}]"#]);
}

// 2.1 part 4, 4.2.3; OCPP-J 1.6, table 7
#[test]
fn a_call_of_the_peer_is_refused_in_the_spelling_of_the_version() {
    for (version, expected) in [
        (Version::V1_6, r#"[4,"1","OccurenceConstraintViolation","too few",{"a":1}]"#),
        (Version::V2_0_1, r#"[4,"1","OccurrenceConstraintViolation","too few",{"a":1}]"#),
    ] {
        let mut endpoint = endpoint(version);
        let call = incoming(&mut endpoint, r#"[2,"1","Reset",{}]"#);
        let details = Json::parse(r#"{"a":1}"#).unwrap();
        let error = CallError::new(ErrorCode::OccurrenceConstraintViolation, "too few").with_details(&details);
        assert!(endpoint.refuse(call.id, &error));
        assert_eq!(sent(&mut endpoint), [expected]);
    }
}

// 2.1 part 4, table 7
#[test]
fn details_that_are_no_object_are_left_out() {
    let error = CallError::new(ErrorCode::GenericError, "");
    assert_eq!(error.clone().with_details(&Json::parse("[1]").unwrap()), error);
    assert_eq!(error.details(), "{}");
    assert_eq!(error.to_string(), "GenericError");
}

// 2.1 part 4, 4.2.4
#[test]
fn a_send_waits_for_nothing_and_exists_in_2_1_only() {
    let mut endpoint = endpoint(Version::V2_1);
    let (call, _) = calling(&mut endpoint, "Heartbeat");
    endpoint.hold();
    endpoint.send("NotifyPeriodicEventStream", r#"{"id":1}"#).unwrap();
    let frames = sent(&mut endpoint);
    assert!(frames[0].starts_with("[6,\"") && frames[0].ends_with(r#","NotifyPeriodicEventStream",{"id":1}]"#));
    assert_eq!(endpoint.outstanding(), Some(call));
    for version in [Version::V1_6, Version::V2_0_1] {
        let mut endpoint = super::endpoint(version);
        let refused = endpoint.send("NotifyPeriodicEventStream", "{}");
        assert_eq!(refused, Err(SendNotAccepted::NotInThisVersion(version)));
        assert_eq!(sent(&mut endpoint), [""; 0]);
    }
}

// 2.1 part 4, 4.2.4
#[test]
fn a_send_of_the_peer_is_passed_on_and_not_answered() {
    let mut endpoint = endpoint(Version::V2_1);
    let Received::Send(send) = endpoint.handle_text(r#"[6,"1","NotifyPeriodicEventStream",{"id":1}]"#) else {
        panic!()
    };
    assert_eq!((&*send.action, send.payload), ("NotifyPeriodicEventStream", r#"{"id":1}"#));
    assert_eq!(sent(&mut endpoint), [""; 0]);
}

// 2.1 part 4, 4.2.3
#[test]
fn a_result_that_cannot_be_used_is_rejected_once_and_in_2_1_only() {
    let error = CallError::new(ErrorCode::TypeConstraintViolation, "status is a number");
    for version in Version::ALL {
        let mut endpoint = endpoint(version);
        let (call, id) = calling(&mut endpoint, "Heartbeat");
        assert!(!endpoint.reject_result(call, &error), "there is no result yet");
        let answer = format!(r#"[3,"{id}",{{}}]"#);
        assert!(matches!(endpoint.handle_text(&answer), Received::Result(_)));
        assert_eq!(endpoint.reject_result(call, &error), version == Version::V2_1);
        assert!(!endpoint.reject_result(call, &error));
        let expected = format!(r#"[5,"{id}","TypeConstraintViolation","status is a number",{{}}]"#);
        assert_eq!(sent(&mut endpoint), if version == Version::V2_1 { [expected].to_vec() } else { Vec::new() });
    }
}

// 2.1 part 4, 4.2.3
#[test]
fn a_rejection_of_the_peer_names_the_action_that_was_answered() {
    let mut endpoint = endpoint(Version::V2_1);
    let call = incoming(&mut endpoint, r#"[2,"1","GetVariables",{}]"#);
    assert!(endpoint.respond(call.id, "{}"));
    let text = r#"[5,"1","FormatViolation","no result",{}]"#;
    let Received::ResultRejected(rejected) = endpoint.handle_text(text) else { panic!() };
    assert_eq!((&*rejected.message_id, rejected.action.as_deref()), ("1", Some("GetVariables")));
    assert_eq!(rejected.error, CallError::new(ErrorCode::FormatViolation, "no result"));
    let text = r#"[5,"2","FormatViolation","",{}]"#;
    let Received::ResultRejected(rejected) = endpoint.handle_text(text) else { panic!() };
    assert_eq!(rejected.action, None);
}

#[test]
fn a_new_connection_remembers_nothing_of_the_one_before() {
    let mut endpoint = endpoint(Version::V2_1);
    let (_, late_id) = calling(&mut endpoint, "Heartbeat");
    endpoint.handle_timeout(NOW + Duration::from_secs(30));
    let (answered, id) = calling(&mut endpoint, "Heartbeat");
    let answer = format!(r#"[3,"{id}",{{}}]"#);
    assert!(matches!(endpoint.handle_text(&answer), Received::Result(_)));
    endpoint.handle_connect(Version::V2_1);
    let late = format!(r#"[3,"{late_id}",{{}}]"#);
    let Received::Unmatched(unmatched) = endpoint.handle_text(&late) else { panic!() };
    assert_eq!(unmatched.late_for, None);
    assert!(!endpoint.reject_result(answered, &CallError::new(ErrorCode::FormatViolation, "")));
}
