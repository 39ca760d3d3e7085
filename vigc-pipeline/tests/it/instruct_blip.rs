//! The composed model against transformers, on a folder that transformers wrote.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::{DType, Device, Tensor, Tolerance};
use serde::Deserialize;
use vigc_core::TokenBatch;
use vigc_core::weights::{Checkpoint, LoadReport, Strictness};
use vigc_llm::generation::GenerationConfig;
use vigc_pipeline::instruct_blip::{EncodedImages, InstructBlip, ModelFiles, keys};
use vigc_pipeline::model::{Connector, ImageEncoder, LoadOptions};
use vigc_pipeline::vigc::{Request, VisualLm};
use vigc_vision::image::RgbImage;

/// f32 sums in another order.
const TOLERANCE: f32 = 1e-4;

/// What transformers made of one prompt.
#[derive(Deserialize)]
struct Row {
    prompt: String,
    input_ids: Vec<u32>,
    qformer_input_ids: Vec<u32>,
    greedy: Vec<u32>,
    text: String,
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/instruct_blip")
}

fn rows() -> Vec<Row> {
    serde_json::from_slice(&fs::read(fixtures().join("golden.json")).unwrap()).unwrap()
}

fn tiny() -> InstructBlip {
    InstructBlip::from_dir(fixtures().join("tiny"), &Device::default()).unwrap()
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

fn encode(model: &InstructBlip, image: RgbImage) -> EncodedImages {
    model.encode(&[image]).unwrap().remove(0)
}

#[test]
fn every_stage_equals_transformers() {
    assert_equal_stages(&tiny());
}

/// The same weights in the files that LAVIS, VIGC, EVA and Vicuna were published in.
#[test]
fn layered_files_are_the_same_model() {
    let file = |name: &str| fixtures().join("containers").join(name);
    let files = ModelFiles::new(file("vicuna"), file("eva_vit.pth"), file("pretrained.pth"))
        .with_finetuned(file("finetuned.pth"));
    let mut model = tiny();
    *model.network_mut() = model.config().init(model.device());
    let reports = files.load(model.network_mut()).unwrap();
    assert_equal_stages(&model);
    let [vicuna, eva, pretrained, finetuned] = &reports[..] else { panic!("{reports:?}") };
    let all = |names: &[String], part: &str| names.iter().all(|name| name.contains(part));
    assert!(!vicuna.unused.is_empty() && all(&vicuna.unused, "inv_freq"), "{:?}", vicuna.unused);
    assert!(eva.unused.iter().any(|name| name.contains("layers.2.")), "the layer behind the last");
    assert!(pretrained.overwritten.contains(&"connector.query_tokens".to_owned()));
    assert!(pretrained.unused.contains(&"t5_proj.weight".to_owned()));
    assert!(finetuned.overwritten.is_empty() && finetuned.missing.is_empty());
    let given: usize = reports.iter().map(|report| report.applied.len()).sum();
    assert_eq!(given, tiny_report().applied.len());
}

/// InstructBLIP as LAVIS published it.
#[test]
fn a_file_of_lavis_is_the_same_model() {
    let file = |name: &str| fixtures().join("containers").join(name);
    let files = ModelFiles::new(file("vicuna"), file("eva_vit.pth"), file("instruct_blip.pth"));
    let mut model = tiny();
    *model.network_mut() = model.config().init(model.device());
    let reports = files.load(model.network_mut()).unwrap();
    assert_equal_stages(&model);
    assert!(reports.iter().all(|report| report.overwritten.is_empty()));
}

#[test]
fn a_model_of_published_files_writes_what_transformers_does() {
    let file = |name: &str| fixtures().join("containers").join(name);
    let llm = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(file("vicuna")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), llm.path().join(entry.file_name())).unwrap();
    }
    fs::write(llm.path().join("tokenizer.json"), with_bytes("tiny/tokenizer.json")).unwrap();
    let added = r#"{"[PAD]": 32000}"#;
    fs::write(llm.path().join("added_tokens.json"), added).unwrap();
    let files = ModelFiles::new(llm.path(), file("eva_vit.pth"), file("pretrained.pth"))
        .with_finetuned(file("finetuned.pth"))
        .with_config(tiny().config().clone());
    let open = |files: &ModelFiles| {
        InstructBlip::from_files(files, &Device::default(), &LoadOptions::default())
    };
    let error = open(&files).unwrap_err().to_string();
    assert!(error.contains("bert") && error.contains("vocab.txt"), "{error}");

    let (model, reports) =
        open(&files.with_bert(fixtures().join("tiny/qformer_tokenizer"))).unwrap();
    assert_eq!((model.name(), reports.len()), ("finetuned", 4));
    assert_equal_stages(&model);
    let reference = model.generation_config();
    assert_eq!((reference.max_new_tokens, reference.repetition_penalty), (249, 1.5));

    // What it saves is a folder like any other.
    let folder = tempfile::tempdir().unwrap();
    model.save_pretrained(folder.path(), DType::F32).unwrap();
    let again = InstructBlip::from_dir(folder.path(), &Device::default()).unwrap();
    assert_equal_stages(&again);
    let copy = tempfile::tempdir().unwrap();
    again.save_pretrained(copy.path(), DType::F32).unwrap();
    for folder in [&folder, &copy] {
        assert_eq!(fs::read_to_string(folder.path().join("added_tokens.json")).unwrap(), added);
    }
}

