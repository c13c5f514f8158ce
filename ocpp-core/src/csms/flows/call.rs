//! The calls that flows make, and their answers, without regard to version.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use ocpp_types::Version;
use ocpp_types::v2_1::{
    AuthorizationData, ClearMonitoringResultType, ComponentVariableType, ConstantStreamDataType,
    MonitoringCriterionEnumType, NetworkConnectionProfileType, SetMonitoringDataType, SetMonitoringResultType,
    UpdateEnumType,
};

use super::certificates::{CertificateHash, InstalledCertificate};
use super::flow::{
    CertificateDelivery, CertificateInstallation, Customer, FirmwarePublication, FirmwareUpdate, LogRetrieval,
};
use crate::csms::command::{CallOutcome, Command, Setting};
use crate::csms::message::{AnswerMessage, CallMessage};

/// A call of a flow.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum FlowCall {
    /// What a single command does.
    Command(Command),
    SetNetworkProfile {
        slot: i64,
        profile: Box<NetworkConnectionProfileType>,
    },
    CertificateSigned(CertificateDelivery),
    InstallCertificate(CertificateInstallation),
    DeleteCertificate(CertificateHash),
    /// In 1.6 of one kind a call.
    InstalledCertificates(Vec<String>),
    UpdateFirmware {
        request_id: i64,
        update: FirmwareUpdate,
    },
    PublishFirmware {
        request_id: i64,
        publication: FirmwarePublication,
    },
    UnpublishFirmware {
        checksum: String,
    },
    GetLog {
        request_id: i64,
        log: LogRetrieval,
    },
    CustomerInformation {
        request_id: i64,
        customer: Customer,
        report: bool,
        clear: bool,
    },
    SetMonitoringBase {
        base: String,
    },
    SetMonitoringLevel {
        severity: i64,
    },
    SetMonitors(Vec<SetMonitoringDataType>),
    ClearMonitors(Vec<i64>),
    GetMonitors {
        request_id: i64,
        criteria: Vec<MonitoringCriterionEnumType>,
        variables: Vec<ComponentVariableType>,
    },
    AdjustEventStream {
        id: i64,
        interval: Option<i64>,
        values: Option<i64>,
    },
    GetEventStreams,
    SendLocalList {
        version: i64,
        update: UpdateEnumType,
        entries: Vec<AuthorizationData>,
    },
}

/// What the station answered.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum FlowAnswer {
    Status {
        status: String,
        reason: Option<String>,
        file: Option<String>,
    },
    Certificates(Vec<InstalledCertificate>),
    Settings(Vec<Setting>),
    Monitors(Vec<SetMonitoringResultType>),
    Cleared(Vec<ClearMonitoringResultType>),
    EventStreams(Vec<ConstantStreamDataType>),
    /// Of the local authorization list.
    ListVersion(i64),
    /// An answer that says nothing, or nothing that belongs to the call.
    Empty,
}

/// The call as the version has it, or why there is none.
pub(super) fn write(version: Version, call: &FlowCall) -> Result<CallMessage, CallOutcome> {
    match version {
        #[cfg(feature = "v1_6")]
        Version::V1_6 => super::v1_6::write(call),
        Version::V2_0_1 | Version::V2_1 => super::v2::write(call),
        #[allow(unreachable_patterns)]
        _ => Err(CallOutcome::NotSupported),
    }
}

/// What an answer says.
pub(super) fn read(answer: AnswerMessage) -> FlowAnswer {
    match answer {
        #[cfg(feature = "v1_6")]
        AnswerMessage::V1_6(response) => super::v1_6::read(*response),
        AnswerMessage::V2(response) => super::v2::read(*response),
    }
}

/// Whole seconds, as messages count.
pub(super) fn seconds(duration: Option<Duration>) -> Option<i64> {
    duration.map(|duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX))
}
