//! Mobile money, against an operator that speaks MTN's interface.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Csms, Folder};
use crate::mobile_stand_in::Operator;
use crate::money::{account, booted, event, sound, stage, told_to_start};

async fn start(folder: &Folder, operator: &Operator, pay_within: u32) -> Csms {
    Csms::start_with(&folder.file("csms.sqlite"), |file| {
        file.payments.mobile_money = Some(operator.settings());
        file.payments.pay_within = Some(pay_within);
    })
    .await
}

/// A guest pays by telephone: the id of the session, and the payment when the operator was asked.
async fn pay(csms: &Csms, phone: &str) -> (String, Value) {
    let payment = json!({"amount": 10, "currency": "EUR", "provider": "mobile_money", "method": phone});
    let body = json!({"station": "CS", "evse": 1, "payment": payment});
    let (status, session) = csms.request(Method::POST, "/api/v1/prepaid-sessions", Some(body)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{session}");
    let session = session["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/payments?payer=guest:{session}");
    let payment = csms.get_until(&path, |payments| payments[0]["state"] != "created").await[0].clone();
    (session, payment)
}

fn id(payment: &Value) -> &str {
    payment["id"].as_str().unwrap()
}

/// What the operator sends when something happened: anybody could.
async fn call_back(csms: &Csms, body: Value) -> (StatusCode, Value) {
    let response = reqwest::Client::new().post(csms.url("/api/v1/webhooks/mobile_money")).json(&body);
    let response = response.send().await.unwrap();
    (response.status(), serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default())
}

#[tokio::test]
async fn a_payer_confirms_on_the_telephone_and_gets_the_rest_back() {
    let (folder, operator) = (Folder::new(), Operator::start().await);
    let csms = start(&folder, &operator, 1_800).await;
    let mut station = booted(&csms, "ocpp2.0.1").await;
    // It is asked again until it answers, under the same id.
    operator.trouble(&[503, 429]);
    let (session, payment) = pay(&csms, "+250 788 123 456").await;
    let page = reqwest::get(csms.url(&format!("/pay/session/{session}"))).await.unwrap().text().await.unwrap();
    assert!(page.contains("Confirm the payment on your telephone."), "{page}");
    assert_eq!(operator.asked(), 3);
    let request = operator.payments()[id(&payment)].clone();
    assert_eq!(request.body["payer"], json!({"partyIdType": "MSISDN", "partyId": "250788123456"}));
    assert_eq!((&request.body["amount"], &request.body["currency"]), (&json!("10.00"), &json!("EUR")));
    assert_eq!(request.callback, Some(csms.url("/api/v1/webhooks/mobile_money")));
    // A callback proves nothing: the operator is asked, and says that nobody has confirmed.
    let forged = json!({"externalId": id(&payment), "status": "SUCCESSFUL", "amount": "10.00", "currency": "EUR"});
    assert_eq!(call_back(&csms, forged.clone()).await.0, StatusCode::NO_CONTENT);
    assert_eq!(csms.get(&format!("/api/v1/payments/{}", id(&payment))).await["state"], "requested");
    operator.decide(id(&payment), "SUCCESSFUL", None);
    assert_eq!(call_back(&csms, forged).await.0, StatusCode::NO_CONTENT);
    let started = told_to_start(&mut station, "Accepted").await;
    for (number, (kind, minute, kwh)) in [("Started", 0, 1.0), ("Ended", 20, 11.0)].into_iter().enumerate() {
        station.call("TransactionEvent", event(kind, i64::try_from(number).unwrap(), minute, kwh, &started)).await;
    }
    stage(&csms, &session, "settled").await;
    let refunds = format!("/api/v1/payments/{}/refunds", id(&payment));
    csms.get_until(&refunds, |refunds| refunds[0]["state"] == "requested").await;
    operator.decide_refunds("SUCCESSFUL");
    csms.get_until(&refunds, |refunds| refunds[0]["state"] == "done").await;
    let refunded: Vec<_> = operator.refunds().into_values().map(|refund| refund.body).collect();
    assert_eq!((refunded.len(), &refunded[0]["amount"]), (1, &json!("6.00")));
    assert_eq!(refunded[0]["referenceIdToRefund"], payment["id"]);
    assert_eq!((account(&csms, "provider:").await, account(&csms, "guest:").await), (4.0, 0.0));
    sound(&csms).await;
}

#[tokio::test]
async fn a_payer_who_refuses_or_lets_it_pass_pays_nothing() {
    let (folder, operator) = (Folder::new(), Operator::start().await);
    let csms = start(&folder, &operator, 1_800).await;
    let _station = booted(&csms, "ocpp2.0.1").await;
    for (status, reason, words) in [
        ("FAILED", Some("APPROVAL_REJECTED"), "APPROVAL_REJECTED"),
        ("FAILED", Some("EXPIRED"), "EXPIRED"),
        ("TIMEOUT", None, "TIMEOUT"),
    ] {
        let (session, payment) = pay(&csms, "250788123456").await;
        operator.decide(id(&payment), status, reason);
        let view = stage(&csms, &session, "abandoned").await;
        assert_eq!(view["failure"], words, "{view}");
    }
    // The operator will have nothing of it.
    operator.trouble(&[400]);
    let (session, _) = pay(&csms, "250788123456").await;
    stage(&csms, &session, "abandoned").await;
    assert_eq!(account(&csms, "").await, 0.0);
    sound(&csms).await;
}

#[tokio::test]
async fn what_is_paid_too_late_goes_back() {
    let (folder, operator) = (Folder::new(), Operator::start().await);
    let csms = start(&folder, &operator, 1).await;
    let _station = booted(&csms, "ocpp2.0.1").await;
    let (session, payment) = pay(&csms, "250788123456").await;
    let view = stage(&csms, &session, "abandoned").await;
    assert_eq!(view["failure"], "nobody paid in time");
    operator.decide(id(&payment), "SUCCESSFUL", None);
    assert_eq!(call_back(&csms, json!({"externalId": id(&payment)})).await.0, StatusCode::NO_CONTENT);
    let refunds = format!("/api/v1/payments/{}/refunds", id(&payment));
    csms.get_until(&refunds, |refunds| refunds[0]["amount"] == 10.0 && refunds[0]["state"] == "requested").await;
    operator.decide_refunds("SUCCESSFUL");
    csms.get_until(&refunds, |refunds| refunds[0]["state"] == "done").await;
    assert_eq!((account(&csms, "provider:").await, account(&csms, "guest:").await), (0.0, 0.0));
    sound(&csms).await;
}

#[tokio::test]
async fn a_refund_that_the_operator_refuses_is_left_to_people() {
    let (folder, operator) = (Folder::new(), Operator::start().await);
    let csms = start(&folder, &operator, 1_800).await;
    let mut station = booted(&csms, "ocpp2.0.1").await;
    let (session, payment) = pay(&csms, "250788123456").await;
    operator.decide(id(&payment), "SUCCESSFUL", None);
    told_to_start(&mut station, "Rejected").await;
    stage(&csms, &session, "released").await;
    let refunds = format!("/api/v1/payments/{}/refunds", id(&payment));
    csms.get_until(&refunds, |refunds| refunds[0]["state"] == "requested").await;
    operator.decide_refunds("FAILED");
    let failed = csms.get_until(&refunds, |refunds| refunds[0]["state"] == "failed").await;
    assert!(failed[0]["failure"].as_str().unwrap().contains("failed"), "{failed}");
    // The operator still has it, so the payer is still owed it.
    assert_eq!((account(&csms, "provider:").await, account(&csms, "guest:").await), (10.0, -10.0));
    sound(&csms).await;
}

#[tokio::test]
async fn a_number_that_is_none_and_a_callback_that_says_nothing_are_refused() {
    let (folder, operator) = (Folder::new(), Operator::start().await);
    let csms = start(&folder, &operator, 1_800).await;
    let _station = booted(&csms, "ocpp2.0.1").await;
    for phone in ["", "788", "ada@example.org"] {
        let payment = json!({"amount": 10, "currency": "EUR", "provider": "mobile_money", "method": phone});
        let body = json!({"station": "CS", "evse": 1, "payment": payment});
        let (status, problem) = csms.request(Method::POST, "/api/v1/prepaid-sessions", Some(body)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("country's code"), "{problem}");
    }
    let (status, problem) = call_back(&csms, json!({"status": "SUCCESSFUL"})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(problem["detail"].as_str().unwrap().contains("not understood"), "{problem}");
    assert_eq!(call_back(&csms, json!({"externalId": "nobody's"})).await.0, StatusCode::NO_CONTENT);
    assert_eq!(operator.asked(), 0);
}
