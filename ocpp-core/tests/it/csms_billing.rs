//! What stations are told about costs, limits and payments (2.1 part 2, C07, C17 to C25, E16, F07, I02, I03, I06).

use ocpp_core::csms::{
    AdditionalInfo, Address, Answer, Authorization, AuthorizationStatus, CallOutcome, CallResult, CertificateStatus,
    Command, DriverMessage, Event, Input, PaymentStatus, Question, Receipt, Session, Token, TransactionAnswer,
    TransactionId, TransactionLimit,
};
use ocpp_core::types::{Decimal, Version};
use serde_json::{Value, json};

use crate::csms_support::*;

fn costing(cents: i64) -> TransactionAnswer {
    let mut answer = TransactionAnswer::default();
    answer.total_cost = Some(Decimal::new(cents, 2));
    answer
}

fn limited(energy: i64) -> TransactionAnswer {
    let mut limit = TransactionLimit::default();
    limit.max_energy = Some(Decimal::from(energy));
    let mut answer = TransactionAnswer::default();
    answer.limit = Some(limit);
    answer
}

/// The station tells of a transaction, and the application stores it with an answer; what the station is told.
fn tell(csms: &mut Csms, payload: Value, answer: TransactionAnswer) -> Value {
    let id = csms.call("TransactionEvent", payload);
    let (token, _) = csms.record();
    csms.input(Input::StoredAndAnswered { token, answer });
    csms.reply(&id).result()
}

/// Asks for the limits that the station supports.
fn learn_limits(csms: &mut Csms, value: &str) {
    csms.command(1, Command::GetConfiguration { names: vec!["TxCtrlr.SupportedLimits".into()] });
    let (id, action, _) = csms.received_call();
    assert_eq!(action, "GetVariables");
    let result = json!({"attributeStatus": "Accepted", "attributeValue": value,
        "component": {"name": "TxCtrlr"}, "variable": {"name": "SupportedLimits"}});
    csms.frame(json!([3, id, {"getVariableResult": [result]}]).to_string());
    csms.events();
}

/// I02.FR.01, I03.FR.02, I03.FR.04
#[test]
fn the_cost_is_told_while_a_transaction_goes_on_and_at_its_end() {
    for version in V2 {
        let mut csms = Csms::new(version);
        let told = tell(&mut csms, event("Started", "a", 0, 0, 0), costing(0));
        assert_eq!(told["totalCost"].as_f64(), Some(0.0), "free is said, not left out");
        let told = tell(&mut csms, event("Updated", "a", 1, 60, 100), costing(123));
        assert_eq!(told, json!({"totalCost": 1.23}));
        let told = tell(&mut csms, event("Ended", "a", 2, 90, 200), costing(456));
        assert_eq!(told, json!({"totalCost": 4.56}));
    }
}

/// I03.FR.02: the station that did not get the answer sends the end again, and is told the cost again.
#[test]
fn a_repeated_end_is_told_the_same_cost_also_by_another_node() {
    for version in V2 {
        let mut csms = Csms::new(version);
        tell(&mut csms, event("Started", "a", 0, 0, 0), costing(0));
        let ended = event("Ended", "a", 1, 90, 200);
        csms.call("TransactionEvent", ended.clone());
        let (token, _) = csms.record();
        // Stored together with the facts, before the answer to the station.
        let snapshot = csms.session.snapshot();
        csms.input(Input::StoredAndAnswered { token, answer: costing(456) });
        csms.drain_sent();
        assert_eq!(csms.exchange("TransactionEvent", ended.clone()).result(), json!({"totalCost": 4.56}));
        csms.assert_no_question();

        csms.session = Session::restore(accepting(), [9; 32], csms.now, snapshot);
        csms.connect();
        let id = csms.call("TransactionEvent", ended);
        csms.assert_no_record();
        let (question, about) = csms.question();
        assert_eq!(about, Question::Cost { transaction: TransactionId::new("a") });
        csms.input(Input::Answer { question, answer: Answer::Transaction(costing(456)) });
        assert_eq!(csms.reply(&id).result(), json!({"totalCost": 4.56}));
    }
}

