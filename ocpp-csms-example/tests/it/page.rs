//! The operator's page.

use serde_json::json;

use crate::harness::{Csms, Folder, boot_payload, soon};

async fn text(csms: &Csms, path: &str) -> String {
    reqwest::get(csms.url(path)).await.unwrap().error_for_status().unwrap().text().await.unwrap()
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
async fn everything_that_the_page_needs_comes_from_the_server() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let response = reqwest::get(csms.url("/")).await.unwrap();
    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'"), "{policy}");
    let page = response.text().await.unwrap();
    let links: Vec<&str> = ["src=\"", "href=\""]
        .iter()
        .flat_map(|start| page.split(start).skip(1))
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert!(links.len() >= 4, "{page}");
    for link in links {
        assert!(link.starts_with('/'), "{link}");
        text(&csms, link).await;
    }
}

#[tokio::test]
async fn the_stream_tells_of_a_station_that_connects() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut stream = reqwest::get(csms.url("/live")).await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut station = csms.station("CS-NEW", "ocpp2.1").await;
    station.call("BootNotification", boot_payload("ocpp2.1")).await;
    let mut seen = String::new();
    while !seen.contains("CS-NEW") || !seen.contains("Maker Model") {
        let chunk = soon("an event of the page", stream.chunk()).await.unwrap().expect("the stream goes on");
        seen.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    assert!(seen.contains("event: overview"));
    // An open stream does not keep the server from ending.
    soon("the end of the server", csms.server.shut_down()).await;
}
