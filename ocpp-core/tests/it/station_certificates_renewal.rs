//! The station's own certificate: asked for, judged, tried out, renewed (A02, A03; 1.6 security, A02, A03).

use std::time::Duration;

use ocpp_core::station::{Connect, ConnectionFailure, Output, SecurityEvent};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::certificate_support::{OLD_KEY, accept_signing_requests, booted, chain, equipped, own, trigger};
use crate::harness::VERSIONS;
use crate::scripted::{Reply, Said, Script};

const DAY: Duration = Duration::from_secs(86_400);

fn signed(world: &mut Script, chain: &str) -> Value {
    world.ask("CertificateSigned", json!({"certificateChain": chain}));
    world.peer.result()["status"].clone()
}

fn shown(world: &Script) -> &str {
    let connects = world.outputs.iter().rev().filter_map(|(_, output)| match output {
        Output::Connect(Connect { certificate, .. }) => certificate.as_ref(),
        _ => None,
    });
    &connects.map(|certificate| &certificate.key).next().unwrap()[..]
}

fn forgotten(world: &Script) -> Vec<&str> {
    let keys = world.outputs.iter().filter_map(|(_, output)| match output {
        Output::ForgetKey { key } => Some(key.as_str()),
        _ => None,
    });
    keys.collect()
}

fn requests(world: &Script) -> Vec<&Value> {
    world.peer.payloads("SignCertificate")
}

fn logged(world: &mut Script) -> Vec<SecurityEvent> {
    world.station().security_log().map(|entry| entry.event.clone()).collect()
}

fn is_connected(world: &mut Script) -> bool {
    let now = world.now;
    world.station().state(now).connected
}

const NEW: &str = "own key-1 2026-11-01 2029-01-01";

/// A02.FR.02, A02.FR.03, A02.FR.13, A02.FR.24; 1.6 security, A02.FR.02/03/05/13; 1.6 security, 7.5
#[test]
fn a_trigger_has_the_station_make_a_key_and_send_its_request() {
    for version in VERSIONS {
        let mut world = booted(equipped(version));
        accept_signing_requests(&mut world);
        assert_eq!(trigger(&mut world), "Accepted", "{version}");
        let csr = "key-1 of S-1 at Example CPO";
        let expected = match version {
            Version::V1_6 => json!({"csr": csr}),
            Version::V2_0_1 => json!({"csr": csr, "certificateType": "ChargingStationCertificate"}),
            Version::V2_1 => json!({"csr": csr, "certificateType": "ChargingStationCertificate", "requestId": 1}),
        };
        assert_eq!(requests(&world), [&expected], "{version}");
    }
}

/// 1.6 security, 7.5: the name of the CPO is a prerequisite.
#[test]
fn without_the_name_of_the_cpo_there_is_no_request() {
    for version in VERSIONS {
        let mut config = equipped(version);
        config.settings.retain(|(name, _)| name.as_str() != "CpoName");
        let mut world = booted(config);
        assert_eq!(trigger(&mut world), "Rejected", "{version}");
        assert!(requests(&world).is_empty());
    }
}

/// A02.FR.06, A02.FR.08, A02.FR.10; 1.6 security, A02.FR.06/08/09/10; 1.6 security, A03.FR.09
#[test]
fn a_signed_certificate_is_shown_at_once_and_the_old_one_goes_when_it_has_worked() {
    for version in VERSIONS {
        let mut world = booted(equipped(version));
        accept_signing_requests(&mut world);
        trigger(&mut world);
        assert_eq!(shown(&world), OLD_KEY);
        assert_eq!(signed(&mut world, NEW), "Accepted", "{version}");
        world.settle();
        assert_eq!(shown(&world), "key-1", "{version}");
        assert!(is_connected(&mut world));
        assert_eq!(forgotten(&world), [OLD_KEY], "{version}");
        assert!(!world.storage.contains_key("way-back") && !world.storage.contains_key("signing-request"));
        world.run(DAY);
        assert_eq!(requests(&world).len(), 1, "{version}: what was answered is not repeated");
    }
}

