//! What a station knows of a customer, and having it forgotten (N09, N10).

use ocpp_core::csms::flows::{Awaited, CertificateHash, Completion, Customer, CustomerQuery, Flow, FlowEnd, Progress};
use ocpp_core::csms::{CallOutcome, Token};
use ocpp_core::types::Version;
use serde_json::{Value, json};

use crate::csms_flows_support::*;
use crate::csms_support::*;

fn someone() -> Customer {
    Customer::Token(Token::with_kind("TAG", "ISO14443"))
}

fn asking(version: Version, query: CustomerQuery, status: &str) -> (Csms, i64, Value) {
    let mut csms = Csms::new(version);
    csms.flow(1, Flow::CustomerInformation(query));
    let (action, payload) = csms.answer_status(status);
    assert_eq!(action, "CustomerInformation");
    (csms, payload["requestId"].as_i64().unwrap(), payload)
}

fn part(csms: &mut Csms, request_id: i64, number: i64, data: &str, more: bool) {
    let payload = json!({"requestId": request_id, "seqNo": number, "data": data, "generatedAt": at(0), "tbc": more});
    assert_eq!(csms.exchange("NotifyCustomerInformation", payload).result(), json!({}));
}

/// N09.FR.01, N09.FR.04, N09.FR.08, N10.FR.08, N10.FR.09
#[test]
fn a_customer_is_referred_to_in_exactly_one_way() {
    let hash = CertificateHash {
        algorithm: "SHA512".into(),
        issuer_name: "0a".into(),
        issuer_key: "0b".into(),
        serial_number: "c".into(),
    };
    let hashed = json!({
        "hashAlgorithm": "SHA512", "issuerNameHash": "0a", "issuerKeyHash": "0b", "serialNumber": "c",
    });
    let customers = [
        (someone(), "idToken", json!({"idToken": "TAG", "type": "ISO14443"})),
        (Customer::Certificate(hash), "customerCertificate", hashed),
        (Customer::Identifier("Jane".into()), "customerIdentifier", json!("Jane")),
    ];
    for version in V2 {
        for (customer, member, value) in &customers {
            for clear in [false, true] {
                let query = if clear {
                    CustomerQuery::clear(customer.clone())
                } else {
                    CustomerQuery::report(customer.clone())
                };
                let (_, id, payload) = asking(version, query, "Accepted");
                let mut expected = json!({"requestId": id, "report": true, "clear": clear});
                expected[member] = value.clone();
                assert_eq!(payload, expected);
            }
        }
    }
}

/// N09.FR.05
#[test]
fn what_is_known_of_a_customer_comes_in_parts() {
    for version in V2 {
        let (mut csms, id, _) = asking(version, CustomerQuery::report(someone()), "Accepted");
        part(&mut csms, id, 0, "name: ", true);
        part(&mut csms, id + 1, 1, "somebody else's", false);
        csms.restart();
        csms.connect();
        csms.assert_running();
        part(&mut csms, id, 1, "Jane", false);
        assert_eq!(csms.end(1), FlowEnd::Completed(Completion::Customer { data: "name: Jane".into() }));
    }
}

#[test]
fn parts_in_the_wrong_order_are_put_right_and_contradictions_are_told() {
    let (mut csms, id, _) = asking(Version::V2_1, CustomerQuery::report(someone()), "Accepted");
    csms.progress();
    part(&mut csms, id, 2, "c", false);
    part(&mut csms, id, 0, "a", true);
    part(&mut csms, id, 0, "a", true);
    assert_eq!(csms.progress().last(), Some(&Progress::Parts { count: 2 }));
    part(&mut csms, id, 1, "b", true);
    assert_eq!(csms.end(1), FlowEnd::Completed(Completion::Customer { data: "abc".into() }));
    let (mut csms, id, _) = asking(Version::V2_1, CustomerQuery::report(someone()), "Accepted");
    part(&mut csms, id, 0, "a", true);
    part(&mut csms, id, 0, "b", true);
    assert_eq!(csms.end(1), FlowEnd::Incomplete);
}

/// N09.FR.07, N10.FR.07
#[test]
fn a_query_that_wants_nothing_is_not_sent() {
    let mut query = CustomerQuery::report(someone());
    query.report = false;
    let mut csms = Csms::new(Version::V2_1);
    csms.flow(1, Flow::CustomerInformation(query));
    assert!(matches!(csms.end(1), FlowEnd::NotAllowed { .. }));
    csms.assert_nothing_sent();
}

#[test]
fn a_query_may_be_refused_or_never_answered() {
    for status in ["Rejected", "Invalid"] {
        let (mut csms, ..) = asking(Version::V2_0_1, CustomerQuery::report(someone()), status);
        assert_eq!(csms.end(1), FlowEnd::Refused { status: status.into(), reason: None });
    }
    let (mut csms, id, _) = asking(Version::V2_0_1, CustomerQuery::report(someone()), "Accepted");
    part(&mut csms, id, 0, "a", true);
    csms.pass(6 * MINUTE);
    assert_eq!(csms.end(1), FlowEnd::TimedOut { awaited: Awaited::Report });
    let mut csms = Csms::new(Version::V1_6);
    csms.flow(1, Flow::CustomerInformation(CustomerQuery::report(someone())));
    assert!(matches!(csms.end(1), FlowEnd::CallFailed { outcome: CallOutcome::NotSupported, .. }));
}
