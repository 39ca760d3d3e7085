//! A linear layer with random weights.

use burn::tensor::{Device, Distribution, Tensor};
use vigc_pipeline::core::nn::{Linear, LinearConfig, Precision};
use vigc_pipeline::core::weights::{Checkpoint, KeyMap, Strictness};

/// Of outputs times inputs, loaded as from a file, so that its weights lie as a model's do.
pub(super) fn layer(precision: Precision, [outputs, inputs]: [usize; 2]) -> Linear {
    let weight =
        Tensor::<2>::random([outputs, inputs], Distribution::Normal(0.0, 0.02), &Device::default());
    let config = LinearConfig::new(inputs, outputs).with_bias(false).with_precision(precision);
    let mut linear = config.init(&Device::default());
    Checkpoint::from_tensors("random weights", vec![("weight".to_owned(), weight.into_data())])
        .load(&mut linear, &KeyMap::IDENTITY, Strictness::Strict)
        .expect("the weight has the layer's size");
    linear
}