/// A02.FR.06, A02.FR.07, A02.FR.20; 1.6 security, A02.FR.06/07, A03.FR.06/07
#[test]
fn a_certificate_that_is_not_valid_is_discarded() {
    for version in VERSIONS {
        let mut world = booted(equipped(version));
        accept_signing_requests(&mut world);
        trigger(&mut world);
        for wrong in ["no certificate", "own key-7 2026-11-01 2029-01-01", "own key-1 2026-01-01 2026-11-01"] {
            assert_eq!(signed(&mut world, wrong), "Rejected", "{version} {wrong}");
        }
        world.run(DAY);
        assert_eq!(shown(&world), OLD_KEY);
        assert!(logged(&mut world).contains(&SecurityEvent::InvalidStationCertificate));
        let told = world.peer.security_events.iter().any(|event| event["type"] == "InvalidChargingStationCertificate");
        assert_eq!(told, version != Version::V1_6, "critical in 2.x");
        assert_eq!(requests(&world).len(), 1, "{version}: no repetition before the CSMS asks");
        assert_eq!(signed(&mut world, NEW), "Accepted", "{version}: the right one may still come");
    }
}

/// A02.FR.16, A02.FR.26; 1.6 security, 7.3
#[test]
fn a_chain_that_is_too_long_or_was_not_asked_for_is_rejected_unread() {
    for version in VERSIONS {
        let mut config = equipped(version);
        config.settings.push(("CertificateSignedMaxChainSize".into(), "100".into()));
        let mut world = booted(config);
        accept_signing_requests(&mut world);
        trigger(&mut world);
        assert_eq!(signed(&mut world, &format!("{NEW}{}", " ".repeat(100))), "Rejected", "{version}");
    }
    let mut world = booted(equipped(Version::V2_1));
    accept_signing_requests(&mut world);
    trigger(&mut world);
    let of = |request_id: i64| json!({"certificateChain": NEW, "requestId": request_id});
    world.ask("CertificateSigned", of(7));
    assert_eq!(world.peer.result()["status"], "Rejected");
    world.ask("CertificateSigned", of(1));
    assert_eq!(world.peer.result()["status"], "Accepted");
    let mut config = equipped(Version::V1_6);
    config.station_certificate = None;
    config.settings.retain(|(name, _)| name.as_str() != "SecurityProfile");
    assert_eq!(signed(&mut booted(config), NEW), "Rejected", "there is no key that it could be for");
}

/// 1.6 security, A02.FR.08, A03.FR.08
#[test]
fn in_1_6_a_certificate_may_come_early_and_is_shown_when_its_time_comes() {
    let early = chain("key-1", "2026-11-22", "2029-01-01");
    for is_cut in [false, true] {
        let mut world = booted(equipped(Version::V1_6));
        accept_signing_requests(&mut world);
        trigger(&mut world);
        assert_eq!(signed(&mut world, &early), "Accepted");
        world.run(DAY);
        assert_eq!(shown(&world), OLD_KEY);
        if is_cut {
            world.power_cut(Duration::from_secs(60));
        }
        world.run(DAY);
        assert_eq!(shown(&world), "key-1");
        assert!(is_connected(&mut world));
    }
    for version in [Version::V2_0_1, Version::V2_1] {
        let mut world = booted(equipped(version));
        accept_signing_requests(&mut world);
        trigger(&mut world);
        assert_eq!(signed(&mut world, &early), "Rejected", "{version}: A02.FR.06 has it valid now");
    }
}

