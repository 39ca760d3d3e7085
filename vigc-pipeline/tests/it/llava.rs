//! LLaVA against transformers, on folders that transformers wrote and on the original program's.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::{DType, Device, Tensor, Tolerance};
use serde::Deserialize;
use vigc_core::TokenBatch;
use vigc_core::nn::Precision;
use vigc_core::weights::{Checkpoint, KeyMap, save_checkpoint};
use vigc_llm::generation::GenerationConfig;
use vigc_llm::tokenizer::TextTokenizer;
use vigc_pipeline::llava::{Llava, LlavaFiles, LoadOptions, Prompt, PromptTokens, Template, keys};
use vigc_pipeline::vigc::{Correction, Hint, ImageInput, Request, Vigc, VisualLm};
use vigc_vision::image::RgbImage;

/// f32 sums in another order.
const TOLERANCE: f32 = 1e-4;

/// `<image>` in the tiny vocabulary.
const IMAGE_TOKEN: u32 = 371;

/// What transformers made of one question.
#[derive(Deserialize)]
struct Row {
    template: Template,
    question: String,
    prompt: String,
    /// With one token for the image.
    input_ids: Vec<u32>,
    /// With all of the image's.
    seq: usize,
    greedy: Vec<u32>,
    text: String,
    /// Of the first LLaVA, without the image.
    linear_ids: Vec<u32>,
}

#[derive(Debug, Deserialize)]
struct Split {
    prompt: String,
    hugging_face: Vec<u32>,
    first: Vec<u32>,
    original: Option<Vec<u32>>,
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/llava")
}

fn json<T: serde::de::DeserializeOwned>(name: &str) -> T {
    vigc_core::files::read_json(fixtures().join(name)).unwrap()
}

fn rows() -> Vec<Row> {
    json("golden.json")
}

fn open(folder: impl AsRef<Path>) -> Llava {
    Llava::from_dir(folder, &Device::default()).unwrap()
}

fn tiny() -> Llava {
    open(fixtures().join("tiny"))
}

/// A model of the original program's files.
fn original(folder: &str) -> Llava {
    let files = LlavaFiles::new(fixtures().join(folder)).with_vision(fixtures().join("clip"));
    Llava::from_files(&files, &Device::default(), &LoadOptions::default()).unwrap().0
}

struct Golden(Checkpoint);

impl Golden {
    fn open() -> Self {
        Self(Checkpoint::open(fixtures().join("golden.safetensors")).unwrap())
    }

    fn tensor<const D: usize>(&self, name: &str, i: usize) -> Tensor<D> {
        self.0.tensor(&format!("{name}_{i}"), &Device::default()).unwrap()
    }

    fn image(&self, i: usize) -> RgbImage {
        let pixels = self.tensor::<3>("image", i);
        let [height, width, _] = pixels.dims().map(|side| u32::try_from(side).unwrap());
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bytes as f32")]
        let bytes = pixels.into_data().iter::<f32>().map(|value| value as u8).collect();
        RgbImage::from_raw(width, height, bytes).unwrap()
    }
}

fn assert_close<const D: usize>(actual: Tensor<D>, expected: Tensor<D>) {
    let tolerance = Tolerance::<f32>::rel_abs(TOLERANCE, TOLERANCE);
    actual.into_data().assert_approx_eq(&expected.into_data(), tolerance);
}

fn prompt(text: &str) -> Prompt<'_> {
    Prompt { image: 0, text, seed: 0 }
}

/// Scores behind the last positions of a prompt about an image.
fn logits(model: &Llava, image: &RgbImage, question: &str) -> Tensor<3> {
    let images = model.encode(std::slice::from_ref(image));
    let inputs = model.prompt_inputs(&images, &[prompt(question)]).unwrap();
    let lm = &model.network().language_model;
    let states = lm.forward(inputs.embeds, inputs.mask, None);
    let [_, seq, _] = states.dims();
    let last = seq.min(6);
    lm.logits(states.narrow(1, seq - last, last))
}

/// Compares the scores of all rows; a vocabulary without an image token has fewer words.
fn assert_scores(model: &Llava) {
    let golden = Golden::open();
    for (i, row) in rows().iter().enumerate() {
        let model = model.clone().with_template(row.template);
        let found = logits(&model, &golden.image(i), &row.question);
        let [_, _, words] = found.dims();
        assert_close(found, golden.tensor::<3>("logits", i).narrow(2, 0, words));
    }
}

