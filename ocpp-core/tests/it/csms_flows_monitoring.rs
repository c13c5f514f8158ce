//! Monitors of variables, their events, and periodic event streams (N02 to N08, N11 to N15).

use ocpp_core::csms::flows::{Awaited, Completion, Flow, FlowEnd, MonitoringQuery, StreamValues};
use ocpp_core::csms::{CallOutcome, Event, TransactionId};
use ocpp_core::types::v2_1::{
    ComponentType, ComponentVariableType, MonitorEnumType, MonitoringCriterionEnumType, PeriodicEventStreamParamsType,
    SetMonitoringDataType, VariableType,
};
use ocpp_core::types::{Text, Version};
use serde_json::{Value, json};

use crate::csms_flows_support::*;
use crate::csms_support::*;

fn component() -> ComponentType {
    ComponentType::new(Text::new("ChargingStation").unwrap())
}

fn variable() -> VariableType {
    VariableType::new(Text::new("Power").unwrap())
}

fn monitor(kind: MonitorEnumType) -> SetMonitoringDataType {
    SetMonitoringDataType::new(60.into(), kind, 5, component(), variable())
}

fn about() -> Value {
    json!({"component": {"name": "ChargingStation"}, "variable": {"name": "Power"}})
}

fn with(mut object: Value, members: Value) -> Value {
    object.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    object
}

/// What the station says about the limits of a message.
fn limit(csms: &mut Csms, variable: &str, instance: &str, value: Option<&str>) {
    let mut result = json!({
        "attributeStatus": "Accepted",
        "component": {"name": "MonitoringCtrlr"},
        "variable": {"name": variable, "instance": instance},
    });
    match value {
        Some(value) => result["attributeValue"] = json!(value),
        None => result["attributeStatus"] = json!("UnknownVariable"),
    }
    let (action, payload) = csms.answer(json!({"getVariableResult": [result]}));
    assert_eq!(action, "GetVariables");
    assert_eq!(payload["getVariableData"][0]["variable"], json!({"name": variable, "instance": instance}));
}

/// The station sets the monitors that it is sent, and gives them ids from this one on.
fn set(csms: &mut Csms, first: i64) -> usize {
    let (call, action, payload) = csms.received_call();
    assert_eq!(action, "SetVariableMonitoring");
    let data = payload["setMonitoringData"].as_array().unwrap();
    let results: Vec<_> = (first..)
        .zip(data)
        .map(|(id, data)| {
            with(about(), json!({"id": id, "status": "Accepted", "type": data["type"], "severity": data["severity"]}))
        })
        .collect();
    csms.frame(json!([3, call, {"setMonitoringResult": results}]).to_string());
    data.len()
}

