//! Which local authorization list the station has (2.1 part 2, D; 1.6 edition 2, 5.10 and 5.15).

use ocpp_types::v2_1::{CsmsRequest, SendLocalListStatusEnumType, StationResponse};
use serde::{Deserialize, Serialize};

/// The station's local authorization list, as far as it's known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LocalList {
    version: Option<i64>,
}

impl LocalList {
    /// The version of the list: 0 where there is none, -1 in 1.6 where the station has no such thing; `None` where it isn't known.
    #[must_use]
    pub fn version(&self) -> Option<i64> {
        self.version
    }

    fn set(&mut self, version: Option<i64>) -> bool {
        let changed = self.version != version;
        self.version = version;
        changed
    }

    /// Reads an answer; true if something changed.
    pub(super) fn observe(&mut self, call: &CsmsRequest, answer: &StationResponse) -> bool {
        match (call, answer) {
            (CsmsRequest::SendLocalList(call), StationResponse::SendLocalList(answer)) => match answer.status {
                SendLocalListStatusEnumType::Accepted => self.set(Some(call.version_number)),
                // It is another one than was thought.
                SendLocalListStatusEnumType::VersionMismatch => self.set(None),
                _ => false,
            },
            (_, StationResponse::GetLocalListVersion(answer)) => self.set(Some(answer.version_number)),
            _ => false,
        }
    }

    /// Reads an answer of a 1.6 station.
    #[cfg(feature = "v1_6")]
    pub(super) fn observe_v1_6(
        &mut self,
        call: &ocpp_types::v1_6::CsmsRequest,
        answer: &ocpp_types::v1_6::StationResponse,
    ) -> bool {
        use ocpp_types::v1_6::{CsmsRequest as Call, StationResponse as Answer, UpdateStatus};
        match (call, answer) {
            (Call::SendLocalList(call), Answer::SendLocalList(answer)) => match answer.status {
                UpdateStatus::Accepted => self.set(Some(call.list_version)),
                UpdateStatus::VersionMismatch => self.set(None),
                _ => false,
            },
            (_, Answer::GetLocalListVersion(answer)) => self.set(Some(answer.list_version)),
            _ => false,
        }
    }
}
