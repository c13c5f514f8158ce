//! Firmware updates (2.1 part 2, L01 and L02; 1.6 edition 2, 4.5 and 5.19; 1.6 security, L01).

use std::time::Duration;

use ocpp_core::station::{Answer, ConnectorStatus, FirmwareFact, FirmwareUpdates, Input, Output, Token, UpdateId};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::harness::{VERSIONS, config};
use crate::scripted::{Reply, Said, Script};

const V2: [Version; 2] = [Version::V2_0_1, Version::V2_1];

/// A station that takes these updates.
fn booted(version: Version, updates: FirmwareUpdates) -> Script {
    let mut config = config(version);
    config.firmware_updates = updates;
    Script::booted_with(config)
}

fn signed(version: Version) -> Script {
    booted(version, FirmwareUpdates::Signed)
}

fn location() -> Value {
    json!("https://firmware.example/wallbox-2.0.0.bin")
}

/// `UpdateFirmware` of 1.6.
fn plain(more: Value) -> Value {
    merge(json!({"location": location(), "retrieveDate": "2026-11-20T07:00:00Z"}), more)
}

/// A wish for signed firmware, of whatever version.
fn request(id: i64, more_firmware: Value) -> Value {
    let firmware = json!({
        "location": location(),
        "retrieveDateTime": "2026-11-20T07:00:00Z",
        "signingCertificate": "-----BEGIN CERTIFICATE-----",
        "signature": "c2lnbmF0dXJl"
    });
    json!({"requestId": id, "firmware": merge(firmware, more_firmware)})
}

fn merge(mut one: Value, other: Value) -> Value {
    for (key, value) in other.as_object().unwrap() {
        match value {
            Value::Null => drop(one.as_object_mut().unwrap().remove(key)),
            value => one[key] = value.clone(),
        }
    }
    one
}

fn action(version: Version) -> &'static str {
    if version == Version::V1_6 { "SignedUpdateFirmware" } else { "UpdateFirmware" }
}

fn message(version: Version) -> &'static str {
    if version == Version::V1_6 { "SignedFirmwareStatusNotification" } else { "FirmwareStatusNotification" }
}

fn update(world: &mut Script, payload: Value) -> Said {
    let action = action(world.version);
    world.ask(action, payload)
}

fn status(word: &str) -> Said {
    Said::Result(json!({"status": word}))
}

/// The words that the CSMS heard of updates, in order.
fn statuses(world: &Script) -> Vec<String> {
    let is_status = |action: &str| matches!(action, "FirmwareStatusNotification" | "SignedFirmwareStatusNotification");
    let heard = world.peer.heard.iter().filter(|heard| is_status(&heard.action));
    heard.map(|heard| heard.payload["status"].as_str().unwrap().to_owned()).collect()
}

fn security_events(world: &Script) -> Vec<&str> {
    let events = world.peer.security_events.iter();
    events.map(|event| event["type"].as_str().unwrap()).filter(|kind| kind.contains("Firmware")).collect()
}

fn charging(world: &mut Script) {
    world.plug();
    world.tap("TAG");
    world.vehicle(true);
    assert_eq!(world.status(), ConnectorStatus::Charging);
}

/// 1.6 edition 2, 4.5, 5.19 and 7.25; 1.6 errata 3.12, 3.47 and 3.48
#[test]
fn unsigned_firmware_is_downloaded_installed_and_reported_step_by_step() {
    let mut world = booted(Version::V1_6, FirmwareUpdates::Unsigned);
    assert_eq!(world.ask("UpdateFirmware", plain(json!({}))), Said::Result(json!({})));
    world.run(Duration::from_secs(60));
    assert_eq!(statuses(&world), ["Downloading", "Downloaded", "Installing", "Installed"]);
    assert!(world.peer.payloads("FirmwareStatusNotification").iter().all(|payload| payload.get("requestId").is_none()));
    assert_eq!(world.restarts, 1);
    assert_eq!(world.peer.payloads("BootNotification")[0]["firmwareVersion"], "2.0.0");
    // The new firmware says so itself, once it has been accepted.
    let installed = world.peer.heard.iter().rposition(|heard| heard.action == "FirmwareStatusNotification").unwrap();
    let boot = world.peer.heard.iter().position(|heard| heard.action == "BootNotification").unwrap();
    assert!(boot < installed);
}

