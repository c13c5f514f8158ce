//! Operators, drivers, their sessions, and API tokens.

use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Csms, Folder, TOKEN};

const PASSWORD: &str = "correct horse battery";

/// A browser: it keeps the cookie of its session.
pub struct Browser<'a> {
    csms: &'a Csms,
    client: Client,
    cookie: String,
    pub csrf: String,
}

impl<'a> Browser<'a> {
    pub fn new(csms: &'a Csms) -> Self {
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { csms, client, cookie: String::new(), csrf: String::new() }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, self.csms.url(path));
        if self.cookie.is_empty() { request } else { request.header(COOKIE, &self.cookie) }
    }

    /// Sends JSON with the token of the session, as a script of ours would.
    pub async fn send(&mut self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let mut request = self.request(method, path).json(&body);
        if !self.csrf.is_empty() {
            request = request.header("x-csrf-token", &self.csrf);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        self.keep_cookie(&response);
        let text = response.text().await.unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        if let Some(csrf) = answer["csrf"].as_str() {
            self.csrf = csrf.to_owned();
        }
        (status, answer)
    }

    pub async fn status(&self, path: &str) -> StatusCode {
        self.request(Method::GET, path).send().await.unwrap().status()
    }

    pub fn keep_cookie(&mut self, response: &Response) {
        for cookie in response.headers().get_all(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            if pair.starts_with("ocpp-csms-session=") {
                self.cookie = pair.to_owned();
            }
        }
    }

    pub async fn sign_in(&mut self, name: &str, password: &str, driver: bool) -> (StatusCode, Value) {
        let body = json!({"name": name, "password": password, "driver": driver});
        self.send(Method::POST, "/api/v1/session", body).await
    }
}

/// An operator of a role, signed in.
pub async fn operator<'a>(csms: &'a Csms, name: &str, role: &str) -> Browser<'a> {
    let (status, made) =
        csms.request(Method::POST, "/api/v1/operators", Some(json!({"name": name, "role": role}))).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    followed(csms, made["set_up_url"].as_str().unwrap()).await
}

/// A driver, signed in.
pub async fn driver<'a>(csms: &'a Csms, login: &str, payment: &str) -> (String, Browser<'a>) {
    let body = json!({"login": login, "name": "Ada", "payment": payment});
    let (status, made) = csms.request(Method::POST, "/api/v1/drivers", Some(body)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    (made["id"].as_str().unwrap().to_owned(), followed(csms, made["set_up_url"].as_str().unwrap()).await)
}

/// Whoever followed a link and chose the password of these tests.
pub async fn followed<'a>(csms: &'a Csms, url: &str) -> Browser<'a> {
    let secret = url.rsplit('/').next().unwrap();
    let mut browser = Browser::new(csms);
    let body = json!({"link": secret, "password": PASSWORD});
    let (status, answer) = browser.send(Method::POST, "/api/v1/session/set-up", body).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    browser
}

#[tokio::test]
async fn the_first_start_makes_an_admin_by_a_link_that_works_once() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let link = csms.server.new_set_up_link().unwrap().to_owned();
    assert!(link.starts_with(&csms.url("/set-up/")), "{link}");
    let mut admin = followed(&csms, &link).await;
    let (_, me) = admin.send(Method::GET, "/api/v1/session", json!(null)).await;
    assert_eq!((&me["name"], &me["kind"]), (&json!("admin"), &json!("operator")));
    assert_eq!(me["scopes"], json!(["view", "operate", "account", "administer"]));
    assert_eq!(admin.status("/api/v1/operators").await, StatusCode::OK);
    let mut other = Browser::new(&csms);
    let body = json!({"link": link.rsplit('/').next().unwrap(), "password": PASSWORD});
    let (status, problem) = other.send(Method::POST, "/api/v1/session/set-up", body).await;
    assert_eq!(status, StatusCode::GONE, "{problem}");
    // Nobody is asked again at the next start.
    let database = folder.file("csms.sqlite");
    csms.server.shut_down().await;
    let csms = Csms::start_with(&database, |_| {}).await;
    assert_eq!(csms.server.new_set_up_link(), None);
    let mut admin = Browser::new(&csms);
    assert_eq!(admin.sign_in("ADMIN", PASSWORD, false).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_link_that_was_never_followed_is_replaced_at_the_next_start() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let first = csms.server.new_set_up_link().unwrap().to_owned();
    let database = folder.file("csms.sqlite");
    csms.server.shut_down().await;
    let csms = Csms::start_with(&database, |_| {}).await;
    let second = csms.server.new_set_up_link().unwrap().to_owned();
    let body = json!({"link": first.rsplit('/').next().unwrap(), "password": PASSWORD});
    let (status, _) = Browser::new(&csms).send(Method::POST, "/api/v1/session/set-up", body).await;
    assert_eq!(status, StatusCode::GONE);
    followed(&csms, &second).await;
}

