//! `Checkpoint` over a `.safetensors` file.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = vigc_fuzz::write("model.safetensors", bytes);
    vigc_fuzz::read_tensors(&path);
});