/// N04.FR.02, N04.FR.09
#[test]
fn monitors_are_set_in_as_many_messages_as_the_station_needs() {
    for version in V2 {
        let mut csms = Csms::new(version);
        let monitors = vec![monitor(MonitorEnumType::UpperThreshold); 5];
        csms.flow(1, Flow::SetMonitors { monitors });
        limit(&mut csms, "ItemsPerMessage", "SetVariableMonitoring", Some("2"));
        assert_eq!([set(&mut csms, 1), set(&mut csms, 3), set(&mut csms, 5)], [2, 2, 1]);
        let FlowEnd::Completed(Completion::MonitorsSet(results)) = csms.end(1) else { panic!() };
        assert_eq!(results.iter().filter_map(|result| result.id).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        assert_eq!(csms.session.monitors().count(), 5);
    }
}

/// N04.FR.09
#[test]
fn monitors_are_split_by_bytes_as_well() {
    let mut csms = Csms::new(Version::V2_1);
    let entry = serde_json::to_string(&monitor(MonitorEnumType::Delta)).unwrap().len();
    csms.flow(1, Flow::SetMonitors { monitors: vec![monitor(MonitorEnumType::Delta); 3] });
    limit(&mut csms, "ItemsPerMessage", "SetVariableMonitoring", None);
    let bytes = (150 + 2 * (entry + 1)).to_string();
    limit(&mut csms, "BytesPerMessage", "SetVariableMonitoring", Some(&bytes));
    assert_eq!(set(&mut csms, 1), 1, "one is what every station takes that doesn't say");
    let mut csms = Csms::new(Version::V2_1);
    csms.flow(1, Flow::SetMonitors { monitors: vec![monitor(MonitorEnumType::Delta)] });
    assert_eq!(set(&mut csms, 1), 1, "and a single one needs no question");
}

/// N06.FR.04
#[test]
fn monitors_are_cleared_in_as_many_messages_as_the_station_needs() {
    for version in V2 {
        let mut csms = Csms::new(version);
        csms.flow(1, Flow::ClearMonitors { ids: vec![1, 2, 3] });
        limit(&mut csms, "ItemsPerMessage", "ClearVariableMonitoring", Some("2"));
        let result = |id: i64, status: &str| json!({"id": id, "status": status});
        let (action, payload) =
            csms.answer(json!({"clearMonitoringResult": [result(1, "Accepted"), result(2, "NotFound")]}));
        assert_eq!((&*action, payload), ("ClearVariableMonitoring", json!({"id": [1, 2]})));
        let (_, payload) = csms.answer(json!({"clearMonitoringResult": [result(3, "Rejected")]}));
        assert_eq!(payload, json!({"id": [3]}));
        let FlowEnd::Completed(Completion::MonitorsCleared(results)) = csms.end(1) else { panic!() };
        let statuses: Vec<_> = results.iter().map(|result| result.status.as_str()).collect();
        assert_eq!(statuses, ["Accepted", "NotFound", "Rejected"]);
    }
    let mut csms = Csms::new(Version::V2_1);
    csms.flow(1, Flow::ClearMonitors { ids: vec![1] });
    let (id, ..) = csms.received_call();
    csms.frame(json!([4, id, "NotSupported", "", {}]).to_string());
    assert!(matches!(csms.end(1), FlowEnd::CallFailed { outcome: CallOutcome::Error(_), .. }));
}

fn reported(id: i64) -> Value {
    with(
        about(),
        json!({"variableMonitoring": [{
            "id": id, "transaction": false, "value": 60, "type": "Periodic", "severity": 7,
            "eventNotificationType": "PreconfiguredMonitor",
        }]}),
    )
}

/// 2.0.1 has no kind of notification there.
fn as_version_has_it(version: Version, mut monitor: Value) -> Value {
    if version == Version::V2_0_1 {
        monitor["variableMonitoring"][0].as_object_mut().unwrap().remove("eventNotificationType");
    }
    monitor
}

fn report(csms: &mut Csms, request_id: i64, number: i64, id: i64, more: bool) {
    let monitor = as_version_has_it(csms.version, reported(id));
    let payload =
        json!({"requestId": request_id, "seqNo": number, "generatedAt": at(0), "tbc": more, "monitor": [monitor]});
    assert_eq!(csms.exchange("NotifyMonitoringReport", payload).result(), json!({}));
}

/// N02.FR.04, N02.FR.05, N02.FR.06, N02.FR.08, N02.FR.09, N02.FR.11, N02.FR.12, N02.FR.13, N02.FR.14
#[test]
fn monitors_are_reported_as_asked_for_and_joined() {
    let criteria = vec![
        MonitoringCriterionEnumType::ThresholdMonitoring,
        MonitoringCriterionEnumType::DeltaMonitoring,
        MonitoringCriterionEnumType::PeriodicMonitoring,
    ];
    let mut named = ComponentVariableType::new(component());
    named.variable = Some(variable());
    let variables = vec![named];
    let names = json!(["ThresholdMonitoring", "DeltaMonitoring", "PeriodicMonitoring"]);
    for version in V2 {
        for (criteria, variables) in [
            (vec![], vec![]),
            (criteria.clone(), vec![]),
            (vec![], variables.clone()),
            (criteria.clone(), variables.clone()),
        ] {
            let mut expected = json!({});
            if !criteria.is_empty() {
                expected["monitoringCriteria"] = names.clone();
            }
            if !variables.is_empty() {
                expected["componentVariable"] = json!([about()]);
            }
            let mut csms = Csms::new(version);
            let mut query = MonitoringQuery::default();
            (query.criteria, query.variables) = (criteria, variables);
            csms.flow(1, Flow::GetMonitors(query));
            let (action, mut payload) = csms.answer_status("Accepted");
            assert_eq!(action, "GetMonitoringReport");
            let id = payload.as_object_mut().unwrap().remove("requestId").unwrap().as_i64().unwrap();
            assert_eq!(payload, expected);
            report(&mut csms, id, 1, 12, false);
            report(&mut csms, id + 1, 0, 99, true);
            csms.restart();
            csms.connect();
            csms.assert_running();
            report(&mut csms, id, 0, 11, true);
            let FlowEnd::Completed(Completion::Monitors(monitors)) = csms.end(1) else { panic!() };
            let ids: Vec<_> = monitors.iter().map(|monitor| monitor.variable_monitoring[0].id).collect();
            assert_eq!(ids, [11, 12]);
        }
    }
}

/// N02.FR.07
#[test]
fn a_report_that_is_asked_for_by_too_many_variables_is_not_asked_for() {
    let mut csms = Csms::new(Version::V2_1);
    let name = "DeviceDataCtrlr.ItemsPerMessage.GetReport".into();
    csms.command(1, ocpp_core::csms::Command::GetConfiguration { names: vec![name] });
    csms.answer(json!({"getVariableResult": [{
        "attributeStatus": "Accepted", "attributeValue": "1", "component": {"name": "DeviceDataCtrlr"},
        "variable": {"name": "ItemsPerMessage", "instance": "GetReport"},
    }]}));
    csms.outcome(1);
    let mut query = MonitoringQuery::default();
    query.variables = vec![ComponentVariableType::new(component()); 2];
    csms.flow(2, Flow::GetMonitors(query));
    assert!(matches!(csms.end(2), FlowEnd::NotAllowed { .. }));
    csms.assert_nothing_sent();
}

#[test]
fn a_report_may_be_empty_refused_or_never_come() {
    for (status, end) in [
        ("EmptyResultSet", FlowEnd::Completed(Completion::Monitors(vec![]))),
        ("NotSupported", FlowEnd::Refused { status: "NotSupported".into(), reason: None }),
    ] {
        let mut csms = Csms::new(Version::V2_1);
        csms.flow(1, Flow::GetMonitors(MonitoringQuery::default()));
        csms.answer_status(status);
        assert_eq!(csms.end(1), end);
    }
    let mut csms = Csms::new(Version::V2_1);
    csms.flow(1, Flow::GetMonitors(MonitoringQuery::default()));
    csms.answer_status("Accepted");
    csms.pass(6 * MINUTE);
    assert_eq!(csms.end(1), FlowEnd::TimedOut { awaited: Awaited::Report });
}

/// N03, N05
#[test]
fn the_base_and_the_level_of_monitoring_are_set() {
    for version in V2 {
        let mut csms = Csms::new(version);
        csms.flow(1, Flow::SetMonitoringBase { base: "FactoryDefault".into() });
        let (action, payload) = csms.answer_status("Accepted");
        assert_eq!((&*action, payload), ("SetMonitoringBase", json!({"monitoringBase": "FactoryDefault"})));
        assert_eq!(csms.end(1), FlowEnd::Completed(Completion::Done));
        csms.flow(2, Flow::SetMonitoringLevel { severity: 4 });
        let (action, payload) = csms.answer_status("Rejected");
        assert_eq!((&*action, payload), ("SetMonitoringLevel", json!({"severity": 4})));
        assert_eq!(csms.end(2), FlowEnd::Refused { status: "Rejected".into(), reason: None });
        for wrong in [Flow::SetMonitoringLevel { severity: 10 }, Flow::SetMonitoringBase { base: "Everything".into() }]
        {
            csms.flow(3, wrong);
            assert!(matches!(csms.end(3), FlowEnd::CallFailed { outcome: CallOutcome::Invalid { .. }, .. }));
        }
    }
}

/// N07.FR.03, N07.FR.06, N07.FR.10, N08.FR.02
#[test]
fn an_event_is_answered_and_told_with_what_it_says() {
    for version in V2 {
        let mut csms = Csms::new(version);
        let event = with(
            about(),
            json!({
                "eventId": 4, "timestamp": at(0), "trigger": "Alerting", "actualValue": "7400",
                "eventNotificationType": "CustomMonitor", "variableMonitoringId": 12, "cause": 3, "cleared": true,
                "transactionId": "tx", "techCode": "E1", "techInfo": "too much",
            }),
        );
        let other = with(
            about(),
            json!({
                "eventId": 5, "timestamp": at(1), "trigger": "Delta", "actualValue": "",
                "eventNotificationType": "HardWiredNotification",
            }),
        );
        let payload = json!({"generatedAt": at(1), "seqNo": 0, "eventData": [event, other]});
        assert_eq!(csms.exchange("NotifyEvent", payload).result(), json!({}));
        let events = csms.take_events(|event| match event {
            Event::Monitored(event) => Some(event.clone()),
            _ => None,
        });
        let [first, second] = &*events else { panic!("{events:?}") };
        assert_eq!((first.id, first.monitor, first.cause, first.cleared), (4, Some(12), Some(3), true));
        assert_eq!((&*first.value, &*first.trigger), ("7400", "Alerting"));
        assert_eq!(first.transaction, Some(TransactionId::new("tx")));
        assert_eq!((first.code.as_deref(), first.detail.as_deref()), (Some("E1"), Some("too much")));
        assert_eq!((first.component.clone(), first.variable.clone()), (component(), variable()));
        assert_eq!((second.id, second.monitor, &*second.value, second.cleared), (5, None, "", false));
        let notifications = csms.take_events(|event| matches!(event, Event::Notification { .. }).then_some(()));
        assert_eq!(notifications.len(), 1, "the whole message is told as before");
    }
}

fn open(csms: &mut Csms, stream: i64, monitor: i64) -> Value {
    let data = json!({"id": stream, "variableMonitoringId": monitor, "params": {"interval": 10}});
    csms.exchange("OpenPeriodicEventStream", json!({"constantStreamData": data})).result()
}

fn send(csms: &mut Csms, stream: i64, pending: i64) -> Vec<StreamValues> {
    let payload = json!({
        "id": stream, "pending": pending, "basetime": at(0), "data": [{"t": 0, "v": "1"}, {"t": 2.5, "v": "2"}],
    });
    csms.frame(json!([6, "send", "NotifyPeriodicEventStream", payload]).to_string());
    // N15.FR.02
    csms.assert_nothing_sent();
    csms.take_events(|event| match event {
        Event::StreamValues(values) => Some((**values).clone()),
        _ => None,
    })
}

/// N11.FR.04, N11.FR.05, N11.FR.06, N11.FR.08, N13.FR.02, N15.FR.02, N15.FR.03, N15.FR.05
#[test]
fn values_of_a_stream_are_told_with_what_its_monitor_says() {
    let mut csms = Csms::new(Version::V2_1);
    assert_eq!(open(&mut csms, 1, 11), json!({"status": "Rejected"}), "nothing is known of its monitor");
    assert!(send(&mut csms, 1, 0).is_empty());
    let mut periodic = monitor(MonitorEnumType::Periodic);
    let mut stream = PeriodicEventStreamParamsType::new();
    stream.interval = Some(10);
    periodic.periodic_event_stream = Some(stream);
    csms.flow(1, Flow::SetMonitors { monitors: vec![periodic] });
    set(&mut csms, 11);
    csms.end(1);
    csms.restart();
    csms.connect();
    assert_eq!(open(&mut csms, 1, 11), json!({"status": "Accepted"}));
    let values = send(&mut csms, 1, 0).remove(0);
    assert_eq!((values.stream, values.monitor.id, values.monitor.severity), (1, 11, 5));
    assert_eq!((&*values.monitor.kind, &*values.monitor.notification), ("Periodic", "CustomMonitor"));
    assert_eq!((values.monitor.component, values.monitor.variable), (component(), variable()));
    let told: Vec<_> = values.values.iter().map(|(at, value)| (at.to_string(), &**value)).collect();
    assert_eq!(told, [("2026-11-20T10:00:00Z".into(), "1"), ("2026-11-20T10:00:02.5Z".into(), "2")]);
    assert!(!values.falls_behind);
    assert!(send(&mut csms, 1, 5)[0].falls_behind);
    assert!(!send(&mut csms, 1, 5)[0].falls_behind);
    assert_eq!(csms.exchange("ClosePeriodicEventStream", json!({"id": 1})).result(), json!({}));
    assert!(send(&mut csms, 1, 0).is_empty());
}

/// N11.FR.09
#[test]
fn a_stream_without_a_rate_is_not_asked_for() {
    let mut periodic = monitor(MonitorEnumType::Periodic);
    periodic.periodic_event_stream = Some(PeriodicEventStreamParamsType::new());
    let mut csms = Csms::new(Version::V2_1);
    csms.flow(1, Flow::SetMonitors { monitors: vec![periodic] });
    assert!(matches!(csms.end(1), FlowEnd::NotAllowed { .. }));
    csms.assert_nothing_sent();
}

/// N12.FR.01, N14.FR.01
#[test]
fn streams_are_listed_and_adjusted() {
    let mut csms = Csms::new(Version::V2_1);
    csms.flow(1, Flow::AdjustEventStream { id: 3, interval: Some(5), values: Some(100) });
    let (action, payload) = csms.answer_status("Accepted");
    assert_eq!(action, "AdjustPeriodicEventStream");
    assert_eq!(payload, json!({"id": 3, "params": {"interval": 5, "values": 100}}));
    assert_eq!(csms.end(1), FlowEnd::Completed(Completion::Done));
    csms.flow(2, Flow::GetEventStreams);
    let stream = json!({"id": 3, "variableMonitoringId": 11, "params": {"interval": 5}});
    assert_eq!(csms.answer(json!({"constantStreamData": [stream]})).0, "GetPeriodicEventStream");
    let FlowEnd::Completed(Completion::EventStreams(streams)) = csms.end(2) else { panic!() };
    assert_eq!((streams[0].id, streams[0].variable_monitoring_id), (3, 11));
    let mut csms = Csms::new(Version::V2_0_1);
    csms.flow(1, Flow::GetEventStreams);
    let FlowEnd::CallFailed { outcome, .. } = csms.end(1) else { panic!() };
    assert!(matches!(outcome, CallOutcome::NotSupported | CallOutcome::Invalid { .. }), "{outcome:?}");
}

/// N04.FR.19
#[test]
fn after_a_reboot_the_monitors_are_asked_for_anew() {
    let mut csms = Csms::new(Version::V2_1);
    csms.exchange("BootNotification", boot(Version::V2_1)).result();
    csms.assert_nothing_sent();
    csms.flow(1, Flow::SetMonitors { monitors: vec![monitor(MonitorEnumType::Periodic)] });
    set(&mut csms, 11);
    csms.end(1);
    csms.exchange("BootNotification", boot(Version::V2_1)).result();
    let (action, payload) = csms.answer_status("Accepted");
    assert_eq!(action, "GetMonitoringReport");
    assert_eq!(csms.session.monitors().count(), 0, "their ids may be others");
    report(&mut csms, payload["requestId"].as_i64().unwrap(), 0, 21, false);
    assert_eq!(csms.session.monitors().map(|monitor| monitor.id).collect::<Vec<_>>(), [21]);
    assert_eq!(open(&mut csms, 1, 21), json!({"status": "Accepted"}));
}