/// A02.FR.28, A02.FR.29; 1.6 security, A02.FR.10
#[test]
fn a_certificate_that_the_csms_does_not_take_is_discarded_for_the_old_one() {
    for version in VERSIONS {
        let mut world = booted(equipped(version));
        accept_signing_requests(&mut world);
        trigger(&mut world);
        world.peer.admits = Box::new(|connect: &Connect| match &connect.certificate {
            Some(certificate) if certificate.key == OLD_KEY => Ok(()),
            _ => Err(ConnectionFailure::Unauthorized),
        });
        assert_eq!(signed(&mut world, NEW), "Accepted", "{version}");
        world.run(Duration::from_secs(900));
        assert!(is_connected(&mut world), "{version}");
        assert_eq!(shown(&world), OLD_KEY);
        assert_eq!(forgotten(&world), ["key-1"]);
        let told = world.peer.security_events.iter().any(|event| event["type"] == "DiscardedRenewedClientCertificate");
        assert!(told, "{version}");
        world.power_cut(Duration::from_secs(5));
        world.settle();
        assert!(is_connected(&mut world), "{version}");
    }
}

/// A03.FR.02, A03.FR.03; 1.6 security, A03.FR.02/03/05/13
#[test]
fn a_certificate_is_renewed_a_month_before_its_end() {
    for version in VERSIONS {
        let mut config = equipped(version);
        config.station_certificate = Some(own(OLD_KEY, "2026-01-01", "2027-01-01"));
        let mut world = booted(config);
        accept_signing_requests(&mut world);
        world.run(DAY * 11);
        assert!(requests(&world).is_empty(), "{version}");
        world.run(DAY);
        assert!(!requests(&world).is_empty(), "{version}: 2 December");
        assert_eq!(requests(&world)[0]["csr"], "key-1 of S-1 at Example CPO");
        assert_eq!(signed(&mut world, "own key-1 2026-11-01 2029-01-01"), "Accepted", "{version}");
        world.run(DAY);
        assert_eq!(shown(&world), "key-1", "{version}");
    }
}

/// A02.FR.17, A02.FR.18, A02.FR.19
#[test]
fn in_2_a_request_that_brings_nothing_is_repeated_and_then_given_up() {
    for version in [Version::V2_0_1, Version::V2_1] {
        let mut config = equipped(version);
        config.settings.push(("SecurityCtrlr.CertSigningWaitMinimum".into(), "100".into()));
        config.settings.push(("SecurityCtrlr.CertSigningRepeatTimes".into(), "2".into()));
        let mut world = booted(config);
        accept_signing_requests(&mut world);
        trigger(&mut world);
        let mut sent = Vec::new();
        for wait in [90, 20, 170, 30, 3_600] {
            world.run(Duration::from_secs(wait));
            sent.push(requests(&world).len());
        }
        assert_eq!(sent, [1, 2, 2, 3, 3], "{version}: after 100 s, 200 s more, and no more");
        assert!(requests(&world).windows(2).all(|pair| pair[0] == pair[1]));
        trigger(&mut world);
        assert_eq!(requests(&world).len(), 4, "{version}: until the CSMS asks");
    }
}

/// 1.6 security, A02: repetition is not recommended.
#[test]
fn in_1_6_a_request_that_was_accepted_is_not_repeated() {
    let mut world = booted(equipped(Version::V1_6));
    accept_signing_requests(&mut world);
    trigger(&mut world);
    world.run(DAY * 2);
    assert_eq!(requests(&world).len(), 1);
    assert_eq!(signed(&mut world, NEW), "Accepted", "however late");
}

#[test]
fn a_request_that_the_csms_rejects_is_dropped_with_its_key() {
    for version in VERSIONS {
        let mut world = booted(equipped(version));
        world.peer.always("SignCertificate", Reply::Result(json!({"status": "Rejected"})));
        trigger(&mut world);
        world.run(DAY);
        assert_eq!(requests(&world).len(), 1, "{version}");
        assert_eq!(forgotten(&world), ["key-1"]);
        assert!(!world.storage.contains_key("signing-request"));
    }
}

