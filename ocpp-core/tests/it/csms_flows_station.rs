//! Flows of a session back to back with a real station, in virtual time: each comes to the end that it is for, and the station is as it
//! was to be.

use std::collections::VecDeque;
use std::time::Duration;

use ocpp_core::csms::flows::{
    Authentication, CertificatePurpose, CertificateRenewal, Completion, FirmwareSignature, FirmwareUpdate, Flow,
    FlowEnd, LocalListSynchronisation, LogRetrieval, NetworkSwitch, PasswordChange, PasswordUsed, ProfileUpgrade,
    Progress, Secret, Signing,
};
use ocpp_core::csms::{
    self, Answer, Authorization, CallOutcome, CallResult, Command, CommandId, Event, Input, Output, Question,
    Reservation, ResetKind, Session,
};
use ocpp_core::station::{Connect, ConnectionFailure, ConnectorStatus, StationConfig};
use ocpp_core::time::{Instant, Now};
use ocpp_core::types::Version;
use ocpp_core::types::v2_1::{AuthorizationData, ReportBaseEnumType};
use serde_json::json;

use crate::certificate_support::{OLD_KEY, booted, chain, equipped};
use crate::csms_support::accepting;
use crate::harness::{Peer, World, config};

const OLD: &str = "sixteen-letters!";
const NEW: &str = "eighteen-letters-!";
const HOUR: Duration = Duration::from_secs(3600);
const BOTH: [Version; 2] = [Version::V1_6, Version::V2_1];

/// What an authority makes of a request: a chain, if it signs.
type Signer = Box<dyn FnMut(&str, Now) -> Option<String>>;

/// A CSMS: a session, and an application that lets in whom it should, stores everything and has certificates signed.
struct Office {
    session: Session,
    sent: VecDeque<String>,
    events: Vec<Event>,
    /// The passwords that are good, and which they are.
    passwords: Vec<(String, PasswordUsed)>,
    /// The lowest security profile that it lets in.
    least_profile: u8,
    /// Whether it takes over what flows tell of passwords.
    learns: bool,
    /// Keys of the certificates that are good.
    keys: Vec<String>,
    signs: Signer,
    commands: u64,
}

impl Office {
    fn new() -> Self {
        let now = Now::new(Instant::ORIGIN, crate::harness::STARTED.parse().unwrap());
        Self {
            session: Session::new(accepting(), [7; 32], now),
            sent: VecDeque::new(),
            events: Vec::new(),
            passwords: vec![(OLD.into(), PasswordUsed::Old)],
            least_profile: 0,
            learns: true,
            keys: vec![OLD_KEY.into()],
            // What the integrator's certificates look like in these tests: the key's name in the request, and in the certificate.
            signs: Box::new(|csr, _| Some(chain(csr.split(' ').next()?, "2026-11-01", "2029-01-01"))),
            commands: 0,
        }
    }

    fn input(&mut self, now: Now, input: Input) {
        self.session.handle(now, input);
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Transmit(text) => self.sent.push_back(text),
                Output::Record { token, events } => {
                    self.events.extend(events);
                    self.session.handle(now, Input::Stored(token));
                }
                Output::Ask { question, about } => {
                    let answer = match about {
                        Question::SignCertificate(request) => match (self.signs)(&request.csr, now) {
                            Some(chain) => Answer::Signing(Signing::Signed { chain }),
                            None => Answer::Signing(Signing::Refused),
                        },
                        _ => Answer::Authorization(Authorization::accepted()),
                    };
                    self.session.handle(now, Input::Answer { question, answer });
                }
                Output::Event(event) => {
                    self.learn(&event);
                    self.events.push(event);
                }
                other => panic!("{other:?}"),
            }
        }
    }

    /// What an application does with the progress of flows.
    fn learn(&mut self, event: &Event) {
        if let (Event::FlowProgress { progress, .. }, true) = (event, self.learns) {
            match progress {
                Progress::PasswordAccepted | Progress::PasswordUncertain => {
                    self.passwords.push((NEW.into(), PasswordUsed::New));
                }
                Progress::PasswordSuperseded => self.passwords.retain(|(_, used)| *used == PasswordUsed::New),
                _ => {}
            }
        }
    }
}

