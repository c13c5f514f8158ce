//! Messages of the version are decoded and written again without a loss.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ocpp_fuzz::messages::v2_1(data));
