//! Payments by card, against a processor that speaks Stripe's interface: what is kept ready, taken, let go and given back; whatever goes
//! wrong on the way; and what it tells by itself, rightly, twice, late, in another order, never, or not at all.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::access_people::driver;
use crate::card_stand_in::{Processor, Trouble, WEBHOOK_SECRET, post_webhook, signature};
use crate::harness::{Csms, Folder, RawStation};
use crate::money::{account, booted, event, sound, stage, told_to_start};

async fn start(folder: &Folder, processor: &Processor) -> Csms {
    Csms::start_with(&folder.file("csms.sqlite"), |file| file.payments.card = Some(processor.settings())).await
}

async fn asked(csms: &Csms, path: &str, body: Value) -> Value {
    let (status, answer) = csms.request(Method::POST, path, Some(body)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{path}: {answer}");
    answer
}

/// A guest pays with a card that the processor knows, or on its page; the id of the session.
async fn pay(csms: &Csms, card: Option<&str>) -> String {
    let payment = json!({"amount": 10, "currency": "EUR", "provider": "card", "method": card});
    let body = json!({"station": "CS", "evse": 1, "payment": payment});
    asked(csms, "/api/v1/prepaid-sessions", body).await["id"].as_str().unwrap().to_owned()
}

async fn payment_of(csms: &Csms, session: &str) -> Value {
    csms.get(&format!("/api/v1/payments?payer=guest:{session}")).await[0].clone()
}

async fn payment_until(csms: &Csms, session: &str, condition: impl Fn(&Value) -> bool) -> Value {
    let path = format!("/api/v1/payments?payer=guest:{session}");
    csms.get_until(&path, |payments| condition(&payments[0])).await[0].clone()
}

/// 10 kWh for 4 EUR.
async fn charge(station: &mut RawStation, started: &(Value, Value)) {
    for (number, (kind, minute, kwh)) in
        [("Started", 0, 1.0), ("Updated", 10, 6.0), ("Ended", 20, 11.0)].into_iter().enumerate()
    {
        station.call("TransactionEvent", event(kind, i64::try_from(number).unwrap(), minute, kwh, started)).await;
    }
}

#[tokio::test]
async fn what_a_guest_does_not_use_is_let_go_and_never_taken() {
    let (folder, processor) = (Folder::new(), Processor::start().await);
    let csms = start(&folder, &processor).await;
    let mut station = booted(&csms, "ocpp2.0.1").await;
    let session = pay(&csms, Some("pm_card_visa")).await;
    let started = told_to_start(&mut station, "Accepted").await;
    assert_eq!((processor.held(), processor.balance()), (1_000, 0));
    charge(&mut station, &started).await;
    stage(&csms, &session, "settled").await;
    let payment = payment_until(&csms, &session, |payment| payment["capture"] == "done").await;
    assert_eq!((&payment["amount"], &payment["captured"]), (&json!(10.0), &json!(4.0)));
    assert_eq!((processor.held(), processor.balance()), (0, 400));
    // It was taken once, and nothing was given back: it had never been taken.
    let id = &processor.intents()[0].id;
    assert_eq!(processor.asked(), ["/v1/payment_intents", &format!("/v1/payment_intents/{id}/capture")]);
    assert_eq!((account(&csms, "provider:card").await, account(&csms, "guest:").await), (4.0, 0.0));
    sound(&csms).await;

    // What is refunded after that goes back through the processor, and no more than was taken.
    let path = "/api/v1/stations/CS/transactions/tx-1/refunds";
    let body = json!({"amount": 1.5, "reason": "it was slow"});
    let (status, bill) = csms.request(Method::POST, path, Some(body)).await;
    assert_eq!((status, &bill["due"]), (StatusCode::OK, &json!(2.5)), "{bill}");
    let refunds = format!("/api/v1/payments/{}/refunds", payment["id"].as_str().unwrap());
    let refunds = csms.get_until(&refunds, |refunds| refunds[0]["state"] == "done").await;
    assert_eq!(refunds[0]["amount"], 1.5);
    assert_eq!((processor.balance(), account(&csms, "provider:card").await), (250, 2.5));
    sound(&csms).await;
}

#[tokio::test]
async fn a_session_that_does_not_start_takes_nothing() {
    let (folder, processor) = (Folder::new(), Processor::start().await);
    let csms = start(&folder, &processor).await;
    let mut station = booted(&csms, "ocpp2.1").await;
    let session = pay(&csms, Some("pm_card_visa")).await;
    told_to_start(&mut station, "Rejected").await;
    stage(&csms, &session, "released").await;
    let payment = payment_until(&csms, &session, |payment| payment["capture"] == "done").await;
    assert_eq!(payment["captured"], 0.0);
    assert_eq!(processor.intents()[0].status, "canceled");
    assert_eq!((processor.held(), processor.balance(), account(&csms, "provider:").await), (0, 0, 0.0));
    sound(&csms).await;
}

#[tokio::test]
async fn a_payer_without_a_card_on_file_is_sent_to_the_page_of_the_processor() {
    let (folder, processor) = (Folder::new(), Processor::start().await);
    let csms = start(&folder, &processor).await;
    let mut station = booted(&csms, "ocpp2.0.1").await;
    let session = pay(&csms, None).await;
    payment_until(&csms, &session, |payment| payment["state"] == "requested").await;
    let page = reqwest::get(csms.url(&format!("/pay/session/{session}"))).await.unwrap().text().await.unwrap();
    assert!(page.contains("href=\"https://checkout.example/cs_1\""), "{page}");
    let form = processor.page_form();
    assert_eq!(form["success_url"], csms.url(&format!("/pay/session/{session}")));
    assert_eq!(
        (&*form["line_items[0][price_data][unit_amount]"], &*form["payment_intent_data[capture_method]"]),
        ("1000", "manual")
    );
    // A card that is declined there ends nothing: the payer takes another one.
    processor.fill_in(false);
    for event in processor.events() {
        assert_eq!(processor.deliver(&csms.url(""), &event).await.unwrap().0, 204);
    }
    assert_eq!(payment_of(&csms, &session).await["state"], "requested");
    processor.fill_in(true);
    // Whichever event comes: the one that only says that the page is done, or the one with the money.
    let done = processor.events().into_iter().find(|event| event["type"] == "checkout.session.completed").unwrap();
    assert_eq!(processor.deliver(&csms.url(""), &done).await.unwrap().0, 204);
    let started = told_to_start(&mut station, "Accepted").await;
    charge(&mut station, &started).await;
    payment_until(&csms, &session, |payment| payment["capture"] == "done").await;
    assert_eq!((processor.held(), processor.balance()), (0, 400));
    sound(&csms).await;
}

#[tokio::test]
async fn a_page_on_which_nobody_pays_is_closed_when_patience_is_over() {
    let (folder, processor) = (Folder::new(), Processor::start().await);
    let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| {
        file.payments.card = Some(processor.settings());
        file.payments.pay_within = Some(1);
    })
    .await;
    let _station = booted(&csms, "ocpp2.0.1").await;
    let session = pay(&csms, None).await;
    let view = stage(&csms, &session, "abandoned").await;
    assert!(view["failure"].as_str().unwrap().contains("nobody paid"), "{view}");
    assert!(processor.asked().contains(&"/v1/checkout/sessions/cs_1/expire".to_owned()));
    sound(&csms).await;
}

