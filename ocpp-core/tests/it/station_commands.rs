//! What the CSMS has the station do (2.1 part 2, B11 to B13, F01 to F06, P01; 1.6 edition 2, chapter 5).

use std::time::Duration;

use ocpp_core::station::{EvseConfig, Fault, FaultCode, Input, Output};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::harness::{VERSIONS, config};
use crate::scripted::{Reply, Said, Script};

const V2: [Version; 2] = [Version::V2_0_1, Version::V2_1];

fn ok(status: &str) -> Said {
    Said::Result(json!({"status": status}))
}

/// A remote start in the words of the version, at EVSE 1 if any.
fn remote_start(world: &mut Script, token: &str, evse: Option<i64>) -> Said {
    match world.version {
        Version::V1_6 => {
            let mut payload = json!({"idTag": token});
            if let Some(evse) = evse {
                payload["connectorId"] = json!(evse);
            }
            world.ask("RemoteStartTransaction", payload)
        }
        _ => {
            let mut payload = json!({"idToken": {"idToken": token, "type": "ISO14443"}, "remoteStartId": 42});
            if let Some(evse) = evse {
                payload["evseId"] = json!(evse);
            }
            world.ask("RequestStartTransaction", payload)
        }
    }
}

fn remote_stop(world: &mut Script) -> Said {
    match world.version {
        Version::V1_6 => world.ask("RemoteStopTransaction", json!({"transactionId": 1})),
        _ => {
            let id = transaction_id(world);
            world.ask("RequestStopTransaction", json!({"transactionId": id}))
        }
    }
}

fn transaction_id(world: &Script) -> Value {
    world.peer.payloads("TransactionEvent")[0]["transactionInfo"]["transactionId"].clone()
}

fn is_accepted(said: &Said) -> bool {
    matches!(said, Said::Result(payload) if payload["status"] == "Accepted")
}

/// F01.FR.02, F01.FR.19, F01.FR.25, F03.FR.03; 1.6 edition 2, 5.11, 5.12; 1.6 errata 3.32, 3.33
#[test]
fn a_remote_start_and_stop_make_a_transaction() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.plug();
        assert!(is_accepted(&remote_start(&mut world, "APP", Some(1))), "{version}");
        assert!(world.energy_permitted(), "{version}");
        assert!(!world.peer.actions().contains(&"Authorize"), "{version}: not asked for by default");
        assert!(is_accepted(&remote_stop(&mut world)), "{version}");
        assert!(!world.energy_permitted(), "{version}");
        match version {
            Version::V1_6 => {
                assert_eq!(world.peer.payloads("StartTransaction")[0]["idTag"], "APP");
                assert_eq!(world.peer.payloads("StopTransaction")[0]["reason"], "Remote");
            }
            _ => {
                let events = world.peer.payloads("TransactionEvent");
                assert_eq!(
                    (&events[0]["eventType"], &events[0]["triggerReason"]),
                    (&json!("Started"), &json!("RemoteStart"))
                );
                assert_eq!(events[0]["transactionInfo"]["remoteStartId"], 42, "{version}");
                assert_eq!(events[0]["idToken"]["idToken"], "APP", "{version}");
                let last = events.last().unwrap();
                assert_eq!((&last["eventType"], &last["triggerReason"]), (&json!("Ended"), &json!("RemoteStop")));
                assert_eq!(last["transactionInfo"]["stoppedReason"], "Remote");
                assert_eq!(events[1]["transactionInfo"].get("remoteStartId"), None, "{version}: said once");
            }
        }
    }
}

/// F01.FR.01, F02.FR.09; 1.6 edition 2, 5.11
#[test]
fn a_remote_start_is_authorised_first_where_that_is_wanted() {
    for version in VERSIONS {
        for accepted in [true, false] {
            let mut world = Script::booted(version);
            world.set("AuthorizeRemoteTxRequests", "true");
            if !accepted {
                let info = json!({"status": "Invalid"});
                let member = if version == Version::V1_6 { "idTagInfo" } else { "idTokenInfo" };
                world.peer.once("Authorize", Reply::Result(json!({ member: info })));
            }
            world.plug();
            assert!(is_accepted(&remote_start(&mut world, "APP", Some(1))), "{version}");
            assert!(world.peer.actions().contains(&"Authorize"), "{version}");
            assert_eq!(world.energy_permitted(), accepted, "{version}");
            if accepted && version != Version::V1_6 {
                let event = world.peer.payloads("TransactionEvent")[0];
                assert_eq!(event["triggerReason"], "RemoteStart", "{version}");
                assert_eq!(event["transactionInfo"]["remoteStartId"], 42, "{version}");
            }
        }
    }
}

