//! The pages by which people come in, and those of drivers, as a browser without scripts uses them.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::access_people::{Browser, driver, operator};
use crate::harness::{Csms, Folder};

const PASSWORD: &str = "correct horse battery";

/// Sends a form as a page has it; where the answer leads, and what it says.
pub async fn submit(browser: &mut Browser<'_>, path: &str, fields: &[(&str, &str)]) -> (StatusCode, String, String) {
    let response = browser.request(Method::POST, path).form(fields).send().await.unwrap();
    browser.keep_cookie(&response);
    let status = response.status();
    let place = response.headers().get("location").map_or_else(String::new, |place| place.to_str().unwrap().to_owned());
    (status, place, response.text().await.unwrap())
}

/// The page, and the token that its forms carry.
pub async fn open(browser: &mut Browser<'_>, path: &str) -> String {
    let response = browser.request(Method::GET, path).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    let page = response.text().await.unwrap();
    if let Some(rest) = page.split("name=\"csrf\" value=\"").nth(1) {
        browser.csrf = rest.split('"').next().unwrap().to_owned();
    }
    page
}

#[tokio::test]
async fn a_new_admin_follows_the_link_chooses_a_password_and_is_in() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let link = csms.server.new_set_up_link().unwrap();
    let path = &link[link.find("/set-up/").unwrap()..];
    let mut admin = Browser::new(&csms);
    let page = open(&mut admin, path).await;
    assert!(page.contains("For the account admin."), "{page}");
    let (status, _, page) = submit(&mut admin, path, &[("password", PASSWORD), ("again", "another one!")]).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("The two passwords differ"), "{page}");
    assert!(!page.contains(PASSWORD), "a password is not written into a page");
    let (status, place, _) = submit(&mut admin, path, &[("password", PASSWORD), ("again", PASSWORD)]).await;
    assert_eq!((status, place.as_str()), (StatusCode::SEE_OTHER, "/"));
    assert_eq!(admin.status("/").await, StatusCode::OK);
    assert_eq!(admin.status(path).await, StatusCode::GONE);
}

#[tokio::test]
async fn who_signs_in_comes_where_they_wanted_to_go() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    operator(&csms, "ada", "viewer").await;
    let mut browser = Browser::new(&csms);
    let response = browser.request(Method::GET, "/account?x=1").send().await.unwrap();
    let place = response.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!((response.status(), place.as_str()), (StatusCode::SEE_OTHER, "/sign-in?then=%2Faccount%3Fx%3D1"));
    let page = open(&mut browser, &place).await;
    assert!(page.contains("name=\"then\" value=\"/account?x=1\""), "{page}");
    let wrong = [("name", "ada"), ("password", "wrong password"), ("then", "/account?x=1")];
    let (status, _, page) = submit(&mut browser, "/sign-in", &wrong).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("The name or the password is wrong") && !page.contains("wrong password\""), "{page}");
    let right = [("name", "ada"), ("password", PASSWORD), ("then", "/account?x=1")];
    let (status, place, _) = submit(&mut browser, "/sign-in", &right).await;
    assert_eq!((status, place.as_str()), (StatusCode::SEE_OTHER, "/account?x=1"));
    let elsewhere = [("name", "ada"), ("password", PASSWORD), ("then", "//evil.example")];
    let (_, place, _) = submit(&mut Browser::new(&csms), "/sign-in", &elsewhere).await;
    assert_eq!(place, "/");
}

#[tokio::test]
async fn a_form_without_the_token_of_the_session_is_refused() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut ada = operator(&csms, "ada", "viewer").await;
    open(&mut ada, "/account").await;
    let csrf = ada.csrf.clone();
    let new = "another password";
    let fields = |csrf| [("csrf", csrf), ("old", PASSWORD), ("password", new), ("again", new)];
    for wrong in ["", "guessed"] {
        let (status, _, text) = submit(&mut ada, "/account", &fields(wrong)).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert!(text.contains("load the page again"), "{text}");
    }
    let (status, place, _) = submit(&mut ada, "/account", &fields(&csrf)).await;
    assert_eq!((status, place.as_str()), (StatusCode::SEE_OTHER, "/account"));
    let (status, place, _) = submit(&mut ada, "/sign-out", &[("csrf", &csrf)]).await;
    assert_eq!((status, place.as_str()), (StatusCode::SEE_OTHER, "/sign-in"));
    assert_eq!(ada.status("/account").await, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn what_people_call_themselves_is_shown_and_not_run() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let name = "<script>alert(1)</script>\" onload=\"x";
    let mut ada = operator(&csms, name, "viewer").await;
    let page = open(&mut ada, "/account").await;
    assert!(!page.contains("<script>alert") && !page.contains("\" onload"), "{page}");
    assert!(page.contains("&#60;script&#62;alert(1)"), "{page}");
    // Nor is it in what was typed wrongly.
    let (_, _, page) = submit(&mut Browser::new(&csms), "/sign-in", &[("name", name), ("password", "x")]).await;
    assert!(!page.contains("<script>alert") && !page.contains("\" onload"), "{page}");
    // Nor does a quotation mark mean anything to the database.
    let name = "x' OR '1'='1";
    let (status, _) = Browser::new(&csms).sign_in(name, PASSWORD, false).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let found = csms.get("/api/v1/drivers?search='%20OR%20''%3D'").await;
    assert_eq!(found, json!([]));
}