/// L02.FR.01, L02.FR.02, L02.FR.06, L02.FR.09, L02.FR.20, L02.FR.21, L01.FR.31
#[test]
fn unsigned_firmware_is_installed_with_its_number_in_2_x() {
    for version in V2 {
        let mut world = booted(version, FirmwareUpdates::Unsigned);
        let payload = request(7, json!({"signingCertificate": null, "signature": null}));
        assert_eq!(update(&mut world, payload), status("Accepted"), "{version}");
        world.run(Duration::from_secs(60));
        let expected = ["Downloading", "Downloaded", "Installing", "InstallRebooting", "Installed"];
        assert_eq!(statuses(&world), expected, "{version}");
        assert!(world.peer.payloads(message(version)).iter().all(|payload| payload["requestId"] == 7), "{version}");
        assert_eq!(world.peer.payloads("BootNotification")[0]["reason"], "FirmwareUpdate", "{version}");
        assert_eq!(security_events(&world), ["FirmwareUpdated"], "{version}");
    }
}

/// L01.FR.01, L01.FR.04, L01.FR.05, L01.FR.10, L01.FR.12, L01.FR.15, L01.FR.20, L01.FR.21, L01.FR.28, L01.FR.31, L01.FR.32;
/// 1.6 security, L01.FR.01/04/05/09/10/12/15/21/23
#[test]
fn signed_firmware_is_verified_before_it_is_installed() {
    for version in VERSIONS {
        let mut world = signed(version);
        assert_eq!(update(&mut world, request(7, json!({}))), status("Accepted"), "{version}");
        world.run(Duration::from_secs(60));
        let expected =
            ["Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting", "Installed"];
        assert_eq!(statuses(&world), expected, "{version}");
        let reports = world.peer.payloads(message(version));
        assert_eq!(reports.len(), expected.len(), "{version}");
        assert!(reports.iter().all(|payload| payload["requestId"] == 7), "{version}");
        assert_eq!(security_events(&world), ["FirmwareUpdated"], "{version}");
        assert_eq!(world.transfers.installs, 1, "{version}");
        assert_eq!(world.restarts, 1, "{version}");
    }
}

/// L01.FR.02, L01.FR.22; 1.6 security, L01.FR.02/23/24/25
#[test]
fn a_signing_certificate_that_is_not_valid_is_refused_before_anything_is_done() {
    for version in VERSIONS {
        for (answer, word) in [(Answer::Failed, "InvalidCertificate"), (Answer::Revoked, "RevokedCertificate")] {
            let mut world = signed(version);
            world.transfers.certificate = answer;
            assert_eq!(update(&mut world, request(7, json!({}))), status(word), "{version}");
            world.run(Duration::from_secs(60));
            assert!(statuses(&world).is_empty(), "{version}");
            assert!(world.transfers.downloaded.is_empty(), "{version}");
            assert_eq!(security_events(&world), ["InvalidFirmwareSigningCertificate"], "{version}");
        }
    }
}

/// L01.FR.22: what could not be verified is not valid.
#[test]
fn a_signing_certificate_that_nobody_judges_is_not_valid() {
    let mut world = signed(Version::V2_1);
    world.answers = false;
    world.peer.call("UpdateFirmware", request(7, json!({})));
    world.run(Duration::from_secs(16));
    assert_eq!(*world.peer.answer(), status("InvalidCertificate"));
}

/// L01.FR.03, L01.FR.04; 1.6 security, L01.FR.03
#[test]
fn a_signature_that_does_not_fit_ends_the_update() {
    for version in VERSIONS {
        let mut world = signed(version);
        world.transfers.signature = Answer::Failed;
        update(&mut world, request(7, json!({})));
        world.run(Duration::from_secs(60));
        assert_eq!(statuses(&world), ["Downloading", "Downloaded", "InvalidSignature"], "{version}");
        assert_eq!(security_events(&world), ["InvalidFirmwareSignature"], "{version}");
        assert_eq!(world.transfers.installs, 0, "{version}");
    }
}

/// L01.FR.03: a signature that is missing is not valid either.
#[test]
fn a_certificate_without_a_signature_ends_the_update_after_the_download() {
    for version in V2 {
        let mut world = signed(version);
        update(&mut world, request(7, json!({"signature": null})));
        world.run(Duration::from_secs(60));
        assert_eq!(statuses(&world), ["Downloading", "Downloaded", "InvalidSignature"], "{version}");
        let mut world = signed(version);
        world.transfers.certificate = Answer::Failed;
        let said = update(&mut world, request(7, json!({"signingCertificate": null})));
        assert_eq!(said, status("InvalidCertificate"), "{version}");
    }
}