/// C05.FR.01
#[test]
fn a_token_that_the_csms_made_up_is_not_asked_about() {
    for version in V2 {
        let mut world = Script::booted(version);
        world.set("AuthorizeRemoteTxRequests", "true");
        world.plug();
        let token = json!({"idToken": "X1", "type": "Central"});
        world.ask("RequestStartTransaction", json!({"idToken": token, "remoteStartId": 1, "evseId": 1}));
        assert!(!world.peer.actions().contains(&"Authorize"), "{version}");
        assert!(world.energy_permitted(), "{version}");
    }
}

/// F02.FR.21, F02.FR.07
#[test]
fn a_remote_start_waits_for_the_plug_and_says_so_with_the_next_message() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        assert!(is_accepted(&remote_start(&mut world, "APP", Some(1))), "{version}");
        if version == Version::V1_6 {
            assert_eq!(world.heard_statuses(), ["Preparing"]);
        }
        world.plug();
        assert!(world.energy_permitted(), "{version}");
        if version != Version::V1_6 {
            assert_eq!(world.transaction_messages()[0], "Started/RemoteStart", "{version}");
        }

        let mut world = Script::booted(version);
        remote_start(&mut world, "APP", Some(1));
        world.run(Duration::from_secs(61));
        world.plug();
        assert!(!world.energy_permitted(), "{version}: too late");
    }
}

/// F01.FR.13, F01.FR.25
#[test]
fn a_remote_start_takes_over_the_transaction_that_the_plug_began() {
    for version in V2 {
        let mut world = Script::booted(version);
        world.set("TxCtrlr.TxStartPoint", "EVConnected");
        world.plug();
        let said = remote_start(&mut world, "APP", Some(1));
        let id = transaction_id(&world);
        assert_eq!(said, Said::Result(json!({"status": "Accepted", "transactionId": id})), "{version}");
        let event = world.peer.payloads("TransactionEvent")[1];
        assert_eq!((&event["eventType"], &event["triggerReason"]), (&json!("Updated"), &json!("RemoteStart")));
        assert_eq!(event["transactionInfo"]["remoteStartId"], 42, "{version}");
    }
}

/// F01.FR.20, F01.FR.23, F01.FR.24, F03.FR.08; 1.6 edition 2, 5.11
#[test]
fn a_remote_start_chooses_a_free_place_and_is_refused_where_there_is_none() {
    for version in VERSIONS {
        let mut config = config(version);
        config.evses = vec![EvseConfig::default(), EvseConfig::default()];
        let mut world = Script::booted_with(config);
        world.handle(Input::PluggedIn { evse: 2, connector: 1 });
        assert!(is_accepted(&remote_start(&mut world, "A", None)), "{version}");
        let now = world.now;
        assert!(world.station().state(now).evses[1].energy_permitted, "{version}: where the plug is");
        assert!(!is_accepted(&remote_start(&mut world, "B", Some(2))), "{version}: it is taken");
        let fault = Fault::new(FaultCode::InternalError);
        world.handle(Input::Fault { evse: Some(1), connector: None, fault });
        assert!(!is_accepted(&remote_start(&mut world, "B", Some(1))), "{version}: it is out of order");
        assert!(!is_accepted(&remote_start(&mut world, "B", None)), "{version}");
        assert!(!is_accepted(&remote_start(&mut world, "B", Some(3))), "{version}: there is none");
        assert!(!is_accepted(&remote_start(&mut world, "B", Some(-1))), "{version}");
        let unknown = match version {
            Version::V1_6 => world.ask("RemoteStopTransaction", json!({"transactionId": 99})),
            _ => world.ask("RequestStopTransaction", json!({"transactionId": "99"})),
        };
        assert_eq!(unknown, ok("Rejected"), "{version}");
    }
}

/// F03.FR.02, F04
#[test]
fn a_remote_stop_only_ends_the_charging_where_the_plug_ends_the_transaction() {
    for version in V2 {
        let mut world = Script::booted(version);
        world.set("TxCtrlr.TxStopPoint", "EVConnected");
        world.plug();
        world.tap("TAG");
        assert!(is_accepted(&remote_stop(&mut world)), "{version}");
        assert!(!world.energy_permitted() && !world.locked(), "{version}");
        assert_eq!(world.transaction_messages().last().unwrap(), "Updated/RemoteStop", "{version}");
        world.unplug();
        let last = world.peer.payloads("TransactionEvent").last().copied().unwrap();
        assert_eq!(last["transactionInfo"]["stoppedReason"], "Remote", "F04.FR.03 {version}");
    }
}

