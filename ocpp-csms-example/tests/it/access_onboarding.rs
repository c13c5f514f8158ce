//! A station that nobody entered is taken in, gets its password, and the codes that drivers scan.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::access_pages::{open, submit};
use crate::access_people::{driver, operator};
use crate::harness::{Csms, Folder, RawStation, boot_payload};

async fn status_of_boot(station: &mut RawStation) -> String {
    station.call("BootNotification", boot_payload("ocpp2.0.1")).await["status"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_unknown_station_waits_until_it_is_accepted_with_a_password() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut station = csms.station("NEW", "ocpp2.0.1").await;
    assert_eq!(status_of_boot(&mut station).await, "Pending");
    assert_eq!(csms.get("/api/v1/stations/NEW").await["registration"], "pending");

    let mut ada = operator(&csms, "ada", "operator").await;
    let path = "/stations/NEW/credentials";
    assert!(open(&mut ada, path).await.contains("Accept NEW"));
    let csrf = ada.csrf.clone();
    let (status, _, page) = submit(&mut ada, path, &[("csrf", &csrf)]).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let password = page.split("<pre id=\"password\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert_eq!(password.len(), 20);
    assert!(page.contains(&format!("ws://{}/ocpp/NEW", csms.server.address())), "{page}");

    // A00.FR.002: without the password it is not let in any more.
    station.closed().await;
    let address = csms.server.address();
    assert!(RawStation::connect(address, "NEW", Some("ocpp2.0.1"), None).await.is_err());
    let wrong = Some(("NEW", &b"another password"[..]));
    assert!(RawStation::connect(address, "NEW", Some("ocpp2.0.1"), wrong).await.is_err());
    let right = Some(("NEW", password.as_bytes()));
    let mut station = RawStation::connect(address, "NEW", Some("ocpp2.0.1"), right).await.unwrap();
    assert_eq!(status_of_boot(&mut station).await, "Accepted");

    // The password is nowhere but with who was shown it.
    assert!(!open(&mut ada, path).await.contains(&password));
    let audit = csms.get("/api/v1/audit?action=station.accepted").await;
    assert_eq!((&audit[0]["object"], &audit[0]["actor_name"]), (&json!("NEW"), &json!("ada")));
    assert!(!csms.get("/api/v1/audit").await.to_string().contains(&password));
}

#[tokio::test]
async fn a_station_is_told_its_new_password_over_the_connection_that_it_has() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.put("/api/v1/stations/CS", json!({"password": "the first password"})).await;
    let connect = async |password: &str| {
        let basic = Some(("CS", password.as_bytes()));
        RawStation::connect(csms.server.address(), "CS", Some("ocpp2.0.1"), basic).await
    };
    let mut station = connect("the first password").await.unwrap();
    station.boot("ocpp2.0.1").await;
    let path = "/api/v1/stations/CS/credentials";
    let (status, made) = csms.request(Method::POST, path, Some(json!({"send": true}))).await;
    assert_eq!(status, StatusCode::OK, "{made}");
    assert!(made["operation"].is_string(), "{made}");
    let (id, payload) = station.expect_call("SetVariables").await;
    let sent = &payload["setVariableData"][0];
    assert_eq!((&sent["variable"]["name"], &sent["attributeValue"]), (&json!("BasicAuthPassword"), &made["password"]));
    let result = json!({"attributeStatus": "Accepted", "component": sent["component"], "variable": sent["variable"]});
    station.answer(&id, json!({"setVariableResult": [result]})).await;
    let operation = format!("/api/v1/operations/{}", made["operation"].as_str().unwrap());
    csms.get_until(&operation, |operation| operation["progress"] != json!([]) || operation["state"] != "running").await;
    assert!(connect("a wrong password").await.is_err());
    let mut station = connect(made["password"].as_str().unwrap()).await.unwrap();
    station.boot("ocpp2.0.1").await;
}

#[tokio::test]
async fn who_cannot_be_told_is_named() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS").await;
    let send = Some(json!({"send": true}));
    let (status, problem) = csms.request(Method::POST, "/api/v1/stations/CS/credentials", send.clone()).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("not connected"), "{problem}");
    let (status, _) = csms.request(Method::POST, "/api/v1/stations/NOBODY/credentials", send).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn each_outlet_has_a_code_that_leads_to_its_page() {
    let folder = Folder::new();
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| {
        file.public_url = Some("http://charge.example.org".to_owned());
    })
    .await;
    let mut ada = operator(&csms, "ada", "viewer").await;
    assert!(open(&mut ada, "/qr-codes").await.contains("No station has told of an outlet yet"));
    csms.enter("CS").await;
    let mut station = csms.station("CS", "ocpp2.0.1").await;
    station.boot("ocpp2.0.1").await;
    for evse in [1, 2] {
        let status = json!({"timestamp": "2026-06-01T12:00:00Z", "connectorStatus": "Available", "evseId": evse, "connectorId": 1});
        station.call("StatusNotification", status).await;
    }
    for path in ["/stations/CS/qr-codes", "/qr-codes"] {
        let page = open(&mut ada, path).await;
        for outlet in ["http://charge.example.org/pay/CS/1", "http://charge.example.org/pay/CS/2"] {
            assert!(page.contains(outlet), "{path}: {page}");
        }
        assert!(page.contains("src=\"/stations/CS/qr-codes/2.svg\""), "{page}");
    }
    let images = ["/stations/CS/qr-codes/1.svg", "/stations/CS/qr-codes/2.svg", "/api/v1/stations/CS/evses/2/qr-code"];
    let mut codes = Vec::new();
    for path in images {
        let response = ada.request(Method::GET, path).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "image/svg+xml", "{path}");
        codes.push(response.text().await.unwrap());
    }
    assert!(codes[0].starts_with("<svg ") && codes[0] != codes[1] && codes[1] == codes[2]);
    assert_eq!(ada.status("/stations/CS/qr-codes/0.svg").await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_driver_sees_what_is_the_drivers_and_nothing_else() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let (id, mut ada) = driver(&csms, "ada@example.org", "free").await;
    let (_, mut bob) = driver(&csms, "bob@example.org", "free").await;
    csms.enter("CS").await;
    csms.put("/api/v1/tokens/ADA-CARD-0001", json!({"driver": id})).await;
    let mut station = csms.station("CS", "ocpp1.6").await;
    station.boot("ocpp1.6").await;
    let status = json!({"connectorId": 1, "errorCode": "NoError", "status": "Available"});
    station.call("StatusNotification", status).await;
    let start =
        json!({"connectorId": 1, "idTag": "ada-card-0001", "meterStart": 0, "timestamp": jiff::Timestamp::now()});
    let started = station.call("StartTransaction", start).await;
    let stop =
        json!({"transactionId": started["transactionId"], "meterStop": 12_500, "timestamp": jiff::Timestamp::now()});
    station.call("StopTransaction", stop).await;
    // What somebody else's card charges is not Ada's.
    let start = json!({"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": jiff::Timestamp::now()});
    station.call("StartTransaction", start).await;

    let sessions = ada.send(Method::GET, "/api/v1/driver/sessions", json!(null)).await.1;
    assert_eq!(sessions.as_array().unwrap().len(), 1, "{sessions}");
    assert_eq!((&sessions[0]["station"], &sessions[0]["energy_wh"]), (&json!("CS"), &json!(12_500)));
    let page = open(&mut ada, "/driver").await;
    assert!(page.contains("12.500 kWh") && page.contains("…0001") && !page.contains("ADA-CARD-0001"), "{page}");
    assert_eq!(bob.send(Method::GET, "/api/v1/driver/sessions", json!(null)).await.1, json!([]));
    assert!(!open(&mut bob, "/driver").await.contains("12.500 kWh"));

    // The lost card of another is not Bob's to block.
    let csrf = bob.csrf.clone();
    let block = "/driver/tokens/ADA-CARD-0001/block";
    assert_eq!(submit(&mut bob, block, &[("csrf", &csrf)]).await.0, StatusCode::NOT_FOUND);
    let csrf = ada.csrf.clone();
    let (status, place, _) = submit(&mut ada, block, &[("csrf", &csrf)]).await;
    assert_eq!((status, place.as_str()), (StatusCode::SEE_OTHER, "/driver"));
    assert_eq!(csms.get("/api/v1/tokens/ADA-CARD-0001").await["status"], "blocked");

    // Another's from now on: what it charged before stays with whom it charged for.
    let (carol_id, mut carol) = driver(&csms, "carol@example.org", "free").await;
    csms.put("/api/v1/tokens/ADA-CARD-0001", json!({"driver": carol_id})).await;
    assert_eq!(carol.send(Method::GET, "/api/v1/driver/sessions", json!(null)).await.1, json!([]));

    // The app code charges, and the station is told to start for it.
    let csrf = ada.csrf.clone();
    let app = ada.send(Method::GET, "/api/v1/driver", json!(null)).await.1["tokens"][0]["token"].clone();
    let start =
        async { submit(&mut ada, "/driver/start", &[("csrf", &csrf), ("station", "CS"), ("outlet", "1")]).await };
    let answer = async {
        let (id, payload) = station.expect_call("RemoteStartTransaction").await;
        assert_eq!((&payload["idTag"], &payload["connectorId"]), (&app, &json!(1)));
        station.answer(&id, json!({"status": "Accepted"})).await;
    };
    let ((status, place, _), ()) = tokio::join!(start, answer);
    assert_eq!((status, place.as_str()), (StatusCode::SEE_OTHER, "/driver"));
    let csrf = ada.csrf.clone();
    submit(&mut ada, "/driver/start", &[("csrf", &csrf), ("station", "CS"), ("outlet", "9")]).await;
    assert!(open(&mut ada, "/driver").await.contains("Ada"));
}

