//! What drivers and the grid meet: messages, tariffs, battery swaps, DER control (2.1 part 2, I, O, Q, R, S).

use ocpp_core::csms::{AuthorizationStatus, CallOutcome, CallResult, Command, Event, Token, TransactionId};
use ocpp_core::types::Version;
use ocpp_core::types::v2_1::{
    ClearDERControlRequest, GetDERControlRequest, MessageInfoType, SetDERControlRequest, TariffType,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::csms_support::*;

fn typed<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// What is sent for a command, and what this answer means.
fn round_trip(csms: &mut Csms, command: Command, answer: Value) -> (String, Value, CallResult) {
    csms.command(1, command);
    let (id, action, payload) = csms.received_call();
    csms.frame(json!([3, id, answer]).to_string());
    let outcome = csms.outcome(1);
    let CallOutcome::Answered(answer) = outcome else { panic!("{outcome:?}") };
    (action, payload, answer.result)
}

fn rule(csms: &mut Csms, command: Command) -> &'static str {
    csms.command(9, command);
    csms.assert_nothing_sent();
    let outcome = csms.outcome(9);
    let CallOutcome::NotAllowed { rule } = outcome else { panic!("{outcome:?}") };
    rule
}

fn message(id: i64) -> Value {
    json!({"id": id, "priority": "NormalCycle", "message": {"format": "UTF8", "content": "Hello", "language": "en-US"}})
}

fn show(message: Value) -> Command {
    Command::SetDisplayMessage { message: Box::new(typed::<MessageInfoType>(message)) }
}

fn shown(csms: &Csms) -> Vec<i64> {
    csms.session.mirrors().display_messages().iter().map(|message| message.id).collect()
}

/// O01.FR.04, O01.FR.05
#[test]
fn messages_are_shown_cleared_and_known() {
    for version in V2 {
        let mut csms = Csms::new(version).obliging();
        let mut timed = message(1);
        timed["startDateTime"] = json!(at(0));
        timed["endDateTime"] = json!(at(60));
        let (action, payload, _) = round_trip(&mut csms, show(timed.clone()), json!({"status": "Accepted"}));
        assert_eq!((&*action, payload), ("SetDisplayMessage", json!({"message": timed})), "without a transaction");
        csms.exchange("TransactionEvent", event("Started", "tx", 0, 0, 0)).result();
        let mut of_transaction = message(2);
        of_transaction["transactionId"] = json!("tx");
        let (_, payload, _) = round_trip(&mut csms, show(of_transaction), json!({"status": "Accepted"}));
        assert_eq!(payload["message"]["transactionId"], "tx");
        round_trip(&mut csms, show(message(3)), json!({"status": "Rejected"}));
        assert_eq!(shown(&csms), [1, 2]);
        csms.exchange("TransactionEvent", event("Ended", "tx", 1, 9, 0)).result();
        assert_eq!(shown(&csms), [1], "O02: it is shown as long as the transaction goes on");
        csms.events();
        let clear = Command::ClearDisplayMessage { id: 1 };
        let (action, payload, _) = round_trip(&mut csms, clear, json!({"status": "Accepted"}));
        assert_eq!((&*action, payload), ("ClearDisplayMessage", json!({"id": 1})));
        assert!(shown(&csms).is_empty());
    }
}

/// O01.FR.17, O02.FR.12
#[test]
fn a_message_is_in_a_language_and_a_format_that_there_is() {
    for version in V2 {
        let mut csms = Csms::new(version);
        for language in ["en_US", "1", "", "de--"] {
            let mut message = message(1);
            message["message"]["language"] = json!(language);
            let rule = rule(&mut csms, show(message));
            assert!(rule.contains("O01.FR.17") && rule.contains("O02.FR.12"), "{language}");
        }
        let formats = json!([{"component": {"name": "DisplayMessageCtrlr"}, "variable": {"name": "SupportedFormats"},
            "variableAttribute": [{"value": "ASCII,HTML"}]}]);
        let report = json!({"requestId": 1, "generatedAt": at(0), "seqNo": 0, "reportData": formats});
        csms.exchange("NotifyReport", report).result();
        assert!(rule(&mut csms, show(message(1))).contains("SupportedFormats"));
    }
}

