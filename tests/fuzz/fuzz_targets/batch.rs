//! See `hufu_fuzz::batch`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hufu_fuzz::batch::run(data));
