//! Settings as variables of components (B05 to B07).

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::{String, ToString};

use ocpp_types::v2_1::{
    AttributeEnumType, ComponentType, DataEnumType, EVSEType, GetVariableDataType, GetVariableResultType,
    GetVariableStatusEnumType, GetVariablesRequest, GetVariablesResponse, MutabilityEnumType, NotifyReportRequest,
    ReportDataType, SetVariableDataType, SetVariableResultType, SetVariableStatusEnumType, SetVariablesRequest,
    SetVariablesResponse, VariableAttributeType, VariableCharacteristicsType, VariableType,
};
use ocpp_types::{Decimal, Text};

use super::Rules;
use crate::station::calls::{Component, Report, ReportItem};
use crate::station::event::ConnectorStatus;
use crate::station::inventory::{PhysicalValue, PhysicalVariable};
use crate::station::settings::table::{Kind, Variable};
use crate::station::settings::{Access, Definition, Key, Settings};
use crate::station::{SettingChange, Station};

/// The values of `AvailabilityState` (2.1 part 2, `ConnectorStatusEnumType`).
const STATES: &str = "Available,Occupied,Reserved,Unavailable,Faulted";

/// What a name on the wire stands for.
enum Found {
    Row(&'static Definition),
    Physical(PhysicalVariable),
    UnknownVariable,
    UnknownComponent,
}

/// B05.FR.04, B05.FR.05, B06.FR.06, B06.FR.07, B06.FR.15
fn find(station: &Station, rules: &Rules, component: &ComponentType, variable: &VariableType) -> Found {
    let mut of_component = station.physical_variables();
    of_component.retain(|known| is_component(component, known.component));
    let is_part = !of_component.is_empty();
    let is_meant =
        |known: &PhysicalVariable| variable.name.eq_ignore_ascii_case(known.name) && variable.instance.is_none();
    if let Some(known) = of_component.into_iter().find(is_meant) {
        return Found::Physical(known);
    }
    // The station itself has settings besides.
    if is_part && component.evse.is_some() {
        return Found::UnknownVariable;
    }
    // None of the others has an instance or belongs to an EVSE.
    if !component.instance.as_deref().is_none_or(str::is_empty) || component.evse.is_some() {
        return Found::UnknownComponent;
    }
    let mut is_component_known = false;
    for row in Settings::variables(rules.version).filter(|row| station.has_setting(row)) {
        let Some(known) = row.v2.filter(|known| component.name.eq_ignore_ascii_case(known.component)) else { continue };
        is_component_known = true;
        let instance = variable.instance.as_deref().unwrap_or_default();
        if variable.name.eq_ignore_ascii_case(known.variable)
            && instance.eq_ignore_ascii_case(known.instance.unwrap_or_default())
        {
            return Found::Row(row);
        }
    }
    if is_component_known { Found::UnknownVariable } else { Found::UnknownComponent }
}

fn is_component(wire: &ComponentType, component: Component) -> bool {
    let known = wire_component(component);
    let place = |component: &ComponentType| component.evse.as_ref().map(|evse| (evse.id, evse.connector_id));
    wire.name.eq_ignore_ascii_case(&known.name)
        && wire.instance.as_deref().is_none_or(str::is_empty)
        && place(wire) == place(&known)
}

fn wire_component(component: Component) -> ComponentType {
    let (name, place) = match component {
        Component::Station => ("ChargingStation", None),
        Component::Evse(evse) => ("EVSE", Some((evse, None))),
        Component::Connector(evse, connector) => ("Connector", Some((evse, Some(connector)))),
    };
    let mut wire = ComponentType::new(Text::truncated(name));
    wire.evse = place.map(|(evse, connector)| {
        let mut place = EVSEType::new(evse.into());
        place.connector_id = connector.map(Into::into);
        place
    });
    wire
}

fn state(status: ConnectorStatus) -> &'static str {
    match status {
        ConnectorStatus::Available => "Available",
        ConnectorStatus::Reserved => "Reserved",
        ConnectorStatus::Unavailable => "Unavailable",
        ConnectorStatus::Faulted => "Faulted",
        _ => "Occupied",
    }
}

