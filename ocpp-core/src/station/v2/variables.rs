//! Settings as variables of components (B05 to B07).

use alloc::boxed::Box;

use ocpp_types::v2_1::{
    AttributeEnumType, ComponentType, DataEnumType, GetVariableDataType, GetVariableResultType,
    GetVariableStatusEnumType, GetVariablesRequest, GetVariablesResponse, MutabilityEnumType, NotifyReportRequest,
    ReportDataType, SetVariableDataType, SetVariableResultType, SetVariableStatusEnumType, SetVariablesRequest,
    SetVariablesResponse, VariableAttributeType, VariableCharacteristicsType, VariableType,
};
use ocpp_types::{Decimal, Text};

use super::Rules;
use crate::station::calls::Report;
use crate::station::settings::table::{Kind, Variable};
use crate::station::settings::{Access, Definition, TABLE};
use crate::station::{SettingChange, Station};

/// What a name on the wire stands for.
enum Found {
    Row(&'static Definition),
    UnknownVariable,
    UnknownComponent,
}

/// B05.FR.04, B05.FR.05, B06.FR.06, B06.FR.07, B06.FR.15. None of the components has an instance or belongs to an EVSE.
fn find(rules: &Rules, component: &ComponentType, variable: &VariableType) -> Found {
    let mut is_component_known = false;
    for row in TABLE.iter().filter(|row| row.is_variable_of(rules.version)) {
        let Some(known) = row.v2 else { continue };
        let is_plain = component.instance.as_deref().is_none_or(str::is_empty) && component.evse.is_none();
        if !is_plain || !component.name.eq_ignore_ascii_case(known.component) {
            continue;
        }
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

/// B06
pub(super) fn get_variables(station: &Station, rules: &Rules, request: GetVariablesRequest) -> GetVariablesResponse {
    let results = request.get_variable_data.into_iter().map(|data| get_variable(station, rules, data)).collect();
    GetVariablesResponse::new(results)
}

fn get_variable(station: &Station, rules: &Rules, data: GetVariableDataType) -> GetVariableResultType {
    let attribute = data.attribute_type.unwrap_or(AttributeEnumType::Actual);
    let (status, value) = match find(rules, &data.component, &data.variable) {
        Found::UnknownComponent => (GetVariableStatusEnumType::UnknownComponent, None),
        Found::UnknownVariable => (GetVariableStatusEnumType::UnknownVariable, None),
        // B06.FR.08
        Found::Row(_) if attribute != AttributeEnumType::Actual => {
            (GetVariableStatusEnumType::NotSupportedAttributeType, None)
        }
        // B06.FR.09
        Found::Row(row) if row.access == Access::WriteOnly => (GetVariableStatusEnumType::Rejected, None),
        Found::Row(row) => (GetVariableStatusEnumType::Accepted, Some(station.value_of(row))),
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
    let status = match find(rules, &data.component, &data.variable) {
        Found::UnknownComponent => SetVariableStatusEnumType::UnknownComponent,
        Found::UnknownVariable => SetVariableStatusEnumType::UnknownVariable,
        // B05.FR.06
        Found::Row(_) if attribute != AttributeEnumType::Actual => SetVariableStatusEnumType::NotSupportedAttributeType,
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
pub(super) fn notify_report(report: &Report) -> NotifyReportRequest {
    let mut request = NotifyReportRequest::new(report.request_id, report.at.into(), report.seq_no.into());
    request.tbc = Some(report.more_follows);
    let data = report.settings.iter().filter_map(|(place, value)| {
        let row = TABLE.get(*place)?;
        Some(report_data(row, row.v2.as_ref()?, value.as_deref()))
    });
    request.report_data = Some(data.collect());
    request
}

fn report_data(row: &Definition, name: &Variable, value: Option<&str>) -> ReportDataType {
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
    data.variable_characteristics = Some(Box::new(characteristics(row)));
    data
}

fn characteristics(row: &Definition) -> VariableCharacteristicsType {
    let data_type = match row.kind {
        Kind::Boolean => DataEnumType::Boolean,
        Kind::Integer { .. } => DataEnumType::Integer,
        Kind::Text { .. } => DataEnumType::String,
        Kind::Measurands | Kind::Points => DataEnumType::MemberList,
        Kind::DateTime => DataEnumType::DateTime,
    };
    let mut characteristics = VariableCharacteristicsType::new(data_type, false);
    characteristics.unit = row.unit.map(Text::truncated);
    match row.kind {
        Kind::Integer { minimum, maximum } => {
            characteristics.min_limit = Some(Decimal::from(minimum));
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
