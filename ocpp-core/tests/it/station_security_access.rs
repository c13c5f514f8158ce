//! Security profiles and passwords: changed, tried out and taken back (A01, A05; 1.6 security, A00, A01, A05).

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use ocpp_core::station::{
    CertificateFacts, CertificateHashData, Connect, ConnectionFailure, HashAlgorithm, Input, Output, RootCertificate,
    RootUse, SecurityEvent, StationCertificate, StationConfig,
};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::harness::{VERSIONS, config};
use crate::scripted::{Said, Script};

const OLD: &str = "an-old-password-of-mine";
/// "OCA_OCTT_aadmin_test" in hexadecimal digits.
const NEW: &str = "4F43415F4F4354545F6161646D696E5F74657374";
const NEW_BYTES: &[u8] = b"OCA_OCTT_aadmin_test";

/// What a CSMS demands of a station.
#[derive(Clone)]
struct Gate(Rc<RefCell<Demand>>);

struct Demand {
    profile: u8,
    password: Vec<u8>,
    /// How it turns away.
    failure: ConnectionFailure,
}

impl Gate {
    fn set(&self, change: impl FnOnce(&mut Demand)) {
        change(&mut self.0.borrow_mut());
    }
}

fn gated(config: StationConfig, profile: u8, password: &[u8]) -> (Script, Gate) {
    let demand = Demand { profile, password: password.into(), failure: ConnectionFailure::Unauthorized };
    let gate = Gate(Rc::new(RefCell::new(demand)));
    let mut world = Script::with(config);
    let demand = gate.clone();
    world.peer.admits = Box::new(move |connect: &Connect| {
        let demand = demand.0.borrow();
        let password = connect.password.as_ref().is_some_and(|password| password.as_bytes() == demand.password);
        let proof = if demand.profile == 3 { connect.certificate.is_some() } else { password };
        if connect.security_profile == demand.profile && proof { Ok(()) } else { Err(demand.failure) }
    });
    world.settle();
    world.meter("1000");
    world.peer.forget();
    (world, gate)
}

fn hashes(serial: &str) -> Vec<CertificateHashData> {
    HashAlgorithm::ALL.map(|algorithm| CertificateHashData::new(algorithm, "aa", "bb", serial)).to_vec()
}

fn facts(serial: &str, not_after: &str) -> CertificateFacts {
    let at = |text: &str| text.parse().unwrap();
    CertificateFacts::new(hashes(serial), at("2026-01-01T00:00:00Z"), at(not_after))
}

fn root(not_after: &str) -> RootCertificate {
    RootCertificate::new(RootUse::Csms, "root", facts("1", not_after))
}

fn own(not_after: &str) -> StationCertificate {
    StationCertificate::new("chain", "key-1", facts("2", not_after))
}

const VALID: &str = "2030-01-01T00:00:00Z";
const EXPIRED: &str = "2026-02-01T00:00:00Z";

/// A station in security profile 1 that has all that the others need.
fn equipped(version: Version) -> StationConfig {
    let mut config = config(version);
    config.password = Some(OLD.into());
    config.settings.push(("SecurityProfile".into(), "1".into()));
    config.root_certificates = vec![root(VALID)];
    config.station_certificate = Some(own(VALID));
    config
}

fn change(world: &mut Script, key: &str, value: &str) -> Value {
    match world.ask("ChangeConfiguration", json!({"key": key, "value": value})) {
        Said::Result(result) => result["status"].clone(),
        Said::Error(code) => panic!("{code}"),
    }
}

fn connects(world: &Script) -> Vec<&Connect> {
    let connects = world.outputs.iter().filter_map(|(_, output)| match output {
        Output::Connect(connect) => Some(connect),
        _ => None,
    });
    connects.collect()
}

fn last(world: &Script) -> &Connect {
    connects(world).last().unwrap()
}

fn logged(world: &mut Script) -> Vec<SecurityEvent> {
    world.station().security_log().map(|entry| entry.event.clone()).collect()
}

fn profile(world: &mut Script) -> String {
    world.station().setting(&"SecurityProfile".into()).unwrap()
}

fn is_connected(world: &mut Script) -> bool {
    let now = world.now;
    world.station().state(now).connected
}

