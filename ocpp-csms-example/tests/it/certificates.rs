//! The authority of the installation: it signs what stations ask for, under their own name (A02, A03).

use ocpp_core::pki::{Certificate, PrivateKey, Subject};
use ocpp_core::transport::{
    CertificateAndKey, Channel, ConnectError, ConnectRequest, Connection, Incoming, TlsClient, TlsClientOptions,
    WebSocket, connect,
};
use ocpp_csms::tls::Certificates;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::authority::Authority;
use crate::harness::{Csms, Folder, RawStation, soon};

fn request(key: &PrivateKey, name: &str) -> String {
    key.signing_request(&Subject::new(name, "Any CPO")).unwrap()
}

/// The station asks, and is handed the chain.
async fn signed(station: &mut RawStation, payload: Value) -> String {
    assert_eq!(station.call("SignCertificate", payload).await["status"], "Accepted");
    let (id, payload) = station.expect_call("CertificateSigned").await;
    station.answer(&id, json!({"status": "Accepted"})).await;
    payload["certificateChain"].as_str().unwrap().to_owned()
}

/// A02.FR.04, A03.FR.04, A03.FR.11, A03.FR.12
#[tokio::test]
async fn a_station_that_asks_gets_a_certificate_for_its_own_name_only() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS").await;
    let mut station = csms.station("CS", "ocpp2.1").await;
    station.boot("ocpp2.1").await;
    let key = PrivateKey::generate().unwrap();
    let payload = |name: &str| json!({"csr": request(&key, name), "certificateType": "ChargingStationCertificate", "requestId": 5});
    assert_eq!(station.call("SignCertificate", payload("CS2")).await["status"], "Rejected");
    let chain = Certificate::chain_from_pem(&signed(&mut station, payload("CS")).await).unwrap();
    assert_eq!(chain[0].common_name(), Some("CS"));
    assert!(key.belongs_to(&chain[0]));
    assert!(chain[0].is_signed_by(&chain[1]));
    csms.shut_down(&mut station).await;

    // Restarted, it is the same authority.
    let csms = Csms::start(&folder).await;
    let mut station = csms.station("CS", "ocpp1.6").await;
    let again = signed(&mut station, json!({"csr": request(&key, "CS")})).await;
    assert_eq!(Certificate::chain_from_pem(&again).unwrap()[1], chain[1]);
}

/// A00.FR.509
#[tokio::test]
async fn a_certificate_is_signed_for_the_organisation_of_the_operator_only() {
    let folder = Folder::new();
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| file.operator = Some("Any CPO".into())).await;
    csms.enter("CS").await;
    let mut station = csms.station("CS", "ocpp1.6").await;
    station.boot("ocpp1.6").await;
    let key = PrivateKey::generate().unwrap();
    let other = key.signing_request(&Subject::new("CS", "Another CPO")).unwrap();
    assert_eq!(station.call("SignCertificate", json!({"csr": other})).await["status"], "Rejected");
    signed(&mut station, json!({"csr": request(&key, "CS")})).await;
}

#[tokio::test]
async fn a_certificate_for_iso_15118_or_beside_another_authority_is_not_signed() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS").await;
    let mut station = csms.station("CS", "ocpp2.0.1").await;
    station.boot("ocpp2.0.1").await;
    let csr = request(&PrivateKey::generate().unwrap(), "CS");
    let payload = json!({"csr": csr, "certificateType": "V2GCertificate"});
    assert_eq!(station.call("SignCertificate", payload).await["status"], "Rejected");

    let (folder, authority) = (Folder::new(), Authority::new());
    let roots = folder.file("roots.pem");
    std::fs::write(&roots, authority.pem()).unwrap();
    let (chain, key) = crate::authority::write(&folder.file(""), &authority.sign("csms.example.com", |_| {}));
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| {
        (file.tls.certificates, file.tls.keys) = (vec![chain], vec![key]);
        file.tls.client_ca = Some(roots);
    })
    .await;
    csms.enter("CS").await;
    let mut station = csms.station("CS", "ocpp2.0.1").await;
    station.boot("ocpp2.0.1").await;
    assert_eq!(station.call("SignCertificate", json!({"csr": csr})).await["status"], "Rejected");
}

type Station = Connection<WebSocket<Channel<TcpStream>>>;

async fn by_certificate(csms: &Csms, root: &str, certificate: CertificateAndKey) -> Result<Station, ConnectError> {
    let mut request = ConnectRequest::new(format!("wss://{}/ocpp", csms.server.address()), "CS");
    let mut options = TlsClientOptions::new(root.to_owned());
    options.certificate = Some(certificate);
    options.server_name = Some("csms.example.com".into());
    request.tls = Some(TlsClient::new(&options).unwrap());
    soon("a connection", connect(&request)).await
}

/// A00.FR.407, A02.FR.04, B01.FR.11, B01.FR.12
#[tokio::test]
async fn a_station_gets_in_by_the_certificate_that_was_signed_here() {
    let folder = Folder::new();
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| {
        file.tls.mode = Some(Certificates::Auto);
        file.tls.names = vec!["csms.example.com".into()];
    })
    .await;
    csms.enter("CS").await;
    let mut station = csms.station("CS", "ocpp2.1").await;
    station.boot("ocpp2.1").await;
    let root = std::fs::read_to_string(csms.server.tls().unwrap().own_root().unwrap()).unwrap();
    let key = PrivateKey::generate().unwrap();
    let chain = signed(&mut station, json!({"csr": request(&key, "CS")})).await;
    csms.put("/api/v1/stations/CS", json!({"security_profile": 3})).await;
    station.closed().await;
    let connected = by_certificate(&csms, &root, CertificateAndKey::new(chain, key.to_pem())).await;
    assert!(connected.is_ok(), "{:?}", connected.err());
    // One that its own key did not sign the request for is another station.
    let other = Authority::new().sign("CS", |_| {});
    assert!(by_certificate(&csms, &root, other).await.is_err());

    // A certificate that names the serial number holds the boot to it.
    csms.put("/api/v1/stations/CS", json!({"certificate_name": "SN-1"})).await;
    drop(connected);
    csms.put("/api/v1/stations/CS", json!({"security_profile": 0})).await;
    let mut station = csms.station("CS", "ocpp2.1").await;
    station.boot("ocpp2.1").await;
    let chain = signed(&mut station, json!({"csr": request(&key, "SN-1")})).await;
    csms.put("/api/v1/stations/CS", json!({"security_profile": 3})).await;
    let mut station = by_certificate(&csms, &root, CertificateAndKey::new(chain, key.to_pem())).await.unwrap();
    let boot =
        json!({"reason": "PowerUp", "chargingStation": {"vendorName": "M", "model": "M", "serialNumber": "SN-2"}});
    station.send(json!([2, "1", "BootNotification", boot]).to_string());
    soon("the end of the connection", async { while !matches!(station.next().await, Incoming::Closed(_)) {} }).await;
}
