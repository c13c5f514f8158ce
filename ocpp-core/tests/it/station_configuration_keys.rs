//! Every configuration key of 1.6: what it is, and what it does (1.6 edition 2, chapter 9; 1.6-J, 7; signed meter values 1.0).

use std::time::Duration;

use ocpp_core::station::{
    Event, EvseConfig, Input, Lighting, Output, SettingChange, StationConfig, ValueType, VendorSetting,
};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::harness::config;
use crate::scripted::{Reply, Said, Script};

const V1_6: Version = Version::V1_6;

/// What a key takes, and what it doesn't take.
enum Takes {
    Boolean,
    /// Whole numbers from one to another.
    Number(i64, i64),
    Measurands,
    Word(&'static [&'static str]),
    Phases,
    Secret,
    /// Nothing: it can only be read.
    Nothing,
}

use Takes::{Boolean, Measurands, Nothing, Number, Phases, Secret, Word};

const MOST: i64 = i32::MAX as i64;
const ENERGY: &str = "Energy.Active.Import.Register";

/// Each key with the value that it has at first, in the order of the sections that say so.
const KEYS: &[(&str, &str, Takes)] = &[
    // 1.6 edition 2, 9.1.1 to 9.1.5
    ("AllowOfflineTxForUnknownId", "false", Boolean),
    ("AuthorizationCacheEnabled", "false", Boolean),
    ("AuthorizeRemoteTxRequests", "false", Boolean),
    ("BlinkRepeat", "3", Number(0, 1_000)),
    ("ClockAlignedDataInterval", "0", Number(0, 86_400)),
    // 1.6 edition 2, 9.1.6 to 9.1.10
    ("ConnectionTimeOut", "60", Number(0, MOST)),
    ("ConnectorPhaseRotation", "1.Unknown,2.NotApplicable", Phases),
    ("ConnectorPhaseRotationMaxLength", "3", Nothing),
    ("GetConfigurationMaxKeys", "100", Nothing),
    ("HeartbeatInterval", "300", Number(1, MOST)),
    // 1.6 edition 2, 9.1.11 to 9.1.15
    ("LightIntensity", "80", Number(0, 100)),
    ("LocalAuthorizeOffline", "true", Boolean),
    ("LocalPreAuthorize", "false", Boolean),
    ("MaxEnergyOnInvalidId", "0", Number(0, MOST)),
    ("MeterValuesAlignedData", ENERGY, Measurands),
    // 1.6 edition 2, 9.1.16 to 9.1.20
    ("MeterValuesAlignedDataMaxLength", "13", Nothing),
    ("MeterValuesSampledData", ENERGY, Measurands),
    ("MeterValuesSampledDataMaxLength", "13", Nothing),
    ("MeterValueSampleInterval", "60", Number(0, MOST)),
    ("MinimumStatusDuration", "0", Number(0, MOST)),
    // 1.6 edition 2, 9.1.21 to 9.1.25; 1.6 errata 3.80: they can be changed.
    ("NumberOfConnectors", "2", Nothing),
    ("ResetRetries", "0", Number(0, 1_000)),
    ("StopTransactionOnEVSideDisconnect", "true", Boolean),
    ("StopTransactionOnInvalidId", "true", Boolean),
    ("StopTxnAlignedData", "", Measurands),
    // 1.6 edition 2, 9.1.26 to 9.1.28
    ("StopTxnAlignedDataMaxLength", "13", Nothing),
    ("StopTxnSampledData", ENERGY, Measurands),
    ("StopTxnSampledDataMaxLength", "13", Nothing),
    // 1.6 edition 2, 9.1.31 to 9.1.34; 1.6 errata 3.84
    ("TransactionMessageAttempts", "3", Number(1, 1_000)),
    ("TransactionMessageRetryInterval", "60", Number(0, MOST)),
    ("UnlockConnectorOnEVSideDisconnect", "true", Boolean),
    ("WebSocketPingInterval", "60", Number(0, MOST)),
    // 1.6 edition 2, 9.2.1 to 9.2.3
    ("LocalAuthListEnabled", "true", Boolean),
    ("LocalAuthListMaxLength", "1000", Nothing),
    ("SendLocalListMaxLength", "250", Nothing),
    // 1.6 edition 2, 9.3.1
    ("ReserveConnectorZeroSupported", "true", Nothing),
    // 1.6 edition 2, 9.4.1 to 9.4.5; 1.6 errata 3.88
    ("ChargeProfileMaxStackLevel", "9", Nothing),
    ("ChargingScheduleAllowedChargingRateUnit", "Current,Power", Nothing),
    ("ChargingScheduleMaxPeriods", "100", Nothing),
    ("ConnectorSwitch3to1PhaseSupported", "false", Nothing),
    ("MaxChargingProfilesInstalled", "20", Nothing),
    // 1.6 errata 3.83, 3.91
    ("MessageTimeout", "30", Number(1, 3_600)),
    ("StopTransactionMaxMeterValues", "500", Nothing),
    // 1.6-J errata 3.12
    ("AuthorizationKey", "", Secret),
    // "Signed meter values in OCPP", 3.3
    ("AlignedDataSignReadings", "false", Boolean),
    ("AlignedDataSignUpdatedReadings", "false", Boolean),
    ("MeterPublicKey1", "a-key", Nothing),
    ("PublicKeyWithSignedMeterValue", "EveryMeterValue", Word(&["Never", "OncePerTransaction", "EveryMeterValue"])),
    ("SampledDataSignReadings", "false", Boolean),
    ("SampledDataSignStartedReadings", "false", Boolean),
    ("SampledDataSignUpdatedReadings", "false", Boolean),
    ("StartTxnSampledData", "", Measurands),
];

