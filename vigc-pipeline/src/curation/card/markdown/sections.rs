//! The sections of a card.

use super::super::{Card, Corrections, Distribution, Example, Frequent, GateReport};
use super::table::{percent, plain, size, table};
use crate::curation::export::{ExportFormat, Written};

/// Title and what it is.
pub(super) fn head(card: &Card) -> Option<String> {
    let models = card.models.iter().map(|model| plain(&model.model)).collect::<Vec<_>>();
    let license = card.about.license.as_deref();
    Some(format!(
        "# {}\n\n{} questions with answers about {} pictures, written by {} with VIGC \
         ([Visual Instruction Generation and Correction](https://arxiv.org/abs/2308.12714)): a model asks and answers, \
         then corrects its answer against the picture. No person has checked them.\n\nLicence: {}.\n",
        plain(&card.about.title),
        card.rows.kept,
        card.pictures,
        if models.is_empty() { "a model".to_owned() } else { distinct(models).join(", ") },
        license.map_or_else(|| "none was given".to_owned(), plain),
    ))
}

fn distinct(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}

/// Rows by task.
pub(super) fn tasks(card: &Card) -> Option<String> {
    let columns = [
        "task",
        "#rows",
        "#pictures",
        "#words of questions",
        "#words of answers",
        "#sentences of answers",
    ];
    let rows = card.tasks.iter().map(|task| {
        let texts = [task.question_words, task.answer_words, task.answer_sentences].map(spread);
        let counts =
            [task.task.name().to_owned(), task.rows.to_string(), task.pictures.to_string()];
        counts.into_iter().chain(texts).collect()
    });
    let note =
        "Words and sentences: the median, and in brackets what all but a tenth lie between.\n";
    Some(format!("## Rows\n\n{}\n{note}", table(&columns, rows)))
}

/// The median, with the range that all but a tenth of the numbers lie in.
fn spread(numbers: Distribution) -> String {
    format!("{} [{}, {}]", numbers.median, numbers.p5, numbers.p95)
}

/// What was left out.
pub(super) fn gates(card: &Card) -> Option<String> {
    let columns = ["gate", "#in", "#dropped", "#out", "#not judged", "reasons"];
    let rows = card.gates.iter().map(|gate| match gate.enabled {
        true => gate_row(gate),
        false => [&gate.gate, "off", "", "", "", ""].map(str::to_owned).into(),
    });
    let counts = card.rows;
    let mut text = format!(
        "## Gates\n\n{} of {} rows were kept ({}). Gates were asked in this order; a row is counted where the first of \
         them dropped it. Rows that lack what a gate is about pass it, and are not judged. The dropped rows are in \
         `dropped.jsonl`, the thresholds in `card.json`.\n\n{}\n",
        counts.kept,
        counts.read,
        percent(counts.kept, counts.read),
        table(&columns, rows),
    );
    if !card.origin.rejected.is_empty() || card.origin.skipped > 0 {
        let rejected =
            card.origin.rejected.iter().map(|(reason, count)| format!("{count} ({reason})"));
        let rejected = rejected.collect::<Vec<_>>().join(", ");
        let rejected = if rejected.is_empty() { "none".to_owned() } else { rejected };
        let skipped = card.origin.skipped;
        text += &format!(
            "Before there were rows, the model's texts that were no question with an answer were rejected: {rejected}; \
             {skipped} files could not be read as pictures.\n\n"
        );
    }
    let dropped = card.gates.iter().flat_map(|gate| &gate.examples);
    let rows = dropped.map(|row| {
        [&row.reason, &row.detail, &row.question, &row.answer].map(|text| plain(text)).into()
    });
    let rows = rows.collect::<Vec<_>>();
    if !rows.is_empty() {
        text += &format!(
            "Dropped, for example:\n\n{}",
            table(&["reason", "found", "question", "answer"], rows)
        );
    }
    Some(text)
}

fn gate_row(gate: &GateReport) -> Vec<String> {
    let reasons = gate.reasons.iter().map(|(reason, count)| format!("{} {count}", plain(reason)));
    vec![
        gate.gate.clone(),
        gate.checked.to_string(),
        gate.dropped.to_string(),
        (gate.checked - gate.dropped).to_string(),
        gate.not_judged.to_string(),
        reasons.collect::<Vec<_>>().join(", "),
    ]
}

