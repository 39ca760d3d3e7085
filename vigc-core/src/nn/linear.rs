//! A linear layer that hides what its weights are stored in.

use burn::config::Config;
use burn::module::{Module, Param, ParamId, Parameter};
use burn::nn::Initializer;
#[cfg(feature = "flex")]
use burn::tensor::TensorData;
use burn::tensor::kind::Numeric;
use burn::tensor::module::linear;
use burn::tensor::{DType, Device, Int, Shape, Tensor};

use super::blocks::{BLOCK, bytes_per_row, scales_per_row};
use super::{LowRankUpdate, Precision};
use crate::kernels;
#[cfg(feature = "flex")]
use crate::kernels::strips::{self, Format};

/// Configuration of a [`Linear`].
#[derive(Config, Debug)]
pub struct LinearConfig {
    /// Width of the input.
    pub d_input: usize,
    /// Width of the output.
    pub d_output: usize,
    /// Whether something is added to the product.
    #[config(default = true)]
    pub bias: bool,
    /// Draws the weights, and the bias.
    #[config(
        default = "Initializer::KaimingUniform { gain: 1.0 / 3f64.sqrt(), fan_out_only: false }"
    )]
    pub initializer: Initializer,
    /// What the weights are stored in.
    #[config(default = "Precision::F32")]
    pub precision: Precision,
}

/// `x W + b`.
///
/// In f32 it is burn's layer, weights as `[d_input, d_output]`, and can be trained. Other weights are
/// packed: read from a checkpoint, they are converted on the way, and they never change.
#[derive(Module, Debug)]
pub struct Linear {
    /// The weights in f32, `[d_input, d_output]`.
    pub weight: Option<Param<Tensor<2>>>,
    /// The weights in anything else.
    pub packed: Option<PackedWeight>,
    /// What is added, `[d_output]`.
    pub bias: Option<Param<Tensor<1>>>,
    /// What is added to the weights while an update of them is trained; never part of a checkpoint.
    pub update: Option<LowRankUpdate>,
}

/// Weights in half precision, or codes with their scales; see [`blocks`](super::blocks).
///
/// On the CPU they are strips of sixteen outputs, the order in which they are multiplied; elsewhere tensors that
/// burn's own operations take.
#[derive(Module, Debug)]
pub struct PackedWeight {
    /// f16 or bf16, `[d_output, d_input]`.
    half: Option<Param<Tensor<2>>>,
    /// 8-bit codes, `[d_output, d_input]`, or pairs of 4-bit codes, `[d_output, d_input / 2]`.
    codes: Option<Param<Tensor<2, Int>>>,
    /// `[d_output, d_input / 32]`, f16.
    scales: Option<Param<Tensor<2>>>,
    /// Bytes, `[d_output / 16, units, bytes of a unit]`.
    strips: Option<Param<Tensor<3, Int>>>,
    /// `d_output` and `d_input`, which strips are padded from.
    size: Option<Param<Tensor<1, Int>>>,
    #[module(skip)]
    d_output: usize,
    #[module(skip)]
    d_input: usize,
}

impl LinearConfig {
    /// Initializes a [`Linear`]; only weights in f32 are drawn, others are zero until they are loaded.
    #[must_use]
    pub fn init(&self, device: &Device) -> Linear {
        let Self { d_input, d_output, .. } = *self;
        let (fan_in, fan_out) = (Some(d_input), Some(d_output));
        let full = self.precision == Precision::F32;
        let weight =
            full.then(|| self.initializer.init_with([d_input, d_output], fan_in, fan_out, device));
        let bias =
            self.bias.then(|| self.initializer.init_with([d_output], fan_in, fan_out, device));
        let packed = (!full).then(|| PackedWeight::zeros(self, device));
        Linear { weight, packed, bias, update: None }
    }
}

impl Linear {
    /// Multiplies the last axis.
    ///
    /// # Shapes
    ///
    /// - input: `[.., d_input]`
    /// - output: `[.., d_output]`
    ///
    /// # Panics
    ///
    /// Panics if the last axis has another width.
    #[must_use]
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        let bias = self.bias.as_ref().map(Param::val);
        let mut dims = input.dims();
        let rows = dims[..D - 1].iter().product();
        let x = input.reshape([rows, dims[D - 1]]);
        let update = self.update.as_ref().map(|update| update.forward(x.clone()));
        let output = match (&self.weight, &self.packed) {
            (Some(weight), _) => kernels::product(x, weight.val(), bias),
            (None, Some(packed)) => packed.product(x, bias),
            (None, None) => unreachable!("a layer has weights of one kind"),
        };
        let output = match update {
            Some(update) => output + update,
            None => output,
        };
        dims[D - 1] = output.dims()[1];
        output.reshape(dims)
    }

    /// Widths of input and output.
    #[must_use]
    pub fn widths(&self) -> [usize; 2] {
        match (&self.weight, &self.packed) {
            (Some(weight), _) => weight.dims(),
            (None, Some(packed)) => [packed.d_input, packed.d_output],
            (None, None) => unreachable!("a layer has weights of one kind"),
        }
    }

    /// Adds the update to the weights for good. Packed weights stay as they are, and keep it.
    #[must_use]
    pub fn merged(self) -> Self {
        match (self.weight, self.update) {
            (Some(weight), Some(update)) => {
                let weight = weight.map(|weight| weight + update.weight());
                Self { weight: Some(weight), update: None, ..self }
            }
            (weight, update) => Self { weight, update, ..self },
        }
    }
}

