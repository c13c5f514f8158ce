//! The REST interface beside the calls.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Csms, Folder};

#[tokio::test]
async fn nothing_is_told_without_the_token() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let client = reqwest::Client::new();
    for path in ["/api/v1/stations", "/api/v1/stations/CS", "/api/v1/tokens", "/api/v1/stations/CS/messages"] {
        for token in [None, Some("wrong"), Some("")] {
            let mut request = client.get(csms.url(path));
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{path}");
            assert_eq!(response.headers()["content-type"], "application/problem+json");
            assert_eq!(response.headers()["www-authenticate"], "Bearer");
        }
    }
    let response = client.put(csms.url("/api/v1/tokens/TAG")).json(&json!({})).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn health_needs_no_token() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(reqwest::get(csms.url(path)).await.unwrap().status(), StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn the_figures_count_connections_and_frames() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS").await;
    let mut station = csms.station("CS", "ocpp2.0.1").await;
    station.boot("ocpp2.0.1").await;
    let figures = reqwest::get(csms.url("/metrics")).await.unwrap().text().await.unwrap();
    for line in [
        "ocpp_csms_stations_connected{version=\"2.0.1\"} 1",
        "ocpp_csms_stations_connected{version=\"2.1\"} 0",
        "ocpp_csms_frames_total{direction=\"received\"} 1",
        "ocpp_csms_frames_total{direction=\"sent\"} 1",
        "ocpp_csms_transactions_started_total 0",
    ] {
        assert!(figures.lines().any(|known| known == line), "{line}: {figures}");
    }
}

#[tokio::test]
async fn a_path_that_does_not_exist_is_a_problem() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let (status, problem) = csms.request(Method::GET, "/api/v2/stations", None).await;
    assert_eq!((status, &problem["title"]), (StatusCode::NOT_FOUND, &json!("Not Found")));
}

#[tokio::test]
async fn a_station_is_entered_and_changed_member_by_member() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let path = "/api/v1/stations/CS%2F1";
    let (status, created) = csms.request(Method::PUT, path, Some(json!({"registration": "pending"}))).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!((&created["id"], &created["registration"]), (&json!("CS/1"), &json!("pending")));
    let change = json!({"free_vend": true, "security_profile": 0});
    let (status, _) = csms.request(Method::PUT, path, Some(change)).await;
    assert_eq!(status, StatusCode::OK);
    let view = csms.get(path).await;
    assert_eq!(view["registration"], "pending");
    assert_eq!(view["free_vend"], true);
    assert_eq!(view["security_profile"], 0);
    assert_eq!((&view["connected"], &view["version"]), (&json!(false), &Value::Null));
}

#[tokio::test]
async fn what_is_not_understood_is_a_problem_that_says_what() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let long = format!("/api/v1/stations/{}", "x".repeat(49));
    for (path, body, word) in [
        ("/api/v1/stations/CS", json!({"registration": "maybe"}), "registration"),
        ("/api/v1/stations/CS", json!({"registered": "accepted"}), "registered"),
        ("/api/v1/stations/CS", json!({"security_profile": 4}), "security_profile"),
        ("/api/v1/stations/CS", json!({"security_profile": 1}), "password"),
        ("/api/v1/stations/CS", json!({"password": ""}), "password"),
        (long.as_str(), json!({}), "48 characters"),
        ("/api/v1/tokens/TAG", json!({"status": "maybe"}), "status"),
        ("/api/v1/tokens/TAG", json!({"expires_at": "tomorrow"}), "expires_at"),
        ("/api/v1/tokens/TAG", json!({"type": "x".repeat(21)}), "type"),
        ("/api/v1/tokens/TAG", json!([1]), ""),
    ] {
        let (status, problem) = csms.request(Method::PUT, path, Some(body.clone())).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path} {body}: {problem}");
        assert_eq!((&problem["status"], &problem["title"]), (&json!(400), &json!("Bad Request")));
        assert!(problem["detail"].as_str().unwrap().contains(word), "{body}: {problem}");
    }
    for path in ["/api/v1/stations?limit=0", "/api/v1/tokens?limit=1001", "/api/v1/stations?offset=1"] {
        assert_eq!(csms.request(Method::GET, path, None).await.0, StatusCode::BAD_REQUEST, "{path}");
    }
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS").await;
    for path in [
        "/api/v1/stations/NOBODY",
        "/api/v1/stations/NOBODY/transactions",
        "/api/v1/stations/NOBODY/messages",
        "/api/v1/stations/CS/transactions/1/meter-values",
        "/api/v1/tokens/NOBODY",
    ] {
        let (status, problem) = csms.request(Method::GET, path, None).await;
        assert_eq!((status, &problem["status"]), (StatusCode::NOT_FOUND, &json!(404)), "{path}");
    }
    assert_eq!(csms.get("/api/v1/stations/CS/transactions").await, json!([]));
    assert_eq!(csms.get("/api/v1/stations/CS/messages").await, json!([]));
}

