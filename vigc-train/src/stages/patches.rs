//! Labels of every patch of a rendered scene, and linear heads that predict them from an encoder's states.
//!
//! With captions alone, a small encoder would need far more pictures to learn kinds, colors and places. The heads are
//! discarded after training.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::data::scenes::{SceneRange, picture};
use crate::recipe::Recipe;
use vigc_core::random::{Draw, EpochOrder};
use vigc_pipeline::model::ImagePreprocessor;
use vigc_scenes::{Background, Cell, Color, Kind, Scene, Size, Split};

/// Linear heads on normalized states.
#[derive(Module, Debug)]
pub(super) struct PatchHeads {
    kind: Linear,
    color: Linear,
    size: Linear,
    cell: Linear,
    background: Linear,
    presence: Linear,
}

impl PatchHeads {
    pub(super) fn new(width: usize, device: &Device) -> Self {
        let head = |classes| LinearConfig::new(width, classes).init(device);
        Self {
            kind: head(Kind::ALL.len() + 1),
            color: head(Color::ALL.len()),
            size: head(Size::ALL.len()),
            cell: head(Cell::ALL.len()),
            background: head(Background::ALL.len()),
            presence: head(Kind::ALL.len()),
        }
    }

    /// The loss of the heads' predictions from the states of pictures, `[batch, 1 + patches, width]`, and their accuracies.
    pub(super) fn loss(
        &self,
        tokens: Tensor<3>,
        batch: &PatchBatch,
    ) -> (Tensor<1>, Vec<(String, f64)>) {
        let device = tokens.device();
        let [images, positions, width] = tokens.dims();
        let class_token = tokens.clone().narrow(1, 0, 1).reshape([images, width]);
        let patches = tokens.narrow(1, 1, positions - 1).reshape([images * (positions - 1), width]);
        let objects = batch.objects();
        let kinds = batch.shown.iter().map(|shown| match shown {
            Shown::Object(_, _, kind, _) => kind.index() + 1,
            Shown::Background(_) => 0,
        });
        let (kind, kind_right) = classify(self.kind.forward(patches.clone()), kinds);
        let backgrounds = batch.scenes.iter().map(|scene| scene.background.index());
        let (background, _) = classify(self.background.forward(class_token.clone()), backgrounds);
        let presence = batch.scenes.iter().flat_map(|scene| {
            let shows = |kind: Kind| scene.objects.iter().any(|object| object.kind == kind);
            Kind::ALL.map(|kind| f32::from(u8::from(shows(kind))))
        });
        let presence = TensorData::new(presence.collect::<Vec<_>>(), [images, Kind::ALL.len()]);
        let presence = Tensor::from_data(presence, &device);
        let presence = binary(self.presence.forward(class_token), presence);
        let mut loss = kind.mul_scalar(2.0) + background.mul_scalar(0.3) + presence.mul_scalar(0.3);
        let mut metrics = vec![("kind", kind_right)];
        if !objects.is_empty() {
            let rows = indices(objects.iter().map(|object| object.0), &device);
            let patches = patches.select(0, rows);
            let read = |head: &Linear, class: fn(&(usize, Size, Color, Kind, Cell)) -> usize| {
                classify(head.forward(patches.clone()), objects.iter().map(class))
            };
            let (size, size_right) = read(&self.size, |object| object.1.index());
            let (color, color_right) = read(&self.color, |object| object.2.index());
            let (_, object_right) = read(&self.kind, |object| object.3.index() + 1);
            let (cell, cell_right) = read(&self.cell, |object| object.4.index());
            loss = loss + color + size.mul_scalar(0.5) + cell.mul_scalar(0.5);
            metrics.extend([
                ("object", object_right),
                ("color", color_right),
                ("size", size_right),
                ("cell", cell_right),
            ]);
        }
        let metrics = metrics.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        (loss, metrics)
    }
}

/// Pictures and the labels of their patches.
#[derive(Debug, Default)]
pub struct PatchBatch {
    pixels: Vec<f32>,
    scenes: Vec<Scene>,
    /// What each patch shows.
    pub(super) shown: Vec<Shown>,
}

/// What a patch shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// An object.
    Object(Size, Color, Kind, Cell),
    /// What is behind the objects.
    Background(Background),
}

impl PatchBatch {
    /// The number of pictures.
    pub(super) fn images(&self) -> usize {
        self.scenes.len()
    }

