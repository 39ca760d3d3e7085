//! Checkpoints written by this crate and broken by hand.

use std::fs;
use std::path::Path;

use burn::module::Module;
use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::{DType, Device, Tensor, Tolerance};
use vigc_core::Error;
use vigc_core::weights::{Checkpoint, KeyMap, Strictness, save};

#[derive(Module, Debug)]
struct Block {
    proj: Linear,
    layer_norm: LayerNorm,
}

impl Block {
    fn new(width: usize, device: &Device) -> Self {
        Self {
            proj: LinearConfig::new(width, 3).init(device),
            layer_norm: LayerNormConfig::new(3).init(device),
        }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.layer_norm.forward(self.proj.forward(x))
    }
}

const TO_BERT: KeyMap = KeyMap::new(&[(r"\blayer_norm\b", "LayerNorm"), ("^", "bert.")]);
const FROM_BERT: KeyMap = KeyMap::new(&[(r"\bLayerNorm\b", "layer_norm")]);

fn write(block: &Block, folder: &Path, name: &str, dtype: DType) {
    save(block, &TO_BERT, dtype, folder.join(name)).unwrap();
}

#[test]
fn a_saved_file_can_be_read_by_whoever_can_read_others() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("other"), "").unwrap();
    write(&Block::new(4, &Device::default()), folder.path(), "model.safetensors", DType::F32);
    let permissions = |name: &str| folder.path().join(name).metadata().unwrap().permissions();
    assert_eq!(permissions("model.safetensors"), permissions("other"));
}

#[test]
fn what_is_saved_loads_in_every_precision() {
    let device = Device::default();
    let folder = tempfile::tempdir().unwrap();
    let original = Block::new(4, &device);
    for (dtype, tolerance) in [(DType::F32, 0.0), (DType::F16, 5e-3), (DType::BF16, 2e-2)] {
        write(&original, folder.path(), "model.safetensors", dtype);
        let checkpoint = Checkpoint::open(folder.path()).unwrap();
        assert_eq!(checkpoint.keys().next(), Some("bert.LayerNorm.bias"));
        let mut copy = Block::new(4, &device);
        let report =
            checkpoint.scope("bert").load(&mut copy, &FROM_BERT, Strictness::Strict).unwrap();
        assert_eq!((report.applied.len(), report.unused.len()), (4, 0));
        let x = Tensor::ones([2, 4], &device);
        let expected = original.forward(x.clone()).into_data();
        let tolerance = Tolerance::<f32>::absolute(tolerance);
        copy.forward(x).into_data().assert_approx_eq(&expected, tolerance);
        let weight = checkpoint.tensor::<2>("bert.proj.weight", &device).unwrap();
        assert_eq!(weight.dims(), [3, 4], "stored as PyTorch stores it");
    }
}

#[test]
fn shards_are_one_checkpoint() {
    let device = Device::default();
    let folder = tempfile::tempdir().unwrap();
    write(&Block::new(4, &device), folder.path(), "a.safetensors", DType::F32);
    let index = r#"{"weight_map": {"bert.proj.weight": "a.safetensors"}}"#;
    fs::write(folder.path().join("model.safetensors.index.json"), index).unwrap();
    assert_eq!(Checkpoint::open(folder.path()).unwrap().keys().count(), 4);
}

#[test]
fn bad_checkpoints_are_named() {
    let device = Device::default();
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("wide.safetensors");
    write(&Block::new(5, &device), root.path(), "wide.safetensors", DType::F32);
    let mut block = Block::new(4, &device);
    let load = |block: &mut Block, prefix: &str| {
        Checkpoint::open(&path)?.scope(prefix).load(block, &FROM_BERT, Strictness::Strict)
    };
    let shape = load(&mut block, "bert").unwrap_err().to_string();
    assert!(shape.contains("wide.safetensors") && shape.contains("proj.weight"), "{shape}");
    let missing = load(&mut block, "gpt").unwrap_err();
    assert!(matches!(&missing, Error::MissingTensors { missing, .. } if missing.len() == 4));

    let cases: [(&str, &[u8], &str); 4] = [
        ("torn.safetensors", &fs::read(&path).unwrap()[..90], "torn.safetensors"),
        ("empty.safetensors", b"", "empty.safetensors"),
        ("text.pth", b"not a pickle", "text.pth"),
        ("model.safetensors.index.json", br#"{"weight_map": {"a": "../b"}}"#, "../b"),
    ];
    for (name, bytes, expected) in cases {
        fs::write(root.path().join(name), bytes).unwrap();
        let opened = match name {
            "model.safetensors.index.json" => Checkpoint::open(root.path()),
            _ => Checkpoint::open(root.path().join(name)),
        };
        let error = opened.unwrap_err().to_string();
        assert!(error.contains(expected), "{name}: {error}");
    }
    let error = Checkpoint::open(root.path().join("absent.safetensors")).unwrap_err();
    assert!(matches!(error, Error::Read { .. }), "{error}");
}
