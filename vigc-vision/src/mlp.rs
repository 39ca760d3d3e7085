//! The feed-forward network that the image encoders share.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use vigc_core::nn::{Linear, LinearConfig};

use crate::config::HiddenAct;

/// Feed-forward network of an encoder layer.
#[derive(Module, Debug)]
pub struct Mlp {
    fc1: Linear,
    fc2: Linear,
    #[module(skip)]
    hidden_act: HiddenAct,
}

impl Mlp {
    /// A network whose first half is `fc1`; the second leads back.
    pub(crate) fn new(fc1: &LinearConfig, hidden_act: HiddenAct, device: &Device) -> Self {
        let fc2 = LinearConfig { d_input: fc1.d_output, d_output: fc1.d_input, ..fc1.clone() };
        Self { fc1: fc1.init(device), fc2: fc2.init(device), hidden_act }
    }

    /// Applies the network to each row.
    ///
    /// # Shapes
    ///
    /// - input, output: `[batch, seq, hidden]`
    #[must_use]
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.fc2.forward(self.hidden_act.forward(self.fc1.forward(x)))
    }
}