/// 1.6 edition 2, 5.14
#[test]
fn a_1_6_reset_stops_what_goes_on_and_restarts() {
    for (kind, reason) in [("Hard", "HardReset"), ("Soft", "SoftReset")] {
        let mut world = Script::booted(Version::V1_6);
        world.plug();
        world.tap("TAG");
        assert_eq!(world.ask("Reset", json!({"type": kind})), ok("Accepted"));
        world.settle();
        assert_eq!(world.restarts, 1, "{kind}");
        let actions = world.peer.actions();
        let stop = actions.iter().position(|action| *action == "StopTransaction").unwrap();
        let boot = actions.iter().position(|action| *action == "BootNotification").unwrap();
        assert!(stop < boot, "{kind}: {actions:?}");
        assert_eq!(world.peer.payloads("StopTransaction")[0]["reason"], reason);
        assert_eq!(world.peer.payloads("StopTransaction").len(), 1, "{kind}");
    }
}

/// B11.FR.03, B12.FR.02, B12.FR.04
#[test]
fn an_immediate_reset_ends_the_transaction_first() {
    for version in V2 {
        let mut world = Script::booted(version);
        world.plug();
        world.tap("TAG");
        assert_eq!(world.ask("Reset", json!({"type": "Immediate"})), ok("Accepted"));
        world.settle();
        assert_eq!(world.restarts, 1, "{version}");
        let last = world.peer.payloads("TransactionEvent").last().copied().unwrap();
        assert_eq!((&last["eventType"], &last["triggerReason"]), (&json!("Ended"), &json!("ResetCommand")));
        assert_eq!(last["transactionInfo"]["stoppedReason"], "ImmediateReset", "{version}");
        assert_eq!(world.peer.payloads("BootNotification").len(), 1, "{version}");
    }
}

/// B12.FR.05
#[test]
fn a_reset_does_not_wait_for_ever_and_the_end_is_told_afterwards() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.plug();
        world.tap("TAG");
        let action = if version == Version::V1_6 { "StopTransaction" } else { "TransactionEvent" };
        world.peer.once(action, Reply::Silence);
        let kind = if version == Version::V1_6 { "Hard" } else { "Immediate" };
        assert_eq!(world.ask("Reset", json!({"type": kind})), ok("Accepted"));
        world.run(Duration::from_secs(60));
        assert_eq!(world.restarts, 1, "{version}");
        let ends: Vec<_> = world
            .peer
            .payloads(action)
            .into_iter()
            .filter(|payload| version == Version::V1_6 || payload["eventType"] == "Ended")
            .collect();
        assert_eq!(ends.len(), 2, "{version}: once before, once after");
    }
}

/// B12.FR.01, B12.FR.03, F01.FR.23
#[test]
fn a_reset_on_idle_waits_for_the_driver_and_lets_nobody_new_in() {
    for version in V2 {
        let mut config = config(version);
        config.evses = vec![EvseConfig::default(), EvseConfig::default()];
        let mut world = Script::booted_with(config);
        world.plug();
        world.tap("TAG");
        assert_eq!(world.ask("Reset", json!({"type": "OnIdle"})), ok("Scheduled"), "{version}");
        world.run(Duration::from_secs(600));
        assert_eq!(world.restarts, 0, "{version}");
        assert!(!is_accepted(&remote_start(&mut world, "APP", Some(2))), "{version}");
        world.tap("TAG");
        world.settle();
        assert_eq!(world.restarts, 1, "{version}");
        let boot = world.peer.payloads("BootNotification")[0];
        assert_eq!(boot["reason"], "ScheduledReset", "{version}");
    }
}

/// B11.FR.09
#[test]
fn an_evse_is_not_reset_alone() {
    for version in V2 {
        let mut world = Script::booted(version);
        assert_eq!(world.ask("Reset", json!({"type": "Immediate", "evseId": 1})), ok("Rejected"), "{version}");
        assert_eq!(world.restarts, 0);
    }
}

