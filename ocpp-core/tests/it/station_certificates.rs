//! Root certificates: listed, installed, deleted (M03, M04, M05; 1.6 security, M03, M04, M05 and 7).

use std::time::Duration;

use ocpp_core::station::{
    CertificateHashData, ConnectionFailure, HashAlgorithm, Input, Output, QuestionKind, RootUse, SecurityEvent,
};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::certificate_support::{OLD_KEY, booted, equipped, install, own, root};
use crate::harness::VERSIONS;
use crate::scripted::{Said, Script};

fn list(world: &mut Script, name: &str) -> Value {
    let payload = match world.version {
        Version::V1_6 => json!({"certificateType": name}),
        _ if name.is_empty() => json!({}),
        _ => json!({"certificateType": [name]}),
    };
    world.ask("GetInstalledCertificateIds", payload);
    world.peer.result().clone()
}

fn csms_root_name(version: Version) -> &'static str {
    if version == Version::V1_6 { "CentralSystemRootCertificate" } else { "CSMSRootCertificate" }
}

/// The serial numbers of the CSMS's roots.
fn csms_roots(world: &mut Script) -> Vec<String> {
    let result = list(world, csms_root_name(world.version));
    let serial = |data: &Value| data["serialNumber"].as_str().unwrap().to_owned();
    if let Some(chain) = result.get("certificateHashDataChain") {
        return chain.as_array().unwrap().iter().map(|item| serial(&item["certificateHashData"])).collect();
    }
    let names = result.get("certificateHashData").and_then(Value::as_array).cloned().unwrap_or_default();
    names.iter().map(serial).collect()
}

fn delete(world: &mut Script, algorithm: &str, serial: &str) -> Value {
    let data =
        json!({"hashAlgorithm": algorithm, "issuerNameHash": "AA", "issuerKeyHash": "bb", "serialNumber": serial});
    world.ask("DeleteCertificate", json!({"certificateHashData": data}));
    world.peer.result()["status"].clone()
}

fn logged(world: &mut Script) -> Vec<SecurityEvent> {
    world.station().security_log().map(|entry| entry.event.clone()).collect()
}

/// M03.FR.01, M03.FR.03, M03.FR.04; 1.6 security, M03.FR.01/03/04, 6.1
#[test]
fn installed_roots_are_listed_by_their_hashes() {
    for version in VERSIONS {
        let mut world = booted(equipped(version));
        let result = list(&mut world, csms_root_name(version));
        assert_eq!(result["status"], "Accepted", "{version}");
        let name =
            json!({"hashAlgorithm": "SHA256", "issuerNameHash": "aa", "issuerKeyHash": "bb", "serialNumber": "A1"});
        match version {
            Version::V1_6 => assert_eq!(result["certificateHashData"], json!([name])),
            _ => assert_eq!(
                result["certificateHashDataChain"],
                json!([{"certificateHashData": name, "certificateType": "CSMSRootCertificate"}])
            ),
        }
    }
    let mut world = booted(equipped(Version::V2_1));
    let all = list(&mut world, "")["certificateHashDataChain"].as_array().unwrap().len();
    assert_eq!(all, 2, "without a type, all of them; the station's own is none of them");
}

/// M03.FR.02; 1.6 security, M03.FR.02
#[test]
fn a_list_of_nothing_says_that_nothing_was_found() {
    for version in VERSIONS {
        let mut config = equipped(version);
        config.settings = Vec::new();
        config.root_certificates.clear();
        let mut world = booted(config);
        let names: &[&str] = match version {
            Version::V1_6 => &["CentralSystemRootCertificate", "ManufacturerRootCertificate"],
            _ => &["CSMSRootCertificate", "V2GCertificateChain", ""],
        };
        for name in names {
            assert_eq!(list(&mut world, name), json!({"status": "NotFound"}), "{version} {name}");
        }
    }
}

