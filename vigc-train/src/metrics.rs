//! Measurements of a run on disk: one JSON row per update, and a picture of the loss.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use vigc_core::files::write_atomic;

use super::error::{Result, TrainError};
use super::progress::UpdateReport;

/// The file of measurements of a run.
#[derive(Debug)]
pub struct MetricsLog {
    path: PathBuf,
    file: File,
}

impl MetricsLog {
    /// Opens `metrics.jsonl` of a run that stands at `update`.
    ///
    /// Rows past that update, which a killed run wrote after its last checkpoint, and a torn last
    /// line are dropped.
    ///
    /// # Errors
    ///
    /// [`TrainError::File`] if the file cannot be read or written.
    pub fn open(folder: &Path, update: u64) -> Result<Self> {
        let path = folder.join("metrics.jsonl");
        let kept: String = rows(&path)?
            .into_iter()
            .filter(|row| row.update <= update)
            .filter_map(|row| serde_json::to_string(&row).ok())
            .flat_map(|line| [line, "\n".to_owned()])
            .collect();
        write_atomic(&path, kept.as_bytes())?;
        drop_later_validations(&folder.join("validation.jsonl"), update)?;
        let file = OpenOptions::new().append(true).open(&path).map_err(TrainError::file(&path))?;
        Ok(Self { path, file })
    }

    /// Appends a row.
    ///
    /// # Errors
    ///
    /// [`TrainError::File`] if the file cannot be written.
    pub fn append(&mut self, report: &UpdateReport) -> Result<()> {
        let mut line = serde_json::to_string(report).unwrap_or_default();
        line.push('\n');
        self.file.write_all(line.as_bytes()).map_err(TrainError::file(&self.path))
    }

    /// Appends held-out measurements to `validation.jsonl` beside the rows.
    ///
    /// # Errors
    ///
    /// [`TrainError::File`] if the file cannot be written.
    pub fn append_validation(&self, update: u64, means: &BTreeMap<String, f64>) -> Result<()> {
        let path = self.path.with_file_name("validation.jsonl");
        let row = serde_json::json!({ "update": update, "metrics": means });
        let file = OpenOptions::new().create(true).append(true).open(&path);
        file.and_then(|mut file| writeln!(file, "{row}")).map_err(TrainError::file(&path))
    }

    /// Draws the loss so far as `loss.svg` beside the rows.
    ///
    /// # Errors
    ///
    /// [`TrainError`] if a file cannot be read or written.
    pub fn draw(&self, title: &str) -> Result<()> {
        let losses: Vec<_> = rows(&self.path)?.iter().map(|row| (row.update, row.loss)).collect();
        Ok(write_atomic(
            self.path.with_file_name("loss.svg"),
            loss_curve(title, &losses).as_bytes(),
        )?)
    }
}

/// Drops rows of held-out measurements that a killed run wrote after its last checkpoint.
fn drop_later_validations(path: &Path, update: u64) -> Result<()> {
    let Ok(text) = fs::read_to_string(path) else { return Ok(()) };
    let at =
        |line: &str| serde_json::from_str::<serde_json::Value>(line).ok()?.get("update")?.as_u64();
    let kept = text.lines().filter(|line| at(line).is_some_and(|at| at <= update));
    let kept: String = kept.flat_map(|line| [line, "\n"]).collect();
    Ok(write_atomic(path, kept.as_bytes())?)
}

/// The readable rows of a metrics file; none if there is no file.
///
/// # Errors
///
/// [`TrainError::File`] if the file is there but cannot be read.
pub fn rows(path: &Path) -> Result<Vec<UpdateReport>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(TrainError::file(path)(error)),
    }
}

/// A picture of losses over updates, as SVG: every value in grey, their running mean in black.
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
