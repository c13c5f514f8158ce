//! The local authorization list brought to a wanted state (2.1 part 2, D01, D02; 1.6 edition 2, 5.10, 5.15), with a station that keeps
//! one.

use std::collections::BTreeMap;

use ocpp_core::csms::flows::{Completion, Flow, FlowEnd, LocalListSynchronisation, Progress};
use ocpp_core::csms::{CallOutcome, Input};
use ocpp_core::types::v2_1::AuthorizationData;
use ocpp_core::types::{Text, Version};
use serde_json::{Value, json};

use crate::csms_support::*;

/// A station with a list, which does with it what the standard says.
struct Holder {
    version: i64,
    tokens: BTreeMap<String, Value>,
    /// How many tokens it takes in a message; `None` where it doesn't tell.
    limit: Option<usize>,
    /// Answers to messages of a list in place of what it would say, the next one first.
    says: Vec<&'static str>,
    /// What it says of its version in place of the truth.
    claims: Option<i64>,
    /// Kind, version and tokens of each message of a list.
    received: Vec<(String, i64, usize)>,
}

impl Holder {
    fn new(limit: Option<usize>) -> Self {
        Self { version: 0, tokens: BTreeMap::new(), limit, says: Vec::new(), claims: None, received: Vec::new() }
    }

    fn answer(&mut self, version: Version, action: &str, payload: &Value) -> Value {
        match action {
            "GetLocalListVersion" if version == Version::V1_6 => {
                json!({"listVersion": self.claims.unwrap_or(self.version)})
            }
            "GetLocalListVersion" => json!({"versionNumber": self.claims.unwrap_or(self.version)}),
            "GetConfiguration" => {
                let value = self.limit.map(|limit| limit.to_string());
                let key = |name: &str, value: &Option<String>| json!({"key": name, "readonly": true, "value": value});
                let length = Some("1000".to_owned());
                match value {
                    Some(value) => {
                        json!({"configurationKey": [key("SendLocalListMaxLength", &Some(value)), key("LocalAuthListMaxLength", &length)]})
                    }
                    None => json!({"unknownKey": payload["key"]}),
                }
            }
            "GetVariables" => {
                let asked = payload["getVariableData"].as_array().unwrap();
                let results = asked.iter().map(|asked| {
                    let mut result = asked.clone();
                    let known = self.limit.filter(|_| asked["variable"]["name"] == "ItemsPerMessage");
                    result["attributeStatus"] = json!(if known.is_some() { "Accepted" } else { "UnknownVariable" });
                    if let Some(limit) = known {
                        result["attributeValue"] = json!(limit.to_string());
                    }
                    result
                });
                json!({"getVariableResult": results.collect::<Vec<_>>()})
            }
            "SendLocalList" => json!({"status": self.take(version, payload)}),
            other => panic!("{other}"),
        }
    }

    /// D01.FR.15 to D01.FR.19
    fn take(&mut self, version: Version, payload: &Value) -> &'static str {
        let number = payload[if version == Version::V1_6 { "listVersion" } else { "versionNumber" }].as_i64().unwrap();
        let entries = payload["localAuthorizationList"].as_array().cloned().unwrap_or_default();
        let full = payload["updateType"] == "Full";
        self.received.push((payload["updateType"].as_str().unwrap().into(), number, entries.len()));
        assert!(self.limit.unwrap_or(1) >= entries.len(), "D01.FR.11");
        if !self.says.is_empty() {
            return self.says.remove(0);
        }
        if !full && number <= self.version {
            return "VersionMismatch";
        }
        if full {
            self.tokens.clear();
        }
        for entry in entries {
            let (token, info) = match version {
                Version::V1_6 => (&entry["idTag"], &entry["idTagInfo"]),
                _ => (&entry["idToken"]["idToken"], &entry["idTokenInfo"]),
            };
            let token = token.as_str().unwrap().to_owned();
            if info.is_null() {
                self.tokens.remove(&token)
            } else {
                self.tokens.insert(token, info.clone())
            };
        }
        self.version = number;
        "Accepted"
    }

    /// Answers until nothing more is asked.
    fn serve(&mut self, csms: &mut Csms) {
        while let Some(frame) = csms.drain_sent().pop() {
            let answer = self.answer(csms.version, frame[2].as_str().unwrap(), &frame[3]);
            csms.frame(json!([3, frame[1], answer]).to_string());
        }
    }

    fn synchronise(&mut self, csms: &mut Csms, version: i64, tokens: &[(&str, &str)]) -> FlowEnd {
        csms.flow(1, synchronisation(version, tokens));
        self.serve(csms);
        self.end_of(csms)
    }

    fn end_of(&self, csms: &mut Csms) -> FlowEnd {
        csms.end(1)
    }

    fn statuses(&self) -> Vec<(&str, &str)> {
        self.tokens.iter().map(|(token, info)| (&**token, info["status"].as_str().unwrap())).collect()
    }

    fn received(&mut self) -> Vec<(String, i64, usize)> {
        std::mem::take(&mut self.received)
    }
}