    /// Takes the pictures, `[images, 3, side, side]`, out of the batch.
    pub(super) fn pixels(&mut self, side: usize, device: &Device) -> Tensor<4> {
        let shape = [self.images(), 3, side, side];
        Tensor::from_data(TensorData::new(std::mem::take(&mut self.pixels), shape), device)
    }

    fn add(&mut self, scene: &Scene, pixels: Vec<f32>, grid: usize) {
        self.pixels.extend(pixels);
        let shown = |index: Option<usize>| match index.map(|index| &scene.objects[index]) {
            Some(object) => Shown::Object(object.size, object.color, object.kind, object.cell),
            None => Shown::Background(scene.background),
        };
        self.shown.extend(scene.patch_labels(grid).iter().map(|label| shown(label.object)));
        self.scenes.push(scene.clone());
    }

    /// The patches that show an object, with its attributes.
    fn objects(&self) -> Vec<(usize, Size, Color, Kind, Cell)> {
        let object = |(patch, shown): (usize, &Shown)| match *shown {
            Shown::Object(size, color, kind, cell) => Some((patch, size, color, kind, cell)),
            Shown::Background(_) => None,
        };
        self.shown.iter().enumerate().filter_map(object).collect()
    }
}

/// Rendered scenes as batches for an image encoder.
#[derive(Debug)]
pub(super) struct PatchScenes<P> {
    processor: P,
    pub(super) side: usize,
    grid: usize,
    batch: usize,
    range: SceneRange,
    held_out: usize,
}

impl<P: ImagePreprocessor> PatchScenes<P> {
    /// The scenes of a recipe for an encoder whose input has `side` pixels and whose patches have `patch` pixels.
    pub(super) fn new(
        recipe: &Recipe,
        processor: P,
        [side, patch]: [usize; 2],
    ) -> crate::Result<Self> {
        Ok(Self {
            processor,
            side,
            grid: side / patch,
            batch: recipe.optimization.batch,
            range: Recipe::need("data.scenes", recipe.data.scenes.as_ref())?,
            held_out: recipe.run.validate_samples,
        })
    }

    /// The batch of a micro-step.
    pub(super) fn draw(&self, draw: Draw) -> PatchBatch {
        let first = draw.micro_step * self.batch as u64;
        let order = EpochOrder { seed: draw.seed, len: self.range.count as u64 };
        let scenes: Vec<_> = (first..first + self.batch as u64)
            .map(|at| self.range.scene(usize::try_from(order.item(at)).unwrap_or(0)))
            .collect();
        self.collate(&scenes)
    }

    /// Batches of held-out scenes.
    pub(super) fn held_out(&self) -> Vec<PatchBatch> {
        let scenes: Vec<_> =
            (0..self.held_out as u64).map(|seed| Scene::sample(Split::Val, seed)).collect();
        scenes.chunks(self.batch).map(|scenes| self.collate(scenes)).collect()
    }

    fn collate(&self, scenes: &[Scene]) -> PatchBatch {
        let mut batch = PatchBatch::default();
        for scene in scenes {
            let picture = picture(scene, u32::try_from(self.side).unwrap_or(u32::MAX));
            batch.add(scene, self.processor.process(&picture), self.grid);
        }
        batch
    }
}

fn indices(of: impl Iterator<Item = usize>, device: &Device) -> Tensor<1, Int> {
    let of: Vec<i32> = of.map(|index| i32::try_from(index).unwrap_or(i32::MAX)).collect();
    Tensor::from_data(&of[..], device)
}

/// The mean cross-entropy and the accuracy.
fn classify(logits: Tensor<2>, classes: impl Iterator<Item = usize>) -> (Tensor<1>, f64) {
    let classes: Tensor<2, Int> = indices(classes, &logits.device()).unsqueeze_dim(1);
    let right = logits.clone().detach().argmax(1).equal(classes.clone()).float().mean();
    let right: f32 = right.into_scalar();
    (log_softmax(logits, 1).gather(1, classes).mean().neg(), f64::from(right))
}

/// The mean binary cross-entropy.
fn binary(logits: Tensor<2>, truth: Tensor<2>) -> Tensor<1> {
    // -truth log p - (1 - truth) log(1 - p), in a form that does not overflow.
    let soft = logits.clone().abs().neg().exp().add_scalar(1.0).log();
    (logits.clone().clamp_min(0.0) - logits * truth + soft).mean()
}
