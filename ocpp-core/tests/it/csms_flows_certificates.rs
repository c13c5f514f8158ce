//! Certificates of a station: renewed by request of the CSMS (A02) or by its own will (A03), installed, listed and deleted (M03, M04,
//! M05); 1.6 security, A02, A03, M03, M04, M05.

use ocpp_core::csms::flows::{
    Authentication, Awaited, CertificateDelivery, CertificateHash, CertificateInstallation, CertificatePurpose,
    CertificateRenewal, Completion, Flow, FlowEnd, InstalledCertificate, Progress, Signing,
};
use ocpp_core::csms::{Answer, CallOutcome, CommandId, Event, Input, Question, Registration, RegistrationStatus};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::csms_flows_support::*;
use crate::csms_support::*;

const CSR: &str = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n";
const CHAIN: &str = "-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----\n";

fn signed() -> Answer {
    Answer::Signing(Signing::Signed { chain: CHAIN.into() })
}

fn request(version: Version, kind: Option<&str>, request_id: Option<i64>) -> Value {
    let mut request = json!({"csr": CSR});
    if let Some(kind) = kind.filter(|_| version != Version::V1_6) {
        request["certificateType"] = json!(kind);
    }
    if let Some(id) = request_id.filter(|_| version == Version::V2_1) {
        request["requestId"] = json!(id);
    }
    request
}

/// The application has the station make a new key; the station is asked, and agrees.
fn renewing(version: Version, purpose: CertificatePurpose) -> (Csms, (String, Value)) {
    let mut csms = Csms::new(version);
    csms.flow(1, Flow::RenewCertificate(CertificateRenewal::new(purpose)));
    let call = csms.answer_status("Accepted");
    assert_eq!(csms.progress(), [Progress::Accepted { status: "Accepted".into() }]);
    (csms, call)
}

/// A02.FR.11, A02.FR.14, A02.FR.25; 1.6 security, A02.FR.11
#[test]
fn a_certificate_is_renewed_by_request_of_the_csms() {
    for version in Version::ALL {
        let (mut csms, (action, payload)) = renewing(version, CertificatePurpose::ChargingStation);
        let trigger = match version {
            Version::V1_6 => ("ExtendedTriggerMessage", "SignChargePointCertificate"),
            _ => ("TriggerMessage", "SignChargingStationCertificate"),
        };
        assert_eq!((&*action, &payload["requestedMessage"]), (trigger.0, &json!(trigger.1)));
        let id = csms.call("SignCertificate", request(version, Some("ChargingStationCertificate"), Some(7)));
        let Question::SignCertificate(about) = csms.decide(signed()) else { panic!() };
        assert_eq!((&*about.csr, about.purpose), (CSR, CertificatePurpose::ChargingStation));
        assert_eq!(about.flow, Some(CommandId(1)));
        assert_eq!(csms.reply(&id).result()["status"], "Accepted");
        let (action, payload) = csms.answer_status("Accepted");
        let expected = match version {
            Version::V1_6 => json!({"certificateChain": CHAIN}),
            Version::V2_0_1 => {
                json!({"certificateChain": CHAIN, "certificateType": "ChargingStationCertificate"})
            }
            Version::V2_1 => json!({
                "certificateChain": CHAIN, "certificateType": "ChargingStationCertificate", "requestId": 7,
            }),
        };
        assert_eq!((&*action, payload), ("CertificateSigned", expected));
        assert_eq!(csms.progress(), [Progress::CertificateRequested, Progress::CertificateSigned]);
        assert_eq!(csms.end(1), FlowEnd::Completed(Completion::Done));
    }
}