/// B13.FR.01 to 04, B13.FR.23, B13.FR.30
#[test]
fn a_reset_may_let_the_transaction_go_on() {
    let mut world = Script::booted(Version::V2_1);
    world.plug();
    world.tap("TAG");
    world.vehicle(true);
    assert_eq!(world.ask("Reset", json!({"type": "ImmediateAndResume"})), ok("Rejected"));
    world.set("TxCtrlr.TxResumptionTimeout", "5");
    assert_eq!(world.ask("Reset", json!({"type": "ImmediateAndResume"})), ok("Accepted"));
    world.settle();
    assert_eq!(world.restarts, 1);
    world.handle(Input::PluggedIn { evse: 1, connector: 1 });
    world.vehicle(true);
    world.meter("1200");
    world.settle();
    assert!(world.energy_permitted());
    let messages = world.transaction_messages();
    let reset = messages.iter().position(|message| message == "Updated/ResetCommand").unwrap();
    assert!(messages[reset..].contains(&"Updated/TxResumed".to_owned()), "{messages:?}");
    assert_eq!(messages.iter().filter(|message| message.starts_with("Started")).count(), 1);
    assert!(messages.iter().all(|message| !message.starts_with("Ended")));
    // 2.0.1 doesn't have that word.
    let mut world = Script::booted(Version::V2_0_1);
    assert_eq!(
        world.ask("Reset", json!({"type": "ImmediateAndResume"})),
        Said::Error("PropertyConstraintViolation".into())
    );
}

/// F05; 1.6 edition 2, 5.18; 1.6 errata 3.87
#[test]
fn a_plug_is_released_on_request() {
    for version in VERSIONS {
        let payload = match version {
            Version::V1_6 => json!({"connectorId": 1}),
            _ => json!({"evseId": 1, "connectorId": 1}),
        };
        let mut world = Script::booted(version);
        assert_eq!(world.ask("UnlockConnector", payload.clone()), ok("Unlocked"), "{version}");
        world.unlocks = false;
        assert_eq!(world.ask("UnlockConnector", payload.clone()), ok("UnlockFailed"), "{version}");
        let unknown = match version {
            Version::V1_6 => world.ask("UnlockConnector", json!({"connectorId": 2})),
            _ => world.ask("UnlockConnector", json!({"evseId": 1, "connectorId": 2})),
        };
        let word = if version == Version::V1_6 { "NotSupported" } else { "UnknownConnector" };
        assert_eq!(unknown, ok(word), "{version}");

        world.unlocks = true;
        world.plug();
        world.tap("TAG");
        let said = world.ask("UnlockConnector", payload);
        match version {
            // 1.6 edition 2, 5.18: the transaction is finished first.
            Version::V1_6 => {
                assert_eq!(said, ok("Unlocked"));
                assert_eq!(world.peer.payloads("StopTransaction")[0]["reason"], "UnlockCommand");
            }
            // F05.FR.02
            _ => {
                assert_eq!(said, ok("OngoingAuthorizedTransaction"), "{version}");
                assert!(world.energy_permitted(), "{version}");
            }
        }
    }
}

#[test]
fn hardware_that_does_not_answer_is_a_failed_unlock() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        let payload = match version {
            Version::V1_6 => json!({"connectorId": 1}),
            _ => json!({"evseId": 1, "connectorId": 1}),
        };
        world.answers = false;
        world.peer.call("UnlockConnector", payload);
        world.run(Duration::from_secs(20));
        assert_eq!(*world.peer.answer(), ok("UnlockFailed"), "{version}");
    }
}

/// F06.FR.04, F06.FR.08, F06.FR.11 to 16; 1.6 edition 2, 5.17
#[test]
fn a_trigger_is_answered_before_its_message_comes() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        for message in ["Heartbeat", "FirmwareStatusNotification"] {
            world.sent.clear();
            assert_eq!(world.ask("TriggerMessage", json!({"requestedMessage": message})), ok("Accepted"), "{version}");
            let frames: Vec<Value> = world.sent.iter().map(|frame| serde_json::from_str(frame).unwrap()).collect();
            assert_eq!((&frames[0][0], &frames[1][2]), (&json!(3), &json!(message)), "{version}");
        }
        assert_eq!(world.peer.payloads("FirmwareStatusNotification")[0]["status"], "Idle", "{version}");
        world.peer.forget();
        let status = match version {
            Version::V1_6 => json!({"requestedMessage": "StatusNotification", "connectorId": 1}),
            _ => json!({"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 1}}),
        };
        assert_eq!(world.ask("TriggerMessage", status), ok("Accepted"), "{version}");
        assert_eq!(world.heard_statuses(), ["Available"], "{version}");
        let nowhere = match version {
            Version::V1_6 => json!({"requestedMessage": "StatusNotification", "connectorId": 7}),
            _ => json!({"requestedMessage": "StatusNotification", "evse": {"id": 7, "connectorId": 1}}),
        };
        assert_eq!(world.ask("TriggerMessage", nowhere), ok("Rejected"), "{version}");
        match version {
            Version::V1_6 => {
                let said = world.ask("TriggerMessage", json!({"requestedMessage": "DiagnosticsStatusNotification"}));
                assert_eq!(said, ok("Accepted"));
                assert_eq!(world.peer.payloads("DiagnosticsStatusNotification")[0]["status"], "Idle");
                world.peer.forget();
                world.ask("TriggerMessage", json!({"requestedMessage": "StatusNotification"}));
                let connectors: Vec<_> = world
                    .peer
                    .payloads("StatusNotification")
                    .iter()
                    .map(|status| status["connectorId"].clone())
                    .collect();
                assert_eq!(connectors, [0, 1], "without a connector: all of them");
                // 1.6 errata 3.35: not while the connection lasts on which the station was accepted.
                let boot = json!({"requestedMessage": "BootNotification"});
                assert_eq!(world.ask("TriggerMessage", boot.clone()), ok("Rejected"));
                world.drop_connection();
                world.run(Duration::from_secs(40));
                assert!(!world.peer.actions().contains(&"BootNotification"));
                assert_eq!(world.ask("TriggerMessage", boot), ok("Accepted"));
                assert!(world.peer.actions().contains(&"BootNotification"));
            }
            _ => {
                let said = world.ask("TriggerMessage", json!({"requestedMessage": "LogStatusNotification"}));
                assert_eq!(said, ok("Accepted"), "{version}");
                assert_eq!(world.peer.payloads("LogStatusNotification")[0]["status"], "Idle");
                let said = world.ask("TriggerMessage", json!({"requestedMessage": "SignV2GCertificate"}));
                assert_eq!(said, ok("NotImplemented"), "{version}");
            }
        }
    }
}

