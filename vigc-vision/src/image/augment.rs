//! The training transform of the reference: a random resized crop and a horizontal flip.

use image::RgbImage;
use image::imageops::{crop_imm, flip_horizontal_in_place};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Filter, resize};

/// Crops that are tried before the largest central one with an allowed aspect ratio is taken.
const TRIES: usize = 10;

/// Distribution of random views of an image (`blip2_image_train`, torchvision's `RandomResizedCrop`).
///
/// Texts that speak of left and right, of counts or of borders do not survive these
/// transforms; leave them off for such data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainTransform {
    /// Smallest and largest share of the area that a crop keeps.
    pub scale: (f64, f64),
    /// Smallest and largest width over height of a crop.
    pub ratio: (f64, f64),
    /// Probability of a mirror image.
    pub flip: f64,
}

impl Default for TrainTransform {
    fn default() -> Self {
        Self { scale: (0.5, 1.0), ratio: (3.0 / 4.0, 4.0 / 3.0), flip: 0.5 }
    }
}

/// One view of an image: a crop, mirrored or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Left edge of the crop.
    pub x: u32,
    /// Upper edge of the crop.
    pub y: u32,
    /// Width of the crop.
    pub width: u32,
    /// Height of the crop.
    pub height: u32,
    /// Whether the crop is mirrored.
    pub flipped: bool,
}

impl TrainTransform {
    /// Draws a view of an image of `width` x `height` pixels. The same seed gives the same view.
    ///
    /// # Panics
    ///
    /// Panics if a side is zero or a range is empty.
    #[must_use]
    pub fn sample(&self, width: u32, height: u32, seed: u64) -> View {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let view = (0..TRIES).find_map(|_| self.try_crop(width, height, &mut rng));
        let view = view.unwrap_or_else(|| self.central_crop(width, height));
        View { flipped: rng.random_bool(self.flip), ..view }
    }

    fn try_crop(&self, width: u32, height: u32, rng: &mut ChaCha8Rng) -> Option<View> {
        let area = f64::from(width) * f64::from(height);
        let area = area * rng.random_range(self.scale.0..=self.scale.1);
        let ratio = rng.random_range(self.ratio.0.ln()..=self.ratio.1.ln()).exp();
        let side = |square: f64| square.sqrt().round_ties_even() as u32;
        let (w, h) = (side(area * ratio), side(area / ratio));
        ((1..=width).contains(&w) && (1..=height).contains(&h)).then(|| View {
            x: rng.random_range(0..=width - w),
            y: rng.random_range(0..=height - h),
            width: w,
            height: h,
            flipped: false,
        })
    }

    fn central_crop(&self, width: u32, height: u32) -> View {
        let scaled =
            |side: u32, factor: f64| ((f64::from(side) * factor).round_ties_even() as u32).max(1);
        let ratio = f64::from(width) / f64::from(height);
        let (w, h) = if ratio < self.ratio.0 {
            (width, scaled(width, 1.0 / self.ratio.0).min(height))
        } else if ratio > self.ratio.1 {
            (scaled(height, self.ratio.1).min(width), height)
        } else {
            (width, height)
        };
        View { x: (width - w) / 2, y: (height - h) / 2, width: w, height: h, flipped: false }
    }
}

impl View {
    /// Cuts this view out of `image` and resizes it.
    ///
    /// # Panics
    ///
    /// Panics if the view is empty or lies outside of `image`.
    #[must_use]
    pub fn apply(&self, image: &RgbImage, width: u32, height: u32, filter: Filter) -> RgbImage {
        let cropped = crop_imm(image, self.x, self.y, self.width, self.height).to_image();
        assert_eq!(cropped.dimensions(), (self.width, self.height), "view outside of the image");
        let mut resized = resize(&cropped, width, height, filter);
        if self.flipped {
            flip_horizontal_in_place(&mut resized);
        }
        resized
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_lie_inside_and_keep_their_ranges() {
        let transform = TrainTransform::default();
        for seed in 0..500 {
            let view = transform.sample(640, 480, seed);
            assert!(view.x + view.width <= 640 && view.y + view.height <= 480, "{view:?}");
            let area = f64::from(view.width * view.height) / (640.0 * 480.0);
            let ratio = f64::from(view.width) / f64::from(view.height);
            assert!((0.49..=1.0).contains(&area) && (0.74..=1.35).contains(&ratio), "{view:?}");
        }
        let flipped = (0..500).filter(|&seed| transform.sample(640, 480, seed).flipped).count();
        assert!((200..300).contains(&flipped), "{flipped}");
    }

    #[test]
    fn a_seed_fixes_the_view() {
        let transform = TrainTransform::default();
        assert_eq!(transform.sample(100, 80, 3), transform.sample(100, 80, 3));
        assert_ne!(transform.sample(100, 80, 3), transform.sample(100, 80, 4));
    }

    #[test]
    fn extreme_images_fall_back_to_the_centre() {
        let transform = TrainTransform { flip: 0.0, ..TrainTransform::default() };
        for (width, height) in [(3, 500), (500, 3), (1, 1)] {
            let view = transform.sample(width, height, 1);
            assert_eq!((view.x, view.y), ((width - view.width) / 2, (height - view.height) / 2));
            assert!(view.width >= 1 && view.height >= 1 && view.width.max(view.height) <= 5);
        }
    }

    #[test]
    fn a_flipped_view_is_the_mirror_image() {
        let image = RgbImage::from_fn(8, 4, |x, y| image::Rgb([x as u8, y as u8, 0]));
        let view = View { x: 2, y: 1, width: 4, height: 2, flipped: true };
        let mirrored = view.apply(&image, 4, 2, Filter::Bicubic);
        assert_eq!(mirrored.get_pixel(0, 0).0, [5, 1, 0]);
        assert_eq!(mirrored.get_pixel(3, 1).0, [2, 2, 0]);
    }
}
