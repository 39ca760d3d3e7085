//! The patch embedding that the image encoders share.

use burn::module::Param;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;
use burn::tensor::module::linear;

/// A convolution whose windows do not overlap, as one matrix product.
///
/// # Shapes
///
/// - images: `[batch, channels, size, size]`
/// - output: `[batch, patches, hidden]`, row by row
pub(crate) fn embed_patches(embedding: &Conv2d, images: Tensor<4>) -> Tensor<3> {
    let weight = embedding.weight.val();
    let bias = embedding.bias.as_ref().map(Param::val);
    let [hidden, channels, patch, _] = weight.dims();
    let [batch, _, size, _] = images.dims();
    let side = size / patch;
    let patches = images
        .slice([0..batch, 0..channels, 0..side * patch, 0..side * patch])
        .reshape([batch, channels, side, patch, side, patch])
        .permute([0, 2, 4, 1, 3, 5])
        .reshape([batch, side * side, channels * patch * patch]);
    linear(patches, weight.reshape([hidden, channels * patch * patch]).transpose(), bias)
}

/// Fails unless images have the size that the encoder is for.
///
/// # Panics
///
/// Panics if they have another.
pub(crate) fn assert_size(images: &Tensor<4>, image_size: usize) {
    let [_, channels, height, width] = images.dims();
    let expected = [3, image_size, image_size];
    assert_eq!([channels, height, width], expected, "channels, height and width of images");
}