impl Peer for Office {
    fn connected(&mut self, now: Now, version: Version) {
        self.input(now, Input::Connected { version });
    }

    fn disconnected(&mut self, now: Now) {
        self.input(now, Input::Disconnected);
    }

    fn frame(&mut self, now: Now, text: &str) {
        self.input(now, Input::Frame(text.into()));
    }

    fn admits(&mut self, connect: &Connect) -> Result<(), ConnectionFailure> {
        let mut authentication = Authentication::new(connect.security_profile);
        if connect.security_profile < self.least_profile {
            return Err(ConnectionFailure::Unauthorized);
        }
        if matches!(connect.security_profile, 1 | 2) {
            let given = connect.password.as_ref().map(|password| password.as_bytes().to_vec()).unwrap_or_default();
            let known = self.passwords.iter().find(|(password, _)| password.as_bytes() == given);
            authentication.password = Some(known.ok_or(ConnectionFailure::Unauthorized)?.1);
        }
        if connect.security_profile == 3 {
            let key = connect.certificate.as_ref().map(|certificate| certificate.key.clone());
            key.filter(|key| self.keys.contains(key)).ok_or(ConnectionFailure::Unauthorized)?;
        }
        self.session
            .handle(Now::new(Instant::ORIGIN, jiff::Timestamp::UNIX_EPOCH), Input::Authenticated(authentication));
        Ok(())
    }

    fn poll(&mut self, _: Now) -> Option<String> {
        self.sent.pop_front()
    }

    fn timeout(&self) -> Option<Instant> {
        self.session.poll_timeout().map(|deadline| deadline.at)
    }

    fn time_passed(&mut self, now: Now) {
        self.input(now, Input::Timeout);
    }
}

impl World<Office> {
    fn served(config: StationConfig) -> Self {
        let mut world = Self::new(config, Office::new());
        world.run(Duration::from_secs(30));
        assert!(world.is_connected());
        world.peer.events.clear();
        world
    }

    fn is_connected(&mut self) -> bool {
        let now = self.now;
        self.station().state(now).connected
    }

    /// How a command ends, within a day.
    fn command(&mut self, command: Command) -> CallOutcome {
        self.peer.commands += 1;
        let id = CommandId(self.peer.commands);
        let now = self.now;
        self.peer.input(now, Input::Command { id, command });
        for _ in 0..24 * 60 {
            self.run(Duration::from_secs(60));
            let ended = self.peer.events.iter().find_map(|event| match event {
                Event::CallFinished { command, outcome } if *command == id => Some(outcome.clone()),
                _ => None,
            });
            if let Some(outcome) = ended {
                return outcome;
            }
        }
        panic!("it does not end");
    }

    fn flow(&mut self, flow: Flow) -> FlowEnd {
        match self.command(Command::Flow(Box::new(flow))) {
            CallOutcome::Flow(end) => *end,
            other => panic!("{other:?}"),
        }
    }

    fn result(&mut self, command: Command) -> CallResult {
        match self.command(command) {
            CallOutcome::Answered(answer) => answer.result,
            other => panic!("{other:?}"),
        }
    }

    fn is_done(&mut self, command: Command) {
        let result = self.result(command.clone());
        assert!(matches!(result, CallResult::Accepted { .. }), "{}: {command:?}: {result:?}", self.version);
    }

    fn statuses(&self) -> Vec<String> {
        let status = |event: &Event| match event {
            Event::FlowProgress { progress: Progress::Status { status }, .. } => Some(status.clone()),
            _ => None,
        };
        self.peer.events.iter().filter_map(status).collect()
    }

    fn setting(&mut self, name: &str) -> Option<String> {
        self.station().setting(&name.into()).ok()
    }
}

const DONE: FlowEnd = FlowEnd::Completed(Completion::Done);

fn with_password(version: Version) -> StationConfig {
    let mut config = config(version);
    config.password = Some(OLD.into());
    config.settings.push(("SecurityProfile".into(), "1".into()));
    config
}