/// A station with two EVSEs, the first with a meter that signs, the second with one phase, and with lamps.
fn equipped() -> StationConfig {
    let mut config = config(V1_6);
    config.evses = vec![EvseConfig::default(), EvseConfig::default()];
    config.evses[0].meter_public_key = Some("a-key".into());
    config.evses[1].supply_phases = 1;
    config.settings = vec![("LightIntensity".into(), "80".into()), ("BlinkRepeat".into(), "3".into())];
    config
}

fn status(word: &str) -> Said {
    Said::Result(json!({ "status": word }))
}

fn change(world: &mut Script, key: &str, value: &str) -> Said {
    world.ask("ChangeConfiguration", json!({"key": key, "value": value}))
}

fn get(world: &mut Script, key: &str) -> Option<Value> {
    world.ask("GetConfiguration", json!({ "key": [key] }));
    Some(world.peer.result().get("configurationKey")?[0].clone())
}

fn value(world: &mut Script, key: &str) -> String {
    get(world, key).unwrap()["value"].as_str().unwrap().to_owned()
}

/// 1.6 edition 2, 5.3, 5.8, 9.1 to 9.4
#[test]
fn every_key_has_its_type_its_access_its_first_value_and_its_range() {
    let mut world = Script::booted_with(equipped());
    for (key, first, takes) in KEYS {
        let found = get(&mut world, key).unwrap_or_else(|| panic!("{key} is there"));
        assert_eq!(found["key"], *key);
        assert_eq!(found["readonly"], matches!(takes, Nothing), "{key}");
        let value = found.get("value").map(|value| value.as_str().unwrap().to_owned());
        assert_eq!(value.as_deref(), (!matches!(takes, Secret)).then_some(*first), "{key}");
        let (accepted, rejected): (Vec<String>, Vec<String>) = match takes {
            Boolean => (vec!["true".into(), "FALSE".into()], vec!["1".into(), "".into(), "yes".into()]),
            Number(least, most) => (
                vec![least.to_string(), most.to_string()],
                vec![(least - 1).to_string(), (most + 1).to_string(), "".into(), "1.5".into(), "soon".into()],
            ),
            Measurands => (
                vec!["".into(), "Voltage.L1-N, SoC".into()],
                vec!["Celcius".into(), "Voltage.L9".into(), ["SoC"; 14].join(",")],
            ),
            Word(words) => (words.iter().map(|word| (*word).to_owned()).collect(), vec!["".into(), "Always".into()]),
            Phases => (
                vec!["0.RST,1.RTS,2.NotApplicable".into(), "1.TRS".into()],
                vec!["3.RST".into(), "1.XYZ".into(), "1.RST,1.RST".into(), "RST".into()],
            ),
            Secret => (vec!["0001020304050607FFFFFFCCCCCCCCCCCCCCCCCC".into()], vec![]),
            Nothing => (vec![], vec![(*first).to_owned(), "1".into()]),
        };
        for value in rejected {
            assert_eq!(change(&mut world, key, &value), status("Rejected"), "{key} = {value}");
            assert_eq!(get(&mut world, key), Some(found.clone()), "{key} = {value}: nothing has changed");
        }
        for value in accepted {
            assert_eq!(change(&mut world, key, &value), status("Accepted"), "{key} = {value}");
            let kept = get(&mut world, key).unwrap().get("value").cloned();
            let plain = |text: &str| text.replace(' ', "").to_lowercase();
            let kept = kept.map(|kept| plain(kept.as_str().unwrap()));
            assert_eq!(kept, (!matches!(takes, Secret)).then(|| plain(&value)), "{key}");
        }
    }
}

