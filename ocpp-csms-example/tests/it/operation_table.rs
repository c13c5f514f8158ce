//! Everything that a station can be asked to do, once for each version: how it is said, and how it ends when the station does it, refuses
//! it, fails, is away, or has no such call in its version.

use serde_json::{Value, json};

/// An operation.
pub struct Row {
    /// As it is asked for.
    pub body: Value,
    /// As it is asked for of a station of 1.6, where that differs.
    pub body_of_1_6: Option<Value>,
    pub administers: bool,
    /// In 1.6.
    pub first: Option<Way>,
    /// In 2.0.1 and 2.1.
    pub second: Option<Way>,
    /// Not in 2.0.1.
    pub since_2_1: bool,
}

/// How a station goes along.
pub struct Way {
    /// The calls that come, and how they are answered; the first is the one that may be refused.
    pub calls: Vec<Call>,
    /// What the first call says.
    pub expected: Value,
    /// How it is refused, where its answer has a word for that.
    pub refusal: Option<Value>,
    /// The operation goes on over a reconnection, which has a test of its own.
    pub reconnects: bool,
}

pub struct Call {
    pub action: &'static str,
    pub answer: Value,
    /// What the station says afterwards. `$requestId` stands for the one of the call.
    pub says: Option<(&'static str, Value)>,
}

impl Row {
    pub fn name(&self) -> &str {
        self.body["operation"].as_str().unwrap()
    }

    pub fn way(&self, subprotocol: &str) -> Option<&Way> {
        match subprotocol {
            "ocpp1.6" => self.first.as_ref(),
            "ocpp2.0.1" if self.since_2_1 => None,
            _ => self.second.as_ref(),
        }
    }

    pub fn body(&self, subprotocol: &str) -> Value {
        match &self.body_of_1_6 {
            Some(body) if subprotocol == "ocpp1.6" => body.clone(),
            _ => self.body.clone(),
        }
    }

    fn administers(mut self) -> Self {
        self.administers = true;
        self
    }

    fn since_2_1(mut self) -> Self {
        self.since_2_1 = true;
        self
    }

    fn in_1_6_as(mut self, body: Value) -> Self {
        self.body_of_1_6 = Some(body);
        self
    }
}

impl Way {
    fn refused(mut self, answer: Value) -> Option<Self> {
        self.refusal = Some(answer);
        Some(self)
    }

    fn rejected(self) -> Option<Self> {
        self.refused(json!({"status": "Rejected"}))
    }

    fn then(mut self, action: &'static str, answer: Value) -> Self {
        self.calls.push(Call { action, answer, says: None });
        self
    }

    fn says(mut self, action: &'static str, payload: Value) -> Self {
        self.calls.last_mut().unwrap().says = Some((action, payload));
        self
    }

