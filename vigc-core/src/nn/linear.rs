//! A linear layer whose weights may be stored in any [`Precision`].

use std::fmt;

use burn::config::Config;
use burn::module::{
    Content, Devices, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper, ModuleVisitor,
    Param, ParamId, Parameter,
};
use burn::nn::Initializer;
#[cfg(feature = "flex")]
use burn::tensor::TensorData;
use burn::tensor::kind::Numeric;
use burn::tensor::module::linear;
use burn::tensor::{DType, Device, Int, Shape, Tensor};

use crate::kernels;
#[cfg(feature = "flex")]
use crate::kernels::panels::{self, Format};
use crate::quantization::{BLOCK, Precision, q4_bytes_per_row, scales_per_row};

/// Configuration of a [`Linear`].
#[derive(Config, Debug)]
pub struct LinearConfig {
    /// Width of the input.
    pub d_input: usize,
    /// Width of the output.
    pub d_output: usize,
    /// Whether the layer has a bias.
    #[config(default = true)]
    pub bias: bool,
    /// Draws the weights, and the bias unless it has an initializer of its own.
    #[config(
        default = "Initializer::KaimingUniform { gain: 1.0 / 3f64.sqrt(), fan_out_only: false }"
    )]
    pub initializer: Initializer,
    /// Draws the bias.
    #[config(default = "None")]
    pub bias_initializer: Option<Initializer>,
    /// What the weights are stored in.
    #[config(default = "Precision::F32")]
    pub precision: Precision,
}

impl LinearConfig {
    /// Initializes a [`Linear`]. Only weights in f32 are drawn; others are zero until they are loaded.
    #[must_use]
    pub fn init(&self, device: &Device) -> Linear {
        let Self { d_input, d_output, precision, .. } = *self;
        let (fan_in, fan_out) = (Some(d_input), Some(d_output));
        let weight = match precision {
            Precision::F32 => {
                let shape = [d_input, d_output];
                Weight::Full(self.initializer.init_with(shape, fan_in, fan_out, device))
            }
            packed => Weight::zeros(packed, [d_output, d_input], device),
        };
        let initializer = self.bias_initializer.as_ref().unwrap_or(&self.initializer);
        let bias = self.bias.then(|| initializer.init_with([d_output], fan_in, fan_out, device));
        Linear { weight, bias, update: None, d_input, d_output }
    }
}

/// `x W + b`.
///
/// In f32 this is burn's layer, and it can be trained. In every other [`Precision`] the weights are packed: they are
/// converted while they are read from a checkpoint, and they never change. On the CPU they are packed in the order in
/// which the kernels read them; other devices multiply them with burn's own operations.
///
/// A [`LowRankUpdate`] may be added to the weights, whatever they are stored in.
#[derive(Debug, Clone)]
pub struct Linear {
    weight: Weight,
    bias: Option<Param<Tensor<1>>>,
    update: Option<LowRankUpdate>,
    d_input: usize,
    d_output: usize,
}

/// The stored weights of a layer.
#[derive(Module, Debug)]
enum Weight {
    /// f32, `[d_input, d_output]`.
    Full(Param<Tensor<2>>),
    Half(HalfWeight),
    Blocks(BlockWeight),
    #[cfg(feature = "flex")]
    Panels(PanelWeight),
}

/// f16 or bf16 on devices without kernels of our own.
#[derive(Module, Debug)]
struct HalfWeight {
    /// `[d_output, d_input]`.
    half: Param<Tensor<2>>,
}

/// 8 or 4 bits on devices without kernels of our own; see [`quantization`](crate::quantization).
#[derive(Module, Debug)]
struct BlockWeight {
    /// 8-bit codes, `[d_output, d_input]`, or pairs of 4-bit codes, `[d_output, d_input / 2]`.
    codes: Param<Tensor<2, Int>>,
    /// f16, `[d_output, d_input / 32]`.
    scales: Param<Tensor<2>>,
}