/// 1.6 security, L01.FR.20; L01.FR.09
#[test]
fn a_station_takes_only_the_kind_of_update_that_it_offers() {
    let mut world = signed(Version::V1_6);
    assert_eq!(world.ask("UpdateFirmware", plain(json!({}))), Said::Error("NotSupported".into()));
    let mut world = booted(Version::V1_6, FirmwareUpdates::Unsigned);
    let said = world.ask("SignedUpdateFirmware", request(7, json!({})));
    assert_eq!(said, Said::Error("NotSupported".into()));
    for version in V2 {
        let unsigned = request(7, json!({"signingCertificate": null, "signature": null}));
        let rejected = |reason: &str| Said::Result(json!({"status": "Rejected", "statusInfo": {"reasonCode": reason}}));
        let said = update(&mut signed(version), unsigned.clone());
        assert_eq!(said, rejected("MissingParam"), "{version}");
        let said = update(&mut booted(version, FirmwareUpdates::Unsigned), request(7, json!({})));
        assert_eq!(said, rejected("UnsupportedParam"), "{version}");
        let mut world = booted(version, FirmwareUpdates::Either);
        assert_eq!(update(&mut world, unsigned), status("Accepted"), "{version}");
        assert_eq!(update(&mut world, request(8, json!({}))), status("AcceptedCanceled"), "{version}");
    }
    let mut world = booted(Version::V1_6, FirmwareUpdates::Either);
    assert_eq!(world.ask("UpdateFirmware", plain(json!({}))), Said::Result(json!({})));
}

/// L01.FR.13, L02.FR.07; 1.6 security, L01.FR.13
#[test]
fn a_download_waits_for_its_date() {
    for version in VERSIONS {
        let mut world = signed(version);
        update(&mut world, request(7, json!({"retrieveDateTime": "2026-11-20T09:00:00Z"})));
        world.run(Duration::from_secs(3_500));
        assert_eq!(statuses(&world), ["DownloadScheduled"], "{version}");
        assert!(world.transfers.downloaded.is_empty(), "{version}");
        world.run(Duration::from_secs(100));
        assert_eq!(statuses(&world)[1], "Downloading", "{version}");
    }
}

/// 1.6 errata 3.63: allowed after the date, and not before; the message has no word for the wait (1.6 edition 2, 7.25).
#[test]
fn an_unsigned_download_waits_for_its_date_in_silence() {
    let mut world = booted(Version::V1_6, FirmwareUpdates::Unsigned);
    world.ask("UpdateFirmware", plain(json!({"retrieveDate": "2026-11-20T09:00:00Z"})));
    world.run(Duration::from_secs(3_500));
    assert!(statuses(&world).is_empty());
    assert!(world.transfers.downloaded.is_empty());
    world.run(Duration::from_secs(200));
    assert_eq!(statuses(&world), ["Downloading", "Downloaded", "Installing", "Installed"]);
}

/// L01.FR.16, L02.FR.10; 1.6 security, L01.FR.16/17
#[test]
fn an_installation_waits_for_its_date() {
    for version in VERSIONS {
        let mut world = signed(version);
        update(&mut world, request(7, json!({"installDateTime": "2026-11-20T09:00:00Z"})));
        world.run(Duration::from_secs(3_500));
        assert_eq!(
            statuses(&world),
            ["Downloading", "Downloaded", "SignatureVerified", "InstallScheduled"],
            "{version}"
        );
        // Until then everybody can charge.
        assert_eq!(world.status(), ConnectorStatus::Available, "{version}");
        world.run(Duration::from_secs(200));
        assert_eq!(statuses(&world)[4..], ["Installing", "InstallRebooting", "Installed"], "{version}");
    }
}

/// L01.FR.30, L02.FR.19; 1.6 edition 2, 6.55
#[test]
fn a_download_is_tried_again_as_often_as_wanted_and_then_given_up() {
    for version in VERSIONS {
        let mut world = signed(version);
        world.downloads_fail(3);
        update(&mut world, merge(request(7, json!({})), json!({"retries": 2, "retryInterval": 100})));
        world.run(Duration::from_secs(225));
        assert_eq!(world.transfers.downloaded.len(), 3, "{version}");
        assert_eq!(statuses(&world), ["Downloading"], "{version}");
        world.run(Duration::from_secs(10));
        assert_eq!(statuses(&world), ["Downloading", "DownloadFailed"], "{version}");
        world.run(Duration::from_secs(1_000));
        assert_eq!(world.transfers.downloaded.len(), 3, "{version}");
        let attempts: Vec<_> = world.transfers.downloaded.iter().map(|download| download.attempt).collect();
        assert_eq!(attempts, [1, 2, 3], "{version}");
    }
}

