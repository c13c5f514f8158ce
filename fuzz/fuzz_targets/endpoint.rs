//! Whatever a peer sends and whenever, every call comes to exactly one end, and every frame is one event.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ocpp_fuzz::endpoint::check(data));
