//! The numbers of the CPU backend's tensors.

use burn::backend::flex::FlexTensor;
use burn::tensor::{Shape, TensorData};

/// A tensor whose numbers are contiguous; they are copied only if they were not.
pub(super) struct Contiguous(FlexTensor);

impl Contiguous {
    pub(super) fn of(tensor: &FlexTensor) -> Self {
        Self(tensor.to_contiguous())
    }

    /// A tensor whose numbers will be overwritten. They are copied only if another tensor shares them.
    pub(super) fn owned(tensor: FlexTensor) -> Self {
        let contiguous = Self::of(&tensor);
        drop(tensor);
        contiguous
    }

    pub(super) fn slice(&self) -> &[f32] {
        self.0.as_slice().expect("the callers check for f32, and the tensor is contiguous")
    }

    pub(super) fn slice_mut(&mut self) -> &mut [f32] {
        self.0.storage_mut()
    }

    pub(super) fn dims(&self) -> Vec<usize> {
        dims(&self.0)
    }

    pub(super) fn into_tensor(self) -> FlexTensor {
        self.0
    }
}

pub(super) fn dims(tensor: &FlexTensor) -> Vec<usize> {
    tensor.layout().shape().to_vec()
}

pub(super) fn tensor(numbers: Vec<f32>, shape: impl Into<Shape>) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(numbers, shape.into()))
}
