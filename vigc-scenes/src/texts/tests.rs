use std::collections::BTreeSet;

use crate::noun_phrase::Group;
use crate::{
    Color, Dialogue, Judgment, Kind, QuestionAnswer, QuestionJudgment, Scene, Split, Teller,
    VqaKind, is_held_out, parse_question, parse_sentence, sentences,
};

const SCENES: u64 = 400;

fn scenes() -> impl Iterator<Item = (Split, u64, Scene)> {
    Split::ALL
        .into_iter()
        .flat_map(|split| (0..SCENES).map(move |seed| (split, seed, Scene::sample(split, seed))))
}

fn dialogues(scene: &Scene, split: Split, seed: u64) -> Vec<QuestionAnswer> {
    let mut teller = Teller::new(scene, split, seed);
    Dialogue::ALL.iter().flat_map(|&dialogue| [dialogue; 3]).map(|d| teller.dialogue(d)).collect()
}

#[test]
fn all_texts_are_true() {
    for (split, seed, scene) in scenes() {
        for told in dialogues(&scene, split, seed) {
            assert_eq!(scene.judge_question(&told.question), QuestionJudgment::Sound, "{told:?}");
            let judged = scene.judge_answer(&told.question, &told.answer);
            assert!(judged.iter().all(Judgment::is_true), "{told:?}: {judged:?}\n{scene:?}");
            assert!((1..=6).contains(&judged.len()), "{told:?}");
        }
    }
}

#[test]
fn answers_to_questions_with_a_false_premise_are_true() {
    for (split, seed, scene) in scenes() {
        let mut teller = Teller::new(&scene, split, seed);
        for told in Dialogue::ALL.map(|dialogue| teller.false_premise(dialogue)) {
            let judged = scene.judge_question(&told.question);
            assert!(matches!(judged, QuestionJudgment::Missing(_)), "{told:?}: {judged:?}");
            let judged = scene.judge_answer(&told.question, &told.answer);
            assert!(judged.iter().all(Judgment::is_true), "{told:?}: {judged:?}\n{scene:?}");
            assert!(told.answer.starts_with("There is no "), "{told:?}");
        }
    }
}

#[test]
fn distinctive_objects_are_preferred() {
    let alone = |scene: &Scene, question: &str| {
        let named = parse_question(question).unwrap().presupposed;
        let colors: Vec<_> = named.iter().filter_map(|noun| noun.color).collect();
        colors.iter().filter(|&&color| scene.count(&Group::of_color(color)) == 1).count() * 100
            / colors.len().max(1)
    };
    let (mut before, mut after) = (0, 0);
    for (split, seed, scene) in scenes().filter(|(.., scene)| scene.objects.len() > 3) {
        let mut teller = Teller::new(&scene, split, seed);
        before += alone(&scene, &teller.detail().question);
        let told = teller.about_distinctive_objects().detail();
        assert_eq!(scene.judge_question(&told.question), QuestionJudgment::Sound, "{told:?}");
        after += alone(&scene, &told.question);
    }
    assert!(after * 10 > before * 15, "{before} {after}");
}

#[test]
fn captions_are_true() {
    for (split, seed, scene) in scenes() {
        let caption = Teller::new(&scene, split, seed).caption();
        let said = parse_sentence(&caption).unwrap();
        assert!(said.len() >= scene.objects.len());
        assert!(said.iter().all(|claim| scene.is_true(claim)), "{caption}");
    }
}

#[test]
fn short_questions_are_sound_and_yes_is_as_frequent_as_no() {
    let mut yes = 0i64;
    let mut no = 0i64;
    for (split, seed, scene) in scenes() {
        let mut teller = Teller::new(&scene, split, seed);
        for item in VqaKind::ALL.into_iter().filter_map(|kind| teller.vqa_of(kind)) {
            assert_eq!(scene.judge_question(&item.question), QuestionJudgment::Sound, "{item:?}");
            if item.kind == VqaKind::YesNo {
                *if item.answers[0] == "yes" { &mut yes } else { &mut no } += 1;
            } else if item.kind != VqaKind::Size {
                assert_eq!(item.choices.len(), 4, "{item:?}");
                assert_eq!(item.choices[item.correct_choice_idx], item.answers[0]);
                assert_eq!(item.choices.iter().collect::<BTreeSet<_>>().len(), 4);
            }
        }
    }
    assert!((yes - no).abs() * 10 < yes + no, "{yes} yes and {no} no");
}

#[test]
fn training_texts_never_name_what_is_held_out() {
    for seed in 0..SCENES {
        let scene = Scene::sample(Split::Train, seed);
        let mut teller = Teller::new(&scene, Split::Train, seed);
        let mut text = teller.caption();
        let false_premise = Dialogue::ALL.map(|dialogue| teller.false_premise(dialogue));
        for told in dialogues(&scene, Split::Train, seed).into_iter().chain(false_premise) {
            text = format!("{text} {} {}", told.question, told.answer);
        }
        for _ in 0..20 {
            text = format!("{text} {}", teller.vqa().question);
        }
        let words: Vec<&str> = text.split(|c: char| !c.is_alphabetic()).collect();
        for pair in words.windows(2) {
            for kind in Kind::ALL.into_iter().filter(|kind| kind.name() == pair[1]) {
                for color in Color::ALL {
                    let named = color.name() == pair[0];
                    assert!(!named || !is_held_out(kind, color), "{pair:?}");
                }
            }
        }
    }
}

#[test]
fn the_vocabulary_is_small() {
    let mut words = BTreeSet::new();
    let mut lengths = Vec::new();
    for (split, seed, scene) in scenes() {
        for told in dialogues(&scene, split, seed) {
            let text = format!("{} {}", told.question, told.answer).to_lowercase();
            assert!(text.is_ascii());
            let found = text.split(|c: char| !c.is_alphabetic()).map(str::to_owned);
            words.extend(found);
            lengths.extend(sentences(&told.answer).map(|s| s.split_whitespace().count()));
        }
    }
    assert!(words.len() < 300, "{} words", words.len());
    let mean = lengths.iter().sum::<usize>() as f64 / lengths.len() as f64;
    assert!((5.0..=12.0).contains(&mean), "{mean} words a sentence");
}
