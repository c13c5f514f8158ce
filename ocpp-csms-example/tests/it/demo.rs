//! The history that the demonstration begins with, and every page with something to show, in every language.

use std::collections::BTreeSet;

use jiff::Timestamp;
use ocpp_csms::demo::make_history;
use reqwest::Method;
use reqwest::header::ACCEPT_LANGUAGE;

use crate::harness::{Csms, Folder, TOKEN, soon};

/// Pages of single things that the history has, or that are shown by a query.
const MORE: [&str; 13] = [
    "/stations/DEPOT-1",
    "/stations/DEPOT-1/configuration",
    "/stations/DEPOT-1/profiles",
    "/stations/DEPOT-1/messages",
    "/stations/DEPOT-1/log",
    "/stations/DEPOT-1/sessions",
    "/stations/DEPOT-1/reservations",
    "/stations/DEPOT-1/security",
    "/tariffs/quick",
    "/invoices/1",
    "/reports?by=station_day",
    "/pay/MARKET-1/1",
    "/explorer?station=MARKET-1&action=GetVariables",
];

#[tokio::test]
async fn the_demonstration_has_a_week_of_history_that_balances() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    assert!(make_history(csms.server.csms()).await.unwrap());
    let report = csms.get("/api/v1/reports/days").await;
    let days = report["lines"].as_array().unwrap();
    let full = days.iter().filter(|day| day["sessions"].as_i64().unwrap() > 5).count();
    assert!(full >= 7, "{full} days with sessions: {report}");
    let total = &report["total"];
    let sessions = total["sessions"].as_i64().unwrap();
    assert!(sessions > 200, "{sessions} sessions");
    for what in ["connected_seconds", "available_seconds", "occupied_seconds", "faulted_seconds", "offline_seconds"] {
        assert!(total[what].as_i64().unwrap() > 3600, "{what}: {total}");
    }
    // Everything is billed once and paid once, nothing is set aside any more, nothing runs.
    let check = csms.get("/api/v1/ledger/check").await;
    assert_eq!(check["balanced"], true, "{check}");
    let store = csms.server.csms().store();
    let ended = store.stopped_transactions(1000).await.unwrap();
    assert_eq!(i64::try_from(ended.len()).unwrap(), sessions);
    assert!(ended.iter().all(|session| session.stopped_at.unwrap() < Timestamp::now()));
    for session in &ended {
        let bill = store.bill(&session.station, &session.id).await.unwrap().unwrap();
        assert_eq!((bill.bill.total, bill.is_final), (session.cost, true), "{session:?}");
    }
    assert!(store.running_transactions(5).await.unwrap().is_empty());
    // What is there is not made again.
    assert!(!make_history(csms.server.csms()).await.unwrap());
    assert_eq!(csms.get("/api/v1/reports/days").await["total"]["sessions"], sessions);
}

/// Words that look like a text that is missing: `area.key`.
fn missing(page: &str) -> BTreeSet<String> {
    let areas = ["frame", "people", "access", "money", "maintenance", "reports", "sites", "pay", "errors", "stations"];
    let is_key = |word: &&str| {
        word.split_once('.').is_some_and(|(area, key)| {
            areas.contains(&area) && !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        })
    };
    let words = page.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '_'));
    words.filter(is_key).map(str::to_owned).collect()
}

#[tokio::test]
async fn every_page_is_shown_in_every_language_with_all_its_texts() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    make_history(csms.server.csms()).await.unwrap();
    let fixed = csms.server.pages().into_iter();
    let fixed = fixed.filter(|(method, path, _)| *method == Method::GET && !path.contains('{'));
    // Streams do not end; the portal is for drivers, and those pages that are for nobody who is signed in lead elsewhere.
    let is_shown = |path: &str| !["/live", "/driver", "/account"].iter().any(|other| path.starts_with(other));
    let session = csms.server.csms().store().stopped_transactions(1).await.unwrap().remove(0);
    let one = format!("/sessions/{}/{}", session.station, session.id);
    let paths: Vec<String> = fixed.map(|(_, path, _)| path.to_owned()).filter(|path| is_shown(path)).collect();
    let paths: Vec<String> = paths.into_iter().chain(MORE.map(str::to_owned)).chain([one]).collect();
    assert!(paths.len() > 35, "{paths:?}");
    let client = reqwest::Client::new();
    for language in ["en", "ha", "rw", "pa", "eu"] {
        for path in &paths {
            let request = client.get(csms.url(path)).bearer_auth(TOKEN).header(ACCEPT_LANGUAGE, language);
            let response = soon(path, request.send()).await.unwrap();
            assert!(!response.status().is_server_error(), "{path} in {language}: {}", response.status());
            let is_page = response.headers()["content-type"].to_str().unwrap().starts_with("text/html");
            let text = response.text().await.unwrap();
            if is_page {
                assert!(text.contains(&format!("<html lang=\"{language}\"")), "{path} in {language}");
                assert_eq!(missing(&text), BTreeSet::new(), "{path} in {language}");
            }
        }
    }
}

/// A page says in the language of who reads it what a service refused.
#[tokio::test]
async fn what_a_service_refuses_is_told_in_the_language_of_the_page() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let client = reqwest::Client::new();
    let post = async |path: &str, language: &str, form: &[(&str, &str)]| {
        let request = client.post(csms.url(path)).bearer_auth(TOKEN).header(ACCEPT_LANGUAGE, language).form(form);
        soon(path, request.send()).await.unwrap().text().await.unwrap()
    };
    let form = [("name", "Ane"), ("login", "nobody"), ("payment", "free")];
    let (english, basque) = (post("/drivers", "en", &form).await, post("/drivers", "eu", &form).await);
    assert!(english.contains("\">Such as ada@example.org"), "{english}");
    assert!(basque.contains("\">Adibidez ada@example.org"), "{basque}");
    let prices = [("zone", "ES"), ("currency", "EUR"), ("unit", "kWh"), ("prices", "start,price\n")];
    let (english, hausa) = (post("/energy/prices", "en", &prices).await, post("/energy/prices", "ha", &prices).await);
    assert!(english.contains("The file has no slots"), "{english}");
    assert!(hausa.contains("ba shi da lokuta"), "{hausa}");
}
