//! The suite with a model that knows the scenes.

use super::*;

const SEED: u64 = 5;
const COUNT: usize = 24;

fn scenes() -> Scenes {
    Scenes::new(COUNT).with_seed(SEED).with_side(32).with_batch(5).with_questions(8)
}

/// Answers of a model that knows the scenes. VIG adds a false sentence to every second draft, and sometimes writes no row.
/// VIC never errs. The answers in one step are always the same, and so are the short ones.
fn answers(scenes: &Scenes) -> HashMap<String, String> {
    let mut answers = HashMap::new();
    let mut calls = 0;
    for picture in scenes.groups().flatten() {
        let seed = vigc_scenes::scene_seed(SEED, picture.index as u64);
        let told = |dialogue| {
            vigc_scenes::Teller::new(&picture.scene, picture.split, seed).dialogue(dialogue)
        };
        for dialogue in Dialogue::ALL {
            calls += 1;
            let told = told(dialogue);
            let lie = if calls % 2 == 0 { "There are no objects." } else { "" };
            let text = match calls % 12 {
                0 => "no row".to_owned(),
                _ => format!("Question: {} Answer: {} {lie}", told.question, told.answer),
            };
            answers.insert(picture.id(dialogue, Writer::Vig), text);
            if calls % 12 != 0 {
                answers.insert(picture.id(dialogue, Writer::Vic), told.answer);
                answers.insert(picture.id(dialogue, Writer::Once), "I do not know.".to_owned());
            }
        }
        for number in 0..picture.questions.len() {
            answers.insert(picture.vqa_id(number), "Yes.".to_owned());
        }
    }
    answers
}

#[test]
fn a_model_that_knows_is_told_from_one_that_lies() {
    let report = scenes().score(&answers(&scenes())).unwrap();
    for split in ["test", "unseen"] {
        let found = &report.splits[split];
        let overall = &found.overall;
        assert_eq!(overall.images, 3 * COUNT);
        let valid = overall.valid_rows.value.unwrap();
        assert!((0.85..1.0).contains(&valid), "{valid}");
        assert_eq!(overall.questions.sound.value, Some(1.0));
        assert!(overall.questions.distinct_share.unwrap() > 0.8);
        assert!(overall.vig.false_sentences.low.unwrap() > 0.0);
        assert_eq!(overall.vig.unparsed_sentences.value, Some(0.0));
        assert_eq!(overall.vic.false_sentences.value, Some(0.0));
        assert_eq!(overall.vic_over_vig.value, Some(0.0));
        assert!(overall.vic.false_sentences.is_below(&overall.vig.false_sentences));
        assert_eq!(overall.one_shot.unparsed_sentences.value, Some(1.0));
        assert!(overall.one_shot_over_vig.low.unwrap() > 1.0);
        let yes = found.vqa.kinds["yes_no"].value.unwrap();
        assert!((0.2..0.8).contains(&yes), "{yes}");
        assert_eq!(found.vqa.kinds["color"].value, Some(0.0));
        assert_eq!(found.dialogues.len(), 3);
    }
    let findings = report.findings();
    assert_eq!(findings.metrics[1].name, "false sentences of VIC (test)");
    assert_eq!(findings.metrics[1].estimate, report.splits["test"].overall.vic.false_sentences);
    let mut rows =
        findings.tables.iter().flat_map(|table| table.rows.iter().map(move |row| (table, row)));
    assert!(rows.all(|(table, row)| row.cells.len() == table.columns.len()));
    assert!(findings.details.unwrap()["splits"]["test"]["overall"].is_object());
}

#[test]
fn follow_up_queries_are_about_valid_drafts() {
    let (scenes, answers) = (scenes(), answers(&scenes()));
    let queries = scenes.queries();
    assert_eq!(queries.len(), 2 * COUNT * (3 + 8));
    let first = scenes.follow_ups(&HashMap::new()).unwrap();
    assert!(first.is_empty());
    let more = scenes.follow_ups(&answers).unwrap();
    assert_eq!(queries.len() + more.len(), answers.len());
    assert!(queries.iter().chain(&more).all(|query| answers.contains_key(&query.id)));
    let (vic, once): (Vec<_>, Vec<_>) = more.iter().partition(|query| query.id.ends_with("/vic"));
    assert_eq!(vic.len(), once.len());
    let AnswerMode::Correct { question, draft } = &vic[0].mode else { panic!("{:?}", vic[0]) };
    assert!(answers[&vic[0].id.replace("/vic", "/vig")].contains(draft.as_str()));
    assert!(once[0].prompt.contains(question.as_str()) && once[0].mode == AnswerMode::Generate);
    assert_eq!(vic[0].image, queries[0].image);
}

#[test]
fn missing_and_unknown_answers_are_errors() {
    let (scenes, mut answers) = (scenes(), answers(&scenes()));
    answers.remove("test/0/detail/vic").unwrap();
    let error = scenes.score(&answers).unwrap_err().to_string();
    assert!(error.contains("1 of") && error.contains("\"test/0/detail/vic\""), "{error}");
    answers.insert("test/99/detail/vic".to_owned(), String::new());
    let error = scenes.score(&answers).unwrap_err().to_string();
    assert!(error.contains("\"test/99/detail/vic\""), "{error}");
}
