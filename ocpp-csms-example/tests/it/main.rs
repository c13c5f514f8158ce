//! The program as others see it: over its port, with a database file of its own for each test.
#![allow(unreachable_pub, reason = "the modules of a test binary have no outside")]
// What clippy.toml allows in tests, it does not allow in their helpers.
#![allow(clippy::unwrap_used)]

mod access_onboarding;
mod access_pages;
mod access_people;
mod access_walk;
mod attacks;
mod authority;
mod backup;
mod bad_input;
mod bad_requests;
mod calls;
mod card;
mod card_stand_in;
mod certificates;
mod changeover;
mod charging;
mod contracts;
mod costs;
mod deliveries;
mod demo;
mod drivers;
mod effects;
mod events;
mod faults;
mod firmware;
mod harness;
mod hostile;
mod killed;
mod log;
mod logs;
mod lost;
mod message_log;
mod mobile_money;
mod mobile_stand_in;
mod money;
mod notifications;
mod operation_table;
mod operations;
mod page;
mod page_forms;
mod pay;
mod place;
mod postgres;
mod prices;
mod program;
mod proxies;
mod reports;
mod reservations;
mod rest;
mod security;
mod sites;
mod steering;
mod store;
mod tls;