#[test]
fn every_stage_equals_transformers() {
    let (model, golden) = (tiny(), Golden::open());
    let network = model.network();
    for (i, row) in rows().iter().enumerate() {
        let model = model.clone().with_template(row.template);
        let pixel_values = model.processor().batch(&[golden.image(i)], model.device());
        assert_eq!(
            pixel_values.to_data().try_to_vec::<f32>().unwrap(),
            golden.tensor::<4>("pixel_values", i).into_data().try_to_vec::<f32>().unwrap()
        );
        let features = network.image_features(pixel_values.clone());
        assert_close(features, golden.tensor("image_features", i));
        assert_close(network.visual_tokens(pixel_values), golden.tensor("visual_tokens", i));

        let tokens = model.prompt_tokens(&row.question).unwrap();
        assert_eq!(tokens.with_places(1, IMAGE_TOKEN), row.input_ids, "{}", row.prompt);
        let image = model.encode(&[golden.image(i)]);
        let inputs = model.prompt_inputs(&image, &[prompt(&row.question)]).unwrap();
        assert_eq!(inputs.embeds.dims()[1], row.seq);
    }
    assert_scores(&model);
}

#[test]
fn greedy_texts_equal_transformers_alone_and_in_a_batch() {
    let (model, golden, rows) = (tiny(), Golden::open(), rows());
    let settings = GenerationConfig::greedy().with_max_new_tokens(12);
    let expected =
        |row: &Row| -> Vec<u32> { row.greedy.iter().copied().take_while(|&id| id != 2).collect() };
    for (i, row) in rows.iter().enumerate() {
        let model = model.clone().with_template(row.template);
        let image = model.encode(&[golden.image(i)]);
        let text = &model.generate(&image, &[prompt(&row.question)], &settings).unwrap()[0][0];
        assert_eq!((&text.hypothesis.tokens, &text.text), (&expected(row), &row.text));
    }
    // Rows of different length in one batch, images in another order than prompts.
    let together: Vec<_> = rows.iter().filter(|row| row.template == Template::VicunaV1).collect();
    assert_eq!(together.len(), 2);
    let images = model.encode(&[golden.image(1), golden.image(0)]);
    let at = |(i, row): (usize, &&Row)| (1 - i, row.question.clone());
    let asked: Vec<_> = together.iter().enumerate().map(at).collect();
    let prompts: Vec<_> =
        asked.iter().map(|(image, text)| Prompt { image: *image, text, seed: 0 }).collect();
    let texts = model.generate(&images, &prompts, &settings).unwrap();
    for (row, text) in together.iter().zip(&texts) {
        assert_eq!(text[0].hypothesis.tokens, expected(row));
    }
}

#[test]
fn prompts_are_cut_as_by_both_programs() {
    let fast = TextTokenizer::from_dir(fixtures().join("tiny")).unwrap();
    let first = TextTokenizer::from_dir(fixtures().join("first")).unwrap();
    let pieces = TextTokenizer::from_dir(fixtures().join("original")).unwrap();
    let splits: Vec<Split> = json("tokens.json");
    assert_eq!(splits.len(), 19);
    for case in splits {
        let cut = |tokenizer: &TextTokenizer, token| {
            let tokens = PromptTokens::new(tokenizer, &case.prompt, token).unwrap();
            tokens.with_places(1, IMAGE_TOKEN)
        };
        assert_eq!(cut(&fast, Some(IMAGE_TOKEN)), case.hugging_face, "{case:?}");
        assert_eq!(cut(&first, Some(IMAGE_TOKEN)), case.first, "{case:?}");
        if let Some(original) = &case.original {
            assert_eq!(&cut(&pieces, None), original, "{case:?}");
            // With LLaMA's published pipeline both rules are one.
            assert_eq!(original, &case.hugging_face);
            assert_eq!(&cut(&fast, None), original, "{case:?}");
        }
    }
    for (prompt, times) in [("no image", "0 times"), ("<image> and <image>", "2 times")] {
        for token in [Some(IMAGE_TOKEN), None] {
            let error = PromptTokens::new(&fast, prompt, token).unwrap_err().to_string();
            assert!(error.contains(times), "{error}");
        }
    }
}

/// Puts the tiny model's files into a folder, with other names in the weights.
fn with_names(names: &KeyMap) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(fixtures().join("tiny")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    let weights = Checkpoint::open(fixtures().join("tiny")).unwrap().rename(names);
    save_checkpoint(&weights, folder.path().join("model.safetensors")).unwrap();
    folder
}

#[test]
fn all_spellings_of_names_are_the_same_model() {
    let transformers_4 = KeyMap::new(&[(r"^vision_tower\.", "vision_tower.vision_model.")]);
    let transformers_4_52 = KeyMap::new(&[
        (r"^vision_tower\.", "model.vision_tower.vision_model."),
        (r"^multi_modal_projector\.", "model.multi_modal_projector."),
        (r"^language_model\.lm_head\.", "lm_head."),
        (r"^language_model\.model\.", "model.language_model."),
    ]);
    for names in [transformers_4, transformers_4_52] {
        assert_scores(&open(with_names(&names).path()));
    }
}

