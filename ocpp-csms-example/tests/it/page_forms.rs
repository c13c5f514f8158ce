//! The forms of pages: what they do, and what they say about what cannot be done.

use reqwest::header::{CONTENT_TYPE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode};
use serde_json::json;

use crate::access_pages::{open, submit};
use crate::access_people::driver;
use crate::harness::{Csms, Folder, TOKEN, soon};

fn client() -> reqwest::Client {
    reqwest::Client::builder().redirect(Policy::none()).build().unwrap()
}

/// Sends a form, as an admin.
async fn post(csms: &Csms, path: &str, form: &[(&str, &str)]) -> Response {
    soon(path, client().post(csms.url(path)).bearer_auth(TOKEN).form(form).send()).await.unwrap()
}

async fn page(csms: &Csms, path: &str) -> String {
    let answer = soon(path, client().get(csms.url(path)).bearer_auth(TOKEN).send()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.text().await.unwrap()
}

/// It went well where it leads to this page with a good message.
fn assert_done(answer: &Response, place: &str) {
    let cookie = answer.headers().get(SET_COOKIE).map_or("", |cookie| cookie.to_str().unwrap());
    assert!(cookie.starts_with("flash=good."), "{cookie}");
    // Ids are written with every dash encoded.
    let leads_to = answer.headers()[LOCATION].to_str().unwrap().replace("%2D", "-");
    assert_eq!((answer.status(), leads_to.as_str()), (StatusCode::SEE_OTHER, place));
}

/// It was refused on the page itself, with this said.
async fn assert_refused(answer: Response, text: &str) {
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let page = answer.text().await.unwrap();
    assert!(page.contains(text), "{text:?} is not in {page}");
}

#[tokio::test]
async fn firmware_is_uploaded_rolled_out_and_removed() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let part = |name: &str, value: &str| {
        format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let upload = async |facts: &[(&str, &str)], content: Option<&[u8]>| {
        let mut body: Vec<u8> = facts.iter().flat_map(|(name, value)| part(name, value).into_bytes()).collect();
        if let Some(content) = content {
            let head = "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"fw.bin\"\r\n\r\n";
            body.extend([head.as_bytes(), content, b"\r\n"].concat());
        }
        body.extend(b"--edge--\r\n");
        let request = client().post(csms.url("/firmware")).bearer_auth(TOKEN);
        let request = request.header(CONTENT_TYPE, "multipart/form-data; boundary=edge").body(body);
        soon("the upload", request.send()).await.unwrap()
    };
    let facts = [("vendor", "ACME"), ("model", "Wall"), ("version", "2.0")];
    let message = |answer: &Response| answer.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    let answer = upload(&facts, None).await;
    assert!(message(&answer).starts_with("flash=bad."), "{answer:?}");
    assert_eq!(answer.headers()["hx-redirect"], "/firmware");
    // More than what forms have by default: images are large.
    let answer = upload(&facts, Some(&vec![7; 3 << 20])).await;
    assert!(message(&answer).starts_with("flash=good."), "{answer:?}");
    let list = page(&csms, "/firmware").await;
    assert!(list.contains("ACME Wall <b>2.0</b>") && list.contains("3145728 B"), "{list}");
    assert!(page(&csms, "/firmware/root").await.contains("BEGIN CERTIFICATE"));
    let id = csms.get("/api/v1/firmware").await[0]["id"].as_str().unwrap().to_owned();
    let plan = [("image", id.as_str()), ("waves", "half"), ("signing", "never")];
    assert_refused(post(&csms, "/firmware/rollouts", &plan).await, "half is no size of a wave").await;
    let plan = [("image", id.as_str()), ("waves", "5%"), ("signing", "never")];
    assert_refused(post(&csms, "/firmware/rollouts", &plan).await, "That cannot be done so").await;
    csms.enter("CS").await;
    let mut station = csms.station("CS", "ocpp1.6").await;
    station.call("BootNotification", json!({"chargePointVendor": "ACME", "chargePointModel": "Wall"})).await;
    let answer = post(&csms, "/firmware/rollouts", &plan).await;
    let place = answer.headers()[LOCATION].to_str().unwrap().to_owned();
    assert!(place.starts_with("/firmware/rollouts/"), "{place}");
    let shown = page(&csms, &place).await;
    assert!(shown.contains("ACME Wall 2.0") && shown.contains("/stations/CS"), "{shown}");
    assert_done(&post(&csms, &place, &[("do", "cancel")]).await, &place);
    assert!(page(&csms, &place).await.contains("called off"));
}

#[tokio::test]
async fn who_is_told_is_added_paused_and_removed_and_the_secret_is_shown_once() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    assert_refused(post(&csms, "/notifications", &[("target", "gopher://x")]).await, "That cannot be done so").await;
    let form = [("target", "https://example.com/hook"), ("kinds", "fault.opened"), ("kinds", "fault.closed")];
    let made = post(&csms, "/notifications", &form).await.text().await.unwrap();
    let secret = made.split("id=\"secret\"").nth(1).unwrap().split("<code>").nth(1).unwrap().split('<').next().unwrap();
    assert!(secret.len() >= 16, "{secret}");
    let list = page(&csms, "/notifications").await;
    assert!(list.contains("https://example.com/hook") && list.contains("fault.opened, fault.closed"), "{list}");
    assert!(!list.contains(secret));
    let id = csms.get("/api/v1/event-subscriptions").await[0]["id"].as_str().unwrap().to_owned();
    let one = format!("/notifications/{id}");
    assert_done(&post(&csms, &one, &[("do", "pause")]).await, "/notifications");
    assert_eq!(csms.get("/api/v1/event-subscriptions").await[0]["active"], false);
    assert!(page(&csms, &one).await.contains("Nothing was told yet"));
    assert_done(&post(&csms, &one, &[("do", "remove")]).await, "/notifications");
    assert_eq!(csms.get("/api/v1/event-subscriptions").await, json!([]));
}

