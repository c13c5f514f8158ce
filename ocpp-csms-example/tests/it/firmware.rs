//! Firmware: uploaded, signed, fetched by stations, rolled out in waves.

use ocpp_core::pki::{Certificate, verify_signature};
use ocpp_core::types::Version;
use ocpp_cp::Simulator;
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::harness::{Csms, Folder, RawStation, TOKEN, boot_payload, soon};

const FACTS: &str = "vendor=Maker&model=Model&version=2.0.0&file_name=box-2.0.0.bin";

async fn upload(csms: &Csms, facts: &str, content: &'static [u8]) -> (StatusCode, Value) {
    let request = reqwest::Client::new().post(csms.url(&format!("/api/v1/firmware?{facts}"))).bearer_auth(TOKEN);
    let response = soon("an answer", request.body(content).send()).await.unwrap();
    (response.status(), response.json().await.unwrap())
}

async fn image(csms: &Csms) -> String {
    let (status, image) = upload(csms, FACTS, b"the new firmware").await;
    assert_eq!(status, StatusCode::CREATED, "{image}");
    image["id"].as_str().unwrap().to_owned()
}

async fn booted(csms: &Csms, id: &str, subprotocol: &str) -> RawStation {
    csms.enter(id).await;
    let mut station = csms.station(id, subprotocol).await;
    station.boot(subprotocol).await;
    station
}

async fn post(csms: &Csms, path: &str, body: Value) -> (StatusCode, Value) {
    csms.request(Method::POST, path, Some(body)).await
}

/// A roll-out of a new image; its path.
async fn roll_out(csms: &Csms, mut plan: Value) -> String {
    plan["image"] = image(csms).await.into();
    let (status, rollout) = post(csms, "/api/v1/rollouts", plan).await;
    assert_eq!(status, StatusCode::CREATED, "{rollout}");
    format!("/api/v1/rollouts/{}", rollout["id"].as_str().unwrap())
}

fn state<'a>(rollout: &'a Value, station: &str) -> &'a Value {
    let stations = rollout["stations"].as_array().unwrap();
    &stations.iter().find(|of| of["station"] == station).unwrap()["state"]
}

#[tokio::test]
async fn an_image_is_signed_and_its_url_gives_it_whole_or_in_parts() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut station = booted(&csms, "CS-1", "ocpp2.0.1").await;
    let path = roll_out(&csms, json!({})).await;
    let (id, update) = station.expect_call("UpdateFirmware").await;
    station.answer(&id, json!({"status": "Accepted"})).await;
    // L01.FR.11: whoever has the root can verify it.
    let firmware = &update["firmware"];
    let signer = Certificate::chain_from_pem(firmware["signingCertificate"].as_str().unwrap()).unwrap();
    let signature = firmware["signature"].as_str().unwrap();
    assert_eq!(verify_signature(&signer[0], b"the new firmware", signature), Ok(()));
    let (_, root) = csms.request(Method::GET, "/api/v1/firmware-root", None).await;
    assert!(root.as_str().unwrap().starts_with("-----BEGIN CERTIFICATE"));
    let url = firmware["location"].as_str().unwrap().to_owned();
    assert!(url.starts_with(&csms.url("/firmware-image/")) && url.ends_with("/box-2.0.0.bin"), "{url}");
    let get = |range: Option<&'static str>, etag: Option<String>| {
        let mut request = reqwest::Client::new().get(&url);
        if let Some(range) = range {
            request = request.header(header::RANGE, range);
        }
        if let Some(etag) = etag {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        request.send()
    };
    let whole = get(None, None).await.unwrap();
    assert_eq!((whole.status(), &whole.headers()[header::ACCEPT_RANGES]), (StatusCode::OK, &"bytes".parse().unwrap()));
    let etag = whole.headers()[header::ETAG].to_str().unwrap().to_owned();
    assert_eq!(whole.bytes().await.unwrap(), &b"the new firmware"[..]);
    let part = get(Some("bytes=8-"), None).await.unwrap();
    assert_eq!(part.headers()[header::CONTENT_RANGE], "bytes 8-15/16");
    assert_eq!((part.status(), part.text().await.unwrap()), (StatusCode::PARTIAL_CONTENT, "firmware".to_owned()));
    assert_eq!(get(Some("bytes=16-"), None).await.unwrap().status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(get(None, Some(etag)).await.unwrap().status(), StatusCode::NOT_MODIFIED);
    let other = url.replace("/box", "0/box");
    assert_eq!(reqwest::get(other).await.unwrap().status(), StatusCode::NOT_FOUND);
    let request_id = update["requestId"].clone();
    for status in ["Downloading", "Downloaded", "Installing", "Installed"] {
        let notification = json!({"status": status, "requestId": request_id});
        station.call("FirmwareStatusNotification", notification).await;
    }
    let rollout = csms.get_until(&path, |rollout| rollout["state"] == "finished").await;
    assert_eq!(state(&rollout, "CS-1"), "installed");
}

