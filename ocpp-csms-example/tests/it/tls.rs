//! Security profiles 1 to 3 on one port.

use ocpp_core::transport::{
    CertificateAndKey, CertificateFault, Channel, ConnectError, ConnectRequest, Connection, Incoming, TlsClient,
    TlsClientOptions, TlsError, WebSocket, connect,
};
use ocpp_core::types::Version;
use ocpp_csms::config::ConfigFile;
use ocpp_csms::tls::Certificates;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::authority::{Authority, expired, numbered, write};
use crate::harness::{Csms, Folder, soon};

pub const PASSWORD: &str = "correct-horse-battery";

pub type Station = Connection<WebSocket<Channel<TcpStream>>>;

/// A CSMS of the operator `Example CPO` with certificates in files.
async fn start_with(folder: &Folder, authority: &Authority, change: impl FnOnce(&mut ConfigFile)) -> Csms {
    let (chain, key) = write(&folder.file(""), &authority.sign("csms.example.com", |_| {}));
    let roots = folder.file("roots.pem");
    std::fs::write(&roots, authority.pem()).unwrap();
    let list = folder.file("crl.pem");
    std::fs::write(&list, authority.revoking(999)).unwrap();
    Csms::start_with(&folder.file("csms.sqlite"), |file| {
        file.operator = Some("Example CPO".into());
        (file.tls.certificates, file.tls.keys) = (vec![chain], vec![key]);
        file.tls.client_ca = Some(roots);
        file.tls.revocation_lists = vec![list];
        change(file);
    })
    .await
}

pub async fn start(folder: &Folder, authority: &Authority) -> Csms {
    start_with(folder, authority, |_| {}).await
}

/// How a station connects.
#[derive(Clone)]
pub struct Way<'a> {
    csms: &'a Csms,
    id: &'a str,
    roots: String,
    certificate: Option<CertificateAndKey>,
    password: Option<&'a str>,
    is_secure: bool,
    version: Option<Version>,
}

impl<'a> Way<'a> {
    pub fn new(csms: &'a Csms, authority: &Authority, id: &'a str) -> Self {
        Self { csms, id, roots: authority.pem(), certificate: None, password: None, is_secure: true, version: None }
    }

    pub fn password(self, password: &'a str) -> Self {
        Self { password: Some(password), ..self }
    }

    fn certificate(self, certificate: CertificateAndKey) -> Self {
        Self { certificate: Some(certificate), ..self }
    }

    pub fn plain(self) -> Self {
        Self { is_secure: false, ..self }
    }

    pub fn version(self, version: Version) -> Self {
        Self { version: Some(version), ..self }
    }

    pub async fn connect(self) -> Result<Station, ConnectError> {
        let scheme = if self.is_secure { "wss" } else { "ws" };
        let mut request = ConnectRequest::new(format!("{scheme}://{}/ocpp", self.csms.server.address()), self.id);
        request.password = self.password.map(|password| password.as_bytes().to_vec());
        if let Some(version) = self.version {
            request.versions = vec![version];
        }
        let mut options = TlsClientOptions::new(self.roots);
        options.certificate = self.certificate;
        options.server_name = Some("csms.example.com".into());
        request.tls = Some(TlsClient::new(&options).unwrap());
        soon("a connection", connect(&request)).await
    }

    /// The HTTP status with which the connection is refused; 200 if it is not.
    pub async fn status(self) -> u16 {
        match self.connect().await {
            Ok(_) => 200,
            Err(ConnectError::Unauthorized) => 401,
            Err(ConnectError::Forbidden) => 403,
            Err(ConnectError::UnknownStation) => 404,
            Err(ConnectError::Http(status)) => status.as_u16(),
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// The station `CS` with its password, which trusts these roots.
fn trusting<'a>(csms: &'a Csms, roots: &str) -> Way<'a> {
    let roots = roots.to_owned();
    Way { csms, id: "CS", roots, certificate: None, password: Some(PASSWORD), is_secure: true, version: None }
}

/// Waits until the server closes the connection.
async fn closed(station: &mut Station) {
    soon("the end of the connection", async { while !matches!(station.next().await, Incoming::Closed(_)) {} }).await;
}

async fn events(csms: &Csms, station: Option<&str>) -> Vec<Value> {
    let query = station.map(|station| format!("?station={station}")).unwrap_or_default();
    let events = csms.get(&format!("/api/v1/security-events{query}")).await;
    events.as_array().unwrap().clone()
}

// A00.FR.001, A00.FR.002, A00.FR.006, A00.FR.207, A00.FR.306, A00.FR.307, A00.FR.324, A00.FR.409, A00.FR.410;
// 1.6 security, A00.FR.001/002/006/305/306/409/410
#[tokio::test]
async fn one_port_serves_every_profile_and_refuses_lower_ones() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let csms = start(&folder, &authority).await;
    for (id, profile) in [("ONE", 1), ("TWO", 2), ("THREE", 3)] {
        let url = format!("/api/v1/stations/{id}");
        let view = csms.put(&url, json!({"security_profile": profile, "password": PASSWORD})).await;
        assert_eq!(view["security_profile"], profile);
        let way = || Way::new(&csms, &authority, id);
        let own = authority.sign(id, |_| {});
        let ways = [
            way().plain().status().await,
            way().plain().password(PASSWORD).status().await,
            way().status().await,
            way().password("wrong-horse-battery").status().await,
            way().password(PASSWORD).status().await,
            way().certificate(own).status().await,
        ];
        let expected = match profile {
            1 => [401, 200, 401, 401, 200, 200],
            2 => [403, 403, 401, 401, 200, 200],
            _ => [403, 403, 403, 403, 403, 200],
        };
        assert_eq!(ways, expected, "{id}");
    }
    // What is not for stations is served as well, encrypted or not.
    assert_eq!(csms.get("/api/v1/tokens").await, json!([]));
}

