//! Transactions from beginning to end (2.1 part 2, block E; 1.6 edition 2, 4.8 and 4.10).

use std::time::Duration;

use ocpp_core::station::{Event, EvseConfig, Fault, FaultCode, Input, LocalStop, Token, TokenType};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::harness::{VERSIONS, config};
use crate::scripted::{Reply, Said, Script};

const V2: [Version; 2] = [Version::V2_0_1, Version::V2_1];

/// The energy register that a message tells for this reason.
pub fn energy(payload: &Value, context: &str) -> Option<String> {
    let values = payload["meterValue"].as_array()?;
    let samples = values.iter().flat_map(|value| value["sampledValue"].as_array().unwrap());
    let mut found = samples.filter(|sample| sample["context"] == context);
    found.next().map(|sample| sample["value"].to_string())
}

/// 1.6 edition 2, 3.6, 4.8, 4.10; 1.6 errata 3.9: the register at both ends, exact values beside them.
#[test]
fn a_1_6_transaction_has_one_start_and_one_stop_with_the_meters_registers() {
    let mut world = Script::booted(Version::V1_6);
    world.plug();
    world.tap("TAG");
    assert!(world.energy_permitted());
    assert!(world.locked());
    world.vehicle(true);
    world.meter("4321.25");
    world.tap("TAG");
    assert!(!world.energy_permitted());
    assert!(!world.locked());
    assert_eq!(world.transaction_messages(), ["StartTransaction", "StopTransaction"]);
    let start = world.peer.payloads("StartTransaction")[0];
    assert_eq!(start["connectorId"], 1);
    assert_eq!(start["idTag"], "TAG");
    assert_eq!(start["meterStart"], 1000);
    let stop = world.peer.payloads("StopTransaction")[0];
    assert_eq!(stop["transactionId"], 1);
    assert_eq!(stop["meterStop"], 4321);
    assert_eq!(stop["idTag"], "TAG");
    assert_eq!(stop["reason"], "Local");
    let values: Vec<_> =
        stop["transactionData"].as_array().unwrap().iter().map(|data| &data["sampledValue"][0]).collect();
    assert_eq!((&values[0]["value"], &values[0]["context"]), (&json!("1000"), &json!("Transaction.Begin")));
    assert_eq!((&values[1]["value"], &values[1]["context"]), (&json!("4321.25"), &json!("Transaction.End")));
    assert_eq!(
        world.heard_statuses(),
        ["Preparing", "SuspendedEV", "Charging", "Finishing"],
        "1.6 edition 2, 4.9: transitions A2, B4, D3, C6"
    );
    world.unplug();
    assert_eq!(world.heard_statuses().last().unwrap(), "Available");
}

/// E01, E02: with the default start and stop points.
#[test]
fn a_2_x_transaction_tells_each_step_in_order() {
    for version in V2 {
        let mut world = Script::booted(version);
        world.plug();
        world.tap("TAG");
        assert!(world.energy_permitted());
        world.vehicle(true);
        world.vehicle(false);
        world.vehicle(true);
        world.meter("4321.25");
        world.tap("TAG");
        world.unplug();
        let messages = world.transaction_messages();
        assert_eq!(
            messages,
            [
                "Started/Authorized",
                "Updated/ChargingStateChanged",
                "Updated/ChargingStateChanged",
                "Updated/ChargingStateChanged",
                "Updated/ChargingStateChanged",
                "Ended/StopAuthorized"
            ],
            "{version}"
        );
        let events = world.peer.payloads("TransactionEvent");
        let states: Vec<_> = events.iter().map(|event| event["transactionInfo"]["chargingState"].clone()).collect();
        assert_eq!(
            states,
            ["EVConnected", "SuspendedEV", "Charging", "SuspendedEV", "Charging", "EVConnected"],
            "{version}"
        );
        // E01.FR.07
        for (number, event) in events.iter().enumerate() {
            assert_eq!(event["seqNo"], number, "{version}");
            assert_eq!(event["transactionInfo"]["transactionId"], events[0]["transactionInfo"]["transactionId"]);
            assert_eq!(event.get("offline"), None, "{version}");
        }
        // E01.FR.16, E01.FR.10
        assert_eq!(events[0]["evse"], json!({"id": 1, "connectorId": 1}));
        assert_eq!(events[0]["idToken"], json!({"idToken": "TAG", "type": "ISO14443"}));
        assert_eq!(events[1].get("idToken"), None);
        // E01.FR.09, E06.FR.11
        assert_eq!(energy(events[0], "Transaction.Begin").as_deref(), Some("1000"), "{version}");
        assert_eq!(energy(events[5], "Transaction.Begin").as_deref(), Some("1000"), "{version}");
        assert_eq!(energy(events[5], "Transaction.End").as_deref(), Some("4321.25"), "{version}");
        // E07.FR.02, E07.FR.05
        assert_eq!(events[5]["idToken"]["idToken"], "TAG");
        assert_eq!(events[5]["transactionInfo"]["stoppedReason"], "Local");
        assert_eq!(world.heard_statuses(), ["Occupied", "Available"], "{version}");
    }
}

