//! A table as text and as Markdown.

/// Cells in rows, the first column a name.
#[derive(Debug)]
pub(super) struct Table {
    title: String,
    note: String,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(title: &str, note: &str, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|&column| column.to_owned()).collect();
        Self { title: title.to_owned(), note: note.to_owned(), columns, rows: Vec::new() }
    }

    pub(super) fn push(&mut self, name: &str, cells: impl IntoIterator<Item = String>) {
        self.rows.push([name.to_owned()].into_iter().chain(cells).collect());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn widths(&self) -> Vec<usize> {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            let widths = cells.chain([&self.columns[column]]).map(|cell| cell.chars().count());
            widths.max().unwrap_or(0)
        };
        (0..self.columns.len()).map(width).collect()
    }

    pub(super) fn to_text(&self) -> String {
        let widths = self.widths();
        let line = |cells: &[String]| {
            let padded = cells.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
                let fill = " ".repeat(width - cell.chars().count());
                if column == 0 { format!("{cell}{fill}") } else { format!("{fill}{cell}") }
            });
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
        };
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        format!("{}\n{}{rows}{}\n", self.title, line(&self.columns), self.note)
    }

    pub(super) fn to_markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let rule = "|---".repeat(self.columns.len());
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        format!("### {}\n\n{}{rule}|\n{rows}\n{}\n", self.title, line(&self.columns), self.note)
    }
}