/// A02.FR.14: certificates for ISO 15118, and one for all; the root that the station names reaches the authority.
#[test]
fn each_purpose_has_its_trigger_and_its_type() {
    for (purpose, trigger, kind) in [
        (CertificatePurpose::V2g, "SignV2GCertificate", Some("V2GCertificate")),
        (CertificatePurpose::V2g20, "SignV2G20Certificate", Some("V2G20Certificate")),
        (CertificatePurpose::Combined, "SignCombinedCertificate", None),
    ] {
        let mut csms = Csms::new(Version::V2_1);
        let mut renewal = CertificateRenewal::new(purpose);
        renewal.evse = Some(2);
        csms.flow(1, Flow::RenewCertificate(renewal));
        let (_, payload) = csms.answer_status("Accepted");
        assert_eq!(payload, json!({"requestedMessage": trigger, "evse": {"id": 2}}));
        let mut sign = request(Version::V2_1, kind, None);
        let root = json!({
            "hashAlgorithm": "SHA256", "issuerNameHash": "a", "issuerKeyHash": "b", "serialNumber": "c",
        });
        sign["hashRootCertificate"] = root;
        csms.call("SignCertificate", sign);
        let Question::SignCertificate(about) = csms.decide(signed()) else { panic!() };
        assert_eq!(about.purpose, purpose);
        assert_eq!(about.root.unwrap().serial_number, "c");
        csms.drain_sent();
        csms.assert_running();
    }
    let mut csms = Csms::new(Version::V1_6);
    csms.flow(1, Flow::RenewCertificate(CertificateRenewal::new(CertificatePurpose::V2g)));
    assert!(matches!(csms.end(1), FlowEnd::NotAllowed { .. }));
}

/// A00.FR.429, A00.FR.807
#[test]
fn a_station_with_an_expired_certificate_is_pending_until_it_has_a_new_one() {
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        let mut expired = Authentication::new(3);
        expired.certificate_expired = true;
        csms.reconnect(expired);
        assert_eq!(csms.session.registration(), RegistrationStatus::Pending);
        assert_eq!(csms.exchange("Heartbeat", json!({})).code(), "SecurityError");
        let id = csms.call("BootNotification", boot(version));
        assert_eq!(csms.reply(&id).result()["status"], "Pending");
        let (action, payload) = csms.answer_status("Accepted");
        assert!(action.ends_with("TriggerMessage"), "{action}");
        assert!(payload["requestedMessage"].as_str().unwrap().starts_with("SignCharg"), "{payload}");
        // It boots again before it has made its key: it is asked once.
        csms.exchange("BootNotification", boot(version)).result();
        csms.assert_nothing_sent();
        // A decision to accept it changes nothing before that.
        csms.input(Input::Registration(Registration::accepted(HEARTBEAT)));
        assert_eq!(csms.exchange("Heartbeat", json!({})).code(), "SecurityError");
        let id = csms.call("SignCertificate", request(version, Some("ChargingStationCertificate"), Some(7)));
        csms.decide(signed());
        assert_eq!(csms.reply(&id).result()["status"], "Accepted");
        assert_eq!(csms.answer_status("Accepted").0, "CertificateSigned");
        csms.reconnect(Authentication::new(3));
        assert_eq!(csms.exchange("BootNotification", boot(version)).result()["status"], "Accepted");
        csms.exchange("Heartbeat", json!({})).result();
    }
}

/// How a renewal goes that the session began by itself, and how it ended.
fn renewed(csms: &mut Csms) -> (Vec<Progress>, Vec<FlowEnd>) {
    let progress = csms.take_events(|event| match event {
        Event::CertificateRenewing { purpose: CertificatePurpose::ChargingStation, progress } => Some(progress.clone()),
        _ => None,
    });
    let ends = csms.take_events(|event| match event {
        Event::CertificateRenewed { purpose: CertificatePurpose::ChargingStation, end } => Some(end.clone()),
        _ => None,
    });
    (progress, ends)
}