/// 1.6 edition 2, 5.8, 9.1.29, 9.1.30; 1.6 errata 3.81
#[test]
fn a_csms_that_asks_for_everything_is_told_everything() {
    let mut world = Script::booted_with(equipped());
    world.ask("GetConfiguration", json!({}));
    let all: Vec<String> = world.peer.result()["configurationKey"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| pair["key"].as_str().unwrap().to_owned())
        .collect();
    for (key, ..) in KEYS {
        assert_eq!(all.iter().filter(|known| known == key).count(), 1, "{key}");
    }
    assert!(all.contains(&"SupportedFeatureProfiles".to_owned()));
    assert_eq!(get(&mut world, "SupportedFeatureProfilesMaxLength"), None, "it has no use");
    world.ask("GetConfiguration", json!({"key": []}));
    assert_eq!(world.peer.result()["configurationKey"].as_array().unwrap().len(), all.len());
    // Each profile that is named has its messages, and the others have none.
    let profiles = value(&mut world, "SupportedFeatureProfiles");
    for (profile, action, payload) in [
        ("LocalAuthListManagement", "GetLocalListVersion", json!({})),
        ("RemoteTrigger", "TriggerMessage", json!({"requestedMessage": "Heartbeat"})),
        ("Reservation", "CancelReservation", json!({"reservationId": 1})),
        ("SmartCharging", "ClearChargingProfile", json!({})),
        ("FirmwareManagement", "GetDiagnostics", json!({"location": "https://csms.example/d"})),
    ] {
        let said = world.ask(action, payload);
        let is_named = profiles.split(',').any(|known| known == profile);
        assert_eq!(matches!(said, Said::Result(_)), is_named, "{profile}: {said:?}");
    }
}

/// 1.6 edition 2, 5.8, 9.1.9
#[test]
fn no_more_keys_can_be_asked_for_at_once_than_the_station_says() {
    let mut config = config(V1_6);
    config.settings = vec![("GetConfigurationMaxKeys".into(), "2".into())];
    let mut world = Script::booted_with(config);
    let said = world.ask("GetConfiguration", json!({"key": ["HeartbeatInterval", "Nonsense"]}));
    assert!(matches!(said, Said::Result(_)));
    assert_eq!(world.peer.result()["unknownKey"], json!(["Nonsense"]));
    let said = world.ask("GetConfiguration", json!({"key": ["HeartbeatInterval", "Nonsense", "MessageTimeout"]}));
    assert_eq!(said, Said::Error("OccurenceConstraintViolation".into()));
}

/// 1.6 edition 2, 9.1.4, 9.1.11
#[test]
fn lamps_are_told_how_to_shine_and_a_station_without_them_does_not_have_the_keys() {
    let lit = |world: &Script| -> Vec<Lighting> {
        let lighting = |output: &Output| match output {
            Output::SetLighting(lighting) => Some(*lighting),
            _ => None,
        };
        world.outputs.iter().filter_map(|(_, output)| lighting(output)).collect()
    };
    let both = |world: &Script| lit(world).last().map(|lighting| (lighting.intensity, lighting.blink_repeat));
    let mut world = Script::booted_with(equipped());
    assert_eq!(both(&world), Some((Some(80), Some(3))));
    change(&mut world, "LightIntensity", "20");
    assert_eq!(both(&world), Some((Some(20), Some(3))));
    world.power_cut(Duration::from_secs(1));
    assert_eq!((lit(&world).len(), both(&world)), (3, Some((Some(20), Some(3)))));

    let mut world = Script::booted(V1_6);
    assert!(lit(&world).is_empty());
    for key in ["LightIntensity", "BlinkRepeat"] {
        assert_eq!(change(&mut world, key, "5"), status("NotSupported"));
        world.ask("GetConfiguration", json!({ "key": [key] }));
        assert_eq!(*world.peer.result(), json!({ "unknownKey": [key] }));
    }
}