/// Any precision but f32 on the CPU; see `kernels::panels`.
#[cfg(feature = "flex")]
#[derive(Module, Debug)]
struct PanelWeight {
    /// The panels, `[d_output / 16, units, bytes of a unit]`, bytes. Parameters keep this name in stored records.
    strips: Param<Tensor<3, Int>>,
    /// `d_output` and `d_input`, which panels are padded from.
    size: Param<Tensor<1, Int>>,
}

/// The types that hold packed weights, as visitors of modules see them. Their tensors are neither cast nor transposed.
pub(crate) const PACKED_TYPES: [&str; 3] =
    ["Struct:HalfWeight", "Struct:BlockWeight", "Struct:PanelWeight"];

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
        let mut dims = input.dims();
        let rows = dims[..D - 1].iter().product();
        let x = input.reshape([rows, dims[D - 1]]);
        let update = self.update.as_ref().map(|update| update.forward(x.clone()));
        let output = self.product(x);
        let output = match update {
            Some(update) => output + update,
            None => output,
        };
        dims[D - 1] = output.dims()[1];
        output.reshape(dims)
    }

    /// `[rows, d_input]` to `[rows, d_output]`, without the update.
    fn product(&self, x: Tensor<2>) -> Tensor<2> {
        let bias = self.bias();
        match &self.weight {
            Weight::Full(weight) => kernels::product(x, weight.val(), bias),
            #[cfg(feature = "flex")]
            Weight::Panels(panels) if panels.can_multiply(&x) => {
                kernels::panels_product(x, panels.strips.val(), bias, self.d_output)
            }
            _ => linear(x, self.weight(), bias),
        }
    }

    /// Widths of input and output.
    #[must_use]
    pub fn widths(&self) -> [usize; 2] {
        [self.d_input, self.d_output]
    }

    /// The weights in f32, `[d_input, d_output]`, without the update. Packed weights are dequantized on every call.
    #[must_use]
    pub fn weight(&self) -> Tensor<2> {
        match &self.weight {
            Weight::Full(weight) => weight.val(),
            Weight::Half(weight) => weight.half.val().cast(DType::F32).transpose(),
            Weight::Blocks(weight) => weight.dequantized(self.d_input).transpose(),
            #[cfg(feature = "flex")]
            Weight::Panels(weight) => weight.dequantized([self.d_output, self.d_input]).transpose(),
        }
    }

    /// The bias, `[d_output]`.
    #[must_use]
    pub fn bias(&self) -> Option<Tensor<1>> {
        self.bias.as_ref().map(Param::val)
    }

    /// Adds an update to the weights in every product, in place of an earlier one. The update is not saved with the
    /// layer.
    ///
    /// # Panics
    ///
    /// Panics if the update was made for other widths.
    pub fn set_update(&mut self, update: LowRankUpdate) {
        assert_eq!(update.widths(), self.widths(), "an update of a layer with other widths");
        self.update = Some(update);
    }

    /// Adds the update to the weights themselves. Packed weights do not change: they keep the update beside them.
    #[must_use]
    pub fn merged(self) -> Self {
        match (self.weight, self.update) {
            (Weight::Full(weight), Some(update)) => {
                let weight = weight.map(|weight| weight + update.weight());
                Self { weight: Weight::Full(weight), update: None, ..self }
            }
            (weight, update) => Self { weight, update, ..self },
        }
    }
}

/// The name that visitors of modules get for the type of this layer. burn-store transposes weights by it.
const LINEAR: &str = "Struct:Linear";

