//! Images that are opened while the model works.

use std::collections::VecDeque;
use std::thread::JoinHandle;

use image::RgbImage;
use vigc_vision::image::ImageLimits;

use crate::vigc::image_source::{ImageInput, open};

/// An image with what is to be done with it.
pub(super) struct Opened<J> {
    pub(super) input: ImageInput,
    pub(super) jobs: Vec<J>,
    pub(super) pixels: vigc_vision::Result<RgbImage>,
}

/// Opens the next images in a thread, at most as many as were asked for.
pub(super) struct LookAhead<J> {
    opening: Option<Opening<J>>,
    opened: VecDeque<Opened<J>>,
}

struct Opening<J> {
    asked: Vec<(ImageInput, Vec<J>)>,
    thread: JoinHandle<Vec<vigc_vision::Result<RgbImage>>>,
}

impl<J> Default for LookAhead<J> {
    fn default() -> Self {
        Self { opening: None, opened: VecDeque::new() }
    }
}

impl<J> LookAhead<J> {
    /// Whether nothing is being opened, and fewer than so many images wait.
    pub(super) fn has_room(&self, images: usize) -> bool {
        self.opening.is_none() && self.opened.len() < images
    }

    /// Begins to open images.
    pub(super) fn begin(&mut self, asked: Vec<(ImageInput, Vec<J>)>, limits: &ImageLimits) {
        if asked.is_empty() {
            return;
        }
        self.settle();
        let inputs: Vec<_> = asked.iter().map(|(input, _)| input.clone()).collect();
        let limits = *limits;
        let thread = std::thread::spawn(move || open(&inputs, |input| input, &limits));
        self.opening = Some(Opening { asked, thread });
    }

    /// The next image, in order; waits for it if need be.
    pub(super) fn next(&mut self) -> Option<Opened<J>> {
        if self.opened.is_empty() {
            self.settle();
        }
        self.opened.pop_front()
    }

    fn settle(&mut self) {
        let Some(Opening { asked, thread }) = self.opening.take() else { return };
        let pixels = match thread.join() {
            Ok(pixels) => pixels,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        let opened = asked.into_iter().zip(pixels);
        self.opened.extend(opened.map(|((input, jobs), pixels)| Opened { input, jobs, pixels }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_come_in_order_and_broken_ones_with_their_error() {
        let mut ahead = LookAhead::default();
        assert!(ahead.has_room(1) && ahead.next().is_none());
        let limits = ImageLimits::default();
        let picture = |name: &str| ImageInput::pixels(name, RgbImage::new(2, 2));
        ahead.begin(
            vec![(picture("a"), vec![1]), (ImageInput::file("/no/b.png"), vec![2])],
            &limits,
        );
        assert!(!ahead.has_room(9));
        ahead.begin(vec![(picture("c"), vec![3, 4])], &limits);
        ahead.begin(Vec::new(), &limits);
        let all: Vec<_> = std::iter::from_fn(|| ahead.next()).collect();
        assert_eq!(
            all.iter().flat_map(|opened| opened.jobs.clone()).collect::<Vec<_>>(),
            [1, 2, 3, 4]
        );
        assert!(all[0].pixels.is_ok() && all[1].pixels.is_err() && all[2].pixels.is_ok());
        assert!(ahead.has_room(1));
    }
}
