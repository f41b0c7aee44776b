//! See `redan_fuzz::format`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| redan_fuzz::format::run(input));