/// A00.FR.429, A00.FR.807
#[test]
fn the_application_is_told_how_a_renewal_goes_that_the_session_began() {
    for version in Version::ALL {
        let expired = || {
            let mut csms = Csms::new(version);
            let mut authentication = Authentication::new(3);
            authentication.certificate_expired = true;
            csms.reconnect(authentication);
            csms.exchange("BootNotification", boot(version)).result();
            csms
        };
        let accepted = Progress::Accepted { status: "Accepted".into() };

        let mut csms = expired();
        csms.answer_status("Accepted");
        assert_eq!(renewed(&mut csms), (vec![accepted.clone()], vec![]));
        let id = csms.call("SignCertificate", request(version, Some("ChargingStationCertificate"), Some(7)));
        csms.decide(signed());
        csms.reply(&id).result();
        csms.answer_status("Accepted");
        let steps = vec![Progress::CertificateRequested, Progress::CertificateSigned];
        assert_eq!(renewed(&mut csms), (steps, vec![FlowEnd::Completed(Completion::Done)]));

        let mut csms = expired();
        csms.answer_status("Rejected");
        let refused = FlowEnd::Refused { status: "Rejected".into(), reason: None };
        assert_eq!(renewed(&mut csms), (vec![], vec![refused]));

        let mut csms = expired();
        csms.answer_status("Accepted");
        csms.pass(HOUR);
        let overdue = FlowEnd::TimedOut { awaited: Awaited::CertificateRequest };
        assert_eq!(renewed(&mut csms), (vec![accepted], vec![overdue]));

        // The node dies while the station is told.
        let mut csms = expired();
        csms.restart();
        assert_eq!(renewed(&mut csms), (vec![], vec![FlowEnd::Interrupted]));
    }
}

/// A02.FR.12, A03.FR.12; 1.6 security, A02.FR.12; 1.6 security, A03.FR.12
#[test]
fn a_request_that_cannot_be_signed_is_refused() {
    for version in Version::ALL {
        let (mut csms, _) = renewing(version, CertificatePurpose::ChargingStation);
        let id = csms.call("SignCertificate", request(version, Some("ChargingStationCertificate"), None));
        csms.decide(Answer::Signing(Signing::Refused));
        assert_eq!(csms.reply(&id).result()["status"], "Rejected");
        assert_eq!(csms.end(1), FlowEnd::NotSigned);
        let id = csms.call("SignCertificate", request(version, Some("ChargingStationCertificate"), None));
        csms.pass(MINUTE);
        assert_eq!(csms.reply(&id).result()["status"], "Rejected", "nobody answered in time");
        csms.assert_nothing_sent();
    }
}

/// A03.FR.11, A03.FR.14, A03.FR.21; 1.6 security, A03.FR.11
#[test]
fn a_station_that_asks_by_itself_is_handed_its_certificate() {
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        let id = csms.call("SignCertificate", request(version, Some("ChargingStationCertificate"), Some(3)));
        let Question::SignCertificate(about) = csms.decide(signed()) else { panic!() };
        assert_eq!(about.flow, None);
        assert_eq!(csms.reply(&id).result()["status"], "Accepted");
        let (action, payload) = csms.answer_status("Accepted");
        assert_eq!((&*action, &payload["certificateChain"]), ("CertificateSigned", &json!(CHAIN)));
        if version != Version::V1_6 {
            assert_eq!(payload["certificateType"], "ChargingStationCertificate");
        }
        let request_id = (version == Version::V2_1).then_some(3);
        assert_eq!(payload.get("requestId").and_then(Value::as_i64), request_id);
        let told = |csms: &mut Csms| {
            csms.take_events(|event| match event {
                Event::CertificateDelivered { purpose, request_id, end } => Some((*purpose, *request_id, end.clone())),
                _ => None,
            })
        };
        let purpose = CertificatePurpose::ChargingStation;
        assert_eq!(told(&mut csms), [(purpose, request_id, FlowEnd::Completed(Completion::Done))]);
        csms.call("SignCertificate", request(version, Some("ChargingStationCertificate"), Some(3)));
        csms.decide(Answer::Signing(Signing::Refused));
        assert_eq!(told(&mut csms), [(purpose, request_id, FlowEnd::NotSigned)]);
    }
}