/// I06.FR.02
#[test]
fn a_changed_tariff_is_shown_in_as_many_languages_as_the_version_takes() {
    let mut answer = TransactionAnswer::default();
    answer.charging_priority = Some(3);
    for language in ["en", "de", "fr", "nl", "it", "es"] {
        let mut message = DriverMessage::new(format!("price in {language}"));
        message.language = Some(language.into());
        answer.messages.push(message);
    }
    for version in V2 {
        let mut csms = Csms::new(version);
        tell(&mut csms, event("Started", "a", 0, 0, 0), TransactionAnswer::default());
        let told = tell(&mut csms, event("Updated", "a", 1, 60, 100), answer.clone());
        assert_eq!(told["chargingPriority"], 3);
        let first = json!({"format": "UTF8", "content": "price in en", "language": "en"});
        assert_eq!(told["updatedPersonalMessage"], first);
        let others = told["updatedPersonalMessageExtra"].as_array().map_or(0, Vec::len);
        assert_eq!(others, if version == Version::V2_1 { 4 } else { 0 });
    }
}

#[test]
fn a_station_of_1_6_is_told_nothing_of_costs() {
    let mut csms = Csms::new(Version::V1_6);
    csms.call("StartTransaction", start(1, "TAG", 0, 0));
    csms.judge(Authorization::accepted());
    csms.store();
    csms.drain_sent();
    let id = csms.call("StopTransaction", stop(1, 10, 60));
    let (token, _) = csms.record();
    csms.input(Input::StoredAndAnswered { token, answer: costing(456) });
    assert_eq!(csms.reply(&id).result(), json!({}));
}

/// E16.FR.02, F07.FR.01, F07.FR.02, C24.FR.02, C25.FR.24, C17.FR.03: in the first answer that can carry it, and only once.
#[test]
fn a_limit_is_told_once_in_the_first_answer() {
    let mut csms = Csms::new(Version::V2_1);
    learn_limits(&mut csms, "maxEnergy,maxCost");
    let mut answer = limited(5000);
    answer.limit.as_mut().unwrap().max_cost = Some(Decimal::new(2550, 2));
    let id = csms.call("TransactionEvent", with_token(event("Started", "a", 0, 0, 0), "TAG"));
    csms.judge(Authorization::accepted());
    let (token, _) = csms.record();
    csms.input(Input::StoredAndAnswered { token, answer: answer.clone() });
    let told = csms.reply(&id).result();
    assert_eq!(told["transactionLimit"]["maxEnergy"], 5000);
    assert_eq!(told["transactionLimit"]["maxCost"].as_f64(), Some(25.5));
    assert_eq!(told["idTokenInfo"]["status"], "Accepted");
    let mut confirmation = event("Updated", "a", 1, 1, 0);
    confirmation["triggerReason"] = json!("LimitSet");
    confirmation["transactionInfo"]["transactionLimit"] = json!({"maxEnergy": 5000, "maxCost": 25.5});
    assert_eq!(tell(&mut csms, confirmation, answer.clone()), json!({}));
    assert_eq!(tell(&mut csms, event("Updated", "a", 2, 60, 100), answer.clone()), json!({}));
    // E16.FR.17: it can only be changed.
    answer.limit.as_mut().unwrap().max_energy = Some(Decimal::from(9000));
    let told = tell(&mut csms, event("Updated", "a", 3, 90, 200), answer.clone());
    assert_eq!(told, json!({"transactionLimit": {"maxEnergy": 9000}}));
    answer.limit.as_mut().unwrap().max_energy = Some(Decimal::from(9999));
    assert_eq!(tell(&mut csms, event("Ended", "a", 4, 99, 200), answer), json!({}), "too late to matter");
}