#[tokio::test]
async fn the_cookie_is_kept_from_scripts_and_other_sites_and_is_new_with_each_session() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    operator(&csms, "Ada", "viewer").await;
    let mut cookies = Vec::new();
    for _ in 0..2 {
        let response = Browser::new(&csms)
            .request(Method::POST, "/api/v1/session")
            // Session fixation: what the browser brought is not what it gets.
            .header(COOKIE, "ocpp-csms-session=chosen-by-another")
            .json(&json!({"name": "ada", "password": PASSWORD}))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let cookie = response.headers()[SET_COOKIE].to_str().unwrap().to_owned();
        for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=43200"] {
            assert!(cookie.split("; ").any(|part| part == attribute), "{attribute}: {cookie}");
        }
        assert!(!cookie.contains("Secure"), "without TLS it would never be sent: {cookie}");
        let value = cookie.split(['=', ';']).nth(1).unwrap().to_owned();
        assert_eq!(value.len(), 43, "256 bits: {value}");
        cookies.push(value);
    }
    assert_ne!(cookies[0], cookies[1]);
    // Neither cookie nor password is in the database, nor in a back-up of it, which is a file whatever the database is.
    let file = folder.file("back-up");
    let database = crate::place::database(&folder.file("csms.sqlite")).await;
    ocpp_csms::store::back_up(&database, &file).await.unwrap();
    let kept = std::fs::read(file).unwrap();
    for secret in [cookies[0].as_str(), cookies[1].as_str(), PASSWORD] {
        assert!(!kept.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
}

#[tokio::test]
async fn where_people_reach_it_by_https_the_cookie_is_sent_by_tls_only() {
    let folder = Folder::new();
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| {
        file.public_url = Some("https://charge.example.org/".to_owned());
    })
    .await;
    let link = csms.server.new_set_up_link().unwrap();
    assert!(link.starts_with("https://charge.example.org/set-up/"), "{link}");
    let response = Browser::new(&csms)
        .request(Method::POST, "/api/v1/session/set-up")
        .json(&json!({"link": link.rsplit('/').next().unwrap(), "password": PASSWORD}))
        .send()
        .await
        .unwrap();
    let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("__Host-") && cookie.contains("; Secure"), "{cookie}");
}

