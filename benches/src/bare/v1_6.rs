//! The measured messages of 1.6.
#![allow(clippy::upper_case_acronyms)] // units as the standard writes them

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::enumeration;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BootNotificationRequest {
    charge_point_vendor: String,
    charge_point_model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    charge_point_serial_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    charge_box_serial_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    firmware_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iccid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    imsi: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meter_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meter_serial_number: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MeterValuesRequest {
    connector_id: i64,
    meter_value: Vec<MeterValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MeterValue {
    timestamp: Timestamp,
    sampled_value: Vec<SampledValue>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SampledValue {
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<ReadingContext>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<ValueFormat>,
    #[serde(skip_serializing_if = "Option::is_none")]
    measurand: Option<Measurand>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<Phase>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Location>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<UnitOfMeasure>,
}

enumeration!(ReadingContext {
    InterruptionBegin = "Interruption.Begin", InterruptionEnd = "Interruption.End", SampleClock = "Sample.Clock",
    SamplePeriodic = "Sample.Periodic", TransactionBegin = "Transaction.Begin", TransactionEnd = "Transaction.End",
    Trigger = "Trigger", Other = "Other",
});
enumeration!(ValueFormat {
    Raw = "Raw", SignedData = "SignedData",
});
enumeration!(Measurand {
    EnergyActiveExportRegister = "Energy.Active.Export.Register", EnergyActiveImportRegister =
    "Energy.Active.Import.Register", EnergyReactiveExportRegister = "Energy.Reactive.Export.Register",
    EnergyReactiveImportRegister = "Energy.Reactive.Import.Register", EnergyActiveExportInterval =
    "Energy.Active.Export.Interval", EnergyActiveImportInterval = "Energy.Active.Import.Interval",
    EnergyReactiveExportInterval = "Energy.Reactive.Export.Interval", EnergyReactiveImportInterval =
    "Energy.Reactive.Import.Interval", PowerActiveExport = "Power.Active.Export", PowerActiveImport =
    "Power.Active.Import", PowerOffered = "Power.Offered", PowerReactiveExport = "Power.Reactive.Export",
    PowerReactiveImport = "Power.Reactive.Import", PowerFactor = "Power.Factor", CurrentImport = "Current.Import",
    CurrentExport = "Current.Export", CurrentOffered = "Current.Offered", Voltage = "Voltage", Frequency =
    "Frequency", Temperature = "Temperature", SoC = "SoC", RPM = "RPM",
});
enumeration!(Phase {
    L1 = "L1", L2 = "L2", L3 = "L3", N = "N", L1N = "L1-N", L2N = "L2-N", L3N = "L3-N", L1L2 = "L1-L2", L2L3 =
    "L2-L3", L3L1 = "L3-L1",
});
enumeration!(Location {
    Cable = "Cable", EV = "EV", Inlet = "Inlet", Outlet = "Outlet", Body = "Body",
});
enumeration!(UnitOfMeasure {
    Wh = "Wh", KWh = "kWh", Varh = "varh", Kvarh = "kvarh", W = "W", KW = "kW", VA = "VA", KVA = "kVA", Var = "var",
    Kvar = "kvar", A = "A", V = "V", K = "K", Celcius = "Celcius", Celsius = "Celsius", Fahrenheit = "Fahrenheit",
    Percent = "Percent",
});
