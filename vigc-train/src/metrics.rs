//! The metrics of a run on disk: one row for each update, and a plot of the loss.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vigc_core::files::write_atomic;
use vigc_core::json_lines::{JsonLines, LineReader};

use crate::error::Result;
use crate::listener::UpdateReport;

/// The metrics of a run that is in progress.
#[derive(Debug)]
pub struct MetricsLog {
    updates: JsonLines,
    /// The loss of every update.
    losses: Vec<(u64, f64)>,
    validations: PathBuf,
}

/// A line of `validation.jsonl`.
#[derive(Debug, Serialize)]
struct Validation<'a> {
    update: u64,
    metrics: &'a BTreeMap<String, f64>,
}

impl MetricsLog {
    /// Opens `metrics.jsonl` and `validation.jsonl` in the folder of a run that continues after `update` updates.
    ///
    /// Rows of later updates, which a killed run wrote after its last checkpoint, and an incomplete last line are removed.
    ///
    /// # Errors
    ///
    /// [`TrainError::Core`](crate::TrainError::Core) if a file cannot be read or written, or another run writes to it.
    pub fn open(folder: &Path, update: u64) -> Result<Self> {
        let path = folder.join("metrics.jsonl");
        let validations = folder.join("validation.jsonl");
        for path in [&path, &validations] {
            remove_later_rows(path, update)?;
        }
        let losses = rows(&path)?.iter().map(|row| (row.update, row.loss)).collect();
        Ok(Self { updates: JsonLines::append_to(path)?, losses, validations })
    }

    /// Appends the row of an update.
    ///
    /// # Errors
    ///
    /// [`TrainError::Core`](crate::TrainError::Core) if the file cannot be written.
    pub fn append(&mut self, report: &UpdateReport) -> Result<()> {
        self.losses.push((report.update, report.loss));
        Ok(self.updates.write(report)?)
    }

    /// Appends the metrics of held-out data to `validation.jsonl`.
    ///
    /// # Errors
    ///
    /// [`TrainError::Core`](crate::TrainError::Core) if the file cannot be written.
    pub fn append_validation(&self, update: u64, metrics: &BTreeMap<String, f64>) -> Result<()> {
        // Opened for each row: a run without validation has no such file.
        let mut rows = JsonLines::append_to(&self.validations)?;
        Ok(rows.write(&Validation { update, metrics })?)
    }

    /// Draws the loss so far as `loss.svg` in the same folder.
    ///
    /// # Errors
    ///
    /// [`TrainError::Core`](crate::TrainError::Core) if the file cannot be written.
    pub fn draw(&self, title: &str) -> Result<()> {
        let path = self.updates.path().with_file_name("loss.svg");
        Ok(write_atomic(path, loss_curve(title, &self.losses).as_bytes())?)
    }
}

/// Removes the rows of updates after `update`, and lines that are not rows.
fn remove_later_rows(path: &Path, update: u64) -> Result<()> {
    #[derive(Deserialize)]
    struct Row {
        update: u64,
    }
    if !path.exists() {
        return Ok(());
    }
    JsonLines::check_unused(path)?;
    let mut kept = Vec::new();
    for line in LineReader::open(path)? {
        let line = line?;
        if line.parse::<Row>(path).is_ok_and(|row| row.update <= update) {
            kept.extend(line.text);
            kept.push(b'\n');
        }
    }
    Ok(write_atomic(path, &kept)?)
}

/// The rows of a `metrics.jsonl`; empty if there is no such file. Lines that are not rows, such as the incomplete last line
/// of a killed run, are skipped.
///
/// # Errors
///
/// [`TrainError::Core`](crate::TrainError::Core) if the file exists but cannot be read.
pub fn rows(path: &Path) -> Result<Vec<UpdateReport>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let mut rows = Vec::new();
    for line in LineReader::open(path)? {
        rows.extend(line?.parse(path).ok());
    }
    Ok(rows)
}

