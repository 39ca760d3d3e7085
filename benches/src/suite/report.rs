//! What was measured: as a table, and as a file to compare with.

use std::fmt;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use vigc_pipeline::core::files::write_atomic;

use crate::Result;
use crate::machine::Roofs;

/// The version of the file's layout.
const FORMAT: u32 = 1;

/// Everything that one run measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    format: u32,
    /// Threads of the CPU that were used.
    pub threads: usize,
    /// One row for each case.
    pub rows: Vec<Row>,
}

/// A case on a device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// What it was measured with.
    pub group: String,
    /// What was done, with its sizes.
    pub what: String,
    /// The backend.
    pub device: String,
    /// How long it took, unless there is a problem.
    pub time: Option<Time>,
    /// What it made, if that can be counted.
    pub rate: Option<Rate>,
    /// Bytes read from memory, where the case says how many have to be.
    pub bytes_per_second: Option<f64>,
    /// Operations, where the case says how many there are.
    pub operations_per_second: Option<f64>,
    /// The roof that limits it, if the roofs of the device are known.
    pub bound: Option<Bound>,
    /// The roofs right before it was measured, if the device is the CPU.
    pub roofs: Option<Roofs>,
    /// Why it has no time.
    pub problem: Option<String>,
    /// Against an earlier run.
    pub speedup: Option<Speedup>,
}

/// How long something took, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Time {
    /// The median of the samples.
    pub median: f64,
    /// A quarter of the samples took at most this.
    pub first_quartile: f64,
    /// Three quarters of the samples took at most this.
    pub third_quartile: f64,
    /// The number of samples.
    pub samples: usize,
}

/// What is made in a second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Tokens, images or samples.
    pub unit: String,
    /// How many.
    pub per_second: f64,
}

/// The roof that is reached first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bound {
    /// `memory`, or the arithmetic.
    pub name: String,
    /// The roof: bytes or operations per second.
    pub per_second: f64,
    /// The achieved part of it; 1 is the roof itself.
    pub share: f64,
}

/// How much faster than in an earlier run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Speedup {
    /// The earlier time over this one.
    pub ratio: f64,
    /// The device of the earlier run.
    pub device: String,
}

impl Time {
    /// Of samples of runs, each of which did what is measured `per_run` times; nothing if there are no samples.
    pub(super) fn of(mut seconds: Vec<f64>, per_run: usize) -> Option<Self> {
        seconds.sort_by(f64::total_cmp);
        let last = seconds.len().checked_sub(1)?;
        let at = |quarter: usize| seconds[(quarter * last + 2) / 4] / per_run as f64;
        Some(Self {
            median: at(2),
            first_quartile: at(1),
            third_quartile: at(3),
            samples: seconds.len(),
        })
    }

    /// The distance between the quartiles, relative to the median.
    #[must_use]
    pub fn spread(&self) -> f64 {
        (self.third_quartile - self.first_quartile) / self.median
    }
}

impl Report {
    pub(super) fn new(threads: usize) -> Self {
        Self { format: FORMAT, threads, rows: Vec::new() }
    }

    /// The number of rows that failed, other than for want of time.
    #[must_use]
    pub fn failures(&self) -> usize {
        let failed = |row: &&Row| row.problem.as_ref().is_some_and(|it| it.starts_with("failed"));
        self.rows.iter().filter(failed).count()
    }

