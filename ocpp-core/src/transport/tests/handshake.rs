use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use ocpp_types::Version;

use super::rules;
use crate::transport::{HandshakeRules, Refused, UpgradeRequest};

const HEADERS: [(&str, &str); 5] = [
    ("Host", "some.server.com:33033"),
    ("Upgrade", "websocket"),
    ("Connection", "keep-alive, Upgrade"),
    ("Sec-WebSocket-Key", "x3JJHMbDL1EzLkh9GBhXDw=="),
    ("Sec-WebSocket-Version", "13"),
];

fn headers(more: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in HEADERS.iter().chain(more) {
        map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    map
}

fn read_with(path: &str, more: &[(&str, &str)], rules: &HandshakeRules) -> Result<UpgradeRequest, Refused> {
    UpgradeRequest::read(&Method::GET, &path.parse::<Uri>().unwrap(), &headers(more), rules)
}

fn read(path: &str) -> Result<UpgradeRequest, Refused> {
    read_with(path, &[("Sec-WebSocket-Protocol", "ocpp2.1")], &HandshakeRules::default())
}

fn status(path: &str) -> u16 {
    read(path).unwrap_err().status().as_u16()
}

fn offering(offer: &str, rules: &HandshakeRules) -> UpgradeRequest {
    read_with("/ocpp/CS001", &[("Sec-WebSocket-Protocol", offer)], rules).unwrap()
}

// 2.1 part 4, 3.1.3 and 3.3; the keys are the ones of the example there.
#[test]
fn the_response_completes_the_handshake_and_names_the_version() {
    let response = offering("ocpp2.1, ocpp2.0.1, ocpp1.6", &HandshakeRules::default()).response();
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap());
    assert_eq!(header("sec-websocket-protocol"), Some("ocpp2.1"));
    assert_eq!(header("upgrade"), Some("websocket"));
    assert_eq!(header("connection"), Some("Upgrade"));
    assert_eq!(header("sec-websocket-accept"), Some("HSmrc0sMlYUkAGmm5OPpG2HaGWk="));
}

// 2.1 part 4, 3.1.2; 1.6-J, 3.1.2
#[test]
fn the_order_of_the_station_decides_among_the_versions_that_both_speak() {
    let all = HandshakeRules::default();
    assert_eq!(offering("ocpp1.6, ocpp2.1", &all).version, Some(Version::V1_6));
    assert_eq!(offering("ocpp2.0,ocpp1.5 , ocpp2.0.1,ocpp1.6", &all).version, Some(Version::V2_0_1));
    assert_eq!(offering("ocpp2.1, ocpp1.6", &rules(&[Version::V1_6])).version, Some(Version::V1_6));
}

#[test]
fn an_offer_may_be_spread_over_several_headers() {
    let offers = [("Sec-WebSocket-Protocol", "ocpp1.5"), ("Sec-WebSocket-Protocol", "ocpp2.0.1")];
    let request = read_with("/ocpp/CS001", &offers, &HandshakeRules::default()).unwrap();
    assert_eq!((request.version, request.offered.len()), (Some(Version::V2_0_1), 2));
}

// 2.1 part 4, 3.3; 1.6-J, 3.2
#[test]
fn without_a_common_version_the_response_names_none() {
    let request = offering("ocpp2.0, mqtt", &HandshakeRules::default());
    assert_eq!(request.version, None);
    let response = request.response();
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert!(!response.headers().contains_key("sec-websocket-protocol"));
}

#[test]
fn a_station_that_offers_nothing_is_spoken_to_only_where_that_is_configured() {
    let mut tolerant = HandshakeRules::default();
    assert_eq!(read_with("/ocpp/CS001", &[], &tolerant).unwrap().version, None);
    tolerant.without_offer = Some(Version::V1_6);
    let request = read_with("/ocpp/CS001", &[], &tolerant).unwrap();
    assert_eq!(request.version, Some(Version::V1_6));
    // RFC 6455, 4.2.2: only what was offered may be named.
    assert!(!request.response().headers().contains_key("sec-websocket-protocol"));
}

