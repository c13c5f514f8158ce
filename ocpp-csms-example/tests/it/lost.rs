//! Transactions whose end is lost.

use serde_json::json;

use crate::harness::{Csms, Folder};

/// E14.FR.01; 2.1 part 2, E14
#[tokio::test]
async fn a_transaction_whose_end_is_lost_is_ended_at_its_last_reading() {
    for subprotocol in ["ocpp2.0.1", "ocpp2.1"] {
        let folder = Folder::new();
        let csms = Csms::start_with(&folder.file("csms.sqlite"), |file| {
            file.price_per_kwh = Some("0.40".parse().unwrap());
            file.transaction_inquiry_after = Some(1);
        })
        .await;
        csms.enter("CS").await;
        let mut station = csms.station("CS", subprotocol).await;
        station.boot(subprotocol).await;
        let event = |kind: &str, sequence: i64, at: &str, register: i64| {
            json!({"eventType": kind, "timestamp": at, "triggerReason": "MeterValuePeriodic", "seqNo": sequence,
                "transactionInfo": {"transactionId": "tx-1"}, "evse": {"id": 1},
                "meterValue": [{"timestamp": at, "sampledValue": [{"value": register, "measurand": "Energy.Active.Import.Register"}]}]})
        };
        station.call("TransactionEvent", event("Started", 0, "2026-06-01T10:00:00Z", 0)).await;
        station.call("TransactionEvent", event("Updated", 1, "2026-06-01T11:00:00Z", 5000)).await;
        drop(station);
        let mut station = csms.station("CS", subprotocol).await;
        let (id, payload) = station.expect_call("GetTransactionStatus").await;
        assert_eq!(payload["transactionId"], "tx-1");
        station.answer(&id, json!({"ongoingIndicator": false, "messagesInQueue": false})).await;
        let path = "/api/v1/stations/CS/transactions";
        let known = csms.get_until(path, |known| !known[0]["stopped_at"].is_null()).await;
        assert_eq!((&known[0]["stop_reason"], &known[0]["energy_wh"]), (&json!("EndLost"), &json!(5000)), "{known}");
        assert_eq!(known[0]["stopped_at"], "2026-06-01T11:00:00Z");
        assert_eq!(csms.get("/api/v1/stations/CS").await["sessions"], json!([]));
    }
}
