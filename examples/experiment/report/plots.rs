//! What is drawn.

use super::bars::{self, Group};
use super::lines::{self, Series};
use super::measured::Measured;
use super::tables::{KINDS, tried};

/// A plot with its file's name.
pub(super) struct Plot {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) svg: String,
}

const DOMAINS: [(&str, &str); 2] = [("test", "annotated domain"), ("unseen", "other domain")];

/// Every plot that there is something to draw in.
pub(super) fn all(measured: &Measured<'_>) -> Vec<Plot> {
    [scores(measured), steps(measured), before_and_after(measured)].into_iter().flatten().collect()
}

/// LLaVA-Eval under every condition, less the baseline.
fn scores(measured: &Measured<'_>) -> Option<Plot> {
    let conditions = [
        "conv-vig",
        "conv-vic",
        "detail-vig",
        "detail-vic",
        "complex-vig",
        "complex-vic",
        "all-vig",
        "all-vic",
        "other-vic",
        "replace-conv",
        "replace-detail",
        "replace-complex",
        "replace-all",
    ];
    let groups = [("llava", "LLaVA"), ("instructblip", "InstructBLIP")].into_iter().flat_map(
        |(student, shown)| {
            conditions.into_iter().filter_map(move |condition| {
                let values = DOMAINS.map(|(split, _)| {
                    measured.difference(student, condition, "none", &format!("{split}/all"))
                });
                let name = format!("{shown}, {}", named(condition));
                values[0].map(|_| Group { name, values: values.to_vec() })
            })
        },
    );
    let groups: Vec<_> = groups.collect();
    let title = "LLaVA-Eval: difference to annotated rows alone";
    let series = DOMAINS.map(|(_, name)| name);
    let svg = bars::draw(title, "points of the relative score, all categories", &series, &groups);
    (!groups.is_empty()).then_some(Plot { name: "scores.svg", title, svg })
}

/// A condition in words.
fn named(condition: &str) -> String {
    match condition.split_once('-') {
        Some(("replace", kind)) => format!("{kind} replaced"),
        Some(("other", _)) => "+ all, VIC, other domain".to_owned(),
        Some((kind, writer)) => format!("+ {kind}, {}", writer.to_uppercase()),
        None => condition.to_owned(),
    }
}

fn steps(measured: &Measured<'_>) -> Option<Plot> {
    let tried = tried(measured);
    let series = DOMAINS.map(|(split, name)| {
        let mean = |(condition, _): &(String, String)| {
            measured.mean("vigc", condition, &format!("{split}/false"))
        };
        Series { name: name.to_owned(), values: tried.iter().map(mean).collect() }
    });
    let names: Vec<_> = tried.iter().map(|(_, name)| name.clone()).collect();
    let title = "False sentences by number of correction steps";
    let svg = lines::draw(title, ["steps; 0 is VIG's draft", "%"], &names, &series);
    (!names.is_empty()).then_some(Plot { name: "steps.svg", title, svg })
}

fn before_and_after(measured: &Measured<'_>) -> Option<Plot> {
    let groups = DOMAINS.into_iter().flat_map(|(split, domain)| {
        KINDS.into_iter().filter_map(move |kind| {
            let metric = format!("{split}/{kind}/false");
            let values =
                ["steps-0", "steps-end"].map(|steps| measured.mean("vigc", steps, &metric));
            values[1].map(|_| Group { name: format!("{kind}, {domain}"), values: values.to_vec() })
        })
    });
    let groups: Vec<_> = groups.collect();
    let title = "False sentences before and after correction";
    let svg = bars::draw(title, "%", &["VIG's draft", "corrected until the model ends"], &groups);
    (!groups.is_empty()).then_some(Plot { name: "correction.svg", title, svg })
}
