//! A CSMS you can run.

pub mod access;
pub mod config;
pub mod store;
pub mod tariffs;