#[tokio::test]
async fn what_changes_something_needs_the_token_of_the_session() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut ada = operator(&csms, "ada", "operator").await;
    let put = |browser: &Browser<'_>| browser.request(Method::PUT, "/api/v1/tokens/TAG").json(&json!({}));
    let status = |request: RequestBuilder| async { request.send().await.unwrap().status() };
    assert_eq!(status(put(&ada)).await, StatusCode::FORBIDDEN);
    assert_eq!(status(put(&ada).header("x-csrf-token", "guessed")).await, StatusCode::FORBIDDEN);
    let others = operator(&csms, "bob", "operator").await.csrf;
    assert_eq!(status(put(&ada).header("x-csrf-token", &others)).await, StatusCode::FORBIDDEN);
    // A browser tells that another site's page made the request.
    let right = put(&ada).header("x-csrf-token", &ada.csrf);
    assert_eq!(status(right.header("sec-fetch-site", "cross-site")).await, StatusCode::FORBIDDEN);
    let right = put(&ada).header("x-csrf-token", &ada.csrf);
    assert_eq!(status(right.header("origin", "https://evil.example")).await, StatusCode::FORBIDDEN);
    assert_eq!(csms.request(Method::GET, "/api/v1/tokens/TAG", None).await.0, StatusCode::NOT_FOUND);
    assert_eq!(ada.send(Method::PUT, "/api/v1/tokens/TAG", json!({})).await.0, StatusCode::CREATED);
    // Nor can another site sign somebody in.
    let sign_in = ada.request(Method::POST, "/api/v1/session").json(&json!({"name": "ada", "password": PASSWORD}));
    assert_eq!(status(sign_in.header("sec-fetch-site", "cross-site")).await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn signing_out_ends_the_session_and_not_only_the_cookie() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut ada = operator(&csms, "ada", "viewer").await;
    assert_eq!(ada.status("/api/v1/stations").await, StatusCode::OK);
    let (status, _) = ada.send(Method::DELETE, "/api/v1/session", json!(null)).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert!(ada.cookie.ends_with('='), "{}", ada.cookie);
    let mut thief = operator(&csms, "bob", "viewer").await;
    let stolen = thief.cookie.clone();
    thief.send(Method::DELETE, "/api/v1/session", json!(null)).await;
    thief.cookie = stolen;
    assert_eq!(thief.status("/api/v1/stations").await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn who_guesses_passwords_has_to_wait() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    operator(&csms, "ada", "viewer").await;
    let mut guesser = Browser::new(&csms);
    for _ in 0..5 {
        let (status, problem) = guesser.sign_in("ada", "wrong password", false).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{problem}");
    }
    for (name, password) in [("ada", "wrong password"), ("Ada ", PASSWORD)] {
        let (status, problem) = guesser.sign_in(name, password, false).await;
        assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("try again in"), "{problem}");
    }
    // Who is not known is told the same as who is.
    let (_, unknown) = guesser.sign_in("nobody", "wrong password", false).await;
    operator(&csms, "bob", "viewer").await;
    let (_, known) = guesser.sign_in("bob", "wrong password", false).await;
    assert_eq!(unknown, known);
}

