//! The pages, as a browser without scripts reads them.

use reqwest::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, COOKIE, ETAG, IF_NONE_MATCH, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode};
use serde_json::json;

use crate::harness::{Csms, Folder, TOKEN, boot_payload, soon};

/// A browser that follows nothing by itself. The API token opens pages too.
async fn open(csms: &Csms, path: &str, headers: &[(reqwest::header::HeaderName, &str)]) -> Response {
    let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let mut request = client.get(csms.url(path)).bearer_auth(TOKEN);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    soon(path, request.send()).await.unwrap()
}

async fn text(csms: &Csms, path: &str) -> String {
    open(csms, path, &[]).await.error_for_status().unwrap().text().await.unwrap()
}

#[tokio::test]
async fn the_page_shows_stations_and_runs_nothing_that_a_station_says() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS").await;
    let mut station = csms.station("CS", "ocpp1.6").await;
    let boot = json!({"chargePointVendor": "<script>", "chargePointModel": "M&M"});
    station.call("BootNotification", boot).await;
    let page = text(&csms, "/").await;
    assert!(page.contains("OCPP 1.6"), "{page}");
    assert!(page.contains("&#60;script&#62; M&#38;M"), "{page}");
}

#[tokio::test]
async fn everything_that_the_page_needs_comes_from_the_server_and_nothing_in_it_is_run() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let response = open(&csms, "/", &[]).await;
    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'self'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    assert_eq!(response.headers()["x-frame-options"], "DENY");
    let page = response.text().await.unwrap();
    assert!(!page.contains("<style") && !page.contains(" style=") && !page.contains(" onclick="), "{page}");
    let links: Vec<&str> = page.split("src=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(links.len() >= 4, "{page}");
    for link in links {
        assert!(link.starts_with("/assets/"), "{link}");
        text(&csms, link).await;
    }
}

#[tokio::test]
async fn a_file_that_is_asked_for_by_its_content_is_kept_for_ever_and_any_other_is_asked_for_again() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let page = text(&csms, "/").await;
    let named = page.split("href=\"").find(|rest| rest.starts_with("/assets/style.css?v=")).unwrap();
    let response = open(&csms, named.split('"').next().unwrap(), &[]).await;
    assert!(response.headers()[CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    let response = open(&csms, "/assets/style.css?v=0", &[]).await;
    assert_eq!(response.headers()[CACHE_CONTROL], "no-cache");
    let tag = response.headers()[ETAG].to_str().unwrap().to_owned();
    let again = open(&csms, "/assets/style.css", &[(IF_NONE_MATCH, &tag)]).await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(open(&csms, "/assets/../Cargo.toml", &[]).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_page_speaks_the_language_of_the_browser_or_the_one_that_was_chosen() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let basque = open(&csms, "/", &[(ACCEPT_LANGUAGE, "eu-ES, en;q=0.5")]).await.text().await.unwrap();
    assert!(basque.contains("<html lang=\"eu\"") && basque.contains("Aginte-panela"), "{basque}");
    let chosen = [(ACCEPT_LANGUAGE, "eu-ES"), (COOKIE, "language=ha; theme=dark")];
    let hausa = open(&csms, "/", &chosen).await.text().await.unwrap();
    assert!(hausa.contains("<html lang=\"ha\" data-theme=\"dark\""), "{hausa}");
}

#[tokio::test]
async fn a_choice_leads_back_to_a_page_of_this_server_only() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    for (back, target) in
        [("/stations?page=2", "/stations?page=2"), ("//evil.example", "/"), ("https://evil.example", "/")]
    {
        let form = [("language", "pa"), ("theme", "neon"), ("back", back)];
        let request = client.post(csms.url("/preferences")).form(&form);
        let response = soon("the choice", request.send()).await.unwrap();
        assert_eq!(response.headers()[LOCATION], target);
        let cookies: Vec<_> =
            response.headers().get_all(SET_COOKIE).iter().map(|value| value.to_str().unwrap()).collect();
        assert_eq!(cookies.len(), 1, "{cookies:?}");
        assert!(cookies[0].starts_with("language=pa;") && cookies[0].contains("HttpOnly"), "{cookies:?}");
    }
}

#[tokio::test]
async fn the_stream_tells_of_a_station_that_connects() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut stream = open(&csms, "/live", &[]).await;
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut station = csms.station("CS-NEW", "ocpp2.1").await;
    station.call("BootNotification", boot_payload("ocpp2.1")).await;
    let mut seen = String::new();
    while !seen.contains("CS-NEW") || !seen.contains("Maker Model") {
        let chunk = soon("an event of the page", stream.chunk()).await.unwrap().expect("the stream goes on");
        seen.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    assert!(seen.contains("event: board"));
    // An open stream does not keep the server from ending.
    soon("the end of the server", csms.server.shut_down()).await;
}