/// O03, O04
#[test]
fn messages_are_asked_for_and_what_is_not_there_is_forgotten() {
    for version in V2 {
        let mut csms = Csms::new(version);
        round_trip(&mut csms, show(message(1)), json!({"status": "Accepted"}));
        csms.command(1, Command::GetDisplayMessages { ids: vec![], priority: None, state: None });
        let (id, action, payload) = csms.received_call();
        assert_eq!(action, "GetDisplayMessages");
        csms.frame(json!([3, id, {"status": "Accepted"}]).to_string());
        let part = |number: i64, more: bool| json!({"requestId": payload["requestId"], "tbc": more, "messageInfo": [message(number)]});
        csms.exchange("NotifyDisplayMessages", part(2, true)).result();
        csms.exchange("NotifyDisplayMessages", part(3, false)).result();
        let CallOutcome::Answered(answer) = csms.outcome(1) else { panic!() };
        let CallResult::DisplayMessages { messages, complete } = answer.result else { panic!() };
        assert_eq!((messages.len(), complete), (2, true));
        assert_eq!(shown(&csms), [2, 3]);
        let some = Command::GetDisplayMessages { ids: vec![7], priority: None, state: None };
        let (_, payload, result) = round_trip(&mut csms, some, json!({"status": "Unknown"}));
        assert_eq!(payload["id"], json!([7]));
        assert_eq!(result, CallResult::DisplayMessages { messages: vec![], complete: true });
    }
}

fn tariff(price: i64) -> TariffType {
    typed(json!({"tariffId": "T1", "currency": "EUR", "energy": {"prices": [{"priceKwh": price}]}}))
}

/// I07, I09, I10, I11
#[test]
fn tariffs_are_set_read_and_removed() {
    let mut csms = Csms::new(Version::V2_1);
    let accepted = json!({"status": "Accepted"});
    let set = Command::SetDefaultTariff { evse: 0, tariff: Box::new(tariff(1)) };
    let (action, payload, _) = round_trip(&mut csms, set, accepted.clone());
    assert_eq!((&*action, &payload["tariff"]["tariffId"]), ("SetDefaultTariff", &json!("T1")));
    let assignment = json!({"tariffId": "T1", "tariffKind": "DefaultTariff", "evseIds": [1]});
    let answer = json!({"status": "Accepted", "tariffAssignments": [assignment]});
    let (_, payload, result) = round_trip(&mut csms, Command::GetTariffs { evse: 1 }, answer);
    assert_eq!(payload, json!({"evseId": 1}));
    let CallResult::Tariffs(tariffs) = result else { panic!() };
    assert_eq!(tariffs[0].tariff_id.as_str(), "T1");
    let (_, _, result) = round_trip(&mut csms, Command::GetTariffs { evse: 1 }, json!({"status": "NoTariff"}));
    assert_eq!(result, CallResult::Tariffs(vec![]));
    let change =
        Command::ChangeTransactionTariff { transaction: TransactionId::new("tx"), tariff: Box::new(tariff(1)) };
    let (action, payload, _) = round_trip(&mut csms, change, accepted);
    assert_eq!((&*action, &payload["transactionId"]), ("ChangeTransactionTariff", &json!("tx")));
    let clear = Command::ClearTariffs { evse: Some(1), tariffs: vec!["T1".into()] };
    let answer = json!({"clearTariffsResult": [{"tariffId": "T1", "status": "Accepted"}]});
    let (_, payload, result) = round_trip(&mut csms, clear, answer);
    assert_eq!(payload, json!({"tariffIds": ["T1"], "evseId": 1}));
    assert!(matches!(result, CallResult::TariffsCleared(results) if results.len() == 1));
    let mut csms = Csms::new(Version::V2_0_1);
    csms.command(1, Command::GetTariffs { evse: 1 });
    assert_eq!(csms.outcome(1), CallOutcome::NotSupported);
}

/// I08.FR.08
#[test]
fn a_tariff_with_another_content_has_another_id() {
    let mut csms = Csms::new(Version::V2_1);
    let set = |price| Command::SetDefaultTariff { evse: 0, tariff: Box::new(tariff(price)) };
    round_trip(&mut csms, set(1), json!({"status": "Accepted"}));
    round_trip(&mut csms, set(1), json!({"status": "Accepted"}));
    assert!(rule(&mut csms, set(2)).contains("I08.FR.08"));
    let change =
        Command::ChangeTransactionTariff { transaction: TransactionId::new("tx"), tariff: Box::new(tariff(2)) };
    assert!(rule(&mut csms, change).contains("I08.FR.08"));
}

/// Q07
#[test]
fn a_signal_of_the_grid_is_passed_on() {
    let mut csms = Csms::new(Version::V2_1);
    let command = Command::AfrrSignal { at: csms.now.utc, signal: 7 };
    let (action, payload, _) = round_trip(&mut csms, command, json!({"status": "Accepted"}));
    assert_eq!((&*action, &payload["signal"]), ("AFRRSignal", &json!(7)));
}