#[tokio::test]
async fn a_driver_registers_at_the_portal_and_stays_out_of_the_operators_pages() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut ada = Browser::new(&csms);
    assert!(open(&mut ada, "/driver/register").await.contains("Register"));
    let wrong = [("login", "ada"), ("name", "Ada"), ("password", PASSWORD), ("again", PASSWORD)];
    let (status, _, page) = submit(&mut ada, "/driver/register", &wrong).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("Such as ada@example.org"), "{page}");
    let right = [("login", "+250 788 123 456"), ("name", "Ada"), ("password", PASSWORD), ("again", PASSWORD)];
    let (status, place, _) = submit(&mut ada, "/driver/register", &right).await;
    assert_eq!((status, place.as_str()), (StatusCode::SEE_OTHER, "/driver"));
    let response = ada.request(Method::GET, "/").send().await.unwrap();
    assert_eq!(response.headers()["location"], "/driver");
    // One form for all: the number says that it is a driver, however it is written.
    let mut again = Browser::new(&csms);
    let (_, place, _) = submit(&mut again, "/sign-in", &[("name", "+250788-123456"), ("password", PASSWORD)]).await;
    assert_eq!(place, "/driver");
}

#[tokio::test]
async fn a_disabled_driver_neither_signs_in_nor_charges() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let (id, mut ada) = driver(&csms, "ada@example.org", "free").await;
    csms.enter("CS").await;
    csms.put("/api/v1/tokens/ADA-CARD", json!({"driver": id})).await;
    let mut station = csms.station("CS", "ocpp2.1").await;
    station.boot("ocpp2.1").await;
    let request = json!({"idToken": {"idToken": "ADA-CARD", "type": "ISO14443"}});
    let answer = station.call("Authorize", request.clone()).await;
    assert_eq!(answer["idTokenInfo"]["status"], "Accepted");
    let path = format!("/api/v1/drivers/{id}");
    assert_eq!(csms.request(Method::PATCH, &path, Some(json!({"disabled": true}))).await.0, StatusCode::OK);
    let answer = station.call("Authorize", request).await;
    assert_eq!(answer["idTokenInfo"]["status"], "Blocked");
    assert_eq!(ada.status("/account").await, StatusCode::SEE_OTHER);
    assert_eq!(ada.sign_in("ada@example.org", PASSWORD, true).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_charges_only_at_the_stations_that_it_is_for() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("HERE").await;
    csms.enter("THERE").await;
    let put = csms.put("/api/v1/tokens/CARD", json!({"stations": ["HERE"], "group": "FLEET"})).await;
    assert_eq!((&put["stations"], &put["driver"], &put["payment"]), (&json!(["HERE"]), &json!(null), &json!(null)));
    for (station, subprotocol, expected) in [
        ("HERE", "ocpp2.0.1", "Accepted"),
        ("THERE", "ocpp2.0.1", "NotAtThisLocation"),
        ("HERE", "ocpp1.6", "Accepted"),
        ("THERE", "ocpp1.6", "Blocked"),
    ] {
        let mut connected = csms.station(station, subprotocol).await;
        connected.boot(subprotocol).await;
        let status = if subprotocol == "ocpp1.6" {
            connected.call("Authorize", json!({"idTag": "CARD"})).await["idTagInfo"]["status"].clone()
        } else {
            let request = json!({"idToken": {"idToken": "card", "type": "ISO14443"}});
            connected.call("Authorize", request).await["idTokenInfo"]["status"].clone()
        };
        assert_eq!(status, expected, "{station} {subprotocol}");
    }
    for (wrong, word) in [
        (json!({"driver": "nobody"}), "driver"),
        (json!({"payment": "balance"}), "driver"),
        (json!({"stations": ["a:b"]}), "stations"),
    ] {
        let (status, problem) = csms.request(Method::PUT, "/api/v1/tokens/CARD", Some(wrong)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(problem["detail"].as_str().unwrap().contains(word), "{problem}");
    }
}