/// E01.FR.08
#[test]
fn transaction_ids_are_never_the_same_even_after_a_restart() {
    for version in V2 {
        let mut world = Script::booted(version);
        for _ in 0..3 {
            world.plug();
            world.tap("TAG");
            world.tap("TAG");
            world.unplug();
            world.power_cut(Duration::from_secs(1));
            world.settle();
            world.meter("1000");
        }
        let mut ids: Vec<_> = world
            .peer
            .payloads("TransactionEvent")
            .iter()
            .filter(|event| event["eventType"] == "Started")
            .map(|event| event["transactionInfo"]["transactionId"].as_str().unwrap().to_owned())
            .collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 3, "{version}");
    }
}

/// E03
#[test]
fn the_token_may_come_before_the_plug() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.tap("TAG");
        assert!(!world.energy_permitted());
        assert!(world.transaction_messages().is_empty(), "{version}");
        world.plug();
        assert!(world.energy_permitted(), "{version}");
        match version {
            Version::V1_6 => {
                assert_eq!(world.transaction_messages(), ["StartTransaction"]);
                assert_eq!(world.heard_statuses(), ["Preparing", "SuspendedEV"]);
            }
            _ => {
                assert_eq!(world.transaction_messages()[0], "Started/CablePluggedIn");
                // E03.FR.01
                assert_eq!(world.peer.payloads("TransactionEvent")[0]["idToken"]["idToken"], "TAG");
                assert_eq!(world.heard_statuses(), ["Occupied"], "{version}");
            }
        }
    }
}

/// C01.FR.26; 1.6 edition 2, 9.1.6
#[test]
fn without_a_plug_the_authorisation_ends_in_time() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.tap("TAG");
        world.run(Duration::from_secs(60));
        world.plug();
        assert!(!world.energy_permitted(), "{version}");
        assert!(world.transaction_messages().is_empty(), "{version}");
        if version == Version::V1_6 {
            assert_eq!(world.heard_statuses(), ["Preparing", "Available", "Preparing"]);
        }
    }
}

/// E03.FR.05, E03.FR.15
#[test]
fn a_transaction_that_began_with_the_token_ends_when_the_plug_does_not_come() {
    for version in V2 {
        let mut world = Script::booted(version);
        world.set("TxCtrlr.TxStartPoint", "Authorized");
        world.tap("TAG");
        assert_eq!(world.transaction_messages(), ["Started/Authorized"]);
        world.run(Duration::from_secs(60));
        assert_eq!(world.transaction_messages(), ["Started/Authorized", "Ended/EVConnectTimeout"], "{version}");
        let end = world.peer.payloads("TransactionEvent")[1];
        assert_eq!(end["transactionInfo"]["stoppedReason"], "Timeout", "{version}");

        let mut world = Script::booted(version);
        world.set("TxCtrlr.TxStartPoint", "ParkingBayOccupancy");
        world.set("SampledDataCtrlr.TxUpdatedInterval", "0");
        world.set("TxCtrlr.TxStopPoint", "ParkingBayOccupancy");
        world.handle(Input::ParkingBay { evse: 1, occupied: true });
        world.tap("TAG");
        world.run(Duration::from_secs(60));
        world.handle(Input::ParkingBay { evse: 1, occupied: false });
        world.settle();
        assert_eq!(
            world.transaction_messages(),
            ["Started/EVDetected", "Updated/Authorized", "Updated/EVConnectTimeout", "Ended/EVDeparted"],
            "{version}"
        );
        let end = world.peer.payloads("TransactionEvent")[3];
        assert_eq!(end["transactionInfo"]["stoppedReason"], "Timeout", "{version}");
    }
}

