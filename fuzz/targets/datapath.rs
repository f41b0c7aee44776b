//! See `redan_fuzz::datapath`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| redan_fuzz::datapath::run(input));