    fn reconnects(mut self) -> Self {
        self.reconnects = true;
        self
    }
}

fn row(body: Value, first: Option<Way>, second: Option<Way>) -> Row {
    Row { body, body_of_1_6: None, administers: false, first, second, since_2_1: false }
}

fn way(action: &'static str, expected: Value, answer: Value) -> Way {
    let calls = vec![Call { action, answer, says: None }];
    Way { calls, expected, refusal: None, reconnects: false }
}

fn accepted(action: &'static str, expected: Value) -> Way {
    way(action, expected, json!({"status": "Accepted"}))
}

const AT: &str = "2026-06-01T10:00:00Z";

pub fn rows() -> Vec<Row> {
    let mut rows = driving();
    rows.extend(smart_charging());
    rows.extend(information());
    rows.extend(settings());
    rows.extend(certificates());
    rows.extend(firmware_and_logs());
    rows.extend(monitors());
    rows
}

/// E14, F01, F02, F03, F05, F06, G03, H01, H02, B11, C11, I02; 1.6 edition 2, 5
fn driving() -> Vec<Row> {
    let token = json!({"idToken": "TAG", "type": "ISO14443"});
    let until = "2099-01-01T00:00:00.000Z";
    let failed = || json!({"status": "UnlockFailed"});
    vec![
        row(
            json!({"operation": "remote_start", "evse": 1, "token": "TAG", "remote_start_id": 9}),
            accepted("RemoteStartTransaction", json!({"connectorId": 1, "idTag": "TAG"})).rejected(),
            accepted("RequestStartTransaction", json!({"evseId": 1, "remoteStartId": 9, "idToken": token})).rejected(),
        ),
        row(
            json!({"operation": "remote_stop", "transaction": "7"}),
            accepted("RemoteStopTransaction", json!({"transactionId": 7})).rejected(),
            accepted("RequestStopTransaction", json!({"transactionId": "7"})).rejected(),
        ),
        row(
            json!({"operation": "transaction_status", "transaction": "7"}),
            None,
            Some(way(
                "GetTransactionStatus",
                json!({"transactionId": "7"}),
                json!({"ongoingIndicator": true, "messagesInQueue": false}),
            )),
        ),
        row(
            json!({"operation": "cost_updated", "transaction": "7", "total_cost": "1.5"}),
            None,
            Some(way("CostUpdated", json!({"transactionId": "7", "totalCost": 1.5}), json!({}))),
        ),
        row(
            json!({"operation": "reset", "kind": "immediate"}),
            accepted("Reset", json!({"type": "Soft"})).rejected(),
            accepted("Reset", json!({"type": "Immediate"})).rejected(),
        ),
        row(
            json!({"operation": "unlock", "evse": 1}),
            way("UnlockConnector", json!({"connectorId": 1}), json!({"status": "Unlocked"})).refused(failed()),
            way("UnlockConnector", json!({"evseId": 1, "connectorId": 1}), json!({"status": "Unlocked"}))
                .refused(failed()),
        ),
        row(
            json!({"operation": "change_availability", "evse": 1, "operative": false}),
            accepted("ChangeAvailability", json!({"connectorId": 1, "type": "Inoperative"})).rejected(),
            accepted("ChangeAvailability", json!({"operationalStatus": "Inoperative", "evse": {"id": 1}})).rejected(),
        ),
        row(
            json!({"operation": "reserve", "reservation": 4, "evse": 1, "token": "TAG", "expires_at": until}),
            accepted("ReserveNow", json!({"connectorId": 1, "expiryDate": until, "idTag": "TAG", "reservationId": 4}))
                .refused(json!({"status": "Occupied"})),
            accepted("ReserveNow", json!({"id": 4, "evseId": 1, "expiryDateTime": until, "idToken": token}))
                .refused(json!({"status": "Occupied"})),
        ),
        row(
            json!({"operation": "cancel_reservation", "reservation": 4}),
            accepted("CancelReservation", json!({"reservationId": 4})).rejected(),
            accepted("CancelReservation", json!({"reservationId": 4})).rejected(),
        ),
        row(
            json!({"operation": "clear_cache"}),
            accepted("ClearCache", json!({})).rejected(),
            accepted("ClearCache", json!({})).rejected(),
        ),
        row(
            json!({"operation": "trigger", "message": "StatusNotification", "evse": 1, "connector": 1}),
            accepted("TriggerMessage", json!({"requestedMessage": "StatusNotification", "connectorId": 1})).rejected(),
            accepted(
                "TriggerMessage",
                json!({"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 1}}),
            )
            .rejected(),
        ),
    ]
}

/// K01, K08, K09, K10, K21
fn smart_charging() -> Vec<Row> {
    let profile = json!({"id": 3, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute", "chargingSchedule": [{"id": 1, "chargingRateUnit": "A",
        "startSchedule": AT, "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}]}]});
    let period = json!([{"startPeriod": 0, "limit": 16}]);
    vec![
        row(
            json!({"operation": "set_charging_profile", "evse": 1, "profile": profile}),
            accepted("SetChargingProfile", Value::Null).rejected(),
            accepted("SetChargingProfile", Value::Null).rejected(),
        ),
        row(
            json!({"operation": "clear_charging_profile", "profile": 3}),
            accepted("ClearChargingProfile", json!({"id": 3})).refused(json!({"status": "Unknown"})),
            accepted("ClearChargingProfile", json!({"chargingProfileId": 3})).refused(json!({"status": "Unknown"})),
        ),
        row(
            json!({"operation": "get_charging_profiles", "evse": 1}),
            None,
            Some(accepted("GetChargingProfiles", Value::Null).says(
                "ReportChargingProfiles",
                json!({"requestId": "$requestId", "chargingLimitSource": "CSO", "evseId": 1, "tbc": false,
                    "chargingProfile": [profile]}),
            )),
        ),
        row(
            json!({"operation": "get_composite_schedule", "evse": 1, "duration": 3600, "unit": "A"}),
            way(
                "GetCompositeSchedule",
                json!({"connectorId": 1, "duration": 3600, "chargingRateUnit": "A"}),
                json!({"status": "Accepted", "connectorId": 1, "scheduleStart": AT,
                    "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": period}}),
            )
            .rejected(),
            way(
                "GetCompositeSchedule",
                json!({"evseId": 1, "duration": 3600, "chargingRateUnit": "A"}),
                json!({"status": "Accepted", "schedule": {"evseId": 1, "duration": 3600, "scheduleStart": AT,
                    "chargingRateUnit": "A", "chargingSchedulePeriod": period}}),
            )
            .rejected(),
        ),
        row(
            json!({"operation": "priority_charging", "transaction": "7", "activate": true}),
            None,
            accepted("UsePriorityCharging", json!({"transactionId": "7", "activate": true})).rejected(),
        )
        .since_2_1(),
    ]
}

/// D01, D02, O01, O03, O04, O05, O06, P01
fn information() -> Vec<Row> {
    let message = json!({"id": 1, "priority": "NormalCycle", "message": {"format": "UTF8", "content": "Hello"}});
    vec![
        row(
            json!({"operation": "set_display_message", "message": message}),
            None,
            accepted("SetDisplayMessage", json!({"message": message})).rejected(),
        ),
        row(
            json!({"operation": "get_display_messages", "ids": [1]}),
            None,
            Some(accepted("GetDisplayMessages", Value::Null).says(
                "NotifyDisplayMessages",
                json!({"requestId": "$requestId", "tbc": false, "messageInfo": [message]}),
            )),
        ),
        row(
            json!({"operation": "clear_display_message", "id": 1}),
            None,
            accepted("ClearDisplayMessage", json!({"id": 1})).refused(json!({"status": "Unknown"})),
        ),
        row(
            json!({"operation": "get_local_list_version"}),
            Some(way("GetLocalListVersion", json!({}), json!({"listVersion": 5}))),
            Some(way("GetLocalListVersion", json!({}), json!({"versionNumber": 5}))),
        ),
        row(
            json!({"operation": "synchronise_local_list"}),
            Some(
                way("GetLocalListVersion", json!({}), json!({"listVersion": 0}))
                    .then("GetConfiguration", json!({"unknownKey": ["SendLocalListMaxLength"]}))
                    .then("SendLocalList", json!({"status": "Accepted"})),
            ),
            Some(
                way("GetLocalListVersion", json!({}), json!({"versionNumber": 0}))
                    .then(
                        "GetVariables",
                        json!({"getVariableResult": [{"attributeStatus": "UnknownVariable",
                        "component": {"name": "LocalAuthListCtrlr"}, "variable": {"name": "ItemsPerMessage"}}]}),
                    )
                    .then("SendLocalList", json!({"status": "Accepted"})),
            ),
        ),
        row(
            json!({"operation": "data_transfer", "vendor_id": "com.example", "message_id": "hi", "data": "there"}),
            accepted("DataTransfer", json!({"vendorId": "com.example", "messageId": "hi", "data": "there"}))
                .refused(json!({"status": "UnknownVendorId"})),
            accepted("DataTransfer", json!({"vendorId": "com.example", "messageId": "hi", "data": "there"}))
                .refused(json!({"status": "UnknownVendorId"})),
        ),
        // N09, N10
        row(
            json!({"operation": "customer_information", "token": "TAG"}),
            None,
            accepted("CustomerInformation", Value::Null)
                .says(
                    "NotifyCustomerInformation",
                    json!({"requestId": "$requestId", "data": "nothing", "seqNo": 0, "generatedAt": AT}),
                )
                .rejected(),
        )
        .administers(),
    ]
}

/// A05, B05, B06, B07, B08, B09, B10; 1.6 security, A05
fn settings() -> Vec<Row> {
    let (component, variable) = (json!({"name": "A"}), json!({"name": "B"}));
    let set = |status: &str| json!({"setVariableResult": [{"attributeStatus": status, "component": component, "variable": variable}]});
    let network = json!({"ocppInterface": "Wired0", "ocppVersion": "OCPP20", "ocppTransport": "JSON", "messageTimeout": 30,
        "ocppCsmsUrl": "ws://example.com/ocpp", "securityProfile": 1});
    let got = json!({"getVariableResult": [{"attributeStatus": "Accepted", "attributeValue": "1", "component": component,
        "variable": variable}]});
    let read = json!({"getVariableData": [{"component": component, "variable": variable}]});
    let report = json!({"requestId": "$requestId", "generatedAt": AT, "seqNo": 0, "tbc": false, "reportData": [{
        "component": component, "variable": variable, "variableAttribute": [{"type": "Actual", "value": "1"}]}]});
    vec![
        row(
            json!({"operation": "get_configuration", "names": ["A.B"]}),
            Some(way("GetConfiguration", json!({"key": ["A.B"]}), json!({"unknownKey": ["A.B"]}))),
            Some(way("GetVariables", read.clone(), got.clone())),
        ),
        row(
            json!({"operation": "get_variables", "variables": [{"component": component, "variable": variable}]}),
            None,
            Some(way("GetVariables", read, got)),
        ),
        row(
            json!({"operation": "base_report"}),
            Some(way("GetConfiguration", json!({}), json!({"configurationKey": []}))),
            accepted("GetBaseReport", Value::Null).says("NotifyReport", report).rejected(),
        ),
        row(
            json!({"operation": "set_configuration", "name": "A.B", "value": "1"}),
            accepted("ChangeConfiguration", json!({"key": "A.B", "value": "1"})).rejected(),
            way(
                "SetVariables",
                json!({"setVariableData": [{"attributeValue": "1", "component": component, "variable": variable}]}),
                set("Accepted"),
            )
            .refused(set("Rejected")),
        )
        .administers(),
        row(
            json!({"operation": "set_variables", "variables": [{"attributeValue": "1", "component": component,
                "variable": variable}]}),
            None,
            way("SetVariables", Value::Null, set("Accepted")).refused(set("Rejected")),
        )
        .administers(),
        row(
            json!({"operation": "change_password", "password": "0123456789abcdef"}),
            accepted("ChangeConfiguration", Value::Null).reconnects().rejected(),
            way("SetVariables", Value::Null, set("Accepted")).reconnects().refused(set("Rejected")),
        )
        .administers(),
        row(
            json!({"operation": "upgrade_profile", "profile": 1, "network": {"slot": 2, "profile": network}}),
            accepted("ChangeConfiguration", json!({"key": "SecurityProfile", "value": "1"})).reconnects().rejected(),
            accepted("SetNetworkProfile", Value::Null).reconnects().rejected(),
        )
        .in_1_6_as(json!({"operation": "upgrade_profile", "profile": 1}))
        .administers(),
        row(
            json!({"operation": "switch_network", "slot": 2, "profile": network}),
            None,
            accepted("SetNetworkProfile", Value::Null).reconnects().rejected(),
        )
        .administers(),
    ]
}

/// A02, M03, M04, M05; 1.6 security, M03, M04, M05
fn certificates() -> Vec<Row> {
    let hash = json!({"hashAlgorithm": "SHA256", "issuerNameHash": "aa", "issuerKeyHash": "bb", "serialNumber": "01"});
    let in_1_6 = json!({"status": "Accepted", "certificateHashData": [hash]});
    let in_2 = json!({"status": "Accepted", "certificateHashDataChain": [{"certificateType": "CSMSRootCertificate",
        "certificateHashData": hash}]});
    vec![
        row(
            json!({"operation": "delete_certificate", "algorithm": "SHA256", "issuer_name": "aa", "issuer_key": "bb",
                "serial_number": "01"}),
            Some(
                way("GetInstalledCertificateIds", Value::Null, in_1_6.clone())
                    .then("DeleteCertificate", json!({"status": "Accepted"})),
            ),
            Some(
                way("GetInstalledCertificateIds", Value::Null, in_2.clone())
                    .then("DeleteCertificate", json!({"status": "Accepted"})),
            ),
        )
        .administers(),
        row(
            json!({"operation": "list_certificates"}),
            Some(way("GetInstalledCertificateIds", Value::Null, in_1_6)),
            Some(way("GetInstalledCertificateIds", json!({}), in_2)),
        )
        .administers(),
        row(
            json!({"operation": "install_certificate", "kind": "CSMSRootCertificate", "certificate": "PEM"}),
            accepted(
                "InstallCertificate",
                json!({"certificateType": "CentralSystemRootCertificate", "certificate": "PEM"}),
            )
            .rejected(),
            accepted("InstallCertificate", json!({"certificateType": "CSMSRootCertificate", "certificate": "PEM"}))
                .rejected(),
        )
        .administers(),
        // What the station asks for then has tests of its own.
        row(
            json!({"operation": "renew_certificate"}),
            accepted("ExtendedTriggerMessage", json!({"requestedMessage": "SignChargePointCertificate"}))
                .reconnects()
                .rejected(),
            accepted("TriggerMessage", json!({"requestedMessage": "SignChargingStationCertificate"}))
                .reconnects()
                .rejected(),
        )
        .administers(),
    ]
}

/// L01, L03, L04, N01; 1.6 edition 2, 5.9, 5.19
fn firmware_and_logs() -> Vec<Row> {
    let installed = json!({"status": "Installed", "requestId": "$requestId"});
    vec![
        row(
            json!({"operation": "get_log", "location": "https://logs.example.com/"}),
            Some(
                way("GetDiagnostics", json!({"location": "https://logs.example.com/"}), json!({"fileName": "log.txt"}))
                    .says("DiagnosticsStatusNotification", json!({"status": "Uploaded"})),
            ),
            accepted("GetLog", Value::Null)
                .says("LogStatusNotification", json!({"status": "Uploaded", "requestId": "$requestId"}))
                .rejected(),
        ),
        row(
            json!({"operation": "update_firmware", "location": "https://firmware.example.com/2.bin",
                "retrieve_at": "2026-06-01T10:00:00.000Z"}),
            Some(
                way(
                    "UpdateFirmware",
                    json!({"location": "https://firmware.example.com/2.bin", "retrieveDate": "2026-06-01T10:00:00.000Z"}),
                    json!({}),
                )
                .says("FirmwareStatusNotification", json!({"status": "Installed"})),
            ),
            accepted("UpdateFirmware", Value::Null).says("FirmwareStatusNotification", installed).rejected(),
        )
        .administers(),
        row(
            json!({"operation": "publish_firmware", "location": "https://firmware.example.com/2.bin",
                "checksum": "d41d8cd98f00b204e9800998ecf8427e"}),
            None,
            accepted("PublishFirmware", Value::Null)
                .says(
                    "PublishFirmwareStatusNotification",
                    json!({"status": "Published", "location": ["http://controller/2.bin"], "requestId": "$requestId"}),
                )
                .rejected(),
        )
        .administers(),
        row(
            json!({"operation": "unpublish_firmware", "checksum": "d41d8cd98f00b204e9800998ecf8427e"}),
            None,
            way(
                "UnpublishFirmware",
                json!({"checksum": "d41d8cd98f00b204e9800998ecf8427e"}),
                json!({"status": "Unpublished"}),
            )
            .refused(json!({"status": "NoFirmware"})),
        )
        .administers(),
    ]
}

/// N02, N03, N04, N05, N06
fn monitors() -> Vec<Row> {
    let (component, variable) = (json!({"name": "A"}), json!({"name": "B"}));
    let monitor =
        json!({"value": 5, "type": "UpperThreshold", "severity": 4, "component": component, "variable": variable});
    let set = json!({"setMonitoringResult": [{"id": 1, "status": "Accepted", "type": "UpperThreshold", "severity": 4,
        "component": component, "variable": variable}]});
    let report = json!({"requestId": "$requestId", "seqNo": 0, "generatedAt": AT, "monitor": [{"component": component,
        "variable": variable, "variableMonitoring": [{"id": 1, "transaction": false, "value": 5,
        "type": "UpperThreshold", "severity": 4, "eventNotificationType": "CustomMonitor"}]}]});
    let rows = vec![
        row(
            json!({"operation": "set_monitoring_base", "base": "All"}),
            None,
            accepted("SetMonitoringBase", json!({"monitoringBase": "All"})).rejected(),
        ),
        row(
            json!({"operation": "set_monitoring_level", "severity": 4}),
            None,
            accepted("SetMonitoringLevel", json!({"severity": 4})).rejected(),
        ),
        row(
            json!({"operation": "set_monitors", "monitors": [monitor]}),
            None,
            Some(way("SetVariableMonitoring", Value::Null, set)),
        ),
        row(
            json!({"operation": "clear_monitors", "ids": [1]}),
            None,
            Some(way(
                "ClearVariableMonitoring",
                json!({"id": [1]}),
                json!({"clearMonitoringResult": [{"id": 1, "status": "Accepted"}]}),
            )),
        ),
        row(
            json!({"operation": "get_monitors"}),
            None,
            accepted("GetMonitoringReport", Value::Null).says("NotifyMonitoringReport", report).rejected(),
        ),
    ];
    rows.into_iter().map(Row::administers).collect()
}