/// L01.FR.30
#[test]
fn a_retry_that_succeeds_is_as_good_as_the_first_attempt() {
    let mut world = signed(Version::V2_1);
    world.downloads_fail(2);
    update(&mut world, request(7, json!({})));
    world.run(Duration::from_secs(300));
    assert_eq!(statuses(&world).last().unwrap(), "Installed");
    assert_eq!(statuses(&world).iter().filter(|word| *word == "Downloading").count(), 1);
}

/// L01.FR.14, L02.FR.08; 1.6 security, L01.FR.14
#[test]
fn a_pause_of_the_download_is_reported() {
    for version in VERSIONS {
        let mut world = signed(version);
        world.transfers.moves = false;
        update(&mut world, request(7, json!({})));
        let update = world.outputs.iter().find_map(|(_, output)| match output {
            Output::Download(download) => Some(download.update),
            _ => None,
        });
        for fact in [FirmwareFact::DownloadPaused, FirmwareFact::DownloadResumed, FirmwareFact::Downloaded] {
            world.handle(Input::Firmware { update: update.unwrap(), fact });
            world.run(Duration::from_millis(300));
        }
        let heard = statuses(&world);
        assert_eq!(heard[..4], ["Downloading", "DownloadPaused", "Downloading", "Downloaded"], "{version}");
    }
}

/// L01.FR.06, L01.FR.07, L01.FR.34, L02.FR.03, L02.FR.04, L02.FR.23; 1.6 security, L01.FR.06/07/18/19; 1.6 errata 3.49
#[test]
fn an_installation_waits_for_transactions_and_nobody_new_charges_meanwhile() {
    for version in VERSIONS {
        let mut config = config(version);
        config.evses.push(config.evses[0].clone());
        let mut world = Script::booted_with(config);
        charging(&mut world);
        update(&mut world, request(7, json!({})));
        world.run(Duration::from_secs(60));
        assert_eq!(
            statuses(&world),
            ["Downloading", "Downloaded", "SignatureVerified", "InstallScheduled"],
            "{version}"
        );
        assert!(world.energy_permitted(), "{version}: the transaction goes on");
        let now = world.now;
        let second = |world: &mut Script| world.station().state(now).evses[1].connectors[0];
        assert_eq!(second(&mut world), ConnectorStatus::Unavailable, "{version}");
        let last = world.peer.payloads("StatusNotification").last().unwrap().to_string();
        assert!(last.contains("Unavailable"), "{version}: {last}");
        // Neither a plug nor a token begins anything there.
        world.handle(Input::PluggedIn { evse: 2, connector: 1 });
        world.handle(Input::TokenPresented { evse: Some(2), token: Token::rfid("OTHER") });
        world.settle();
        assert!(world.station().state(now).evses[1].transaction.is_none(), "{version}");
        world.handle(Input::Unplugged { evse: 2, connector: 1 });
        world.settle();
        assert_eq!(second(&mut world), ConnectorStatus::Unavailable, "{version}");
        assert_eq!(world.transfers.installs, 0, "{version}");
        // The driver leaves.
        world.tap("TAG");
        world.unplug();
        world.run(Duration::from_secs(60));
        assert_eq!(statuses(&world)[4..], ["Installing", "InstallRebooting", "Installed"], "{version}");
        assert_eq!(second(&mut world), ConnectorStatus::Available, "{version}: afterwards it can be used again");
        charging(&mut world);
    }
}