/// A02.FR.04, A03.FR.04: the authority is somebody else, who may take its time; 1.6 security, A02.FR.04; 1.6 security, A03.FR.04
#[test]
fn an_authority_may_take_its_time() {
    for version in Version::ALL {
        let (mut csms, _) = renewing(version, CertificatePurpose::ChargingStation);
        let id = csms.call("SignCertificate", request(version, Some("ChargingStationCertificate"), Some(9)));
        csms.decide(Answer::Signing(Signing::Later));
        assert_eq!(csms.reply(&id).result()["status"], "Accepted");
        csms.assert_running();
        csms.assert_nothing_sent();
        csms.restart();
        csms.connect();
        let purpose = CertificatePurpose::ChargingStation;
        let delivery = CertificateDelivery { purpose, chain: CHAIN.into(), request_id: Some(9) };
        let delivery =
            CertificateDelivery { request_id: delivery.request_id.filter(|_| version == Version::V2_1), ..delivery };
        csms.flow(2, Flow::DeliverCertificate(delivery));
        assert_eq!(csms.answer_status("Accepted").0, "CertificateSigned");
        assert_eq!(csms.end(1), FlowEnd::Completed(Completion::Done), "who asked for it is told");
        assert_eq!(csms.end(2), FlowEnd::Completed(Completion::Done));
    }
}

#[test]
fn each_step_of_a_renewal_may_fail() {
    let renewal = || Flow::RenewCertificate(CertificateRenewal::new(CertificatePurpose::ChargingStation));
    let sign = || request(Version::V2_1, Some("ChargingStationCertificate"), None);
    let mut csms = Csms::new(Version::V2_1);
    csms.flow(1, renewal());
    csms.answer_status("NotImplemented");
    assert_eq!(csms.end(1), FlowEnd::Refused { status: "NotImplemented".into(), reason: None });

    let (mut csms, _) = renewing(Version::V2_1, CertificatePurpose::ChargingStation);
    csms.pass(6 * MINUTE);
    assert_eq!(csms.end(1), FlowEnd::TimedOut { awaited: Awaited::CertificateRequest });

    let (mut csms, _) = renewing(Version::V2_1, CertificatePurpose::ChargingStation);
    csms.call("SignCertificate", sign());
    csms.decide(Answer::Signing(Signing::Later));
    csms.pass(6 * MINUTE);
    assert_eq!(csms.end(1), FlowEnd::TimedOut { awaited: Awaited::Signature });

    let (mut csms, _) = renewing(Version::V2_1, CertificatePurpose::ChargingStation);
    csms.call("SignCertificate", sign());
    csms.decide(signed());
    csms.drain_sent();
    csms.input(Input::Disconnected);
    let FlowEnd::CallFailed { action, outcome } = csms.end(1) else { panic!() };
    assert_eq!((&*action, outcome), ("CertificateSigned", CallOutcome::ConnectionLost));

    let (mut csms, _) = renewing(Version::V2_1, CertificatePurpose::ChargingStation);
    let id = csms.call("SignCertificate", sign());
    csms.decide(signed());
    csms.reply(&id);
    csms.answer(json!({"status": "Rejected", "statusInfo": {"reasonCode": "InvalidCertChain"}}));
    let reason = Some("InvalidCertChain".into());
    assert_eq!(csms.end(1), FlowEnd::Refused { status: "Rejected".into(), reason });

    let (mut csms, _) = renewing(Version::V2_1, CertificatePurpose::ChargingStation);
    csms.call("SignCertificate", sign());
    csms.decide(Answer::Signing(Signing::Signed { chain: "x".repeat(10_001) }));
    let FlowEnd::CallFailed { outcome: CallOutcome::Invalid { .. }, .. } = csms.end(1) else { panic!() };

    let (mut csms, _) = renewing(Version::V2_1, CertificatePurpose::ChargingStation);
    csms.flow(2, renewal());
    assert!(matches!(csms.end(2), FlowEnd::NotAllowed { .. }), "one at a time");
    csms.call("SignCertificate", request(Version::V2_1, Some("V2GCertificate"), None));
    csms.decide(Answer::Signing(Signing::Refused));
    csms.assert_running();
}