#[tokio::test]
async fn a_site_its_prices_and_a_signal_are_written_by_fields() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS").await;
    let mut site = vec![
        ("id", "depot"),
        ("name", "Depot"),
        ("limit", "40"),
        ("unit", "A"),
        ("phases", "3"),
        ("voltage", "230"),
        ("time_zone", "UTC"),
        ("s0_id", "CS"),
        ("s0_maximum", "32"),
        ("s0_group", "fuse"),
        ("g0_id", "fuse"),
        ("g0_limit", "20"),
        ("g0_unit", "A"),
        ("w0_limit", "11000"),
        ("w0_unit", "W"),
        ("w0_from", "17:00"),
        ("w0_mon", "on"),
        ("price_rule", "none"),
    ];
    assert_refused(post(&csms, "/sites", &site).await, "Row 1 is not complete").await;
    site.push(("w0_until", "20:00"));
    assert_done(&post(&csms, "/sites", &site).await, "/sites/depot");
    let kept = csms.get("/api/v1/sites/depot").await;
    let window = json!({"days": ["mon"], "from": "17:00", "until": "20:00", "limit": {"watts": 11000}});
    assert_eq!(kept["schedule"], json!([window]), "{kept}");
    assert_eq!((&kept["groups"][0]["id"], &kept["stations"][0]["group"]), (&json!("fuse"), &json!("fuse")));
    let prices = |text: &'static str| [("zone", "ES"), ("currency", "EUR"), ("unit", "MWh"), ("prices", text)];
    let holey = "start,price\n2099-01-01T00:00:00Z,80\n2099-01-01T02:00:00Z,90\n2099-01-01T03:00:00Z,90\n";
    assert_refused(post(&csms, "/energy/prices", &prices(holey)).await, "Nothing was imported").await;
    let whole = "start,price\n2099-01-01T00:00:00Z,80\n2099-01-01T01:00:00Z,90\n";
    assert_done(&post(&csms, "/energy/prices", &prices(whole)).await, "/energy?zone=ES");
    let kept = csms.get("/api/v1/prices/ES?from=2099-01-01T00:00:00Z&until=2099-01-02T00:00:00Z").await;
    assert_eq!(kept.as_array().unwrap().len(), 2, "{kept}");
    let signal = |limit: &'static str| {
        [("id", "peak"), ("limit", limit), ("limit_unit", "percent"), ("until", "2099-01-01T00:00"), ("sites", "depot")]
    };
    assert_refused(post(&csms, "/energy/signals", &signal("a half")).await, "aria-invalid").await;
    assert_done(&post(&csms, "/energy/signals", &signal("50")).await, "/energy");
    assert_eq!(csms.get("/api/v1/demand-response/peak").await["limit"], json!({"percent": 50}));
    assert!(page(&csms, "/energy").await.contains("50 %"));
    assert_done(&post(&csms, "/energy/signals/peak/remove", &[]).await, "/energy");
    assert_eq!(csms.get("/api/v1/demand-response").await, json!([]));
}

#[tokio::test]
async fn a_plan_is_made_once_subscribed_to_and_ended() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let (id, _) = driver(&csms, "ada@example.org", "balance").await;
    let plan = |fee: &'static str| {
        [
            ("id", "monthly"),
            ("name", "Monthly"),
            ("fee", fee),
            ("currency", "EUR"),
            ("tax_percent", "21"),
            ("included_kwh", "20"),
            ("discount_percent", "10"),
        ]
    };
    assert_refused(post(&csms, "/plans", &plan("9.999")).await, "aria-invalid").await;
    assert_refused(post(&csms, "/plans", &plan("-1")).await, "aria-invalid").await;
    assert_done(&post(&csms, "/plans", &plan("9.90")).await, "/plans");
    assert_refused(post(&csms, "/plans", &plan("9.90")).await, "a plan is not changed").await;
    let one = format!("/drivers/{id}");
    let subscription = format!("{one}/subscription");
    assert_done(&post(&csms, &subscription, &[("plan", "monthly")]).await, &one);
    assert!(page(&csms, &one).await.contains("Monthly"));
    assert_eq!(csms.get(&format!("/api/v1{subscription}")).await["plan"], "monthly");
    assert_done(&post(&csms, &subscription, &[("do", "cancel")]).await, &one);
    // The fee is in the books, which balance.
    let books = page(&csms, "/ledger").await;
    assert!(books.contains("everything adds up") && books.contains(&format!("driver:{id}")), "{books}");
    assert!(page(&csms, &format!("/ledger/driver%3A{id}")).await.contains("EUR"));
}