/// L01.FR.07, L02.FR.04
#[test]
fn sessions_may_begin_while_an_installation_waits_where_that_is_wanted() {
    for version in V2 {
        let mut config = config(version);
        config.evses.push(config.evses[0].clone());
        let mut world = Script::booted_with(config);
        let component = json!({"component": {"name": "ChargingStation"},
            "variable": {"name": "AllowNewSessionsPendingFirmwareUpdate"}, "attributeValue": "true"});
        let said = world.ask("SetVariables", json!({"setVariableData": [component]}));
        assert!(format!("{said:?}").contains("Accepted"), "{version}");
        charging(&mut world);
        update(&mut world, request(7, json!({})));
        world.run(Duration::from_secs(60));
        let now = world.now;
        assert_eq!(world.station().state(now).evses[1].connectors[0], ConnectorStatus::Available, "{version}");
        world.handle(Input::PluggedIn { evse: 2, connector: 1 });
        world.handle(Input::TokenPresented { evse: Some(2), token: Token::rfid("OTHER") });
        world.settle();
        assert!(world.station().state(now).evses[1].transaction.is_some(), "{version}");
        assert_eq!(world.transfers.installs, 0, "{version}");
    }
}

/// L01.FR.07; 1.6 security, L01.FR.07: who has been authorised before is not sent away.
#[test]
fn a_driver_who_has_begun_before_the_wait_charges() {
    for version in VERSIONS {
        let mut world = signed(version);
        world.tap("TAG");
        update(&mut world, request(7, json!({})));
        world.run(Duration::from_secs(30));
        assert_eq!(world.transfers.installs, 0, "{version}");
        world.plug();
        world.vehicle(true);
        assert!(world.energy_permitted(), "{version}");
        world.tap("TAG");
        world.unplug();
        world.run(Duration::from_secs(60));
        assert_eq!(statuses(&world).last().unwrap(), "Installed", "{version}");
    }
}

/// L01.FR.24, L01.FR.10, L02.FR.15; 1.6 security, L01.FR.26
#[test]
fn a_newer_request_takes_the_place_of_one_that_is_under_way() {
    for version in VERSIONS {
        for (more, wait) in [(json!({"installDateTime": "2026-11-20T12:00:00Z"}), 60), (json!({}), 1), (json!({}), 15)]
        {
            let mut world = signed(version);
            if wait == 15 {
                charging(&mut world);
            }
            update(&mut world, request(7, more));
            world.run(Duration::from_secs(wait));
            world.peer.forget();
            assert_eq!(update(&mut world, request(8, json!({}))), status("AcceptedCanceled"), "{version}");
            let is_canceled = |(_, output): &(_, Output)| matches!(output, Output::CancelDownload { .. });
            assert!(world.outputs.iter().any(is_canceled), "{version}");
            world.run(Duration::from_secs(60));
            let reports = world.peer.payloads(message(version));
            assert!(reports.iter().all(|payload| payload["requestId"] == 8), "{version}");
            assert_eq!(statuses(&world)[0], "Downloading", "{version}");
        }
    }
}

/// L01.FR.27, L02.FR.18; 1.6 security, L01.FR.27
#[test]
fn an_installation_that_has_begun_is_not_cancelled_and_not_disturbed_by_a_reset() {
    for version in VERSIONS {
        let mut world = booted(version, FirmwareUpdates::Either);
        update(&mut world, request(7, json!({})));
        world.run(Duration::from_secs(10));
        assert_eq!(statuses(&world).last().unwrap(), "Installing", "{version}");
        let said = update(&mut world, request(8, json!({})));
        assert_eq!(said_status(&said), "Rejected", "{version}");
        let kind = if version == Version::V1_6 { "Hard" } else { "Immediate" };
        let said = world.ask("Reset", json!({"type": kind}));
        assert_eq!(said_status(&said), "Rejected", "{version}");
        if version != Version::V1_6 {
            let reason = json!({"status": "Rejected", "statusInfo": {"reasonCode": "FwUpdateInProgress"}});
            assert_eq!(said, Said::Result(reason), "{version}");
        }
        if version == Version::V1_6 {
            let said = world.ask("UpdateFirmware", plain(json!({})));
            assert_eq!(said, Said::Error("GenericError".into()));
        }
        world.run(Duration::from_secs(60));
        assert_eq!(statuses(&world).last().unwrap(), "Installed", "{version}");
        assert_eq!(world.restarts, 1, "{version}");
    }
}

fn said_status(said: &Said) -> String {
    match said {
        Said::Result(value) => value["status"].as_str().unwrap().to_owned(),
        Said::Error(code) => code.clone(),
    }
}

/// L01.FR.24: a request that is refused cancels nothing.
#[test]
fn a_refused_request_leaves_the_update_that_is_under_way_alone() {
    let mut world = signed(Version::V2_1);
    update(&mut world, request(7, json!({})));
    world.transfers.certificate = Answer::Failed;
    assert_eq!(update(&mut world, request(8, json!({}))), status("InvalidCertificate"));
    world.run(Duration::from_secs(60));
    assert_eq!(statuses(&world).last().unwrap(), "Installed");
}

