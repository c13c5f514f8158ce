//! Vendors' own messages (P01, P02; 1.6 edition 2, 4.3 and 5.6).

use ocpp_core::csms::{Answer, CallOutcome, CallResult, Command, DataTransferStatus, Question};
use ocpp_core::types::Version;
use serde_json::json;

use crate::csms_flows_support::*;
use crate::csms_support::*;

/// P02.FR.03, P02.FR.04, P02.FR.05, P02.FR.06, P02.FR.07, P02.FR.08
#[test]
fn a_vendors_message_is_answered_as_the_application_knows_it() {
    for version in Version::ALL {
        for (status, wire) in [
            (DataTransferStatus::Accepted, "Accepted"),
            (DataTransferStatus::Rejected, "Rejected"),
            (DataTransferStatus::UnknownMessageId, "UnknownMessageId"),
            (DataTransferStatus::UnknownVendorId, "UnknownVendorId"),
        ] {
            let mut csms = Csms::new(version);
            let long = "x".repeat(100_000);
            let request = json!({"vendorId": "com.example", "messageId": "Ping", "data": long});
            let id = csms.call("DataTransfer", request);
            let answer = Answer::DataTransfer { status, data: Some(r#""pong""#.into()) };
            let Question::DataTransfer { vendor_id, message_id, data } = csms.decide(answer) else { panic!() };
            assert_eq!((&*vendor_id, message_id.as_deref()), ("com.example", Some("Ping")));
            assert_eq!(data.map(|data| data.len()), Some(100_002), "of any length");
            assert_eq!(csms.reply(&id).result(), json!({"status": wire, "data": "pong"}));
        }
    }
}

/// P02.FR.06: a message that nobody answers for is not accepted.
#[test]
fn a_vendors_message_that_nobody_answers_for_is_refused() {
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        let id = csms.call("DataTransfer", json!({"vendorId": "com.example"}));
        csms.pass(MINUTE);
        assert_eq!(csms.reply(&id).result(), json!({"status": "Rejected"}));
    }
}

/// P01.FR.02, P01.FR.03, P01.FR.04, P01.FR.05, P01.FR.06, P01.FR.07
#[test]
fn what_a_station_makes_of_a_vendors_message_is_told_as_it_says() {
    for version in Version::ALL {
        for status in ["Accepted", "Rejected", "UnknownMessageId", "UnknownVendorId"] {
            let mut csms = Csms::new(version);
            let message_id = Some("Ping".into());
            csms.command(1, Command::DataTransfer { vendor_id: "com.example".into(), message_id, data: None });
            let (action, payload) = csms.answer_status(status);
            assert_eq!((&*action, payload), ("DataTransfer", json!({"vendorId": "com.example", "messageId": "Ping"})));
            let CallOutcome::Answered(answer) = csms.outcome(1) else { panic!() };
            assert_eq!(answer.result, CallResult::DataTransfer { status: status.into(), data: None });
        }
    }
}