fn entries(tokens: &[(&str, &str)]) -> Vec<AuthorizationData> {
    let entry = |(token, status): &(&str, &str)| json!({"idToken": {"idToken": token, "type": "ISO14443"}, "idTokenInfo": {"status": status}});
    tokens.iter().map(|token| serde_json::from_value(entry(token)).unwrap()).collect()
}

fn synchronisation(version: i64, tokens: &[(&str, &str)]) -> Flow {
    Flow::SynchroniseLocalList(LocalListSynchronisation::new(version, entries(tokens)))
}

fn message(kind: &str, version: i64, tokens: usize) -> (String, i64, usize) {
    (kind.into(), version, tokens)
}

const DONE: FlowEnd = FlowEnd::Completed(Completion::Done);

/// D01.FR.03, D01.FR.11, D02.FR.02; 1.6 edition 2, 5.10, 5.15
#[test]
fn a_station_without_a_list_gets_all_of_it_and_is_asked_what_it_has() {
    for version in Version::ALL {
        let (mut csms, mut station) = (Csms::new(version), Holder::new(Some(2)));
        let wanted = [("A", "Accepted"), ("B", "Blocked"), ("C", "Accepted"), ("D", "Accepted"), ("E", "Expired")];
        assert_eq!(station.synchronise(&mut csms, 10, &wanted), DONE);
        // The last message alone has the wanted version.
        let expected = [message("Full", 8, 2), message("Differential", 9, 2), message("Differential", 10, 1)];
        assert_eq!(station.received(), expected);
        assert_eq!(station.statuses(), wanted);
        assert_eq!(csms.session.mirrors().local_list().version(), Some(10));
        assert_eq!(csms.progress(), [Progress::Parts { count: 1 }, Progress::Parts { count: 2 }]);
    }
}

/// D01.FR.05, D01.FR.16, D01.FR.17; 1.6 edition 2, 5.15
#[test]
fn what_differs_is_sent_where_the_list_is_known() {
    for version in Version::ALL {
        let (mut csms, mut station) = (Csms::new(version), Holder::new(Some(9)));
        let first = [("A", "Accepted"), ("B", "Accepted"), ("C", "Accepted"), ("D", "Accepted")];
        assert_eq!(station.synchronise(&mut csms, 10, &first), DONE);
        assert_eq!(station.received(), [message("Full", 10, 4)]);
        assert_eq!(station.synchronise(&mut csms, 10, &first), FlowEnd::Completed(Completion::Nothing));
        assert_eq!(station.received(), [], "it has the wanted version");
        let changed = [("A", "Accepted"), ("B", "Blocked"), ("D", "Accepted"), ("E", "Accepted")];
        assert_eq!(station.synchronise(&mut csms, 11, &changed), DONE);
        assert_eq!(station.received(), [message("Differential", 11, 3)]);
        assert_eq!(station.statuses(), changed);
        assert_eq!(station.synchronise(&mut csms, 12, &changed), DONE);
        assert_eq!(station.received(), [message("Differential", 12, 0)], "the version alone");
        // An older version has no room above that of the station, and nor have changes of everything a use.
        assert_eq!(station.synchronise(&mut csms, 5, &first), DONE);
        assert_eq!(station.received(), [message("Full", 5, 4)]);
        assert_eq!(station.synchronise(&mut csms, 6, &[]), DONE);
        assert_eq!(station.received(), [message("Full", 6, 0)]);
        assert_eq!(station.statuses(), []);
    }
}