/// E16.FR.07, E16.FR.08
#[test]
fn a_limit_of_the_station_that_is_stricter_stays_and_one_that_is_looser_is_overruled() {
    let mut csms = Csms::new(Version::V2_1);
    learn_limits(&mut csms, "maxEnergy");
    let mut started = event("Started", "a", 0, 0, 0);
    started["transactionInfo"]["transactionLimit"] = json!({"maxEnergy": 3000});
    assert_eq!(tell(&mut csms, started, limited(5000)), json!({}));
    let mut loosened = event("Updated", "a", 1, 10, 0);
    loosened["transactionInfo"]["transactionLimit"] = json!({"maxEnergy": 7000});
    let id = csms.call("TransactionEvent", loosened);
    let (token, facts) = csms.record();
    let [Event::TransactionUpdated(fact)] = &*facts else { panic!("{facts:?}") };
    assert_eq!(fact.limit.unwrap().max_energy, Some(Decimal::from(7000)));
    csms.input(Input::StoredAndAnswered { token, answer: limited(5000) });
    assert_eq!(csms.reply(&id).result(), json!({"transactionLimit": {"maxEnergy": 5000}}));
}

/// E16.FR.18
#[test]
fn a_limit_told_about_the_past_is_not_told_again_for_want_of_a_confirmation() {
    let mut csms = Csms::new(Version::V2_1);
    learn_limits(&mut csms, "maxEnergy");
    for (number, expected) in [(0, json!({"transactionLimit": {"maxEnergy": 5000}})), (1, json!({})), (2, json!({}))] {
        let mut past = event(if number == 0 { "Started" } else { "Updated" }, "a", number, number * 60, 0);
        past["offline"] = json!(true);
        assert_eq!(tell(&mut csms, past, limited(5000)), expected);
    }
}

/// E16.FR.12
#[test]
fn a_limit_that_the_station_does_not_support_is_not_told() {
    let mut csms = Csms::new(Version::V2_1);
    learn_limits(&mut csms, "maxSoC");
    assert_eq!(tell(&mut csms, event("Started", "a", 0, 0, 0), limited(5000)), json!({}));
    let mut csms = Csms::new(Version::V2_0_1);
    learn_limits(&mut csms, "maxEnergy");
    assert_eq!(tell(&mut csms, event("Started", "a", 0, 0, 0), limited(5000)), json!({}), "2.0.1 has none");
}

/// C07.FR.04, C07.FR.05, C07.FR.13, C07.FR.14, C07.FR.15, C07.FR.16, C07.FR.17: the application checks, the session sees to it that
/// what is said of the certificate and of the token go together.
#[test]
fn a_contract_is_judged_together_with_its_certificate() {
    use AuthorizationStatus::*;
    use CertificateStatus as Certificate;
    let verdicts = [
        (Accepted, Some(Certificate::Accepted), "Accepted", "Accepted"),
        (ConcurrentTx, Some(Certificate::Accepted), "Accepted", "ConcurrentTx"),
        (NotAtThisLocation, Some(Certificate::Accepted), "Accepted", "NotAtThisLocation"),
        (Blocked, Some(Certificate::Accepted), "ContractCancelled", "Blocked"),
        (Expired, Some(Certificate::Accepted), "ContractCancelled", "Expired"),
        (Invalid, Some(Certificate::Accepted), "ContractCancelled", "Invalid"),
        (Unknown, Some(Certificate::Accepted), "ContractCancelled", "Unknown"),
        (Accepted, Some(Certificate::CertificateExpired), "CertificateExpired", "Expired"),
        (Accepted, Some(Certificate::CertificateRevoked), "CertificateRevoked", "Invalid"),
        (Accepted, Some(Certificate::SignatureError), "CertChainError", "Invalid"),
        (Accepted, Some(Certificate::CertChainError), "CertChainError", "Invalid"),
        (Accepted, None, "CertChainError", "Invalid"),
    ];
    for version in V2 {
        for (status, certificate, certificate_status, token_status) in verdicts {
            let mut csms = Csms::new(version);
            let hashes = json!({"hashAlgorithm": "SHA256", "issuerNameHash": "aa", "issuerKeyHash": "bb",
                "serialNumber": "cc", "responderURL": "http://ocsp.example"});
            let payload = json!({"idToken": {"idToken": "NL-ABC-1", "type": "eMAID"}, "certificate": "PEM",
                "iso15118CertificateHashData": [hashes]});
            let id = csms.call("Authorize", payload);
            let (question, about) = csms.question();
            let Question::AuthorizeContract { token, certificates } = about else { panic!("{about:?}") };
            assert_eq!(token, Token::with_kind("NL-ABC-1", "eMAID"));
            assert_eq!(certificates.pem.as_deref(), Some("PEM"));
            assert_eq!((&*certificates.hashes[0].algorithm, &*certificates.hashes[0].serial_number), ("SHA256", "cc"));
            assert_eq!(certificates.hashes[0].responder_url, "http://ocsp.example");
            let mut authorization = Authorization::new(status);
            authorization.certificate = certificate;
            csms.input(Input::Answer { question, answer: Answer::Authorization(authorization) });
            let reply = csms.reply(&id).result();
            assert_eq!(reply["certificateStatus"], certificate_status, "{status:?} {certificate:?}");
            assert_eq!(reply["idTokenInfo"]["status"], token_status, "{status:?} {certificate:?}");
        }
    }
}