/// 1.6 security, A01.FR.01/02, A00.FR.202/203/205/301/302/304
#[test]
fn a_new_key_is_used_at_once_on_a_new_connection() {
    let (mut world, gate) = gated(equipped(Version::V1_6), 1, OLD.as_bytes());
    assert_eq!(connects(&world).len(), 1);
    gate.set(|demand| demand.password = NEW_BYTES.into());
    assert_eq!(change(&mut world, "AuthorizationKey", NEW), "Accepted");
    world.run(Duration::from_secs(1));
    assert_eq!(connects(&world).len(), 2, "without waiting");
    assert_eq!(last(&world).password.as_ref().unwrap().as_bytes(), NEW_BYTES);
    assert!(is_connected(&mut world));
    assert!(!world.storage.contains_key("way-back"), "the CSMS has answered");
    world.power_cut(Duration::from_secs(10));
    world.settle();
    assert!(is_connected(&mut world));
}

/// A01.FR.01, A00.FR.205
#[test]
fn a_new_password_of_2_is_used_as_it_is() {
    for version in [Version::V2_0_1, Version::V2_1] {
        let (mut world, gate) = gated(equipped(version), 1, OLD.as_bytes());
        let set = |value: &str| {
            json!({"setVariableData": [{"attributeValue": value, "component": {"name": "SecurityCtrlr"},
                   "variable": {"name": "BasicAuthPassword"}}]})
        };
        let status = |world: &Script| world.peer.result()["setVariableResult"][0]["attributeStatus"].clone();
        world.ask("SetVariables", set("too-short"));
        assert_eq!(status(&world), "Rejected");
        gate.set(|demand| demand.password = b"sixteen-letters!".into());
        world.ask("SetVariables", set("sixteen-letters!"));
        assert_eq!(status(&world), "Accepted");
        world.settle();
        assert_eq!(last(&world).password.as_ref().unwrap().as_bytes(), b"sixteen-letters!", "{version}");
        assert!(is_connected(&mut world));
    }
}

/// 1.6 security, A00.FR.205/304; 1.6 security, 7.2
#[test]
fn a_key_that_is_too_short_or_not_hexadecimal_is_rejected_and_changes_nothing() {
    let (mut world, _) = gated(equipped(Version::V1_6), 1, OLD.as_bytes());
    for wrong in ["", "4F43", "a-password-in-plain-text-of-1-6!", &"00".repeat(21)] {
        assert_eq!(change(&mut world, "AuthorizationKey", wrong), "Rejected", "{wrong}");
    }
    world.settle();
    assert_eq!(connects(&world).len(), 1);
    assert_eq!(last(&world).password.as_ref().unwrap().as_bytes(), OLD.as_bytes());
}

/// A01.FR.11, A01.FR.12; 1.6 security, A01.FR.11/12
#[test]
fn a_change_of_the_key_is_logged_and_the_key_is_not() {
    let (mut world, gate) = gated(equipped(Version::V1_6), 1, OLD.as_bytes());
    gate.set(|demand| demand.password = NEW_BYTES.into());
    change(&mut world, "AuthorizationKey", NEW);
    world.settle();
    assert!(logged(&mut world).contains(&SecurityEvent::ReconfigurationOfSecurityParameters));
    let told: Vec<_> = world.outputs.iter().filter(|(_, output)| !matches!(output, Output::Store(_))).collect();
    let mut told = format!("{told:?}");
    told += &format!("{:?}", world.station().security_log().collect::<Vec<_>>());
    for secret in [NEW, "OCA_OCTT_aadmin_test", OLD] {
        assert!(!told.contains(secret), "{secret}");
    }
    world.ask("GetConfiguration", json!({"key": ["AuthorizationKey"]}));
    assert_eq!(world.peer.result()["configurationKey"][0].get("value"), None, "1.6 security, 7.2: write-only");
}

