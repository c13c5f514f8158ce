//! A station and a session of a CSMS, each by itself and wired back to back, in virtual time: no sleeping, no ports.

#![allow(unreachable_pub, reason = "the modules of a test binary have no outside")]
// What clippy.toml allows in tests, it does not allow in their helpers.
#![allow(clippy::unwrap_used)]

mod certificate_support;
mod csms_authorization;
mod csms_billing;
mod csms_boot;
mod csms_commands;
mod csms_conformance;
mod csms_data_transfer;
mod csms_flows_certificates;
mod csms_flows_charging;
mod csms_flows_customer;
mod csms_flows_firmware;
mod csms_flows_log;
mod csms_flows_monitoring;
mod csms_flows_network;
mod csms_flows_password;
mod csms_flows_revocation;
mod csms_flows_support;
mod csms_local_list;
mod csms_properties;
mod csms_reports;
mod csms_reservations;
mod csms_services;
mod csms_smart_charging;
mod csms_station;
mod csms_storage;
mod csms_support;
mod csms_transactions;
mod csms_variables;
mod harness;
mod hostile;
mod scripted;
mod smart_charging_properties;
mod smart_charging_robustness;
mod smart_charging_station;
mod smart_charging_vectors;
mod station_authorization;
mod station_authorization_cache;
mod station_boot;
mod station_certificates;
mod station_certificates_renewal;
mod station_commands;
mod station_configuration_keys;
mod station_crash;
mod station_crash_commands;
mod station_determinism;
mod station_firmware;
mod station_firmware_crash;
mod station_hostile;
mod station_local_list;
mod station_logs;
mod station_metering;
mod station_outbox;
mod station_recovery;
mod station_reservations;
mod station_security_access;
mod station_security_events;
mod station_settings;
mod station_status;
mod station_transactions;
mod station_vendor_messages;
mod station_walk;
mod transfers;
