//! Contract certificates and revocation: asked of a provider, answered as the station is told (M01, M02, M06, M07).

use ocpp_core::csms::flows::{ChainStatus, ContractAnswer, OcspStatus};
use ocpp_core::csms::{Answer, Question};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::csms_flows_support::*;
use crate::csms_support::*;

fn contract(maximum: Option<i64>) -> Value {
    let mut request =
        json!({"iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef", "action": "Install", "exiRequest": "AAAA"});
    if let Some(maximum) = maximum {
        request["maximumContractCertificateChains"] = json!(maximum);
        request["prioritizedEMAIDs"] = json!(["NL-ABC-1"]);
    }
    request
}

fn responses(texts: &[&str]) -> Answer {
    Answer::Contract(ContractAnswer::Responses(texts.iter().map(|text| String::from(*text)).collect()))
}

#[test]
fn a_contract_is_asked_of_the_provider() {
    for version in V2 {
        let mut csms = Csms::new(version);
        let mut request = contract(None);
        request["action"] = json!("Update");
        let id = csms.call("Get15118EVCertificate", request);
        let Question::Contract(about) = csms.decide(responses(&["first", "second"])) else { panic!() };
        assert!(about.update);
        assert_eq!((&*about.exi_request, about.maximum_chains), ("AAAA", None));
        assert_eq!(csms.reply(&id).result(), json!({"status": "Accepted", "exiResponse": "first"}));
        let id = csms.call("Get15118EVCertificate", contract(None));
        csms.decide(Answer::Contract(ContractAnswer::Failed { exi_response: "no".into() }));
        assert_eq!(csms.reply(&id).result(), json!({"status": "Failed", "exiResponse": "no"}));
        let id = csms.call("Get15118EVCertificate", contract(None));
        csms.pass(MINUTE);
        assert_eq!(csms.reply(&id).result(), json!({"status": "Failed", "exiResponse": ""}), "nobody answered");
    }
}

/// M01.FR.04, M01.FR.06, M01.FR.07
#[test]
fn contracts_of_iso_15118_20_are_fetched_one_after_the_other() {
    let mut csms = Csms::new(Version::V2_1);
    let id = csms.call("Get15118EVCertificate", contract(Some(3)));
    let Question::Contract(about) = csms.decide(responses(&["a", "b", "c", "d"])) else { panic!() };
    assert_eq!((about.maximum_chains, about.prioritized_emaids), (Some(3), vec!["NL-ABC-1".into()]));
    let answer =
        |exi: &str, remaining: i64| json!({"status": "Accepted", "exiResponse": exi, "remainingContracts": remaining});
    assert_eq!(csms.reply(&id).result(), answer("a", 2), "no more than the EV takes");
    for (exi, remaining) in [("b", 1), ("c", 0)] {
        assert_eq!(csms.exchange("Get15118EVCertificate", contract(Some(3))).result(), answer(exi, remaining));
    }
    csms.call("Get15118EVCertificate", contract(Some(3)));
    csms.decide(responses(&["e"]));
}

fn hash(serial_number: &str) -> Value {
    json!({"hashAlgorithm": "SHA256", "issuerNameHash": "0a", "issuerKeyHash": "0b", "serialNumber": serial_number})
}

fn ocsp_request() -> Value {
    let mut data = hash("c");
    data["responderURL"] = json!("http://ocsp.example.com");
    json!({"ocspRequestData": data})
}

/// M06.FR.01, M06.FR.02, M06.FR.03, M06.FR.08, M06.FR.09
#[test]
fn a_responders_answer_reaches_the_station_as_it_is() {
    for version in V2 {
        let mut csms = Csms::new(version);
        let id = csms.call("GetCertificateStatus", ocsp_request());
        let der = Answer::CertificateStatus(Some(vec![0x30, 0x03, 0x0A, 0x01, 0x00]));
        let Question::CertificateStatus(about) = csms.decide(der) else { panic!() };
        assert_eq!((&*about.responder_url, &*about.certificate.serial_number), ("http://ocsp.example.com", "c"));
        assert_eq!(csms.reply(&id).result(), json!({"status": "Accepted", "ocspResult": "MAMKAQA="}));
    }
}

