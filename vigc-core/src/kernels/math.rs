//! Functions of one number that compilers turn into vector code: they have no branches and no calls.

/// The slope of the sigmoid in [`quick_gelu`].
const QUICK: f32 = 1.702;

/// `exp`, with a relative error below 2e-7 between -87 and 88 and clamped outside.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    // Adding 1.5 * 2^23 leaves the nearest integer in the low bits of the mantissa.
    const ROUND: f32 = 12_582_912.0;
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let power = shifted - ROUND;
    let rest = x - power * LN2_HIGH - power * LN2_LOW;
    let mut sum = 1.987_569_1e-4;
    for coefficient in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        sum = sum * rest + coefficient;
    }
    let mantissa = sum * rest * rest + rest + 1.0;
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    mantissa * f32::from_bits(exponent)
}

/// The standard normal distribution: the probability below `x`, and `exp(-x^2 / 2)`.
///
/// Formula 7.1.26 of Abramowitz and Stegun, with an absolute error below 1e-7.
#[inline(always)]
fn normal(x: f32) -> (f32, f32) {
    let u = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * u);
    let density = exp(-u * u);
    let mut sum = 1.061_405_4;
    for coefficient in [-1.453_152, 1.421_413_7, -0.284_496_74, 0.254_829_6] {
        sum = sum * t + coefficient;
    }
    let tail = 0.5 * sum * t * density;
    (if x >= 0.0 { 1.0 - tail } else { tail }, density)
}

#[inline(always)]
pub(super) fn gelu(x: f32) -> f32 {
    x * normal(x).0
}

/// The derivative of [`gelu`].
#[cfg(any(test, feature = "train"))]
#[inline(always)]
pub(super) fn gelu_slope(x: f32) -> f32 {
    const INV_SQRT_TAU: f32 = 0.398_942_3;
    let (below, density) = normal(x);
    below + x * density * INV_SQRT_TAU
}

/// `x * sigmoid(1.702 x)`, the approximation of [`gelu`] in OpenAI's CLIP.
#[inline(always)]
pub(super) fn quick_gelu(x: f32) -> f32 {
    x * sigmoid(QUICK * x)
}

/// The derivative of [`quick_gelu`].
#[cfg(any(test, feature = "train"))]
#[inline(always)]
pub(super) fn quick_gelu_slope(x: f32) -> f32 {
    let open = sigmoid(QUICK * x);
    open * (1.0 + QUICK * x * (1.0 - open))
}

#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_accurate_to_single_precision() {
        for i in -8600..8700 {
            let x = i as f32 * 0.01;
            let exact = f64::from(x).exp();
            let error = (f64::from(exp(x)) - exact).abs() / exact;
            assert!(error < 3e-7, "exp({x}) is off by {error}");
        }
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(-1e30) < 2e-38);
    }

    #[test]
    fn gelu_and_its_slope_match_reference_values() {
        // From torch.nn.functional.gelu in f64.
        for (x, expected) in
            [(-4.0, -1.266_85e-4), (-1.0, -0.158_655_25), (0.5, 0.345_731_23), (3.0, 2.995_950_4)]
        {
            assert!((gelu(x) - expected).abs() < 1e-6, "{x}");
            let numeric = (gelu(x + 1e-2) - gelu(x - 1e-2)) / 2e-2;
            assert!((gelu_slope(x) - numeric).abs() < 1e-3, "{x}");
            let numeric = (quick_gelu(x + 1e-2) - quick_gelu(x - 1e-2)) / 2e-2;
            assert!((quick_gelu_slope(x) - numeric).abs() < 1e-3, "{x}");
        }
    }
}
