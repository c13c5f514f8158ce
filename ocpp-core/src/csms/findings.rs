//! Departures from the schema: each kind is reported once a connection.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};

use ocpp_types::Version;

use super::event::{Event, Finding};

/// The most kinds that are told apart on a connection; what comes after is not reported.
const MAX_KINDS: usize = 1000;

/// The most bytes of a path that kinds are told apart by.
const MAX_PATH: usize = 200;

/// What was reported on this connection.
#[derive(Debug, Default)]
pub(super) struct Findings(BTreeSet<(String, String, String)>);

impl Findings {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The event to report, if this is the first of its kind.
    pub(super) fn report(&mut self, action: &str, finding: &ocpp_types::Finding, version: Version) -> Option<Event> {
        let code = finding.code().as_str(version).to_string();
        let kind = (action.to_string(), without_positions(&finding.path), code);
        if self.0.len() >= MAX_KINDS || !self.0.insert(kind) {
            return None;
        }
        Some(Event::Finding { action: action.to_string(), finding: to_finding(finding, version) })
    }
}

/// A finding with its code as the version spells it.
pub(super) fn to_finding(finding: &ocpp_types::Finding, version: Version) -> Finding {
    Finding {
        path: finding.path.clone(),
        code: finding.code().as_str(version).to_string(),
        message: finding.message.clone(),
    }
}

/// The path, with `*` for every position in a list, cut where it gets long.
fn without_positions(path: &str) -> String {
    let mut kind = String::with_capacity(path.len());
    for part in path.split('/').skip(1) {
        if kind.len() + part.len() >= MAX_PATH {
            return kind;
        }
        let position = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        kind.push('/');
        kind.push_str(if position { "*" } else { part });
    }
    kind
}

#[cfg(test)]
mod tests {
    use ocpp_types::FindingKind;

    use super::*;

    #[test]
    fn each_kind_is_reported_once_wherever_in_a_list_it_is() {
        let mut findings = Findings::default();
        let finding = |path: &str, kind| ocpp_types::Finding { path: path.into(), kind, message: "odd".into() };
        let first =
            findings.report("MeterValues", &finding("/meterValue/0/x", FindingKind::ExtraMember), Version::V1_6);
        let Some(Event::Finding { finding: reported, .. }) = first else { panic!("{first:?}") };
        assert_eq!((&*reported.path, &*reported.code), ("/meterValue/0/x", "FormationViolation"));
        let mut again = |action, path, kind| findings.report(action, &finding(path, kind), Version::V1_6).is_some();
        assert!(!again("MeterValues", "/meterValue/7/x", FindingKind::ExtraMember));
        assert!(again("MeterValues", "/meterValue/7/x", FindingKind::WrongType));
        assert!(again("MeterValues", "/meterValue/7/y", FindingKind::ExtraMember));
        assert!(again("StopTransaction", "/meterValue/7/x", FindingKind::ExtraMember));
        findings.clear();
        assert!(
            findings
                .report("MeterValues", &finding("/meterValue/1/x", FindingKind::ExtraMember), Version::V1_6)
                .is_some()
        );
    }
}