/// P01.FR.05; 1.6 edition 2, 4.3, 5.4; C11.FR.04; 1.6 errata 3.23
#[test]
fn what_the_station_does_not_have_is_said_honestly() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        assert_eq!(world.ask("DataTransfer", json!({"vendorId": "com.example"})), ok("UnknownVendorId"), "{version}");
        assert_eq!(world.ask("ClearCache", json!({})), ok("Rejected"), "{version}");
        let known = match version {
            Version::V1_6 => {
                // 1.6 security, L01.FR.20
                ("UpdateFirmware", json!({"location": "https://x.example/f", "retrieveDate": "2026-11-20T08:00:00Z"}))
            }
            _ => ("SetMonitoringBase", json!({"monitoringBase": "All"})),
        };
        assert_eq!(world.ask(known.0, known.1), Said::Error("NotSupported".into()), "{version}");
        assert_eq!(world.ask("MakeCoffee", json!({})), Said::Error("NotImplemented".into()), "{version}");
        // An action of the other direction.
        assert_eq!(world.ask("Heartbeat", json!({})), Said::Error("NotSupported".into()), "{version}");
    }
    // A message of 2.1 that 2.0.1 doesn't know.
    let mut world = Script::booted(Version::V2_0_1);
    assert_eq!(world.ask("GetTariffs", json!({"evseId": 0})), Said::Error("NotImplemented".into()));
}

/// 2.1 part 4, 4.2.3; 1.6-J, 4.2.3
#[test]
fn a_call_that_breaks_the_schema_is_refused_with_the_code_of_the_version_and_changes_nothing() {
    let cases = [
        (json!({}), "OccurrenceConstraintViolation", "OccurenceConstraintViolation"),
        (json!({"type": 7}), "TypeConstraintViolation", "TypeConstraintViolation"),
        (json!({"type": "Sometimes"}), "PropertyConstraintViolation", "PropertyConstraintViolation"),
        (json!({"type": "Immediate", "why": 1}), "FormatViolation", "PropertyConstraintViolation"),
    ];
    for version in VERSIONS {
        for (payload, new, old) in &cases {
            let mut world = Script::booted(version);
            let expected = if version == Version::V1_6 { old } else { new };
            assert_eq!(world.ask("Reset", payload.clone()), Said::Error((*expected).into()), "{version} {payload}");
            assert_eq!(world.restarts, 0, "{version} {payload}");
        }
    }
}

#[test]
fn a_local_restart_ends_the_transaction_and_says_why() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.plug();
        world.tap("TAG");
        world.handle(Input::LocalReset);
        world.settle();
        world.settle();
        assert_eq!(world.restarts, 1, "{version}");
        match version {
            Version::V1_6 => assert_eq!(world.peer.payloads("StopTransaction")[0]["reason"], "Reboot"),
            _ => assert_eq!(world.peer.payloads("BootNotification")[0]["reason"], "LocalReset", "{version}"),
        }
        let restart = world.outputs.iter().filter(|(_, output)| matches!(output, Output::Restart { .. })).count();
        assert_eq!(restart, 1, "{version}");
    }
}
