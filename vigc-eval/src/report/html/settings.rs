//! Settings, one a line.

use maud::{Markup, html};
use serde_json::Value;

pub(super) fn list(settings: &Value) -> Markup {
    html! {
        dl class="settings" {
            @for (name, value) in flattened(settings) { dt { (name) } dd { (value) } }
        }
    }
}

/// Each value that is no object, with its name: the keys that lead to it, joined by dots.
pub(in crate::report) fn flattened(settings: &Value) -> Vec<(String, String)> {
    let mut values = Vec::new();
    flatten("", settings, &mut values);
    values
}

fn flatten(name: &str, value: &Value, values: &mut Vec<(String, String)>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                flatten(&name, value, values);
            }
        }
        Value::String(text) => values.push((name.to_owned(), text.clone())),
        Value::Null => {}
        other => values.push((name.to_owned(), other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_are_taken_apart_and_lists_are_not() {
        let settings = json!({"seed": 7, "decoding": {"strategy": {"beam": {"beams": 5}}, "eos_ids": [2]}, "none": null});
        let expected =
            [("seed", "7"), ("decoding.strategy.beam.beams", "5"), ("decoding.eos_ids", "[2]")];
        assert_eq!(flattened(&settings), expected.map(|(name, value)| (name.into(), value.into())));
    }
}
