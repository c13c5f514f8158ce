//! What somebody would try who wants more than they may: forged requests, other people's sessions, scripts in names, forged lines in logs.

use ocpp_csms::access::{Needs, Scope};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::access_people::{Browser, driver, operator};
use crate::deliveries::Program;
use crate::harness::{Csms, Folder, RawStation, TOKEN, soon};

fn filled(path: &str) -> String {
    path.split(['{', '}']).enumerate().map(|(index, part)| if index % 2 == 0 { part } else { "1" }).collect()
}

/// A request that changes something needs the token of the session, however it is sent, and comes from a page of ours.
#[tokio::test]
async fn no_page_and_no_operation_acts_on_the_cookie_alone() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let admin = operator(&csms, "eve's victim", "admin").await;
    let (_, ada) = driver(&csms, "ada@example.org", "free").await;
    let mut routes: Vec<(Method, String, bool)> = Vec::new();
    for (method, path, needs) in csms.server.pages() {
        if method != Method::GET && needs != Needs::Nothing {
            routes.push((method, filled(path), needs == Needs::Scope(Scope::Drive)));
        }
    }
    assert!(routes.len() > 20);
    let description = csms.get("/api/openapi.json").await;
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method: Method = method.to_ascii_uppercase().parse().unwrap();
            let scope = operation["security"][0]["bearer"][0].as_str();
            if let Some(scope) = scope.filter(|_| method != Method::GET) {
                routes.push((method, filled(path), scope == "drive"));
            }
        }
    }
    for (method, path, drives) in routes {
        let browser = if drives { &ada } else { &admin };
        let form = [("csrf", "forged")];
        let forged = [
            browser.request(method.clone(), &path).form(&[("a", "b")]),
            browser.request(method.clone(), &path).form(&form),
            browser.request(method.clone(), &path).json(&json!({})),
            browser.request(method.clone(), &path).header("x-csrf-token", "forged").json(&json!({})),
            browser
                .request(method.clone(), &path)
                .header("x-csrf-token", &browser.csrf)
                .header("origin", "https://evil.example"),
            browser
                .request(method.clone(), &path)
                .header("x-csrf-token", &browser.csrf)
                .header("sec-fetch-site", "cross-site"),
        ];
        for (index, request) in forged.into_iter().enumerate() {
            let status = request.send().await.unwrap().status();
            assert_eq!(status, StatusCode::FORBIDDEN, "{index}: {method} {path}");
        }
    }
    // Where nobody has to be signed in, no other site's page acts, either: signing somebody in as somebody else is an attack, too.
    for path in ["/sign-in", "/sign-out", "/driver/register", "/preferences", "/pay/CS/1"] {
        let request = Browser::new(&csms).request(Method::POST, path).header("origin", "https://evil.example");
        assert_eq!(request.form(&[("a", "b")]).send().await.unwrap().status(), StatusCode::FORBIDDEN, "{path}");
    }
}

fn session_cookie(response: &reqwest::Response) -> (String, String) {
    let cookie = response.headers().get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap());
    let pair = cookie.map(|cookie| cookie.split(';').next().unwrap()).find(|pair| pair.contains("session")).unwrap();
    let (name, value) = pair.split_once('=').unwrap();
    (name.to_owned(), value.to_owned())
}

async fn who(csms: &Csms, cookie: &str) -> Value {
    let request = Client::new().get(csms.url("/api/v1/session")).header(COOKIE, cookie);
    serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_session_that_somebody_else_chose_is_none() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    operator(&csms, "ada", "viewer").await;
    let body = json!({"name": "ada", "password": "correct horse battery"});
    let chosen = "ocpp-csms-session=chosen-by-an-attacker-and-known-to-them";
    let signed_in =
        Client::new().post(csms.url("/api/v1/session")).header(COOKIE, chosen).json(&body).send().await.unwrap();
    assert_eq!(signed_in.status(), StatusCode::OK);
    let (_, first) = session_cookie(&signed_in);
    assert!(!chosen.ends_with(&first));
    assert_ne!(who(&csms, chosen).await["name"], "ada");
    let again = Client::new().post(csms.url("/api/v1/session")).json(&body).send().await.unwrap();
    assert_ne!(session_cookie(&again).1, first, "each is another one");
}

