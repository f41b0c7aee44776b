//! See `redan_fuzz::capture`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| redan_fuzz::capture::run(input));
