//! Every operation and every page, asked for by everybody: each sees exactly what is theirs.

use std::collections::BTreeSet;

use ocpp_csms::access::{Needs, Role, Scope};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use crate::access_people::{Browser, driver, operator};
use crate::harness::{Csms, Folder};

/// What anybody may ask for. Who adds an operation here decides that it is so.
const PUBLIC: &[&str] = &[
    "change_password", // by the session itself
    "get_session",
    "provider_webhook", // signed by the provider
    "register_driver",
    "set_up",
    "sign_in",
    "sign_out",
];

/// Pages that anybody may open. Who adds one here decides that it is so.
const PUBLIC_PAGES: &[&str] = &[
    "/assets/{*name}",
    "/driver/register",
    "/pay/session/{id}",
    "/pay/session/{id}/receipt",
    "/pay/session/{id}/state",
    "/pay/{station}/{evse}",
    "/preferences",
    "/set-up/{secret}",
    "/sign-in",
    "/sign-out",
];

#[derive(Debug)]
struct Operation {
    id: String,
    method: Method,
    path: String,
    needs: Option<Scope>,
}

fn filled(path: &str) -> String {
    let mut filled = String::new();
    for (index, part) in path.split(['{', '}']).enumerate() {
        filled.push_str(if index % 2 == 0 { part } else { "1" });
    }
    filled
}

async fn operations(csms: &Csms) -> Vec<Operation> {
    let description = csms.get("/api/openapi.json").await;
    let mut operations = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path}")).to_owned();
            let needs = match operation["security"].as_array().map(Vec::as_slice) {
                Some([requirement]) if requirement == &json!({}) => None,
                Some([requirement]) => match requirement["bearer"].as_array().map(Vec::as_slice) {
                    Some([scope]) => Some(scope.as_str().unwrap().parse().unwrap()),
                    _ => panic!("{id} names other than one scope: {requirement}"),
                },
                _ => panic!("{id} does not say who may use it"),
            };
            let method = method.to_ascii_uppercase().parse().unwrap();
            operations.push(Operation { id, method, path: filled(path), needs });
        }
    }
    operations
}

async fn api_token(csms: &Csms, scopes: &[&str]) -> String {
    let body = json!({"name": "walker", "scopes": scopes});
    let (status, made) = csms.request(Method::POST, "/api/v1/api-tokens", Some(body)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    made["token"].as_str().unwrap().to_owned()
}

/// Operations that end who asks, or wait for a station, are asked for only by those who may not.
fn is_safe_to_ask(operation: &Operation) -> bool {
    !matches!(operation.id.as_str(), "sign_out" | "revoke_api_token")
}

async fn walk(who: &str, operations: &[Operation], scopes: &[Scope], ask: impl Fn(&Operation) -> RequestBuilder) {
    for operation in operations {
        let allowed = operation.needs.is_none_or(|scope| scopes.contains(&scope));
        if allowed && !is_safe_to_ask(operation) {
            continue;
        }
        let response: Response = ask(operation).send().await.unwrap();
        let status = response.status();
        let id = &operation.id;
        match operation.needs {
            // What is public may still ask for a password, or for being signed in.
            None => assert_ne!(status, StatusCode::FORBIDDEN, "{who}: {id}"),
            Some(_) if allowed => {
                assert!(!matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN), "{who}: {id} is {status}");
            }
            Some(_) if who == "anonymous" => assert_eq!(status, StatusCode::UNAUTHORIZED, "{who}: {id}"),
            Some(_) => {
                assert_eq!(status, StatusCode::FORBIDDEN, "{who}: {id}");
                let problem: Value = response.json().await.unwrap();
                assert!(problem["detail"].as_str().unwrap().contains("scope"), "{problem}");
            }
        }
    }
}

fn by_session<'a>(browser: &'a Browser<'_>) -> impl Fn(&Operation) -> RequestBuilder + 'a {
    |operation| {
        browser
            .request(operation.method.clone(), &operation.path)
            .header("x-csrf-token", &browser.csrf)
            .json(&json!({}))
    }
}

#[tokio::test]
async fn each_operation_is_open_to_exactly_those_who_have_its_scope() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let operations = operations(&csms).await;
    assert!(operations.len() > 30);
    let public: BTreeSet<&str> = operations
        .iter()
        .filter(|operation| operation.needs.is_none())
        .map(|operation| operation.id.as_str())
        .collect();
    let surprises: Vec<_> = public.difference(&PUBLIC.iter().copied().collect()).copied().collect();
    assert!(surprises.is_empty(), "open to anybody: {surprises:?}");

    let client = Client::new();
    let ask =
        |operation: &Operation| client.request(operation.method.clone(), csms.url(&operation.path)).json(&json!({}));
    walk("anonymous", &operations, &[], ask).await;
    for scope in [Scope::View, Scope::Operate, Scope::Account, Scope::Administer] {
        let token = api_token(&csms, &[scope.as_str()]).await;
        walk(scope.as_str(), &operations, &[scope], |operation| ask(operation).bearer_auth(&token)).await;
    }
    let (_, ada) = driver(&csms, "ada@example.org", "free").await;
    walk("driver", &operations, &[Scope::Drive], by_session(&ada)).await;
}

