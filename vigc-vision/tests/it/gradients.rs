//! Every parameter that can matter gets a finite gradient.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Distribution, Gradients, Tensor};
use vigc_core::TokenBatch;
use vigc_vision::clip_vit::ClipVitConfig;
use vigc_vision::eva_vit::EvaVitConfig;
use vigc_vision::qformer::QFormerConfig;

/// Lists parameters by path: those without a gradient, and those whose gradient is not finite or zero.
struct Check<'a> {
    gradients: &'a Gradients,
    path: Vec<String>,
    missing: Vec<String>,
    bad: Vec<String>,
    seen: usize,
}

impl ModuleVisitor for Check<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.seen += 1;
        let path = self.path.join(".");
        let Some(gradient) = param.val().grad(self.gradients) else {
            return self.missing.push(path);
        };
        let size: f32 = gradient.abs().max().into_scalar();
        if !(size.is_finite() && size > 0.0) {
            self.bad.push(format!("{path}: {size}"));
        }
    }
}

fn check(module: &impl Module, output: Tensor<3>) -> (usize, Vec<String>, Vec<String>) {
    let weights = Tensor::random(output.dims(), Distribution::Default, &output.device());
    let gradients = (output * weights).sum().backward();
    let mut check =
        Check { gradients: &gradients, path: vec![], missing: vec![], bad: vec![], seen: 0 };
    module.visit(&mut check);
    (check.seen, check.missing, check.bad)
}

#[test]
fn eva_vit_gradients_are_finite() {
    let device = Device::default().autodiff();
    let vit = EvaVitConfig::new(16)
        .with_num_hidden_layers(2)
        .with_num_attention_heads(2)
        .with_image_size(28)
        .init(&device);
    let images = Tensor::random([2, 3, 28, 28], Distribution::Default, &device);
    let (seen, missing, bad) = check(&vit, vit.forward(images));
    assert_eq!(seen, 4 + 2 * 12);
    assert!(missing.is_empty() && bad.is_empty(), "{missing:?} {bad:?}");
}

#[test]
fn clip_vit_gradients_are_finite() {
    let device = Device::default().autodiff();
    let vit = ClipVitConfig::new(16)
        .with_num_hidden_layers(2)
        .with_num_attention_heads(2)
        .with_image_size(28)
        .init(&device);
    let images = Tensor::random([2, 3, 28, 28], Distribution::Default, &device);
    let (seen, missing, bad) = check(&vit, vit.forward(images));
    assert_eq!(seen, 3 + 4 + 2 * 16);
    assert!(missing.iter().all(|path| path.starts_with("post_layernorm.")), "{missing:?}");
    // Adding the same vector to all keys does not change the attention.
    assert!(bad.iter().all(|path| path.contains("k_proj.bias")), "{bad:?}");
}

#[test]
fn qformer_gradients_are_finite() {
    let device = Device::default().autodiff();
    let config = QFormerConfig::new(16)
        .with_num_hidden_layers(3)
        .with_num_attention_heads(2)
        .with_vocab_size(30)
        .with_encoder_hidden_size(8);
    let qformer = config.init(&device);
    let images = Tensor::random([2, 5, 8], Distribution::Default, &device);
    let queries = Tensor::random([1, 4, 16], Distribution::Default, &device);
    let text = TokenBatch::pad_right(&[vec![3, 9, 11, 2], vec![4, 2]], 0);
    let images = qformer.image_key_values(images);
    let (seen, missing, bad) = check(&qformer, qformer.forward(queries, Some(&text), &images));
    assert_eq!(seen, 4 + 3 * 22 + 2 * 10);
    let last_text = |path: &String| {
        path.starts_with("encoder.layer.2.intermediate.")
            || path.starts_with("encoder.layer.2.output.")
    };
    assert_eq!(missing.len(), 6, "{missing:?}");
    assert!(missing.iter().all(last_text) && bad.is_empty(), "{missing:?} {bad:?}");
}
