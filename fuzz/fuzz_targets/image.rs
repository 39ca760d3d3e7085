//! `open_image` with the limits that it has by default. It makes errors of its decoders' panics, so these may pass.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigc_vision::image::{ImageLimits, open_image};

// The fuzzer's own hook ends the process at a panic, also at one that is caught.
fuzz_target!(init: std::panic::set_hook(Box::new(|_| {})), |bytes: &[u8]| {
    let limits = ImageLimits::default();
    match open_image(vigc_fuzz::write("picture", bytes), &limits) {
        Ok(image) => {
            let (width, height) = image.dimensions();
            assert!(u64::from(width) * u64::from(height) <= limits.max_pixels);
        }
        Err(error) => vigc_fuzz::show(&error),
    }
});