/// 1.6 security, A01.FR.04: a CSMS that never got the answer goes on with the old one.
#[test]
fn a_key_that_the_csms_does_not_take_is_taken_back() {
    for survives in [false, true] {
        let (mut world, _) = gated(equipped(Version::V1_6), 1, OLD.as_bytes());
        assert_eq!(change(&mut world, "AuthorizationKey", NEW), "Accepted");
        world.run(Duration::from_secs(20));
        if survives {
            world.power_cut(Duration::from_secs(5));
        }
        world.run(Duration::from_secs(600));
        assert!(is_connected(&mut world));
        assert_eq!(last(&world).password.as_ref().unwrap().as_bytes(), OLD.as_bytes());
        assert!(!world.storage.contains_key("way-back"));
        let tried = connects(&world).len();
        // The first, three with the new one, and the old one; a power cut begins anew.
        assert!(tried == 5 || survives && tried <= 8, "{tried}");
        assert!(logged(&mut world).contains(&SecurityEvent::FailedToAuthenticateAtCsms));
        world.power_cut(Duration::from_secs(10));
        world.settle();
        assert!(is_connected(&mut world), "the new one is forgotten");
        assert_eq!(connects(&world).len(), tried + 1);
    }
}

/// While neither works, they take turns: whenever the CSMS comes back, with whichever of the two, the station is in.
#[test]
fn neither_the_old_nor_the_new_key_is_given_up_before_one_has_worked() {
    for accepted in [OLD.as_bytes(), NEW_BYTES] {
        let (mut world, gate) = gated(equipped(Version::V1_6), 1, OLD.as_bytes());
        gate.set(|demand| demand.password = b"another".into());
        change(&mut world, "AuthorizationKey", NEW);
        world.run(Duration::from_secs(86_400));
        world.power_cut(Duration::from_secs(86_400));
        world.run(Duration::from_secs(86_400));
        gate.set(|demand| demand.password = accepted.into());
        world.run(Duration::from_secs(3_600));
        assert!(is_connected(&mut world));
        assert!(!world.storage.contains_key("way-back"));
    }
}

/// A connection that ends before the CSMS has said a word proves nothing.
#[test]
fn a_csms_that_lets_in_and_throws_out_has_not_accepted_the_key() {
    let (mut world, gate) = gated(equipped(Version::V1_6), 1, OLD.as_bytes());
    gate.set(|demand| demand.password = NEW_BYTES.into());
    world.peer.always("Heartbeat", crate::scripted::Reply::Silence);
    change(&mut world, "AuthorizationKey", NEW);
    world.run(Duration::from_secs(5));
    assert!(world.storage.contains_key("way-back"));
    gate.set(|demand| demand.password = OLD.into());
    world.drop_connection();
    world.peer.always("Heartbeat", crate::scripted::Reply::Result(json!({"currentTime": "2026-11-20T08:00:00Z"})));
    world.run(Duration::from_secs(600));
    assert!(is_connected(&mut world));
    assert_eq!(last(&world).password.as_ref().unwrap().as_bytes(), OLD.as_bytes());
}

/// 1.6 security, A05.FR.05/06/07, A00.FR.001/004/311/401/402/415; 1.6 security, 7.6
#[test]
fn a_profile_is_raised_step_by_step_on_new_connections() {
    let (mut world, gate) = gated(equipped(Version::V1_6), 1, OLD.as_bytes());
    for wanted in [2, 3] {
        gate.set(|demand| demand.profile = wanted);
        assert_eq!(change(&mut world, "SecurityProfile", &wanted.to_string()), "Accepted");
        world.settle();
        let connect = last(&world);
        assert_eq!((connect.security_profile, connect.csms_url.as_str()), (wanted, "wss://csms.example/ocpp"));
        assert_eq!(connect.csms_roots, ["root"]);
        assert_eq!(connect.password.is_some(), wanted == 2, "one proof of identity at a time");
        assert_eq!(connect.certificate.as_ref().map(|own| own.key.as_str()), (wanted == 3).then_some("key-1"));
        assert!(is_connected(&mut world));
        assert_eq!(profile(&mut world), wanted.to_string());
        assert!(!world.storage.contains_key("way-back"));
    }
}

/// A00.FR.005; 1.6 security, A00.FR.005, A05.FR.01; 1.6 security, 7.6
#[test]
fn a_profile_is_never_lowered_by_the_csms() {
    let mut config = equipped(Version::V1_6);
    config.settings.push(("SecurityProfile".into(), "2".into()));
    let (mut world, _) = gated(config, 2, OLD.as_bytes());
    for wanted in ["0", "1", "2", "4", "x", ""] {
        assert_eq!(change(&mut world, "SecurityProfile", wanted), "Rejected", "{wanted}");
    }
    world.settle();
    assert_eq!(connects(&world).len(), 1);
    assert_eq!(profile(&mut world), "2");
}