#[tokio::test]
async fn a_token_is_entered_replaced_listed_and_removed() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let full = json!({"type": "Central", "status": "blocked", "expires_at": "2030-01-01T00:00:00Z", "group": "FLEET"});
    let (status, created) = csms.request(Method::PUT, "/api/v1/tokens/AbC", Some(full)).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!((&created["status"], &created["group"]), (&json!("blocked"), &json!("FLEET")));
    assert_eq!((&created["type"], &created["expires_at"]), (&json!("Central"), &json!("2030-01-01T00:00:00Z")));
    // Identifiers are compared without regard to case, and a PUT replaces all of it.
    let (status, replaced) = csms.request(Method::PUT, "/api/v1/tokens/aBc", Some(json!({}))).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&replaced["status"], &replaced["group"]), (&json!("accepted"), &Value::Null));
    assert_eq!((&replaced["type"], &replaced["token"]), (&json!("ISO14443"), &json!("aBc")));
    assert_eq!(replaced["created_at"], created["created_at"]);
    csms.put("/api/v1/tokens/XYZ", json!({})).await;
    let names = |list: &Value| list.as_array().unwrap().iter().map(|token| token["token"].clone()).collect::<Vec<_>>();
    assert_eq!(names(&csms.get("/api/v1/tokens").await), ["aBc", "XYZ"]);
    assert_eq!(names(&csms.get("/api/v1/tokens?limit=1").await), ["aBc"]);
    assert_eq!(names(&csms.get("/api/v1/tokens?after=aBc").await), ["XYZ"]);
    let (status, _) = csms.request(Method::DELETE, "/api/v1/tokens/ABC", None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, _) = csms.request(Method::DELETE, "/api/v1/tokens/ABC", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_description_names_every_path_and_can_be_browsed() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    let description = csms.get("/api/openapi.json").await;
    for (path, methods) in [
        ("/api/v1/stations", &["get"][..]),
        ("/api/v1/stations/{id}", &["get", "put"]),
        ("/api/v1/stations/{id}/calls", &["post"]),
        ("/api/v1/stations/{id}/messages", &["get"]),
        ("/api/v1/stations/{id}/transactions", &["get"]),
        ("/api/v1/stations/{id}/transactions/{transaction}/meter-values", &["get"]),
        ("/api/v1/tokens", &["get"]),
        ("/api/v1/tokens/{token}", &["get", "put", "delete"]),
    ] {
        for method in methods {
            assert!(description["paths"][path][method].is_object(), "{method} {path}");
        }
    }
    assert_eq!(description["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
    let page = reqwest::get(csms.url("/api/docs")).await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    assert!(page.text().await.unwrap().contains("swagger-ui"));
}

#[tokio::test]
async fn sites_and_signals_are_listed_until_they_are_removed() {
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    csms.enter("CS").await;
    let site = json!({"name": "Garage", "limit": {"amperes": 32}, "stations": [{"id": "CS", "maximum_a": 16}]});
    csms.put("/api/v1/sites/garage", site).await;
    let sites = csms.get("/api/v1/sites").await;
    assert_eq!((&sites[0]["id"], &sites[0]["name"]), (&json!("garage"), &json!("Garage")), "{sites}");
    let signal = json!({"sites": ["garage"], "limit": {"percent": 50}, "from": "2026-06-01T10:00:00Z",
        "until": "2099-06-01T10:00:00Z"});
    csms.put("/api/v1/demand-response/peak", signal).await;
    let signals = csms.get("/api/v1/demand-response").await;
    assert_eq!((signals.as_array().map(Vec::len), &signals[0]["id"]), (Some(1), &json!("peak")), "{signals}");
    for path in ["/api/v1/demand-response/peak", "/api/v1/sites/garage"] {
        assert!(csms.request(Method::DELETE, path, None).await.0.is_success());
        assert_eq!(csms.request(Method::GET, path, None).await.0, StatusCode::NOT_FOUND);
    }
    for path in ["/api/v1/demand-response", "/api/v1/sites"] {
        assert_eq!(csms.get(path).await, json!([]));
    }
}

/// Who forgot the password chooses another by a link, after which the old one is none.
#[tokio::test]
async fn a_link_lets_people_choose_another_password_once() {
    use crate::access_people::{Browser, driver, followed, operator};
    let folder = Folder::new();
    let csms = Csms::start(&folder).await;
    operator(&csms, "ada", "viewer").await;
    let (id_of_driver, _) = driver(&csms, "bob@example.org", "free").await;
    let operators = csms.get("/api/v1/operators").await;
    let ada = operators.as_array().unwrap().iter().find(|operator| operator["name"] == "ada").unwrap();
    let id_of_operator = ada["id"].as_str().unwrap();
    for path in [format!("/api/v1/operators/{id_of_operator}"), format!("/api/v1/drivers/{id_of_driver}")] {
        let (status, link) = csms.request(Method::POST, &format!("{path}/set-up-link"), Some(json!({}))).await;
        assert!(status.is_success(), "{path}: {link}");
        let url = link["url"].as_str().or(link["set_up_url"].as_str()).unwrap().to_owned();
        followed(&csms, &url).await;
        let body = json!({"link": url.rsplit('/').next().unwrap(), "password": "another horse battery"});
        let (status, _) = Browser::new(&csms).send(Method::POST, "/api/v1/session/set-up", body).await;
        assert_eq!(status, StatusCode::GONE, "{path}");
    }
    let (status, _) = csms.request(Method::POST, "/api/v1/operators/nobody/set-up-link", Some(json!({}))).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