/// A key that is asked for again replaces the one that waits.
#[test]
fn a_second_trigger_makes_a_second_key_and_forgets_the_first() {
    for version in VERSIONS {
        let mut world = booted(equipped(version));
        accept_signing_requests(&mut world);
        trigger(&mut world);
        trigger(&mut world);
        assert_eq!(forgotten(&world), ["key-1"], "{version}");
        assert_eq!(signed(&mut world, NEW), "Rejected", "{version}: that is the first key's");
        assert_eq!(signed(&mut world, "own key-2 2026-11-01 2029-01-01"), "Accepted", "{version}");
    }
}

/// 1.6 security, 6.16, 6.17; F06.FR.01
#[test]
fn every_extended_trigger_brings_its_message() {
    for (wanted, action) in [
        ("BootNotification", "BootNotification"),
        ("LogStatusNotification", "LogStatusNotification"),
        ("FirmwareStatusNotification", "SignedFirmwareStatusNotification"),
        ("Heartbeat", "Heartbeat"),
        ("MeterValues", "MeterValues"),
        ("StatusNotification", "StatusNotification"),
        ("SignChargePointCertificate", "SignCertificate"),
    ] {
        let mut world = booted(equipped(Version::V1_6));
        accept_signing_requests(&mut world);
        // 1.6 errata 3.35: a boot is not told again on the connection on which it was accepted.
        world.drop_connection();
        world.run(Duration::from_secs(40));
        world.ask("ExtendedTriggerMessage", json!({"requestedMessage": wanted, "connectorId": 1}));
        assert_eq!(world.peer.result()["status"], "Accepted", "{wanted}");
        assert!(world.peer.actions().contains(&action), "{wanted}: {:?}", world.peer.actions());
        world.ask("ExtendedTriggerMessage", json!({"requestedMessage": "StatusNotification", "connectorId": 9}));
        assert_eq!(world.peer.result()["status"], "Rejected");
        assert_eq!(
            world.ask("ExtendedTriggerMessage", json!({"requestedMessage": "DiagnosticsStatusNotification"})),
            Said::Error("PropertyConstraintViolation".into()),
            "it is none of them"
        );
    }
}

/// A renewal is cut at any step: the station keeps the old certificate or has the new one, and always a key to either.
#[test]
fn a_power_cut_between_any_two_effects_of_a_renewal_never_locks_the_station_out() {
    for version in [Version::V1_6, Version::V2_1] {
        let run = |power_off_at: Option<usize>, survives: bool| {
            let mut world = booted(equipped(version));
            accept_signing_requests(&mut world);
            let first = world.outputs.len();
            world.power_off_at = power_off_at;
            world.last_batch_survives = survives;
            let payload = match version {
                Version::V1_6 => ("ExtendedTriggerMessage", "SignChargePointCertificate"),
                _ => ("TriggerMessage", "SignChargingStationCertificate"),
            };
            world.peer.call(payload.0, json!({"requestedMessage": payload.1}));
            world.run(Duration::from_secs(2));
            if world.station.is_none() {
                world.power_on();
                world.settle();
            }
            world.peer.call("CertificateSigned", json!({"certificateChain": NEW}));
            world.run(Duration::from_secs(2));
            if world.station.is_none() {
                world.power_on();
            }
            world.run(Duration::from_secs(900));
            if world.station.is_none() {
                world.power_on();
                world.run(Duration::from_secs(900));
            }
            (world, first)
        };
        let (uncut, first) = run(None, false);
        for at in first..uncut.outputs.len() {
            for survives in [false, true] {
                let (mut world, _) = run(Some(at), survives);
                let what = format!("{version}, cut before output {at}, last batch survives: {survives}");
                assert!(is_connected(&mut world), "{what}");
                assert!(!world.storage.contains_key("way-back"), "{what}");
                let shown = shown(&world).to_owned();
                assert!(!forgotten(&world).contains(&shown.as_str()), "{what}: the key of what is shown is there");
                let accepted = world.peer.said.iter().any(|(action, said)| {
                    action == "CertificateSigned"
                        && matches!(said, Said::Result(result) if result["status"] == "Accepted")
                });
                assert!(shown == "key-1" || !accepted, "{what}: what was accepted is used");
            }
        }
    }
}
