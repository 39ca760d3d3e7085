//! Reading golden files and comparing with them.

use std::path::PathBuf;

use burn::tensor::Tensor;
use serde::de::DeserializeOwned;

/// Reference and port add in another order; f32 leaves this much after a few layers.
pub(crate) const TOLERANCE: f32 = 1e-4;

/// The path of a fixture.
pub(crate) fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// A fixture's JSON.
pub(crate) fn json<T: DeserializeOwned>(name: &str) -> T {
    vigc_core::files::read_json(path(name)).unwrap()
}

/// The largest absolute difference of two tensors.
pub(crate) fn distance<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> f32 {
    assert_eq!(a.dims(), b.dims());
    let difference: f32 = (a - b).abs().max().into_scalar();
    assert!(difference.is_finite());
    difference
}

/// 64-bit FNV-1a, the checksum of the fixtures.
pub(crate) fn fnv1a(bytes: impl IntoIterator<Item = u8>) -> String {
    let hash = bytes.into_iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}
