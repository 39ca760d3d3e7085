//! Checks of a configuration before a network is made.

use vigc_vision::image::ImageSize;

use crate::{Error, Result};

/// Checks that pictures come in the size that the image encoder reads.
pub(super) fn check_image_size(size: ImageSize, side: usize) -> Result<()> {
    let ImageSize { height, width } = size;
    if [height, width].iter().all(|&pixels| usize::try_from(pixels) == Ok(side)) {
        return Ok(());
    }
    let problem = format!("is {side}, but the image processor makes {height} x {width} pixels");
    Err(Error::Config { field: "vision_config.image_size", problem })
}

/// Checks that no part of a model has more layers than there are stored tensors.
pub(super) fn check_depths(depths: &[(&'static str, usize)], tensors: usize) -> Result<()> {
    match depths.iter().find(|(_, layers)| *layers > tensors) {
        Some(&(field, layers)) => {
            let problem = format!("is {layers}, but there are weights for at most {tensors}");
            Err(Error::Config { field, problem })
        }
        None => Ok(()),
    }
}
