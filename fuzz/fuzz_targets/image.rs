//! `open_image` with the limits that it has by default.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigc_vision::image::{ImageLimits, open_image};

fuzz_target!(|bytes: &[u8]| {
    let limits = ImageLimits::default();
    match open_image(vigc_fuzz::write("picture", bytes), &limits) {
        Ok(image) => {
            let (width, height) = image.dimensions();
            assert!(u64::from(width) * u64::from(height) <= limits.max_pixels);
        }
        Err(error) => vigc_fuzz::show(&error),
    }
});