#[tokio::test]
async fn a_disabled_account_is_signed_out_at_once() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut ada = operator(&csms, "ada", "operator").await;
    let (_, me) = ada.send(Method::GET, "/api/v1/session", json!(null)).await;
    let path = format!("/api/v1/operators/{}", me["id"].as_str().unwrap());
    assert_eq!(csms.request(Method::PATCH, &path, Some(json!({"disabled": true}))).await.0, StatusCode::OK);
    assert_eq!(ada.status("/api/v1/stations").await, StatusCode::UNAUTHORIZED);
    assert_eq!(ada.sign_in("ada", PASSWORD, false).await.0, StatusCode::UNAUTHORIZED);
    // Enabled again, the old sessions stay ended.
    assert_eq!(csms.request(Method::PATCH, &path, Some(json!({"disabled": false}))).await.0, StatusCode::OK);
    assert_eq!(ada.status("/api/v1/stations").await, StatusCode::UNAUTHORIZED);
    assert_eq!(ada.sign_in("ada", PASSWORD, false).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut here = operator(&csms, "ada", "viewer").await;
    let mut there = Browser::new(&csms);
    there.sign_in("ada", PASSWORD, false).await;
    let new = "a new password";
    let path = "/api/v1/session/password";
    let (status, _) = here.send(Method::PUT, path, json!({"old": "wrong", "new": new})).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let (status, problem) = here.send(Method::PUT, path, json!({"old": PASSWORD, "new": "short"})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
    let (status, problem) = here.send(Method::PUT, path, json!({"old": PASSWORD, "new": new})).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{problem}");
    assert_eq!(here.status("/api/v1/stations").await, StatusCode::OK);
    assert_eq!(there.status("/api/v1/stations").await, StatusCode::UNAUTHORIZED);
    assert_eq!(there.sign_in("ada", PASSWORD, false).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(there.sign_in("ada", new, false).await.0, StatusCode::OK);
}

#[tokio::test]
async fn the_last_admin_stays_one() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut admin = followed(&csms, csms.server.new_set_up_link().unwrap()).await;
    let (_, me) = admin.send(Method::GET, "/api/v1/session", json!(null)).await;
    let path = format!("/api/v1/operators/{}", me["id"].as_str().unwrap());
    for change in [json!({"disabled": true}), json!({"role": "viewer"})] {
        let (status, problem) = admin.send(Method::PATCH, &path, change).await;
        assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    }
    // One who has chosen no password is no help.
    let body = json!({"name": "second", "role": "admin"});
    let (_, second) = csms.request(Method::POST, "/api/v1/operators", Some(body)).await;
    assert_eq!(admin.send(Method::PATCH, &path, json!({"disabled": true})).await.0, StatusCode::CONFLICT);
    followed(&csms, second["set_up_url"].as_str().unwrap()).await;
    assert_eq!(admin.send(Method::PATCH, &path, json!({"disabled": true})).await.0, StatusCode::OK);
}

#[tokio::test]
async fn an_api_token_does_what_its_scopes_say_until_it_is_revoked() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let body = json!({"name": "reports", "scopes": ["view"], "expires_at": "2200-01-01T00:00:00Z"});
    let (status, made) = csms.request(Method::POST, "/api/v1/api-tokens", Some(body)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let token = made["token"].as_str().unwrap();
    let client = Client::new();
    let status = async |method: Method, path: &str| {
        let request = client.request(method, csms.url(path)).bearer_auth(token).json(&json!({}));
        request.send().await.unwrap().status()
    };
    assert_eq!(status(Method::GET, "/api/v1/tokens").await, StatusCode::OK);
    assert_eq!(status(Method::PUT, "/api/v1/tokens/TAG").await, StatusCode::FORBIDDEN);
    assert_eq!(status(Method::GET, "/api/v1/api-tokens").await, StatusCode::FORBIDDEN);
    let list = csms.get("/api/v1/api-tokens").await;
    assert!(list[0]["last_used_at"].is_string(), "{list}");
    assert!(!list.to_string().contains(token));
    let path = format!("/api/v1/api-tokens/{}", made["id"].as_str().unwrap());
    assert_eq!(csms.request(Method::DELETE, &path, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(status(Method::GET, "/api/v1/tokens").await, StatusCode::UNAUTHORIZED);
    assert_eq!(csms.request(Method::DELETE, &path, None).await.0, StatusCode::NOT_FOUND);
    for wrong in [
        json!({"name": "x", "scopes": []}),
        json!({"name": "x", "scopes": ["drive"]}),
        json!({"name": "", "scopes": ["view"]}),
        json!({"name": "x", "scopes": ["view"], "expires_at": "2020-01-01T00:00:00Z"}),
    ] {
        let (status, problem) = csms.request(Method::POST, "/api/v1/api-tokens", Some(wrong.clone())).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}: {problem}");
    }
}

#[tokio::test]
async fn what_operators_do_is_written_down_without_secrets() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut admin = followed(&csms, csms.server.new_set_up_link().unwrap()).await;
    let body = json!({"name": "=cmd()", "role": "viewer"});
    let (_, made) = admin.send(Method::POST, "/api/v1/operators", body).await;
    let (_, token) =
        admin.send(Method::POST, "/api/v1/api-tokens", json!({"name": "reports", "scopes": ["view"]})).await;
    let all = csms.get("/api/v1/audit").await;
    let actions: Vec<_> = all.as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["api_token.created", "operator.created", "password.set", "operator.link_made"]);
    let entry = &all[1];
    assert_eq!((&entry["actor_name"], &entry["actor_kind"]), (&json!("admin"), &json!("operator")));
    assert_eq!((&entry["object"], &entry["address"]), (&made["id"], &json!("127.0.0.1")));
    for secret in [made["set_up_url"].as_str().unwrap(), token["token"].as_str().unwrap(), PASSWORD, TOKEN] {
        let secret = secret.rsplit('/').next().unwrap();
        assert!(!all.to_string().contains(secret));
    }
    let actions = async |query: &str| csms.get(&format!("/api/v1/audit?{query}")).await.as_array().unwrap().len();
    assert_eq!(actions("action=operator").await, 2);
    assert_eq!(actions("action=operator.created").await, 1);
    assert_eq!(actions("action=oper").await, 0);
    assert_eq!(actions("actor=ADMIN").await, 3);
    assert_eq!(actions("until=2020-01-01T00:00:00Z").await, 0);
    assert_eq!(actions(&format!("object={}", made["id"].as_str().unwrap())).await, 1);
    assert_eq!(actions(&format!("before={}", entry["id"].as_str().unwrap())).await, 2);
    let csv = csms.get("/api/v1/audit.csv").await;
    let csv = csv.as_str().unwrap();
    assert!(csv.starts_with("id,at,actor_kind,") && csv.contains(",'=cmd() as viewer,"), "{csv}");
}

