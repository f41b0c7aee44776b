//! See `redan_fuzz::compile`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| redan_fuzz::compile::run(input));