/// Written by hand because a derived enum puts the variant's name into the paths of its parameters. Checkpoints name
/// them `weight`, `packed.half`, `packed.codes` and `packed.scales`.
impl Module for Linear {
    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        fn visit<V: ModuleVisitor>(visitor: &mut V, name: &str, module: &impl Module) {
            visitor.enter_module(name, LINEAR);
            module.visit(visitor);
            visitor.exit_module(name, LINEAR);
        }
        match &self.weight {
            Weight::Full(weight) => visit(visitor, "weight", weight),
            Weight::Half(weight) => visit(visitor, "packed", weight),
            Weight::Blocks(weight) => visit(visitor, "packed", weight),
            #[cfg(feature = "flex")]
            Weight::Panels(weight) => visit(visitor, "packed", weight),
        }
        visit(visitor, "bias", &self.bias);
        visit(visitor, "update", &self.update);
    }

    fn map<M: ModuleMapper>(self, mapper: &mut M) -> Self {
        fn map<M: ModuleMapper, T: Module>(mapper: &mut M, name: &str, module: T) -> T {
            mapper.enter_module(name, LINEAR);
            let module = module.map(mapper);
            mapper.exit_module(name, LINEAR);
            module
        }
        let weight = match self.weight {
            Weight::Full(weight) => Weight::Full(map(mapper, "weight", weight)),
            Weight::Half(weight) => Weight::Half(map(mapper, "packed", weight)),
            Weight::Blocks(weight) => Weight::Blocks(map(mapper, "packed", weight)),
            #[cfg(feature = "flex")]
            Weight::Panels(weight) => Weight::Panels(map(mapper, "packed", weight)),
        };
        let bias = map(mapper, "bias", self.bias);
        let update = map(mapper, "update", self.update);
        Self { weight, bias, update, ..self }
    }

    fn collect_devices(&self, devices: Devices) -> Devices {
        let devices = self.weight.collect_devices(devices);
        let devices = self.bias.collect_devices(devices);
        self.update.collect_devices(devices)
    }

    fn to_device(self, device: &Device) -> Self {
        let (weight, bias) = (self.weight.to_device(device), self.bias.to_device(device));
        Self { weight, bias, update: self.update.to_device(device), ..self }
    }

    fn fork(self, device: &Device) -> Self {
        let (weight, bias) = (self.weight.fork(device), self.bias.fork(device));
        Self { weight, bias, update: self.update.fork(device), ..self }
    }

    fn valid(&self) -> Self {
        let (weight, bias) = (self.weight.valid(), self.bias.valid());
        Self { weight, bias, update: self.update.valid(), ..*self }
    }

    fn train(self) -> Self {
        let (weight, bias) = (self.weight.train(), self.bias.train());
        Self { weight, bias, update: self.update.train(), ..self }
    }

    fn materialize(self) -> Self {
        let (weight, bias) = (self.weight.materialize(), self.bias.materialize());
        Self { weight, bias, update: self.update.materialize(), ..self }
    }
}

impl ModuleDisplay for Linear {}

impl ModuleDisplayDefault for Linear {
    fn content(&self, content: Content) -> Option<Content> {
        let content = content.set_top_level_type("Linear");
        let content = content.add("weight", &self.weight).add("bias", &self.bias);
        content.add("update", &self.update).optional()
    }

    fn num_params(&self) -> usize {
        Module::num_params(self)
    }
}

impl fmt::Display for Linear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&ModuleDisplay::format(self, Default::default()))
    }
}

impl Weight {
    /// Packed weights of a size, `[d_output, d_input]`.
    fn zeros(precision: Precision, size: [usize; 2], device: &Device) -> Self {
        #[cfg(feature = "flex")]
        if let (true, Some(format)) = (kernels::has_product_kernels(device), Format::of(precision))
        {
            return Self::Panels(PanelWeight::zeros(format, size, device));
        }
        let [d_output, d_input] = size;
        let blocks = |dtype, width| {
            Self::Blocks(BlockWeight {
                codes: zeros([d_output, width], dtype, device),
                scales: zeros([d_output, scales_per_row(d_input)], DType::F16, device),
            })
        };
        match precision {
            Precision::Q8 => blocks(DType::I8, d_input),
            Precision::Q4 => blocks(DType::U8, q4_bytes_per_row(d_input)),
            half => {
                let dtype = half.table_dtype();
                let half = zeros(size, dtype, device);
                let half = half.load_mapper(move |weight: Tensor<2>| weight.cast(dtype));
                Self::Half(HalfWeight { half })
            }
        }
    }
}