/// Where people come by TLS, a cookie that could have been set without is none.
#[tokio::test]
async fn a_cookie_from_outside_of_tls_is_none_where_people_come_by_tls() {
    let folder = Folder::new();
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| {
        file.public_url = Some("https://charge.example.org".to_owned());
    })
    .await;
    let link = csms.server.new_set_up_link().unwrap().rsplit('/').next().unwrap().to_owned();
    let body = json!({"link": link, "password": "correct horse battery"});
    let response = Client::new().post(csms.url("/api/v1/session/set-up")).json(&body).send().await.unwrap();
    let (name, secret) = session_cookie(&response);
    assert_eq!(name, "__Host-ocpp-csms-session");
    assert_eq!(who(&csms, &format!("{name}={secret}")).await["name"], "admin");
    assert_ne!(who(&csms, &format!("ocpp-csms-session={secret}")).await["name"], "admin");
}

#[tokio::test]
async fn nobody_learns_by_signing_in_who_has_an_account() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    operator(&csms, "ada", "viewer").await;
    driver(&csms, "ada@example.org", "free").await;
    let mut answers = Vec::new();
    for name in ["ada", "nobody", "ada@example.org", "nobody@example.org", "+250788123456", "", "' OR 1=1 --"] {
        for driver in [true, false] {
            let body = json!({"name": name, "password": "a wrong password", "driver": driver});
            let response = Client::new().post(csms.url("/api/v1/session")).json(&body).send().await.unwrap();
            answers.push((response.status(), response.text().await.unwrap()));
        }
        let form = [("name", name), ("password", "a wrong password")];
        let page = Browser::new(&csms).request(Method::POST, "/sign-in").form(&form).send().await.unwrap();
        assert_eq!(page.status(), StatusCode::UNPROCESSABLE_ENTITY, "{name}");
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers[0].0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn signing_in_leads_nowhere_else() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    operator(&csms, "ada", "viewer").await;
    for then in [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/%0d%0aX: y",
        "/\t/evil",
    ] {
        let form = [("name", "ada"), ("password", "correct horse battery"), ("then", then)];
        let response = Browser::new(&csms).request(Method::POST, "/sign-in").form(&form).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{then}");
        let place = response.headers()[LOCATION].to_str().unwrap();
        let inside = place == "/" || (place.starts_with("/%") && !place.contains("evil"));
        assert!(inside, "{then}: {place}");
        assert!(response.headers().get("x").is_none());
    }
}

