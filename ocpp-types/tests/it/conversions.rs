//! 2.0.1 to 2.1 and back.

use ocpp_types::{Conformance, ConversionErrorReason, Version, v2_0_1, v2_1};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::Value;

use crate::instances::{any_instance, maximal};
use crate::round_trips::equal;
use crate::schemas;

macro_rules! up_and_down {
    ($sum:ident, $action:expr, $text:expr) => {
        v2_0_1::$sum::decode($action, $text, Conformance::Strict).ok().map(|decoded| {
            let newer = v2_1::$sum::from(decoded.message.clone());
            let newer_text = newer.encode();
            let older =
                v2_0_1::$sum::try_from(newer).unwrap_or_else(|error| panic!("{}: {error}\n{newer_text}", $action));
            assert_eq!(older, decoded.message);
            newer_text
        })
    };
}

fn check(name: &str, instance: &Value) {
    let text = instance.to_string();
    let newer = if let Some(action) = name.strip_suffix("Response") {
        up_and_down!(StationResponse, action, &text).or_else(|| up_and_down!(CsmsResponse, action, &text))
    } else {
        let action = name.strip_suffix("Request").unwrap();
        up_and_down!(StationRequest, action, &text).or_else(|| up_and_down!(CsmsRequest, action, &text))
    };
    let newer: Value = serde_json::from_str(&newer.unwrap_or_else(|| panic!("{name} is in no sum"))).unwrap();
    // 2.1 requires to be told how a monitor came to be, which 2.0.1 does not say.
    if name != "NotifyMonitoringReportRequest" {
        assert!(equal(&newer, instance), "{name} became\n{newer}\nfrom\n{instance}");
    }
}

#[test]
fn every_message_of_2_0_1_becomes_one_of_2_1_and_comes_back_unchanged() {
    let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(0x201), ..Config::default() });
    for file in schemas::of_version(Version::V2_0_1) {
        check(&file.name, &maximal(&file, &file.schema));
        let strategy = any_instance(&file, &file.schema);
        for _ in 0..8 {
            check(&file.name, &strategy.new_tree(&mut runner).unwrap().current());
        }
    }
}

#[test]
fn what_only_2_1_can_say_does_not_become_2_0_1() {
    let mut boot = v2_1::BootNotificationRequest::new(
        v2_1::ChargingStationType::new("Model".try_into().unwrap(), "Vendor".try_into().unwrap()),
        v2_1::BootReasonEnumType::PowerUp,
    );
    assert!(v2_0_1::BootNotificationRequest::try_from(boot.clone()).is_ok());
    boot.reason = "no such reason".into();
    assert!(v2_0_1::BootNotificationRequest::try_from(boot).is_ok(), "unlisted in both, as a peer may have sent it");

    let mut profile = v2_1::ClearedChargingLimitRequest::new("EMS".try_into().unwrap());
    assert!(v2_0_1::ClearedChargingLimitRequest::try_from(profile.clone()).is_ok());
    profile.charging_limit_source = "DSO2".try_into().unwrap();
    let error = v2_0_1::ClearedChargingLimitRequest::try_from(profile).unwrap_err();
    assert_eq!((error.path.as_str(), error.reason), ("/chargingLimitSource", ConversionErrorReason::NoSuchValue));

    let request = v2_1::GetTariffsRequest::new(1);
    assert_eq!(
        v2_0_1::CsmsRequest::try_from(v2_1::CsmsRequest::from(request)).unwrap_err().reason,
        ConversionErrorReason::NoPlace
    );

    let mut status = v2_1::ReservationStatusUpdateRequest::new(1, v2_1::ReservationUpdateStatusEnumType::Expired);
    assert!(v2_0_1::ReservationStatusUpdateRequest::try_from(status.clone()).is_ok());
    status.reservation_update_status = v2_1::ReservationUpdateStatusEnumType::NoTransaction;
    let error = v2_0_1::ReservationStatusUpdateRequest::try_from(status).unwrap_err();
    assert_eq!(error.path, "/reservationUpdateStatus");
}
