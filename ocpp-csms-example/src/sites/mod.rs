//! Sites: what several stations share.

mod shares;

pub use shares::{Capacity, Demand, PHASES, shares};