#[tokio::test]
async fn drivers_register_as_the_policy_says() {
    use ocpp_csms::config::DriverRegistration;
    let register = json!({"login": "Ada@Example.org", "name": "Ada", "password": PASSWORD});
    let path = "/api/v1/session/registration";
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let mut ada = Browser::new(&csms);
    let (status, me) = ada.send(Method::POST, path, register.clone()).await;
    assert_eq!((status, &me["scopes"]), (StatusCode::OK, &json!(["drive"])), "{me}");
    assert_eq!(ada.status("/api/v1/stations").await, StatusCode::FORBIDDEN);
    let (status, problem) = Browser::new(&csms).send(Method::POST, path, register.clone()).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    let kept = csms.get(&format!("/api/v1/drivers/{}", me["id"].as_str().unwrap())).await;
    assert_eq!((&kept["payment"], kept["tokens"].as_array().unwrap().len()), (&json!("balance"), 1), "{kept}");
    assert_eq!(csms.get("/api/v1/drivers?search=EXAMPLE").await.as_array().unwrap().len(), 1);
    assert_eq!(csms.get("/api/v1/drivers?search=nobody").await, json!([]));

    for (policy, word) in [(DriverRegistration::Invitation, "invitation"), (DriverRegistration::Closed, "operator")] {
        let folder = Folder::new();
        let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| file.driver_registration = Some(policy)).await;
        let (status, problem) = Browser::new(&csms).send(Method::POST, path, register.clone()).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(word), "{problem}");
        let (_, made) =
            csms.request(Method::POST, "/api/v1/driver-invitations", Some(json!({"payment": "free"}))).await;
        let secret = made["url"].as_str().unwrap().split('=').nth(1).unwrap().to_owned();
        let mut invited = register.clone();
        invited["invitation"] = json!(secret);
        let (status, me) = Browser::new(&csms).send(Method::POST, path, invited.clone()).await;
        assert_eq!(status, StatusCode::OK, "{me}");
        let kept = csms.get(&format!("/api/v1/drivers/{}", me["id"].as_str().unwrap())).await;
        assert_eq!(kept["payment"], "free");
        invited["login"] = json!("bob@example.org");
        let (status, _) = Browser::new(&csms).send(Method::POST, path, invited).await;
        assert_eq!(status, StatusCode::GONE, "an invitation is for one");
    }
}