/// 1.6 edition 2, 9.1.7, 9.1.8
#[test]
fn the_installer_can_say_how_the_phases_are_wired() {
    let mut world = Script::booted_with(equipped());
    assert_eq!(change(&mut world, "ConnectorPhaseRotation", "1.rst, 2.NotApplicable"), status("Accepted"));
    assert!(world.events().any(|event| {
        matches!(event, Event::SettingChanged { name, value }
            if name == "ConnectorPhaseRotation" && value == "1.RST,2.NotApplicable")
    }));
    world.power_cut(Duration::from_secs(1));
    world.settle();
    assert_eq!(value(&mut world, "ConnectorPhaseRotation"), "1.RST,2.NotApplicable");
}

/// 1.6 edition 2, 9.1.6; 1.6 errata 3.20, 3.21, 3.77, 3.89
#[test]
fn whoever_plugs_in_and_presents_no_token_has_to_do_something_again() {
    let mut world = Script::booted(V1_6);
    change(&mut world, "ConnectionTimeOut", "20");
    world.plug();
    world.run(Duration::from_secs(16));
    assert_eq!(world.heard_statuses(), ["Preparing"]);
    world.run(Duration::from_secs(2));
    assert_eq!(world.heard_statuses(), ["Preparing", "Finishing"], "B6");
    world.tap("TAG");
    assert_eq!(world.heard_statuses()[2..], ["Preparing", "SuspendedEV"], "F2: a token is as good as a new plug");
    assert!(world.energy_permitted());
    world.tap("TAG");
    world.unplug();
    assert_eq!(world.heard_statuses().last().unwrap(), "Available");

    // The CSMS takes its time with the token: that is not the driver's fault.
    world.peer.always("Authorize", Reply::Silence);
    world.plug();
    world.run(Duration::from_secs(10));
    world.tap("TAG");
    world.run(Duration::from_secs(12));
    assert_eq!(world.heard_statuses().last().unwrap(), "Preparing");
    world.run(Duration::from_secs(30));
    assert_eq!(world.heard_statuses().last().unwrap(), "Finishing");

    let mut world = Script::booted(V1_6);
    change(&mut world, "ConnectionTimeOut", "0");
    world.plug();
    world.run(Duration::from_secs(100_000));
    assert_eq!(world.heard_statuses(), ["Preparing"], "0 is for ever");
}

/// 1.6 errata 3.20: one reader for two connectors.
#[test]
fn a_cable_that_nobody_has_paid_for_in_time_is_not_the_one_that_a_token_means() {
    let mut config = config(V1_6);
    config.evses = vec![EvseConfig::default(), EvseConfig::default()];
    let mut world = Script::booted_with(config);
    world.plug();
    world.run(Duration::from_secs(70));
    world.handle(Input::TokenPresented { evse: None, token: ocpp_core::station::Token::rfid("B") });
    world.settle();
    world.handle(Input::PluggedIn { evse: 2, connector: 1 });
    world.settle();
    assert_eq!(world.peer.payloads("StartTransaction")[0]["connectorId"], 2);
}

/// 1.6 edition 2, 9.1.10, 4.6
#[test]
fn a_heartbeat_comes_after_an_interval_of_silence() {
    let mut world = Script::booted(V1_6);
    change(&mut world, "HeartbeatInterval", "30");
    world.peer.forget();
    world.run(Duration::from_secs(25));
    world.plug();
    world.run(Duration::from_secs(10));
    assert_eq!(world.peer.payloads("Heartbeat").len(), 0, "the status was a sign of life");
    world.run(Duration::from_secs(20));
    assert_eq!(world.peer.payloads("Heartbeat").len(), 1);
}

/// 1.6 edition 2, 4.9, 9.1.20; 1.6 errata 3.19, 3.55: connected and not asking for energy is SuspendedEV.
#[test]
fn a_status_that_does_not_last_is_not_told() {
    let mut world = Script::booted(V1_6);
    change(&mut world, "MinimumStatusDuration", "10");
    world.peer.forget();
    world.plug();
    world.unplug();
    world.run(Duration::from_secs(60));
    assert!(world.heard_statuses().is_empty(), "it is what it was");
    world.plug();
    world.tap("TAG");
    world.run(Duration::from_secs(8));
    assert_eq!(world.heard_statuses(), ["SuspendedEV"], "Preparing was over too soon");
    world.run(Duration::from_secs(30));
    assert_eq!(world.heard_statuses().len(), 1);
    // Whoever asks is told at once, and so is a CSMS that has just accepted the station.
    world.vehicle(true);
    world.ask("TriggerMessage", json!({"requestedMessage": "StatusNotification", "connectorId": 1}));
    assert_eq!(world.heard_statuses().last().unwrap(), "Charging");
    world.peer.forget();
    world.power_cut(Duration::from_secs(1));
    world.run(Duration::from_secs(2));
    assert_eq!(world.heard_statuses().len(), 1);
    world.run(Duration::from_secs(60));
    assert_eq!(world.station().setting(&"MinimumStatusDuration".into()).unwrap(), "10");
}