/// L01.FR.29; 1.6 security, 6.8; 1.6 edition 2, 7.25
#[test]
fn an_installation_that_fails_is_reported_and_the_station_goes_on() {
    let failed = FirmwareFact::InstallationFailed { reason: "no space".into() };
    let not_verified = FirmwareFact::VerificationFailed { reason: "checksum".into() };
    for version in VERSIONS {
        for (fact, word) in [(&failed, "InstallationFailed"), (&not_verified, "InstallVerificationFailed")] {
            let mut world = signed(version);
            world.transfers.installation = fact.clone();
            update(&mut world, request(7, json!({})));
            world.run(Duration::from_secs(60));
            assert_eq!(statuses(&world).last().unwrap(), word, "{version}");
            assert!(security_events(&world).is_empty(), "{version}");
            assert_eq!(world.restarts, 0, "{version}");
            charging(&mut world);
        }
    }
    let mut world = booted(Version::V1_6, FirmwareUpdates::Unsigned);
    world.transfers.installation = not_verified;
    world.ask("UpdateFirmware", plain(json!({})));
    world.run(Duration::from_secs(60));
    assert_eq!(statuses(&world), ["Downloading", "Downloaded", "Installing", "InstallationFailed"]);
}

/// L01.FR.28
#[test]
fn firmware_that_works_without_a_restart_is_installed_at_once() {
    for version in VERSIONS {
        let mut world = signed(version);
        world.transfers.installation = FirmwareFact::Installed;
        update(&mut world, request(7, json!({})));
        world.run(Duration::from_secs(60));
        assert_eq!(statuses(&world)[3..], ["Installing", "Installed"], "{version}");
        assert_eq!(security_events(&world), ["FirmwareUpdated"], "{version}");
        assert_eq!(world.restarts, 0, "{version}");
    }
}

/// L01.FR.32: the old firmware never says that the new one is installed.
#[test]
fn a_restart_that_brings_the_old_firmware_back_is_a_failure() {
    for version in VERSIONS {
        let mut world = signed(version);
        update(&mut world, request(7, json!({})));
        world.run(Duration::from_secs(15));
        // The boot loader can't start the new image.
        while world.restarts == 0 {
            world.run(Duration::from_millis(1));
            world.config.product.firmware_version = Some("1.0.0".into());
        }
        world.run(Duration::from_secs(60));
        assert_eq!(statuses(&world).last().unwrap(), "InstallationFailed", "{version}");
        assert!(security_events(&world).is_empty(), "{version}");
    }
}

/// L01.FR.25, L01.FR.26, L02.FR.16, L02.FR.17, F06.FR.16
#[test]
fn a_trigger_gives_the_last_status_and_idle_after_an_installation() {
    for version in V2 {
        let mut world = booted(version, FirmwareUpdates::Either);
        let trigger = |world: &mut Script| {
            world.peer.forget();
            let said = world.ask("TriggerMessage", json!({"requestedMessage": "FirmwareStatusNotification"}));
            assert_eq!(said, status("Accepted"));
            world.peer.payloads("FirmwareStatusNotification")[0].clone()
        };
        assert_eq!(trigger(&mut world), json!({"status": "Idle"}), "{version}");
        update(&mut world, request(7, json!({})));
        assert_eq!(trigger(&mut world), json!({"status": "Downloading", "requestId": 7}), "{version}");
        world.run(Duration::from_secs(60));
        assert_eq!(trigger(&mut world), json!({"status": "Idle"}), "{version}");
        world.downloads_fail(1);
        update(&mut world, merge(request(8, json!({})), json!({"retries": 0})));
        world.run(Duration::from_secs(60));
        assert_eq!(trigger(&mut world), json!({"status": "DownloadFailed", "requestId": 8}), "{version}");
        world.power_cut(Duration::from_secs(10));
        world.settle();
        assert_eq!(trigger(&mut world), json!({"status": "DownloadFailed", "requestId": 8}), "{version}");
    }
}

