//! A CSMS that sends nonsense: the station says so, and goes on.

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::bench::{Bench, VERSIONS};

#[tokio::test]
async fn nonsense_from_the_csms_disturbs_no_session() {
    let deep = format!(r#"[2,"deep","Reset",{{"type":{}{}}}]"#, "[".repeat(200_000), "]".repeat(200_000));
    let nonsense = [
        "",
        "not json",
        "{}",
        "[]",
        "[2]",
        "[2,7,\"Reset\",{}]",
        "[2,\"a\",\"Reset\"]",
        "[2,\"b\",\"Reset\",[]]",
        "[2,\"c\",\"Reset\",{\"type\":NaN}]",
        "[2,\"d\",\"Reset\",{\"type\":\"\\ud800\"}]",
        "[2,\"e\",\"Reset\",{}",
        "[3,\"nobody asked\",{}]",
        "[4,\"nobody asked\",\"GenericError\",\"\",{}]",
        "[99,\"f\",{}]",
        "[2,\"1e400\",\"TriggerMessage\",{\"requestedMessage\":1e400}]",
        deep.as_str(),
    ];
    for version in VERSIONS {
        let bench = Bench::start(version).await;
        bench.charge().await;
        for text in nonsense {
            bench.csms.send(Message::text(text));
            let answer = bench.csms.call("Nonsense", json!({})).await;
            assert_eq!((&answer[0], &answer[2]), (&json!(4), &json!("NotImplemented")), "{version} after {text:.80}");
        }
        let evse = bench.station.state().await.unwrap().evse(1).unwrap().clone();
        assert!(evse.permitted && evse.transaction.is_some(), "{version}");
        let messages = bench.station.messages().await.unwrap();
        let refused = |id: &str, code: &str| {
            let refusal = format!(r#"[4,"{id}","{code}""#);
            assert!(messages.iter().any(|message| message.text.starts_with(&refusal)), "{version}: no {refusal}");
        };
        let v1_6 = version.number() == "1.6";
        refused("b", if v1_6 { "FormationViolation" } else { "FormatViolation" });
        refused("deep", "TypeConstraintViolation");
        assert_eq!(bench.csms.seen().closed, 0, "{version}: the connection holds");
    }
}

#[tokio::test]
async fn a_binary_frame_closes_the_connection_and_the_transaction_goes_on() {
    let bench = Bench::start(VERSIONS[0]).await;
    bench.charge().await;
    bench.csms.send(Message::binary(vec![0, 159, 146, 150]));
    bench.csms.until("the connection is closed", |seen| seen.closed == 1).await;
    let state = bench.until("the station knows", |state| !state.connected).await;
    assert!(state.connection_error.unwrap().contains("binary"));
    assert!(state.evses[0].permitted && state.evses[0].transaction.is_some());
}