#[test]
fn the_original_programs_files_are_the_same_model() {
    let model = original("original");
    assert_scores(&model);
    let files = LlavaFiles::new(fixtures().join("original")).with_vision(fixtures().join("clip"));
    let (_, reports) =
        Llava::from_files(&files, &Device::default(), &LoadOptions::default()).unwrap();
    assert!(reports[0].unused.is_empty(), "{:?}", reports[0].unused);
    // The text encoder is dropped before anything is looked for.
    assert!(reports[1].unused.is_empty() && reports[1].overwritten.is_empty());
    let error = Llava::from_dir(fixtures().join("original"), &Device::default()).unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(error.to_string().contains("config.json") && cause.contains("a/small-clip"), "{cause}");
}

#[test]
fn the_first_llava_has_one_layer_marks_and_padded_pictures() {
    let (model, golden) = (original("linear"), Golden::open());
    for (i, row) in rows().iter().enumerate() {
        let model = model.clone().with_template(row.template);
        let image = golden.image(i);
        assert_eq!(
            model.processor().batch(std::slice::from_ref(&image), model.device()).into_data(),
            golden.tensor::<4>("linear_pixel_values", i).into_data()
        );
        let tokens = model.prompt_tokens(&row.question).unwrap();
        assert_eq!(tokens.with_places(0, 0), row.linear_ids);
        assert_close(logits(&model, &image, &row.question), golden.tensor("linear_logits", i));
    }
}

#[test]
fn pretrained_projectors_are_laid_on_top() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mm_projector.safetensors");
    let mut all = Checkpoint::open(fixtures().join("original")).unwrap();
    all.retain(|name| name.contains("mm_projector"));
    // As beside low-rank updates.
    let all = all.rename(&KeyMap::new(&[("^", "base_model.model.")]));
    save_checkpoint(&all, &path).unwrap();
    let language = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(fixtures().join("original")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), language.path().join(entry.file_name())).unwrap();
    }
    let mut llama = Checkpoint::open(fixtures().join("original")).unwrap();
    llama.retain(|name| !name.contains("mm_projector"));
    save_checkpoint(&llama, language.path().join("model.safetensors")).unwrap();
    let files = LlavaFiles::new(language.path()).with_vision(fixtures().join("clip"));
    let device = Device::default();
    let error = Llava::from_files(&files, &device, &LoadOptions::default()).unwrap_err();
    assert!(error.to_string().contains("multi_modal_projector"), "{error}");
    let files = files.with_projector(&path);
    let (model, reports) = Llava::from_files(&files, &device, &LoadOptions::default()).unwrap();
    assert_eq!((reports.len(), reports[2].applied.len()), (3, 4));
    assert_scores(&model);
}

fn names(folder: &Path) -> Vec<String> {
    Checkpoint::open(folder).unwrap().keys().map(str::to_owned).collect()
}

#[test]
fn a_saved_model_computes_the_same() {
    for (model, layout) in [(tiny(), "tiny"), (original("original"), "original")] {
        let folder = tempfile::tempdir().unwrap();
        model.save_pretrained(folder.path(), DType::F32).unwrap();
        let again = open(folder.path());
        assert_scores(&again);
        assert_eq!(again.config(), model.config());
        assert_eq!(again.processor().config(), model.processor().config());
        let copy = tempfile::tempdir().unwrap();
        again.save_pretrained(copy.path(), DType::F32).unwrap();
        for file in ["config.json", "generation_config.json", "model.safetensors"] {
            let bytes = |folder: &Path| fs::read(folder.join(file)).unwrap();
            assert!(bytes(folder.path()) == bytes(copy.path()), "{layout}: {file}");
        }
        // All that was read, under the names it was read under.
        let written = names(folder.path());
        let read = names(&fixtures().join(layout)).into_iter();
        let level = KeyMap::new(&[(r"^vision_tower\.", "vision_tower.vision_model.")]).compile();
        let read = read.map(|name| level(&name)).filter(|name| !name.contains("layers.2."));
        assert!(read.clone().all(|name| written.contains(&name)), "{layout}");
        let beside = written.iter().filter(|name| !read.clone().any(|read| read == **name));
        let tower = "model.vision_tower.vision_tower.vision_model.";
        assert!(beside.clone().all(|name| name.starts_with(tower)), "{layout}");
        assert_eq!(beside.count() > 0, layout == "original");
    }
    let linear = original("linear");
    let folder = tempfile::tempdir().unwrap();
    linear.save_pretrained(folder.path(), DType::F32).unwrap();
    let again = open(folder.path());
    let (image, question) = (Golden::open().image(0), &rows()[0].question);
    assert_close(logits(&again, &image, question), logits(&linear, &image, question));
    assert_eq!((again.config(), again.processor().config().do_pad), (linear.config(), true));
}