/// 1.6 edition 2, 9.1.22, 5.14
#[test]
fn a_restart_that_fails_is_tried_again_as_often_as_is_said() {
    for retries in [0, 2] {
        let mut world = Script::booted(V1_6);
        change(&mut world, "ResetRetries", &retries.to_string());
        world.restarts_fail = true;
        assert_eq!(world.ask("Reset", json!({"type": "Soft"})), status("Accepted"));
        world.settle();
        let tried = world.outputs.iter().filter(|(_, output)| matches!(output, Output::Restart { .. })).count();
        assert_eq!(tried, 1 + retries);
        assert!(world.events().any(|event| *event == Event::RestartGivenUp));
        world.plug();
        world.tap("TAG");
        assert!(world.energy_permitted(), "the station can be used on");
        world.restarts_fail = false;
        world.power_cut(Duration::from_secs(1));
        world.run(Duration::from_secs(15));
        assert_eq!(world.peer.payloads("StopTransaction")[0]["reason"], "PowerLoss", "it was no reset");
    }
}

/// 1.6 edition 2, 4.10, 9.1.23, 9.1.33; 1.6 errata 3.80, 3.84
#[test]
fn what_a_vehicle_that_drives_off_leaves_behind_follows_from_two_settings() {
    for (stops, unlocks, told, locked) in [
        (true, true, &["Finishing", "Available"][..], false),
        (true, false, &["Finishing"], true),
        // To go on has priority over to unlock.
        (false, true, &["SuspendedEV"], true),
        (false, false, &["SuspendedEV"], true),
    ] {
        let mut world = Script::booted(V1_6);
        change(&mut world, "StopTransactionOnEVSideDisconnect", &stops.to_string());
        change(&mut world, "UnlockConnectorOnEVSideDisconnect", &unlocks.to_string());
        world.plug();
        world.tap("TAG");
        world.vehicle(true);
        let before = world.heard_statuses().len();
        world.unplug();
        assert_eq!(world.heard_statuses()[before..], *told, "{stops} {unlocks}");
        let info = |payload: &&&Value| payload["connectorId"] == 1 && payload.get("info").is_some();
        let payloads = world.peer.payloads("StatusNotification");
        let explained: Vec<_> = payloads.iter().filter(info).collect();
        assert_eq!(explained.len(), 1, "{stops} {unlocks}");
        assert_eq!(explained[0]["info"], "EV side disconnected");
        assert_eq!(explained[0]["errorCode"], "NoError");
        assert_eq!(world.locked(), locked, "{stops} {unlocks}");
        assert_eq!(world.peer.payloads("StopTransaction").len(), usize::from(stops), "{stops} {unlocks}");
        assert!(!world.energy_permitted());
    }
}

/// 1.6 errata 3.84, 3.85
#[test]
fn a_cable_that_is_fixed_cannot_be_unlocked_by_any_setting() {
    let mut config = config(V1_6);
    config.evses[0].detachable_cable = false;
    let mut world = Script::booted_with(config);
    let key = "UnlockConnectorOnEVSideDisconnect";
    assert_eq!(get(&mut world, key), Some(json!({"key": key, "readonly": true, "value": "false"})));
    assert_eq!(change(&mut world, key, "true"), status("Rejected"));
    let now = world.now;
    assert!(world.station().change_setting(now, &key.into(), Some("true")).is_err());
    // C1: nothing is left to do for whoever drives off.
    world.plug();
    world.tap("TAG");
    world.unplug();
    assert_eq!(world.heard_statuses().last().unwrap(), "Available");
    assert!(!world.heard_statuses().contains(&"Finishing".to_owned()));
}

/// 1.6 edition 2, 9.1.34; 1.6-J, 7
#[test]
fn a_new_ping_interval_counts_at_once_and_for_the_next_connection() {
    let mut world = Script::booted(V1_6);
    for (value, interval) in [("15", Some(Duration::from_secs(15))), ("0", None)] {
        assert_eq!(change(&mut world, "WebSocketPingInterval", value), status("Accepted"));
        let told = world.outputs.iter().rev().find_map(|(_, output)| match output {
            Output::SetPingInterval(interval) => Some(*interval),
            _ => None,
        });
        assert_eq!(told, Some(interval));
        world.drop_connection();
        world.run(Duration::from_secs(40));
        let connect = world.outputs.iter().rev().find_map(|(_, output)| match output {
            Output::Connect(connect) => Some(connect.ping_interval),
            _ => None,
        });
        assert_eq!(connect, Some(interval));
    }
    assert_eq!(change(&mut world, "WebSocketPingInterval", "-1"), status("Rejected"));
}

