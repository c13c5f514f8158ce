//! Messages that the standard has no words for (1.6 edition 2, 3.12, 4.3, 5.6; 2.1 part 2, block P).

use std::time::Duration;

use ocpp_core::station::{Answer, Event, Input, VendorAnswer, VendorMessage, VendorStatus};
use ocpp_core::types::{Json, Version};
use serde_json::{Value, json};

use crate::harness::{VERSIONS, config};
use crate::scripted::{Reply, Said, Script};

fn data(value: &Value) -> Json {
    Json::parse(value.to_string()).unwrap()
}

fn status(word: &str) -> Said {
    Said::Result(json!({ "status": word }))
}

/// A station of which the integrator knows one vendor.
fn booted(version: Version) -> Script {
    let mut config = config(version);
    config.vendor_ids = vec!["com.example".into()];
    Script::booted_with(config)
}

/// 1.6 edition 2, 3.12, 4.3, 5.6; P01.FR.05, P01.FR.06, P01.FR.07
#[test]
fn a_message_of_a_known_vendor_is_answered_by_the_integrator() {
    for version in VERSIONS {
        let mut world = booted(version);
        world.vendor = |message| {
            Answer::VendorMessage(match message.message_id.as_deref() {
                Some("echo") => {
                    let mut answer = VendorAnswer::new(VendorStatus::Accepted);
                    answer.data.clone_from(&message.data);
                    answer
                }
                Some("no") => VendorAnswer::new(VendorStatus::Rejected),
                Some("fails") => return Answer::Failed,
                Some("done") => return Answer::Done,
                _ => VendorAnswer::new(VendorStatus::UnknownMessageId),
            })
        };
        let ask = |world: &mut Script, message: &str| {
            let payload = json!({"vendorId": "COM.example", "messageId": message, "data": "a \"text\""});
            world.ask("DataTransfer", payload)
        };
        let echo = Said::Result(json!({"status": "Accepted", "data": "a \"text\""}));
        assert_eq!(ask(&mut world, "echo"), echo, "{version}");
        for (message, word) in
            [("no", "Rejected"), ("fails", "Rejected"), ("done", "Accepted"), ("what", "UnknownMessageId")]
        {
            assert_eq!(ask(&mut world, message), status(word), "{version}");
        }
        let said = world.ask("DataTransfer", json!({"vendorId": "com.other", "messageId": "echo", "data": "x"}));
        assert_eq!(said, status("UnknownVendorId"), "{version}: nobody is asked");
        let object = json!({"vendorId": "com.example", "messageId": "echo", "data": {"a": [1, 2.50]}});
        let said = world.ask("DataTransfer", object);
        match version {
            Version::V1_6 => assert_eq!(said, Said::Error("TypeConstraintViolation".into())),
            _ => assert_eq!(said, Said::Result(json!({"status": "Accepted", "data": {"a": [1, 2.50]}}))),
        }
    }
}

/// 1.6 edition 2, 4.3; P02.FR.06, P02.FR.07, P02.FR.08
#[test]
fn the_integrator_can_send_messages_of_his_own_and_hears_what_came_of_each() {
    for version in VERSIONS {
        let mut world = booted(version);
        let send = |world: &mut Script, id: u64| {
            let mut message = VendorMessage::new("com.example");
            message.message_id = Some("reading".into());
            message.data = Some(data(&json!({"celsius": 21.5})));
            world.handle(Input::VendorMessage { id, message });
            world.settle();
        };
        let told = |world: &Script, wanted: u64| -> Option<VendorAnswer> {
            let answers: Vec<_> = world
                .events()
                .filter_map(|event| match event {
                    Event::VendorMessageAnswered { id, answer } if *id == wanted => Some(answer.clone()),
                    _ => None,
                })
                .collect();
            assert_eq!(answers.len(), 1, "{version}");
            answers[0].clone()
        };
        world.peer.once("DataTransfer", Reply::Result(json!({"status": "Accepted", "data": "thanks"})));
        send(&mut world, 1);
        let heard = world.peer.payloads("DataTransfer")[0];
        assert_eq!((&heard["vendorId"], &heard["messageId"]), (&json!("com.example"), &json!("reading")));
        match version {
            Version::V1_6 => assert_eq!(heard["data"], "{\"celsius\":21.5}"),
            _ => assert_eq!(heard["data"], json!({"celsius": 21.5})),
        }
        let mut thanks = VendorAnswer::new(VendorStatus::Accepted);
        thanks.data = Some(data(&json!("thanks")));
        assert_eq!(told(&world, 1), Some(thanks), "{version}");
        world.peer.once("DataTransfer", Reply::Result(json!({"status": "UnknownVendorId"})));
        send(&mut world, 2);
        assert_eq!(told(&world, 2), Some(VendorAnswer::new(VendorStatus::UnknownVendorId)), "{version}");
        world.peer.once("DataTransfer", Reply::Error("InternalError"));
        send(&mut world, 3);
        assert_eq!(told(&world, 3), None, "{version}");
        // It is under way when the connection is lost, or there is none.
        world.peer.once("DataTransfer", Reply::Silence);
        send(&mut world, 4);
        world.cut();
        world.settle();
        assert_eq!(told(&world, 4), None, "{version}");
        send(&mut world, 5);
        assert_eq!(told(&world, 5), None, "{version}");
    }
}

/// 1.6 edition 2, 4.2; B02.FR.02: like anything else, not before the CSMS has accepted the station.
#[test]
fn nothing_of_a_vendors_is_said_to_a_csms_that_has_not_accepted_the_station() {
    for version in VERSIONS {
        let mut world = Script::start(version);
        let pending = json!({"status": "Pending", "currentTime": "2026-11-20T08:00:00Z", "interval": 60});
        world.peer.always("BootNotification", Reply::Result(pending));
        world.settle();
        world.handle(Input::VendorMessage { id: 7, message: VendorMessage::new("com.example") });
        world.run(Duration::from_secs(5));
        assert!(world.peer.payloads("DataTransfer").is_empty(), "{version}");
        assert!(world.events().any(|event| *event == Event::VendorMessageAnswered { id: 7, answer: None }));
    }
}
