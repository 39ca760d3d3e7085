//! Measurements as rows of a Markdown table.

use vigc_benches::machine::Roofs;

use super::ours::{Ours, Work};

pub(super) const HEAD: &str = "| work | ours | of the limit | peer | theirs | ratio (least to most) | read GB/s | threads' time |\n|---|---|---|---|---|---|---|---|";

pub(super) fn median(numbers: &[f64]) -> f64 {
    let mut numbers = numbers.to_vec();
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// Ours and theirs, run in turns.
pub(super) fn row(
    work: Work,
    ours: &Ours<'_>,
    peer: &str,
    pairs: &[(f64, f64)],
    states: &[Roofs],
) -> String {
    let (mine, theirs): (Vec<_>, Vec<_>) = pairs.iter().copied().unzip();
    let mut ratios: Vec<_> = pairs.iter().map(|(mine, theirs)| theirs / mine).collect();
    ratios.sort_by(f64::total_cmp);
    let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
    let reads: Vec<_> = states.iter().map(|state| state.read).collect();
    format!(
        "| {work} | {} | {} | {peer} | {} | **{:.2}** ({least:.2} to {most:.2}) | {:.1} | {} |",
        seconds(median(&mine)),
        limit(ours, median(&mine), median(&reads)),
        seconds(median(&theirs)),
        median(&ratios),
        median(&reads) / 1e9,
        range(states)
    )
}

/// Ours only.
pub(super) fn alone(work: Work, ours: &Ours<'_>, mine: &[f64], state: &Roofs) -> String {
    format!(
        "| {work} | {} | {} | | | | {:.1} | {} |",
        seconds(median(mine)),
        limit(ours, median(mine), state.read),
        state.read / 1e9,
        range(&[*state])
    )
}

/// What part of the time reading the weights once takes, where that is the limit.
fn limit(ours: &Ours<'_>, seconds: f64, read: f64) -> String {
    match ours.bytes() {
        Some(bytes) => format!("{:.0} % of read", 100.0 * bytes / seconds / read),
        None => String::new(),
    }
}

fn range(states: &[Roofs]) -> String {
    let times = states.iter().map(|state| state.two_threads);
    let (least, most) = times.fold((f64::MAX, 0.0f64), |(a, b), t| (a.min(t), b.max(t)));
    format!("{least:.2}–{most:.2}")
}

fn seconds(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.1} ms", 1e3 * seconds) } else { format!("{seconds:.2} s") }
}
