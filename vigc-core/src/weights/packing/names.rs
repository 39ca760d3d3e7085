//! The names of packed parameters.

use burn::tensor::TensorData;

pub(super) const HALF: &str = "packed.half";
pub(super) const CODES: &str = "packed.codes";
pub(super) const SCALES: &str = "packed.scales";
/// The panels. Records of modules contain this name.
pub(super) const PANELS: &str = "packed.strips";
/// The size of the weights, which panels are padded from.
pub(super) const SIZE: &str = "packed.size";

/// The path of the layer that has a parameter of this name, with a dot at its end unless it is the whole module.
pub(super) fn layer_of<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    path.strip_suffix(name).filter(|layer| layer.is_empty() || layer.ends_with('.'))
}

/// The tensor that a packed parameter is made of in a checkpoint without packed weights.
pub(in crate::weights) fn source_of(path: &str) -> Option<String> {
    let names = [HALF, CODES, SCALES, PANELS, SIZE];
    let layer = names.into_iter().find_map(|name| layer_of(path, name))?;
    Some(format!("{layer}weight"))
}

/// Whether a parameter always comes with another one, so that it is not reported as missing.
pub(in crate::weights) fn is_secondary(path: &str) -> bool {
    layer_of(path, SIZE).is_some()
}

/// Outputs and inputs, read from a parameter [`SIZE`].
pub(super) fn size_of(size: &TensorData) -> [usize; 2] {
    let mut sizes = size.iter::<i64>().map(|size| size as usize);
    [sizes.next().unwrap_or_default(), sizes.next().unwrap_or_default()]
}
