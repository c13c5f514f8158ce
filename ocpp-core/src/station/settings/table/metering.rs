//! Metering: what is measured when, and what of it is signed.
//!
//! 1.6 edition 2, 9.1.5, 9.1.15 to 9.1.19, 9.1.25 to 9.1.28; 1.6 errata 3.91

use super::{COUNT, DAY, Definition, Key, Kind, MEASURANDS_TEXT, SECONDS, row, variable};

pub(super) const ROWS: &[Definition] = &[
    row(Key::AlignedAvailable, None, variable("AlignedDataCtrlr", "Available"), Kind::Boolean, "true").read_only(),
    row(Key::AlignedEnabled, None, variable("AlignedDataCtrlr", "Enabled"), Kind::Boolean, "true"),
    row(Key::AlignedInterval, Some("ClockAlignedDataInterval"), variable("AlignedDataCtrlr", "Interval"), DAY, "0")
        .unit("s"),
    row(
        Key::AlignedMeasurands,
        Some("MeterValuesAlignedData"),
        variable("AlignedDataCtrlr", "Measurands"),
        Kind::Measurands,
        "Energy.Active.Import.Register",
    ),
    row(Key::AlignedMeasurandsMaxLength, Some("MeterValuesAlignedDataMaxLength"), None, COUNT, MEASURANDS_TEXT)
        .read_only(),
    row(Key::AlignedSendDuringIdle, None, variable("AlignedDataCtrlr", "SendDuringIdle"), Kind::Boolean, "false"),
    row(
        Key::AlignedSignReadings,
        Some("AlignedDataSignReadings"),
        variable("AlignedDataCtrlr", "SignReadings"),
        Kind::Boolean,
        "false",
    ),
    row(
        Key::AlignedSignUpdatedReadings,
        Some("AlignedDataSignUpdatedReadings"),
        variable("AlignedDataCtrlr", "SignUpdatedReadings"),
        Kind::Boolean,
        "false",
    ),
    row(Key::AlignedTxEndedInterval, None, variable("AlignedDataCtrlr", "TxEndedInterval"), DAY, "0").unit("s"),
    row(
        Key::AlignedTxEndedMeasurands,
        Some("StopTxnAlignedData"),
        variable("AlignedDataCtrlr", "TxEndedMeasurands"),
        Kind::Measurands,
        "",
    ),
    row(Key::AlignedTxEndedMeasurandsMaxLength, Some("StopTxnAlignedDataMaxLength"), None, COUNT, MEASURANDS_TEXT)
        .read_only(),
    row(
        Key::PublicKeyWithSignedMeterValue,
        Some("PublicKeyWithSignedMeterValue"),
        variable("OCPPCommCtrlr", "PublicKeyWithSignedMeterValue"),
        Kind::OneOf(&["Never", "OncePerTransaction", "EveryMeterValue"]),
        "EveryMeterValue",
    ),
    row(Key::SampledAvailable, None, variable("SampledDataCtrlr", "Available"), Kind::Boolean, "true").read_only(),
    row(Key::SampledEnabled, None, variable("SampledDataCtrlr", "Enabled"), Kind::Boolean, "true"),
    row(
        Key::SampledRegisterValuesWithoutPhases,
        None,
        variable("SampledDataCtrlr", "RegisterValuesWithoutPhases"),
        Kind::Boolean,
        "false",
    ),
    row(
        Key::SampledSignReadings,
        Some("SampledDataSignReadings"),
        variable("SampledDataCtrlr", "SignReadings"),
        Kind::Boolean,
        "false",
    ),
    row(
        Key::SampledSignStartedReadings,
        Some("SampledDataSignStartedReadings"),
        variable("SampledDataCtrlr", "SignStartedReadings"),
        Kind::Boolean,
        "false",
    ),
    row(
        Key::SampledSignUpdatedReadings,
        Some("SampledDataSignUpdatedReadings"),
        variable("SampledDataCtrlr", "SignUpdatedReadings"),
        Kind::Boolean,
        "false",
    ),
    row(Key::StartTxnSampledData, Some("StartTxnSampledData"), None, Kind::Measurands, ""),
    row(Key::StopTransactionMaxMeterValues, Some("StopTransactionMaxMeterValues"), None, COUNT, "500").read_only(),
    row(Key::TxEndedInterval, None, variable("SampledDataCtrlr", "TxEndedInterval"), SECONDS, "0").unit("s"),
    row(
        Key::TxEndedMeasurands,
        Some("StopTxnSampledData"),
        variable("SampledDataCtrlr", "TxEndedMeasurands"),
        Kind::Measurands,
        "Energy.Active.Import.Register",
    ),
    row(Key::TxEndedMeasurandsMaxLength, Some("StopTxnSampledDataMaxLength"), None, COUNT, MEASURANDS_TEXT).read_only(),
    row(
        Key::TxStartedMeasurands,
        None,
        variable("SampledDataCtrlr", "TxStartedMeasurands"),
        Kind::Measurands,
        "Energy.Active.Import.Register",
    ),
    row(
        Key::TxUpdatedInterval,
        Some("MeterValueSampleInterval"),
        variable("SampledDataCtrlr", "TxUpdatedInterval"),
        SECONDS,
        "60",
    )
    .unit("s"),
    row(
        Key::TxUpdatedMeasurands,
        Some("MeterValuesSampledData"),
        variable("SampledDataCtrlr", "TxUpdatedMeasurands"),
        Kind::Measurands,
        "Energy.Active.Import.Register",
    ),
    row(Key::TxUpdatedMeasurandsMaxLength, Some("MeterValuesSampledDataMaxLength"), None, COUNT, MEASURANDS_TEXT)
        .read_only(),
];