#[tokio::test]
async fn a_bank_that_asks_back_is_waited_for() {
    let (folder, processor) = (Folder::new(), Processor::start().await);
    let csms = start(&folder, &processor).await;
    let mut station = booted(&csms, "ocpp2.0.1").await;
    for (card_is_good, end) in [(false, "abandoned"), (true, "running")] {
        let session = pay(&csms, Some("pm_card_authenticationRequired")).await;
        let payment = payment_until(&csms, &session, |payment| payment["state"] == "requested").await;
        let page = reqwest::get(csms.url(&format!("/pay/session/{session}"))).await.unwrap().text().await.unwrap();
        assert!(page.contains("https://bank.example/3ds"), "{page}");
        // No webhook comes: it is asked after.
        processor.confirm(payment["id"].as_str().unwrap(), card_is_good);
        if card_is_good {
            let started = told_to_start(&mut station, "Accepted").await;
            station.call("TransactionEvent", event("Started", 0, 0, 1.0, &started)).await;
        }
        stage(&csms, &session, end).await;
    }
    sound(&csms).await;
}

#[tokio::test]
async fn a_card_that_is_declined_pays_nothing() {
    let (folder, processor) = (Folder::new(), Processor::start().await);
    let csms = start(&folder, &processor).await;
    let _station = booted(&csms, "ocpp2.0.1").await;
    for (card, words) in [("pm_card_visa_chargeDeclined", "declined"), ("pm_none", "No such PaymentMethod")] {
        let session = pay(&csms, Some(card)).await;
        let view = stage(&csms, &session, "abandoned").await;
        assert!(view["failure"].as_str().unwrap().contains(words), "{view}");
    }
    assert_eq!((processor.held(), account(&csms, "").await), (0, 0.0));
    sound(&csms).await;
}

