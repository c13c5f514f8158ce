//! What the operator wants to know afterwards: hours, energy and fees of each station and day, and documents of it.

pub mod pdf;
