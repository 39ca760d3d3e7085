//! Between PyTorch's conventions and those of burn's modules.

use std::sync::Arc;

use burn::tensor::DType;
use burn_store::burn_pack::Tensor as StoredTensor;
use burn_store::{
    BurnToPyTorchAdapter, FloatCastAdapter, ModuleAdapter, ModuleContext, PyTorchToBurnAdapter,
};

use super::progress::Counter;

/// Weights that are not f32 are what they are.
fn is_packed(context: ModuleContext<'_>) -> bool {
    context.module_type() == Some("Struct:PackedWeight")
}

/// To a module: linear weights transposed, norms renamed, everything in f32 but packed weights.
#[derive(Clone)]
pub(super) struct FromPyTorch(pub(super) Option<Arc<Counter>>);

impl ModuleAdapter for FromPyTorch {
    fn adapt(&self, tensor: StoredTensor, context: ModuleContext<'_>) -> StoredTensor {
        if let Some(counter) = &self.0 {
            counter.count(tensor.byte_len());
        }
        if is_packed(context) {
            return tensor;
        }
        let tensor = PyTorchToBurnAdapter.adapt(tensor, context);
        FloatCastAdapter::to(DType::F32).adapt(tensor, context)
    }

    fn get_alternative_param_name(&self, name: &str, module_type: &str) -> Option<String> {
        PyTorchToBurnAdapter.get_alternative_param_name(name, module_type)
    }

    fn clone_box(&self) -> Box<dyn ModuleAdapter> {
        Box::new(self.clone())
    }
}

/// From a module: the other way, everything in one type but packed weights, of which those in half
/// precision get the name that they were read under.
#[derive(Debug, Clone)]
pub(super) struct ToPyTorch(pub(super) DType);

impl ModuleAdapter for ToPyTorch {
    fn adapt(&self, mut tensor: StoredTensor, context: ModuleContext<'_>) -> StoredTensor {
        if is_packed(context) {
            if let Some(layer) = tensor.name.strip_suffix("packed.half") {
                tensor.name = format!("{layer}weight");
            }
            return tensor;
        }
        let tensor = BurnToPyTorchAdapter.adapt(tensor, context);
        FloatCastAdapter::to(self.0).adapt(tensor, context)
    }

    fn clone_box(&self) -> Box<dyn ModuleAdapter> {
        Box::new(self.clone())
    }
}