#[tokio::test]
async fn a_processor_in_trouble_is_asked_again_and_does_everything_once() {
    let (folder, processor) = (Folder::new(), Processor::start().await);
    let csms = start(&folder, &processor).await;
    let mut station = booted(&csms, "ocpp2.0.1").await;
    let trouble = [
        Trouble::Answer(429),
        Trouble::Answer(500),
        Trouble::Answer(409),
        Trouble::LostAnswer,
        Trouble::Slow(Duration::from_millis(300)),
    ];
    processor.trouble(trouble);
    let session = pay(&csms, Some("pm_card_visa")).await;
    let started = told_to_start(&mut station, "Accepted").await;
    assert_eq!(processor.intents().len(), 1);
    processor.trouble([Trouble::Answer(503), Trouble::LostAnswer]);
    charge(&mut station, &started).await;
    payment_until(&csms, &session, |payment| payment["capture"] == "done").await;
    assert_eq!((processor.held(), processor.balance()), (0, 400));
    assert_eq!(processor.asked().len(), 2, "{:?}", processor.asked());
    sound(&csms).await;
}

#[tokio::test]
async fn money_that_is_not_kept_ready_any_more_is_owed_by_who_charged() {
    let (folder, processor) = (Folder::new(), Processor::start().await);
    let csms = start(&folder, &processor).await;
    let mut station = booted(&csms, "ocpp2.0.1").await;
    let session = pay(&csms, Some("pm_card_visa")).await;
    let started = told_to_start(&mut station, "Accepted").await;
    // The processor let it go by itself, as it does after some days.
    let id = processor.intents()[0].id.clone();
    let cancel = reqwest::Client::new().post(format!("{}/v1/payment_intents/{id}/cancel", processor.url()));
    let cancelled = cancel.bearer_auth(crate::card_stand_in::KEY).form(&json!({})).send().await.unwrap();
    assert!(cancelled.status().is_success());
    charge(&mut station, &started).await;
    let payment = payment_until(&csms, &session, |payment| payment["capture"] == "failed").await;
    assert_eq!(payment["captured"], 0.0);
    // Above zero is what the operator is owed.
    assert_eq!((account(&csms, "guest:").await, account(&csms, "provider:card").await), (4.0, 0.0));
    sound(&csms).await;
}