/// C07.FR.04
#[test]
fn a_contract_that_nobody_checks_in_time_is_refused() {
    let mut csms = Csms::new(Version::V2_1);
    let payload = json!({"idToken": {"idToken": "NL-ABC-1", "type": "eMAID"}, "certificate": "PEM"});
    let id = csms.call("Authorize", payload);
    csms.pass(std::time::Duration::from_secs(10));
    assert_eq!(verdict(Version::V2_1, &csms.reply(&id).result()), "Invalid");
}

/// C01.FR.06; 2.1 part 2, IdTokenInfoType
#[test]
fn languages_priority_and_ways_of_charging_are_passed_on() {
    let mut authorization = Authorization::accepted();
    authorization.language = Some("de".into());
    authorization.second_language = Some("en".into());
    authorization.charging_priority = Some(-2);
    authorization.allowed_energy_transfer = vec!["DC".into(), "AC_three_phase".into()];
    for version in V2 {
        let mut csms = Csms::new(version);
        let id = csms.call("Authorize", authorize(version, "TAG"));
        csms.judge(authorization.clone());
        let reply = csms.reply(&id).result();
        let info = &reply["idTokenInfo"];
        assert_eq!((&info["language1"], &info["language2"]), (&json!("de"), &json!("en")));
        assert_eq!(info["chargingPriority"], -2);
        let modes = if version == Version::V2_1 { json!(["DC", "AC_three_phase"]) } else { json!(null) };
        assert_eq!(reply["allowedEnergyTransfer"], modes);
    }
}

/// C18.FR.06
#[test]
fn what_a_payment_terminal_tells_of_a_card_reaches_the_application() {
    let mut csms = Csms::new(Version::V2_1);
    let info = json!([{"additionalIdToken": "1234", "type": "cardLast4Digits"}]);
    let payload = json!({"idToken": {"idToken": "psp-77", "type": "DirectPayment", "additionalInfo": info}});
    csms.call("Authorize", payload);
    let Question::Authorize { token } = csms.judge(Authorization::accepted()) else { panic!() };
    let mut expected = Token::with_kind("psp-77", "DirectPayment");
    expected.additional_info = vec![AdditionalInfo { kind: "cardLast4Digits".into(), value: "1234".into() }];
    assert_eq!(token, expected);
}

