//! What a session is to reach.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a session is to reach. What is left out is decided by the site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// When the driver leaves.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub departure: Option<Timestamp>,
    /// How much is needed in all, in Wh.
    #[serde(default)]
    pub energy_wh: Option<u32>,
    /// Higher ones are served first: 0 to 9; by default as its station.
    #[serde(default)]
    #[schema(maximum = 9)]
    pub priority: Option<u8>,
}
