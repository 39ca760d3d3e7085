//! Marks of answers that are known to be better or worse.

use super::super::grammar::sentences;
use super::super::judge;
use super::super::noun::Noun;
use super::super::{Dialogue, Scene, Split, Teller};

/// Scenes with a question and its answer of each kind.
fn told() -> impl Iterator<Item = (Scene, String, String)> {
    (0..300).flat_map(|seed| {
        let scene = Scene::sample(Split::Test, seed);
        Dialogue::ALL.map(|dialogue| {
            let told = Teller::new(&scene, Split::Test, seed).dialogue(dialogue);
            (scene.clone(), told.question, told.answer)
        })
    })
}

#[test]
fn the_reference_gets_ten_and_nothing_gets_one() {
    for (scene, question, answer) in told() {
        let merits = scene.merits(&question, &answer, &answer);
        assert!(merits.statements > 0, "{answer}");
        assert_eq!(merits.mark(), 10.0, "{question} {answer} {merits:?}");
        assert_eq!(scene.merits(&question, &answer, "").mark(), 1.0);
        assert_eq!(scene.merits(&question, &answer, "Colorless ideas sleep.").mark(), 1.0);
    }
}

#[test]
fn false_sentences_and_gaps_cost_and_more_that_is_true_does_not() {
    let mut beside = 0.0;
    for (scene, question, answer) in told() {
        let mark = |text: &str| scene.merits(&question, &answer, text).mark();
        let wrong = ["two", "three"][usize::from(scene.objects.len() == 2)];
        let wrong = format!("There are {wrong} objects.");
        assert!(mark(&format!("{answer} {wrong}")) < 10.0, "{answer} {wrong}");
        assert_eq!(mark(&wrong), 1.0, "{wrong}");
        let background = format!("The background is a {}.", scene.background.name());
        assert_eq!(mark(&format!("{answer} {background}")), 10.0, "{background}");
        let first = sentences(&answer).next().unwrap_or_default().to_owned();
        assert!(mark(&first) > 1.0 && mark(&first) <= 10.0, "{first}");
        beside += mark(&background);
    }
    // What is true but was not asked for.
    assert!(beside / 900.0 < 2.5, "{}", beside / 900.0);
}

#[test]
fn other_words_for_the_same_count_as_much() {
    let scene = Scene::sample(Split::Test, 3);
    let object = &scene.objects[0];
    let noun = Noun::full(object);
    let question = "What can you say about this?";
    let long = format!("There is {}.", noun.a());
    let parts = format!(
        "There is {}. It is {}. It is {}.",
        noun.without_color().without_size().a(),
        object.color.name(),
        object.size.name()
    );
    assert_eq!(scene.merits(question, &long, &parts).mark(), 10.0, "{long} {parts}");
}

/// A large red car on the left, a small blue key in the middle, a large blue cup on the right and a small red car
/// at the bottom.
fn mark(question: &str, reference: &str, answer: &str) -> f64 {
    judge::tests::scene().merits(question, reference, answer).mark()
}

#[test]
fn what_follows_is_told_and_what_does_not_is_not() {
    // Question, reference, an answer that says it, and one that is true and does not.
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
    for (question, reference, right, beside) in cases {
        assert_eq!(mark(question, reference, reference), 10.0, "{reference}");
        assert_eq!(mark(question, reference, right), 10.0, "{reference} {right}");
        assert_eq!(mark(question, reference, beside), 1.0, "{reference} {beside}");
    }
}

#[test]
fn saying_it_again_does_not_make_up_for_what_is_false() {
    let (question, reference) = ("What color is the key?", "The key is blue. It is small.");
    let once = "The key is blue. There are no objects.";
    let again = format!("{once} {}", "It is blue. The key is blue. ".repeat(4));
    assert_eq!(mark(question, reference, &again), mark(question, reference, once));
    assert_eq!(mark(question, reference, &format!("{reference} It is small.")), 10.0);
}