/// 1.6 security, L01.FR.21/28/29
#[test]
fn an_extended_trigger_gives_the_last_status_of_a_signed_update_and_idle_after_an_installation() {
    let mut world = booted(Version::V1_6, FirmwareUpdates::Either);
    let trigger = |world: &mut Script| {
        world.peer.forget();
        let said = world.ask("ExtendedTriggerMessage", json!({"requestedMessage": "FirmwareStatusNotification"}));
        assert_eq!(said, status("Accepted"));
        world.peer.payloads("SignedFirmwareStatusNotification")[0].clone()
    };
    assert_eq!(trigger(&mut world), json!({"status": "Idle"}));
    update(&mut world, request(7, json!({})));
    assert_eq!(trigger(&mut world), json!({"status": "Downloading", "requestId": 7}));
    world.run(Duration::from_secs(60));
    assert_eq!(trigger(&mut world), json!({"status": "Idle"}));
    world.transfers.signature = Answer::Failed;
    update(&mut world, request(8, json!({})));
    world.run(Duration::from_secs(60));
    assert_eq!(trigger(&mut world), json!({"status": "InvalidSignature", "requestId": 8}));
}

/// L01.FR.07, L01.FR.33, L02.FR.22; H01.FR.14
#[test]
fn what_is_unavailable_for_new_firmware_cannot_be_reserved() {
    for version in VERSIONS {
        let mut config = config(version);
        config.evses.push(config.evses[0].clone());
        let mut world = Script::booted_with(config);
        charging(&mut world);
        update(&mut world, request(7, json!({})));
        world.run(Duration::from_secs(60));
        let wish = match version {
            Version::V1_6 => {
                json!({"connectorId": 2, "expiryDate": "2026-11-20T12:00:00Z", "idTag": "ME", "reservationId": 1})
            }
            _ => json!({"id": 1, "evseId": 2, "expiryDateTime": "2026-11-20T12:00:00Z",
                "idToken": {"idToken": "ME", "type": "Local"}}),
        };
        assert_eq!(said_status(&world.ask("ReserveNow", wish)), "Unavailable", "{version}");
        assert_eq!(world.restarts, 0, "{version}: the restart waits for the driver, too");
    }
}

/// 1.6 edition 2, 4.5 and 5.17
#[test]
fn a_trigger_in_1_6_says_what_is_being_done_and_idle_otherwise() {
    let mut world = booted(Version::V1_6, FirmwareUpdates::Unsigned);
    let trigger = |world: &mut Script| {
        world.peer.forget();
        world.ask("TriggerMessage", json!({"requestedMessage": "FirmwareStatusNotification"}));
        world.peer.payloads("FirmwareStatusNotification")[0]["status"].clone()
    };
    assert_eq!(trigger(&mut world), "Idle");
    world.ask("UpdateFirmware", plain(json!({})));
    assert_eq!(trigger(&mut world), "Downloading");
    world.run(Duration::from_secs(5));
    assert_eq!(trigger(&mut world), "Installing");
    world.run(Duration::from_secs(60));
    assert_eq!(trigger(&mut world), "Idle");
    world.downloads_fail(1);
    world.ask("UpdateFirmware", plain(json!({"retries": 0})));
    world.run(Duration::from_secs(60));
    assert_eq!(trigger(&mut world), "Idle");
}

/// L01.FR.01; 1.6 security, L01.FR.01
#[test]
fn what_happens_during_an_outage_is_told_afterwards_in_order() {
    for version in VERSIONS {
        let mut world = signed(version);
        update(&mut world, request(7, json!({"retrieveDateTime": "2026-11-20T08:10:00Z"})));
        world.cut();
        world.run(Duration::from_secs(1_200));
        assert_eq!(world.restarts, 1, "{version}: nobody waits for a CSMS that isn't there");
        world.network.up = true;
        world.run(Duration::from_secs(1_000));
        let expected = [
            "DownloadScheduled",
            "Downloading",
            "Downloaded",
            "SignatureVerified",
            "Installing",
            "InstallRebooting",
            "Installed",
        ];
        assert_eq!(statuses(&world), expected, "{version}");
    }
}

#[test]
fn a_report_that_the_csms_refuses_or_ignores_blocks_nothing() {
    for version in VERSIONS {
        for reply in [Reply::Error("InternalError"), Reply::Silence] {
            let mut world = signed(version);
            world.peer.always(message(version), reply);
            update(&mut world, request(7, json!({})));
            world.run(Duration::from_secs(400));
            assert_eq!(statuses(&world).last().unwrap(), "Installed", "{version}");
            let left = world.storage.keys().filter(|key| key.starts_with("progress/")).count();
            assert_eq!(left, 0, "{version}");
        }
    }
}

