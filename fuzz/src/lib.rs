//! What the fuzz targets check. Each function panics when something does not hold.

pub mod endpoint;
pub mod frame;
mod json;
pub mod messages;
mod payload;
pub mod station;
