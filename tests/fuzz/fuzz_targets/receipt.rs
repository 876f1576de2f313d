//! See `hufu_fuzz::receipt`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hufu_fuzz::receipt::run(data));
