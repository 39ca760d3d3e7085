//! The network: image encoder, projector and language model, without tokenizer.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use vigc_core::TokenBatch;
use vigc_llm::llama::{Llama, LlamaConfig};
use vigc_vision::clip_vit::{ClipVit, ClipVitConfig};

use super::{FeatureSelect, LlavaConfig, Precisions, Projector};

/// The network of LLaVA (<https://arxiv.org/abs/2310.03744>).
///
/// Mirrors `llava_arch.py` and transformers' `LlavaForConditionalGeneration`.
/// The parts are public because training freezes some and tunes others.
#[derive(Module, Debug)]
pub struct Network {
    /// The image encoder, without the layers behind the one that is read.
    pub vision_tower: ClipVit,
    /// From the image encoder's width to the language model's.
    pub multi_modal_projector: Projector,
    /// Writes the text.
    pub language_model: Llama,
    #[module(skip)]
    feature_select: FeatureSelect,
}

impl Network {
    pub(super) fn new(config: &LlavaConfig, device: &Device) -> Self {
        let Precisions { vision, qformer: projector, language } = config.precisions;
        let vision = ClipVitConfig { precision: vision, ..config.vision_config.clone() };
        let language = LlamaConfig { precision: language, ..config.text_config.clone() };
        let widths = [vision.hidden_size, language.hidden_size];
        Self {
            vision_tower: vision.init(device),
            multi_modal_projector: Projector::new(config.projector, widths, projector, device),
            language_model: language.init(device),
            feature_select: config.vision_feature_select_strategy,
        }
    }

    /// Encodes normalized images to what the projector reads. A frozen encoder's features can be computed once.
    ///
    /// # Shapes
    ///
    /// - pixel values: `[batch, 3, image_size, image_size]`
    /// - output: `[batch, tokens, vision_hidden]`
    #[must_use]
    pub fn image_features(&self, pixel_values: Tensor<4>) -> Tensor<3> {
        let states = self.vision_tower.forward(pixel_values);
        let [_, positions, _] = states.dims();
        match self.feature_select {
            FeatureSelect::Default => states.narrow(1, 1, positions - 1),
            FeatureSelect::Full => states,
        }
    }

    /// What the language model reads of images.
    ///
    /// # Shapes
    ///
    /// - pixel values: `[batch, 3, image_size, image_size]`
    /// - output: `[batch, tokens, text_hidden]`
    #[must_use]
    pub fn visual_tokens(&self, pixel_values: Tensor<4>) -> Tensor<3> {
        self.multi_modal_projector.forward(self.image_features(pixel_values))
    }

    /// Embeds texts and puts the visual tokens of an image into each, in the places that are kept for them.
    ///
    /// # Shapes
    ///
    /// - text: `[batch, seq]`; the tokens in the image's places are not read
    /// - starts: `batch` columns, where the image's places begin
    /// - visual tokens: `[batch, tokens, text_hidden]`
    /// - output: `[batch, seq, text_hidden]`
    ///
    /// # Panics
    ///
    /// Panics if there is another number of starts, or an image does not fit behind one.
    #[must_use]
    pub fn language_inputs(
        &self,
        text: &TokenBatch,
        starts: &[usize],
        visual_tokens: &Tensor<3>,
    ) -> Tensor<3> {
        let words = self.language_model.embed(text.ids(&self.language_model.device()));
        splice(&words, starts, visual_tokens)
    }
}

/// `words` with one image's tokens in each row, from its start on.
#[must_use]
pub fn splice(words: &Tensor<3>, starts: &[usize], visual_tokens: &Tensor<3>) -> Tensor<3> {
    let [batch, _, _] = words.dims();
    assert_eq!(starts.len(), batch, "a start for every row");
    // Prompts that are padded on the right all begin alike.
    let runs = starts.chunk_by(|one, next| one == next);
    let mut first = 0;
    let runs = runs.map(|run| {
        let of_run = |tensor: &Tensor<3>| tensor.clone().narrow(0, first, run.len());
        let spliced = put(&of_run(words), run[0], of_run(visual_tokens));
        first += run.len();
        spliced
    });
    Tensor::cat(runs.collect(), 0)
}

/// `words` with one image's tokens in each row, from `start` on.
fn put(words: &Tensor<3>, start: usize, visual_tokens: Tensor<3>) -> Tensor<3> {
    let [_, seq, _] = words.dims();
    let end = start + visual_tokens.dims()[1];
    let parts = [(0, start), (end, seq - end)];
    let [before, after] =
        parts.map(|(from, len)| (len > 0).then(|| words.clone().narrow(1, from, len)));
    Tensor::cat([before, Some(visual_tokens), after].into_iter().flatten().collect(), 1)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Int;

    use super::*;

    #[test]
    fn every_row_has_its_image_where_it_begins() {
        let device = Device::default();
        let row = |from: i64| Tensor::<1, Int>::arange(from..from + 5, &device).float();
        let words = Tensor::<1>::stack::<2>(vec![row(0), row(10), row(20)], 0).unsqueeze_dim(2);
        let image = Tensor::<1>::from_data([-1.0, -2.0, -3.0, -4.0, -5.0, -6.0], &device);
        let image = image.reshape([3, 2, 1]);
        let spliced = splice(&words, &[0, 2, 3], &image);
        let expected = [
            [-1.0, -2.0, 2.0, 3.0, 4.0],
            [10.0, 11.0, -3.0, -4.0, 14.0],
            [20.0, 21.0, 22.0, -5.0, -6.0],
        ];
        assert_eq!(spliced.into_data().try_to_vec::<f32>().unwrap(), expected.concat());
        let alike = splice(&words, &[1, 1, 0], &image).into_data().try_to_vec::<f32>().unwrap();
        assert_eq!(alike[..10], [0.0, -1.0, -2.0, 3.0, 4.0, 10.0, -3.0, -4.0, 13.0, 14.0]);
        assert_eq!(alike[10..], [-5.0, -6.0, 22.0, 23.0, 24.0]);
    }
}