#[test]
fn parts_have_the_precision_that_was_asked_for() {
    let (golden, row) = (Golden::open(), &rows()[0]);
    let open = |precisions: &str| {
        let options = LoadOptions::default()
            .with_precisions(precisions.parse::<vigc_pipeline::llava::Precisions>().unwrap());
        let folder = fixtures().join("tiny");
        Llava::from_dir_with(folder, &Device::default(), &options).unwrap()
    };
    let exact = logits(&open("f32"), &golden.image(0), &row.question);
    let size = |x: Tensor<3>| x.powi_scalar(2).mean().into_scalar::<f32>().sqrt();
    for (precisions, limit) in
        [("f16", 0.01), ("bf16", 0.05), ("q8", 0.1), ("f32,projector=bf16", 0.05)]
    {
        let model = open(precisions);
        let found = logits(&model, &golden.image(0), &row.question);
        let error = size(found - exact.clone()) / size(exact.clone());
        assert!(error > 0.0 && error < limit, "{precisions}: {error}");
        let folder = tempfile::tempdir().unwrap();
        model.save_pretrained(folder.path(), DType::F32).unwrap();
        let file =
            vigc_core::files::read_json::<serde_json::Value>(folder.path().join("config.json"));
        let blocks = model.config().precisions.language == Precision::Q8;
        assert_eq!(file.unwrap().get("precisions").is_some(), blocks, "{precisions}");
    }
}

#[test]
fn candidates_are_ranked_by_their_probability() {
    let (model, golden) = (tiny(), Golden::open());
    let image = model.encode(&[golden.image(0)]);
    let question = prompt("What is this?");
    let candidates = ["a box", "the red ball", "why"];
    let together = model.log_probs(&image, question, &candidates).unwrap();
    let lm = &model.network().language_model;
    for (candidate, expected) in candidates.iter().zip(&together) {
        let alone = model.log_probs(&image, question, &[candidate]).unwrap()[0];
        assert!((alone - expected).abs() < 1e-3, "{candidate}: {alone} and {expected}");
        // The same from the scores of one token after the other.
        let inputs = model.prompt_inputs(&image, &[question]).unwrap();
        let target = model.text_tokenizer().encode_target(candidate).unwrap();
        let answer = TokenBatch::pad_right(std::slice::from_ref(&target), 0);
        let embeds =
            Tensor::cat(vec![inputs.embeds.clone(), lm.embed(answer.ids(model.device()))], 1);
        let [_, prompt_len, _] = inputs.embeds.dims();
        let mask = Tensor::cat(vec![inputs.mask, answer.mask(model.device())], 1);
        let scores = lm.logits(lm.forward(embeds, mask, None));
        let sum: f32 = target
            .iter()
            .enumerate()
            .map(|(i, &token)| {
                let row = scores.clone().narrow(1, prompt_len - 1 + i, 1).into_data();
                let row: Vec<f32> = row.iter::<f32>().collect();
                let total: f32 = row.iter().map(|score| score.exp()).sum();
                row[token as usize] - total.ln()
            })
            .sum();
        assert!((alone - sum).abs() < 1e-3, "{candidate}: {alone} and {sum}");
    }
}

#[test]
fn vig_and_vic_run_with_it() {
    let (model, golden) = (tiny(), Golden::open());
    let handles = VisualLm::encode(&model, &[golden.image(0), golden.image(2)]).unwrap();
    let request = |image: usize, prompt| Request {
        image: &handles[image],
        prompt,
        seed: 0,
        hint: Hint::default(),
    };
    let decoding = GenerationConfig::greedy().with_max_new_tokens(8);
    let asked = [request(1, "What is this?"), request(0, "Describe the red ball.")];
    let together = VisualLm::generate(&model, &asked, &decoding).unwrap();
    for (request, texts) in asked.iter().zip(&together) {
        let alone = model.generate(request.image, &[prompt(request.prompt)], &decoding).unwrap();
        assert_eq!(texts[0].text, alone[0][0].text);
        assert_eq!(texts[0].tokens.len(), alone[0][0].hypothesis.log_probs.len());
    }
    let images = (0..3).map(|i| ImageInput::pixels(format!("{i}.png"), golden.image(i)));
    let vigc = Vigc::new(&model).with_decoding(decoding).with_correction(Correction::default());
    assert_eq!(vigc.run(images, 2).map(Result::unwrap).count(), 3);
}

/// `check_round_trip.py` opens what this leaves in the folder that it is told.
#[test]
#[ignore = "writes a folder for transformers, by hand: LLAVA_OUT=/some/folder"]
fn write_for_transformers() {
    let out = std::env::var("LLAVA_OUT").unwrap();
    tiny().save_pretrained(out, DType::F32).unwrap();
    assert!(keys::is_unread("vision_tower.encoder.layers.2.mlp.fc1.bias", 2));
}