/// E01.FR.02, E02.FR.06, E02.FR.20, E06.FR.02
#[test]
fn a_transaction_may_begin_and_end_with_the_plug() {
    for version in V2 {
        let mut world = Script::booted(version);
        world.set("TxCtrlr.TxStartPoint", "EVConnected");
        world.set("TxCtrlr.TxStopPoint", "EVConnected");
        world.plug();
        world.tap("TAG");
        world.vehicle(true);
        world.tap("TAG");
        assert!(!world.energy_permitted(), "{version}");
        assert!(!world.locked(), "{version}");
        world.unplug();
        assert_eq!(
            world.transaction_messages(),
            [
                "Started/CablePluggedIn",
                "Updated/Authorized",
                "Updated/ChargingStateChanged",
                "Updated/ChargingStateChanged",
                "Updated/StopAuthorized",
                "Ended/EVCommunicationLost"
            ],
            "{version}"
        );
        let events = world.peer.payloads("TransactionEvent");
        assert_eq!(events[0].get("idToken"), None);
        assert_eq!(events[1]["idToken"]["idToken"], "TAG");
        assert_eq!(events[4]["transactionInfo"]["chargingState"], "EVConnected");
        assert_eq!(events[5]["transactionInfo"]["stoppedReason"], "Local", "the reason is why charging ended");
        assert_eq!(events[5]["transactionInfo"]["chargingState"], "Idle");
    }
}

/// E01.FR.06, E06.FR.07
#[test]
fn a_transaction_may_begin_and_end_with_the_energy() {
    for version in V2 {
        let mut world = Script::booted(version);
        world.set("TxCtrlr.TxStartPoint", "EnergyTransfer");
        world.set("TxCtrlr.TxStopPoint", "EnergyTransfer");
        world.plug();
        world.tap("TAG");
        assert!(world.transaction_messages().is_empty(), "{version}");
        assert!(world.energy_permitted(), "{version}: energy has to be able to flow first");
        world.vehicle(true);
        world.vehicle(false);
        let messages = world.transaction_messages();
        assert_eq!(messages.first().unwrap(), "Started/ChargingStateChanged", "{version}");
        assert_eq!(messages.last().unwrap(), "Ended/ChargingStateChanged", "{version}");
    }
}

/// E01.FR.02: the cable that is still there after a transaction begins no new one.
#[test]
fn a_cable_that_stays_begins_no_second_transaction_but_a_new_token_does() {
    for version in V2 {
        let mut world = Script::booted(version);
        world.set("TxCtrlr.TxStartPoint", "EVConnected");
        world.set("TxCtrlr.TxStopPoint", "Authorized");
        world.plug();
        world.tap("TAG");
        world.tap("TAG");
        world.vehicle(true);
        world.handle(Input::ParkingBay { evse: 1, occupied: true });
        world.handle(Input::ParkingBay { evse: 1, occupied: false });
        world.settle();
        let started = |world: &Script| {
            world.transaction_messages().iter().filter(|message| message.starts_with("Started")).count()
        };
        assert_eq!(started(&world), 1, "{version}");
        world.tap("OTHER");
        assert_eq!(started(&world), 2, "{version}");
        assert!(world.energy_permitted());
    }
}

/// E09.FR.01, E06.FR.02; 1.6 edition 2, 4.10
#[test]
fn a_vehicle_that_is_unplugged_ends_its_transaction() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.plug();
        world.tap("TAG");
        world.vehicle(true);
        world.unplug();
        assert!(!world.energy_permitted(), "{version}");
        match version {
            Version::V1_6 => assert_eq!(world.peer.payloads("StopTransaction")[0]["reason"], "EVDisconnected"),
            _ => {
                let event = world.peer.payloads("TransactionEvent").last().copied().unwrap();
                assert_eq!(
                    (&event["eventType"], &event["triggerReason"]),
                    (&json!("Ended"), &json!("EVCommunicationLost"))
                );
                assert_eq!(event["transactionInfo"]["stoppedReason"], "EVDisconnected");
            }
        }
        world.plug();
        assert!(!world.energy_permitted(), "{version}: whoever comes back has to be authorised again");
    }
}

