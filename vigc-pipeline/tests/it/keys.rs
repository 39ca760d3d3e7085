//! Every published file's names and shapes against the network's.

use std::collections::{BTreeMap, BTreeSet};

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use vigc_pipeline::instruct_blip::{FileKind, InstructBlipConfig};

pub(crate) type Shapes = BTreeMap<String, Vec<usize>>;

/// Reads a list: `blocks.{0..38}.norm1.weight [1408]` stands for 39 tensors.
pub(crate) fn read(stem: &str) -> Shapes {
    let path = format!("{}/tests/fixtures/keys/{stem}.txt", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().flat_map(expand).collect()
}

fn expand(line: &str) -> Vec<(String, Vec<usize>)> {
    let (pattern, shape) = line.split_once(' ').unwrap();
    let shape: Vec<usize> = serde_json::from_str(shape).unwrap();
    let Some((before, rest)) = pattern.split_once('{') else {
        return vec![(pattern.to_owned(), shape)];
    };
    let (range, after) = rest.split_once('}').unwrap();
    let numbers: Vec<usize> = range.split("..").map(|number| number.parse().unwrap()).collect();
    let step = numbers.get(2).copied().unwrap_or(1);
    let all = (numbers[0]..=numbers[1]).step_by(step);
    all.map(|number| (format!("{before}{number}{after}"), shape.clone())).collect()
}

/// What the network is made of, as PyTorch would name and shape it; no weight is drawn for that.
#[derive(Default)]
struct Parameters {
    path: Vec<String>,
    containers: Vec<String>,
    found: Shapes,
}

impl ModuleVisitor for Parameters {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let mut shape = param.lazy_shape().to_vec();
        let container = self.containers.iter().rfind(|name| name.starts_with("Struct:")).unwrap();
        if container == "Struct:Linear" && D == 2 {
            shape.reverse();
        }
        let name = self.path.join(".").replace(".gamma", ".weight").replace(".beta", ".bias");
        self.found.insert(name, shape);
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.push(name.to_owned());
        self.containers.push(container.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
        self.containers.pop();
    }
}

/// The names and shapes of a module's parameters.
pub(crate) fn shapes_of(module: &impl Module) -> Shapes {
    let mut parameters = Parameters::default();
    module.visit(&mut parameters);
    parameters.found
}

fn parameters(config: &InstructBlipConfig) -> Shapes {
    shapes_of(&config.init(&Device::default()))
}

/// A file's tensors under the network's names, the biases of queries and values joined.
fn renamed(stem: &str, kind: FileKind) -> Shapes {
    let rename = kind.network_names();
    let mut out = Shapes::new();
    for (name, shape) in read(stem) {
        let name = rename(&name);
        match name.strip_suffix("q_bias") {
            Some(stem) => out.insert(format!("{stem}qkv.bias"), vec![3 * shape[0]]),
            None if name.ends_with(".v_bias") => None,
            None => out.insert(name, shape),
        };
    }
    out
}

/// Takes what the network has out of a file's tensors and returns the names of the rest.
pub(crate) fn take(network: &mut Shapes, file: Shapes) -> BTreeSet<String> {
    let mut rest = BTreeSet::new();
    for (name, shape) in file {
        match network.remove(&name) {
            Some(expected) => assert_eq!(shape, expected, "{name}"),
            None => _ = rest.insert(name),
        }
    }
    rest
}

/// Fails unless each of the names is one of those that nothing reads, for a known reason.
pub(crate) fn assert_known(rest: &BTreeSet<String>, known: &[&str]) {
    for name in rest {
        assert!(known.iter().any(|part| name.contains(part)), "{name} is read by nothing");
    }
}

/// What trainers store besides parameters.
const BUFFERS: [&str; 2] = ["position_ids", "rotary_emb.inv_freq"];
/// The encoder is used without its last block and its head.
const EVA_ONLY: [&str; 3] =
    ["encoder.layers.39.", "visual_encoder.fc_norm.", "visual_encoder.head."];

#[test]
fn hugging_face_folders_are_the_network() {
    for (size, config) in
        [("7b", InstructBlipConfig::vicuna_7b()), ("13b", InstructBlipConfig::vicuna_13b())]
    {
        let mut network = parameters(&config);
        let file = renamed(&format!("instructblip-vicuna-{size}"), FileKind::HuggingFace);
        assert_eq!(take(&mut network, file), BTreeSet::new(), "{size}");
        assert_eq!(network, Shapes::new(), "{size}");
    }
}

#[test]
fn the_published_parts_make_up_the_network() {
    for (size, config) in
        [("7b", InstructBlipConfig::vicuna_7b()), ("13b", InstructBlipConfig::vicuna_13b())]
    {
        let mut network = parameters(&config);
        let vision = renamed("eva_vit_g", FileKind::EvaVit);
        assert_known(&take(&mut network, vision), &EVA_ONLY);
        let trimmed = renamed(&format!("instruct_blip_vicuna{size}_trimmed"), FileKind::Lavis);
        assert_known(&take(&mut network, trimmed), &BUFFERS);
        // Vicuna has no row for the padding token; the vocabulary is what its tensor says.
        let language = renamed(&format!("vicuna-{size}-v1.1"), FileKind::Llama);
        for tensor in ["language_model.model.embed_tokens.weight", "language_model.lm_head.weight"]
        {
            assert_eq!((network[tensor][0], language[tensor][0]), (32_001, 32_000));
            network.insert(tensor.to_owned(), language[tensor].clone());
        }
        assert_known(&take(&mut network, language), &BUFFERS);
        assert_eq!(network, Shapes::new(), "{size}");
    }
}

#[test]
fn finetunings_hold_a_part_of_the_network() {
    let config = InstructBlipConfig::vicuna_7b();
    for stem in ["vigc7b_instrucblip_okvqa", "vigc7b_minigpt4_llava"] {
        let mut network = parameters(&config);
        let file = renamed(stem, FileKind::Lavis);
        let with_norm = file.contains_key("image_encoder.ln_vision.weight");
        assert_eq!(with_norm, stem == "vigc7b_instrucblip_okvqa");
        assert_known(&take(&mut network, file), &BUFFERS);
        assert_eq!(network.contains_key("image_encoder.ln_vision.weight"), !with_norm);
        assert!(!network.keys().any(|name| name.starts_with("connector.qformer.")), "{stem}");
    }
    let mut network = parameters(&config);
    let blip2 = renamed("blip2_pretrained_flant5xxl", FileKind::Lavis);
    assert_known(&take(&mut network, blip2), &["t5_proj."]);
    // BLIP-2's Q-Former reads no text, so its text branch has to come from elsewhere.
    assert!(network.contains_key("connector.qformer.encoder.layer.0.intermediate.dense.weight"));
}

#[test]
fn the_parts_have_the_published_sizes() {
    let count = |shapes: &Shapes, prefix: &str| -> usize {
        let of = shapes.iter().filter(|(name, _)| name.starts_with(prefix));
        of.map(|(_, shape)| shape.iter().product::<usize>()).sum()
    };
    let network = parameters(&InstructBlipConfig::vicuna_7b());
    // The network adds what the original adds without a parameter: zeros to the keys.
    assert_eq!(count(&network, "image_encoder.vision_model.") - 39 * 1408, 985_894_528);
    assert_eq!(count(&network, "language_model."), 6_738_423_808);
    let larger = parameters(&InstructBlipConfig::vicuna_13b());
    assert_eq!(count(&larger, "language_model."), 13_015_874_560);
    // The file of vigc7b_minigpt4_llava.pth has 2 266 524 300 bytes: each of these in f32 with two moments of Adam.
    let trained = read("vigc7b_minigpt4_llava");
    let buffers = trained.iter().filter(|(name, _)| BUFFERS.iter().any(|part| name.contains(part)));
    let buffers: usize = buffers.map(|(_, shape)| shape.iter().product::<usize>()).sum();
    assert_eq!(count(&trained, "") - buffers, 188_834_560);
}