    /// Reads what [`Report::write`] wrote.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let fail = |problem: &dyn fmt::Display| format!("{}: {problem}", path.display());
        let text = fs::read_to_string(path).map_err(|error| fail(&error))?;
        let report: Self = serde_json::from_str(&text)
            .map_err(|error| fail(&format!("{error}; expected a file that --json wrote")))?;
        if report.format != FORMAT {
            return Err(fail(&format!("format {}, expected {FORMAT}", report.format)).into());
        }
        Ok(report)
    }

    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(write_atomic(path, text.as_bytes())?)
    }

    /// What the CPU could do during the run, as a line of text.
    fn machine(&self) -> String {
        let range = |name: &str, figure: fn(&Roofs) -> Option<f64>| {
            let figures = self.rows.iter().filter_map(|row| figure(row.roofs.as_ref()?));
            let mut figures: Vec<_> = figures.collect();
            figures.sort_by(f64::total_cmp);
            let [least, most] = [*figures.first()?, *figures.last()?].map(significant);
            Some(format!("; {name} {least} to {most}"))
        };
        let ranges = [
            range("read, GB/s:", |roofs| Some(roofs.read / 1e9)),
            range("f32, GFLOP/s:", |roofs| Some(roofs.f32 / 1e9)),
            range("bf16, GFLOP/s:", |roofs| Some(roofs.bf16? / 1e9)),
            range("int8, GFLOP/s:", |roofs| Some(roofs.int8? / 1e9)),
            range("CPU time of two threads, in threads:", |roofs| Some(roofs.two_threads)),
        ];
        let ranges = ranges.into_iter().flatten().collect::<String>();
        format!("CPU: {} threads{ranges}", self.threads)
    }

    /// Gives every row its speedup over the same case of an earlier run: on the same device, or if there is none, on the
    /// first device that has it.
    pub(super) fn compare(&mut self, earlier: &Self) {
        for row in &mut self.rows {
            let is_same = |other: &&Row| other.group == row.group && other.what == row.what;
            let mut others = earlier.rows.iter().filter(is_same).filter(|it| it.time.is_some());
            let same_device = others.clone().find(|other| other.device == row.device);
            let other = same_device.or_else(|| others.next());
            row.speedup = other.and_then(|other| {
                let ratio = other.time?.median / row.time?.median;
                Some(Speedup { ratio, device: other.device.clone() })
            });
        }
    }
}

/// The columns of the table.
const COLUMNS: [&str; 10] = [
    "group",
    "what",
    "device",
    "time (ms)",
    "spread (%)",
    "rate (1/s)",
    "GB/s",
    "GFLOP/s",
    "roof (GB/s or GFLOP/s)",
    "of roof (%)",
];
/// The column that a comparison adds.
const SPEEDUP: &str = "speedup (times)";
/// What stands where there is no figure.
const NONE: &str = "–";

impl Row {
    fn cells(&self) -> Vec<String> {
        let of = |value: Option<f64>, unit: f64| {
            value.map_or_else(|| NONE.to_owned(), |value| significant(value / unit))
        };
        let percent = |value: Option<f64>| {
            value.map_or_else(|| NONE.to_owned(), |it| format!("{:.0}", 100.0 * it))
        };
        let bound = self.bound.as_ref();
        let spread = self.time.filter(|time| time.samples > 1).map(|time| time.spread());
        vec![
            self.group.clone(),
            self.what.clone(),
            self.device.clone(),
            self.problem.clone().unwrap_or_else(|| of(self.time.map(|time| time.median), 1e-3)),
            percent(spread),
            self.rate.as_ref().map_or_else(
                || NONE.to_owned(),
                |rate| format!("{} {}", significant(rate.per_second), rate.unit),
            ),
            of(self.bytes_per_second, 1e9),
            of(self.operations_per_second, 1e9),
            bound.map_or_else(
                || NONE.to_owned(),
                |bound| format!("{} {}", bound.name, significant(bound.per_second / 1e9)),
            ),
            percent(bound.map(|bound| bound.share)),
        ]
    }

    /// The earlier device is named where it is another one.
    fn speedup_cell(&self) -> String {
        match &self.speedup {
            None => NONE.to_owned(),
            Some(speedup) if speedup.device == self.device => format!("{:.2}", speedup.ratio),
            Some(speedup) => format!("{:.2} ({})", speedup.ratio, speedup.device),
        }
    }
}

