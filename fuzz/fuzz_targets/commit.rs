#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| runplane_fuzz_targets::commit(data));
