//! What came out: tables beside the paper's, and plots.

#[path = "report/bars.rs"]
mod bars;
#[path = "report/lines.rs"]
mod lines;
#[path = "report/measured.rs"]
mod measured;
#[path = "report/outcome.rs"]
mod outcome;
#[path = "report/paper.rs"]
mod paper;
#[path = "report/plots.rs"]
mod plots;
#[path = "report/statistics.rs"]
mod statistics;
#[path = "report/svg.rs"]
mod svg;
#[path = "report/table.rs"]
mod table;
#[path = "report/tables.rs"]
mod tables;

pub(crate) use outcome::Outcome;

use measured::Measured;
use table::Table;

/// Tables and plots of everything that was measured.
pub(crate) struct Report {
    tables: Vec<Table>,
    plots: Vec<plots::Plot>,
}

impl Report {
    pub(crate) fn new(outcomes: &[Outcome]) -> Self {
        let measured = Measured::new(outcomes);
        Self { tables: tables::all(&measured), plots: plots::all(&measured) }
    }

    /// For the terminal.
    pub(crate) fn to_text(&self) -> String {
        self.tables.iter().map(Table::to_text).collect::<Vec<_>>().join("\n")
    }

    /// The tables, and the plots as files in the folder `experiment`.
    pub(crate) fn to_markdown(&self) -> String {
        let tables = self.tables.iter().map(Table::to_markdown);
        let plots =
            self.plots.iter().map(|plot| format!("![{}](experiment/{})\n", plot.title, plot.name));
        tables.chain(plots).collect::<Vec<_>>().join("\n")
    }

    /// File names and contents.
    pub(crate) fn plots(&self) -> impl Iterator<Item = (&str, &str)> {
        self.plots.iter().map(|plot| (plot.name, plot.svg.as_str()))
    }
}

#[cfg(test)]
#[path = "report/tests.rs"]
mod tests;