#[tokio::test]
async fn waves_come_one_after_the_other_and_who_is_offline_waits() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut first = booted(&csms, "CS-1", "ocpp1.6").await;
    let mut second = booted(&csms, "CS-2", "ocpp1.6").await;
    drop(booted(&csms, "CS-3", "ocpp1.6").await);
    csms.get_until("/api/v1/stations/CS-3", |station| station["connected"] == false).await;
    let path = roll_out(&csms, json!({"waves": ["1"]})).await;
    // 1.6 edition 2, 5.19: without a signature.
    let (id, update) = first.expect_call("UpdateFirmware").await;
    first.answer(&id, json!({})).await;
    assert!(update["location"].as_str().unwrap().ends_with("/box-2.0.0.bin"));
    first.call("FirmwareStatusNotification", json!({"status": "Downloading"})).await;
    let rollout = csms.get_until(&path, |rollout| *state(rollout, "CS-1") == "downloading").await;
    assert_eq!(
        (&rollout["wave"], &rollout["waves"], state(&rollout, "CS-2")),
        (&json!(1), &json!(2), &json!("waiting"))
    );
    first.call("FirmwareStatusNotification", json!({"status": "Installed"})).await;
    let (id, _) = second.expect_call("UpdateFirmware").await;
    second.answer(&id, json!({})).await;
    // It comes back with the new version, and says nothing else.
    let mut boot = boot_payload("ocpp1.6");
    boot["firmwareVersion"] = "2.0.0".into();
    second.call("BootNotification", boot).await;
    let rollout = csms.get_until(&path, |rollout| *state(rollout, "CS-2") == "installed").await;
    assert_eq!((&rollout["state"], state(&rollout, "CS-3")), (&json!("running"), &json!("waiting")));
    let mut third = csms.station("CS-3", "ocpp1.6").await;
    third.boot("ocpp1.6").await;
    let (id, _) = third.expect_call("UpdateFirmware").await;
    third.answer(&id, json!({})).await;
    third.call("FirmwareStatusNotification", json!({"status": "Installed"})).await;
    csms.get_until(&path, |rollout| rollout["state"] == "finished").await;
}

