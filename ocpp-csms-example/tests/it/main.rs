//! The program as others see it: over its port, with a database file of its own for each test.
#![allow(unreachable_pub, reason = "the modules of a test binary have no outside")]
// What clippy.toml allows in tests, it does not allow in their helpers.
#![allow(clippy::unwrap_used)]

mod access_onboarding;
mod access_pages;
mod access_people;
mod access_walk;
mod authority;
mod backup;
mod bad_input;
mod calls;
mod certificates;
mod charging;
mod contracts;
mod costs;
mod effects;
mod events;
mod faults;
mod firmware;
mod harness;
mod hostile;
mod log;
mod logs;
mod lost;
mod message_log;
mod money;
mod notifications;
mod operations;
mod page;
mod place;
mod postgres;
mod program;
mod reports;
mod reservations;
mod rest;
mod security;
mod sites;
mod steering;
mod store;
mod tls;
