//! Making and finetuning a LLaVA.

use std::path::Path;

use burn::tensor::{DType, Device, TensorData, Tolerance};
use vigc_core::nn::Precision;
use vigc_core::weights::Checkpoint;

use super::{align, finish, recipe};
use crate::tests::turn;
use crate::{Silent, metrics, run_recipe};
use vigc_pipeline::instruct_blip::InstructBlip;
use vigc_pipeline::llava::{Llava, LlavaFiles};
use vigc_pipeline::model::{LoadOptions, Precisions};

const CLIP: &str = r#"
    [inputs]
    model = "FOLDER/align/model"
    [model.clip]
    hidden_size = 16
    intermediate_size = 32
    num_hidden_layers = 1
    num_attention_heads = 2
    image_size = 112
    patch_size = 14
    hidden_act = "gelu"
"#;

/// A recipe that finetunes. Its output folder is named after the trained parts.
fn finetune(folder: &Path, tune: &str, rest: &str) -> crate::Recipe {
    let rest =
        format!("[inputs]\nmodel = \"FOLDER/clip/model\"\n[model]\ntune = \"{tune}\"\n{rest}");
    let mut recipe = recipe("llava", folder, 12, &rest);
    recipe.output = folder.join(tune);
    recipe
}

fn weight(model: &Path, name: &str) -> TensorData {
    let file = Checkpoint::open(model.join("model.safetensors")).expect("weights");
    file.tensor::<2>(name, &Device::default()).expect(name).into_data()
}

const PROJECTOR: &str = "multi_modal_projector.linear_1.weight";
const QUERY: &str = "language_model.model.layers.0.self_attn.q_proj.weight";
const HEAD: &str = "language_model.lm_head.weight";

#[test]
fn projector_updates_or_everything_is_trained() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    align(folder, 1);
    finish(&recipe("clip", folder, 12, CLIP));
    let losses = |stage: &str| {
        let rows = metrics::rows(&folder.join(stage).join("metrics.jsonl")).unwrap();
        let mean = |rows: &[crate::UpdateReport]| {
            rows.iter().map(|row| row.loss).sum::<f64>() / rows.len() as f64
        };
        (mean(&rows[..4]), mean(&rows[8..]))
    };
    let (first, last) = losses("clip");
    assert!(last < first, "{first} {last}");
    let changed = |tune: &str, name: &str| {
        weight(&folder.join("clip/model"), name) != weight(&folder.join(tune).join("model"), name)
    };

    finish(&finetune(folder, "projector", ""));
    assert!(changed("projector", PROJECTOR) && !changed("projector", QUERY));
    finish(&finetune(folder, "full", ""));
    assert!([PROJECTOR, QUERY, HEAD].iter().all(|name| changed("full", name)));
    let (first, last) = losses("full");
    assert!(last < first, "{first} {last}");

    let lora = "[model.lora]\nr = 2\nalpha = 4\ntarget_modules = [\"q_proj\", \"up_proj\"]\n";
    finish(&finetune(folder, "lora", lora));
    assert!(changed("lora", PROJECTOR) && changed("lora", QUERY) && !changed("lora", HEAD));

    // The original model with the adapter equals the model with merged updates.
    let device = Device::default();
    let files =
        LlavaFiles::new(folder.join("clip/model")).with_adapter(folder.join("lora/adapter"));
    let (adapted, _) = Llava::from_files(&files, &device, &LoadOptions::default()).unwrap();
    adapted.save_pretrained(folder.join("adapted"), DType::F32).unwrap();
    for name in [QUERY, "language_model.model.layers.0.mlp.up_proj.weight", HEAD] {
        let trained = weight(&folder.join("lora/model"), name);
        weight(&folder.join("adapted"), name)
            .assert_approx_eq::<f32>(&trained, Tolerance::absolute(1e-6));
    }

    // With frozen weights in half the memory, the loss differs only by rounding.
    let mut halved = finetune(folder, "lora", &format!("frozen = \"bf16\"\n{lora}"));
    halved.output = folder.join("halved");
    finish(&halved);
    let (of_f32, of_bf16) = (losses("lora"), losses("halved"));
    assert!((of_f32.0 - of_bf16.0).abs() < 0.02 * of_f32.0, "{of_f32:?} {of_bf16:?}");
    assert!(!folder.join("halved/model").exists());
    let files = LlavaFiles::new(folder.join("clip/model"))
        .with_projector(folder.join("halved/projector.safetensors"))
        .with_adapter(folder.join("halved/adapter"));
    let (whole, _) = Llava::from_files(&files, &device, &LoadOptions::default()).unwrap();
    whole.save_pretrained(folder.join("whole"), DType::F32).unwrap();
    assert_ne!(
        weight(&folder.join("whole"), PROJECTOR),
        weight(&folder.join("clip/model"), PROJECTOR)
    );

    let refused = |tune: &str, rest: &str| {
        let mut refused = finetune(folder, tune, rest);
        refused.output = folder.join("refused");
        run_recipe(&refused, &device, false, &mut Silent).unwrap_err().to_string()
    };
    let error = refused("lora", "[model.lora]\ntarget_modules = [\"none\"]\n");
    assert!(error.contains("model.lora") && error.contains("none"), "{error}");
    let error = refused("full", "frozen = \"bf16\"\n");
    assert!(error.contains("model.frozen"), "{error}");
}