#[tokio::test]
async fn a_driver_sees_and_does_nothing_to_what_is_anothers() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let (ada_id, ada) = driver(&csms, "ada@example.org", "free").await;
    let (_, mut bob) = driver(&csms, "bob@example.org", "free").await;
    csms.put("/api/v1/tokens/ADAS-CARD", json!({"driver": ada_id})).await;
    csms.put("/api/v1/stations/CS", json!({"security_profile": 0})).await;
    let mut station = csms.station("CS", "ocpp1.6").await;
    station.boot("ocpp1.6").await;
    // What the card charged before it was hers is not hers.
    let now = jiff::Timestamp::now().to_string();
    let start = json!({"connectorId": 1, "idTag": "ADAS-CARD", "meterStart": 0, "timestamp": now});
    station.call("StartTransaction", start).await;
    let own: Value = ada.request(Method::GET, "/api/v1/driver/sessions").send().await.unwrap().json().await.unwrap();
    assert_eq!(own.as_array().unwrap().len(), 1, "{own}");
    let others: Value = bob.request(Method::GET, "/api/v1/driver/sessions").send().await.unwrap().json().await.unwrap();
    assert_eq!(others, json!([]));
    let account: Value = bob.request(Method::GET, "/api/v1/driver").send().await.unwrap().json().await.unwrap();
    assert!(!account.to_string().contains("ADAS-CARD"), "{account}");
    let blocked = bob.send(Method::POST, "/api/v1/driver/tokens/ADAS-CARD/block", json!({})).await;
    let unknown = bob.send(Method::POST, "/api/v1/driver/tokens/NOBODYS-CARD/block", json!({})).await;
    assert_eq!((blocked.0, unknown.0), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND));
    // That it is somebody's is not told.
    assert_eq!(blocked.1, unknown.1);
    assert_eq!(csms.get("/api/v1/tokens/ADAS-CARD").await["status"], "accepted");
    // What operators and accountants see, no driver does.
    for path in [
        format!("/api/v1/drivers/{ada_id}"),
        format!("/api/v1/drivers/{ada_id}/balance"),
        format!("/api/v1/drivers/{ada_id}/subscription"),
        "/api/v1/stations/CS/transactions".to_owned(),
        "/api/v1/invoices".to_owned(),
        "/api/v1/tokens".to_owned(),
        format!("/drivers/{ada_id}"),
    ] {
        let status = bob.status(&path).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
    }
    // Nor does whoever knows the name of a session: sessions that guests paid have names that nobody guesses.
    let transaction = own[0]["id"].as_str().unwrap();
    for path in ["", "/state", "/receipt"] {
        let path = format!("/pay/session/{transaction}{path}");
        assert_eq!(Browser::new(&csms).status(&path).await, StatusCode::NOT_FOUND, "{path}");
    }
}

const SCRIPT: &str = "\"><img src=x onerror=alert(1)>";

/// Names that people and stations choose are text on each page, in each answer.
#[tokio::test]
async fn a_name_is_never_a_part_of_a_page() {
    let folder = Folder::new();
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| file.payments.sandbox = Some(true)).await;
    let admin = operator(&csms, SCRIPT, "admin").await;
    let encoded = percent_encoding::utf8_percent_encode(SCRIPT, percent_encoding::NON_ALPHANUMERIC).to_string();
    csms.put(&format!("/api/v1/stations/{encoded}"), json!({"security_profile": 0})).await;
    csms.put("/api/v1/tokens/%22%3E%3Cb%3Ex", json!({})).await;
    csms.put(
        "/api/v1/sites/x",
        json!({"name": SCRIPT, "limit": {"amperes": 32}, "stations": [{"id": SCRIPT, "maximum_a": 16}]}),
    )
    .await;
    csms.put("/api/v1/tariffs/x", json!({"name": SCRIPT, "tariff": {"currency": "EUR", "energy": 1}})).await;
    let body = json!({"login": "mallory@example.org", "name": SCRIPT, "payment": "free"});
    let (status, made) = csms.request(Method::POST, "/api/v1/drivers", Some(body)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let driver = made["id"].as_str().unwrap().to_owned();
    let mut station = csms.station(&encoded, "ocpp1.6").await;
    let boot = json!({"chargePointVendor": "<script>alert(1)", "chargePointModel": "<script>alert(1)"});
    station.call("BootNotification", boot).await;
    let fault = json!({"connectorId": 1, "errorCode": "OtherError", "status": "Faulted", "info": SCRIPT,
        "vendorErrorCode": SCRIPT});
    station.call("StatusNotification", fault).await;
    let start = json!({"connectorId": 1, "idTag": "\"><b>x", "meterStart": 0, "timestamp": "2026-06-01T10:00:00Z"});
    station.call("StartTransaction", start).await;
    let data = json!({"vendorId": SCRIPT, "messageId": SCRIPT, "data": SCRIPT});
    station.call("DataTransfer", data).await;
    let mut seen = 0;
    for (method, path, _) in csms.server.pages() {
        if method != Method::GET || path.contains("assets") {
            continue;
        }
        let path = path
            .replace("{station}", &encoded)
            .replace("/stations/{id}", &format!("/stations/{encoded}"))
            .replace("/drivers/{id}", &format!("/drivers/{driver}"))
            .replace("{id}", "x")
            .replace("{evse}", "1");
        let response = soon(&path, admin.request(Method::GET, &filled(&path)).send()).await.unwrap();
        let kind =
            response.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
        if !kind.starts_with("text/html") {
            continue;
        }
        let page = response.text().await.unwrap();
        for raw in ["<img src=x", "<script>alert", "\"><b>x"] {
            assert!(!page.contains(raw), "{path}: {raw}");
        }
        seen += usize::from(page.contains("&#60;img src=x") || page.contains("&lt;img src=x"));
    }
    assert!(seen > 5, "the names are on {seen} pages");
}