// 2.1 part 4, 3.1.1; OCPP-J 1.6, 3.1.1
#[test]
fn the_identity_is_percent_decoded() {
    for (path, station) in [
        ("/ocpp/CS001", "CS001"),
        ("/ocpp/RDAM%7C123", "RDAM|123"),
        ("/ocpp/RDAM%20123", "RDAM 123"),
        ("/ocpp/a%2Fb", "a/b"),
        ("/ocpp/%C3%A9", "é"),
        ("/ocpp/CS+1", "CS+1"),
        ("/ocpp/CS001?x=1", "CS001"),
    ] {
        assert_eq!(read(path).unwrap().station, station, "{path}");
    }
}

// 2.1 part 4, 3.1.1 and 3.3
#[test]
fn a_path_without_a_possible_identity_is_not_found() {
    let long = format!("/ocpp/{}", "x".repeat(49));
    for path in ["/", "/ocpp", "/ocpp/", "/ocppx/CS001", "/other/CS001", "/ocpp/a/b", "/ocpp/a%3Ab", "/ocpp/%00", &long]
    {
        assert_eq!(status(path), 404, "{path}");
    }
    assert_eq!(read(&format!("/ocpp/{}", "%C3%A9".repeat(48))).unwrap().station.chars().count(), 48);
}

#[test]
fn a_path_that_is_not_percent_encoded_text_is_a_bad_request() {
    for path in ["/ocpp/%", "/ocpp/%4", "/ocpp/%zz", "/ocpp/%ff"] {
        assert_eq!(status(path), 400, "{path}");
    }
}

// RFC 6455, 4.2.1
#[test]
fn what_is_no_websocket_handshake_is_refused() {
    let rules = HandshakeRules::default();
    let uri: Uri = "/ocpp/CS001".parse().unwrap();
    let refusal = |method: Method, name: &str, value: Option<&str>| {
        let mut headers = headers(&[]);
        headers.remove(name);
        if let Some(value) = value {
            headers.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        UpgradeRequest::read(&method, &uri, &headers, &rules).unwrap_err().response()
    };
    assert_eq!(refusal(Method::POST, "host", None).status(), 405);
    assert_eq!(refusal(Method::GET, "upgrade", None).status(), 426);
    assert_eq!(refusal(Method::GET, "connection", Some("close")).status(), 426);
    let version = refusal(Method::GET, "sec-websocket-version", Some("8"));
    assert_eq!((version.status().as_u16(), &version.headers()["sec-websocket-version"]), (426, &"13".parse().unwrap()));
    assert_eq!(refusal(Method::GET, "sec-websocket-key", None).status(), 400);
    assert_eq!(refusal(Method::GET, "sec-websocket-key", Some("dG9vIHNob3J0")).status(), 400);
}

// A00.FR.204
#[test]
fn basic_credentials_are_read_with_a_colon_and_any_bytes_in_the_password() {
    let read = |value: &str| {
        read_with("/ocpp/AL1000", &[("Authorization", value)], &HandshakeRules::default()).unwrap().credentials
    };
    let credentials = read("Basic QUwxMDAwOnBhOnNz").unwrap();
    assert_eq!((&*credentials.user, &*credentials.password), ("AL1000", &b"pa:ss"[..]));
    assert!(!format!("{credentials:?}").contains("112"), "a password does not get into a log");
    assert_eq!(read("basic QUwxMDAwOv8A").unwrap().password, [0xFF, 0]);
    for unreadable in ["Basic !!!", "Basic QUwxMDAw", "Bearer QUwxMDAwOnBhOnNz", "Basic"] {
        assert_eq!(read(unreadable), None, "{unreadable}");
    }
}

#[test]
fn a_challenge_comes_with_the_refusal_of_credentials() {
    let response = Refused::unauthorized().response();
    assert_eq!(response.status(), 401);
    assert!(response.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic "));
    assert_eq!(Refused::unknown_station().response().status(), 404);
}
