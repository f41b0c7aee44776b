//! See `redan_fuzz::json`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| redan_fuzz::json::run(input));
