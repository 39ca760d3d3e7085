//! InstructBLIP behind the trait that VIG and VIC see.

use std::path::Path;

use burn::tensor::Device;
use image::{Rgb, RgbImage};
use vigc_pipeline::instruct_blip::InstructBlip;
use vigc_pipeline::vigc::rank::rank;
use vigc_pipeline::vigc::{Correction, GenerationConfig, ImageInput, Request, Vigc, VisualLm};

/// f32 sums in another order.
const TOLERANCE: f32 = 1e-4;

fn tiny() -> InstructBlip {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/instruct_blip/tiny");
    InstructBlip::from_dir(folder, &Device::default()).unwrap()
}

fn picture(value: u8) -> RgbImage {
    RgbImage::from_fn(40, 30, |x, y| Rgb([value, (x * 5) as u8, (y * 7) as u8]))
}

const PROMPTS: [&str; 3] = ["What is it?", "Generate a question and then answer it.", "Why?"];

#[test]
fn requests_share_a_batch_and_keep_their_images() {
    let model = tiny();
    let decoding = GenerationConfig::beam_search(3).with_n_best(2).with_max_new_tokens(12);
    let handles = model.encode(&[picture(10), picture(200)]).unwrap();
    let request = |i: usize| Request::new(&handles[i % 2], PROMPTS[i]);
    let together = model.generate(&[request(0), request(1), request(2)], &decoding).unwrap();
    for (i, texts) in together.iter().enumerate() {
        let image = &model.encode(&[picture([10, 200][i % 2])]).unwrap()[0];
        let alone = &model.generate(&[Request::new(image, PROMPTS[i])], &decoding).unwrap()[0];
        assert_eq!((texts.len(), alone.len()), (2, 2));
        for (text, alone) in texts.iter().zip(alone) {
            assert_eq!(text.text, alone.text);
            assert_eq!(text.ids, alone.ids);
            let [found, sum] = [text, alone]
                .map(|text| text.tokens.iter().map(|token| token.log_prob).sum::<f32>());
            assert!((found - sum).abs() < TOLERANCE * sum.abs().max(1.0), "{found} {sum}");
        }
    }
}

#[test]
fn tokens_tell_where_they_end() {
    let model = tiny();
    let handle = &model.encode(&[picture(90)]).unwrap()[0];
    let request = Request::new(handle, PROMPTS[0]);
    let decoding = GenerationConfig::greedy().with_max_new_tokens(20);
    let text = model.generate(&[request], &decoding).unwrap()[0].remove(0);
    assert!(!text.text.is_empty());
    assert!(text.tokens.windows(2).all(|pair| pair[0].end <= pair[1].end), "{text:?}");
    assert!(text.tokens.iter().all(|token| text.text.is_char_boundary(token.end)), "{text:?}");
    assert_eq!(text.tokens.last().map(|token| token.end), Some(text.text.len()), "{text:?}");
}

#[test]
fn candidates_are_ranked_by_the_models_log_probability() {
    let model = tiny();
    let handle = &model.encode(&[picture(90)]).unwrap()[0];
    let answers = ["a cat", "a dog on the mat", "no"];
    let ranking = rank(&model, handle, PROMPTS[0], &answers).unwrap();
    let log_probs = model.score(&Request::new(handle, PROMPTS[0]), &answers).unwrap();
    assert!(ranking.nll.iter().zip(&log_probs).all(|(nll, log_prob)| *nll == -log_prob));
}

#[test]
fn an_untrained_model_runs_through_the_loop() {
    let model = tiny();
    let images = (0..3).map(|i| ImageInput::pixels(format!("{i}.png"), picture(i * 80)));
    let decoding = GenerationConfig::greedy().with_max_new_tokens(8);
    for correction in [Correction::default(), Correction::upstream(2)] {
        let vigc = Vigc::new(&model).with_decoding(decoding.clone()).with_correction(correction);
        assert_eq!(vigc.run(images.clone(), 2).map(Result::unwrap).count(), 3);
    }
}