/// M05.FR.01, M05.FR.02; 1.6 security, M05.FR.01/02
#[test]
fn a_root_that_is_installed_is_there_after_a_power_cut() {
    for version in VERSIONS {
        let mut world = booted(equipped(version));
        assert_eq!(install(&mut world, "Csms", "root A2"), "Accepted", "{version}");
        assert!(logged(&mut world).contains(&SecurityEvent::ReconfigurationOfSecurityParameters));
        world.power_cut(Duration::from_secs(10));
        world.settle();
        assert_eq!(csms_roots(&mut world), ["A1", "A2"], "{version}");
        let connect = world.outputs.iter().rev().find_map(|(_, output)| match output {
            Output::Connect(connect) => Some(connect),
            _ => None,
        });
        assert_eq!(connect.unwrap().csms_roots, ["root A1", "root A2"]);
    }
}

/// M05.FR.17
#[test]
fn a_root_that_is_there_already_is_replaced() {
    for version in VERSIONS {
        let mut config = equipped(version);
        config.settings.push(("CertificateStoreMaxLength".into(), "2".into()));
        let mut world = booted(config);
        assert_eq!(install(&mut world, "Csms", "root A1"), "Accepted", "{version}: even where there is no more room");
        assert_eq!(csms_roots(&mut world), ["A1"]);
    }
}

/// M05.FR.03, M05.FR.06, M05.FR.07; 1.6 security, M05.FR.03/04/06, 7.4
#[test]
fn what_is_no_root_and_what_has_no_room_is_rejected() {
    for version in VERSIONS {
        let mut config = equipped(version);
        config.settings.push(("CertificateStoreMaxLength".into(), "3".into()));
        let mut world = booted(config);
        assert_eq!(install(&mut world, "Csms", "no certificate"), "Rejected", "{version}");
        assert_eq!(install(&mut world, "Manufacturer", "root B2"), "Accepted", "{version}");
        assert_eq!(install(&mut world, "Csms", "root A2"), "Rejected", "{version}: the store is full");
        assert_eq!(csms_roots(&mut world), ["A1"]);
        world.answers = false;
        world.peer.call(
            "InstallCertificate",
            json!({"certificateType": "ManufacturerRootCertificate", "certificate": "root B1"}),
        );
        world.run(Duration::from_secs(60));
        assert_eq!(*world.peer.answer(), Said::Result(json!({"status": "Failed"})), "{version}: nobody judged");
    }
}

/// M04.FR.01, M04.FR.02, M04.FR.04; 1.6 security, M04.FR.01/02/04/07
#[test]
fn a_root_is_deleted_by_any_of_its_hashes() {
    for version in VERSIONS {
        let mut world = booted(equipped(version));
        for (algorithm, serial) in [("SHA256", "A2"), ("SHA384", "a3"), ("SHA512", "0A4")] {
            assert_eq!(delete(&mut world, algorithm, serial), "NotFound", "{version}");
            let name = serial.trim_start_matches('0').to_uppercase();
            install(&mut world, "Csms", &format!("root {name}"));
            assert_eq!(delete(&mut world, algorithm, serial), "Accepted", "{version} {algorithm}");
        }
        assert_eq!(csms_roots(&mut world), ["A1"]);
        assert_eq!(delete(&mut world, "SHA256", "B1"), "Accepted", "{version}: the maker's last one may go");
        world.power_cut(Duration::from_secs(10));
        world.settle();
        assert_eq!(delete(&mut world, "SHA256", "B1"), "NotFound", "{version}: it doesn't come back");
    }
}

/// M04.FR.06; 1.6 security, M04.FR.05
#[test]
fn the_certificate_of_the_station_is_not_deleted() {
    for version in VERSIONS {
        let mut world = booted(equipped(version));
        assert_eq!(own(OLD_KEY, "2026-01-01", "2028-01-01").facts.hashes[0].serial_number, "0");
        assert_eq!(delete(&mut world, "SHA256", "0"), "Failed", "{version}");
    }
}

/// M04.FR.03; 1.6 security, M04.FR.03/06
#[test]
fn a_root_in_use_is_not_deleted() {
    for version in VERSIONS {
        let mut world = booted(equipped(version));
        assert_eq!(delete(&mut world, "SHA256", "A1"), "Failed", "{version}: the last one");
        install(&mut world, "Csms", "root A2");
        let used = CertificateHashData::new(HashAlgorithm::Sha256, "AA", "BB", "A1");
        world.handle(Input::CsmsVerified { root: used });
        assert_eq!(delete(&mut world, "SHA512", "A1"), "Failed", "{version}: the one in use");
        assert_eq!(delete(&mut world, "SHA256", "A2"), "Accepted", "{version}");
    }
    let mut config = equipped(Version::V1_6);
    config.settings.clear();
    let mut world = booted(config);
    assert_eq!(delete(&mut world, "SHA256", "A1"), "Accepted", "without TLS none is in use");
}