/// A plot of the loss as SVG: the loss of every update in gray and the running mean in black.
#[must_use]
pub fn loss_curve(title: &str, losses: &[(u64, f64)]) -> String {
    const WIDTH: f64 = 720.0;
    const HEIGHT: f64 = 360.0;
    const MARGIN: f64 = 48.0;
    let last = losses.last().map_or(1, |row| row.0.max(1));
    let top = losses.iter().map(|row| row.1).fold(1e-9, f64::max);
    let bottom = losses.iter().map(|row| row.1).fold(top, f64::min).min(0.0);
    #[allow(clippy::cast_precision_loss, reason = "a picture has fewer pixels than 2^52")]
    let x = |update: u64| MARGIN + (WIDTH - 2.0 * MARGIN) * update as f64 / last as f64;
    let y =
        |loss: f64| HEIGHT - MARGIN - (HEIGHT - 2.0 * MARGIN) * (loss - bottom) / (top - bottom);
    let line = |points: &[(u64, f64)]| -> String {
        points.iter().map(|&(u, loss)| format!("{:.1},{:.1} ", x(u), y(loss))).collect()
    };
    let mut mean = losses.first().map_or(0.0, |row| row.1);
    let smooth: Vec<_> = losses
        .iter()
        .map(|&(update, loss)| {
            mean += 0.05 * (loss - mean);
            (update, mean)
        })
        .collect();
    let ticks: String = (0..=4)
        .map(|i| bottom + (top - bottom) * f64::from(i) / 4.0)
        .map(|value| format!(r#"<text x="4" y="{:.1}">{value:.3}</text>"#, y(value)))
        .collect();
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="#fff"/>
<text x="{MARGIN}" y="24" font-size="14">{title}: loss {mean:.4} after {last} updates</text>
{ticks}<text x="{WIDTH}" y="{HEIGHT}" dx="-48" dy="-12" text-anchor="end">{last}</text>
<polyline fill="none" stroke="#bbb" points="{}"/>
<polyline fill="none" stroke="#111" stroke-width="1.5" points="{}"/>
</svg>
"##,
        line(losses),
        line(&smooth),
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::TrainError;

    fn report(update: u64) -> UpdateReport {
        UpdateReport {
            update,
            total: 9,
            learning_rate: 0.5,
            loss: 1.0,
            metrics: BTreeMap::new(),
            samples_per_second: 1.0,
            waiting: 0.0,
        }
    }

    #[test]
    fn rows_after_the_last_checkpoint_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = MetricsLog::open(folder.path(), 0).unwrap();
        for update in 1..=4 {
            log.append(&report(update)).unwrap();
            log.append_validation(update, &BTreeMap::from([("loss".to_owned(), 0.5)])).unwrap();
        }
        drop(log);
        let path = folder.path().join("metrics.jsonl");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{text}{{\"upd")).unwrap();

        drop(MetricsLog::open(folder.path(), 2).unwrap());
        assert_eq!(rows(&path).unwrap(), [report(1), report(2)]);
        assert_eq!(fs::read_to_string(&path).unwrap(), text[..text.len() / 2]);
        let validations = fs::read_to_string(folder.path().join("validation.jsonl")).unwrap();
        let row = |update| format!("{{\"update\":{update},\"metrics\":{{\"loss\":0.5}}}}\n");
        assert_eq!(validations, row(1) + &row(2));
    }

    #[test]
    fn two_runs_cannot_write_to_one_folder() {
        let folder = tempfile::tempdir().unwrap();
        let first = MetricsLog::open(folder.path(), 0).unwrap();
        let second = MetricsLog::open(folder.path(), 0).unwrap_err();
        assert!(matches!(second, TrainError::Core(vigc_core::Error::InUse { .. })), "{second}");
        drop(first);
        MetricsLog::open(folder.path(), 0).unwrap();
    }
}
