//! See `redan_fuzz::engines`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| redan_fuzz::engines::run(input));