/// The table, in Markdown.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_compared = self.rows.iter().any(|row| row.speedup.is_some());
        let mut lines = vec![COLUMNS.map(str::to_owned).to_vec()];
        lines.extend(self.rows.iter().map(Row::cells));
        if is_compared {
            lines[0].push(SPEEDUP.to_owned());
            for (line, row) in lines[1..].iter_mut().zip(&self.rows) {
                line.push(row.speedup_cell());
            }
        }
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
        let widths: Vec<_> = (0..lines[0].len()).filter_map(width).collect();
        writeln!(f, "{}\n", self.machine())?;
        for (number, line) in lines.iter().enumerate() {
            for (cell, &width) in line.iter().zip(&widths) {
                write!(f, "| {cell:width$} ")?;
            }
            f.write_str("|\n")?;
            if number == 0 {
                for width in &widths {
                    write!(f, "|{}", "-".repeat(width + 2))?;
                }
                f.write_str("|\n")?;
            }
        }
        Ok(())
    }
}

/// Three significant digits.
fn significant(value: f64) -> String {
    match value {
        value if value < 1.0 => format!("{value:.3}"),
        value if value < 10.0 => format!("{value:.2}"),
        value if value < 100.0 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    }
}

/// A time in the unit that fits it.
pub(super) fn seconds(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{} ms", significant(1e3 * seconds))
    } else {
        format!("{seconds:.2} s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(what: &str, device: &str, median: f64) -> Row {
        Row {
            group: "kernels".to_owned(),
            what: what.to_owned(),
            device: device.to_owned(),
            time: Time::of(vec![median; 3], 1),
            rate: None,
            bytes_per_second: Some(2.5e9),
            operations_per_second: None,
            bound: None,
            roofs: None,
            problem: None,
            speedup: None,
        }
    }

    fn report(rows: Vec<Row>) -> Report {
        Report { rows, ..Report::new(2) }
    }

    #[test]
    fn quartiles_are_samples() {
        let time = Time::of(vec![5.0, 1.0, 2.0, 4.0, 3.0], 1).unwrap();
        assert_eq!((time.first_quartile, time.median, time.third_quartile), (2.0, 3.0, 4.0));
        assert_eq!(time.spread(), 2.0 / 3.0);
        assert_eq!(Time::of(vec![8.0], 4).unwrap().median, 2.0);
        assert!(Time::of(Vec::new(), 1).is_none());
    }

    #[test]
    fn compares_with_the_same_device_or_else_with_another() {
        let earlier =
            report(vec![row("a", "wgpu", 8.0), row("a", "flex", 4.0), row("b", "wgpu", 3.0)]);
        let mut now =
            report(vec![row("a", "flex", 2.0), row("b", "flex", 6.0), row("c", "flex", 1.0)]);
        now.compare(&earlier);
        let cells: Vec<_> = now.rows.iter().map(Row::speedup_cell).collect();
        assert_eq!(cells, ["2.00", "0.50 (wgpu)", NONE]);
        let table = now.to_string();
        assert!(table.contains(SPEEDUP) && table.contains("| 2000"), "{table}");
    }

    #[test]
    fn files_are_read_back_and_others_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        let report = report(vec![row("a", "flex", 0.125)]);
        report.write(&path).unwrap();
        assert_eq!(Report::read(&path).unwrap(), report);

        fs::write(&path, r#"{"format": 1, "threads": true}"#).unwrap();
        let error = Report::read(&path).unwrap_err().to_string();
        assert!(error.contains("report.json") && error.contains("line 1"), "{error}");
        fs::write(&path, r#"{"format": 9, "threads": 2, "rows": []}"#).unwrap();
        let error = Report::read(&path).unwrap_err().to_string();
        assert!(error.ends_with("format 9, expected 1"), "{error}");
        let error = Report::read(&folder.path().join("none.json")).unwrap_err().to_string();
        assert!(error.contains("none.json"), "{error}");
    }
}
