//! Lines over named places, with whiskers.

use super::statistics::Mean;
use super::svg::{COLORS, Svg, ticks};

/// A line.
pub(super) struct Series {
    pub(super) name: String,
    pub(super) values: Vec<Option<Mean>>,
}

const SIZE: [f64; 2] = [720.0, 340.0];
const LEFT: f64 = 60.0;
const RIGHT: f64 = 30.0;
const TOP: f64 = 62.0;
const BOTTOM: f64 = 285.0;

/// Lines from 0 on upwards.
pub(super) fn draw(
    title: &str,
    [x_axis, y_axis]: [&str; 2],
    places: &[String],
    series: &[Series],
) -> String {
    let mut svg = Svg::new(SIZE[0], SIZE[1]);
    let tops = series.iter().flat_map(|series| series.values.iter().flatten());
    let top = tops.map(|mean| mean.value + mean.half.unwrap_or(0.0)).fold(1.0, f64::max);
    let ticks = ticks(0.0, top);
    let high = ticks[ticks.len() - 1];
    let y = |value: f64| BOTTOM - value.max(0.0) / high * (BOTTOM - TOP);
    let gap = (SIZE[0] - LEFT - RIGHT) / (places.len().max(2) as f64);
    let x = |place: usize, shift: f64| LEFT + gap * (place as f64 + 0.5) + shift;
    svg.text([SIZE[0] / 2.0, 22.0], "middle", 15, title);
    svg.text([LEFT - 40.0, 46.0], "start", 12, y_axis);
    for &tick in &ticks {
        svg.rule([LEFT, y(tick)], [SIZE[0] - RIGHT, y(tick)]);
        svg.text([LEFT - 8.0, y(tick) + 4.0], "end", 11, &format!("{tick}"));
    }
    for (place, name) in places.iter().enumerate() {
        svg.text([x(place, 0.0), BOTTOM + 18.0], "middle", 11, name);
    }
    svg.text([SIZE[0] / 2.0, BOTTOM + 42.0], "middle", 12, x_axis);
    for (index, Series { name, values }) in series.iter().enumerate() {
        let color = COLORS[index % COLORS.len()];
        // Side by side, so that no whisker hides another.
        let shift = 8.0 * index as f64 - 4.0 * (series.len() as f64 - 1.0);
        let legend = 300.0 + 200.0 * index as f64;
        svg.dot([legend, 42.0], color);
        svg.text([legend + 10.0, 46.0], "start", 12, name);
        let mut last: Option<[f64; 2]> = None;
        for (place, mean) in values.iter().enumerate() {
            let Some(Mean { value, half, .. }) = *mean else { continue };
            let point = [x(place, shift), y(value)];
            if let Some(last) = last {
                svg.line(last, point, color, 2.0);
            }
            if let Some(half) = half {
                let [x, _] = point;
                svg.line([x, y(value - half)], [x, y(value + half)], color, 1.5);
            }
            svg.dot(point, color);
            last = Some(point);
        }
    }
    svg.finish()
}