/// M06.FR.04
#[test]
fn without_a_responders_answer_the_station_is_told_so() {
    for version in V2 {
        let long = match version {
            Version::V2_0_1 => 5_000,
            _ => 15_000,
        };
        let mut too_long = vec![0x30, 0x82];
        too_long.extend(u16::try_from(long).unwrap().to_be_bytes());
        too_long.extend(vec![0; long]);
        for answer in [None, Some(vec![]), Some(b"<html>".to_vec()), Some(too_long)] {
            let mut csms = Csms::new(version);
            let id = csms.call("GetCertificateStatus", ocsp_request());
            csms.decide(Answer::CertificateStatus(answer.clone()));
            assert_eq!(csms.reply(&id).result(), json!({"status": "Failed"}), "{version} {answer:?}");
        }
        let mut csms = Csms::new(version);
        let id = csms.call("GetCertificateStatus", ocsp_request());
        csms.pass(MINUTE);
        assert_eq!(csms.reply(&id).result(), json!({"status": "Failed"}));
    }
}

/// M07.FR.01, M07.FR.02, M07.FR.03, M07.FR.04, M07.FR.05, M07.FR.06, M07.FR.07, M07.FR.08
#[test]
fn each_certificate_of_a_chain_is_told_what_its_source_says() {
    let mut csms = Csms::new(Version::V2_1);
    let sources = ["OCSP", "OCSP", "OCSP", "OCSP", "CRL", "CRL", "CRL", "OCSP"];
    let asked = |serial_number: usize, source: &str| {
        let certificate = hash(&format!("{serial_number}A"));
        json!({"certificateHashData": certificate, "source": source, "urls": ["http://a", "http://b"]})
    };
    let requests: Vec<_> = (1..).zip(sources).map(|(number, source)| asked(number, source)).collect();
    let next_update: jiff::Timestamp = "2026-12-01T00:00:00Z".parse().unwrap();
    let ocsp = |status| ChainStatus::Ocsp { status, next_update };
    let crl = |revoked: &[&str]| ChainStatus::Crl {
        revoked: revoked.iter().map(|serial_number| String::from(*serial_number)).collect(),
        next_update,
    };
    let answers = vec![
        ocsp(OcspStatus::Good),
        ocsp(OcspStatus::Revoked),
        ocsp(OcspStatus::Unknown),
        ChainStatus::Failed,
        crl(&["1A", "05a"]),
        crl(&["1A", "5A"]),
        ChainStatus::Failed,
    ];
    let id = csms.call("GetCertificateChainStatus", json!({"certificateStatusRequests": requests}));
    let Question::CertificateChainStatus(about) = csms.decide(Answer::CertificateChainStatus(answers)) else {
        panic!()
    };
    assert_eq!((&*about[4].source, &*about[4].urls), ("CRL", &["http://a".into(), "http://b".into()][..]));
    let reply = csms.reply(&id).result();
    let statuses = reply["certificateStatus"].as_array().unwrap();
    let expected = ["Good", "Revoked", "Unknown", "Failed", "Revoked", "Good", "Failed", "Failed"];
    assert_eq!(statuses.len(), expected.len());
    for (place, (status, expected)) in statuses.iter().zip(expected).enumerate() {
        assert_eq!(status["status"], expected, "{place}");
        assert_eq!(status["source"], sources[place]);
        assert_eq!(status["certificateHashData"], hash(&format!("{}A", place + 1)));
        assert!(status["nextUpdate"].is_string());
    }
    assert_eq!(statuses[0]["nextUpdate"], "2026-12-01T00:00:00.000Z");
}