#[tokio::test]
async fn each_role_has_the_scopes_that_it_is_there_for() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let operations = operations(&csms).await;
    for (role, scopes) in [
        (Role::Viewer, &[Scope::View][..]),
        (Role::Operator, &[Scope::View, Scope::Operate]),
        (Role::Accountant, &[Scope::View, Scope::Account]),
        (Role::Admin, &[Scope::View, Scope::Operate, Scope::Account, Scope::Administer]),
    ] {
        let browser = operator(&csms, &format!("the {role}"), role.as_str()).await;
        walk(role.as_str(), &operations, scopes, by_session(&browser)).await;
    }
}

#[tokio::test]
async fn each_page_is_open_to_exactly_those_who_have_its_scope() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let pages = csms.server.pages();
    let public: BTreeSet<&str> =
        pages.iter().filter(|(_, _, needs)| *needs == Needs::Nothing).map(|(_, path, _)| *path).collect();
    let surprises: Vec<_> = public.difference(&PUBLIC_PAGES.iter().copied().collect()).copied().collect();
    assert!(surprises.is_empty(), "open to anybody: {surprises:?}");
    let anonymous = Browser::new(&csms);
    let viewer = operator(&csms, "viewer", "viewer").await;
    let accountant = operator(&csms, "accountant", "accountant").await;
    let admin = operator(&csms, "admin2", "admin").await;
    let (_, ada) = driver(&csms, "ada@example.org", "free").await;
    let walkers = [
        ("anonymous", &anonymous, &[][..]),
        ("viewer", &viewer, &[Scope::View]),
        ("accountant", &accountant, &[Scope::View, Scope::Account]),
        ("admin", &admin, &[Scope::View, Scope::Operate, Scope::Account, Scope::Administer]),
        ("driver", &ada, &[Scope::Drive]),
    ];
    for (method, path, needs) in &pages {
        if *needs == Needs::Nothing {
            continue;
        }
        for (who, browser, scopes) in &walkers {
            let allowed = match needs {
                Needs::Scope(scope) => scopes.contains(scope),
                _ => !scopes.is_empty(),
            };
            let request = browser.request(method.clone(), &filled(path)).header("x-csrf-token", &browser.csrf);
            let response = request.form(&json!({})).send().await.unwrap();
            let place = response.headers().get("location").map(|place| place.to_str().unwrap().to_owned());
            let turned_away = match response.status() {
                StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => true,
                StatusCode::SEE_OTHER => {
                    let place = place.as_deref().unwrap();
                    place.starts_with("/sign-in") || (*path == "/" && place == "/driver")
                }
                _ => false,
            };
            assert_eq!(!turned_away, allowed, "{who}: {method} {path}: {} {place:?}", response.status());
        }
    }
}

#[tokio::test]
async fn every_answer_says_how_it_may_be_used() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    for path in ["/sign-in", "/", "/api/v1/stations", "/nothing/here", "/healthz"] {
        let response = Browser::new(&csms).request(Method::GET, path).send().await.unwrap();
        let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let policy = header("content-security-policy").unwrap_or_default();
        for part in ["default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
            assert!(policy.contains(part), "{path}: {part}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(header("x-content-type-options").as_deref(), Some("nosniff"), "{path}");
        assert_eq!(header("referrer-policy").as_deref(), Some("same-origin"), "{path}");
        assert_eq!(header("x-frame-options").as_deref(), Some("DENY"), "{path}");
        assert_eq!(header("cache-control").as_deref(), Some("no-store"), "{path}");
        assert_eq!(header("strict-transport-security"), None, "only under TLS");
    }
}

#[tokio::test]
async fn under_tls_browsers_are_told_to_stay_there_and_send_the_cookie_nowhere_else() {
    use ocpp_csms::tls::Certificates;
    let folder = Folder::new();
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| file.tls.mode = Some(Certificates::Auto)).await;
    let root = std::fs::read(csms.server.tls().unwrap().own_root().unwrap()).unwrap();
    let root = reqwest::Certificate::from_pem(&root).unwrap();
    let client = Client::builder().tls_certs_only([root]).build().unwrap();
    let link = csms.server.new_set_up_link().unwrap();
    assert!(link.starts_with("https://"), "{link}");
    let response = client
        .post(format!("https://{}/api/v1/session/set-up", csms.server.address()))
        .json(&json!({"link": link.rsplit('/').next().unwrap(), "password": "correct horse battery"}))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let security = response.headers()["strict-transport-security"].to_str().unwrap();
    assert!(security.starts_with("max-age="), "{security}");
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-") && cookie.contains("; Secure") && cookie.contains("; HttpOnly"), "{cookie}");
}