/// A vocabulary with the pieces for single bytes that LLaMA's has.
fn with_bytes(file: &str) -> String {
    let text = fs::read_to_string(fixtures().join(file)).unwrap();
    let mut tokenizer: serde_json::Value = serde_json::from_str(&text).unwrap();
    let model = &mut tokenizer["model"];
    model["byte_fallback"] = true.into();
    for byte in 0..=255u32 {
        model["vocab"][format!("<0x{byte:02X}>")] = (1000 + byte).into();
    }
    tokenizer.to_string()
}

fn tiny_report() -> LoadReport {
    let mut network = tiny().config().init(&Device::default());
    let weights = Checkpoint::open(fixtures().join("tiny")).unwrap();
    weights.load(&mut network, &keys::HUGGING_FACE, Strictness::Strict).unwrap()
}

#[test]
fn a_file_in_the_wrong_place_is_recognised() {
    let file = |name: &str| fixtures().join("containers").join(name);
    let mut network = tiny().config().init(&Device::default());
    let mut load = |llm: &str, vision: &str, pretrained: &str| {
        let files = ModelFiles::new(file(llm), file(vision), file(pretrained));
        files.load(&mut network).unwrap_err().to_string()
    };
    let cases = [
        (load("vicuna", "eva_vit.pth", "minigpt4.pth"), "minigpt4.pth is a MiniGPT-4 checkpoint"),
        (load("eva_vit.pth", "eva_vit.pth", "pretrained.pth"), "expected a LLaMA"),
        (
            load("vicuna", "pretrained.pth", "pretrained.pth"),
            "is a file of LAVIS or VIGC; expected an EVA",
        ),
        (load("vicuna", "eva_vit.pth", "../tiny"), "is a whole InstructBLIP"),
        (load("vicuna", "eva_vit.pth", "vicuna"), "is a LLaMA"),
        // Only what was finetuned: the norm behind the encoder is in no file.
        (load("vicuna", "eva_vit.pth", "finetuned.pth"), "lacks 2 of the model's tensors"),
    ];
    for (error, expected) in cases {
        assert!(error.contains(expected), "{error}");
    }
}

fn assert_equal_stages(model: &InstructBlip) {
    let golden = Golden::open();
    let network = model.network();
    for (i, row) in rows().iter().enumerate() {
        let pixel_values = model.image_preprocessor().batch(&[golden.image(i)], model.device());
        assert_close(pixel_values.clone(), golden.tensor("pixel_values", i));
        let image_embeds = network.image_encoder.forward(pixel_values);
        assert_close(image_embeds.clone(), golden.tensor("image_embeds", i));
        let images = network.connector.connect(image_embeds);

        let tokens = model.prompt_tokens(&row.prompt).unwrap();
        assert_eq!(tokens.connector, row.qformer_input_ids);
        assert_eq!((tokens.before.len(), &tokens.after), (0, &row.input_ids));
        let text = TokenBatch::pad_right(&[tokens.connector], 0);
        let query_output = network.connector.query_output(&images, &text);
        assert_close(query_output, golden.tensor("query_output", i));
        let language_inputs = network.connector.visual_tokens(&images, &text).tokens;
        assert_close(language_inputs, golden.tensor("language_inputs", i));

        let inputs = model.prompt_inputs(&[Request::new(&images, &row.prompt)]).unwrap();
        let lm = &network.language_model;
        let logits = lm.logits(lm.forward(inputs.embeds, inputs.mask, None));
        assert_close(logits, golden.tensor("logits", i));
    }
}

#[test]
fn greedy_texts_equal_transformers_alone_and_in_a_batch() {
    let (model, golden, rows) = (tiny(), Golden::open(), rows());
    let images: Vec<_> = (0..rows.len()).map(|i| golden.image(i)).collect();
    let images = model.encode(&images).unwrap();
    let asked = rows.iter().zip(&images);
    let requests: Vec<_> = asked.map(|(row, image)| Request::new(image, &row.prompt)).collect();
    let settings = GenerationConfig::greedy().with_max_new_tokens(12);
    let together = model.generate(&requests, &settings).unwrap();
    for ((row, request), batched) in rows.iter().zip(&requests).zip(&together) {
        let alone = &model.generate(&[*request], &settings).unwrap()[0][0];
        let expected: Vec<_> = row.greedy.iter().copied().take_while(|&id| id != 2).collect();
        assert_eq!(alone.ids, expected);
        assert_eq!((&alone.text, &batched[0].text), (&row.text, &row.text));
    }
}