#[tokio::test]
async fn what_is_asked_for_is_never_a_part_of_a_statement() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS").await;
    let injected = "%27%20OR%20%271%27=%271";
    for path in [
        "/api/v1/operations?station=",
        "/api/v1/faults?station=",
        "/api/v1/audit?actor=",
        "/api/v1/security-events?station=",
    ] {
        let (status, answer) = csms.request(Method::GET, &format!("{path}{injected}"), None).await;
        if status == StatusCode::OK {
            assert_eq!(answer.as_array().map(Vec::len), Some(0), "{path}: {answer}");
        } else {
            assert_eq!(status, StatusCode::BAD_REQUEST, "{path}: {answer}");
        }
    }
    for path in ["/api/v1/stations/", "/api/v1/tokens/", "/api/v1/drivers/", "/api/v1/operations/"] {
        let (status, answer) = csms.request(Method::GET, &format!("{path}{injected}"), None).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}: {answer}");
    }
    let (status, _) = csms.request(Method::DELETE, &format!("/api/v1/tokens/{injected}"), None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(csms.get("/api/v1/tokens/TAG").await["status"], "accepted");
}

/// Everything that has a secret is done while everything is logged; the secrets are not in the log, and no line of it is anybody's but
/// the program's.
#[tokio::test]
async fn whatever_is_logged_no_secret_is_and_nobody_writes_lines() {
    let folder = Folder::new();
    let configuration = folder.file("csms.toml");
    std::fs::write(&configuration, "inventory = false\n[notifications]\nprivate_addresses = true\n").unwrap();
    let log = folder.file("log.txt");
    let (program, link) = Program::start_logging(&folder, &configuration, &log);
    let (old, new) = ("the-old-password", "the-new-password");
    let (webhook, people) = ("a-secret-for-webhooks", "correct horse battery");
    let mut secrets: Vec<String> = [TOKEN, old, new, webhook, people].map(str::to_owned).to_vec();
    let secret_of_link = link.rsplit('/').next().unwrap().to_owned();
    let url = |path: &str| format!("http://{}{path}", program.address);
    let body = json!({"link": secret_of_link, "password": people});
    let response = Client::new().post(url("/api/v1/session/set-up")).json(&body).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    secrets.push(secret_of_link);
    let (name, cookie) = session_cookie(&response);
    let csrf = response.json::<Value>().await.unwrap()["csrf"].as_str().unwrap().to_owned();
    secrets.extend([cookie.clone(), csrf.clone()]);
    let form = [("name", "admin"), ("password", people)];
    Client::new().post(url("/sign-in")).form(&form).send().await.unwrap();
    let wrong = json!({"name": "admin", "password": "a-wrong-password-of-somebody"});
    Client::new().post(url("/api/v1/session")).json(&wrong).send().await.unwrap();
    secrets.push("a-wrong-password-of-somebody".to_owned());
    let body = json!({"old": people, "new": "another horse battery"});
    let request = Client::new().post(url("/api/v1/session/password")).header(COOKIE, format!("{name}={cookie}"));
    request.header("x-csrf-token", &csrf).json(&body).send().await.unwrap();
    secrets.push("another horse battery".to_owned());
    let ask = async |method: Method, path: &str, body: Value| {
        let (status, answer) = program.request(method, path, Some(body)).await;
        assert!(status.is_success(), "{path}: {answer}");
        answer
    };
    let token = ask(Method::POST, "/api/v1/api-tokens", json!({"name": "reader", "scopes": ["view"]})).await;
    secrets.push(token["token"].as_str().unwrap().to_owned());
    let target = "http://user-of-nobody.invalid/hook?key=a-key-in-a-url";
    let body = json!({"target": target, "kinds": ["*"], "secret": webhook});
    ask(Method::POST, "/api/v1/event-subscriptions", body).await;
    secrets.push("a-key-in-a-url".to_owned());
    let made =
        ask(Method::POST, "/api/v1/drivers", json!({"login": "ada@example.org", "name": "Ada", "payment": "free"}))
            .await;
    secrets.push(made["set_up_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned());
    ask(Method::PUT, "/api/v1/stations/CS", json!({"password": old, "registration": "accepted"})).await;
    let connect = async |password: &str| {
        RawStation::connect(program.address, "CS", Some("ocpp2.1"), Some(("CS", password.as_bytes()))).await
    };
    assert!(connect("a-wrong-one-of-the-station").await.is_err());
    secrets.push("a-wrong-one-of-the-station".to_owned());
    let mut station = connect(old).await.unwrap();
    let forged = "Maker\n2026-06-01T10:00:00Z  INFO forged";
    let boot = json!({"reason": "PowerUp", "chargingStation": {"vendorName": forged, "model": "M\r\nforged"}});
    station.call("BootNotification", boot).await;
    let asked = ask(Method::POST, "/api/v1/stations/CS/logs", json!({})).await;
    let (id, payload) = station.expect_call("GetLog").await;
    let location = payload["log"]["remoteLocation"].as_str().unwrap().to_owned();
    station.answer(&id, json!({"status": "Accepted", "filename": "log.txt"})).await;
    assert!(asked["id"].is_string());
    let secret_of_upload = location.rsplit('/').find(|part| part.len() == 64).unwrap_or_else(|| panic!("{location}"));
    secrets.push(secret_of_upload.to_owned());
    Client::new().put(&location).body("a log").send().await.unwrap();
    ask(Method::POST, "/api/v1/stations/CS/administration", json!({"operation": "change_password", "password": new}))
        .await;
    let (id, _) = station.expect_call("SetVariables").await;
    let answer = json!({"setVariableResult": [{"attributeStatus": "Accepted", "component": {"name": "SecurityCtrlr"},
        "variable": {"name": "BasicAuthPassword"}}]});
    station.answer(&id, answer).await;
    // Who is none, with a name that would be lines.
    let stranger = "CS%0A2026-06-01T10:00:00Z%20%20INFO%20forged";
    let _ = RawStation::connect(program.address, stranger, Some("ocpp2.1"), None).await;
    let connected = soon("the new password", async {
        loop {
            if let Ok(station) = connect(new).await {
                return station;
            }
        }
    });
    drop(connected.await);
    for password in [old, new] {
        use base64::Engine as _;
        secrets.push(base64::engine::general_purpose::STANDARD.encode(format!("CS:{password}")));
    }
    program.kill();
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("booted: Maker"), "{log}");
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(&secret));
        assert!(line.is_none(), "{secret}: {}", line.unwrap_or_default());
    }
    let forged = log.lines().find(|line| line.contains("forged") && !line.contains("\\n") && !line.contains("\\r"));
    assert!(forged.is_none(), "{}", forged.unwrap_or_default());
    for line in log.lines().filter(|line| !line.is_empty()) {
        assert!(line.starts_with("20"), "each line begins with its moment: {line}");
    }
}