/// B06
pub(super) fn get_variables(station: &Station, rules: &Rules, request: GetVariablesRequest) -> GetVariablesResponse {
    let results = request.get_variable_data.into_iter().map(|data| get_variable(station, rules, data)).collect();
    GetVariablesResponse::new(results)
}

fn get_variable(station: &Station, rules: &Rules, data: GetVariableDataType) -> GetVariableResultType {
    let attribute = data.attribute_type.unwrap_or(AttributeEnumType::Actual);
    let (status, value) = match find(station, rules, &data.component, &data.variable) {
        Found::UnknownComponent => (GetVariableStatusEnumType::UnknownComponent, None),
        Found::UnknownVariable => (GetVariableStatusEnumType::UnknownVariable, None),
        // B06.FR.08
        Found::Row(_) | Found::Physical(_) if attribute != AttributeEnumType::Actual => {
            (GetVariableStatusEnumType::NotSupportedAttributeType, None)
        }
        // B06.FR.09
        Found::Row(row) if row.access == Access::WriteOnly => (GetVariableStatusEnumType::Rejected, None),
        Found::Row(row) => (GetVariableStatusEnumType::Accepted, Some(station.value_of(row))),
        Found::Physical(known) => (GetVariableStatusEnumType::Accepted, Some(physical_value(&known.value))),
    };
    let mut result = GetVariableResultType::new(status, data.component, data.variable);
    result.attribute_type = Some(attribute);
    result.attribute_value = value.as_deref().map(Text::truncated);
    result
}

/// B05
pub(super) fn set_variables(
    station: &mut Station,
    rules: &Rules,
    request: SetVariablesRequest,
) -> SetVariablesResponse {
    let results = request.set_variable_data.into_iter().map(|data| set_variable(station, rules, data)).collect();
    SetVariablesResponse::new(results)
}

fn set_variable(station: &mut Station, rules: &Rules, data: SetVariableDataType) -> SetVariableResultType {
    // B05.FR.12
    let attribute = data.attribute_type.unwrap_or(AttributeEnumType::Actual);
    let status = match find(station, rules, &data.component, &data.variable) {
        Found::UnknownComponent => SetVariableStatusEnumType::UnknownComponent,
        Found::UnknownVariable => SetVariableStatusEnumType::UnknownVariable,
        // B05.FR.06
        Found::Row(_) | Found::Physical(_) if attribute != AttributeEnumType::Actual => {
            SetVariableStatusEnumType::NotSupportedAttributeType
        }
        // B05.FR.09
        Found::Physical(_) => SetVariableStatusEnumType::Rejected,
        Found::Row(row) => match station.change_by_csms(row, &data.attribute_value) {
            Ok(SettingChange::Applied) => SetVariableStatusEnumType::Accepted,
            Ok(SettingChange::RebootRequired) => SetVariableStatusEnumType::RebootRequired,
            // B05.FR.07 to 09
            Err(_) => SetVariableStatusEnumType::Rejected,
        },
    };
    let mut result = SetVariableResultType::new(status, data.component, data.variable);
    result.attribute_type = Some(attribute);
    result
}

/// B07.FR.03
pub(super) fn notify_report(station: &Station, report: &Report) -> NotifyReportRequest {
    let mut request = NotifyReportRequest::new(report.request_id, report.at.into(), report.seq_no.into());
    request.tbc = Some(report.more_follows);
    let data = report.items.iter().filter_map(|item| match item {
        ReportItem::Setting(row, value) => Some(report_data(station, row, row.v2.as_ref()?, value.as_deref())),
        ReportItem::Physical(known) => Some(physical_data(known)),
    });
    request.report_data = Some(data.collect());
    request
}

fn physical_value(value: &PhysicalValue) -> String {
    match value {
        PhysicalValue::State(status) => state(*status).to_owned(),
        PhysicalValue::Flag(flag) => flag.to_string(),
        PhysicalValue::Number(number) => number.to_string(),
        PhysicalValue::Power { now, .. } => now.normalize().to_string(),
        PhysicalValue::Text(text) => text.clone(),
    }
}