/// 1.6 edition 2, 4.9, 4.10
#[test]
fn a_cable_that_stays_locked_is_not_available_until_its_owner_comes() {
    let mut world = Script::booted(Version::V1_6);
    world.set("UnlockConnectorOnEVSideDisconnect", "false");
    world.plug();
    world.tap("TAG");
    world.unplug();
    assert_eq!(world.peer.payloads("StopTransaction")[0]["reason"], "EVDisconnected");
    let status = world.peer.payloads("StatusNotification").last().copied().unwrap();
    assert_eq!((&status["status"], &status["info"]), (&json!("Finishing"), &json!("EV side disconnected")));
    world.tap("TAG");
    assert!(!world.locked());
    assert_eq!(world.heard_statuses().last().unwrap(), "Available");
}

/// 1.6 edition 2, 3.5.4, 3.10; 1.6 errata 3.5
#[test]
fn somebody_of_the_group_may_fetch_the_cable() {
    let answer = |group: &str| Reply::Result(json!({"idTagInfo": {"status": "Accepted", "parentIdTag": group}}));
    let mut world = Script::booted(Version::V1_6);
    world.set("UnlockConnectorOnEVSideDisconnect", "false");
    world.peer.once("Authorize", answer("FAMILY"));
    world.plug();
    world.tap("TAG");
    world.unplug();
    assert!(world.locked());
    world.peer.once("Authorize", answer("OTHERS"));
    world.tap("STRANGER");
    assert!(world.locked());
    world.peer.once("Authorize", Reply::Result(json!({"idTagInfo": {"status": "Blocked", "parentIdTag": "FAMILY"}})));
    world.tap("BLOCKED");
    assert!(world.locked());
    world.peer.once("Authorize", answer("family"));
    world.tap("CHILD");
    assert!(!world.locked());
    assert_eq!(world.heard_statuses().last().unwrap(), "Available");
    assert_eq!(world.peer.payloads("StartTransaction").len(), 1);
}

/// E09.FR.01, E09.FR.02, E09.FR.03
#[test]
fn the_authorisation_ends_with_the_plug_even_where_only_the_token_ends_the_transaction() {
    for version in V2 {
        for unlocks in ["true", "false"] {
            let mut world = Script::booted(version);
            world.set("TxCtrlr.TxStopPoint", "Authorized");
            world.set("OCPPCommCtrlr.UnlockOnEVSideDisconnect", unlocks);
            world.plug();
            world.tap("TAG");
            world.vehicle(true);
            world.unplug();
            let event = world.peer.payloads("TransactionEvent").last().copied().unwrap();
            assert_eq!(
                (&event["eventType"], &event["triggerReason"]),
                (&json!("Ended"), &json!("EVCommunicationLost"))
            );
            assert_eq!(event["transactionInfo"]["stoppedReason"], "EVDisconnected", "{version}");
            let status = if unlocks == "true" { "Available" } else { "Occupied" };
            assert_eq!(world.heard_statuses().last().unwrap(), status, "{version}");
            assert_eq!(world.locked(), unlocks == "false", "{version}");
            if unlocks == "true" {
                continue;
            }
            world.tap("OTHER");
            assert!(!world.peer.payloads("Authorize").iter().any(|asked| asked["idToken"]["idToken"] == "OTHER"));
            world.tap("TAG");
            assert!(!world.locked(), "{version}: he has come back for his cable");
            assert_eq!(world.heard_statuses().last().unwrap(), "Available", "{version}");
        }
    }
}

/// 1.6 edition 2, 4.10, 9.1.23; E10
#[test]
fn a_transaction_outlives_the_unplugging_where_that_is_wanted() {
    let mut world = Script::booted(Version::V1_6);
    world.set("StopTransactionOnEVSideDisconnect", "false");
    world.plug();
    world.tap("TAG");
    world.vehicle(true);
    world.unplug();
    assert_eq!(world.heard_statuses().last().unwrap(), "SuspendedEV");
    let status = world.peer.payloads("StatusNotification").last().copied().unwrap();
    assert_eq!(status["info"], "EV side disconnected");
    world.plug();
    assert!(world.energy_permitted());
    assert_eq!(world.transaction_messages(), ["StartTransaction"]);
    world.tap("TAG");
    assert_eq!(world.transaction_messages(), ["StartTransaction", "StopTransaction"]);

    for version in V2 {
        let mut world = Script::booted(version);
        world.set("TxCtrlr.StopTxOnEVSideDisconnect", "false");
        world.set("TxCtrlr.TxStopPoint", "Authorized");
        world.plug();
        world.tap("TAG");
        world.unplug();
        assert_eq!(world.transaction_messages().last().unwrap(), "Updated/EVCommunicationLost", "{version}");
        assert!(world.locked(), "E10.FR.01 {version}");
        world.plug();
        assert!(world.energy_permitted());
        assert_eq!(world.transaction_messages().iter().filter(|known| known.starts_with("Started")).count(), 1);
    }
}