// A00.FR.403, A00.FR.404, A00.FR.405, A00.FR.407, A00.FR.408; 1.6 security, A00.FR.323/403/404/405/407/408
#[tokio::test]
async fn a_wrong_certificate_is_refused_and_told_once() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let csms = start(&folder, &authority).await;
    csms.put("/api/v1/stations/CS", json!({"security_profile": 3})).await;
    let way = || Way::new(&csms, &authority, "CS");
    assert_eq!(way().certificate(authority.sign("OTHER", |_| {})).status().await, 403);
    let other_operator = |parameters: &mut rcgen::CertificateParams| {
        parameters.distinguished_name.push(rcgen::DnType::OrganizationName, "Other CPO");
    };
    assert_eq!(way().certificate(authority.sign("CS", other_operator)).status().await, 403);
    let of_station = events(&csms, Some("CS")).await;
    assert_eq!(of_station.len(), 1, "{of_station:?}");
    assert_eq!(
        (&of_station[0]["kind"], &of_station[0]["source"]),
        (&json!("InvalidChargingStationCertificate"), &json!("csms"))
    );

    for _ in 0..3 {
        let refused = way().certificate(authority.sign("CS", expired)).connect().await.map(|_| ()).unwrap_err();
        assert!(
            matches!(refused, ConnectError::Tls(TlsError::OwnCertificate(CertificateFault::Expired))),
            "{refused:?}"
        );
    }
    let stranger = Authority::new().sign("CS", |_| {});
    let refused = way().certificate(stranger).connect().await.map(|_| ()).unwrap_err();
    assert!(
        matches!(refused, ConnectError::Tls(TlsError::OwnCertificate(CertificateFault::UnknownIssuer))),
        "{refused:?}"
    );
    let is_at_the_door = |event: &Value| event["station"].is_null();
    // It is kept after the alert is sent.
    let seen = |events: &Value| events.as_array().unwrap().iter().any(is_at_the_door);
    csms.get_until("/api/v1/security-events", seen).await;
    let at_the_door: Vec<_> = events(&csms, None).await.into_iter().filter(is_at_the_door).collect();
    assert_eq!(at_the_door.len(), 1, "{at_the_door:?}");
    assert!(at_the_door[0]["detail"].as_str().unwrap().contains("\"CS\""), "{at_the_door:?}");
}

// A05.FR.07; 1.6 security, A05.FR.09
#[tokio::test]
async fn a_station_that_changed_over_to_a_higher_profile_does_not_come_back_with_a_lower_one() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let csms = start(&folder, &authority).await;
    csms.put("/api/v1/stations/CS", json!({"password": PASSWORD})).await;
    let way = || Way::new(&csms, &authority, "CS");
    assert_eq!(way().plain().password(PASSWORD).status().await, 200);
    let _second = way().password(PASSWORD).connect().await.unwrap();
    csms.get_until("/api/v1/stations/CS", |view| view["security_profile"] == 2).await;
    assert_eq!(way().plain().password(PASSWORD).status().await, 403);
    let _third = way().certificate(authority.sign("CS", |_| {})).connect().await.unwrap();
    csms.get_until("/api/v1/stations/CS", |view| view["security_profile"] == 3).await;
    assert_eq!(way().password(PASSWORD).status().await, 403);
    // A00.FR.005: back only by the operator's hand, not over OCPP.
    csms.put("/api/v1/stations/CS", json!({"security_profile": 1})).await;
    assert_eq!(way().plain().password(PASSWORD).status().await, 200);
}

