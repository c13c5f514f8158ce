//! An integrator who judges certificates that are plain words.

use std::cell::Cell;

use ocpp_core::station::{
    Answer, CertificateFacts, CertificateHashData, CertificateToJudge, HashAlgorithm, Question, QuestionKind,
    RootCertificate, RootUse, StationCertificate, StationConfig,
};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::harness::config;
use crate::scripted::Script;

pub const OLD_KEY: &str = "key-0";

pub fn facts(serial: &str, not_before: &str, not_after: &str) -> CertificateFacts {
    let hashes = HashAlgorithm::ALL.map(|algorithm| CertificateHashData::new(algorithm, "aa", "bb", serial));
    let at = |day: &str| format!("{day}T00:00:00Z").parse().unwrap();
    CertificateFacts::new(hashes.to_vec(), at(not_before), at(not_after))
}

pub fn root(root_use: RootUse, serial: &str) -> RootCertificate {
    RootCertificate::new(root_use, format!("root {serial}"), facts(serial, "2026-01-01", "2040-01-01"))
}

/// A certificate for a key, from one day to another, numbered by its key.
pub fn chain(key: &str, from: &str, until: &str) -> String {
    format!("own {key} {from} {until}")
}

pub fn own(key: &str, from: &str, until: &str) -> StationCertificate {
    StationCertificate::new(chain(key, from, until), key, facts(serial_of(key), from, until))
}

fn serial_of(key: &str) -> &str {
    key.trim_start_matches("key-")
}

/// Roots are `root SERIAL` or, signed by another, `root SERIAL by SERIAL`.
fn judge(question: &Question, keys: &Cell<u32>) -> Option<Answer> {
    Some(match &question.kind {
        QuestionKind::SignCsr(wanted) => {
            keys.set(keys.get() + 1);
            let key = format!("key-{}", keys.get());
            Answer::SigningRequest { csr: format!("{key} of {} at {}", wanted.common_name, wanted.organization), key }
        }
        QuestionKind::Certificate(CertificateToJudge::Root { certificate, signed_by }) => {
            let words: Vec<_> = certificate.split(' ').collect();
            let signer = signed_by.as_deref().map(|root| root.split(' ').nth(1).unwrap());
            let is_signed = signer.is_none() || words.get(3).copied() == signer;
            if words[0] == "root" && is_signed {
                Answer::Certificate(facts(words[1], "2026-01-01", "2040-01-01"))
            } else {
                Answer::Failed
            }
        }
        QuestionKind::Certificate(CertificateToJudge::Station { chain, key, .. }) => {
            let words: Vec<_> = chain.split(' ').collect();
            if words[0] == "own" && words[1] == key {
                Answer::Certificate(facts(serial_of(key), words[2], words[3]))
            } else {
                Answer::Failed
            }
        }
        _ => return None,
    })
}

/// A station in security profile 3 with a certificate until 2028 and one root of each kind.
pub fn equipped(version: Version) -> StationConfig {
    let mut config = config(version);
    config.password = Some("sixteen-letters!".into());
    config.settings.push(("SecurityProfile".into(), "3".into()));
    config.settings.push(("CpoName".into(), "Example CPO".into()));
    config.root_certificates = vec![root(RootUse::Csms, "A1"), root(RootUse::Manufacturer, "B1")];
    config.station_certificate = Some(own(OLD_KEY, "2026-01-01", "2028-01-01"));
    config
}

pub fn booted(config: StationConfig) -> Script {
    let keys = Cell::new(0);
    let mut world = Script::with(config);
    world.judge = Box::new(move |question| judge(question, &keys));
    world.settle();
    world.meter("1000");
    world.peer.forget();
    world.peer.security_events.clear();
    world
}

pub fn accept_signing_requests(world: &mut Script) {
    let accepted = json!({"status": "Accepted"});
    world.peer.always("SignCertificate", crate::scripted::Reply::Result(accepted));
}

/// Asks for a new certificate, in the words of the version.
pub fn trigger(world: &mut Script) -> Value {
    match world.version {
        Version::V1_6 => {
            world.ask("ExtendedTriggerMessage", json!({"requestedMessage": "SignChargePointCertificate"}));
        }
        _ => {
            world.ask("TriggerMessage", json!({"requestedMessage": "SignChargingStationCertificate"}));
        }
    }
    world.peer.result()["status"].clone()
}

pub fn install(world: &mut Script, root_use: &str, certificate: &str) -> Value {
    let name = match (world.version, root_use) {
        (Version::V1_6, "Csms") => "CentralSystemRootCertificate",
        (_, "Csms") => "CSMSRootCertificate",
        _ => "ManufacturerRootCertificate",
    };
    world.ask("InstallCertificate", json!({"certificateType": name, "certificate": certificate}));
    world.peer.result()["status"].clone()
}
