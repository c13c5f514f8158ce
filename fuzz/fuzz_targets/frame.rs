//! Any text is a frame that is written again as it was, or an error with an answer that is a frame.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| ocpp_fuzz::frame::check(text));