/// E06.FR.16; 1.6 edition 2, 4.9
#[test]
fn a_fault_ends_the_transaction_and_clears() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.plug();
        world.tap("TAG");
        world.vehicle(true);
        let fault = Fault::new(FaultCode::GroundFailure);
        world.handle(Input::Fault { evse: Some(1), connector: Some(1), fault });
        world.settle();
        assert!(!world.energy_permitted(), "{version}");
        match version {
            Version::V1_6 => {
                assert_eq!(world.peer.payloads("StopTransaction")[0]["reason"], "Other");
                let status = world.peer.payloads("StatusNotification").last().copied().unwrap();
                assert_eq!((&status["status"], &status["errorCode"]), (&json!("Faulted"), &json!("GroundFailure")));
            }
            _ => {
                let event = world.peer.payloads("TransactionEvent").last().copied().unwrap();
                assert_eq!(
                    (&event["eventType"], &event["triggerReason"]),
                    (&json!("Ended"), &json!("AbnormalCondition"))
                );
                assert_eq!(event["transactionInfo"]["stoppedReason"], "GroundFault");
                assert_eq!(world.heard_statuses().last().unwrap(), "Faulted");
            }
        }
        world.tap("TAG");
        assert!(!world.energy_permitted(), "{version}: what is out of order doesn't charge");
        world.handle(Input::FaultCleared { evse: Some(1), connector: None });
        world.unplug();
        assert_eq!(world.heard_statuses().last().unwrap(), "Available", "{version}");
    }
}

/// G05.FR.01, G05.FR.02; 1.6 edition 2, 7.6
#[test]
fn a_plug_that_cannot_be_locked_does_not_charge() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.plug();
        world.tap("TAG");
        world.handle(Input::LockFailed { evse: 1, connector: 1 });
        world.vehicle(true);
        assert!(!world.energy_permitted(), "{version}");
        match version {
            Version::V1_6 => {
                let status = world.peer.payloads("StatusNotification").last().copied().unwrap();
                assert_eq!(status["errorCode"], "ConnectorLockFailure");
                assert_eq!(status["status"], "SuspendedEVSE");
            }
            _ => {
                let event = &world.peer.payloads("NotifyEvent")[0]["eventData"][0];
                assert_eq!(event["component"]["name"], "ConnectorPlugRetentionLock");
                assert_eq!(event["component"]["evse"], json!({"id": 1, "connectorId": 1}));
                assert_eq!((&event["variable"]["name"], &event["actualValue"]), (&json!("Problem"), &json!("true")));
            }
        }
        world.unplug();
        world.plug();
        world.tap("TAG");
        assert!(world.energy_permitted(), "{version}: the next plug is another try");
    }
}

/// E06.FR.08; the reasons of 2.1 part 2 and of 1.6 edition 2, 7.36
#[test]
fn the_reason_of_a_local_stop_is_told_in_the_words_of_the_version() {
    let cases = [
        (LocalStop::Local, "Local", "StopAuthorized", "Local"),
        (LocalStop::EmergencyStop, "EmergencyStop", "AbnormalCondition", "EmergencyStop"),
        (LocalStop::StoppedByEv, "Other", "StopAuthorized", "StoppedByEV"),
        (LocalStop::EnergyLimitReached, "Other", "EnergyLimitReached", "EnergyLimitReached"),
        (LocalStop::TimeLimitReached, "Other", "TimeLimitReached", "TimeLimitReached"),
        (LocalStop::PowerQuality, "Other", "AbnormalCondition", "PowerQuality"),
        (LocalStop::GroundFault, "Other", "AbnormalCondition", "GroundFault"),
        (LocalStop::OvercurrentFault, "Other", "AbnormalCondition", "OvercurrentFault"),
        (LocalStop::StateOfChargeReached, "Other", "SoCLimitReached", "SOCLimitReached"),
        (LocalStop::Other, "Other", "AbnormalCondition", "Other"),
    ];
    for version in VERSIONS {
        for (stop, old, trigger, new) in cases {
            let mut world = Script::booted(version);
            world.plug();
            world.tap("TAG");
            world.vehicle(true);
            world.handle(Input::StopPressed { evse: 1, reason: stop });
            world.settle();
            assert!(!world.energy_permitted(), "{version} {stop:?}");
            if version == Version::V1_6 {
                assert_eq!(world.peer.payloads("StopTransaction")[0]["reason"], old, "{stop:?}");
                continue;
            }
            let event = world.peer.payloads("TransactionEvent").last().copied().unwrap();
            let trigger = if version == Version::V2_0_1 && trigger == "SoCLimitReached" {
                "ChargingStateChanged"
            } else {
                trigger
            };
            assert_eq!(event["eventType"], "Ended", "{version} {stop:?}");
            assert_eq!(event["triggerReason"], trigger, "{version} {stop:?}");
            assert_eq!(event["transactionInfo"]["stoppedReason"], new, "{version} {stop:?}");
        }
    }
}

