//! Bars side by side, with whiskers.

use super::statistics::Mean;
use super::svg::{COLORS, Svg, ticks};

/// A group of bars, one for each series.
pub(super) struct Group {
    pub(super) name: String,
    pub(super) values: Vec<Option<Mean>>,
}

const WIDTH: f64 = 720.0;
const LEFT: f64 = 250.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 62.0;
const BAR: f64 = 11.0;

/// Groups of horizontal bars from 0 on.
pub(super) fn draw(title: &str, axis: &str, series: &[&str], groups: &[Group]) -> String {
    let step = BAR * series.len() as f64 + 9.0;
    let bottom = TOP + step * groups.len() as f64;
    let mut svg = Svg::new(WIDTH, bottom + 44.0);
    let ends = groups.iter().flat_map(|group| group.values.iter().flatten());
    let ends: Vec<f64> = ends
        .flat_map(|mean| {
            let half = mean.half.unwrap_or(0.0);
            [mean.value - half, mean.value + half]
        })
        .chain([0.0])
        .collect();
    let low = ends.iter().copied().fold(f64::INFINITY, f64::min);
    let high = ends.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let ticks = ticks(low, high);
    let (low, high) = (ticks[0], ticks[ticks.len() - 1]);
    let at = |value: f64| LEFT + (value - low) / (high - low).max(1e-9) * (WIDTH - LEFT - RIGHT);
    svg.text([WIDTH / 2.0, 22.0], "middle", 15, title);
    for (index, name) in series.iter().enumerate() {
        let x = LEFT + 200.0 * index as f64;
        svg.rectangle([x, 36.0], [BAR, BAR], COLORS[index % COLORS.len()]);
        svg.text([x + 18.0, 46.0], "start", 12, name);
    }
    for &tick in &ticks {
        svg.rule([at(tick), TOP - 4.0], [at(tick), bottom]);
        svg.text([at(tick), bottom + 16.0], "middle", 11, &format!("{tick}"));
    }
    svg.text([(LEFT + WIDTH - RIGHT) / 2.0, bottom + 36.0], "middle", 12, axis);
    for (row, group) in groups.iter().enumerate() {
        let y = TOP + step * row as f64;
        svg.text([LEFT - 10.0, y + step / 2.0], "end", 12, &group.name);
        for (index, mean) in group.values.iter().enumerate() {
            let Some(Mean { value, half, .. }) = *mean else { continue };
            let (y, color) = (y + BAR * index as f64, COLORS[index % COLORS.len()]);
            let (from, to) = (at(value.min(0.0)), at(value.max(0.0)));
            svg.rectangle([from, y], [to - from, BAR - 1.5], color);
            if let Some(half) = half {
                let middle = y + (BAR - 1.5) / 2.0;
                svg.line([at(value - half), middle], [at(value + half), middle], color, 1.5);
            }
        }
    }
    svg.finish()
}