/// 1.6 errata 3.83
#[test]
fn a_request_times_out_when_the_csms_has_set_it_to() {
    let mut world = Script::booted(V1_6);
    change(&mut world, "MessageTimeout", "7");
    world.peer.once("Authorize", Reply::Silence);
    world.plug();
    world.handle(Input::TokenPresented { evse: Some(1), token: ocpp_core::station::Token::rfid("TAG") });
    let asked = |world: &Script| world.events().any(|event| matches!(event, Event::Authorization { .. }));
    world.run(Duration::from_secs(6));
    assert!(!asked(&world));
    world.run(Duration::from_secs(2));
    assert!(asked(&world));
}

/// "Signed meter values in OCPP", 3.3.1
#[test]
fn the_public_key_of_each_meter_is_told_by_the_number_of_its_connector() {
    let mut config = config(V1_6);
    config.evses = vec![EvseConfig::with_connectors(2), EvseConfig::default(), EvseConfig::default()];
    config.evses[0].meter_public_key = Some("first".into());
    config.evses[2].meter_public_key = Some("x".repeat(501));
    let mut world = Script::booted_with(config);
    for key in ["MeterPublicKey1", "meterpublickey2"] {
        assert_eq!(value(&mut world, key), "first", "{key}: both connectors share a meter");
        assert_eq!(change(&mut world, key, "other"), status("Rejected"));
    }
    for key in ["MeterPublicKey3", "MeterPublicKey4", "MeterPublicKey", "MeterPublicKey01", "MeterPublicKeyé"] {
        assert_eq!(get(&mut world, key), None, "{key}");
        assert_eq!(change(&mut world, key, "other"), status("NotSupported"));
    }
}

/// 1.6 edition 2, 5.3, 7.22, 9
#[test]
fn a_vendor_has_settings_of_his_own_and_says_which_need_a_restart() {
    let mut config = config(V1_6);
    let setting = |name: &str, kind, default: &str| VendorSetting::new(name, kind, default);
    let mut voltage = setting("com.example.GridVoltage", ValueType::Integer { minimum: 100, maximum: 300 }, "230");
    voltage.reboot_required = true;
    let mut serial = setting("BoardSerial", ValueType::Text, "B-17");
    serial.read_only = true;
    config.vendor_settings = vec![
        voltage,
        serial,
        setting("Beep", ValueType::Boolean, "true"),
        // What can't be is left out, and said.
        setting("HeartbeatInterval", ValueType::Text, "1"),
        setting("beep", ValueType::Text, ""),
        setting("a b", ValueType::Text, ""),
        setting("Odd", ValueType::Boolean, "maybe"),
    ];
    let mut world = Script::booted_with(config);
    let ignored = world.events().filter(|event| matches!(event, Event::InputIgnored { .. })).count();
    assert_eq!(ignored, 4);
    for (key, value, word) in [
        ("com.example.gridvoltage", "115", "RebootRequired"),
        ("com.example.GridVoltage", "99", "Rejected"),
        ("BoardSerial", "B-18", "Rejected"),
        ("Beep", "FALSE", "Accepted"),
        ("a b", "1", "NotSupported"),
    ] {
        assert_eq!(change(&mut world, key, value), status(word), "{key}");
    }
    world.power_cut(Duration::from_secs(1));
    world.settle();
    let voltage = json!({"key": "com.example.GridVoltage", "readonly": false, "value": "115"});
    assert_eq!(get(&mut world, "com.example.GridVoltage"), Some(voltage.clone()));
    world.ask("GetConfiguration", json!({}));
    assert!(world.peer.result()["configurationKey"].as_array().unwrap().contains(&voltage));
    assert_eq!(world.station().setting(&"beep".into()).unwrap(), "false");
    let now = world.now;
    let changed = world.station().change_setting(now, &"com.example.GridVoltage".into(), None);
    assert_eq!(changed, Ok(SettingChange::RebootRequired));
    assert_eq!(world.station().setting(&"com.example.GridVoltage".into()).unwrap(), "230");
}