/// E01.FR.14
#[test]
fn two_evses_charge_independently() {
    for version in VERSIONS {
        let mut config = config(version);
        config.evses = vec![EvseConfig::default(), EvseConfig::default()];
        let mut world = Script::booted_with(config);
        for evse in [1, 2] {
            world.handle(Input::PluggedIn { evse, connector: 1 });
            let token = Token::rfid(format!("TAG{evse}"));
            world.handle(Input::TokenPresented { evse: Some(evse), token });
            world.settle();
        }
        let now = world.now;
        let state = world.station().state(now);
        assert!(state.evses.iter().all(|evse| evse.energy_permitted && evse.transaction.is_some()), "{version}");
        world.handle(Input::TokenPresented { evse: Some(2), token: Token::rfid("TAG2") });
        world.settle();
        let state = world.station().state(now);
        assert!(state.evses[0].transaction.is_some() && state.evses[1].transaction.is_none(), "{version}");
        if version == Version::V1_6 {
            let connectors: Vec<_> =
                world.peer.payloads("StartTransaction").iter().map(|start| start["connectorId"].clone()).collect();
            assert_eq!(connectors, [1, 2], "1.6 edition 2, 3.8: connectors are numbered through");
            assert_eq!(world.peer.payloads("StopTransaction")[0]["transactionId"], 2);
        }
    }
}

/// C02.FR.01
#[test]
fn a_button_starts_without_a_token() {
    for version in V2 {
        let mut world = Script::booted(version);
        world.plug();
        let token = Token::new("", TokenType::NoAuthorization);
        world.handle(Input::TokenPresented { evse: Some(1), token });
        world.settle();
        assert!(!world.peer.actions().contains(&"Authorize"), "{version}");
        let token = &world.peer.payloads("TransactionEvent")[0]["idToken"];
        assert_eq!(*token, json!({"idToken": "", "type": "NoAuthorization"}), "{version}");
    }
}

/// E05.FR.09 to 11, C15.FR.03, C15.FR.04; 1.6 edition 2, 4.8; 1.6 errata 3.17
#[test]
fn a_token_that_the_answer_refuses_ends_the_charging() {
    let refused = json!({"idTokenInfo": {"status": "Blocked"}});
    for version in V2 {
        let mut world = Script::booted(version);
        world.peer.once("TransactionEvent", Reply::Result(refused.clone()));
        world.plug();
        world.tap("TAG");
        assert!(!world.energy_permitted(), "{version}");
        let event = world.peer.payloads("TransactionEvent").last().copied().unwrap();
        assert_eq!((&event["eventType"], &event["triggerReason"]), (&json!("Ended"), &json!("Deauthorized")));
        assert_eq!(event["transactionInfo"]["stoppedReason"], "DeAuthorized", "{version}");
        assert!(world.locked(), "E05.FR.11 {version}");
        world.tap("TAG");
        assert!(!world.locked(), "{version}: the owner has his cable back");
        assert!(!world.energy_permitted(), "{version}");

        let mut world = Script::booted(version);
        world.set("TxCtrlr.TxStopPoint", "EVConnected");
        world.peer.once("TransactionEvent", Reply::Result(refused.clone()));
        world.plug();
        world.tap("TAG");
        assert!(!world.energy_permitted(), "{version}");
        let event = world.peer.payloads("TransactionEvent").last().copied().unwrap();
        assert_eq!((&event["eventType"], &event["triggerReason"]), (&json!("Updated"), &json!("Deauthorized")));
        assert_eq!(event["transactionInfo"]["chargingState"], "EVConnected", "{version}");

        // C15.FR.06
        let mut world = Script::booted(version);
        world.set("TxCtrlr.StopTxOnInvalidId", "false");
        world.peer.once("TransactionEvent", Reply::Result(refused.clone()));
        world.plug();
        world.tap("TAG");
        assert!(!world.energy_permitted(), "{version}");
        let event = world.peer.payloads("TransactionEvent").last().copied().unwrap();
        assert_eq!((&event["eventType"], &event["triggerReason"]), (&json!("Updated"), &json!("ChargingStateChanged")));
        assert_eq!(event["transactionInfo"]["chargingState"], "SuspendedEVSE", "{version}");
    }
    let refused = Reply::Result(json!({"idTagInfo": {"status": "Blocked"}, "transactionId": 77}));
    let mut world = Script::booted(Version::V1_6);
    world.peer.once("StartTransaction", refused.clone());
    world.plug();
    world.tap("TAG");
    assert!(!world.energy_permitted());
    let stop = world.peer.payloads("StopTransaction")[0];
    assert_eq!((&stop["transactionId"], &stop["reason"]), (&json!(77), &json!("DeAuthorized")));

    let mut world = Script::booted(Version::V1_6);
    world.set("StopTransactionOnInvalidId", "false");
    world.peer.once("StartTransaction", refused);
    world.plug();
    world.tap("TAG");
    assert!(!world.energy_permitted());
    assert_eq!(world.transaction_messages(), ["StartTransaction"]);
    assert_eq!(world.heard_statuses().last().unwrap(), "SuspendedEVSE");
}