/// What the correction did.
pub(super) fn corrections(card: &Card) -> Option<String> {
    let counts = &card.corrections;
    let Corrections { corrected, changed, kept_sentences, changed_sentences, .. } = counts;
    if *corrected == 0 {
        return None;
    }
    let draft = kept_sentences + changed_sentences + counts.removed_sentences;
    let answer = kept_sentences + changed_sentences + counts.added_sentences;
    let sentences = [
        (
            "kept",
            *kept_sentences,
            percent(*kept_sentences, draft),
            percent(*kept_sentences, answer),
        ),
        (
            "changed",
            *changed_sentences,
            percent(*changed_sentences, draft),
            percent(*changed_sentences, answer),
        ),
        (
            "removed",
            counts.removed_sentences,
            percent(counts.removed_sentences, draft),
            String::new(),
        ),
        ("added", counts.added_sentences, String::new(), percent(counts.added_sentences, answer)),
    ];
    let sentences = sentences.into_iter().map(|(name, count, draft, answer)| {
        vec![name.to_owned(), count.to_string(), draft, answer]
    });
    let stops = counts.stops.iter().map(|(stop, count)| vec![plain(stop), count.to_string()]);
    let mut text = format!(
        "## Correction\n\n{corrected} rows were corrected; the answers of {changed} ({}) differ from their drafts in more \
         than punctuation.\n\n{}\n{}",
        percent(*changed, *corrected),
        table(&["sentences", "#number", "#of the drafts'", "#of the answers'"], sentences),
        table(&["why the answer ended", "#rows"], stops),
    );
    if let Some(found) = card.log_prob_per_token {
        let quantiles =
            [found.min, found.p5, found.p25, found.median, found.p75, found.p95, found.max];
        let quantiles = quantiles.map(|number| format!("{number:.2}"));
        let columns = [
            "log-probability per token",
            "#min",
            "#5 %",
            "#25 %",
            "#median",
            "#75 %",
            "#95 %",
            "#max",
        ];
        let row = [format!("{} rows", found.count)].into_iter().chain(quantiles).collect();
        text += &format!("\n{}", table(&columns, [row]));
    }
    Some(text)
}

/// What is asked.
pub(super) fn questions(card: &Card) -> Option<String> {
    let list = |frequent: &[Frequent]| {
        let row = |Frequent { text, rows }: &Frequent| {
            vec![plain(text), rows.to_string(), percent(*rows, card.rows.kept)]
        };
        frequent.iter().map(row).collect::<Vec<_>>()
    };
    let mut text = format!(
        "## Questions\n\n{} different questions, with {} different first words.\n\n{}",
        card.distinct_questions,
        card.distinct_first_words,
        table(&["first word", "#rows", "#share"], list(&card.first_words)),
    );
    if !card.frequent_questions.is_empty() {
        let questions =
            table(&["asked most often", "#rows", "#share"], list(&card.frequent_questions));
        text += &format!("\n{questions}");
    }
    Some(text)
}

/// Some rows.
pub(super) fn examples(card: &Card) -> Option<String> {
    let rows = card.examples.iter().map(|row| {
        let Example { image_id, task, question, draft, answer } = row;
        vec![plain(image_id), task.name().to_owned(), plain(question), plain(draft), plain(answer)]
    });
    let columns = ["picture", "task", "question", "draft", "answer"];
    (!card.examples.is_empty()).then(|| format!("## Examples\n\n{}", table(&columns, rows)))
}

/// What rows were made with.
pub(super) fn models(card: &Card) -> Option<String> {
    let blocks = card.models.iter().map(|model| {
        let settings = serde_json::to_string_pretty(&model.settings).unwrap_or_default();
        format!("{}: {} rows\n\n```json\n{settings}\n```\n", plain(&model.model), model.rows)
    });
    Some(format!("## Model and settings\n\n{}", blocks.collect::<Vec<_>>().join("\n")))
}

/// What files there are and how they are read.
pub(super) fn files(card: &Card) -> Option<String> {
    let rows = card.files.iter().map(|written| {
        let Written { format, files, bytes, .. } = written;
        let files = match files.as_slice() {
            [first, .., last] => format!("`{first}` … `{last}`"),
            files => files.iter().map(|file| format!("`{file}`")).collect(),
        };
        vec![format.name().to_owned(), files, size(*bytes)]
    });
    let has = |format| card.files.iter().any(|written| written.format == format);
    let columns =
        if has(ExportFormat::Parquet) { "image, question, answer, …" } else { "the rows" };
    let mut text = format!(
        "## Files\n\n{}\n```python\nfrom datasets import load_dataset\n\nrows = load_dataset(\"path/of/this/folder\", \
         split=\"train\")  # or the name on the hub\nrows[0]  # {columns}\n```\n",
        table(&["format", "files", "#size"], rows),
    );
    if has(ExportFormat::Llava) {
        text += "\nLLaVA: `--data_path llava.json --image_folder` the folder of the pictures.\n";
    }
    Some(text)
}

/// What the data set is not.
pub(super) fn limits(card: &Card) -> Option<String> {
    let mut limits = vec![
        "Answers can be wrong, and questions can be about things that are not in the picture. The model that corrects is \
         the model that wrote: what it gets wrong twice stays.",
        "The gates read texts. They find what is malformed, repeated, too short or too long, or unlikely to the model, not \
         what is false.",
        "Texts are English. Whatever bias the model and the pictures have, these rows have, too.",
    ];
    if card.models.iter().any(|model| model.model == "vigc-mini") {
        limits.push("`vigc-mini` knows nothing but rendered scenes; what it says about other pictures means nothing.");
    }
    let lines = limits.into_iter().map(|limit| format!("- {limit}\n")).collect::<String>();
    Some(format!("## Limits\n\n{lines}"))
}
