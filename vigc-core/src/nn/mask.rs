//! Attention masks and positions of tokens.

use burn::tensor::{Bool, Int, Tensor};

/// Turns a mask of tokens into a mask of attention scores, `true` where a score is forbidden.
///
/// # Shapes
///
/// - mask: `[batch, seq]`, `true` for a token
/// - output: `[batch, 1, 1, seq]`, broadcast over heads and queries
#[must_use]
pub fn forbid_padding(mask: Tensor<2, Bool>) -> Tensor<4, Bool> {
    let [batch, seq] = mask.dims();
    mask.bool_not().reshape([batch, 1, 1, seq])
}

/// The position of each token among the tokens of its row. Padding before the first token gets 0.
///
/// # Shapes
///
/// - mask: `[batch, seq]`, `true` for a token
/// - output: `[batch, seq]`
#[must_use]
pub fn positions(mask: Tensor<2, Bool>) -> Tensor<2, Int> {
    mask.int().cumsum(1).sub_scalar(1).clamp_min(0)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn positions_count_tokens_only() {
        let mask = [[false, false, true, true], [true, true, false, false]];
        let mask = Tensor::<2, Bool>::from_data(mask, &Device::default());
        let positions = positions(mask.clone()).into_data().convert::<i64>();
        assert_eq!(positions.try_to_vec::<i64>().unwrap(), [0, 0, 0, 1, 0, 1, 1, 1]);
        let forbidden = forbid_padding(mask).into_data().try_to_vec::<bool>().unwrap();
        assert_eq!(forbidden, [true, true, false, false, false, false, true, true]);
    }
}