#[tokio::test]
async fn a_tariff_holds_where_the_page_says() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS").await;
    csms.put("/api/v1/tariffs/night", json!({"name": "Night", "tariff": {"currency": "EUR", "energy": "0.20"}})).await;
    let at = |evse| csms.server.csms().tariffs().at("CS", Some(evse)).of.tariff;
    let unknown = post(&csms, "/tariffs/night/places", &[("scope", "station"), ("target", "CS-9")]).await;
    assert!(unknown.headers()[SET_COOKIE].to_str().unwrap().starts_with("flash=bad."));
    let place = [("scope", "station"), ("target", "CS"), ("evse", "2")];
    assert_done(&post(&csms, "/tariffs/night/places", &place).await, "/tariffs/night");
    assert_eq!((at(2).as_str(), at(1).as_str()), ("night", "standard"));
    assert!(page(&csms, "/tariffs/night").await.contains("EVSE 2"));
    let place = [place[0], place[1], place[2], ("do", "remove")];
    assert_done(&post(&csms, "/tariffs/night/places", &place).await, "/tariffs/night");
    assert_eq!(at(2), "standard");
}

#[tokio::test]
async fn all_of_a_token_is_changed_by_its_page() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.put("/api/v1/tokens/TAG", json!({})).await;
    let form = [("status", "accepted"), ("payment", "balance")];
    assert_refused(post(&csms, "/tokens/TAG/terms", &form).await, "belongs to a driver").await;
    let form =
        [("status", "blocked"), ("expires_at", "2099-01-01T12:00"), ("group", "FLEET"), ("stations", "CS-1\nCS-2")];
    assert_done(&post(&csms, "/tokens/TAG/terms", &form).await, "/tokens/TAG");
    let kept = csms.get("/api/v1/tokens/TAG").await;
    assert_eq!((&kept["status"], &kept["group"]), (&json!("blocked"), &json!("FLEET")), "{kept}");
    assert_eq!((&kept["expires_at"], &kept["stations"]), (&json!("2099-01-01T12:00:00Z"), &json!(["CS-1", "CS-2"])));
    let shown = page(&csms, "/tokens/TAG").await;
    assert!(shown.contains("2099-01-01T12:00") && shown.contains("CS-1\nCS-2"), "{shown}");
}

/// Who is signed in charges with the account, and may pay as a guest nevertheless.
#[tokio::test]
async fn a_driver_who_scans_a_code_starts_from_the_own_account() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS 1").await;
    let (_, mut ada) = driver(&csms, "ada@example.org", "balance").await;
    let answer = ada.request(reqwest::Method::GET, "/pay/CS%201/2").send().await.unwrap();
    let place = answer.headers()[LOCATION].to_str().unwrap().to_owned();
    assert_eq!(place, "/driver?station=CS%201&outlet=2");
    let portal = open(&mut ada, &place).await;
    assert!(portal.contains("value=\"CS 1\"") && portal.contains("value=\"2\""), "{portal}");
    assert!(portal.contains("/pay/CS%201/2?as_guest=true"), "{portal}");
    assert!(open(&mut ada, "/pay/CS%201/2?as_guest=true").await.contains("name=\"amount\""));
    let csrf = ada.csrf.clone();
    let start = [("csrf", csrf.as_str()), ("station", "CS 1"), ("outlet", "2")];
    let (_, place, _) = submit(&mut ada, "/driver/start", &start).await;
    assert!(place.starts_with("/driver"), "{place}");
    // Nobody who is not signed in is led away.
    assert!(page(&csms, "/pay/CS%201/2").await.contains("name=\"amount\""));
}

/// The whole log is searched, not the latest messages alone.
#[tokio::test]
async fn the_log_of_a_station_is_searched_from_its_beginning() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS").await;
    let mut station = csms.station("CS", "ocpp1.6").await;
    station.boot("ocpp1.6").await;
    for _ in 0..150 {
        station.call("Heartbeat", json!({})).await;
    }
    let found = page(&csms, "/stations/CS/log?search=chargepointvendor").await;
    assert!(found.contains("BootNotification") && !found.contains("Heartbeat</b>"), "{found}");
    let found = page(&csms, "/stations/CS/log?action=BootNotification&direction=sent").await;
    assert!(found.contains("currentTime") && !found.contains("chargePointVendor"), "{found}");
    assert!(page(&csms, "/stations/CS/log").await.contains("rel=\"next\""));
    assert!(
        page(&csms, "/stations/CS/log?from=2099-01-01T00:00&until=2026-01-01T00:00").await.contains("role=\"alert\"")
    );
    let answer = client().get(csms.url("/maintenance/messages?station=CS&search=a%26b")).bearer_auth(TOKEN).send();
    assert_eq!(answer.await.unwrap().headers()[LOCATION], "/stations/CS/log?search=a%26b");
}