#[test]
fn a_station_may_ask_before_it_answers() {
    let mut csms = Csms::new(Version::V2_0_1);
    csms.flow(1, Flow::RenewCertificate(CertificateRenewal::new(CertificatePurpose::ChargingStation)));
    let (trigger, ..) = csms.received_call();
    let id = csms.call("SignCertificate", request(Version::V2_0_1, Some("ChargingStationCertificate"), None));
    csms.frame(json!([3, trigger, {"status": "Accepted"}]).to_string());
    csms.decide(signed());
    assert_eq!(csms.reply(&id).result()["status"], "Accepted");
    csms.answer_status("Accepted");
    assert_eq!(csms.end(1), FlowEnd::Completed(Completion::Done));
}

/// A00.FR.806; B02.FR.02
#[test]
fn a_station_that_waits_to_be_accepted_may_get_its_certificate() {
    let mut config = accepting();
    config.registration = Registration::pending(HEARTBEAT);
    let mut csms = Csms::with(Version::V2_1, config);
    csms.exchange("BootNotification", boot(Version::V2_1)).result();
    csms.flow(1, Flow::RenewCertificate(CertificateRenewal::new(CertificatePurpose::ChargingStation)));
    csms.answer_status("Accepted");
    let id = csms.call("SignCertificate", request(Version::V2_1, Some("ChargingStationCertificate"), None));
    csms.decide(signed());
    csms.reply(&id).result();
    csms.answer_status("Accepted");
    assert_eq!(csms.end(1), FlowEnd::Completed(Completion::Done));
}

fn hash(serial_number: &str) -> Value {
    json!({
        "hashAlgorithm": "SHA384", "issuerNameHash": "0a", "issuerKeyHash": "0b", "serialNumber": serial_number,
    })
}

fn named(serial_number: &str) -> CertificateHash {
    CertificateHash {
        algorithm: "SHA384".into(),
        issuer_name: "0a".into(),
        issuer_key: "0b".into(),
        serial_number: serial_number.into(),
    }
}

/// The station tells what it has: one root of the CSMS, one of its maker.
fn tell_installed(csms: &mut Csms) {
    match csms.version {
        Version::V1_6 => {
            for (kind, serial_number) in [("CentralSystemRootCertificate", "1"), ("ManufacturerRootCertificate", "2")] {
                let (action, payload) =
                    csms.answer(json!({"status": "Accepted", "certificateHashData": [hash(serial_number)]}));
                assert_eq!((&*action, payload), ("GetInstalledCertificateIds", json!({"certificateType": kind})));
            }
        }
        _ => {
            let (action, payload) = csms.answer(json!({"status": "Accepted", "certificateHashDataChain": [
                {"certificateType": "CSMSRootCertificate", "certificateHashData": hash("1")},
                {"certificateType": "V2GCertificateChain", "certificateHashData": hash("2"),
                 "childCertificateHashData": [hash("3")]},
            ]}));
            assert_eq!((&*action, payload), ("GetInstalledCertificateIds", json!({})));
        }
    }
}

/// M03; 1.6 security, M03
#[test]
fn installed_certificates_are_listed_and_remembered() {
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        csms.flow(1, Flow::ListCertificates { kinds: vec![] });
        tell_installed(&mut csms);
        let FlowEnd::Completed(Completion::Certificates(certificates)) = csms.end(1) else { panic!() };
        let kinds: Vec<_> = certificates.iter().map(|certificate| &*certificate.kind).collect();
        match version {
            Version::V1_6 => assert_eq!(kinds, ["CentralSystemRootCertificate", "ManufacturerRootCertificate"]),
            _ => {
                assert_eq!(kinds, ["CSMSRootCertificate", "V2GCertificateChain"]);
                assert_eq!(certificates[1].children, [named("3")]);
            }
        }
        assert_eq!(certificates[0].hash, named("1"));
        assert_eq!(csms.session.installed_certificates(), certificates);
        csms.restart();
        assert_eq!(csms.session.installed_certificates(), certificates, "on another node as well");
    }
    let mut csms = Csms::new(Version::V2_0_1);
    csms.flow(1, Flow::ListCertificates { kinds: vec!["V2GRootCertificate".into()] });
    let (_, payload) = csms.answer_status("NotFound");
    assert_eq!(payload, json!({"certificateType": ["V2GRootCertificate"]}));
    assert_eq!(csms.end(1), FlowEnd::Completed(Completion::Certificates(vec![])));
    csms.flow(2, Flow::ListCertificates { kinds: vec!["Nonsense".into()] });
    assert!(matches!(csms.end(2), FlowEnd::CallFailed { outcome: CallOutcome::Invalid { .. }, .. }));
}