#[tokio::test]
async fn a_driver_with_a_balance_sees_it_tops_it_up_and_starts_from_it_only() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let (_, mut ada) = driver(&csms, "ada@example.org", "balance").await;
    csms.enter("CS").await;
    let mut station = csms.station("CS", "ocpp1.6").await;
    station.boot("ocpp1.6").await;
    let status = json!({"connectorId": 1, "errorCode": "NoError", "status": "Available"});
    station.call("StatusNotification", status).await;
    assert!(open(&mut ada, "/driver").await.contains("href=\"/driver/balance\""));
    let csrf = ada.csrf.clone();
    let start = [("csrf", csrf.as_str()), ("station", "CS"), ("outlet", "1")];
    let (_, place, _) = submit(&mut ada, "/driver/start", &start).await;
    assert_eq!(place, "/driver/balance", "an empty balance is topped up first");
    // C17.FR.02: nor does the station start for it.
    let app = ada.send(Method::GET, "/api/v1/driver", json!(null)).await.1["tokens"][0]["token"].clone();
    let answer = station.call("Authorize", json!({"idTag": app})).await;
    assert_ne!(answer["idTagInfo"]["status"], "Accepted", "{answer}");
    let wrong = [("csrf", csrf.as_str()), ("amount", "much"), ("provider", "sandbox")];
    let (status, _, page) = submit(&mut ada, "/driver/balance", &wrong).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("Write an amount"), "{page}");
}

#[tokio::test]
async fn a_driver_may_not_start_where_no_token_of_theirs_charges() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let (id, mut ada) = driver(&csms, "ada@example.org", "free").await;
    csms.enter("CS").await;
    let mut station = csms.station("CS", "ocpp1.6").await;
    station.boot("ocpp1.6").await;
    let status = json!({"connectorId": 1, "errorCode": "NoError", "status": "Available"});
    station.call("StatusNotification", status).await;
    let app = ada.send(Method::GET, "/api/v1/driver", json!(null)).await.1["tokens"][0]["token"].clone();
    let path = format!("/api/v1/tokens/{}", app.as_str().unwrap());
    csms.put(&path, json!({"type": "Central", "driver": id, "stations": []})).await;
    open(&mut ada, "/driver").await;
    let csrf = ada.csrf.clone();
    submit(&mut ada, "/driver/start", &[("csrf", &csrf), ("station", "CS"), ("outlet", "1")]).await;
    let operations = csms.get("/api/v1/operations").await;
    assert!(!operations.to_string().contains("remote_start"), "{operations}");
}