#[tokio::test]
async fn a_roll_out_stops_when_too_many_fail_and_goes_on_when_told() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut first = booted(&csms, "CS-1", "ocpp1.6").await;
    let _second = booted(&csms, "CS-2", "ocpp1.6").await;
    let path = roll_out(&csms, json!({"waves": ["1"], "max_failures": 0})).await;
    let (id, _) = first.expect_call("UpdateFirmware").await;
    first.answer(&id, json!({})).await;
    first.call("FirmwareStatusNotification", json!({"status": "DownloadFailed"})).await;
    let rollout = csms.get_until(&path, |rollout| rollout["state"] == "stopped").await;
    assert!(rollout["detail"].as_str().unwrap().contains("1 of the 1"), "{rollout}");
    assert_eq!(state(&rollout, "CS-2"), "waiting");
    assert_eq!(post(&csms, &format!("{path}/pause"), json!({})).await.0, StatusCode::CONFLICT);
    assert_eq!(post(&csms, &format!("{path}/resume"), json!({})).await.0, StatusCode::OK);
    let (id, _) = first.expect_call("UpdateFirmware").await;
    first.answer(&id, json!({})).await;
    assert_eq!(post(&csms, &format!("{path}/pause"), json!({})).await.0, StatusCode::OK);
    first.call("FirmwareStatusNotification", json!({"status": "Installed"})).await;
    let rollout = csms.get_until(&path, |rollout| *state(rollout, "CS-1") == "installed").await;
    assert_eq!((&rollout["state"], &rollout["wave"]), (&json!("paused"), &json!(1)));
    assert_eq!(post(&csms, &format!("{path}/stations/CS-2/skip"), json!({})).await.0, StatusCode::NO_CONTENT);
    assert_eq!(post(&csms, &format!("{path}/stations/CS-9/skip"), json!({})).await.0, StatusCode::CONFLICT);
    assert_eq!(post(&csms, &format!("{path}/resume"), json!({})).await.0, StatusCode::OK);
    let rollout = csms.get_until(&path, |rollout| rollout["state"] == "finished").await;
    assert_eq!(state(&rollout, "CS-2"), "skipped");
    assert_eq!(post(&csms, &format!("{path}/cancel"), json!({})).await.0, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_roll_out_survives_a_restart() {
    let folder = Folder::new();
    let database = folder.file("csms.sqlite");
    let csms = Csms::start_with(&database, |_| {}).await;
    let mut station = booted(&csms, "CS-1", "ocpp1.6").await;
    let path = roll_out(&csms, json!({})).await;
    let (_, before) = station.expect_call("UpdateFirmware").await;
    csms.shut_down(&mut station).await;
    drop(station);
    let csms = Csms::start_with(&database, |_| {}).await;
    let mut station = csms.station("CS-1", "ocpp1.6").await;
    station.boot("ocpp1.6").await;
    // It had not answered, so it is told again, by a URL of the server as it is now.
    let (id, again) = station.expect_call("UpdateFirmware").await;
    assert_ne!(before["location"], again["location"], "another port");
    let content = reqwest::get(again["location"].as_str().unwrap()).await.unwrap().bytes().await.unwrap();
    assert_eq!(content, &b"the new firmware"[..]);
    station.answer(&id, json!({})).await;
    station.call("FirmwareStatusNotification", json!({"status": "Installed"})).await;
    csms.get_until(&path, |rollout| rollout["state"] == "finished").await;
}

#[tokio::test]
async fn what_cannot_be_rolled_out_is_refused_with_a_reason() {
    let folder = Folder::new();
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| file.max_firmware_size = Some(1)).await;
    let (status, problem) = upload(&csms, FACTS, &[0; (1 << 20) + 1]).await;
    assert_eq!(
        (status, problem["detail"].as_str().unwrap().contains("max_firmware_size")),
        (StatusCode::PAYLOAD_TOO_LARGE, true)
    );
    assert_eq!(upload(&csms, FACTS, b"").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(upload(&csms, "vendor=&model=M&version=1", b"x").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(upload(&csms, "vendor=V", b"x").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(csms.get("/api/v1/firmware").await, json!([]));
    let files = std::fs::read_dir(folder.file("csms.files").join("firmware")).map_or(0, Iterator::count);
    assert_eq!(files, 0, "nothing is left of what was refused");
    let image = image(&csms).await;
    drop(booted(&csms, "CS-1", "ocpp1.6").await);
    csms.put("/api/v1/stations/CS-9", json!({})).await;
    for (change, status, word) in [
        (json!({"image": "none"}), 404, "firmware image"),
        (json!({"stations": ["NOBODY"]}), 404, "NOBODY"),
        (json!({"stations": ["CS-9"]}), 400, "Maker Model"),
        (json!({"stations": ["CS-1", "CS-1"]}), 400, "twice"),
        (json!({"stations": []}), 400, "no accepted station"),
        (json!({"waves": ["half"]}), 400, "5%"),
        (json!({"max_failures": 101}), 400, "percentage"),
        (json!({"patience_hours": 9000}), 400, "patience_hours"),
        (json!({"starts_at": "2200-01-01T00:00:00Z"}), 400, "year"),
        (json!({"speed": 1}), 400, "speed"),
    ] {
        let mut plan = json!({"image": image});
        plan.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let (answered, problem) = post(&csms, "/api/v1/rollouts", plan).await;
        assert_eq!(answered.as_u16(), status, "{change}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(word), "{change}: {problem}");
    }
    let signature = json!({"certificate": "none", "signature": "none"});
    let path = format!("/api/v1/firmware/{image}");
    let (status, _) = csms.request(Method::PUT, &format!("{path}/signature"), Some(signature)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, _) =
        post(&csms, "/api/v1/rollouts", json!({"image": image, "starts_at": "2100-01-01T00:00:00Z"})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(csms.request(Method::DELETE, &path, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(csms.request(Method::DELETE, &path, None).await.0, StatusCode::NOT_FOUND);
}

/// The simulated station of 2.1 is given the root, and installs what is signed.
#[tokio::test]
async fn a_station_installs_what_it_can_verify() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS-21").await;
    let url = format!("ws://{}/ocpp", csms.server.address()).parse().unwrap();
    let mut config = ocpp_cp::Config::new(url, "CS-21");
    config.versions = vec![Version::V2_1];
    (config.vendor, config.model) = ("Maker".to_owned(), "Model".to_owned());
    let _simulator = Simulator::start(config).unwrap();
    csms.get_until("/api/v1/stations/CS-21", |station| station["last_booted_at"] != Value::Null).await;
    let (status, problem) = post(&csms, "/api/v1/stations/CS-21/firmware-root", json!({})).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{problem}");
    let path = roll_out(&csms, json!({"signing": "always"})).await;
    let rollout =
        csms.get_until(&path, |rollout| rollout["state"] != "running" && rollout["state"] != "scheduled").await;
    assert_eq!((&rollout["state"], state(&rollout, "CS-21")), (&json!("finished"), &json!("installed")), "{rollout}");
    csms.get_until("/api/v1/stations/CS-21", |station| station["firmware_version"] == "box-2.0.0").await;
}