/// R04
#[test]
fn controls_of_energy_resources_are_set_reported_and_cleared() {
    let mut csms = Csms::new(Version::V2_1);
    let gradient = json!({"priority": 1, "gradient": 5, "softGradient": 5});
    let control = json!({"isDefault": true, "controlId": "c1", "controlType": "Gradients", "gradient": gradient});
    let set = Command::SetDERControl(Box::new(typed::<SetDERControlRequest>(control.clone())));
    let (action, payload, _) = round_trip(&mut csms, set, json!({"status": "Accepted"}));
    assert_eq!((&*action, payload), ("SetDERControl", control));
    let request = GetDERControlRequest::new(0);
    csms.command(1, Command::GetDERControl(Box::new(request)));
    let (id, _, payload) = csms.received_call();
    csms.frame(json!([3, id, {"status": "Accepted"}]).to_string());
    for more in [true, false] {
        let part = json!({"requestId": payload["requestId"], "tbc": more});
        csms.exchange("ReportDERControl", part).result();
    }
    let CallOutcome::Answered(answer) = csms.outcome(1) else { panic!() };
    assert!(matches!(answer.result, CallResult::DERControls { reports, complete: true } if reports.len() == 2));
    let clear = Command::ClearDERControl(Box::new(ClearDERControlRequest::new(true)));
    let (action, payload, _) = round_trip(&mut csms, clear, json!({"status": "NotFound"}));
    assert_eq!((&*action, payload), ("ClearDERControl", json!({"isDefault": true})));
    csms.events();
    let alarm = json!({"controlType": "Gradients", "timestamp": at(0)});
    assert_eq!(csms.exchange("NotifyDERAlarm", alarm).result(), json!({}));
    let started = json!({"controlId": "c1", "started": true, "timestamp": at(0)});
    assert_eq!(csms.exchange("NotifyDERStartStop", started).result(), json!({}));
    let events = csms.events();
    assert!(matches!(&*events, [Event::DERAlarm(_), Event::DERStartStop(_)]), "{events:?}");
}

/// S02.FR.03
#[test]
fn only_an_authorized_driver_may_swap_batteries() {
    let mut csms = Csms::new(Version::V2_1);
    let swap = |authorization| Command::RequestBatterySwap {
        token: Token::with_kind("TAG", "ISO14443"),
        authorization,
        request_id: 4,
    };
    for status in [AuthorizationStatus::Invalid, AuthorizationStatus::NoCredit, AuthorizationStatus::Blocked] {
        assert!(rule(&mut csms, swap(status)).contains("S02.FR.03"));
    }
    let (action, payload, _) =
        round_trip(&mut csms, swap(AuthorizationStatus::Accepted), json!({"status": "Accepted"}));
    assert_eq!(action, "RequestBatterySwap");
    assert_eq!(payload, json!({"idToken": {"idToken": "TAG", "type": "ISO14443"}, "requestId": 4}));
    let battery = json!({"evseId": 1, "serialNumber": "B1", "soC": 80, "soH": 99});
    let notice = json!({"batteryData": [battery], "eventType": "BatteryIn", "requestId": 4,
        "idToken": {"idToken": "TAG", "type": "ISO14443"}});
    assert_eq!(csms.exchange("BatterySwap", notice).result(), json!({}));
    let events = csms.events();
    assert!(matches!(&*events, [Event::BatterySwap(swap)] if swap.request_id == 4), "{events:?}");
}

#[test]
fn what_a_station_reports_takes_only_so_much_memory() {
    let mut csms = Csms::new(Version::V2_1);
    for round in 0..50 {
        let messages: Vec<Value> = (0..10).map(|number| message(round * 10 + number)).collect();
        let part = json!({"requestId": 1, "tbc": true, "messageInfo": messages});
        csms.exchange("NotifyDisplayMessages", part).result();
    }
    assert_eq!(csms.session.mirrors().display_messages().iter().count(), 200);
    assert!(!csms.session.mirrors().is_complete());
    let mut csms = Csms::new(Version::V2_1);
    let mut endless = message(1);
    endless["message"]["content"] = json!("x".repeat(100_000));
    csms.exchange("NotifyDisplayMessages", json!({"requestId": 1, "messageInfo": [endless]})).result();
    let period = json!({"startPeriod": 0, "limit": 1});
    let periods: Vec<&Value> = (0..5000).map(|_| &period).collect();
    let schedule = json!({"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": periods});
    let limit = json!({"chargingLimit": {"chargingLimitSource": "SO"}, "chargingSchedule": [schedule]});
    csms.exchange("NotifyChargingLimit", limit).result();
    let profile = json!({"id": 1, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative", "chargingSchedule": [schedule]});
    let report = json!({"requestId": 1, "chargingLimitSource": "SO", "evseId": 1, "chargingProfile": [profile]});
    csms.exchange("ReportChargingProfiles", report).result();
    let state = serde_json::to_string(&csms.session.snapshot()).unwrap();
    assert!(state.len() < 5000, "{}", state.len());
    assert_eq!(csms.session.mirrors().charging_profiles().limits().count(), 1, "that there is one is known");
    assert!(!csms.session.mirrors().is_complete());
}
