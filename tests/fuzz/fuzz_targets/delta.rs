//! See `hufu_fuzz::delta`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hufu_fuzz::delta::run(data));
