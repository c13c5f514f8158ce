//! The measured messages of 2.1. Large optional objects that no measured message has are left raw, in favour of this side.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::enumeration;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BootNotificationRequest {
    charging_station: ChargingStation,
    reason: BootReason,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_data: Option<Box<RawValue>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChargingStation {
    model: String,
    vendor_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modem: Option<Modem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    firmware_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_data: Option<Box<RawValue>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Modem {
    #[serde(skip_serializing_if = "Option::is_none")]
    iccid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    imsi: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_data: Option<Box<RawValue>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TransactionEventRequest {
    event_type: TransactionEvent,
    timestamp: Timestamp,
    trigger_reason: TriggerReason,
    seq_no: i64,
    transaction_info: Transaction,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_details: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meter_value: Option<Vec<MeterValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offline: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number_of_phases_used: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cable_max_current: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reservation_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preconditioning_status: Option<PreconditioningStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evse_sleep: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evse: Option<Evse>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<Box<IdToken>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_data: Option<Box<RawValue>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transaction {
    transaction_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    charging_state: Option<ChargingState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_spent_charging: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped_reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_start_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation_mode: Option<OperationMode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tariff_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_limit: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_data: Option<Box<RawValue>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evse {
    id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    connector_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_data: Option<Box<RawValue>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IdToken {
    id_token: String,
    r#type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_info: Option<Vec<Box<RawValue>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_data: Option<Box<RawValue>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MeterValue {
    sampled_value: Vec<SampledValue>,
    timestamp: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_data: Option<Box<RawValue>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SampledValue {
    #[serde(with = "super::decimal")]
    value: Decimal,
    #[serde(skip_serializing_if = "Option::is_none")]
    measurand: Option<Measurand>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<ReadingContext>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<Phase>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Location>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signed_meter_value: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit_of_measure: Option<UnitOfMeasure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_data: Option<Box<RawValue>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnitOfMeasure {
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multiplier: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_data: Option<Box<RawValue>>,
}

enumeration!(BootReason {
    ApplicationReset = "ApplicationReset", FirmwareUpdate = "FirmwareUpdate", LocalReset = "LocalReset", PowerUp =
    "PowerUp", RemoteReset = "RemoteReset", ScheduledReset = "ScheduledReset", Triggered = "Triggered", Unknown =
    "Unknown", Watchdog = "Watchdog",
});
enumeration!(TransactionEvent {
    Ended = "Ended", Started = "Started", Updated = "Updated",
});
enumeration!(TriggerReason {
    AbnormalCondition = "AbnormalCondition", Authorized = "Authorized", CablePluggedIn = "CablePluggedIn",
    ChargingRateChanged = "ChargingRateChanged", ChargingStateChanged = "ChargingStateChanged", CostLimitReached =
    "CostLimitReached", Deauthorized = "Deauthorized", EnergyLimitReached = "EnergyLimitReached",
    EVCommunicationLost = "EVCommunicationLost", EVConnectTimeout = "EVConnectTimeout", EVDeparted = "EVDeparted",
    EVDetected = "EVDetected", LimitSet = "LimitSet", MeterValueClock = "MeterValueClock", MeterValuePeriodic =
    "MeterValuePeriodic", OperationModeChanged = "OperationModeChanged", RemoteStart = "RemoteStart", RemoteStop =
    "RemoteStop", ResetCommand = "ResetCommand", RunningCost = "RunningCost", SignedDataReceived =
    "SignedDataReceived", SoCLimitReached = "SoCLimitReached", StopAuthorized = "StopAuthorized", TariffChanged =
    "TariffChanged", TariffNotAccepted = "TariffNotAccepted", TimeLimitReached = "TimeLimitReached", Trigger =
    "Trigger", TxResumed = "TxResumed", UnlockCommand = "UnlockCommand",
});
enumeration!(ChargingState {
    EVConnected = "EVConnected", Charging = "Charging", SuspendedEV = "SuspendedEV", SuspendedEVSE =
    "SuspendedEVSE", Idle = "Idle",
});
enumeration!(Reason {
    DeAuthorized = "DeAuthorized", EmergencyStop = "EmergencyStop", EnergyLimitReached = "EnergyLimitReached",
    EVDisconnected = "EVDisconnected", GroundFault = "GroundFault", ImmediateReset = "ImmediateReset", MasterPass =
    "MasterPass", Local = "Local", LocalOutOfCredit = "LocalOutOfCredit", Other = "Other", OvercurrentFault =
    "OvercurrentFault", PowerLoss = "PowerLoss", PowerQuality = "PowerQuality", Reboot = "Reboot", Remote =
    "Remote", SOCLimitReached = "SOCLimitReached", StoppedByEV = "StoppedByEV", TimeLimitReached =
    "TimeLimitReached", Timeout = "Timeout", ReqEnergyTransferRejected = "ReqEnergyTransferRejected",
});
enumeration!(OperationMode {
    Idle = "Idle", ChargingOnly = "ChargingOnly", CentralSetpoint = "CentralSetpoint", ExternalSetpoint =
    "ExternalSetpoint", ExternalLimits = "ExternalLimits", CentralFrequency = "CentralFrequency", LocalFrequency =
    "LocalFrequency", LocalLoadBalancing = "LocalLoadBalancing",
});
enumeration!(PreconditioningStatus {
    Unknown = "Unknown", Ready = "Ready", NotReady = "NotReady", Preconditioning = "Preconditioning",
});
enumeration!(Measurand {
    CurrentExport = "Current.Export", CurrentExportOffered = "Current.Export.Offered", CurrentExportMinimum =
    "Current.Export.Minimum", CurrentImport = "Current.Import", CurrentImportOffered = "Current.Import.Offered",
    CurrentImportMinimum = "Current.Import.Minimum", CurrentOffered = "Current.Offered", DisplayPresentSOC =
    "Display.PresentSOC", DisplayMinimumSOC = "Display.MinimumSOC", DisplayTargetSOC = "Display.TargetSOC",
    DisplayMaximumSOC = "Display.MaximumSOC", DisplayRemainingTimeToMinimumSOC =
    "Display.RemainingTimeToMinimumSOC", DisplayRemainingTimeToTargetSOC = "Display.RemainingTimeToTargetSOC",
    DisplayRemainingTimeToMaximumSOC = "Display.RemainingTimeToMaximumSOC", DisplayChargingComplete =
    "Display.ChargingComplete", DisplayBatteryEnergyCapacity = "Display.BatteryEnergyCapacity", DisplayInletHot =
    "Display.InletHot", EnergyActiveExportInterval = "Energy.Active.Export.Interval", EnergyActiveExportRegister =
    "Energy.Active.Export.Register", EnergyActiveImportInterval = "Energy.Active.Import.Interval",
    EnergyActiveImportRegister = "Energy.Active.Import.Register", EnergyActiveImportCableLoss =
    "Energy.Active.Import.CableLoss", EnergyActiveImportLocalGenerationRegister =
    "Energy.Active.Import.LocalGeneration.Register", EnergyActiveNet = "Energy.Active.Net",
    EnergyActiveSetpointInterval = "Energy.Active.Setpoint.Interval", EnergyApparentExport =
    "Energy.Apparent.Export", EnergyApparentImport = "Energy.Apparent.Import", EnergyApparentNet =
    "Energy.Apparent.Net", EnergyReactiveExportInterval = "Energy.Reactive.Export.Interval",
    EnergyReactiveExportRegister = "Energy.Reactive.Export.Register", EnergyReactiveImportInterval =
    "Energy.Reactive.Import.Interval", EnergyReactiveImportRegister = "Energy.Reactive.Import.Register",
    EnergyReactiveNet = "Energy.Reactive.Net", EnergyRequestTarget = "EnergyRequest.Target", EnergyRequestMinimum =
    "EnergyRequest.Minimum", EnergyRequestMaximum = "EnergyRequest.Maximum", EnergyRequestMinimumV2X =
    "EnergyRequest.Minimum.V2X", EnergyRequestMaximumV2X = "EnergyRequest.Maximum.V2X", EnergyRequestBulk =
    "EnergyRequest.Bulk", Frequency = "Frequency", PowerActiveExport = "Power.Active.Export", PowerActiveImport =
    "Power.Active.Import", PowerActiveSetpoint = "Power.Active.Setpoint", PowerActiveResidual =
    "Power.Active.Residual", PowerExportMinimum = "Power.Export.Minimum", PowerExportOffered =
    "Power.Export.Offered", PowerFactor = "Power.Factor", PowerImportOffered = "Power.Import.Offered",
    PowerImportMinimum = "Power.Import.Minimum", PowerOffered = "Power.Offered", PowerReactiveExport =
    "Power.Reactive.Export", PowerReactiveImport = "Power.Reactive.Import", SoC = "SoC", Voltage = "Voltage",
    VoltageMinimum = "Voltage.Minimum", VoltageMaximum = "Voltage.Maximum",
});
enumeration!(ReadingContext {
    InterruptionBegin = "Interruption.Begin", InterruptionEnd = "Interruption.End", Other = "Other", SampleClock =
    "Sample.Clock", SamplePeriodic = "Sample.Periodic", TransactionBegin = "Transaction.Begin", TransactionEnd =
    "Transaction.End", Trigger = "Trigger",
});
enumeration!(Phase {
    L1 = "L1", L2 = "L2", L3 = "L3", N = "N", L1N = "L1-N", L2N = "L2-N", L3N = "L3-N", L1L2 = "L1-L2", L2L3 =
    "L2-L3", L3L1 = "L3-L1",
});
enumeration!(Location {
    Body = "Body", Cable = "Cable", EV = "EV", Inlet = "Inlet", Outlet = "Outlet", Upstream = "Upstream",
});
