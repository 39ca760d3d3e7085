use crate::tests::scene;
use crate::{
    Color, Dialogue, Judgment, Kind, QuestionJudgment, Scene, Size, Split, Teller, sentences,
};

#[test]
fn answers_are_judged_sentence_by_sentence() {
    let cases: &[(&str, &str, &str)] = &[
        ("", "There is a red car on the left.", "t"),
        ("", "There is a red car on the right.", "f"),
        ("", "There is a red car on the left and a green cup on the right.", "f"),
        ("", "There are two cars. They are both red. They are both large.", "ttf"),
        ("", "There is one key. It is blue. It is large.", "ttf"),
        ("", "The key is between the car and the cup.", "t"),
        ("", "The car is between the key and the cup.", "f"),
        ("", "The cup is blue and it is on the right.", "t"),
        ("", "The cup is blue and it is on the left.", "f"),
        ("", "The umbrella would help a person in the rain. It is blue.", "ff"),
        ("", "The cup would help a thirsty person. It is blue.", "tt"),
        ("", "You can drink from the key.", "f"),
        ("", "Nothing is to the right of the cup.", "t"),
        ("", "Nothing is to the left of the cup.", "f"),
        ("", "Nothing is next to the lamp.", "f"),
        ("", "The key is not red. The key is not blue.", "tf"),
        ("", "The lamp is not red.", "f"),
        ("", "There are as many red objects as blue objects.", "t"),
        ("", "There are more cars than keys.", "t"),
        ("", "The most common color is red.", "f"),
        ("", "Behind the key there is a night sky.", "t"),
        ("", "Behind the lamp there is a night sky.", "f"),
        ("", "Without the key, there would be three objects.", "t"),
        ("", "Without the key, there would be two cars.", "t"),
        ("", "Without the key, there would be four objects.", "f"),
        ("", "The small car is below the key. It is red. It is above the key.", "ttf"),
        ("", "It is red.", "f"),
        ("", "Cars are nice.", "u"),
        ("What color is the key, and what size is it?", "It is blue. It is small.", "tt"),
        ("Is there a red key in the picture with the cup?", "No, there is no red key.", "t"),
        ("Is there a red key in the picture with the cup?", "Yes, there is a blue key.", "f"),
        ("Is the cup larger than the key?", "Yes, the cup is larger than the key.", "t"),
        ("Is the key larger than the cup?", "Yes, the cup is larger than the key.", "f"),
    ];
    let scene = scene();
    for (question, answer, expected) in cases {
        let judged: String = (scene.judge_answer(question, answer).iter())
            .map(|judgment| match judgment {
                Judgment::True => 't',
                Judgment::False(_) => 'f',
                Judgment::Unparsed => 'u',
            })
            .collect();
        assert_eq!(&judged, expected, "{question} {answer}");
    }
}

#[test]
fn questions_are_judged_by_what_they_presuppose() {
    let scene = scene();
    let judged = |question: &str| match scene.judge_question(question) {
        QuestionJudgment::Sound => "sound",
        QuestionJudgment::Missing(_) => "missing",
        QuestionJudgment::Ambiguous(_) => "ambiguous",
        QuestionJudgment::Unparsed => "unparsed",
    };
    let cases = [
        ("What color is the key?", "sound"),
        ("What color is the lamp?", "missing"),
        ("What color is the car?", "ambiguous"),
        ("What color is the small car?", "sound"),
        ("What is in the middle?", "sound"),
        ("What is at the top?", "missing"),
        ("Is there a lamp in the picture with the key?", "sound"),
        ("Is there a lamp in the picture with the hat?", "missing"),
        ("Who are you?", "unparsed"),
    ];
    for (question, expected) in cases {
        assert_eq!(judged(question), expected, "{question}");
    }
}

/// The sentence with each of its words replaced by every other word of the same class.
fn mutations(sentence: &str) -> Vec<String> {
    let classes: [Vec<&str>; 6] = [
        Kind::ALL.map(Kind::name).to_vec(),
        Color::ALL.map(Color::name).to_vec(),
        Size::ALL.map(Size::name).to_vec(),
        vec!["top", "bottom"],
        vec!["left", "right"],
        vec!["one", "two", "three", "four", "five", "six"],
    ];
    let words: Vec<&str> = sentence.split(' ').collect();
    let mut mutated = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let bare = word.trim_end_matches([',', '.']);
        for class in classes.iter().filter(|class| class.contains(&bare)) {
            for other in class.iter().filter(|&&other| other != bare) {
                let mut words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
                words[index] = word.replace(bare, other);
                mutated.push(words.join(" "));
            }
        }
    }
    mutated
}

#[test]
fn wrong_words_are_found() {
    let (mut found, mut missed) = (0u32, Vec::new());
    for seed in 0..60 {
        let scene = Scene::sample(Split::Train, seed);
        let mut teller = Teller::new(&scene, Split::Train, seed);
        for dialogue in Dialogue::ALL {
            let told = teller.dialogue(dialogue);
            let said: Vec<&str> = sentences(&told.answer).collect();
            for (index, sentence) in said.iter().enumerate() {
                for mutated in mutations(sentence) {
                    let answer = [&said[..index], &[&mutated]].concat().join(" ");
                    let judged = scene.judge_answer(&told.question, &answer);
                    match judged.last() {
                        Some(Judgment::True) => missed.push(format!("{sentence} -> {mutated}")),
                        _ => found += 1,
                    }
                }
            }
        }
    }
    let missed_part = missed.len() as f64 / (missed.len() as f64 + f64::from(found));
    assert!(missed_part < 0.05, "{missed_part}: {:#?}", &missed[..40]);
}
