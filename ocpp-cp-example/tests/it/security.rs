//! Security profiles over real sockets: raised one by one, with keys and certificates made on the way, and taken back.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ocpp_core::pki::Certificate;
use ocpp_core::transport::{CertificateAndKey, TlsServer, TlsServerOptions};
use ocpp_core::types::Version;
use ocpp_cp::{Config, Simulator};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};
use serde_json::{Value, json};

use crate::csms::{Csms, Door, Guard, PATIENCE};

const PASSWORD: &str = "a-password-of-20-chars";
/// "OCA_OCTT_aadmin_test" in hexadecimal digits.
const NEW_KEY: &str = "4F43415F4F4354545F6161646D696E5F74657374";

/// The operator's authority.
struct Authority {
    root: String,
    issuer: Issuer<'static, KeyPair>,
}

fn name(parameters: &mut CertificateParams, common_name: &str) {
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::OrganizationName, "Example CPO");
    parameters.distinguished_name.push(DnType::CommonName, common_name);
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::default();
        name(&mut parameters, "Example Root");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let root = parameters.self_signed(&key).unwrap().pem();
        Self { root, issuer: Issuer::new(parameters, key) }
    }

    /// The certificate of a CSMS at the loopback address.
    fn server(&self) -> CertificateAndKey {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        name(&mut parameters, "127.0.0.1");
        CertificateAndKey::new(parameters.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    /// Signs what a station asks for.
    fn sign(&self, csr: &str) -> String {
        let request = CertificateSigningRequestParams::from_pem(csr).unwrap();
        request.signed_by(&self.issuer).unwrap().pem()
    }
}

/// A folder of a test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("ocpp-cp-security-{:032x}", rand::random::<u128>()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind in a temporary folder disturbs nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The header of a password.
fn header(password: &[u8]) -> String {
    format!("Basic {}", STANDARD.encode([b"CP-1:", password].concat()))
}

/// A CSMS in security profile 1, and the station that it serves.
struct Site {
    authority: Authority,
    guard: Guard,
    csms: Csms,
    station: Simulator,
    config: Config,
    folder: Folder,
}

impl Site {
    async fn start() -> Self {
        let authority = Authority::new();
        let mut options = TlsServerOptions::new(authority.server());
        options.client_roots = Some(authority.root.clone());
        let guard = Guard {
            tls: TlsServer::new(options).unwrap(),
            profile: Arc::new(Mutex::new(1)),
            authorization: Arc::new(Mutex::new(header(PASSWORD.as_bytes()))),
        };
        let csms = Csms::guarded(Door::Open(Version::V1_6), Some(guard.clone())).await;
        let folder = Folder::new();
        let mut config = Config::new(csms.url().parse().unwrap(), "CP-1");
        config.versions = vec![Version::V1_6];
        config.password = Some(PASSWORD.to_owned());
        config.state = Some(folder.0.clone());
        config.security.profile = Some(1);
        config.security.cpo_name = Some("Example CPO".to_owned());
        let station = Simulator::start(config.clone()).unwrap();
        let site = Self { authority, guard, csms, station, config, folder };
        site.online(1).await;
        // The waits of the back-off are not what is tested.
        for name in ["RetryBackOffWaitMinimum", "RetryBackOffRandomRange"] {
            site.station.set(format!("OCPPCommCtrlr.{name}"), "0").await.unwrap();
        }
        site
    }

    /// Waits until the station is accepted on its connection of this number.
    async fn online(&self, connections: usize) {
        let heard =
            |seen: &crate::csms::Seen| seen.payloads("BootNotification").len() + seen.payloads("Heartbeat").len();
        self.csms.until("the station speaks", |seen| heard(seen) >= connections).await;
        let accepted = self.station.wait_for(|state| state.is_accepted());
        tokio::time::timeout(PATIENCE, accepted).await.expect("the station is accepted").unwrap();
    }

    async fn call(&self, action: &str, payload: Value) -> Value {
        self.csms.call(action, payload).await[2]["status"].clone()
    }

    async fn change(&self, key: &str, value: &str) -> Value {
        self.call("ChangeConfiguration", json!({"key": key, "value": value})).await
    }

    fn demand(&self, profile: u8) {
        *self.guard.profile.lock().unwrap() = profile;
    }

    /// As the CSMS reads it: behind its answer to the sign of life, which decides what becomes of a change.
    async fn profile(&self) -> Value {
        let answer = self.csms.call("GetConfiguration", json!({"key": ["SecurityProfile"]})).await;
        answer[2]["configurationKey"][0]["value"].clone()
    }

    /// Installs the root and has the station get a certificate.
    async fn equip(&self) {
        let root = json!({"certificateType": "CentralSystemRootCertificate", "certificate": self.authority.root});
        assert_eq!(self.call("InstallCertificate", root).await, "Accepted");
        let wanted = json!({"requestedMessage": "SignChargePointCertificate"});
        assert_eq!(self.call("ExtendedTriggerMessage", wanted).await, "Accepted");
        let seen = self.csms.until("a request", |seen| !seen.payloads("SignCertificate").is_empty()).await;
        let chain = self.authority.sign(seen.payloads("SignCertificate")[0]["csr"].as_str().unwrap());
        let certificate = Certificate::from_pem(&chain).unwrap();
        assert_eq!((certificate.common_name(), certificate.organization()), (Some("CP-1"), Some("Example CPO")));
        let other = Authority::new().sign(seen.payloads("SignCertificate")[0]["csr"].as_str().unwrap());
        assert_eq!(self.call("CertificateSigned", json!({"certificateChain": other})).await, "Rejected");
        assert_eq!(self.call("CertificateSigned", json!({"certificateChain": chain})).await, "Accepted");
    }

    /// How many requests for a connection there were.
    fn attempts(&self) -> usize {
        self.csms.seen().requests.len()
    }
}

/// 1.6 security, A05.FR.03/04/05/06/07, A02.FR.06
#[tokio::test]
async fn a_station_climbs_from_profile_1_to_3_and_stays_there() {
    let site = Site::start().await;
    assert_eq!(site.change("SecurityProfile", "2").await, "Rejected", "no root is installed");
    site.equip().await;
    for profile in [2, 3] {
        site.demand(profile);
        let before = site.csms.seen().payloads("Heartbeat").len();
        assert_eq!(site.change("SecurityProfile", &profile.to_string()).await, "Accepted");
        site.csms.until("a sign of life", |seen| seen.payloads("Heartbeat").len() > before).await;
        let seen = site.csms.seen();
        let (_, authorization) = seen.requests.last().unwrap();
        assert_eq!(authorization.is_some(), profile == 2, "profile 3 sends no password");
        assert_eq!(site.profile().await, json!(profile.to_string()));
    }
    assert_eq!(site.change("SecurityProfile", "1").await, "Rejected");
    // Another process, the same state.
    site.station.shutdown().await;
    let boots = site.csms.seen().payloads("BootNotification").len();
    let again = Simulator::start(site.config.clone()).unwrap();
    site.csms.until("a boot", |seen| seen.payloads("BootNotification").len() > boots).await;
    assert_eq!(again.setting("SecurityProfile").await.unwrap().value.as_deref(), Some("3"));
    let keys = fs::read_dir(site.folder.0.join("keys")).unwrap().count();
    assert_eq!(keys, 1);
    again.shutdown().await;
}

/// 1.6 security, A05.FR.08
#[tokio::test]
async fn a_profile_that_the_csms_refuses_is_taken_back() {
    let site = Site::start().await;
    site.equip().await;
    let before = site.attempts();
    let beats = site.csms.seen().payloads("Heartbeat").len();
    assert_eq!(site.change("SecurityProfile", "3").await, "Accepted");
    site.csms.until("a sign of life", |seen| seen.payloads("Heartbeat").len() > beats).await;
    assert_eq!(site.profile().await, "1");
    assert_eq!(site.attempts() - before, 4, "three times as new, once as old");
}

/// 1.6 security, A00.FR.309/310
#[tokio::test]
async fn a_csms_with_a_certificate_of_another_root_is_not_talked_to() {
    let site = Site::start().await;
    site.equip().await;
    site.guard.tls.reload(TlsServerOptions::new(Authority::new().server())).unwrap();
    site.demand(2);
    let requests = site.attempts();
    assert_eq!(site.change("SecurityProfile", "2").await, "Accepted");
    let failed = |state: &ocpp_cp::State| state.connection_error.as_ref().is_some_and(|error| error.contains("--ca"));
    tokio::time::timeout(PATIENCE, site.station.wait_for(failed)).await.expect("an error").unwrap();
    assert_eq!(site.attempts(), requests, "no password was shown to it");
    let beats = site.csms.seen().payloads("Heartbeat").len();
    site.demand(1);
    site.csms.until("a sign of life", |seen| seen.payloads("Heartbeat").len() > beats).await;
    assert_eq!(site.profile().await, "1");
}

/// 1.6 security, A01.FR.01/02, A00.FR.205
#[tokio::test]
async fn a_new_key_is_used_and_one_that_is_refused_is_forgotten() {
    let site = Site::start().await;
    let beats = || site.csms.seen().payloads("Heartbeat").len();
    let before = beats();
    assert_eq!(site.change("AuthorizationKey", NEW_KEY).await, "Accepted");
    site.csms.until("a sign of life", |seen| seen.payloads("Heartbeat").len() > before).await;
    assert_eq!(site.csms.seen().requests.last().unwrap().1, Some(header(PASSWORD.as_bytes())), "the old one again");
    *site.guard.authorization.lock().unwrap() = header(b"OCA_OCTT_aadmin_test");
    let before = beats();
    assert_eq!(site.change("AuthorizationKey", NEW_KEY).await, "Accepted");
    site.csms.until("a sign of life", |seen| seen.payloads("Heartbeat").len() > before).await;
    assert_eq!(site.csms.seen().requests.last().unwrap().1, Some(header(b"OCA_OCTT_aadmin_test")));
}
