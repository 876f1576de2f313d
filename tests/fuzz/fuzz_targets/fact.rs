//! See `hufu_fuzz::fact`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hufu_fuzz::fact::run(data));