/// C18.FR.09, C18.FR.10
#[test]
fn a_vat_number_is_judged_by_the_application_and_answered_for_the_same_evse() {
    let address = Address {
        name: "Company".into(),
        line: "Street 1".into(),
        second_line: None,
        city: "City".into(),
        postal_code: Some("1234".into()),
        country: "Country".into(),
    };
    let mut csms = Csms::new(Version::V2_1);
    let id = csms.call("VatNumberValidation", json!({"vatNumber": "NL1", "evseId": 2}));
    let (question, about) = csms.question();
    assert_eq!(about, Question::VatNumber { number: "NL1".into(), evse: Some(2) });
    csms.input(Input::Answer { question, answer: Answer::VatNumber { valid: true, company: Some(address) } });
    let company =
        json!({"name": "Company", "address1": "Street 1", "city": "City", "postalCode": "1234", "country": "Country"});
    let expected = json!({"vatNumber": "NL1", "status": "Accepted", "evseId": 2, "company": company});
    assert_eq!(csms.reply(&id).result(), expected);

    let id = csms.call("VatNumberValidation", json!({"vatNumber": "NL2"}));
    let (question, _) = csms.question();
    csms.input(Input::Answer { question, answer: Answer::VatNumber { valid: false, company: None } });
    assert_eq!(csms.reply(&id).result(), json!({"vatNumber": "NL2", "status": "Rejected"}));

    let id = csms.call("VatNumberValidation", json!({"vatNumber": "NL3"}));
    csms.pass(std::time::Duration::from_secs(10));
    assert_eq!(csms.reply(&id).result()["status"], "Rejected");
}

/// C21.FR.03, C22.FR.01
#[test]
fn a_settlement_is_taken_in_and_answered_with_the_receipt() {
    let settlement = json!({"pspRef": "psp-77", "status": "Rejected", "settlementAmount": 12.50,
        "settlementTime": at(5), "transactionId": "a", "vatNumber": "NL1"});
    let mut csms = Csms::new(Version::V2_1);
    let id = csms.call("NotifySettlement", settlement.clone());
    let (question, about) = csms.question();
    let Question::Settlement(told) = about else { panic!("{about:?}") };
    assert_eq!(
        (&*told.reference, told.status, told.amount),
        ("psp-77", PaymentStatus::Rejected, Decimal::new(1250, 2))
    );
    assert_eq!((told.transaction, told.at.to_string()), (Some(TransactionId::new("a")), at(5)));
    assert_eq!(told.vat_number.as_deref(), Some("NL1"));
    let receipt = Receipt { url: Some("https://receipts.example/1".into()), id: Some("R1".into()) };
    csms.input(Input::Answer { question, answer: Answer::Receipt(receipt) });
    let expected = json!({"receiptUrl": "https://receipts.example/1", "receiptId": "R1"});
    assert_eq!(csms.reply(&id).result(), expected);

    // Nobody has taken it in: the station is not to forget it.
    let id = csms.call("NotifySettlement", settlement);
    csms.pass(std::time::Duration::from_secs(10));
    assert_eq!(csms.reply(&id).code(), "InternalError");
}

fn answered(csms: &mut Csms, command: Command, expected: Value, answer: Value) -> CallResult {
    csms.command(1, command);
    let (id, action, payload) = csms.received_call();
    assert_eq!(json!([action, payload]), expected);
    csms.frame(json!([3, id, answer]).to_string());
    match csms.outcome(1) {
        CallOutcome::Answered(answer) => answer.result,
        outcome => panic!("{outcome:?}"),
    }
}