/// 1.6 security, A05.FR.02/03/04; 1.6 security, 7.6
#[test]
fn a_profile_whose_prerequisites_are_missing_is_rejected() {
    let with = |change: &dyn Fn(&mut StationConfig)| {
        let mut config = equipped(Version::V1_6);
        config.settings = vec![("SecurityProfile".into(), "0".into())];
        change(&mut config);
        Script::booted_with(config)
    };
    let answers =
        |mut world: Script| [1, 2, 3].map(|wanted| change(&mut world, "SecurityProfile", &wanted.to_string()));
    let first = |mut world: Script, wanted: &str| change(&mut world, "SecurityProfile", wanted);
    let rejected = json!("Rejected");
    // A05.FR.02
    for password in [None, Some("fifteen-letters".to_owned())] {
        let world = || with(&|config| config.password.clone_from(&password));
        assert_eq!([first(world(), "1"), first(world(), "2")], [rejected.clone(), rejected.clone()]);
        assert_eq!(first(world(), "3"), "Accepted", "needs no password");
    }
    // A05.FR.03
    let rootless = || with(&|config| config.root_certificates.clear());
    assert_eq!(
        [first(rootless(), "1"), first(rootless(), "2"), first(rootless(), "3")],
        ["Accepted", "Rejected", "Rejected"]
    );
    assert_eq!(first(with(&|config| config.root_certificates = vec![root(EXPIRED)]), "2"), "Rejected");
    let maker = RootCertificate::new(RootUse::Manufacturer, "root", facts("1", VALID));
    assert_eq!(first(with(&|config| config.root_certificates = vec![maker.clone()]), "2"), "Rejected");
    // A05.FR.04
    assert_eq!(answers(with(&|config| config.station_certificate = None)), ["Accepted", "Accepted", "Rejected"]);
    assert_eq!(first(with(&|config| config.station_certificate = Some(own(EXPIRED))), "3"), "Rejected");
    assert_eq!(answers(with(&|_| {})), ["Accepted", "Accepted", "Accepted"]);
}

/// 1.6 security, A05.FR.08, A00.FR.309/310
#[test]
fn a_profile_that_does_not_connect_is_taken_back() {
    for failure in [ConnectionFailure::Unauthorized, ConnectionFailure::CsmsCertificate, ConnectionFailure::Other] {
        let (mut world, gate) = gated(equipped(Version::V1_6), 1, OLD.as_bytes());
        gate.set(|demand| demand.failure = failure);
        assert_eq!(change(&mut world, "SecurityProfile", "2"), "Accepted");
        world.run(Duration::from_secs(600));
        assert!(is_connected(&mut world), "{failure:?}");
        assert_eq!(last(&world).csms_url, "ws://csms.example/ocpp");
        assert_eq!(profile(&mut world), "1");
        let tried = connects(&world).iter().filter(|connect| connect.security_profile == 2).count();
        assert_eq!(tried, 3, "{failure:?}");
        assert_eq!(change(&mut world, "SecurityProfile", "2"), "Accepted", "it may be tried again");
    }
}

/// A00.FR.005
#[test]
fn in_2_the_profile_is_no_variable_to_write() {
    for version in [Version::V2_0_1, Version::V2_1] {
        let (mut world, _) = gated(equipped(version), 1, OLD.as_bytes());
        let place = json!({"component": {"name": "SecurityCtrlr"}, "variable": {"name": "SecurityProfile"}});
        let mut data = place.clone();
        data["attributeValue"] = json!("2");
        world.ask("SetVariables", json!({"setVariableData": [data]}));
        assert_eq!(world.peer.result()["setVariableResult"][0]["attributeStatus"], "Rejected");
        world.ask("GetVariables", json!({"getVariableData": [place]}));
        assert_eq!(world.peer.result()["getVariableResult"][0]["attributeValue"], "1");
    }
}

