//! What peers really send, and what nobody should.

use ocpp_types::{
    Conformance, DateTime, Decimal, DecodeErrorKind, FindingKind, Version, decode, encode, v1_6, v2_0_1, v2_1,
};

fn kinds(findings: &[ocpp_types::Finding]) -> Vec<(&str, FindingKind)> {
    findings.iter().map(|finding| (finding.path.as_str(), finding.kind)).collect()
}

/// Decodes leniently, with these findings, and encodes to the same text.
fn survives<M: ocpp_types::Message>(text: &str, expected: &[(&str, FindingKind)]) -> M {
    assert!(decode::<M>(text, Conformance::Strict).is_err(), "{text}");
    let decoded = decode::<M>(text, Conformance::Lenient).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(kinds(&decoded.findings), expected, "{text}");
    assert_eq!(encode(&decoded.message), text);
    decoded.message
}

#[test]
fn what_is_not_json_is_refused_as_such_in_both_modes() {
    let deep = "[".repeat(1_000_000);
    let deep_member = format!(r#"{{"idTag":{}"#, "{\"a\":".repeat(1_000_000));
    for text in [
        "",
        "{",
        "nonsense",
        "{\"idTag\":NaN}",
        "{\"idTag\":\"a\"} ",
        "{\"idTag\":\"a\"}}",
        "{'idTag':'a'}",
        &deep,
        &deep_member,
    ] {
        for conformance in [Conformance::Strict, Conformance::Lenient] {
            let outcome = decode::<v1_6::AuthorizeRequest>(text, conformance);
            if text.ends_with(' ') {
                assert!(outcome.is_ok());
                continue;
            }
            let error = outcome.unwrap_err();
            assert_eq!(error.kind, DecodeErrorKind::NotJson);
            assert_eq!(error.code().as_str(Version::V1_6), "FormationViolation");
            assert_eq!(error.code().as_str(Version::V2_1), "FormatViolation");
        }
    }
}

#[test]
fn deep_nesting_that_is_json_does_not_exhaust_the_stack() {
    let depth = 1_000_000;
    let text = format!(r#"{{"vendorId":"v","data":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    let decoded = decode::<v2_1::DataTransferRequest>(&text, Conformance::Strict).unwrap();
    assert_eq!(encode(&decoded.message), text);
}

#[test]
fn numbers_that_cannot_be_computed_with_are_out_of_range() {
    let text = r#"{"evse":{"id":1e400}}"#;
    let error = decode::<v2_1::TriggerMessageRequest>(text, Conformance::Strict).unwrap_err();
    assert!(kinds(&error.findings).contains(&("/evse/id", FindingKind::OutOfRange)), "{error}");

    let text = r#"{"connectorId":9223372036854775808,"idTag":"a","meterStart":0,"timestamp":"2025-01-31T08:15:30Z"}"#;
    let error = decode::<v1_6::StartTransactionRequest>(text, Conformance::Lenient).unwrap_err();
    assert_eq!(kinds(&error.findings), [("/connectorId", FindingKind::OutOfRange)]);
    assert_eq!(error.code().as_str(Version::V1_6), "PropertyConstraintViolation");
}

#[test]
fn large_and_negative_integers_are_kept() {
    let text = r#"{"currentTime":"2025-01-31T08:15:30Z","interval":86400,"status":"Accepted"}"#;
    assert_eq!(decode::<v1_6::BootNotificationResponse>(text, Conformance::Strict).unwrap().message.interval, 86_400);
    let text = r#"{"connectorId":1,"idTag":"a","meterStart":-9223372036854775808,"timestamp":"2025-01-31T08:15:30Z"}"#;
    assert_eq!(
        decode::<v1_6::StartTransactionRequest>(text, Conformance::Strict).unwrap().message.meter_start,
        i64::MIN
    );
}

#[test]
fn a_whole_number_with_a_fraction_is_an_integer_to_2_x_only() {
    let text = r#"{"evseId":1.0,"stopReason":"Local"}"#;
    assert!(decode::<v2_1::UnlockConnectorRequest>(r#"{"evseId":1.0,"connectorId":2.0}"#, Conformance::Strict).is_ok());
    let error = decode::<v1_6::UnlockConnectorRequest>(r#"{"connectorId":1.0}"#, Conformance::Strict).unwrap_err();
    assert_eq!(kinds(&error.findings), [("/connectorId", FindingKind::WrongType)]);
    assert!(decode::<v2_1::UnlockConnectorRequest>(text, Conformance::Strict).is_err());
}

#[test]
fn half_of_a_surrogate_pair_is_found_and_kept_where_it_is_optional() {
    let error = decode::<v1_6::AuthorizeRequest>(r#"{"idTag":"\ud800"}"#, Conformance::Lenient).unwrap_err();
    assert_eq!(kinds(&error.findings), [("/idTag", FindingKind::Unreadable)]);
    survives::<v1_6::DataTransferRequest>(r#"{"vendorId":"v","data":"\ud800"}"#, &[("/data", FindingKind::Unreadable)]);
}

#[test]
fn an_explicit_null_is_found_and_kept() {
    let text = r#"{"vendorId":"v","messageId":null}"#;
    let message = survives::<v1_6::DataTransferRequest>(text, &[("/messageId", FindingKind::WrongType)]);
    assert_eq!(message.message_id, None);
}

#[test]
fn a_second_occurrence_is_found_and_kept() {
    let text = r#"{"idTag":"first","idTag":"second"}"#;
    let message = survives::<v1_6::AuthorizeRequest>(text, &[("/idTag", FindingKind::Repeated)]);
    assert_eq!(message.id_tag, "first");
    assert_eq!(message.extra.get("idTag").unwrap().get(), r#""second""#);
}

#[test]
fn data_transfer_with_an_object_for_its_text_is_kept() {
    let text = r#"{"vendorId":"v","data":{"a":[1,2.50]}}"#;
    let message = survives::<v1_6::DataTransferRequest>(text, &[("/data", FindingKind::WrongType)]);
    assert_eq!(message.data, None);
    assert_eq!(message.extra.get("data").unwrap().get(), r#"{"a":[1,2.50]}"#);
}

#[test]
fn values_that_the_standard_does_not_have_are_kept() {
    let text = r#"{"timestamp":"2025-01-31T08:15:30Z","sampledValue":[{"value":"50.0","measurand":"Frequency","unit":"Hertz"}]}"#;
    let text = format!(r#"{{"connectorId":1,"meterValue":[{text}]}}"#);
    let message = survives::<v1_6::MeterValuesRequest>(
        &text,
        &[("/meterValue/0/sampledValue/0/unit", FindingKind::UnlistedValue)],
    );
    let unit = message.meter_value[0].sampled_value[0].unit.clone().unwrap();
    assert_eq!(unit.as_str(), "Hertz");
    assert_eq!(unit, v1_6::UnitOfMeasure::from("Hertz"));
    // The schemas list the misspelling beside the right form.
    assert_eq!(v1_6::UnitOfMeasure::from("Celcius"), v1_6::UnitOfMeasure::Celcius);
}

#[test]
fn near_misses_of_times_are_understood_and_written_as_they_came() {
    for time in ["2025-01-31T09:15:30+0100", "2025-01-31T08:15:30", "2025-01-31T08:15Z"] {
        let text = format!(r#"{{"connectorId":1,"idTag":"a","meterStart":0,"timestamp":"{time}"}}"#);
        let message = survives::<v1_6::StartTransactionRequest>(&text, &[("/timestamp", FindingKind::BadFormat)]);
        assert_eq!(
            message.timestamp.timestamp().as_second() / 3600,
            DateTime::parse("2025-01-31T08:00:00Z").unwrap().timestamp().as_second() / 3600
        );
    }
}

#[test]
fn custom_data_keeps_any_members_and_its_vendor_is_required() {
    let text = r#"{"customData":{"vendorId":"com.example","mainMeterValue":12345,"deep":{"a":[null,1e2]}}}"#;
    let decoded = decode::<v2_0_1::HeartbeatRequest>(text, Conformance::Strict).unwrap();
    assert_eq!(encode(&decoded.message), text);
    assert_eq!(decoded.message.custom_data.unwrap().extra.get("mainMeterValue").unwrap().to::<i64>().unwrap(), 12_345);

    let text = r#"{"customData":{"other":1}}"#;
    let message = survives::<v2_0_1::HeartbeatRequest>(text, &[("/customData/vendorId", FindingKind::Missing)]);
    assert!(message.custom_data.is_none());
}

#[test]
fn names_that_rename_rules_break_are_the_standards() {
    let mut request = v2_1::ChargingSchedulePeriodType::new(0);
    request.discharge_limit_l2 = Some(Decimal::new(-75, 1));
    assert_eq!(serde_json::to_string(&request).unwrap(), r#"{"startPeriod":0,"dischargeLimit_L2":-7.5}"#);
    let kind = v2_1::DERControlEnumType::FixedPFAbsorb;
    assert_eq!(kind.as_str(), "FixedPFAbsorb");
}

#[test]
fn an_empty_object_matches_no_answer_that_requires_something() {
    let error = v1_6::CsmsResponse::decode("BootNotification", "{}", Conformance::Lenient).unwrap_err();
    assert_eq!(error.findings.len(), 3);
    assert_eq!(error.code().as_str(Version::V1_6), "OccurenceConstraintViolation");
}

#[test]
fn unknown_and_misdirected_actions_are_told_apart() {
    let error = v1_6::StationRequest::decode("NoSuchAction", "{}", Conformance::Strict).unwrap_err();
    assert_eq!(error.code().as_str(Version::V1_6), "NotImplemented");
    let error = v1_6::StationRequest::decode("Reset", r#"{"type":"Soft"}"#, Conformance::Strict).unwrap_err();
    assert_eq!(error.code().as_str(Version::V1_6), "NotSupported");
    let error = v2_0_1::StationRequest::decode("NotifyPeriodicEventStream", "{}", Conformance::Strict).unwrap_err();
    assert_eq!(error.code().as_str(Version::V2_0_1), "NotImplemented");
}

#[test]
fn an_answer_can_be_described_in_255_characters() {
    let text = format!(r#"{{"{}":1}}"#, "é".repeat(400));
    let error = decode::<v2_1::HeartbeatRequest>(&text, Conformance::Strict).unwrap_err();
    assert_eq!(error.description().chars().count(), 255);
    assert!(error.details().get().starts_with('{'));
}

#[test]
fn plain_serde_reads_and_writes_the_same() {
    let value =
        serde_json::json!({ "timestamp": "2025-01-31T08:15:30Z", "sampledValue": [{ "value": 2935.6, "x": 1 }] });
    let message: v2_1::MeterValueType = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(message.sampled_value[0].value, Decimal::new(29_356, 1));
    assert_eq!(serde_json::to_value(&message).unwrap(), value);
}

#[test]
fn decimals_keep_the_digits_that_a_meter_sent() {
    let text =
        r#"{"sampledValue":[{"value":2935.600},{"value":0.1234567890123456789}],"timestamp":"2025-01-31T08:15:30Z"}"#;
    let message =
        decode::<v2_1::MeterValuesRequest>(&format!(r#"{{"evseId":1,"meterValue":[{text}]}}"#), Conformance::Strict)
            .unwrap()
            .message;
    assert_eq!(encode(&message), format!(r#"{{"evseId":1,"meterValue":[{text}]}}"#));
}

#[test]
fn names_may_be_written_with_escapes() {
    for text in [r#"{"\u0069dTag":"a"}"#, r#"{ "idTa\u0067" : "\u0061" }"#] {
        for conformance in [Conformance::Strict, Conformance::Lenient] {
            let decoded = decode::<v1_6::AuthorizeRequest>(text, conformance).unwrap();
            assert_eq!(decoded.message, v1_6::AuthorizeRequest::new("a".try_into().unwrap()), "{text}");
            assert_eq!(decoded.findings, []);
        }
    }
    let text = r#"{"idTag":"first","idT\u0061g":"second","\u006eew":"\u00e9"}"#;
    let decoded = decode::<v1_6::AuthorizeRequest>(text, Conformance::Lenient).unwrap();
    assert_eq!(kinds(&decoded.findings), [("/idTag", FindingKind::Repeated), ("/new", FindingKind::ExtraMember)]);
    assert_eq!(encode(&decoded.message), r#"{"idTag":"first","idTag":"second","new":"\u00e9"}"#);
}

#[test]
fn white_space_is_allowed_between_all_parts_and_none_may_be_missing() {
    let spaced = "\r\n{ \"connectorId\"\t: 1 ,\n\"meterValue\" : [ { \"timestamp\" :\"2025-01-31T08:15:30Z\", \"sampledValue\" : [ { \"value\" : \"1\" } , {\"value\":\"2\"} ] } ] }\n";
    let decoded = decode::<v1_6::MeterValuesRequest>(spaced, Conformance::Strict).unwrap().message;
    let compact = encode(&decoded);
    assert_eq!(decode::<v1_6::MeterValuesRequest>(&compact, Conformance::Strict).unwrap().message, decoded);
    for (place, _) in compact.char_indices() {
        // Without any one character it is another message, which is written as it came, or none.
        let mut text = compact.clone();
        text.remove(place);
        let is_json = serde_json::from_str::<serde_json::Value>(&text).is_ok();
        match decode::<v1_6::MeterValuesRequest>(&text, Conformance::Lenient) {
            Ok(other) => assert!(is_json && encode(&other.message) == text, "{text}"),
            Err(error) => assert_eq!(error.kind == DecodeErrorKind::NotJson, !is_json, "{text}"),
        }
    }
}
