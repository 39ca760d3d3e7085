//! Markdown's tables, and texts that cannot break out of them.

use std::fmt::Write;

/// A table. Columns whose title begins with `#` are aligned to the right, without the `#`.
pub(super) fn table(columns: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let titles = columns.iter().map(|column| column.trim_start_matches('#'));
    let marks = columns.iter().map(|column| if column.starts_with('#') { "---:" } else { "---" });
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(&titles.map(str::to_owned).collect::<Vec<_>>());
    text += &line(&marks.map(str::to_owned).collect::<Vec<_>>());
    rows.into_iter().for_each(|cells| text += &line(&cells));
    text
}

/// A text of a row as plain text in Markdown: what would be markup is escaped, lines are joined.
pub(super) fn plain(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '~' | '$' | '#' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped
}

/// A part of a whole, such as `12.3 %`.
pub(super) fn percent(part: u64, whole: u64) -> String {
    match whole {
        0 => "–".to_owned(),
        whole => format!("{:.1} %", 100.0 * part as f64 / whole as f64),
    }
}

/// A number of bytes.
pub(super) fn size(bytes: u64) -> String {
    let mut text = String::new();
    let (mut number, mut unit) = (bytes as f64, "B");
    for larger in ["kB", "MB", "GB", "TB"] {
        if number >= 1000.0 {
            (number, unit) = (number / 1000.0, larger);
        }
    }
    let digits = usize::from(unit != "B");
    // Writing to a string cannot fail.
    let _ = write!(text, "{number:.digits$} {unit}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_in_their_cells() {
        assert_eq!(plain("a|b\n <image> *c*  `d`"), r"a\|b &lt;image> \*c\* \`d\`");
        let text = table(&["a", "#b"], [vec![plain("x|y"), "1".to_owned()]]);
        assert_eq!(text, "| a | b |\n| --- | ---: |\n| x\\|y | 1 |\n");
    }

    #[test]
    fn sizes_and_shares_are_short() {
        let found = [0, 999, 1000, 1_234_567].map(size);
        assert_eq!(found, ["0 B", "999 B", "1.0 kB", "1.2 MB"]);
        assert_eq!((percent(1, 8), percent(0, 0)), ("12.5 %".to_owned(), "–".to_owned()));
    }
}