// A00.FR.002; 1.6 security, A00.FR.002
#[tokio::test]
async fn a_connected_station_is_disconnected_when_that_with_which_it_came_is_not_enough_any_more() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let csms = start(&folder, &authority).await;
    csms.put("/api/v1/stations/CS", json!({"security_profile": 2, "password": PASSWORD})).await;
    let way = || Way::new(&csms, &authority, "CS");
    let mut station = way().password(PASSWORD).connect().await.unwrap();
    csms.get_until("/api/v1/stations/CS", |view| view["connected"] == true).await;
    csms.put("/api/v1/stations/CS", json!({"security_profile": 1})).await;
    csms.put("/api/v1/stations/CS", json!({"security_profile": 3})).await;
    closed(&mut station).await;

    let mut station = way().certificate(authority.sign("CS", |_| {})).connect().await.unwrap();
    csms.get_until("/api/v1/stations/CS", |view| view["connected"] == true).await;
    // It does not use the password.
    csms.put("/api/v1/stations/CS", json!({"password": "another-horse-battery"})).await;
    assert_eq!(csms.get("/api/v1/stations/CS").await["connected"], true);
    csms.put("/api/v1/stations/CS", json!({"certificate_name": "SN-1"})).await;
    closed(&mut station).await;
}

// A00.FR.405; 1.6 security, A00.FR.405
#[tokio::test]
async fn a_certificate_may_name_the_serial_number_that_the_operator_entered_or_the_station_told_once_it_was_known() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let csms = start(&folder, &authority).await;
    csms.put("/api/v1/stations/CS", json!({"security_profile": 3, "certificate_name": "SN-1"})).await;
    let by_name = |id, name| Way::new(&csms, &authority, id).certificate(authority.sign(name, |_| {}));
    assert_eq!(by_name("CS", "SN-1").status().await, 200);
    assert_eq!(by_name("CS", "SN-2").status().await, 403);

    csms.put("/api/v1/stations/CS-2", json!({"security_profile": 2, "password": PASSWORD})).await;
    assert_eq!(by_name("CS-2", "SN-2").status().await, 403);
    let mut station = Way::new(&csms, &authority, "CS-2").password(PASSWORD).connect().await.unwrap();
    let boot = json!({"reason": "PowerUp", "chargingStation": {"vendorName": "Maker", "model": "Model", "serialNumber": "SN-2"}});
    station.send(json!([2, "1", "BootNotification", boot]).to_string());
    assert!(matches!(soon("an answer", station.next()).await, Incoming::Text(_)));
    csms.get_until("/api/v1/stations/CS-2", |view| view["certificate_name"] == "SN-2").await;
    assert_eq!(by_name("CS-2", "SN-2").status().await, 200);
}

// A00.FR.702, A00.FR.705; 1.6 security, A00.FR.702/704
#[tokio::test]
async fn a_new_revocation_list_and_a_new_certificate_count_without_a_restart() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let csms = start(&folder, &authority).await;
    csms.put("/api/v1/stations/CS", json!({"security_profile": 3})).await;
    let way = |authority| Way::new(&csms, authority, "CS");
    let certificate = authority.sign("CS", numbered(7));
    assert_eq!(way(&authority).certificate(certificate.clone()).status().await, 200);

    std::fs::write(folder.file("crl.pem"), authority.revoking(7)).unwrap();
    csms.server.tls().unwrap().reload().unwrap();
    let refused = way(&authority).certificate(certificate.clone()).connect().await.map(|_| ()).unwrap_err();
    assert!(matches!(refused, ConnectError::Tls(TlsError::OwnCertificate(CertificateFault::Revoked))), "{refused:?}");

    let renewed = Authority::new();
    write(&folder.file(""), &renewed.sign("csms.example.com", |_| {}));
    csms.server.tls().unwrap().reload().unwrap();
    let other = authority.sign("CS", |_| {});
    assert_eq!(way(&renewed).certificate(other.clone()).status().await, 200);

    std::fs::write(folder.file("server.pem"), "nonsense").unwrap();
    assert!(csms.server.tls().unwrap().reload().is_err());
    assert_eq!(way(&renewed).certificate(other).status().await, 200);
}

// A00.FR.307, A00.FR.510, A00.FR.701; 1.6 security, A00.FR.306/510/701
#[tokio::test]
async fn certificates_can_be_made_at_the_first_start() {
    let folder = Folder::new();
    let database = folder.file("csms.sqlite");
    let root = |csms: &Csms| std::fs::read_to_string(csms.server.tls().unwrap().own_root().unwrap()).unwrap();
    let start = || {
        Csms::start_with(&database, |file| {
            file.tls.mode = Some(Certificates::Auto);
            file.tls.names = vec!["csms.example.com".into()];
        })
    };
    let csms = start().await;
    csms.put("/api/v1/stations/CS", json!({"security_profile": 2, "password": PASSWORD})).await;
    let first = root(&csms);
    assert_eq!(trusting(&csms, &first).status().await, 200);
    let shown =
        ocpp_core::pki::Certificate::from_pem(&std::fs::read_to_string(folder.file("csms.tls/server.pem")).unwrap());
    let shown = shown.unwrap();
    assert_eq!(shown.common_name(), Some("csms.example.com"));
    assert!(shown.not_after().duration_since(shown.not_before()).as_hours() < 24);
    csms.server.shut_down().await;

    let csms = start().await;
    assert_eq!(root(&csms), first);
    assert_eq!(trusting(&csms, &first).status().await, 200);
}