/// E14, I02.FR.01, C25.FR.21
#[test]
fn a_station_is_told_and_asked_about_a_transaction() {
    let transaction = TransactionId::new("a");
    for version in V2 {
        let mut csms = Csms::new(version);
        let command = Command::CostUpdated { transaction: transaction.clone(), total_cost: Decimal::new(125, 2) };
        let result =
            answered(&mut csms, command, json!(["CostUpdated", {"totalCost": 1.25, "transactionId": "a"}]), json!({}));
        assert!(matches!(result, CallResult::Accepted { .. }));
        let command = Command::GetTransactionStatus { transaction: Some(transaction.clone()) };
        let result = answered(
            &mut csms,
            command,
            json!(["GetTransactionStatus", {"transactionId": "a"}]),
            json!({"messagesInQueue": true, "ongoingIndicator": false}),
        );
        assert_eq!(result, CallResult::TransactionStatus { ongoing: Some(false), messages_in_queue: true });
        let command = Command::GetTransactionStatus { transaction: None };
        let result =
            answered(&mut csms, command, json!(["GetTransactionStatus", {}]), json!({"messagesInQueue": false}));
        assert_eq!(result, CallResult::TransactionStatus { ongoing: None, messages_in_queue: false });
    }
    let mut csms = Csms::new(Version::V2_1);
    let expected = json!(["NotifyWebPaymentStarted", {"evseId": 1, "timeout": 60}]);
    answered(&mut csms, Command::WebPaymentStarted { evse: 1, timeout: 60 }, expected, json!({}));
}

#[test]
fn what_a_version_does_not_have_is_not_sent() {
    let cost = Command::CostUpdated { transaction: TransactionId::from(1), total_cost: Decimal::ONE };
    let status = Command::GetTransactionStatus { transaction: None };
    let web = Command::WebPaymentStarted { evse: 1, timeout: 60 };
    for (version, command) in
        [(Version::V1_6, cost), (Version::V1_6, status), (Version::V1_6, web.clone()), (Version::V2_0_1, web)]
    {
        let mut csms = Csms::new(version);
        csms.command(1, command);
        assert_eq!(csms.outcome(1), CallOutcome::NotSupported, "{version}");
        csms.assert_nothing_sent();
    }
}

/// F01.FR.08, F02.FR.16, C24.FR.01, C25.FR.23; 1.6 edition 2, 5.11
#[test]
fn a_remote_start_may_bring_a_profile_a_group_and_payment_details() {
    let schedule =
        |unit| json!({"chargingRateUnit": unit, "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}]});
    for version in Version::ALL {
        let mut csms = Csms::new(version);
        let profile = match version {
            Version::V1_6 => json!({"chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": "TxProfile",
                "chargingProfileKind": "Relative", "chargingSchedule": schedule("A")}),
            _ => {
                let mut schedule = schedule("A");
                schedule["id"] = json!(1);
                json!({"id": 1, "stackLevel": 0, "chargingProfilePurpose": "TxProfile",
                    "chargingProfileKind": "Relative", "chargingSchedule": [schedule]})
            }
        };
        let mut token = Token::with_kind("psp-77", "DirectPayment");
        let mut group = None;
        if version != Version::V1_6 {
            token = Token::with_kind("psp-77", if version == Version::V2_1 { "DirectPayment" } else { "Central" });
            token.additional_info = vec![AdditionalInfo { kind: "cardBin".into(), value: "4111".into() }];
            group = Some(Token::with_kind("FLEET", "Central"));
        }
        let start = |profile: Option<String>| Command::RemoteStart {
            evse: Some(1),
            token: token.clone(),
            remote_start_id: 7,
            group: group.clone(),
            charging_profile: profile,
        };
        csms.command(1, start(Some(profile.to_string())));
        let (id, _, payload) = csms.received_call();
        assert_eq!(payload["chargingProfile"], profile);
        if version != Version::V1_6 {
            assert_eq!(payload["groupIdToken"], json!({"idToken": "FLEET", "type": "Central"}));
            let info = json!([{"additionalIdToken": "4111", "type": "cardBin"}]);
            assert_eq!(payload["idToken"]["additionalInfo"], info);
        }
        csms.frame(json!([3, id, {"status": "Accepted"}]).to_string());
        csms.events();
        for broken in [r#"{"id":1}"#, "{", "[]", "7"] {
            csms.command(2, start(Some(broken.into())));
            assert!(matches!(csms.outcome(2), CallOutcome::Invalid { .. }), "{broken}");
        }
        csms.assert_nothing_sent();
    }
}
