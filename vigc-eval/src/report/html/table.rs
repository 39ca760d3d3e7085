//! Tables that readers can sort, below their plots.

use maud::{Markup, html};

use crate::report::number::Column;
use crate::report::plot::Plot;
use crate::report::{Cell, Table, TableRow};

/// Widths of plots on a desk and on a phone, in pixels.
const WIDTHS: [(u32, &str); 2] = [(900, "wide"), (380, "narrow")];

pub(super) fn table_with_plots(table: &Table, plots: &[Plot]) -> Markup {
    html! {
        @for plot in plots {
            figure {
                @if plot.title != table.title { figcaption { (caption(plot, table)) } }
                @for (width, class) in WIDTHS { (plot.drawing(width, Some(class))) }
            }
        }
        div class="scroll" { (table_alone(table)) }
    }
}

/// What a plot's title says beyond that of its table.
fn caption<'a>(plot: &'a Plot, table: &Table) -> &'a str {
    let rest = plot.title.strip_prefix(&table.title).and_then(|rest| rest.strip_prefix(": "));
    rest.unwrap_or(&plot.title)
}

fn table_alone(table: &Table) -> Markup {
    let columns: Vec<Column> =
        (0..table.columns.len()).map(|index| Column::of(table, index)).collect();
    html! {
        table {
            thead {
                tr {
                    th scope="col" { button { "Name" } }
                    @for column in &columns {
                        th scope="col" class=[column.is_of_counts.then_some("count")] { button { (column.heading) } }
                    }
                }
            }
            tbody { @for row in &table.rows { (table_row(row, &columns)) } }
        }
    }
}

fn table_row(row: &TableRow, columns: &[Column]) -> Markup {
    html! {
        tr {
            th scope="row" { (row.name) }
            @for (index, column) in columns.iter().enumerate() {
                @match row.cells.get(index) {
                    Some(cell) => (table_cell(cell, column)),
                    None => td {},
                }
            }
        }
    }
}

fn table_cell(cell: &Cell, column: &Column) -> Markup {
    let parts = column.parts(cell);
    let (class, sort) = match cell {
        Cell::Estimate { estimate, .. } => {
            (None, Some(estimate.value.map_or_else(String::new, |value| value.to_string())))
        }
        Cell::Count(count) => (column.is_of_counts.then_some("count"), Some(count.to_string())),
        Cell::Text(_) => (Some("text"), None),
    };
    html! {
        td class=[class] data-sort=[sort] {
            (parts.value)
            @if let Some([low, high]) = &parts.interval {
                span class="interval" { "[" (low) ", " (high) "]" }
            }
        }
    }
}