/// C15.FR.07; 1.6 edition 2, 9.1.14
#[test]
fn a_refused_token_may_use_up_its_allowance() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.set("StopTransactionOnInvalidId", "false");
        world.set("MaxEnergyOnInvalidId", "500");
        let (action, reply) = match version {
            Version::V1_6 => ("StartTransaction", json!({"idTagInfo": {"status": "Invalid"}, "transactionId": 5})),
            _ => ("TransactionEvent", json!({"idTokenInfo": {"status": "Invalid"}})),
        };
        world.peer.once(action, Reply::Result(reply));
        world.plug();
        world.tap("TAG");
        world.meter("1499");
        world.settle();
        assert!(world.energy_permitted(), "{version}");
        world.meter("1500");
        world.settle();
        assert!(!world.energy_permitted(), "{version}");
    }
}

/// E14
#[test]
fn the_status_of_a_transaction_is_told() {
    for version in V2 {
        let mut world = Script::booted(version);
        let unknown = world.ask("GetTransactionStatus", json!({"transactionId": "no"}));
        assert_eq!(unknown, Said::Result(json!({"ongoingIndicator": false, "messagesInQueue": false})), "{version}");
        world.plug();
        world.tap("TAG");
        let id = world.peer.payloads("TransactionEvent")[0]["transactionInfo"]["transactionId"].clone();
        let ongoing = world.ask("GetTransactionStatus", json!({"transactionId": id}));
        assert_eq!(ongoing, Said::Result(json!({"ongoingIndicator": true, "messagesInQueue": false})), "{version}");
        world.peer.once("TransactionEvent", Reply::Error("InternalError"));
        world.tap("TAG");
        let ended = world.ask("GetTransactionStatus", json!({"transactionId": id}));
        assert_eq!(ended, Said::Result(json!({"ongoingIndicator": false, "messagesInQueue": true})), "{version}");
        // E14.FR.06, E14.FR.07
        let any = world.ask("GetTransactionStatus", json!({}));
        assert_eq!(any, Said::Result(json!({"messagesInQueue": true})), "{version}");
    }
}

#[test]
fn facts_about_what_does_not_exist_change_nothing() {
    let mut world = Script::booted(Version::V2_1);
    for input in [
        Input::PluggedIn { evse: 2, connector: 1 },
        Input::PluggedIn { evse: 1, connector: 2 },
        Input::Unplugged { evse: 1, connector: 1 },
        Input::TokenPresented { evse: Some(0), token: Token::rfid("TAG") },
        Input::FaultCleared { evse: Some(9), connector: None },
    ] {
        world.outputs.clear();
        world.handle(input.clone());
        let ignored = world.events().any(|event| matches!(event, Event::InputIgnored { .. }));
        assert!(ignored, "{input:?}");
    }
    world.settle();
    assert!(world.peer.actions().is_empty());
}
