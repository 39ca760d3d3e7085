//! From the image encoder's width to the language model's.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use vigc_core::kernels::gelu;
use vigc_core::nn::{Linear, LinearConfig, Precision};

/// What makes tokens of patches, named as `mm_projector_type` of the original program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProjectorKind {
    /// One linear layer, as the first LLaVA has it.
    #[default]
    #[serde(rename = "linear")]
    Linear,
    /// Two linear layers with a GELU between them, as LLaVA 1.5 has them.
    #[serde(rename = "mlp2x_gelu")]
    Mlp2xGelu,
}

/// The projector. Its layers have Hugging Face's names; the first is all there is of a linear one.
#[derive(Module, Debug)]
pub struct Projector {
    linear_1: Linear,
    linear_2: Option<Linear>,
}

impl Projector {
    pub(super) fn new(
        kind: ProjectorKind,
        [vision, text]: [usize; 2],
        precision: Precision,
        device: &Device,
    ) -> Self {
        let linear = |input| LinearConfig::new(input, text).with_precision(precision).init(device);
        Self {
            linear_1: linear(vision),
            linear_2: (kind == ProjectorKind::Mlp2xGelu).then(|| linear(text)),
        }
    }

    /// Projects each row.
    ///
    /// # Shapes
    ///
    /// - features: `[batch, tokens, vision_hidden]`
    /// - output: `[batch, tokens, text_hidden]`
    #[must_use]
    pub fn forward(&self, features: Tensor<3>) -> Tensor<3> {
        let x = self.linear_1.forward(features);
        match &self.linear_2 {
            Some(second) => second.forward(gelu(x)),
            None => x,
        }
    }
}