/// A01.FR.01, A01.FR.03; 1.6 security, A01.FR.03
#[test]
fn a_station_comes_back_with_the_password_that_it_was_given() {
    for version in BOTH {
        let mut world = World::served(with_password(version));
        assert_eq!(world.flow(Flow::ChangePassword(PasswordChange::new(Secret::new(NEW)))), DONE, "{version}");
        assert_eq!(world.peer.passwords, [(NEW.to_owned(), PasswordUsed::New)]);
        world.power_cut(Duration::from_secs(10));
        world.settle();
        assert!(world.is_connected(), "{version}: it keeps the password over a power cut");
    }
}

/// The station finds that it is not let in, and goes on with what it had.
#[test]
fn a_station_that_is_not_let_in_with_its_new_password_comes_with_the_old_one() {
    for version in BOTH {
        let mut world = World::served(with_password(version));
        world.peer.learns = false;
        let mut change = PasswordChange::new(Secret::new(NEW));
        change.keep_old = HOUR;
        assert_eq!(world.flow(Flow::ChangePassword(change)), FlowEnd::WentBack, "{version}");
        assert!(world.is_connected());
    }
}

/// A station whose integrator judges certificates that are words.
fn certified(version: Version) -> World<Office> {
    let judge = booted(equipped(version)).judge;
    let mut world = World::new(equipped(version), Office::new());
    world.judge = judge;
    world.run(Duration::from_secs(30));
    assert!(world.is_connected());
    world.peer.events.clear();
    world
}

/// A02.FR.01 to A02.FR.06; 1.6 security, A02.FR.06
#[test]
fn a_station_gets_a_certificate_for_a_new_key_and_shows_it() {
    for version in BOTH {
        let mut world = certified(version);
        world.peer.keys.push("key-1".into());
        let renewal = CertificateRenewal::new(CertificatePurpose::ChargingStation);
        assert_eq!(world.flow(Flow::RenewCertificate(renewal)), DONE, "{version}");
        world.drop_connection();
        world.run(HOUR);
        assert!(world.is_connected());
        let shown = world.outputs.iter().rev().find_map(|(_, output)| match output {
            ocpp_core::station::Output::Connect(connect) => connect.certificate.clone(),
            _ => None,
        });
        assert_eq!(shown.unwrap().key, "key-1", "{version}");
    }
}

/// A02.FR.02, A02.FR.06, A02.FR.11: with keys, requests and certificates that are real.
#[cfg(feature = "pki")]
#[test]
fn an_authority_of_its_own_signs_for_a_station_that_verifies_it() {
    use std::cell::RefCell;
    use std::rc::Rc;

    use ocpp_core::pki::{Authority, PrivateKey, Serial, Subject, Terms, Validity, judge};
    use ocpp_core::station::{Answer, QuestionKind};

    for version in BOTH {
        let (began, day) =
            (crate::harness::STARTED.parse::<jiff::Timestamp>().unwrap(), jiff::SignedDuration::from_hours(24));
        let validity = move |days: i32| Validity { from: began - day, until: began + day * days };
        let (root_key, issuing_key) = (PrivateKey::generate().unwrap(), PrivateKey::generate().unwrap());
        let authority = Authority::create(
            "Example CPO",
            &root_key,
            issuing_key,
            validity(3650),
            [1, 2].map(|number| Serial::from_random([number; 16])),
        )
        .unwrap();
        let root = authority.root().to_pem();

        let mut config = equipped(version);
        config.root_certificates[0].pem.clone_from(&root);
        let mut world = World::new(config, Office::new());
        let keys: Rc<RefCell<Vec<PrivateKey>>> = Rc::default();
        let owned = Rc::clone(&keys);
        world.judge = Box::new(move |question| match &question.kind {
            QuestionKind::SignCsr(wanted) => {
                let key = PrivateKey::generate().unwrap();
                let subject = Subject::new(&wanted.common_name, &wanted.organization);
                let csr = key.signing_request(&subject).unwrap();
                owned.borrow_mut().push(key);
                Some(Answer::SigningRequest { csr, key: format!("key-{}", owned.borrow().len()) })
            }
            QuestionKind::Certificate(to_judge) => Some(judge(to_judge, owned.borrow().last(), began)),
            _ => None,
        });
        world.peer.signs = Box::new(move |csr, _| {
            let terms = Terms::new("S-1", "Example CPO", validity(365), Serial::from_random([5; 16]));
            Some(authority.sign(csr, &terms).unwrap().chain)
        });
        world.run(Duration::from_secs(30));
        world.peer.keys.push("key-1".into());
        let renewal = CertificateRenewal::new(CertificatePurpose::ChargingStation);
        assert_eq!(world.flow(Flow::RenewCertificate(renewal)), DONE, "{version}");
        world.drop_connection();
        world.run(HOUR);
        assert!(world.is_connected());
    }
}

