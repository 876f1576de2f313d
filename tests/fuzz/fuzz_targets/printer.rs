//! See `hufu_fuzz::printer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hufu_fuzz::printer::run(data));
