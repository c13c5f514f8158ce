//! What drivers do with their own money, by REST and at the portal: top up, start, stop, look at sessions and statements. And what
//! operators do with it: invoices, refunds, statements.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::access_pages::{open, submit};
use crate::access_people::{Browser, driver};
use crate::harness::{Csms, Folder, RawStation};
use crate::money::{account, booted, event, sound};

async fn start(folder: &Folder) -> Csms {
    Csms::start_with(&folder.file("csms.sqlite"), |file| {
        file.payments.sandbox = Some(true);
        file.operator = Some("Example CPO".to_owned());
    })
    .await
}

/// A station with two charging points, of which the second is out of service.
async fn station(csms: &Csms) -> RawStation {
    let mut station = booted(csms, "ocpp2.0.1").await;
    for (evse, status) in [(1, "Available"), (2, "Unavailable")] {
        let status =
            json!({"timestamp": "2026-06-01T09:59:00Z", "connectorStatus": status, "evseId": evse, "connectorId": 1});
        station.call("StatusNotification", status).await;
    }
    station
}

async fn balance(ada: &mut Browser<'_>, expected: f64) {
    for _ in 0..500 {
        let (status, balances) = ada.send(Method::GET, "/api/v1/driver/balance", json!(null)).await;
        assert_eq!(status, StatusCode::OK);
        if balances[0]["balance"] == expected {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the balance does not become {expected}");
}

/// The next call of this action, accepted.
async fn told(station: &mut RawStation, action: &str) -> Value {
    let (id, call) = station.expect_call(action).await;
    station.answer(&id, json!({"status": "Accepted"})).await;
    call
}

#[tokio::test]
async fn a_driver_tops_up_starts_stops_and_reads_the_statement() {
    let folder = Folder::new();
    let csms = start(&folder).await;
    let mut station = station(&csms).await;
    let (id, mut ada) = driver(&csms, "ada@example.org", "balance").await;
    let (_, mut eve) = driver(&csms, "eve@example.org", "balance").await;
    let place = json!({"station": "CS", "evse": 1});
    let (status, problem) = ada.send(Method::POST, "/api/v1/driver/sessions", place.clone()).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("top it up"), "{problem}");
    for (wrong, words) in [
        (json!({"amount": 0, "currency": "EUR", "provider": "sandbox"}), "pay from"),
        (json!({"amount": 1e12, "currency": "EUR", "provider": "sandbox"}), "pay from"),
        (json!({"amount": 5, "currency": "XYZ", "provider": "sandbox"}), "ISO 4217"),
        (json!({"amount": 5, "currency": "EUR", "provider": "cash"}), "set it up"),
    ] {
        let (status, problem) = ada.send(Method::POST, "/api/v1/driver/top-ups", wrong).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{words}: {problem}");
    }
    let top_up = json!({"amount": 20, "currency": "EUR", "provider": "sandbox", "method": "success"});
    let (status, payment) = ada.send(Method::POST, "/api/v1/driver/top-ups", top_up).await;
    assert_eq!((status, &payment["state"]), (StatusCode::ACCEPTED, &json!("created")));
    balance(&mut ada, 20.0).await;

    // Nowhere but where there is a charging point in service.
    for (place, status) in [
        (json!({"station": "CS", "evse": 3}), StatusCode::NOT_FOUND),
        (json!({"station": "NONE", "evse": 1}), StatusCode::NOT_FOUND),
        (json!({"station": "CS", "evse": 2}), StatusCode::CONFLICT),
    ] {
        let (answered, problem) = ada.send(Method::POST, "/api/v1/driver/sessions", place).await;
        assert_eq!(answered, status, "{problem}");
    }
    let (status, begun) = ada.send(Method::POST, "/api/v1/driver/sessions", place.clone()).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{begun}");
    let call = told(&mut station, "RequestStartTransaction").await;
    let started = (call["idToken"].clone(), call["remoteStartId"].clone());
    let path = format!("/api/v1/driver/prepaid-sessions/{}", begun["prepaid"]["id"].as_str().unwrap());
    let (status, prepaid) = ada.send(Method::GET, &path, json!(null)).await;
    assert_eq!((status, &prepaid["held"]), (StatusCode::OK, &json!(20.0)));
    assert_eq!(eve.send(Method::GET, &path, json!(null)).await.0, StatusCode::NOT_FOUND);
    let (status, problem) = ada.send(Method::POST, "/api/v1/driver/sessions", place).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    station.call("TransactionEvent", event("Started", 0, 0, 1.0, &started)).await;

    // Only whose session it is stops it, and only once it is over nobody does.
    let path = "/api/v1/driver/sessions/CS/tx-1/stop";
    assert_eq!(eve.send(Method::POST, path, json!({})).await.0, StatusCode::NOT_FOUND);
    assert_eq!(ada.send(Method::POST, path, json!({})).await.0, StatusCode::ACCEPTED);
    assert_eq!(told(&mut station, "RequestStopTransaction").await["transactionId"], "tx-1");
    station.call("TransactionEvent", event("Ended", 1, 20, 11.0, &started)).await;
    assert_eq!(ada.send(Method::POST, path, json!({})).await.0, StatusCode::NOT_FOUND);
    balance(&mut ada, 16.0).await;
    let (_, sessions) = ada.send(Method::GET, "/api/v1/driver/sessions", json!(null)).await;
    assert_eq!((&sessions[0]["id"], &sessions[0]["cost"]), (&json!("tx-1"), &json!(4.0)));
    let (_, payments) = ada.send(Method::GET, "/api/v1/driver/payments", json!(null)).await;
    assert_eq!((payments.as_array().unwrap().len(), &payments[0]["id"]), (1, &payment["id"]));
    assert_eq!(eve.send(Method::GET, "/api/v1/driver/payments", json!(null)).await.1, json!([]));

    let (status, statement) = ada.send(Method::GET, "/api/v1/driver/statement", json!(null)).await;
    assert_eq!(status, StatusCode::OK);
    let euros = &statement["accounts"][0];
    let kinds: Vec<_> = euros["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["kind"].as_str().unwrap(), &line["balance"]))
        .collect();
    assert_eq!(kinds, [("top_up", &json!(20.0)), ("set_aside", &json!(0.0)), ("session", &json!(16.0))]);
    assert_eq!((&euros["opening"], &euros["closing"]), (&json!(0.0), &json!(16.0)));
    assert_eq!(euros["lines"][2]["about"], "CS");
    let csv = ada.request(Method::GET, "/api/v1/driver/statement?format=csv").send().await.unwrap();
    assert!(csv.headers()["content-disposition"].to_str().unwrap().contains("statement-"));
    let csv = csv.text().await.unwrap();
    assert!(
        csv.starts_with("at,kind,about,amount,balance,currency\n") && csv.contains(",session,CS,16.00,16.00,EUR"),
        "{csv}"
    );
    let path = format!("/api/v1/drivers/{id}/statement?format=pdf");
    let pdf = reqwest::Client::new().get(csms.url(&path)).bearer_auth(crate::harness::TOKEN).send().await.unwrap();
    assert!(pdf.bytes().await.unwrap().starts_with(b"%PDF-"));
    for wrong in ["from=2026-02-30", "from=2026-03-01&until=2026-02-01", "from=2020-01-01&until=2026-01-01"] {
        let (status, problem) = ada.send(Method::GET, &format!("/api/v1/driver/statement?{wrong}"), json!(null)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
    }
    let (status, _) = csms.request(Method::GET, "/api/v1/drivers/nobody/statement", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    // Of an earlier time there is nothing, and the balance was nothing.
    let (_, empty) =
        ada.send(Method::GET, "/api/v1/driver/statement?from=2020-01-01&until=2020-01-31", json!(null)).await;
    assert_eq!(empty["accounts"], json!([]));
    sound(&csms).await;
}

#[tokio::test]
async fn a_driver_tops_up_and_starts_at_the_portal() {
    let folder = Folder::new();
    let csms = start(&folder).await;
    let mut station = station(&csms).await;
    let (_, mut ada) = driver(&csms, "ada@example.org", "balance").await;
    open(&mut ada, "/driver/balance").await;
    let csrf = ada.csrf.clone();
    let form = |amount: &'static str| {
        [
            ("csrf", csrf.clone()),
            ("amount", amount.to_owned()),
            ("provider", "sandbox".to_owned()),
            ("method", "success".to_owned()),
        ]
    };
    let fields = form("15,50");
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let without: Vec<_> = fields.iter().copied().filter(|(name, _)| *name != "csrf").collect();
    assert_eq!(submit(&mut ada, "/driver/balance", &without).await.0, StatusCode::FORBIDDEN);
    for wrong in ["much", "-3", "0.001"] {
        let fields = form(wrong);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (status, _, page) = submit(&mut ada, "/driver/balance", &fields).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
        assert!(page.contains("class=\"error\"") || page.contains("role=\"alert\""), "{page}");
    }
    let (status, place, _) = submit(&mut ada, "/driver/balance", &fields).await;
    assert_eq!((status, place.as_str()), (StatusCode::SEE_OTHER, "/driver/balance"));
    balance(&mut ada, 15.5).await;
    assert!(open(&mut ada, "/driver/balance").await.contains("15.50 EUR"));
    let start = [("csrf", csrf.as_str()), ("station", "CS"), ("outlet", "1")];
    let (status, place, _) = submit(&mut ada, "/driver/start", &start).await;
    assert_eq!((status, place.as_str()), (StatusCode::SEE_OTHER, "/driver"));
    let call = told(&mut station, "RequestStartTransaction").await;
    let started = (call["idToken"].clone(), call["remoteStartId"].clone());
    station.call("TransactionEvent", event("Started", 0, 0, 0.0, &started)).await;
    station.call("TransactionEvent", event("Ended", 1, 20, 10.0, &started)).await;
    balance(&mut ada, 11.5).await;
    let page = open(&mut ada, "/driver/statement").await;
    for part in ["15.50 EUR", "11.50 EUR", "/api/v1/driver/statement?format=pdf"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    sound(&csms).await;
}

#[tokio::test]
async fn what_a_driver_charged_is_on_one_invoice_and_can_be_given_back() {
    let folder = Folder::new();
    let csms = start(&folder).await;
    let mut station = station(&csms).await;
    let (id, mut ada) = driver(&csms, "ada@example.org", "balance").await;
    csms.put("/api/v1/tokens/ADA", json!({"driver": id})).await;
    let top_up = json!({"amount": 20, "currency": "EUR", "provider": "sandbox", "method": "success"});
    ada.send(Method::POST, "/api/v1/driver/top-ups", top_up).await;
    balance(&mut ada, 20.0).await;
    let tag = (json!({"idToken": "ADA", "type": "ISO14443"}), json!(null));
    for (number, kwh) in [("1", 10.0), ("2", 5.0)] {
        for (seq, kind, kwh) in [(0, "Started", 0.0), (1, "Ended", kwh)] {
            let mut event = event(kind, seq, 10 + seq, kwh, &tag);
            event["transactionInfo"] = json!({"transactionId": format!("tx-{number}"), "chargingState": "Charging"});
            station.call("TransactionEvent", event).await;
        }
    }
    let post = async |path: &str, body: Value| csms.request(Method::POST, path, Some(body)).await;
    let wanted = |payer: &str, currency: &str, from: &str, to: &str| json!({"payer": payer, "currency": currency, "from": from, "to": to});
    let payer = format!("driver:{id}");
    let (from, to) = ("2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z");
    for (wrong, status, words) in [
        (wanted(&payer, "EUR", to, from), 400, "begin before it ends"),
        (wanted(&payer, "EUR", "yesterday", to), 400, "from"),
        (wanted(&payer, "EURO", from, to), 400, "ISO 4217"),
        (wanted("ada", "EUR", from, to), 400, "driver:ID"),
        (wanted(&payer, "USD", from, to), 409, "nothing"),
        (wanted("driver:nobody", "EUR", from, to), 409, "nothing"),
    ] {
        let (answered, problem) = post("/api/v1/invoices", wrong).await;
        assert_eq!(answered.as_u16(), status, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{words}: {problem}");
    }
    let (status, invoice) = post("/api/v1/invoices", wanted(&payer, "EUR", from, to)).await;
    assert_eq!(status, StatusCode::CREATED, "{invoice}");
    assert_eq!((&invoice["number"], &invoice["total"]), (&json!(1), &json!(6.0)));
    assert_eq!(invoice["lines"].as_array().unwrap().len(), 2);
    // Nothing is on two of them.
    assert_eq!(post("/api/v1/invoices", wanted(&payer, "EUR", from, to)).await.0, StatusCode::CONFLICT);
    assert_eq!(csms.get("/api/v1/invoices/1").await["total"], 6.0);
    let file = reqwest::Client::new().get(csms.url("/api/v1/invoices/1/pdf")).bearer_auth(crate::harness::TOKEN);
    let file = file.send().await.unwrap();
    assert_eq!((file.status(), &file.headers()["content-type"]), (StatusCode::OK, &"application/pdf".parse().unwrap()));
    assert!(file.headers()["content-disposition"].to_str().unwrap().contains("invoice-1.pdf"));
    assert!(file.bytes().await.unwrap().starts_with(b"%PDF-"));
    assert_eq!(csms.request(Method::GET, "/api/v1/invoices/2/pdf", None).await.0, StatusCode::NOT_FOUND);
    assert_eq!(ada.status("/api/v1/invoices/1/pdf").await, StatusCode::FORBIDDEN);

    let path = "/api/v1/stations/CS/transactions/tx-1/refunds";
    for (amount, status) in [(4.01, 409), (0.0, 409), (-1.0, 409), (0.001, 400)] {
        let (answered, problem) = post(path, json!({"amount": amount, "reason": "x"})).await;
        assert_eq!(answered.as_u16(), status, "{problem}");
    }
    let (status, bill) = post(path, json!({"amount": 1, "reason": "it was slow"})).await;
    assert_eq!((status, &bill["due"], &bill["refunded"]), (StatusCode::OK, &json!(3.0), &json!(1.0)));
    let (_, bill) = post(path, json!({"reason": "all of it"})).await;
    assert_eq!((&bill["due"], &bill["refunded"]), (&json!(0.0), &json!(4.0)));
    assert_eq!(post(path, json!({"reason": "again"})).await.0, StatusCode::CONFLICT);
    assert_eq!(
        post("/api/v1/stations/CS/transactions/none/refunds", json!({"reason": "x"})).await.0,
        StatusCode::NOT_FOUND
    );
    balance(&mut ada, 18.0).await;
    assert_eq!((account(&csms, "refunds").await, account(&csms, "revenue").await), (4.0, -6.0));
    sound(&csms).await;
}
