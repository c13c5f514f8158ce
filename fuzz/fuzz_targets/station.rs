//! Whatever a CSMS sends and answers, a station does not fail, does not grow, and ends its transaction whole.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ocpp_fuzz::station::check(data));