/// A02.FR.12; 1.6 security, A02.FR.12
#[test]
fn a_station_whose_certificate_is_not_signed_keeps_the_old_one() {
    for version in BOTH {
        let mut world = certified(version);
        world.peer.signs = Box::new(|_, _| None);
        let renewal = CertificateRenewal::new(CertificatePurpose::ChargingStation);
        assert_eq!(world.flow(Flow::RenewCertificate(renewal)), FlowEnd::NotSigned, "{version}");
        assert!(world.is_connected());
        // And one that belongs to another key is refused by the station.
        let mut world = certified(version);
        world.peer.signs = Box::new(|_, _| Some(chain("key-9", "2026-11-01", "2029-01-01")));
        let renewal = CertificateRenewal::new(CertificatePurpose::ChargingStation);
        let end = world.flow(Flow::RenewCertificate(renewal));
        assert_eq!(end, FlowEnd::Refused { status: "Rejected".into(), reason: None }, "{version}");
        assert!(world.is_connected());
    }
}

/// A05.FR.07; 1.6 security, A05.FR.04/07
#[test]
fn a_1_6_station_comes_by_the_security_profile_that_it_was_given() {
    let mut config = equipped(Version::V1_6);
    config.settings.retain(|(name, _)| *name != "SecurityProfile".into());
    config.settings.push(("SecurityProfile".into(), "1".into()));
    for profile in [2, 3] {
        let mut world = World::served(config.clone());
        assert_eq!(world.flow(Flow::UpgradeProfile(ProfileUpgrade::new(profile))), DONE, "{profile}");
        assert_eq!(world.peer.session.least_security_profile(), profile);
        assert_eq!(world.setting("SecurityProfile"), Some(profile.to_string()));
        assert!(world.is_connected());
    }
    // Where the CSMS doesn't let it in by the new one, it comes by the old one, and the flow says so.
    let mut world = World::served(config);
    world.peer.keys.clear();
    let end = world.flow(Flow::UpgradeProfile(ProfileUpgrade::new(3)));
    assert_eq!(end, FlowEnd::WentBack);
    world.run(HOUR);
    assert!(world.is_connected());
    assert_eq!(world.peer.session.least_security_profile(), 0);
}

/// The station of this library has no network profiles to write, and says so.
#[test]
fn a_2_x_station_without_network_profiles_refuses_the_switch() {
    let mut world = World::served(with_password(Version::V2_1));
    let mut upgrade = ProfileUpgrade::new(2);
    upgrade.network = Some(NetworkSwitch::new(2, vec![1]));
    let end = world.flow(Flow::UpgradeProfile(upgrade));
    assert_eq!(end, FlowEnd::Refused { status: "UnknownVariable".into(), reason: None });
    assert!(world.is_connected());
    assert_eq!(world.peer.session.least_security_profile(), 0);
}

fn signed_update(now: Now) -> FirmwareUpdate {
    let mut update = FirmwareUpdate::new("https://csms.example.com/firmware-2.0.0", now.utc);
    update.signature = Some(FirmwareSignature { certificate: "certificate".into(), signature: "c2lnbmF0dXJl".into() });
    update
}

