//! What the operator decides counts at once, for a connected station as well.

use serde_json::json;

use crate::harness::{Csms, Folder};

/// C01.FR.02, C02.FR.01; 1.6 edition 2, 4.1
#[tokio::test]
async fn free_vend_counts_from_the_next_token_on() {
    for subprotocol in ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"] {
        let folder = Folder::new();
        let csms = Csms::start(&folder).await;
        csms.enter("CS").await;
        let mut station = csms.station("CS", subprotocol).await;
        station.boot(subprotocol).await;
        for (free_vend, expected) in [(false, "Invalid"), (true, "Accepted"), (false, "Invalid")] {
            csms.put("/api/v1/stations/CS", json!({"free_vend": free_vend})).await;
            let status = match subprotocol {
                "ocpp1.6" => station.call("Authorize", json!({"idTag": "NOBODY"})).await["idTagInfo"]["status"].clone(),
                _ => {
                    let token = json!({"idToken": {"idToken": "NOBODY", "type": "ISO14443"}});
                    station.call("Authorize", token).await["idTokenInfo"]["status"].clone()
                }
            };
            assert_eq!(status, expected, "{subprotocol}");
        }
    }
}

/// B02.FR.09, B03.FR.07; 1.6 edition 2, 4.2
#[tokio::test]
async fn a_connected_station_that_is_no_more_accepted_is_served_no_more() {
    for subprotocol in ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"] {
        let folder = Folder::new();
        let csms = Csms::start(&folder).await;
        csms.enter("CS").await;
        let mut station = csms.station("CS", subprotocol).await;
        station.boot(subprotocol).await;
        csms.put("/api/v1/stations/CS", json!({"registration": "pending"})).await;
        let refused = station.ask("Heartbeat", json!({})).await;
        assert_eq!((&refused[0], &refused[2]), (&json!(4), &json!("SecurityError")), "{subprotocol}");
        csms.put("/api/v1/stations/CS", json!({"registration": "accepted"})).await;
        station.call("Heartbeat", json!({})).await;
        csms.put("/api/v1/stations/CS", json!({"registration": "rejected"})).await;
        station.closed().await;
    }
}
