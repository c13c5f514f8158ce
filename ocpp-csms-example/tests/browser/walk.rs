//! A new user, from the first start to a report.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ocpp_core::types::Version;
use ocpp_cp::Simulator;
use ocpp_cp::hardware::EvChange;
use ocpp_csms::Server;
use ocpp_csms::config::ConfigFile;
use rust_decimal::Decimal;

use crate::browser::Browser;

/// A folder that is removed with everything in it.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("ocpp-csms-browser-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn server(folder: &Folder) -> Server {
    let file = ConfigFile {
        listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        database: Some(folder.0.join("csms.sqlite").to_str().unwrap().parse().unwrap()),
        ..ConfigFile::default()
    };
    Server::start(file.check().unwrap(), Some("the-token-of-the-tests")).await.unwrap()
}

async fn station(server: &Server, id: &str, version: Version) -> Simulator {
    let mut config = ocpp_cp::Config::new(format!("ws://{}/ocpp", server.address()).parse().unwrap(), id);
    config.versions = vec![version];
    config.speed = 60;
    let station = Simulator::start(config).unwrap();
    let interval = match version {
        Version::V1_6 => ("MeterValueSampleInterval", "MeterValuesSampledData"),
        _ => ("SampledDataCtrlr.TxUpdatedInterval", "SampledDataCtrlr.TxUpdatedMeasurands"),
    };
    station.set(interval.0, "1").await.unwrap();
    station.set(interval.1, "Energy.Active.Import.Register,Power.Active.Import").await.unwrap();
    station
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_user_gets_from_the_first_start_to_a_report() {
    let folder = Folder::new();
    let server = server(&folder).await;
    let Some(browser) = Browser::open(&format!("http://{}", server.address())).await else { return };

    first_start(&browser, server.new_set_up_link().unwrap()).await;
    browser.reads("First steps", false).await;
    let plug = accept_a_station(&browser, &server).await;
    add_a_tariff(&browser).await;
    register_a_driver(&browser).await;
    charge(&browser, &plug).await;
    top_up(&browser).await;
    scan_and_pay(&browser, &plug).await;
    request_a_log(&browser).await;
    set_a_limit(&browser, &server, &plug).await;
    explore(&browser).await;
    read_a_report(&browser).await;
    see_what_was_done(&browser).await;
    choose_how_it_looks(&browser).await;

    browser.close().await;
    plug.shutdown().await;
    server.shut_down().await;
}

/// The link of the first start lets the admin choose a password; nobody else gets in.
pub async fn first_start(browser: &Browser, link: &str) {
    browser.go("/").await;
    assert_eq!(browser.path().await, "/sign-in");
    let path = link.split_once("/set-up/").unwrap().1;
    browser.go(&format!("/set-up/{path}")).await;
    for field in ["input[name=\"password\"]", "input[name=\"again\"]"] {
        if browser.has(field).await {
            browser.fill(field, "a password of the tests").await;
        }
    }
    browser.click("main button").await;
    browser.go("/").await;
    browser.find("#content").await;
    browser.picture("first-start").await;
}

/// A station that nobody entered waits, and works as soon as it is accepted.
async fn accept_a_station(browser: &Browser, server: &Server) -> Simulator {
    let plug = station(server, "CS-1", Version::V2_0_1).await;
    browser.go("/stations").await;
    browser.reads("CS-1", true).await;
    browser.click("button[name=\"registration\"][value=\"accepted\"]").await;
    browser.reads("CS-1 is accepted.", false).await;
    plug.wait_for(ocpp_cp::state::State::is_accepted).await.unwrap();
    browser.go("/stations/CS-1").await;
    browser.reads("available", true).await;
    plug
}

/// A wrong price is told beside its field, and what was typed stays.
async fn add_a_tariff(browser: &Browser) {
    browser.go("/tariffs/new").await;
    browser.fill("#field-id", "day-and-night").await;
    browser.fill("#field-name", "Day and night").await;
    browser.fill("#field-energy", "much").await;
    browser.click("button[name=\"do\"][value=\"save\"]").await;
    browser.find("#field-energy[aria-invalid=\"true\"]").await;
    browser.fill("#field-energy", "mo-su 08:00-20:00 0.49\nmo-su 20:00-24:00 0.29\nmo-su 00:00-08:00 0.29").await;
    browser.fill("#field-idle", "6").await;
    browser.fill("#field-grace_minutes", "15").await;
    browser.fill("#field-start", "0.35").await;
    browser.fill("#field-tax", "21").await;
    browser.click("button[name=\"do\"][value=\"preview\"]").await;
    browser.find("#preview tfoot").await;
    browser.picture("tariff").await;
    browser.click("button[name=\"do\"][value=\"save\"]").await;
    browser.reads("Day and night is saved", false).await;
    browser.click("button[name=\"do\"][value=\"default\"]").await;
    browser.reads("holds wherever no other does", false).await;
}

async fn register_a_driver(browser: &Browser) {
    browser.go("/drivers").await;
    browser.fill("#field-name", "Amina").await;
    browser.fill("#field-login", "amina@example.org").await;
    browser.choose("#field-payment", "free").await;
    browser.click("section.card form button").await;
    browser.find("#link-made code").await;
    browser.click("table a").await;
    browser.fill("#token", "04A1B2C3").await;
    browser.click("button[name=\"do\"][value=\"token\"]").await;
    browser.reads("04A1B2C3", false).await;
    browser.fill("#token", "04A1B2C4").await;
    browser.click("button[name=\"do\"][value=\"token\"]").await;
    browser.reads("04A1B2C4", false).await;
    browser.go("/tokens").await;
    browser.reads("Amina", false).await;
}

/// The driver taps, the board shows it, and the session has its course and its bill.
async fn charge(browser: &Browser, plug: &Simulator) {
    let car = EvChange { soc: Some(Decimal::from(30)), max_power_w: Some(11_000), ..EvChange::default() };
    plug.ev(1, car).await.unwrap();
    browser.go("/").await;
    plug.plug(1).await.unwrap();
    plug.tap(1, "04A1B2C3").await.unwrap();
    plug.wait_for(|state| state.evse(1).is_some_and(|evse| evse.meter_wh > 300)).await.unwrap();
    // By server-sent events, without loading the page again.
    browser.reads("charging", false).await;
    browser.picture("dashboard").await;
    browser.go("/stations/CS-1").await;
    browser.picture("station").await;
    browser.click("button[value=\"remote_stop\"]").await;
    browser.reads("Stop charging: done", false).await;
    plug.wait_for(|state| state.evse(1).is_some_and(|evse| evse.transaction.is_none())).await.unwrap();
    plug.unplug(1).await.unwrap();
    plug.wait_for(|state| state.outbox == 0).await.unwrap();
    browser.go("/sessions").await;
    browser.click("table a").await;
    browser.find("figure.chart canvas").await;
    browser.reads("Meter last", false).await;
}

/// A balance is filled up, and the books show it.
async fn top_up(browser: &Browser) {
    browser.go("/payments").await;
    browser.fill("#field-amount", "20.001").await;
    browser.click("form[action=\"/payments\"] button").await;
    browser.find("#field-amount[aria-invalid=\"true\"]").await;
    browser.fill("#field-amount", "20").await;
    browser.click("form[action=\"/payments\"] button").await;
    browser.reads("20.00 EUR is on its way", false).await;
    browser.reads("paid", true).await;
    browser.picture("payments").await;
}

/// What a guest does at a station: the page of the QR code, a payment, a session, a receipt.
async fn scan_and_pay(browser: &Browser, plug: &Simulator) {
    plug.plug(1).await.unwrap();
    browser.go("/pay/CS-1/1").await;
    browser.picture("pay").await;
    browser.fill("#field-amount", "5").await;
    browser.click("main form button").await;
    plug.wait_for(|state| state.evse(1).is_some_and(|evse| evse.transaction.is_some())).await.unwrap();
    browser.find("#state[data-stage=\"running\"]").await;
    browser.picture("pay-session").await;
    plug.stop(1).await.unwrap();
    plug.wait_for(|state| state.evse(1).is_some_and(|evse| evse.transaction.is_none())).await.unwrap();
    plug.unplug(1).await.unwrap();
    browser.click("a[href$=\"/receipt\"]").await;
    browser.find("tfoot").await;
    browser.picture("receipt").await;
}

async fn request_a_log(browser: &Browser) {
    browser.go("/maintenance").await;
    browser.fill("#field-station", "CS-1").await;
    browser.click("form.card button").await;
    browser.reads("CS-1 was asked for its log.", false).await;
    browser.reads("uploaded", true).await;
    browser.click("#logs a").await;
    browser.find("#log").await;
    browser.picture("log").await;
    browser.go("/stations/CS-1/log").await;
    browser.reads("BootNotification", false).await;
    browser.picture("ocpp-log").await;
}

/// What a site may draw is said, refused where it makes no sense, and obeyed: the power on the page falls.
async fn set_a_limit(browser: &Browser, server: &Server, plug: &Simulator) {
    let other = station(server, "CS-2", Version::V1_6).await;
    browser.go("/stations").await;
    browser.reads("CS-2", true).await;
    browser.click("button[name=\"registration\"][value=\"accepted\"]").await;
    other.wait_for(ocpp_cp::state::State::is_accepted).await.unwrap();
    browser.go("/sites/new").await;
    browser.fill("#field-id", "depot").await;
    browser.fill("#field-name", "Depot").await;
    browser.fill("#field-limit", "63").await;
    browser.fill("#s0_id", "CS-1").await;
    browser.fill("#s0_maximum", "32").await;
    browser.fill("#s1_id", "CS-2").await;
    browser.click("form[action=\"/sites\"] .actions button").await;
    browser.reads("Row 2 is not complete", false).await;
    browser.fill("#s1_maximum", "32").await;
    browser.click("form[action=\"/sites\"] .actions button").await;
    browser.reads("Depot is saved", false).await;
    for (station, card) in [(plug, "04A1B2C3"), (&other, "04A1B2C4")] {
        let car = EvChange { soc: Some(Decimal::from(10)), max_power_w: Some(11_000), ..EvChange::default() };
        station.ev(1, car).await.unwrap();
        station.plug(1).await.unwrap();
        station.tap(1, card).await.unwrap();
    }
    // Both take what they like.
    browser.number("#used", |power| power > 19.0).await;
    browser.picture("site-before").await;
    browser.fill("#field-limit", "16").await;
    browser.click("form[action=\"/sites\"] .actions button").await;
    browser.reads("Depot is saved", false).await;
    // 16 A on three phases are 11 kW, which both share now.
    browser.number("#used", |power| power > 1.0 && power < 11.5).await;
    browser.picture("site").await;
    for station in [plug, &other] {
        station.stop(1).await.unwrap();
        station.wait_for(|state| state.evse(1).is_some_and(|evse| evse.transaction.is_none())).await.unwrap();
        station.unplug(1).await.unwrap();
    }
    other.shutdown().await;
}

/// A call by the form that its schema makes.
async fn explore(browser: &Browser) {
    browser.go("/explorer?station=CS-1&action=GetLocalListVersion").await;
    browser.click("#call button:not([type=\"button\"])").await;
    browser.reads("versionNumber", false).await;
    browser.go("/explorer?station=CS-1&action=GetVariables").await;
    browser.find("#made fieldset").await;
    browser.click("#call button:not([type=\"button\"])").await;
    browser.reads("breaks the schema", false).await;
    browser.picture("explorer").await;
}

async fn read_a_report(browser: &Browser) {
    browser.go("/reports").await;
    browser.find("figure.chart canvas").await;
    browser.find("#report tbody tr").await;
}

async fn see_what_was_done(browser: &Browser) {
    browser.go("/audit").await;
    for action in ["tariff.changed", "site.changed", "driver.created"] {
        browser.reads(action, false).await;
    }
    browser.go("/settings").await;
    browser.reads("admin", false).await;
}

/// Another language, the dark appearance, and a phone whose pages are no wider than itself.
async fn choose_how_it_looks(browser: &Browser) {
    for path in [
        "/",
        "/stations",
        "/stations/CS-1",
        "/sessions",
        "/tariffs",
        "/tariffs/new",
        "/drivers",
        "/tokens",
        "/sites/depot",
        "/maintenance",
        "/reports",
        "/audit",
        "/settings",
        "/explorer",
    ] {
        browser.size(360, 780).await;
        browser.go(path).await;
        let width = browser.run("return document.documentElement.scrollWidth - window.innerWidth").await;
        assert!(width.as_i64().unwrap() <= 0, "{path} is {width} px too wide for a phone");
    }
    browser.go("/").await;
    browser.size(1280, 860).await;
    browser.go("/").await;
    browser.click("details.person summary").await;
    browser.choose("#theme", "dark").await;
    browser.find("html[data-theme=\"dark\"]").await;
    for (language, word) in
        [("ha", "Tashoshi"), ("rw", "Sitasiyo"), ("pa", "ਸਟੇਸ਼ਨ"), ("eu", "Estazioak"), ("en", "Stations")]
    {
        browser.click("details.person summary").await;
        browser.choose("#language", language).await;
        browser.find(&format!("html[lang=\"{language}\"]")).await;
        browser.reads(word, false).await;
    }
}
