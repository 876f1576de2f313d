//! See `hufu_fuzz::form`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hufu_fuzz::form::run(data));
