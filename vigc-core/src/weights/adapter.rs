//! Converts between PyTorch's conventions and those of burn's modules.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use burn::tensor::DType;
use burn_store::burn_pack::Tensor as StoredTensor;
use burn_store::{
    BurnToPyTorchAdapter, FloatCastAdapter, ModuleAdapter, ModuleContext, PyTorchToBurnAdapter,
};

use crate::nn::PACKED_TYPES;
use crate::progress::Progress;

/// Counts the bytes of a load.
pub(super) struct Counter {
    progress: Progress,
    done: AtomicU64,
    total: u64,
}

impl Counter {
    /// The name of a load in reports of its progress.
    const TASK: &str = "weights";

    pub(super) fn new(progress: Progress, total: u64) -> Self {
        Self { progress, done: AtomicU64::new(0), total }
    }

    /// Counts a tensor of so many bytes before it is read.
    fn count(&self, bytes: usize) {
        let done = self.done.fetch_add(bytes as u64, Ordering::Relaxed);
        self.progress.report(Self::TASK, done, self.total);
    }

    pub(super) fn finish(&self) {
        self.progress.report(Self::TASK, self.total, self.total);
    }
}

/// Packed weights are loaded and saved as they are.
fn is_packed(context: ModuleContext<'_>) -> bool {
    context.module_type().is_some_and(|module| PACKED_TYPES.contains(&module))
}

/// To a module: transposes linear weights, renames the parameters of norms, and casts everything but packed weights to f32.
#[derive(Clone)]
pub(super) struct FromPyTorch(pub(super) Arc<Counter>);

impl ModuleAdapter for FromPyTorch {
    fn adapt(&self, tensor: StoredTensor, context: ModuleContext<'_>) -> StoredTensor {
        self.0.count(tensor.byte_len());
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

/// From a module: the reverse, with everything but packed weights cast to one type. Weights in half precision get the name `weight`,
/// under which other programs read them.
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
