//! Messages in the types of their version. What 2.0.1 sends and receives is converted from and to the types of 2.1.

use alloc::boxed::Box;

#[cfg(feature = "v1_6")]
use ocpp_types::v1_6;
use ocpp_types::v2_1;

/// A call to the station.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum CallMessage {
    #[cfg(feature = "v1_6")]
    V1_6(Box<v1_6::CsmsRequest>),
    V2(Box<v2_1::CsmsRequest>),
}

impl CallMessage {
    /// A call to a station of 1.6.
    #[cfg(feature = "v1_6")]
    pub(super) fn v1_6(request: impl Into<v1_6::CsmsRequest>) -> Self {
        Self::V1_6(Box::new(request.into()))
    }

    /// The action.
    pub(super) fn action(&self) -> &'static str {
        match self {
            #[cfg(feature = "v1_6")]
            Self::V1_6(request) => request.action(),
            Self::V2(request) => request.action(),
        }
    }

    /// A call to a station of 2.0.1 or 2.1.
    pub(super) fn v2(request: impl Into<v2_1::CsmsRequest>) -> Self {
        Self::V2(Box::new(request.into()))
    }
}

/// The station's answer to a call.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum AnswerMessage {
    #[cfg(feature = "v1_6")]
    V1_6(Box<v1_6::StationResponse>),
    V2(Box<v2_1::StationResponse>),
}

/// A call of the station that a concern of the session reads by itself.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum RequestMessage {
    #[cfg(feature = "v1_6")]
    V1_6(Box<v1_6::StationRequest>),
    V2(Box<v2_1::StationRequest>),
}

/// The answer to such a call.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ReplyMessage {
    #[cfg(feature = "v1_6")]
    V1_6(Box<v1_6::CsmsResponse>),
    V2(Box<v2_1::CsmsResponse>),
}

impl ReplyMessage {
    /// The answer to a station of 1.6.
    #[cfg(feature = "v1_6")]
    pub(super) fn v1_6(response: impl Into<v1_6::CsmsResponse>) -> Self {
        Self::V1_6(Box::new(response.into()))
    }

    /// The answer to a station of 2.0.1 or 2.1.
    pub(super) fn v2(response: impl Into<v2_1::CsmsResponse>) -> Self {
        Self::V2(Box::new(response.into()))
    }
}
