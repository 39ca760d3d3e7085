//! Scores of answers that are known to be better or worse.

use crate::grammar::sentences;
use crate::noun_phrase::NounPhrase;
use crate::tests;
use crate::{Dialogue, QuestionAnswer, Scene, Split, Teller};

/// Scenes with a question and its answer of each kind.
fn references() -> impl Iterator<Item = (Scene, QuestionAnswer)> {
    (0..300).flat_map(|seed| {
        let scene = Scene::sample(Split::Test, seed);
        Dialogue::ALL.map(|dialogue| {
            let reference = Teller::new(&scene, Split::Test, seed).dialogue(dialogue);
            (scene.clone(), reference)
        })
    })
}

#[test]
fn the_reference_gets_ten_and_nothing_gets_one() {
    for (scene, reference) in references() {
        let score = scene.score_answer(&reference, &reference.answer);
        assert!(score.statements > 0, "{reference:?}");
        assert_eq!(score.points(), 10.0, "{reference:?} {score:?}");
        for answer in ["", "Colorless ideas sleep."] {
            assert_eq!(scene.score_answer(&reference, answer).points(), 1.0);
        }
    }
}

#[test]
fn false_sentences_and_gaps_cost_points_and_additional_true_ones_do_not() {
    let mut off_topic = 0.0;
    for (scene, reference) in references() {
        let points = |text: &str| scene.score_answer(&reference, text).points();
        let answer = &reference.answer;
        let wrong = ["two", "three"][usize::from(scene.objects.len() == 2)];
        let wrong = format!("There are {wrong} objects.");
        assert!(points(&format!("{answer} {wrong}")) < 10.0, "{answer} {wrong}");
        assert_eq!(points(&wrong), 1.0, "{wrong}");
        let background = format!("The background is a {}.", scene.background.name());
        assert_eq!(points(&format!("{answer} {background}")), 10.0, "{background}");
        let first = sentences(answer).next().unwrap_or_default().to_owned();
        assert!(points(&first) > 1.0 && points(&first) <= 10.0, "{first}");
        off_topic += points(&background);
    }
    // True sentences about something else are worth little.
    assert!(off_topic / 900.0 < 2.5, "{}", off_topic / 900.0);
}

#[test]
fn the_wording_does_not_matter() {
    let scene = Scene::sample(Split::Test, 3);
    let object = &scene.objects[0];
    let noun = NounPhrase::full(object);
    let question = "What can you say about this?".to_owned();
    let reference = QuestionAnswer { question, answer: format!("There is {}.", noun.a()) };
    let parts = format!(
        "There is {}. It is {}. It is {}.",
        noun.without_color().without_size().a(),
        object.color.name(),
        object.size.name()
    );
    assert_eq!(scene.score_answer(&reference, &parts).points(), 10.0, "{reference:?} {parts}");
}

/// A large red car on the left, a small blue key in the middle, a large blue cup on the right and a small red car
/// at the bottom.
fn points(question: &str, reference: &str, answer: &str) -> f64 {
    let (question, reference) = (question.to_owned(), reference.to_owned());
    let reference = QuestionAnswer { question, answer: reference };
    tests::scene().score_answer(&reference, answer).points()
}

#[test]
fn implied_statements_are_covered_and_others_are_not() {
    // Question, reference answer, an answer that says the same, and one that is true and does not.
    let cases = [
        ("What color is the key?", "The key is blue.", "It is blue.", "The key is not red."),
        ("Is the key red?", "No, the key is not red.", "The key is blue.", "The key is not green."),
        (
            "Where is the key?",
            "The key is above the small red car.",
            "The small red car is below it.",
            "The key is next to the small red car.",
        ),
        (
            "What is behind the key?",
            "Behind the key there is a night sky.",
            "The background is a night sky.",
            "There is a blue key.",
        ),
        ("Is there a lamp?", "No, there is no lamp.", "There is no lamp.", "There is no banana."),
        (
            "Is the cup larger than the key?",
            "Yes, the cup is larger than the key.",
            "The key is smaller than the cup.",
            "The cup and the key have different sizes.",
        ),
    ];
    for (question, reference, right, off_topic) in cases {
        assert_eq!(points(question, reference, reference), 10.0, "{reference}");
        assert_eq!(points(question, reference, right), 10.0, "{reference} {right}");
        assert_eq!(points(question, reference, off_topic), 1.0, "{reference} {off_topic}");
    }
}

#[test]
fn repetitions_do_not_make_up_for_false_sentences() {
    let (question, reference) = ("What color is the key?", "The key is blue. It is small.");
    let once = "The key is blue. There are no objects.";
    let again = format!("{once} {}", "It is blue. The key is blue. ".repeat(4));
    assert_eq!(points(question, reference, &again), points(question, reference, once));
    assert_eq!(points(question, reference, &format!("{reference} It is small.")), 10.0);
}