/// M05.FR.09, M05.FR.11; 1.6 security, M05.FR.08/09/10, 7.1
#[test]
fn with_the_additional_check_a_root_must_be_signed_by_the_one_it_replaces() {
    for version in VERSIONS {
        let mut config = equipped(version);
        config.settings.push(("AdditionalRootCertificateCheck".into(), "true".into()));
        let mut world = booted(config);
        assert_eq!(install(&mut world, "Csms", "root A2"), "Rejected", "{version}");
        assert_eq!(csms_roots(&mut world), ["A1"]);
        assert_eq!(install(&mut world, "Csms", "root A2 by A1"), "Accepted", "{version}");
        assert_eq!(csms_roots(&mut world), ["A1", "A2"], "{version}: the old one stays to fall back to");
        assert_eq!(install(&mut world, "Csms", "root A3 by A2"), "Accepted", "{version}");
        assert_eq!(csms_roots(&mut world), ["A2", "A3"], "{version}: one, and one to fall back to");
        assert_eq!(install(&mut world, "Manufacturer", "root B2"), "Accepted", "{version}: only for the CSMS");
    }
}

/// M05.FR.12, M05.FR.13, M05.FR.14; 1.6 security, M05.FR.11/12/13
#[test]
fn the_replaced_root_stays_until_the_new_one_has_worked() {
    for version in VERSIONS {
        for is_renewed in [false, true] {
            let mut config = equipped(version);
            config.settings.push(("AdditionalRootCertificateCheck".into(), "true".into()));
            let mut world = booted(config);
            install(&mut world, "Csms", "root A2 by A1");
            // The CSMS still has, or no longer has, a certificate of the old root.
            let accepted = if is_renewed { "root A2 by A1" } else { "root A1" };
            world.peer.admits = Box::new(move |connect| match connect.csms_roots.as_slice() {
                [one] if one == accepted => Ok(()),
                _ => Err(ConnectionFailure::CsmsCertificate),
            });
            world.drop_connection();
            world.run(Duration::from_secs(600));
            let expected: &[&str] = if is_renewed { &["A2"] } else { &["A1", "A2"] };
            assert_eq!(csms_roots(&mut world), expected, "{version}");
        }
    }
}

/// 1.6 security, 7.3, 7.4; M05.FR.06
#[test]
fn the_limits_of_the_store_can_be_read() {
    let mut world = booted(equipped(Version::V1_6));
    let keys =
        ["AdditionalRootCertificateCheck", "CertificateSignedMaxChainSize", "CertificateStoreMaxLength", "CpoName"];
    world.ask("GetConfiguration", json!({"key": keys}));
    let values: Vec<_> = world.peer.result()["configurationKey"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| (key["value"].as_str().unwrap().to_owned(), key["readonly"].as_bool().unwrap()))
        .collect();
    let expected = [("false", true), ("10000", true), ("16", true), ("Example CPO", false)];
    assert_eq!(values, expected.map(|(value, readonly)| (value.to_owned(), readonly)));
    let mut world = booted(equipped(Version::V2_1));
    let place = json!({"component": {"name": "SecurityCtrlr"}, "variable": {"name": "CertificateEntries"}});
    world.ask("GetVariables", json!({"getVariableData": [place]}));
    assert_eq!(world.peer.result()["getVariableResult"][0]["attributeValue"], "3", "two roots and the station's own");
}

/// What the integrator is asked says what he has to check.
#[test]
fn the_integrator_is_told_what_to_check() {
    let mut world = booted(equipped(Version::V1_6));
    install(&mut world, "Csms", "root A2");
    let asked = world.outputs.iter().any(|(_, output)| match output {
        Output::Ask(question) => matches!(question.kind, QuestionKind::Certificate(_)),
        _ => false,
    });
    assert!(asked);
    assert_eq!(
        world.station().root_certificates(RootUse::Manufacturer).collect::<Vec<_>>(),
        [root(RootUse::Manufacturer, "B1").pem]
    );
}
