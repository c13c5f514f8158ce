//! Transactions that a power cut interrupts (2.1 part 2, E17; 1.6 edition 2, 7.36).

use std::time::Duration;

use ocpp_core::station::Input;
use ocpp_core::types::Version;
use serde_json::json;

use crate::harness::VERSIONS;
use crate::scripted::Script;
use crate::station_transactions::energy;

/// E17.FR.20, E17.FR.21; 1.6 edition 2, 7.36
#[test]
fn a_power_cut_ends_the_transaction_with_what_the_meter_says_afterwards() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.plug();
        world.tap("TAG");
        world.vehicle(true);
        world.power_cut(Duration::from_secs(30));
        // Nothing that is told before the meter speaks ends it.
        world.handle(Input::ParkingBay { evse: 1, occupied: true });
        world.handle(Input::PluggedIn { evse: 1, connector: 1 });
        world.meter("2222");
        world.settle();
        match version {
            Version::V1_6 => {
                assert_eq!(world.transaction_messages(), ["StartTransaction", "StopTransaction"]);
                let stop = world.peer.payloads("StopTransaction")[0];
                assert_eq!((&stop["meterStop"], &stop["reason"]), (&json!(2222), &json!("PowerLoss")));
                assert_eq!(stop["transactionId"], 1);
            }
            _ => {
                let event = world.peer.payloads("TransactionEvent").last().copied().unwrap();
                assert_eq!(
                    (&event["eventType"], &event["triggerReason"]),
                    (&json!("Ended"), &json!("AbnormalCondition"))
                );
                assert_eq!(event["transactionInfo"]["stoppedReason"], "PowerLoss");
                assert_eq!(energy(event, "Transaction.End").as_deref(), Some("2222"));
                assert_eq!(event["offline"], true);
            }
        }
        assert!(!world.energy_permitted(), "{version}");
    }
}

#[test]
fn a_meter_that_stays_silent_after_a_power_cut_does_not_keep_the_transaction_open() {
    for version in VERSIONS {
        let mut world = Script::booted(version);
        world.plug();
        world.tap("TAG");
        world.vehicle(true);
        world.power_cut(Duration::from_secs(30));
        world.run(Duration::from_secs(15));
        match version {
            Version::V1_6 => assert_eq!(world.peer.payloads("StopTransaction")[0]["meterStop"], 1000),
            _ => {
                let event = world.peer.payloads("TransactionEvent").last().copied().unwrap();
                assert_eq!(energy(event, "Transaction.End").as_deref(), Some("1000"), "{version}");
            }
        }
    }
}

/// E17.FR.10, E17.FR.14, E17.FR.20
#[test]
fn a_short_interruption_is_bridged_where_that_is_wanted_and_a_long_one_is_not() {
    for version in VERSIONS {
        for (interruption, goes_on) in [(30, true), (301, false)] {
            let mut world = Script::booted(version);
            world.set("TxCtrlr.TxResumptionTimeout", "300");
            world.plug();
            world.tap("TAG");
            world.vehicle(true);
            world.power_cut(Duration::from_secs(interruption));
            world.handle(Input::PluggedIn { evse: 1, connector: 1 });
            world.vehicle(true);
            world.meter("1500");
            world.settle();
            assert_eq!(world.energy_permitted(), goes_on, "{version}");
            if goes_on {
                if version == Version::V2_1 {
                    assert!(world.transaction_messages().contains(&"Updated/TxResumed".to_owned()));
                }
                world.meter("3000");
                world.tap("TAG");
            }
            let (starts, stops): (Vec<_>, Vec<_>) = match version {
                Version::V1_6 => (world.peer.payloads("StartTransaction"), world.peer.payloads("StopTransaction")),
                _ => {
                    let of = |stage: &'static str| {
                        let events = world.peer.payloads("TransactionEvent").into_iter();
                        events.filter(|event| event["eventType"] == stage).collect::<Vec<_>>()
                    };
                    (of("Started"), of("Ended"))
                }
            };
            assert_eq!((starts.len(), stops.len()), (1, 1), "{version} {interruption}");
        }
    }
}

/// E17.FR.16, E17.FR.17: the plug may be reported after the meter.
#[test]
fn an_interrupted_transaction_waits_for_the_word_about_its_plug() {
    for version in VERSIONS {
        for plugged in [true, false] {
            let mut world = Script::booted(version);
            world.set("TxCtrlr.TxResumptionTimeout", "300");
            world.plug();
            world.tap("TAG");
            world.power_cut(Duration::from_secs(30));
            world.meter("1500");
            world.settle();
            if plugged {
                world.handle(Input::PluggedIn { evse: 1, connector: 1 });
            }
            world.run(Duration::from_secs(20));
            let now = world.now;
            let state = world.station().state(now);
            assert_eq!(state.evses[0].transaction.is_some(), plugged, "{version}");
            assert_eq!(state.evses[0].energy_permitted, plugged, "{version}");
            assert_eq!(state.outbox, 0, "{version}");
        }
    }
}

/// E17.FR.12
#[test]
fn a_bridged_transaction_gets_no_energy_where_that_is_not_wanted() {
    let mut world = Script::booted(Version::V2_1);
    world.set("TxCtrlr.TxResumptionTimeout", "300");
    world.set("TxCtrlr.TxAllowEnergyTransferResumption", "false");
    world.plug();
    world.tap("TAG");
    world.vehicle(true);
    world.power_cut(Duration::from_secs(30));
    world.handle(Input::PluggedIn { evse: 1, connector: 1 });
    world.vehicle(true);
    world.meter("1500");
    world.settle();
    assert!(!world.energy_permitted());
    let event = world.peer.payloads("TransactionEvent").last().copied().unwrap();
    assert_eq!(event["triggerReason"], "TxResumed");
    assert_eq!(event["transactionInfo"]["chargingState"], "SuspendedEVSE");
}