// A00.FR.207, A00.FR.324; 1.6 security, A00.FR.323
#[tokio::test]
async fn whoever_guesses_passwords_has_to_wait_and_nobody_else_does() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let csms = start(&folder, &authority).await;
    for id in ["CS", "OTHER"] {
        csms.put(&format!("/api/v1/stations/{id}"), json!({"security_profile": 2, "password": PASSWORD})).await;
    }
    let way = |id| Way::new(&csms, &authority, id);
    let mut refused = Vec::new();
    for number in 0..20 {
        let guess = format!("guess-number-{number:06}");
        refused.push(way("CS").password(&guess).status().await);
    }
    assert_eq!(refused[..5], [401; 5]);
    assert!(refused[5..].contains(&429), "{refused:?}");
    assert_eq!(way("OTHER").password(PASSWORD).status().await, 200);
    let events = events(&csms, Some("CS")).await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["kind"], "FailedToAuthenticateAtCsms");
    assert!(!events[0].to_string().contains("guess-number"), "a password does not get into a log");
}

// 1.6 security, A00.FR.205/304; OCPP-J 1.6, 6.2.2
#[tokio::test]
async fn a_station_of_1_6_may_send_its_key_in_digits_or_in_bytes() {
    use crate::harness::RawStation;
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let digits = "000102030405060708090A0B0C0D0E0FFFFFFFFF";
    csms.put("/api/v1/stations/CS", json!({"password": digits})).await;
    let bytes: Vec<u8> = (0..16).chain([0xFF; 4]).collect();
    for (sent, version, welcome) in [
        (digits.as_bytes(), "ocpp1.6", true),
        (&*bytes, "ocpp1.6", true),
        (digits.as_bytes(), "ocpp2.1", true),
        (&*bytes, "ocpp2.1", false),
    ] {
        let connected = RawStation::connect(csms.server.address(), "CS", Some(version), Some(("CS", sent))).await;
        assert_eq!(connected.is_ok(), welcome, "{version} {sent:?}");
    }
}

#[tokio::test]
async fn a_station_that_nobody_decided_about_proves_who_it_is_by_its_certificate() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let roots = folder.file("roots.pem");
    std::fs::write(&roots, authority.pem()).unwrap();
    let (chain, key) = write(&folder.file(""), &authority.sign("csms.example.com", |_| {}));
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| {
        file.allow_no_security = Some(false);
        (file.tls.certificates, file.tls.keys) = (vec![chain], vec![key]);
        file.tls.client_ca = Some(roots);
    })
    .await;
    let way = || Way::new(&csms, &authority, "NEW");
    assert_eq!(way().status().await, 401);
    assert_eq!(way().certificate(authority.sign("OTHER", |_| {})).status().await, 401);
    assert_eq!(way().certificate(authority.sign("NEW", |_| {})).status().await, 200);
    assert_eq!(csms.get("/api/v1/stations/NEW").await["registration"], "pending");
}

// A00.FR.429, A00.FR.807
#[tokio::test]
async fn a_station_that_is_named_gets_in_by_an_expired_certificate_to_renew_it_and_for_nothing_else() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let named = |file: &mut ConfigFile| file.tls.expired_stations = vec!["OLD".into()];
    let csms = start_with(&folder, &authority, named).await;
    for id in ["OLD", "OTHER"] {
        csms.put(&format!("/api/v1/stations/{id}"), json!({"security_profile": 3, "registration": "accepted"})).await;
    }
    let way = |id: &'static str| Way::new(&csms, &authority, id).certificate(authority.sign(id, expired));
    assert!(way("OTHER").connect().await.is_err());
    let mut station = way("OLD").connect().await.unwrap();
    let boot = json!({"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}});
    station.send(json!([2, "1", "BootNotification", boot]).to_string());
    let mut frames: Vec<Value> = Vec::new();
    while frames.len() < 2 {
        match soon("a frame", station.next()).await {
            Incoming::Text(text) => frames.push(serde_json::from_str(&text).unwrap()),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(frames[0][2]["status"], "Pending");
    assert_eq!(
        (&frames[1][2], &frames[1][3]["requestedMessage"]),
        (&json!("TriggerMessage"), &json!("SignChargingStationCertificate"))
    );
}
