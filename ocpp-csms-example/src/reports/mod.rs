//! What the operator wants to know afterwards: hours, energy and fees of each station and day, when stations are used, what somebody
//! charged, and documents of it.
//!
//! Reports don't read every session: totals of days and hours are kept with the end of each session, in the calendar of its station, and
//! can be made anew from the sessions ([`rebuild`]). How long a station was in which state is noted as it happens.

mod consumption;
mod days;
pub mod pdf;
mod presence;
mod range;
mod sheet;
mod spread;
mod totals;
mod utilisation;
mod zones;

pub use consumption::{Consumption, Who, consumption};
pub use days::{DayReport, Figures, Grouping, Line, days, station_days, total, written_fees};
pub use presence::StationState;
pub(crate) use presence::{change as state_changed, resume, watch};
pub use range::{MAX_DAYS, Range, ReportError, zone};
pub(crate) use sheet::harmless;
pub use sheet::{DayRangeAbout, Sheet};
pub use spread::Session;
pub(crate) use spread::{Day, DayTotal, Hour, HourTotal, Totals};
pub use totals::rebuild;
pub(crate) use totals::{rebuild_in, session_changed};
pub use utilisation::{PowerPoint, SlotUse, power, utilisation};
pub use zones::{calendar_name, set_zone};
