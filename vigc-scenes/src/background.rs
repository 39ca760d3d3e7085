//! Backgrounds: a gradient, a texture, and the details that make the place recognizable.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::attributes::Background;

type Rgb = [f32; 3];

/// The colors of a background above and below its horizon, each as a gradient.
struct Palette {
    far: [Rgb; 2],
    near: [Rgb; 2],
    horizon: f32,
    noise: f32,
}

/// Writes the background's pixels as RGBA, row by row.
pub(crate) fn paint(background: Background, seed: u64, side: usize, rgba: &mut [u8]) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let palette = palette(background, &mut rng);
    let tint: f32 = rng.random_range(0.94..1.06);
    let phase: f32 = rng.random();
    let grain = rng.random::<u32>();
    for row in 0..side {
        let y = (row as f32 + 0.5) / side as f32;
        let base = gradient(&palette, y);
        for column in 0..side {
            let x = (column as f32 + 0.5) / side as f32;
            // Noise cells are 1/112 of the side, so a picture has the same grain at every size.
            let noise = hash((x * 112.0) as u32, (y * 112.0) as u32, grain) - 0.5;
            let light =
                tint * (1.0 + palette.noise * noise) + detail(background, x, y, phase, grain);
            let pixel = &mut rgba[4 * (row * side + column)..][..4];
            for (value, channel) in pixel.iter_mut().zip(base) {
                *value = (channel * light).clamp(0.0, 255.0) as u8;
            }
            pixel[3] = 255;
        }
    }
}

fn palette(background: Background, rng: &mut ChaCha8Rng) -> Palette {
    let plain = |far: Rgb, near: Rgb, noise: f32| Palette {
        far: [far, near],
        near: [far, near],
        horizon: 0.0,
        noise,
    };
    let horizon = rng.random_range(0.16..0.34);
    let wide = |far: [Rgb; 2], near: [Rgb; 2], noise: f32| Palette { far, near, horizon, noise };
    let sky = [[150.0, 196.0, 235.0], [205.0, 226.0, 240.0]];
    match background {
        Background::GreenField => wide(sky, [[140.0, 190.0, 96.0], [106.0, 164.0, 72.0]], 0.22),
        Background::SandyBeach => wide(
            [[120.0, 190.0, 215.0], [84.0, 160.0, 196.0]],
            [[236.0, 214.0, 166.0], [220.0, 192.0, 136.0]],
            0.12,
        ),
        Background::SnowyField => wide(
            [[176.0, 190.0, 208.0], [200.0, 210.0, 222.0]],
            [[226.0, 233.0, 242.0], [208.0, 219.0, 233.0]],
            0.05,
        ),
        Background::NightSky => plain([14.0, 18.0, 52.0], [44.0, 42.0, 92.0], 0.1),
        Background::WoodenFloor => plain([176.0, 128.0, 82.0], [158.0, 108.0, 64.0], 0.08),
        Background::BlueWall => plain([152.0, 192.0, 222.0], [132.0, 172.0, 206.0], 0.03),
        Background::PinkWall => plain([240.0, 196.0, 206.0], [226.0, 176.0, 190.0], 0.03),
        Background::GrayRoad => {
            wide([[150.0, 182.0, 150.0], [124.0, 162.0, 120.0]], [[132.0; 3], [108.0; 3]], 0.14)
        }
    }
}

fn gradient(palette: &Palette, y: f32) -> Rgb {
    let ([from, to], t) = if y < palette.horizon {
        (palette.far, y / palette.horizon)
    } else {
        (palette.near, (y - palette.horizon) / (1.0 - palette.horizon))
    };
    std::array::from_fn(|channel| from[channel] + (to[channel] - from[channel]) * t)
}

/// The lines, stars and blades of a background, as a change of brightness.
fn detail(background: Background, x: f32, y: f32, phase: f32, grain: u32) -> f32 {
    match background {
        Background::NightSky => {
            let star = hash((x * 56.0) as u32, (y * 56.0) as u32, grain ^ 77);
            if star > 0.985 { 2.4 } else { 0.0 }
        }
        Background::WoodenFloor => {
            let plank = (y * 7.0 + phase).fract();
            let board = (y * 7.0 + phase) as u32;
            let seam = (x * 1.5 + hash(board, 3, grain)).fract();
            let shade = 0.16 * (hash(board, (x * 1.5 + hash(board, 3, grain)) as u32, grain) - 0.5);
            if plank < 0.09 || seam < 0.015 { -0.3 } else { shade }
        }
        Background::BlueWall => {
            if (x * 8.0 + phase).fract() < 0.5 {
                0.0
            } else {
                -0.05
            }
        }
        Background::PinkWall => {
            let dot = |v: f32| (v * 10.0 + phase).fract() - 0.5;
            if dot(x).hypot(dot(y)) < 0.18 { 0.07 } else { 0.0 }
        }
        Background::GreenField => {
            let blade = hash((x * 70.0) as u32, (y * 30.0) as u32, grain ^ 5);
            if y > 0.34 && blade > 0.9 { -0.13 } else { 0.0 }
        }
        Background::GrayRoad => {
            let dash = (x * 4.0 + phase).fract() < 0.55;
            if dash && ((y - 0.66).abs() < 0.016) { 0.7 } else { 0.0 }
        }
        Background::SandyBeach => 0.02 * ((x * 3.0 + phase) * 6.3 + y * 40.0).sin(),
        Background::SnowyField => {
            let flake = hash((x * 56.0) as u32, (y * 56.0) as u32, grain ^ 9);
            if flake > 0.98 { 0.12 } else { 0.0 }
        }
    }
}

/// A pseudorandom number in `[0, 1)` for a point, the same on every machine.
fn hash(x: u32, y: u32, seed: u32) -> f32 {
    let mut h = x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77) ^ seed;
    h = (h ^ (h >> 15)).wrapping_mul(0x2c1b_3c6d);
    h = (h ^ (h >> 12)).wrapping_mul(0x297a_2d39);
    ((h ^ (h >> 15)) >> 8) as f32 / (1u32 << 24) as f32
}