/// M04.FR.07; 1.6 security, M04.FR.07
#[test]
fn a_certificate_is_deleted_by_the_hashes_that_the_station_reported() {
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        csms.flow(1, Flow::DeleteCertificate { certificate: named("2") });
        tell_installed(&mut csms);
        let (action, payload) = csms.answer_status("Accepted");
        assert_eq!((&*action, payload), ("DeleteCertificate", json!({"certificateHashData": hash("2")})));
        assert_eq!(csms.end(1), FlowEnd::Completed(Completion::Done));
        let known: Vec<&InstalledCertificate> = csms.session.installed_certificates().iter().collect();
        assert_eq!(known.len(), 1);
        assert_eq!(known[0].hash, named("1"));
        let other_algorithm = CertificateHash { algorithm: "SHA256".into(), ..named("1") };
        csms.flow(2, Flow::DeleteCertificate { certificate: other_algorithm });
        assert!(matches!(csms.end(2), FlowEnd::NotAllowed { .. }), "not with an algorithm of one's own");
        csms.assert_nothing_sent();
        csms.flow(3, Flow::DeleteCertificate { certificate: named("1") });
        assert_eq!(csms.answer_status("Failed").0, "DeleteCertificate");
        assert_eq!(csms.end(3), FlowEnd::Refused { status: "Failed".into(), reason: None });
        assert_eq!(csms.session.installed_certificates().len(), 1);
    }
}

/// M05; 1.6 security, M05
#[test]
fn a_root_certificate_is_installed_under_its_versions_name() {
    let installation =
        |kind: &str| Flow::InstallCertificate(CertificateInstallation { kind: kind.into(), certificate: CHAIN.into() });
    for version in Version::ALL {
        for kind in ["CSMSRootCertificate", "CentralSystemRootCertificate"] {
            let mut csms = Csms::new(version);
            csms.flow(1, installation(kind));
            let (action, payload) = csms.answer_status("Accepted");
            let name = if version == Version::V1_6 { "CentralSystemRootCertificate" } else { "CSMSRootCertificate" };
            assert_eq!(action, "InstallCertificate");
            assert_eq!(payload, json!({"certificateType": name, "certificate": CHAIN}));
            assert_eq!(csms.end(1), FlowEnd::Completed(Completion::Done));
        }
        let mut csms = Csms::new(version);
        csms.flow(1, installation("CSMSRootCertificate"));
        csms.answer_status("Rejected");
        assert_eq!(csms.end(1), FlowEnd::Refused { status: "Rejected".into(), reason: None });
        csms.flow(2, installation("Nonsense"));
        assert!(matches!(csms.end(2), FlowEnd::CallFailed { outcome: CallOutcome::Invalid { .. }, .. }));
    }
}

#[test]
fn after_an_installation_the_station_is_asked_again_before_anything_is_deleted() {
    let mut csms = Csms::new(Version::V2_1);
    csms.flow(1, Flow::ListCertificates { kinds: vec![] });
    tell_installed(&mut csms);
    csms.end(1);
    let kind = "CSMSRootCertificate".into();
    csms.flow(2, Flow::InstallCertificate(CertificateInstallation { kind, certificate: CHAIN.into() }));
    csms.answer_status("Accepted");
    csms.end(2);
    csms.flow(3, Flow::DeleteCertificate { certificate: named("1") });
    assert_eq!(csms.received_call().1, "GetInstalledCertificateIds");
}