#[test]
fn a_list_that_somebody_else_changed_is_sent_as_a_whole() {
    for version in Version::ALL {
        let (mut csms, mut station) = (Csms::new(version), Holder::new(Some(9)));
        let list = [("A", "Accepted"), ("B", "Accepted"), ("C", "Accepted")];
        station.synchronise(&mut csms, 10, &list);
        station.version = 11;
        station.tokens.clear();
        assert_eq!(station.synchronise(&mut csms, 20, &list), DONE);
        assert_eq!(station.received()[1..], [message("Full", 20, 3)]);
        // A restart forgets what the list holds.
        csms.restart();
        csms.connect();
        assert_eq!(station.synchronise(&mut csms, 21, &list), DONE);
        assert_eq!(station.received(), [message("Full", 21, 3)]);
    }
}

/// D01.FR.03; 1.6 edition 2, 5.15
#[test]
fn changes_that_are_refused_are_followed_by_the_whole_list_once() {
    for version in Version::ALL {
        for status in ["Failed", "VersionMismatch"] {
            let (mut csms, mut station) = (Csms::new(version), Holder::new(Some(9)));
            let list = [("A", "Accepted"), ("B", "Accepted"), ("C", "Accepted")];
            station.synchronise(&mut csms, 10, &list[..2]);
            station.received();
            station.says = vec![status];
            assert_eq!(station.synchronise(&mut csms, 11, &list), DONE);
            assert_eq!(station.received(), [message("Differential", 11, 1), message("Full", 11, 3)]);
            assert_eq!(station.statuses(), list);
            assert_eq!(csms.progress(), [Progress::Status { status: status.into() }]);
            station.says = vec![status, status];
            let end = station.synchronise(&mut csms, 12, &list[1..]);
            assert_eq!(end, FlowEnd::Refused { status: status.into(), reason: None }, "once");
            assert_eq!(station.received().len(), 2);
        }
    }
}

#[test]
fn a_station_that_accepts_and_has_another_version_gets_the_whole_list_once_more() {
    for version in Version::ALL {
        let (mut csms, mut station) = (Csms::new(version), Holder::new(Some(9)));
        station.claims = Some(3);
        let end = station.synchronise(&mut csms, 10, &[("A", "Accepted")]);
        assert_eq!(end, FlowEnd::OtherVersion { version: 3 });
        assert_eq!(station.received(), [message("Full", 10, 1), message("Full", 10, 1)]);
    }
}

/// 1.6 edition 2, 5.10
#[test]
fn a_station_that_has_no_such_list_says_so() {
    let (mut csms, mut station) = (Csms::new(Version::V1_6), Holder::new(None));
    station.claims = Some(-1);
    let end = station.synchronise(&mut csms, 10, &[("A", "Accepted")]);
    assert!(matches!(&end, FlowEnd::Refused { status, .. } if status == "NotSupported"), "{end:?}");
    for version in Version::ALL {
        let (mut csms, mut station) = (Csms::new(version), Holder::new(None));
        station.says = vec!["NotSupported"];
        if version != Version::V1_6 {
            station.says = vec!["Failed"];
        }
        let end = station.synchronise(&mut csms, 10, &[("A", "Accepted")]);
        assert!(matches!(end, FlowEnd::Refused { .. }), "{end:?}");
        assert_eq!(station.received().len(), 1);
    }
}

/// D01.FR.11, where nothing is known of the station.
#[test]
fn a_station_that_tells_no_limit_gets_one_token_a_message() {
    for version in Version::ALL {
        let (mut csms, mut station) = (Csms::new(version), Holder::new(None));
        assert_eq!(station.synchronise(&mut csms, 10, &[("A", "Accepted"), ("B", "Accepted")]), DONE);
        assert_eq!(station.received(), [message("Full", 9, 1), message("Differential", 10, 1)]);
    }
}