impl BlockWeight {
    /// f32, `[d_output, d_input]`.
    fn dequantized(&self, d_input: usize) -> Tensor<2> {
        let codes = self.codes.val();
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
        let scales = self.scales.val().cast(DType::F32).unsqueeze_dim::<3>(2);
        let [_, blocks, _] = scales.dims();
        let scales = scales.expand([d_output, blocks, BLOCK]).reshape([d_output, blocks * BLOCK]);
        codes.cast(DType::F32) * scales.narrow(1, 0, d_input)
    }
}

#[cfg(feature = "flex")]
impl PanelWeight {
    fn zeros(format: Format, size: [usize; 2], device: &Device) -> Self {
        let strips = zeros(format.shape(size), DType::U8, device);
        let size = Tensor::from_data(size.map(|size| size as i32), (device, DType::I32));
        Self { strips, size: Param::initialized(ParamId::new(), size) }
    }

    fn format(&self) -> Format {
        let [_, _, unit] = self.strips.lazy_shape().dims();
        Format::of_unit(unit).expect("panels have units of a known size")
    }

    /// Whether the kernels multiply these weights with `x`. Rounding activations to codes has no gradient.
    fn can_multiply(&self, x: &Tensor<2>) -> bool {
        !x.device().is_autodiff() || (self.format().is_half() && cfg!(feature = "train"))
    }

    /// f32, `[d_output, d_input]`.
    fn dequantized(&self, size: [usize; 2]) -> Tensor<2> {
        let strips = self.strips.val();
        let device = strips.device();
        let weights = panels::dequantize(self.format(), strips.into_data().as_bytes(), size);
        Tensor::from_data(TensorData::new(weights, size), &device)
    }
}

/// A parameter of zeros that are made only if nothing is loaded into it.
fn zeros<const D: usize, K>(shape: [usize; D], dtype: DType, device: &Device) -> Param<Tensor<D, K>>
where
    K: Numeric + 'static,
    Tensor<D, K>: Parameter,
{
    let zeros = move |device: &Device, _| Tensor::zeros(shape, (device, dtype));
    Param::uninitialized(ParamId::new(), zeros, device.clone(), false, Shape::from(shape))
}

/// A low-rank update of a linear layer (`LoRA`, <https://arxiv.org/abs/2106.09685>): `scale * first second` is added to
/// weights that stay as they are, whatever they are stored in.
#[derive(Module, Debug)]
pub struct LowRankUpdate {
    /// PEFT's `lora_A`, transposed: `[d_input, rank]`.
    pub first: Param<Tensor<2>>,
    /// PEFT's `lora_B`, transposed: `[rank, d_output]`.
    pub second: Param<Tensor<2>>,
    /// The factor of their product: PEFT's `lora_alpha / r`.
    #[module(skip)]
    pub scale: f32,
}

impl LowRankUpdate {
    /// An update of a layer of these widths, of input and output, that changes nothing yet. As in PEFT, the first factor
    /// is drawn and the second is zero.
    #[must_use]
    pub fn new([d_input, d_output]: [usize; 2], rank: usize, scale: f32, device: &Device) -> Self {
        let drawn = Initializer::KaimingUniform { gain: 1.0 / 3f64.sqrt(), fan_out_only: false };
        Self {
            first: drawn.init_with([d_input, rank], Some(d_input), Some(rank), device),
            second: Initializer::Zeros.init([rank, d_output], device),
            scale,
        }
    }

    /// What is added to the layer's output.
    ///
    /// # Shapes
    ///
    /// - input: `[rows, d_input]`
    /// - output: `[rows, d_output]`
    #[must_use]
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let inner = kernels::product(x, self.first.val(), None);
        kernels::product(inner, self.second.val(), None).mul_scalar(self.scale)
    }

    /// What is added to the layer's weights, `[d_input, d_output]`.
    #[must_use]
    pub fn weight(&self) -> Tensor<2> {
        self.first.val().matmul(self.second.val()).mul_scalar(self.scale)
    }

    /// Widths of input and output of the layer.
    fn widths(&self) -> [usize; 2] {
        [self.first.lazy_shape()[0], self.second.lazy_shape()[1]]
    }
}