fn physical_data(known: &PhysicalVariable) -> ReportDataType {
    let mut attribute = VariableAttributeType::new();
    attribute.value = Some(Text::truncated(&physical_value(&known.value)));
    attribute.mutability = Some(MutabilityEnumType::ReadOnly);
    let variable = VariableType::new(Text::truncated(known.name));
    let mut data = ReportDataType::new(wire_component(known.component), variable, alloc::vec![attribute]);
    let mut characteristics = VariableCharacteristicsType::new(
        match known.value {
            PhysicalValue::State(_) => DataEnumType::OptionList,
            PhysicalValue::Flag(_) => DataEnumType::Boolean,
            PhysicalValue::Number(_) => DataEnumType::Integer,
            PhysicalValue::Power { .. } => DataEnumType::Decimal,
            PhysicalValue::Text(_) => DataEnumType::String,
        },
        false,
    );
    match known.value {
        PhysicalValue::State(_) => characteristics.values_list = Some(Text::truncated(STATES)),
        PhysicalValue::Power { most, .. } => {
            characteristics.unit = Some(Text::truncated("W"));
            characteristics.max_limit = most;
        }
        PhysicalValue::Flag(_) | PhysicalValue::Number(_) | PhysicalValue::Text(_) => {}
    }
    data.variable_characteristics = Some(Box::new(characteristics));
    data
}

fn report_data(station: &Station, row: &Definition, name: &Variable, value: Option<&str>) -> ReportDataType {
    let mut attribute = VariableAttributeType::new();
    attribute.value = value.map(Text::truncated);
    attribute.mutability = Some(match row.access {
        Access::ReadWrite => MutabilityEnumType::ReadWrite,
        Access::ReadOnly => MutabilityEnumType::ReadOnly,
        Access::WriteOnly => MutabilityEnumType::WriteOnly,
    });
    attribute.persistent = Some(true);
    let mut variable = VariableType::new(Text::truncated(name.variable));
    variable.instance = name.instance.map(Text::truncated);
    let component = ComponentType::new(Text::truncated(name.component));
    let mut data = ReportDataType::new(component, variable, alloc::vec![attribute]);
    data.variable_characteristics = Some(Box::new(characteristics(station, row)));
    data
}

fn characteristics(station: &Station, row: &Definition) -> VariableCharacteristicsType {
    let data_type = match row.kind {
        Kind::Boolean => DataEnumType::Boolean,
        Kind::Integer { .. } => DataEnumType::Integer,
        Kind::Decimal { .. } => DataEnumType::Decimal,
        Kind::Text { .. } | Kind::TimeOffset => DataEnumType::String,
        Kind::Measurands | Kind::Points | Kind::PhaseRotations | Kind::Members(_) => DataEnumType::MemberList,
        Kind::OneOf(_) => DataEnumType::OptionList,
        Kind::DateTime => DataEnumType::DateTime,
    };
    let mut characteristics = VariableCharacteristicsType::new(data_type, false);
    characteristics.unit = row.unit.map(Text::truncated);
    match row.kind {
        Kind::Integer { minimum, maximum } => {
            characteristics.min_limit = Some(Decimal::from(minimum));
            characteristics.max_limit = Some(Decimal::from(match row.key {
                // How many profiles there can be is how this station is made.
                Key::ChargingProfileEntries => station.settings.integer(Key::ChargingProfiles),
                _ => maximum,
            }));
        }
        Kind::Decimal { maximum } => {
            characteristics.min_limit = Some(Decimal::ZERO);
            characteristics.max_limit = Some(Decimal::from(maximum));
        }
        Kind::Text { maximum } => {
            characteristics.max_limit = u32::try_from(maximum).ok().map(Decimal::from);
        }
        _ => {
            characteristics.values_list = row.kind.values().as_deref().map(Text::truncated);
        }
    }
    characteristics
}
