//! See `redan_fuzz::syntax`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| redan_fuzz::syntax::run(input));
