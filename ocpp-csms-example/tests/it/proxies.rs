//! Behind a proxy: what it says counts where it is trusted, and nowhere else.

use ocpp_csms::proxy::ProxyHeader;
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::access_people::{Browser, operator};
use crate::harness::{Csms, Folder, TOKEN, soon};

/// The client of the tests is the proxy.
async fn behind_a_proxy(folder: &Folder, header: ProxyHeader) -> Csms {
    Csms::start_with(&folder.file("csms.sqlite"), |file| {
        file.proxy.trusted = vec!["127.0.0.0/8".to_owned()];
        file.proxy.header = header;
    })
    .await
}

/// Changes something, with these headers; the address in the audit log.
async fn audited(csms: &Csms, headers: &[(&'static str, &str)]) -> Value {
    let mut request = Client::new().put(csms.url("/api/v1/tokens/TAG")).bearer_auth(TOKEN).json(&json!({}));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    assert!(request.send().await.unwrap().status().is_success());
    let known = csms.get("/api/v1/audit?limit=1").await;
    assert!(known[0]["action"].as_str().unwrap().starts_with("token."), "{known}");
    known[0]["address"].clone()
}

async fn sign_in(csms: &Csms, name: &str, password: &str, headers: &[(&'static str, &str)]) -> Response {
    let body = json!({"name": name, "password": password});
    let mut request = Client::new().post(csms.url("/api/v1/session")).json(&body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    soon("an answer", request.send()).await.unwrap()
}

#[tokio::test]
async fn without_a_trusted_proxy_nobody_says_that_they_are_somebody_else() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let spoofed =
        [("x-forwarded-for", "203.0.113.7"), ("x-forwarded-proto", "https"), ("forwarded", "for=203.0.113.7")];
    assert_eq!(audited(&csms, &spoofed).await, "127.0.0.1");
    let browser = Browser::new(&csms);
    let request = browser.request(Method::GET, "/sign-in").header("x-forwarded-proto", "https");
    assert!(request.send().await.unwrap().headers().get("strict-transport-security").is_none());
    operator(&csms, "ada", "viewer").await;
    let answer = sign_in(&csms, "ada", "correct horse battery", &spoofed).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(!cookie.contains("Secure"), "{cookie}");
}

#[tokio::test]
async fn a_trusted_proxy_says_who_is_behind_it_and_they_cannot_say_more() {
    let folder = Folder::new();
    let csms = behind_a_proxy(&folder, ProxyHeader::XForwarded).await;
    assert_eq!(audited(&csms, &[("x-forwarded-for", "203.0.113.7")]).await, "203.0.113.7");
    let with_more = [("x-forwarded-for", "127.0.0.1, 198.51.100.1, 203.0.113.8"), ("forwarded", "for=198.51.100.2")];
    assert_eq!(audited(&csms, &with_more).await, "203.0.113.8");
    assert_eq!(audited(&csms, &[]).await, "127.0.0.1");
}

#[tokio::test]
async fn a_proxy_that_writes_the_standards_header_is_read_by_that_alone() {
    let folder = Folder::new();
    let csms = behind_a_proxy(&folder, ProxyHeader::Forwarded).await;
    let headers = [("x-forwarded-for", "198.51.100.1"), ("forwarded", "for=\"[2001:db8::7]:4711\";proto=https")];
    assert_eq!(audited(&csms, &headers).await, "2001:db8::7");
}

#[tokio::test]
async fn who_guesses_behind_a_proxy_waits_and_nobody_else_behind_it() {
    let folder = Folder::new();
    let csms = behind_a_proxy(&folder, ProxyHeader::XForwarded).await;
    operator(&csms, "ada", "viewer").await;
    let mut last = StatusCode::OK;
    for _ in 0..7 {
        last = sign_in(&csms, "ada", "a wrong password", &[("x-forwarded-for", "203.0.113.7")]).await.status();
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    // Whatever they write in front of what the proxy writes.
    let spoofed = [("x-forwarded-for", "203.0.113.99, 203.0.113.7")];
    let again = sign_in(&csms, "ada", "correct horse battery", &spoofed).await.status();
    assert_eq!(again, StatusCode::TOO_MANY_REQUESTS);
    let other = sign_in(&csms, "ada", "correct horse battery", &[("x-forwarded-for", "203.0.113.8")]).await;
    assert_eq!(other.status(), StatusCode::OK);
}

#[tokio::test]
async fn what_came_to_the_proxy_by_tls_is_answered_so() {
    let folder = Folder::new();
    let csms = behind_a_proxy(&folder, ProxyHeader::XForwarded).await;
    operator(&csms, "ada", "viewer").await;
    let by_tls = [("x-forwarded-for", "203.0.113.7"), ("x-forwarded-proto", "https")];
    let answer = sign_in(&csms, "ada", "correct horse battery", &by_tls).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-") && cookie.contains("; Secure"), "{cookie}");
    assert!(answer.headers().contains_key("strict-transport-security"));
    let plain = sign_in(&csms, "ada", "correct horse battery", &[("x-forwarded-proto", "http")]).await;
    assert!(!plain.headers()["set-cookie"].to_str().unwrap().contains("Secure"));
}

/// A station is given the URL of the proxy to upload to, as it reached it.
#[tokio::test]
async fn a_station_behind_a_proxy_uploads_where_it_connected_to() {
    for (trusted, expected) in [(true, "https://charge.example.org/"), (false, "http://charge.example.org/")] {
        let folder = Folder::new();
        let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| {
            file.proxy.trusted = if trusted { vec!["127.0.0.1".to_owned()] } else { Vec::new() };
        })
        .await;
        csms.enter("CS").await;
        let mut request = format!("ws://{}/ocpp/CS", csms.server.address()).into_client_request().unwrap();
        for (name, value) in [
            ("sec-websocket-protocol", "ocpp2.1"),
            ("host", "charge.example.org"),
            ("x-forwarded-for", "203.0.113.7"),
            ("x-forwarded-proto", "https"),
        ] {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let (socket, _) = soon("the handshake", connect_async(request)).await.unwrap();
        let mut station = crate::harness::RawStation::of(socket);
        station.boot("ocpp2.1").await;
        let body = json!({});
        let (status, log) = csms.request(Method::POST, "/api/v1/stations/CS/logs", Some(body)).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{log}");
        let (_, payload) = station.expect_call("GetLog").await;
        let location = payload["log"]["remoteLocation"].as_str().unwrap();
        assert!(location.starts_with(expected), "{location}");
    }
}