/// A00.FR.309, A00.FR.315, A00.FR.322, A00.FR.413; 1.6 security, A00.FR.309/315/318/322/413/419/422/426; 1.6 security, 8
#[test]
fn what_goes_wrong_with_a_connection_is_a_security_event_once_an_outage() {
    let cases = [
        (ConnectionFailure::CsmsCertificate, Some(SecurityEvent::InvalidCsmsCertificate)),
        (ConnectionFailure::TlsVersion, Some(SecurityEvent::InvalidTlsVersion)),
        (ConnectionFailure::TlsCipherSuite, Some(SecurityEvent::InvalidTlsCipherSuite)),
        (ConnectionFailure::Unauthorized, Some(SecurityEvent::FailedToAuthenticateAtCsms)),
        (ConnectionFailure::Other, None),
    ];
    for version in VERSIONS {
        for (failure, event) in cases.clone() {
            let mut config = equipped(version);
            config.settings.push(("SecurityProfile".into(), "2".into()));
            let (mut world, gate) = gated(config, 2, OLD.as_bytes());
            gate.set(|demand| (demand.failure, demand.profile) = (failure, 3));
            world.drop_connection();
            world.run(Duration::from_secs(3_600));
            let noted: Vec<_> =
                logged(&mut world).into_iter().filter(|event| *event != SecurityEvent::StartupOfTheDevice).collect();
            assert_eq!(noted, event.clone().into_iter().collect::<Vec<_>>(), "{version} {failure:?}");
            gate.set(|demand| demand.profile = 2);
            world.peer.security_events.clear();
            world.run(Duration::from_secs(3_600));
            assert!(is_connected(&mut world));
            let told: Vec<_> = world.peer.security_events.iter().map(|event| event["type"].clone()).collect();
            let expected: Vec<_> = event.iter().filter(|event| event.is_critical(version)).collect();
            assert_eq!(told.len(), expected.len(), "{version} {failure:?} {told:?}");
        }
    }
}

/// What a change needs is stored before anything of it is seen.
#[test]
fn a_power_cut_between_any_two_effects_of_a_change_never_locks_the_station_out() {
    let changes: [(&str, &str); 2] = [("AuthorizationKey", NEW), ("SecurityProfile", "2")];
    for (key, value) in changes {
        for takes in [false, true] {
            let run = |power_off_at: Option<usize>, survives: bool| {
                let (mut world, gate) = gated(equipped(Version::V1_6), 1, OLD.as_bytes());
                let before = world.outputs.len();
                world.power_off_at = power_off_at;
                world.last_batch_survives = survives;
                world.peer.call("ChangeConfiguration", json!({"key": key, "value": value}));
                // A CSMS that has the station's word takes nothing else any more; one that is stubborn takes the old.
                for _ in 0..1_000 {
                    world.run(Duration::from_millis(10));
                    let accepted = world
                        .peer
                        .said
                        .iter()
                        .any(|(_, said)| matches!(said, Said::Result(result) if result["status"] == "Accepted"));
                    if accepted && takes {
                        gate.set(|demand| match key {
                            "AuthorizationKey" => demand.password = NEW_BYTES.into(),
                            _ => demand.profile = 2,
                        });
                    }
                }
                if world.station.is_none() {
                    world.now = world.now + Duration::from_secs(20);
                    world.power_on();
                }
                world.run(Duration::from_secs(900));
                if world.station.is_none() {
                    world.power_on();
                    world.run(Duration::from_secs(900));
                }
                (world, before)
            };
            let (uncut, first) = run(None, false);
            for at in first..uncut.outputs.len() {
                for survives in [false, true] {
                    let (mut world, _) = run(Some(at), survives);
                    let what = format!("{key} taken {takes}, cut before output {at}, last batch survives: {survives}");
                    assert!(is_connected(&mut world), "{what}");
                    assert!(!world.storage.contains_key("way-back"), "{what}");
                    let profile = last(&world).security_profile.to_string();
                    assert_eq!(world.station().setting(&"SecurityProfile".into()).unwrap(), profile, "{what}");
                }
            }
        }
    }
}

/// Somebody at the station may do what a CSMS may not.
#[test]
fn the_local_operator_may_lower_the_profile_and_finds_the_way_back_too() {
    let mut config = equipped(Version::V1_6);
    config.settings.push(("SecurityProfile".into(), "2".into()));
    let (mut world, _) = gated(config, 2, OLD.as_bytes());
    world.set("SecurityProfile", "1");
    world.run(Duration::from_secs(600));
    assert!(is_connected(&mut world));
    assert_eq!(profile(&mut world), "2", "the CSMS refuses the lower one");
    world.handle(Input::Network { up: true });
}
