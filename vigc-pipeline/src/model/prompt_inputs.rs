//! From prompts and visual tokens to what the language model reads.

use burn::tensor::{Bool, Tensor};
use vigc_core::TokenBatch;
use vigc_llm::llama::Llama;

use super::network::VisualTokens;

/// The tokens of a prompt around its image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PromptTokens {
    /// The prompt in the connector's own vocabulary; empty if the connector reads no text.
    pub connector: Vec<u32>,
    /// The language model's tokens before the visual tokens. A template's begin token is among them.
    pub before: Vec<u32>,
    /// The language model's tokens after the visual tokens.
    pub after: Vec<u32>,
}

impl PromptTokens {
    /// The language model's tokens, with `filler` in the places of `visual` visual tokens.
    #[must_use]
    pub fn with_places(&self, visual: usize, filler: u32) -> Vec<u32> {
        let places = std::iter::repeat_n(filler, visual);
        self.before.iter().copied().chain(places).chain(self.after.iter().copied()).collect()
    }
}

/// Where the rows of a batch are filled up to the length of the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// Before the first token.
    Left,
    /// Between the visual tokens and what follows them, as transformers does for InstructBLIP, which pads the text alone.
    AfterImage,
    /// After the last token, as in training.
    Right,
}

/// What the language model reads: visual tokens and a prompt.
#[derive(Debug, Clone)]
pub struct PromptInputs {
    /// `[batch, seq, text_hidden]`.
    pub embeds: Tensor<3>,
    /// `[batch, seq]`, `true` for a token; the last of every row is one.
    pub mask: Tensor<2, Bool>,
    /// Every row's tokens, without padding. In the places of visual tokens they have a filler, which is not embedded.
    pub tokens: Vec<Vec<u32>>,
}

impl PromptInputs {
    /// Embeds prompts and puts the visual tokens of an image into each.
    ///
    /// # Panics
    ///
    /// Panics if there is no prompt or another number of images.
    #[must_use]
    pub fn new(
        llama: &Llama,
        prompts: &[PromptTokens],
        visual: &VisualTokens,
        padding: Padding,
        padding_id: u32,
    ) -> Self {
        assert_eq!(prompts.len(), visual.lengths.len(), "an image for every prompt");
        let rows = prompts.iter().zip(&visual.lengths);
        let tokens: Vec<_> =
            rows.clone().map(|(row, &places)| row.with_places(places, padding_id)).collect();
        let seq = tokens.iter().map(Vec::len).max().unwrap_or_default();
        // How many tokens stand before the padding of a row.
        let leading = |((row, &places), tokens): ((&PromptTokens, &usize), &Vec<u32>)| match padding
        {
            Padding::Left => 0,
            Padding::AfterImage => row.before.len() + places,
            Padding::Right => tokens.len(),
        };
        let leading: Vec<_> = rows.clone().zip(&tokens).map(leading).collect();
        let padded = tokens.iter().zip(&leading).map(|(row, &leading)| {
            let (first, rest) = row.split_at(leading);
            let filler = vec![padding_id; seq - row.len()];
            (
                [first, &filler, rest].concat(),
                [(first.len(), true), (filler.len(), false), (rest.len(), true)],
            )
        });
        let (ids, runs): (Vec<_>, Vec<_>) = padded.unzip();
        let device = llama.device();
        let words = llama.embed(TokenBatch::pad_right(&ids, padding_id).ids(&device));
        let starts = rows.zip(&tokens).map(|((row, _), tokens)| match padding {
            Padding::Left => seq - tokens.len() + row.before.len(),
            Padding::AfterImage | Padding::Right => row.before.len(),
        });
        let embeds = splice(&words, &starts.collect::<Vec<_>>(), visual);
        let seen = runs.iter().flatten().flat_map(|&(len, seen)| std::iter::repeat_n(seen, len));
        let seen = burn::tensor::TensorData::new(seen.collect::<Vec<_>>(), [ids.len(), seq]);
        Self { embeds, mask: Tensor::from_data(seen, &device), tokens }
    }
}

/// Replaces a part of each row of `words` by one image's visual tokens.
///
/// # Shapes
///
/// - words: `[batch, seq, hidden]`
/// - starts: `batch` columns at which the visual tokens begin
/// - visual tokens: `batch` images
/// - output: `[batch, seq, hidden]`
///
/// # Panics
///
/// Panics if the numbers of rows, starts and images differ or the tokens of an image do not fit behind its start.
#[must_use]
pub fn splice(words: &Tensor<3>, starts: &[usize], visual: &VisualTokens) -> Tensor<3> {
    let [batch, _, _] = words.dims();
    assert_eq!(
        (starts.len(), visual.lengths.len()),
        (batch, batch),
        "a start and an image for every row"
    );
    let places: Vec<_> = starts.iter().zip(&visual.lengths).collect();
    // Rows whose images begin in the same column and are as long are spliced together.
    let mut first = 0;
    let runs = places.chunk_by(|one, next| one == next).map(|run| {
        let rows = run.len();
        let (&start, &len) = run[0];
        let words = words.clone().narrow(0, first, rows);
        let visual = visual.tokens.clone().narrow(0, first, rows);
        first += rows;
        // burn has no narrowing to nothing.
        if len == 0 { words } else { put(&words, start, visual.narrow(1, 0, len)) }
    });
    Tensor::cat(runs.collect(), 0)
}

/// `words` with one image's tokens in each row, from `start` on.
fn put(words: &Tensor<3>, start: usize, visual: Tensor<3>) -> Tensor<3> {
    let [_, seq, _] = words.dims();
    let end = start + visual.dims()[1];
    let [before, after] = [(0, start), (end, seq - end)]
        .map(|(from, len)| (len > 0).then(|| words.clone().narrow(1, from, len)));
    Tensor::cat([before, Some(visual), after].into_iter().flatten().collect(), 1)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Int};

    use super::*;

    fn words(device: &Device) -> Tensor<3> {
        let row = |from: i64| Tensor::<1, Int>::arange(from..from + 5, device).float();
        Tensor::<1>::stack::<2>(vec![row(0), row(10), row(20)], 0).unsqueeze_dim(2)
    }

    fn image(device: &Device) -> VisualTokens {
        let image = Tensor::<1>::from_data([-1.0, -2.0, -3.0, -4.0, -5.0, -6.0], device);
        image.reshape([3, 2, 1]).into()
    }

    #[test]
    fn every_row_has_its_image_where_it_begins() {
        let device = Device::default();
        let (words, image) = (words(&device), image(&device));
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

    #[test]
    fn images_may_have_different_numbers_of_tokens() {
        let device = Device::default();
        let image = VisualTokens { lengths: vec![2, 1, 0], ..image(&device) };
        let spliced = splice(&words(&device), &[0, 0, 0], &image);
        let expected = [
            [-1.0, -2.0, 2.0, 3.0, 4.0],
            [-3.0, 11.0, 12.0, 13.0, 14.0],
            [20.0, 21.0, 22.0, 23.0, 24.0],
        ];
        assert_eq!(spliced.into_data().try_to_vec::<f32>().unwrap(), expected.concat());
    }

    #[test]
    fn places_stand_where_the_image_does() {
        let tokens = PromptTokens { before: vec![1, 7], after: vec![9], ..PromptTokens::default() };
        assert_eq!(tokens.with_places(3, 0), [1, 7, 0, 0, 0, 9]);
    }
}