/// L01.FR.01, L01.FR.10, L01.FR.28; 1.6 security, L01.FR.28
#[test]
fn firmware_is_fetched_checked_and_at_work_after_a_restart() {
    for version in BOTH {
        let mut world = World::served(config(version));
        let now = world.now;
        assert_eq!(world.flow(Flow::UpdateFirmware(signed_update(now))), DONE, "{version}: {:?}", world.statuses());
        assert_eq!(world.config.product.firmware_version.as_deref(), Some("2.0.0"));
        let statuses = world.statuses();
        let expected = ["Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting"];
        assert_eq!(statuses, expected, "{version}");
    }
}

/// L01.FR.03, L01.FR.31; 1.6 security, L01.FR.03
#[test]
fn firmware_that_does_not_come_or_is_not_signed_stays_out() {
    for version in BOTH {
        let mut world = World::served(config(version));
        world.downloads_fail(10);
        let now = world.now;
        let end = world.flow(Flow::UpdateFirmware(signed_update(now)));
        assert_eq!(end, FlowEnd::Failed { status: "DownloadFailed".into() }, "{version}");
        let mut world = World::served(config(version));
        world.transfers.signature = ocpp_core::station::Answer::Failed;
        let now = world.now;
        let end = world.flow(Flow::UpdateFirmware(signed_update(now)));
        assert_eq!(end, FlowEnd::Failed { status: "InvalidSignature".into() }, "{version}");
        assert_eq!(world.transfers.installs, 0);
    }
}

/// N01.FR.01, N01.FR.07; 1.6 edition 2, 5.9; 1.6 security, N01.FR.07
#[test]
fn logs_are_uploaded() {
    for version in BOTH {
        for kind in [Some("SecurityLog"), Some("DiagnosticsLog"), None] {
            let mut world = World::served(config(version));
            let end = world.flow(Flow::GetLog(LogRetrieval::new(kind, "https://csms.example.com/logs")));
            assert_eq!(end, DONE, "{version} {kind:?}");
            assert_eq!(world.transfers.uploaded.len(), 1);
            assert!(world.peer.events.iter().any(|event| matches!(
                event,
                Event::FlowProgress { progress: Progress::File { name }, .. } if name == "diagnostics.log"
            )));
        }
        let mut world = World::served(config(version));
        world.transfers.log = ocpp_core::station::Answer::Failed;
        let end = world.flow(Flow::GetLog(LogRetrieval::new(Some("DiagnosticsLog"), "https://csms.example.com/logs")));
        assert_eq!(end, FlowEnd::Refused { status: "Rejected".into(), reason: None }, "{version}");
    }
}

fn list(range: std::ops::Range<usize>) -> Vec<AuthorizationData> {
    let entry = |number| json!({"idToken": {"idToken": format!("T{number}"), "type": "ISO14443"}, "idTokenInfo": {"status": "Accepted"}});
    range.map(|number| serde_json::from_value(entry(number)).unwrap()).collect()
}

/// D01.FR.11, D01.FR.16, D01.FR.17, D02.FR.01; 1.6 edition 2, 5.10, 5.15
#[test]
fn a_station_has_the_local_list_that_it_was_to_have() {
    for version in BOTH {
        let mut config = config(version);
        let (enabled, length) = match version {
            Version::V1_6 => ("LocalAuthListEnabled", "SendLocalListMaxLength"),
            _ => ("LocalAuthListCtrlr.Enabled", "LocalAuthListCtrlr.ItemsPerMessage"),
        };
        config.settings.push((enabled.into(), "true".into()));
        config.settings.push((length.into(), "7".into()));
        let mut world = World::served(config);
        let wanted = |version, range| Flow::SynchroniseLocalList(LocalListSynchronisation::new(version, list(range)));
        let messages = |world: &World<Office>| {
            world.inputs.iter().filter(|(_, input)| matches!(input, ocpp_core::station::Input::Frame(text) if text.contains("\"SendLocalList\""))).count()
        };
        assert_eq!(world.flow(wanted(100, 0..20)), DONE, "{version}");
        assert_eq!(messages(&world), 3);
        assert_eq!(world.flow(wanted(100, 0..20)), FlowEnd::Completed(Completion::Nothing));
        assert_eq!(messages(&world), 3);
        // Two leave, three come.
        assert_eq!(world.flow(wanted(101, 2..23)), DONE, "{version}");
        assert_eq!(messages(&world), 4);
        assert_eq!(world.result(Command::GetLocalListVersion), CallResult::LocalListVersion(101));
        let listed = |world: &mut World<Office>, token: &str| {
            world.cut();
            world.settle();
            world.plug();
            world.tap(token);
            let charging = world.energy_permitted();
            world.network.up = true;
            charging
        };
        assert!(listed(&mut world, "T22"), "{version}: offline, the list decides");
    }
}