/// A CSMS that asks again and again, and takes no report, doesn't make the station grow.
#[test]
fn reports_and_requests_are_bounded() {
    let mut world = signed(Version::V2_1);
    world.peer.always("FirmwareStatusNotification", Reply::Silence);
    for id in 0..300 {
        update(&mut world, request(id, json!({"retrieveDateTime": "2026-11-20T20:00:00Z"})));
    }
    let waiting = world.storage.keys().filter(|key| key.starts_with("progress/")).count();
    assert!((1..=50).contains(&waiting), "{waiting}");
    let updates = world.storage.keys().filter(|key| *key == "firmware").count();
    assert_eq!(updates, 1);
}

#[test]
fn a_location_that_the_station_cannot_reach_is_refused() {
    for version in VERSIONS {
        let mut world = signed(version);
        for location in ["sftp://x.example/f", "file:///etc/passwd", "nonsense"] {
            let said = update(&mut world, request(7, json!({"location": location})));
            assert_eq!(said_status(&said), "Rejected", "{version} {location}");
        }
    }
    let mut world = booted(Version::V1_6, FirmwareUpdates::Unsigned);
    let long = format!("https://x.example/{}", "x".repeat(2_000));
    for location in ["file:///etc/passwd", &long] {
        let said = world.ask("UpdateFirmware", plain(json!({"location": location})));
        assert_eq!(said, Said::Error("PropertyConstraintViolation".into()));
    }
    assert!(world.transfers.downloaded.is_empty());
}

/// 1.6 errata 3.90; 1.6 edition 2, 8
#[test]
fn the_protocols_of_file_transfers_can_be_read() {
    let mut world = Script::booted(Version::V1_6);
    world.ask("GetConfiguration", json!({"key": ["SupportedFileTransferProtocols"]}));
    let key = &world.peer.result()["configurationKey"][0];
    assert_eq!((key["value"].as_str().unwrap(), key["readonly"].as_bool().unwrap()), ("FTP,HTTP,HTTPS", true));
    let mut config = config(Version::V2_1);
    config.settings.push(("OCPPCommCtrlr.FileTransferProtocols".into(), "HTTPS".into()));
    let mut world = Script::booted_with(config);
    let name = json!({"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "FileTransferProtocols"}});
    world.ask("GetVariables", json!({"getVariableData": [name]}));
    assert_eq!(world.peer.result()["getVariableResult"][0]["attributeValue"], "HTTPS");
    let said = update(&mut world, request(7, json!({"location": "http://x.example/f"})));
    assert_eq!(said_status(&said), "Rejected");
}

#[test]
fn facts_about_updates_that_are_not_under_way_change_nothing() {
    let mut world = signed(Version::V2_1);
    world.handle(Input::Firmware { update: UpdateId(1), fact: FirmwareFact::Downloaded });
    update(&mut world, request(7, json!({"retrieveDateTime": "2026-11-20T20:00:00Z"})));
    for fact in [FirmwareFact::Downloaded, FirmwareFact::Installed, FirmwareFact::RestartNeeded] {
        world.handle(Input::Firmware { update: UpdateId(1), fact: fact.clone() });
        world.handle(Input::Firmware { update: UpdateId(99), fact });
    }
    world.settle();
    assert_eq!(statuses(&world), ["DownloadScheduled"]);
}

/// What the CSMS takes back before the station has even written it down is not begun afterwards.
#[test]
fn a_transfer_that_is_cancelled_before_it_is_stored_never_begins() {
    let mut world = booted(Version::V2_1, FirmwareUpdates::Unsigned);
    world.store_latency = Duration::from_secs(1);
    for id in [7, 8] {
        let payload = request(id, json!({"signingCertificate": null, "signature": null}));
        world.peer.send(json!([2, format!("raw-{id}"), "UpdateFirmware", payload]).to_string());
        let log = json!({"logType": "SecurityLog", "requestId": id, "log": {"remoteLocation": "https://x.example/l"}});
        world.peer.send(json!([2, format!("raw-log-{id}"), "GetLog", log]).to_string());
        world.run(Duration::from_millis(300));
    }
    world.run(Duration::from_secs(60));
    let downloads: Vec<_> = world.transfers.downloaded.iter().map(|download| download.update).collect();
    assert_eq!(downloads, [UpdateId(2)]);
    let uploads: Vec<_> = world.transfers.uploaded.iter().map(|upload| upload.upload.0).collect();
    assert_eq!(uploads, [2]);
}
