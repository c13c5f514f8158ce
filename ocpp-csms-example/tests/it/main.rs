//! The program as others see it: over its port, with a database file of its own for each test.

mod bad_input;
mod calls;
mod charging;
mod harness;
mod log;
mod page;
mod program;
mod rest;
mod security;
mod store;