#[tokio::test]
async fn a_top_up_is_taken_at_once_and_paid_back_as_far_as_it_is_left() {
    let (folder, processor) = (Folder::new(), Processor::start().await);
    let csms = start(&folder, &processor).await;
    let (id, _) = driver(&csms, "ada@example.org", "balance").await;
    let body = json!({"amount": 20, "currency": "EUR", "provider": "card", "method": "pm_card_visa"});
    let payment = asked(&csms, &format!("/api/v1/drivers/{id}/top-ups"), body).await;
    let path = format!("/api/v1/payments/{}", payment["id"].as_str().unwrap());
    let payment = csms.get_until(&path, |payment| payment["state"] == "confirmed").await;
    assert_eq!((&payment["capture"], processor.balance()), (&json!("none"), 2_000));
    let refunds = format!("{path}/refunds");
    processor.refunds_pend(true);
    let refund = asked(&csms, &refunds, json!({"amount": 12.5, "reason": "asked for"})).await;
    csms.get_until(&refunds, |refunds| refunds[0]["state"] == "requested").await;
    // What is on its way counts: no more than the rest goes back.
    for (amount, status) in [(7.51, StatusCode::CONFLICT), (0.0, StatusCode::CONFLICT), (-1.0, StatusCode::CONFLICT)] {
        let (answered, problem) =
            csms.request(Method::POST, &refunds, Some(json!({"amount": amount, "reason": "x"}))).await;
        assert_eq!(answered, status, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("EUR"), "{problem}");
    }
    let (status, problem) = csms.request(Method::POST, &refunds, Some(json!({"amount": 1.001, "reason": "x"}))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
    processor.refunds_pend(false);
    let done = csms.get_until(&refunds, |refunds| refunds[0]["state"] == "done").await;
    assert_eq!((&done[0]["id"], processor.balance()), (&refund["id"], 750));
    assert_eq!(account(&csms, "driver:").await, -7.5);
    sound(&csms).await;
}

#[tokio::test]
async fn a_notification_counts_once_in_whatever_order_it_comes() {
    let (folder, processor) = (Folder::new(), Processor::start().await);
    let csms = start(&folder, &processor).await;
    let mut station = booted(&csms, "ocpp2.0.1").await;
    let session = pay(&csms, Some("pm_card_authenticationRequired")).await;
    let payment = payment_until(&csms, &session, |payment| payment["state"] == "requested").await;
    processor.confirm(payment["id"].as_str().unwrap(), true);
    // The later one first, and each twice.
    let mut events = processor.events();
    assert_eq!(events.len(), 2, "{events:?}");
    events.reverse();
    for event in events.iter().chain(&events) {
        assert_eq!(processor.deliver(&csms.url(""), event).await.unwrap().0, 204);
    }
    let started = told_to_start(&mut station, "Accepted").await;
    assert_eq!((account(&csms, "provider:card").await, account(&csms, "hold:").await), (10.0, -10.0));
    charge(&mut station, &started).await;
    payment_until(&csms, &session, |payment| payment["capture"] == "done").await;
    // What it told long ago changes nothing, nor does what it tells of its own doings.
    for event in processor.events() {
        assert_eq!(processor.deliver(&csms.url(""), &event).await.unwrap().0, 204);
    }
    assert_eq!((processor.balance(), account(&csms, "provider:card").await), (400, 4.0));
    sound(&csms).await;
}

#[tokio::test]
async fn a_notification_of_somebody_else_of_another_time_or_of_another_amount_is_refused() {
    let (folder, processor) = (Folder::new(), Processor::start().await);
    let csms = start(&folder, &processor).await;
    let _station = booted(&csms, "ocpp2.0.1").await;
    let session = pay(&csms, Some("pm_card_authenticationRequired")).await;
    let payment = payment_until(&csms, &session, |payment| payment["state"] == "requested").await;
    let reference = payment["reference"].as_str().unwrap();
    let told = |amount: i64, currency: &str, reference: &str| {
        json!({"id": "evt_forged", "type": "payment_intent.succeeded", "data": {"object": {"id": reference, "status": "succeeded",
            "amount": amount, "amount_received": amount, "currency": currency}}})
        .to_string()
    };
    let now = Timestamp::now();
    let right = told(1_000, "eur", reference);
    let old = now - SignedDuration::from_secs(301);
    let cases = [
        (signature("whsec_other", now, &right), right.clone(), 400, "signature"),
        (signature(WEBHOOK_SECRET, now, "{}"), right.clone(), 400, "signature"),
        (String::new(), right.clone(), 400, "signature"),
        (signature(WEBHOOK_SECRET, old, &right), right.clone(), 400, "another time"),
        (signature(WEBHOOK_SECRET, now + SignedDuration::from_secs(400), &right), right.clone(), 400, "another time"),
        (signature(WEBHOOK_SECRET, now, "{"), "{".to_owned(), 400, "not understood"),
    ];
    for (signature, body, status, words) in cases {
        let (answered, problem) = post_webhook(&csms.url(""), &signature, body).await.unwrap();
        assert_eq!(answered, status, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{words}: {problem}");
    }
    for body in [told(999, "eur", reference), told(1_000, "usd", reference), told(1_000, "xxz", reference)] {
        let sign = signature(WEBHOOK_SECRET, now, &body);
        let (status, problem) = post_webhook(&csms.url(""), &sign, body).await.unwrap();
        assert_eq!((status, problem["status"].clone()), (400, json!(400)), "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("another amount"), "{problem}");
    }
    // Of a payment that nobody knows, nothing comes, and the processor need not tell it again.
    let unknown = told(1_000, "eur", "pi_unknown");
    let sign = signature(WEBHOOK_SECRET, now, &unknown);
    assert_eq!(post_webhook(&csms.url(""), &sign, unknown).await.unwrap().0, 204);
    assert_eq!(payment_of(&csms, &session).await["state"], "requested");
    assert_eq!(account(&csms, "").await, 0.0);
    assert_eq!(csms.server.csms().payments().refused_notifications(), 9);
    // With the right one, it counts.
    let sign = signature(WEBHOOK_SECRET, now, &right);
    assert_eq!(post_webhook(&csms.url(""), &sign, right).await.unwrap().0, 204);
    assert_eq!(payment_of(&csms, &session).await["state"], "confirmed");
}