#[test]
fn candidates_are_ranked_by_their_probability() {
    let (model, golden) = (tiny(), Golden::open());
    let image = encode(&model, golden.image(0));
    let question = Request::new(&image, "What is this?");
    let together = model.score(&question, &["a box", "the red ball", "why"]).unwrap();
    for (candidate, expected) in ["a box", "the red ball", "why"].iter().zip(&together) {
        let alone = model.score(&question, &[candidate]).unwrap()[0];
        assert!((alone - expected).abs() < 1e-3, "{candidate}: {alone} and {expected}");
        let target = model.text_tokenizer().encode_target(candidate).unwrap();
        assert!(alone < 0.0 && target.len() > 1);
    }
    // What greedy decoding writes first is the likeliest first token.
    let greedy = GenerationConfig::greedy().with_max_new_tokens(3);
    let best = model.generate(&[question], &greedy).unwrap();
    let sum: f32 = best[0][0].tokens.iter().map(|token| token.log_prob).sum();
    assert!(sum < 0.0);
}

#[test]
fn a_saved_model_computes_the_same() {
    let (model, golden) = (tiny(), Golden::open());
    let folder = tempfile::tempdir().unwrap();
    model.save_pretrained(folder.path(), DType::F32).unwrap();
    let again = InstructBlip::from_dir(folder.path(), model.device()).unwrap();
    let names = |folder: &Path| -> Vec<String> {
        Checkpoint::open(folder).unwrap().keys().map(str::to_owned).collect()
    };
    assert_eq!(names(folder.path()), names(&fixtures().join("tiny")));
    let settings = GenerationConfig::greedy().with_max_new_tokens(12);
    let ask = |model: &InstructBlip| {
        let image = encode(model, golden.image(1));
        model.generate(&[Request::new(&image, "Describe the red ball.")], &settings).unwrap()
    };
    assert_eq!(ask(&model), ask(&again));
}

#[test]
fn a_text_is_cut_to_the_positions_that_the_qformer_has() {
    let (model, golden) = (tiny(), Golden::open());
    let positions = model.config().qformer_config.max_position_embeddings;
    let long = "the red ball is on the blue box ".repeat(positions);
    assert_eq!(model.prompt_tokens(&long).unwrap().connector.len(), positions);
    let image = encode(&model, golden.image(0));
    let settings = GenerationConfig::greedy().with_max_new_tokens(2);
    assert!(model.generate(&[Request::new(&image, &long)], &settings).is_ok());
}

/// An error with all its causes, as a program shows it.
fn shown(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[test]
fn a_damaged_folder_is_named() {
    let device = Device::default();
    let copy = |without: &str| {
        let folder = tempfile::tempdir().unwrap();
        tiny().save_pretrained(folder.path(), DType::F16).unwrap();
        fs::remove_file(folder.path().join(without)).unwrap();
        folder
    };
    for file in ["config.json", "model.safetensors", "tokenizer.json", "processor_config.json"] {
        let folder = copy(file);
        let text = shown(&InstructBlip::from_dir(folder.path(), &device).unwrap_err());
        let expected =
            if file == "processor_config.json" { "preprocessor_config.json" } else { file };
        assert!(text.contains(expected), "{file}: {text}");
    }
}

#[test]
fn a_configuration_of_another_model_is_refused_before_there_is_one() {
    let cases = [
        ("vision_config", "num_hidden_layers", 1_u64 << 20, "there are weights for at most"),
        ("qformer_config", "num_hidden_layers", 1 << 20, "there are weights for at most"),
        ("text_config", "num_hidden_layers", 1 << 20, "there are weights for at most"),
        ("text_config", "num_hidden_layers", 1 << 40, "expected at most 1048576"),
        ("text_config", "head_dim", 1 << 62, "expected at most 1048576"),
        ("vision_config", "image_size", 1 << 62, "must be at most 1048576"),
        ("vision_config", "image_size", 42, "image processor makes 28 x 28"),
    ];
    let folder = tempfile::tempdir().unwrap();
    tiny().save_pretrained(folder.path(), DType::F16).unwrap();
    let path = folder.path().join("config.json");
    let whole: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for (part, key, size, expected) in cases {
        let mut config = whole.clone();
        config[part][key] = serde_json::json!(size);
        fs::write(&path, config.to_string()).unwrap();
        let error = InstructBlip::from_dir(folder.path(), &Device::default()).unwrap_err();
        let text = shown(&error);
        assert!(text.contains(expected) && text.contains(key), "{part}.{key}: {text}");
    }
}
