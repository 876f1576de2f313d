//! See `hufu_fuzz::config`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hufu_fuzz::config::run(data));
