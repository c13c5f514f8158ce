//! The pages that a QR code opens: what is shown, what is refused, and what comes of a payment.

use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::json;

use crate::harness::{Csms, Folder, RawStation, soon};
use crate::money::{booted, event, sound, tariff, told_to_start};

fn client() -> Client {
    Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

async fn start(folder: &Folder) -> Csms {
    Csms::start_with(&folder.file("csms.sqlite"), |file| file.payments.sandbox = Some(true)).await
}

async fn page(csms: &Csms, path: &str) -> (StatusCode, String) {
    let response = client().get(csms.url(path)).send().await.unwrap();
    (response.status(), response.text().await.unwrap())
}

/// Sends the form; where it leads, or what it says.
async fn pay(csms: &Csms, path: &str, fields: &[(&str, &str)]) -> (StatusCode, String, String) {
    let response = client().post(csms.url(path)).form(fields).send().await.unwrap();
    let status = response.status();
    let place = response.headers().get("location").map_or_else(String::new, |place| place.to_str().unwrap().to_owned());
    (status, place, response.text().await.unwrap())
}

fn by(method: &str) -> [(&str, &str); 3] {
    [("amount", "10"), ("provider", "sandbox"), ("method", method)]
}

async fn until(csms: &Csms, path: &str, stage: &str) -> String {
    let wanted = format!("data-stage=\"{stage}\"");
    let wait = async {
        loop {
            let (status, text) = page(csms, path).await;
            assert_eq!(status, StatusCode::OK);
            if text.contains(&wanted) {
                return text;
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    };
    soon(stage, wait).await
}

async fn with_connectors(csms: &Csms) -> RawStation {
    let mut station = booted(csms, "ocpp2.0.1").await;
    for (evse, status) in [(1, "Available"), (2, "Faulted")] {
        let status =
            json!({"timestamp": "2026-06-01T09:59:00Z", "connectorStatus": status, "evseId": evse, "connectorId": 1});
        station.call("StatusNotification", status).await;
    }
    station
}

#[tokio::test]
async fn a_guest_sees_the_price_pays_charges_and_reads_the_receipt() {
    let folder = Folder::new();
    let csms = start(&folder).await;
    let mut station = with_connectors(&csms).await;
    tariff(&csms, r#"{"currency": "EUR", "energy": 0.4, "start": 0.5, "tax": {"percent": 25, "included": true}}"#)
        .await;
    let (status, form) = page(&csms, "/pay/CS/1").await;
    assert_eq!(status, StatusCode::OK);
    for part in
        ["0.4 EUR for a kWh", "0.5 EUR for each session", "with 25 % tax", "action=\"/pay/CS/1\"", "name=\"csrf\""]
    {
        assert!(form.contains(part), "{part}: {form}");
    }
    // It is told after a while, by nobody: it has to be asked after.
    let (status, place, _) = pay(&csms, "/pay/CS/1", &by("delay")).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(place.starts_with("/pay/session/"), "{place}");
    until(&csms, &place, "unpaid").await;
    let (status, text) = page(&csms, &format!("{place}/receipt")).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{text}");
    let started = told_to_start(&mut station, "Accepted").await;
    until(&csms, &place, "held").await;
    station.call("TransactionEvent", event("Started", 0, 0, 1.0, &started)).await;
    station.call("TransactionEvent", event("Updated", 1, 10, 6.0, &started)).await;
    let running = until(&csms, &format!("{place}/state"), "running").await;
    assert!(running.contains("2.50 EUR") && running.contains("hx-get"), "{running}");
    station.call("TransactionEvent", event("Ended", 2, 20, 11.0, &started)).await;
    let settled = until(&csms, &place, "settled").await;
    assert!(settled.contains("5.50 EUR") && settled.contains(&format!("{place}/receipt")), "{settled}");
    let (status, receipt) = page(&csms, &format!("{place}/receipt")).await;
    assert_eq!(status, StatusCode::OK);
    for part in ["<td class=\"n\">3.60</td>", "<td class=\"n\">0.90</td>", "<b>4.50</b>"] {
        assert!(receipt.contains(part), "{part}: {receipt}");
    }
    sound(&csms).await;
}

#[tokio::test]
async fn a_payment_that_is_declined_says_so_and_can_be_tried_again() {
    let folder = Folder::new();
    let csms = start(&folder).await;
    let _station = with_connectors(&csms).await;
    let (_, place, _) = pay(&csms, "/pay/CS/1", &by("decline")).await;
    let text = until(&csms, &place, "abandoned").await;
    assert!(text.contains("the card was declined") && text.contains("href=\"/pay/CS/1\""), "{text}");
    assert!(text.contains("0.00 EUR"), "{text}");
    let (status, place, _) = pay(&csms, "/pay/CS/1", &by("webhook_never")).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{place}");
}

#[tokio::test]
async fn what_cannot_be_paid_is_refused_in_the_page() {
    let folder = Folder::new();
    let csms = start(&folder).await;
    let station = with_connectors(&csms).await;
    for path in ["/pay/NONE/1", "/pay/CS/0", "/pay/CS/-1"] {
        assert_eq!(page(&csms, path).await.0, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(pay(&csms, path, &by("success")).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(page(&csms, "/pay/CS/x").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(page(&csms, "/pay/session/none").await.0, StatusCode::NOT_FOUND);
    let with = |amount: &'static str, provider: &'static str, method: &'static str| {
        [("amount", amount), ("provider", provider), ("method", method)]
    };
    for (path, fields, words) in [
        ("/pay/CS/1", with("ten", "sandbox", "success"), "Write an amount such as 10"),
        ("/pay/CS/1", with("0.001", "sandbox", "success"), "Write an amount such as 10"),
        ("/pay/CS/1", with("0.5", "sandbox", "success"), "Pay from 1.00 EUR"),
        ("/pay/CS/1", with("99999999999999999999", "sandbox", "success"), "Write an amount such as 10"),
        ("/pay/CS/1", with("10", "bank", "success"), "The payment provider bank is not set up"),
        ("/pay/CS/1", with("10", "sandbox", "gold"), "choose one of"),
        ("/pay/CS/2", with("10", "sandbox", "success"), "out of service"),
        ("/pay/CS/7", with("10", "sandbox", "success"), "There is nothing called 7"),
    ] {
        let (status, _, text) = pay(&csms, path, &fields).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{words}: {text}");
        assert!(text.contains(words), "{words}: {text}");
    }
    drop(station);
    csms.get_until("/api/v1/stations/CS", |station| station["connected"] == false).await;
    let (status, _, text) = pay(&csms, "/pay/CS/1", &by("success")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text.contains("not connected"), "{text}");
    assert!(csms.get("/api/v1/payments").await.as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_page_of_another_site_and_a_form_of_another_session_pay_nothing() {
    let folder = Folder::new();
    let csms = start(&folder).await;
    let _station = with_connectors(&csms).await;
    for (name, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        let request = client().post(csms.url("/pay/CS/1")).header(name, value).form(&by("success"));
        assert_eq!(request.send().await.unwrap().status(), StatusCode::FORBIDDEN, "{name}");
    }
    // Who is signed in shows that the form is theirs.
    let mut ada = crate::access_people::driver(&csms, "ada@example.org", "free").await.1;
    let (status, _, _) = crate::access_pages::submit(&mut ada, "/pay/CS/1", &by("success")).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    crate::access_pages::open(&mut ada, "/pay/CS/1?as_guest=true").await;
    let csrf = ada.csrf.clone();
    let fields = [by("success").as_slice(), &[("csrf", csrf.as_str())]].concat();
    let (status, place, _) = crate::access_pages::submit(&mut ada, "/pay/CS/1", &fields).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{place}");
}

#[tokio::test]
async fn names_of_stations_and_what_is_typed_are_shown_and_not_run() {
    let folder = Folder::new();
    let csms = start(&folder).await;
    let name = "a\"><script>alert(1)<";
    let encoded = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string();
    let (status, _) = csms
        .request(reqwest::Method::PUT, &format!("/api/v1/stations/{encoded}"), Some(json!({"security_profile": 0})))
        .await;
    assert!(status.is_success());
    let path = format!("/pay/{encoded}/1");
    let typed = "'\"><img src=x onerror=alert(1)>' OR '1'='1";
    let (_, form) = page(&csms, &path).await;
    let (status, _, refused) = pay(&csms, &path, &[("amount", typed), ("provider", typed), ("method", typed)]).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    for text in [&form, &refused] {
        assert!(!text.contains("<script>alert") && !text.contains("<img src=x"), "{text}");
        assert!(text.contains("&#60;script&#62;alert(1)"), "{text}");
    }
    let (status, _) = page(&csms, "/pay/session/x'%20OR%20'1'='1").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