/// B07.FR.01, B07.FR.07; 1.6 edition 2, 5.8
#[test]
fn a_report_of_a_station_is_joined() {
    for version in BOTH {
        let mut world = World::served(config(version));
        for base in [ReportBaseEnumType::FullInventory, ReportBaseEnumType::ConfigurationInventory] {
            let outcome = world.command(Command::GetBaseReport { base });
            assert!(matches!(outcome, CallOutcome::Answered(_)), "{version}: {outcome:?}");
        }
        let known = match version {
            Version::V1_6 => world.peer.session.mirrors().configuration().iter().count(),
            _ => world.peer.session.mirrors().device_model().len(),
        };
        assert!(known > 20, "{version}: {known}");
    }
}

/// B11.FR.01, B12.FR.01, F06.FR.04, G03.FR.01, G04.FR.01; 1.6 edition 2, 5.2, 5.14, 5.17
#[test]
fn a_station_is_triggered_taken_out_of_service_and_restarted() {
    for version in BOTH {
        let mut world = World::served(config(version));
        let trigger = Command::TriggerMessage { message: "Heartbeat".into(), place: None };
        world.is_done(trigger);
        assert!(world.peer.events.contains(&Event::Heartbeat), "{version}");

        let availability = |operative| Command::ChangeAvailability { place: None, operative };
        world.is_done(availability(false));
        assert_eq!(world.status(), ConnectorStatus::Unavailable);
        let told = world.peer.events.iter().any(|event| {
            matches!(
                event,
                Event::ConnectorStatus(status) if status.status == "Unavailable"
            )
        });
        assert!(told, "{version}");
        world.is_done(availability(true));
        assert_eq!(world.status(), ConnectorStatus::Available);

        for kind in [ResetKind::Immediate, ResetKind::OnIdle, ResetKind::Hard] {
            let restarts = world.restarts;
            world.peer.events.clear();
            world.is_done(Command::Reset { kind, evse: None });
            world.run(Duration::from_secs(60));
            assert_eq!(world.restarts, restarts + 1, "{version} {kind:?}");
            assert!(world.peer.events.iter().any(|event| matches!(event, Event::Booted(_))), "{version} {kind:?}");
        }
    }
}

/// H01.FR.01, H02.FR.01, H03.FR.01; 1.6 edition 2, 5.4, 5.13
#[test]
fn a_place_is_kept_for_a_token_and_given_up() {
    for version in BOTH {
        let mut config = config(version);
        if version != Version::V1_6 {
            config.settings.push(("ReservationCtrlr.Enabled".into(), "true".into()));
        }
        let mut world = World::served(config);
        let token = csms::Token::new("T1");
        let expires_at = world.now.utc + jiff::SignedDuration::from_hours(6);
        let reservation = Reservation { id: 5, evse: Some(1), connector_type: None, token, group: None, expires_at };
        world.is_done(Command::Reserve(Box::new(reservation.clone())));
        assert_eq!(world.status(), ConnectorStatus::Reserved);
        assert!(world.peer.events.iter().any(|event| matches!(event, Event::Reserved(_))), "{version}");
        let cancel = || Command::CancelReservation { reservation: 5 };
        world.is_done(cancel());
        assert_eq!(world.status(), ConnectorStatus::Available);
        assert!(matches!(world.result(cancel()), CallResult::Refused { .. }), "{version}: there is none");
        // One whose time is over is told of, or at least gone.
        world.result(Command::Reserve(Box::new(reservation)));
        world.run(7 * HOUR);
        assert_eq!(world.status(), ConnectorStatus::Available, "{version}");
    }
}
