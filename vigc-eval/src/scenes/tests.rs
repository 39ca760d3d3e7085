use image::RgbImage;

use super::{BoxError, SceneModel, Suite, VigRow};
use vigc_scenes::{Dialogue, Scene, Split, Teller, scene_seed};

const SEED: u64 = 5;
const COUNT: usize = 24;

/// Knows the scenes by their pictures. VIG lies in every second answer, and VIC never.
struct Knowing {
    scenes: Vec<(RgbImage, Scene, Split, u64)>,
    calls: usize,
}

impl Knowing {
    fn new(side: u32) -> Self {
        let known = |split: Split| {
            (0..COUNT as u64).map(move |index| {
                let seed = scene_seed(SEED, index);
                let scene = Scene::sample(split, seed);
                (scene.render(side), scene, split, seed)
            })
        };
        Self { scenes: known(Split::Test).chain(known(Split::Unseen)).collect(), calls: 0 }
    }

    fn teller(&self, picture: &RgbImage) -> Teller<'_> {
        let (_, scene, split, seed) =
            self.scenes.iter().find(|(known, ..)| known == picture).unwrap();
        Teller::new(scene, *split, *seed)
    }
}

impl SceneModel for Knowing {
    fn vig(
        &mut self,
        pictures: &[RgbImage],
        dialogue: Dialogue,
    ) -> Result<Vec<Option<VigRow>>, BoxError> {
        let mut rows = Vec::new();
        for picture in pictures {
            self.calls += 1;
            let told = self.teller(picture).dialogue(dialogue);
            let lie = if self.calls.is_multiple_of(2) { "There are no objects." } else { "" };
            let answer = format!("{} {lie}", told.answer);
            let valid = !self.calls.is_multiple_of(12);
            rows.push(valid.then_some(VigRow { question: told.question, answer }));
        }
        Ok(rows)
    }

    fn vic(
        &mut self,
        pictures: &[&RgbImage],
        dialogue: Dialogue,
        _: &[&VigRow],
    ) -> Result<Vec<String>, BoxError> {
        Ok(pictures.iter().map(|picture| self.teller(picture).dialogue(dialogue).answer).collect())
    }

    fn answer_once(
        &mut self,
        _: &[&RgbImage],
        _: Dialogue,
        rows: &[&VigRow],
    ) -> Result<Vec<String>, BoxError> {
        Ok(rows.iter().map(|_| "I do not know.".to_owned()).collect())
    }

    fn short_answers(
        &mut self,
        _: &[&RgbImage],
        questions: &[&str],
    ) -> Result<Vec<String>, BoxError> {
        Ok(questions.iter().map(|_| "Yes.".to_owned()).collect())
    }
}

#[test]
fn a_model_that_knows_is_told_from_one_that_lies() {
    let suite = Suite::new(COUNT, SEED).with_side(32).with_batch(5).with_questions(8);
    let mut last = None;
    let mut model = Knowing::new(32);
    let report = suite.run(&mut model, &mut |progress| last = Some(progress)).unwrap();
    let last = last.unwrap();
    assert_eq!(last.done, last.total);
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
    assert!(serde_json::to_value(&report).unwrap()["splits"]["test"]["overall"].is_object());
}

#[test]
fn a_model_that_answers_too_little_is_an_error() {
    struct Silent;
    impl SceneModel for Silent {
        fn vig(&mut self, _: &[RgbImage], _: Dialogue) -> Result<Vec<Option<VigRow>>, BoxError> {
            Ok(Vec::new())
        }
        fn vic(
            &mut self,
            _: &[&RgbImage],
            _: Dialogue,
            _: &[&VigRow],
        ) -> Result<Vec<String>, BoxError> {
            Ok(Vec::new())
        }
        fn answer_once(
            &mut self,
            _: &[&RgbImage],
            _: Dialogue,
            _: &[&VigRow],
        ) -> Result<Vec<String>, BoxError> {
            Ok(Vec::new())
        }
        fn short_answers(&mut self, _: &[&RgbImage], _: &[&str]) -> Result<Vec<String>, BoxError> {
            Ok(Vec::new())
        }
    }
    let error = Suite::new(3, 1).run(&mut Silent, &mut |_| ()).unwrap_err();
    assert_eq!(error.to_string(), "VIG gave 0 results for 3 inputs");
}