#[test]
fn a_model_can_get_a_new_q_former() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    align(folder, 1);
    let tune = |name: &str, new: bool| {
        let rest =
            format!("[inputs]\nmodel = \"FOLDER/align/model\"\n[model]\nnew_qformer = {new}\n");
        let mut recipe = recipe("tune", folder, 1, &rest);
        recipe.output = folder.join(name);
        // With the seed of the other stages, the new Q-Former would be the same.
        recipe.seed = 6;
        finish(&recipe);
        let file = Checkpoint::open(folder.join(name).join("model/model.safetensors")).unwrap();
        file.tensor::<3>("query_tokens", &Device::default()).unwrap().into_data()
    };
    let start = Checkpoint::open(folder.join("align/model/model.safetensors")).unwrap();
    let start = start.tensor::<3>("query_tokens", &Device::default()).unwrap().into_data();
    let [kept, new] = [tune("kept", false), tune("new", true)];
    // One update changes a weight by about the learning rate. Initializing it again changes it by about its standard
    // deviation, 0.02.
    let distance = |other: &TensorData| {
        let pairs = start.iter::<f32>().zip(other.iter::<f32>());
        pairs.map(|(a, b)| (a - b).abs()).sum::<f32>() / start.num_elements() as f32
    };
    assert!(distance(&kept) < 0.005 && distance(&new) > 0.01);
}

#[test]
fn frozen_parts_of_an_instruct_blip_are_kept_in_half_the_memory() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    align(folder, 1);
    let tune = |name: &str, model: &str| {
        let rest = format!("[inputs]\nmodel = \"FOLDER/align/model\"\n[model]\n{model}");
        let mut recipe = recipe("tune", folder, 4, &rest);
        recipe.output = folder.join(name);
        recipe
    };
    let losses = |name: &str| -> Vec<f64> {
        let rows = metrics::rows(&folder.join(name).join("metrics.jsonl")).unwrap();
        rows.iter().map(|row| row.loss).collect()
    };
    finish(&tune("whole", ""));
    finish(&tune("halved", "frozen = \"bf16\"\n"));
    for (whole, halved) in losses("whole").into_iter().zip(losses("halved")) {
        assert!(whole != halved && (whole - halved).abs() < 0.02 * whole, "{whole} {halved}");
    }
    // The result is a whole model. Frozen weights keep their precision, and trained weights are in f32.
    let dtypes = |name: &str| {
        let file = Checkpoint::open(folder.join(name).join("model/model.safetensors")).unwrap();
        let dtype = |tensor: &str| file.dtype(tensor).expect("a tensor of the model");
        [
            dtype("vision_model.encoder.layers.0.mlp.fc1.weight"),
            dtype("language_model.model.layers.0.mlp.up_proj.weight"),
            dtype("qformer.encoder.layer.0.attention.attention.query.weight"),
            dtype("language_projection.weight"),
        ]
    };
    assert_eq!(dtypes("whole"), [DType::F32; 4]);
    assert_eq!(dtypes("halved"), [DType::BF16, DType::BF16, DType::F32, DType::F32]);
    let device = Device::default();
    let model = InstructBlip::from_dir(folder.join("halved/model"), &device).unwrap();
    assert_eq!(model.config().precisions, Precisions::default());

    let error = |recipe: &crate::Recipe| {
        run_recipe(recipe, &device, false, &mut Silent).unwrap_err().to_string()
    };
    let clip = CLIP.replace("[model.clip]", "[model]\nfrozen = \"bf16\"\n[model.clip]");
    let refused = error(&recipe("clip", folder, 1, &clip));
    assert!(refused.contains("model.frozen") && refused.contains("stage"), "{refused}");
    let refused = error(&recipe("clip", folder, 1, &CLIP.replace("size = 16", "size = 8")));
    assert!(refused.contains("model.clip") && refused.contains("hidden_size: 8"), "{refused}");
    let blocks = LoadOptions::default().with_precisions(Precision::Q8);
    let blocks = InstructBlip::from_dir_with(folder.join("align/model"), &device, &blocks).unwrap();
    blocks.save_pretrained(folder.join("blocks"), DType::F32).unwrap();
    let mut packed = tune("packed", "");
    packed.inputs.model = Some(folder.join("blocks"));
    let refused = error(&packed);
    assert!(refused.contains("inputs.model") && refused.contains("q8"), "{refused}");
}