impl PackedWeight {
    fn zeros(config: &LinearConfig, device: &Device) -> Self {
        let LinearConfig { d_input, d_output, precision, .. } = *config;
        let mut packed = Self {
            half: None,
            codes: None,
            scales: None,
            strips: None,
            size: None,
            d_output,
            d_input,
        };
        #[cfg(feature = "flex")]
        if let (true, Some(format)) = (kernels::takes_strips(device), Format::of(precision)) {
            packed.strips = Some(blank(format.shape([d_output, d_input]), DType::U8, device));
            let size = Tensor::from_data([d_output as i32, d_input as i32], (device, DType::I32));
            packed.size = Some(Param::initialized(ParamId::new(), size));
            return packed;
        }
        let codes = |dtype, width| blank([d_output, width], dtype, device);
        match precision {
            Precision::Q8 => packed.codes = Some(codes(DType::I8, d_input)),
            Precision::Q4 => packed.codes = Some(codes(DType::U8, bytes_per_row(d_input))),
            half => {
                let dtype = half.of_tables();
                let weight = blank([d_output, d_input], dtype, device);
                packed.half = Some(weight.load_mapper(move |weight: Tensor<2>| weight.cast(dtype)));
            }
        }
        let scales = [d_output, scales_per_row(d_input)];
        packed.scales = packed.codes.is_some().then(|| blank(scales, DType::F16, device));
        packed
    }

    /// `[rows, d_input]` to `[rows, d_output]`.
    fn product(&self, x: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
        #[cfg(feature = "flex")]
        if let Some(strips) = &self.strips {
            let strips = strips.val();
            let is_half = Format::of_unit(strips.dims()[2]).is_some_and(Format::is_half);
            // Rounding activations to codes has no gradient.
            if !x.device().is_autodiff() || (is_half && cfg!(feature = "train")) {
                return kernels::strips_product(x, strips, bias, self.d_output);
            }
        }
        linear(x, self.unpacked().transpose(), bias)
    }

    /// The weights in f32, `[d_output, d_input]`.
    ///
    /// # Panics
    ///
    /// Panics if strips cannot be read back, which they always can be on the CPU.
    #[must_use]
    pub fn unpacked(&self) -> Tensor<2> {
        match (&self.half, &self.codes, &self.scales) {
            (Some(half), ..) => half.val().cast(DType::F32),
            (None, Some(codes), Some(scales)) => unpack(codes.val(), scales.val(), self.d_input),
            _ => self.of_strips(),
        }
    }

    #[cfg(feature = "flex")]
    fn of_strips(&self) -> Tensor<2> {
        let strips =
            self.strips.as_ref().expect("packed weights are halves, codes or strips").val();
        let device = strips.device();
        let size = [self.d_output, self.d_input];
        let [_, _, unit] = strips.dims();
        let format = Format::of_unit(unit).expect("strips have units of a known size");
        let data = strips.into_data();
        let weights = strips::unpack_all(format, data.as_bytes(), size);
        Tensor::from_data(TensorData::new(weights, size), &device)
    }

    #[cfg(not(feature = "flex"))]
    fn of_strips(&self) -> Tensor<2> {
        unreachable!("strips are made for the CPU backend only")
    }
}

/// Weights of blocks in f32, `[d_output, d_input]`.
fn unpack(codes: Tensor<2, Int>, scales: Tensor<2>, d_input: usize) -> Tensor<2> {
    let [d_output, width] = codes.dims();
    let codes = if width == d_input {
        codes.float()
    } else {
        let codes = codes.cast(DType::I32);
        let high = codes.clone().div_scalar(16);
        let low = codes - high.clone().mul_scalar(16);
        let pairs = Tensor::stack::<3>(vec![low, high], 2);
        pairs.float().sub_scalar(8.0).reshape([d_output, 2 * width]).narrow(1, 0, d_input)
    };
    let scales = scales.cast(DType::F32).unsqueeze_dim::<3>(2);
    let [_, blocks, _] = scales.dims();
    let scales = scales.expand([d_output, blocks, BLOCK]).reshape([d_output, blocks * BLOCK]);
    codes.cast(DType::F32) * scales.narrow(1, 0, d_input)
}

/// Zeros that are made only if nothing is loaded into them.
fn blank<const D: usize, K>(shape: [usize; D], dtype: DType, device: &Device) -> Param<Tensor<D, K>>
where
    K: Numeric + 'static,
    Tensor<D, K>: Parameter,
{
    let zeros = move |device: &Device, _| Tensor::zeros(shape, (device, dtype));
    Param::uninitialized(ParamId::new(), zeros, device.clone(), false, Shape::from(shape))
}