#[test]
fn a_station_that_refuses_the_question_about_its_limit_gets_one_token_a_message() {
    for version in Version::ALL {
        let (mut csms, mut station) = (Csms::new(version), Holder::new(None));
        csms.flow(1, synchronisation(10, &[("A", "Accepted"), ("B", "Accepted")]));
        let (id, action, payload) = csms.received_call();
        let answer = station.answer(version, &action, &payload);
        csms.frame(json!([3, id, answer]).to_string());
        let (id, ..) = csms.received_call();
        csms.frame(json!([4, id, "NotImplemented", "", {}]).to_string());
        station.serve(&mut csms);
        assert_eq!(station.end_of(&mut csms), DONE);
    }
}

/// D01.FR.06, D01.FR.12, D01.FR.18; 1.6 errata 3.52; 1.6 edition 2, 9.2.2
#[test]
fn a_list_that_no_station_can_have_is_kept_back() {
    for version in Version::ALL {
        let not_allowed = |flow: Flow| {
            let mut csms = Csms::new(version);
            csms.flow(1, flow);
            let end = csms.end(1);
            assert!(matches!(end, FlowEnd::NotAllowed { .. }), "{end:?}");
            csms.assert_nothing_sent();
        };
        not_allowed(synchronisation(0, &[("A", "Accepted")]));
        not_allowed(synchronisation(1, &[("A", "Accepted"), ("a", "Accepted")]));
        let mut removed = entries(&[("A", "Accepted")]);
        removed[0].id_token_info = None;
        not_allowed(Flow::SynchroniseLocalList(LocalListSynchronisation::new(1, removed)));
        // The version has no room for those of two messages.
        let (mut csms, mut station) = (Csms::new(version), Holder::new(None));
        let end = station.synchronise(&mut csms, 1, &[("A", "Accepted"), ("B", "Accepted")]);
        assert!(matches!(end, FlowEnd::NotAllowed { .. }), "{end:?}");
        assert_eq!(station.received(), []);
    }
    let names: Vec<String> = (0..1001).map(|number| format!("T{number}")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (&**name, "Accepted")).collect();
    let (mut csms, mut station) = (Csms::new(Version::V1_6), Holder::new(Some(100)));
    let end = station.synchronise(&mut csms, 10_000, &many);
    assert!(matches!(end, FlowEnd::NotAllowed { .. }), "{end:?}");
    assert_eq!(station.received(), []);
    let mut long = entries(&[("A", "Accepted")]);
    long[0].id_token.id_token = Text::new("x".repeat(30)).unwrap();
    csms.flow(1, Flow::SynchroniseLocalList(LocalListSynchronisation::new(1, long)));
    station.serve(&mut csms);
    let end = csms.end(1);
    assert!(
        matches!(&end, FlowEnd::CallFailed { outcome: CallOutcome::Invalid { .. }, .. }),
        "1.6 has room for 20 characters; cut, it would be another token: {end:?}"
    );
}

#[test]
fn a_list_half_sent_is_no_list_and_two_are_not_sent_at_once() {
    for version in Version::ALL {
        let (mut csms, mut station) = (Csms::new(version), Holder::new(Some(1)));
        let list = [("A", "Accepted"), ("B", "Accepted")];
        station.synchronise(&mut csms, 10, &list[..1]);
        csms.flow(1, synchronisation(20, &list));
        csms.flow(2, synchronisation(30, &list));
        assert!(matches!(csms.end(2), FlowEnd::NotAllowed { .. }));
        // The station takes the first message, and is gone.
        for _ in 0..2 {
            let (id, action, payload) = csms.received_call();
            let answer = station.answer(version, &action, &payload);
            csms.frame(json!([3, id, answer]).to_string());
        }
        csms.input(Input::Disconnected);
        let end = csms.end(1);
        assert!(matches!(&end, FlowEnd::CallFailed { outcome: CallOutcome::ConnectionLost, .. }), "{end:?}");
        assert_ne!(station.version, 20);
        csms.connect();
        assert_eq!(station.synchronise(&mut csms, 20, &list), DONE);
        assert_eq!(station.statuses(), list);
    }
}
