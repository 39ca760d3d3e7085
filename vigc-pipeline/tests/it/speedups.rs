//! What saves time changes no row.

use std::cell::Cell;

use image::RgbImage;
use vigc_pipeline::Result;
use vigc_pipeline::prelude::*;
use vigc_pipeline::prompt::Task;
use vigc_pipeline::vigc::{
    BeamEnds, Generated, ImageInput, Request, Speedups, Strategy, Unit, VisualLm,
};
use vigc_scenes::{Scene, Split};

/// The bundled model, with a count of the tokens that it wrote.
struct Counting {
    model: InstructBlip,
    tokens: Cell<usize>,
}

impl VisualLm for Counting {
    type Image = <InstructBlip as VisualLm>::Image;

    fn name(&self) -> &str {
        self.model.name()
    }

    fn encode(&self, images: &[RgbImage]) -> Result<Vec<Self::Image>> {
        VisualLm::encode(&self.model, images)
    }

    fn generate(
        &self,
        requests: &[Request<'_, Self::Image>],
        decoding: &GenerationConfig,
    ) -> Result<Vec<Vec<Generated>>> {
        let texts = VisualLm::generate(&self.model, requests, decoding)?;
        let tokens: usize = texts.iter().flatten().map(|text| text.tokens.len()).sum();
        self.tokens.set(self.tokens.get() + tokens);
        Ok(texts)
    }

    fn score(&self, request: &Request<'_, Self::Image>, candidates: &[&str]) -> Result<Vec<f32>> {
        self.model.score(request, candidates)
    }
}

fn counting() -> Counting {
    let model = InstructBlip::bundled(&Device::default()).unwrap();
    Counting { model, tokens: Cell::new(0) }
}

fn pictures(count: u64) -> impl Iterator<Item = ImageInput> {
    let scene = |seed| Scene::sample(Split::Val, 500 + seed).render(112);
    (0..count).map(move |seed| ImageInput::pixels(format!("{seed}.png"), scene(seed)))
}

#[test]
fn beams_may_end_with_the_unit_that_is_kept() {
    let model = counting();
    let beams = GenerationConfig::beam_search(3).with_max_new_tokens(60);
    let run = |decoding: &GenerationConfig, ends, speedups| {
        let vigc = Vigc::new(&model)
            .with_tasks(Task::LLAVA)
            .with_decoding(decoding.clone())
            .with_correction(Correction::until_end(4).with_beam_ends(ends))
            .with_speedups(speedups);
        let rows = vigc.run(pictures(6), 6).map(Result::unwrap).collect::<Vec<_>>();
        let text = |row: &Record| match row {
            Record::Sample(row) => (row.draft.clone(), row.one_shot.clone(), row.answer.clone()),
            other => panic!("{other:?}"),
        };
        (rows.iter().map(text).collect::<Vec<_>>(), model.tokens.take())
    };
    let (whole, all) = run(&beams, BeamEnds::Text, Speedups::default());
    let (short, fewer) = run(&beams, BeamEnds::Unit, Speedups::default());
    assert!(fewer * 10 < all * 9, "{fewer} of {all} tokens were written");
    for (whole, short) in whole.iter().zip(&short) {
        assert_eq!((&whole.0, &whole.1), (&short.0, &short.1), "before anything is kept");
    }
    assert_eq!(run(&beams, BeamEnds::Unit, Speedups::NONE).0, short, "this is no saving");
    let greedy = GenerationConfig::greedy().with_max_new_tokens(60);
    let [text, unit] =
        [BeamEnds::Text, BeamEnds::Unit].map(|ends| run(&greedy, ends, Speedups::default()));
    assert_eq!(text, unit);
}

#[test]
fn rows_are_the_same_with_and_without_speedups() {
    let model = counting();
    let greedy = GenerationConfig::greedy().with_max_new_tokens(120);
    let sample = Strategy::Sample { temperature: 0.7, top_k: 50, top_p: 0.95 };
    let paragraphs = Correction::until_end(3).with_unit(Unit::Paragraph);
    let cases = [
        (greedy.clone(), Correction::until_end(8), 20),
        (greedy.clone(), Correction::sentences(3), 6),
        (greedy.clone(), paragraphs, 6),
        // Cut off in the middle of sentences.
        (greedy.clone().with_max_new_tokens(18), Correction::until_end(6), 6),
        (greedy.clone().with_strategy(sample), Correction::until_end(6), 6),
        (GenerationConfig::beam_search(3).with_max_new_tokens(60), Correction::until_end(3), 3),
    ];
    let (mut written, mut saved) = (0, 0);
    for (decoding, correction, count) in cases {
        let run = |speedups, batch| {
            let vigc = Vigc::new(&model)
                .with_tasks(Task::LLAVA)
                .with_decoding(decoding.clone())
                .with_correction(correction)
                .with_speedups(speedups);
            let rows = vigc.run(pictures(count), batch).map(Result::unwrap).collect::<Vec<_>>();
            (rows, model.tokens.take())
        };
        let (plain, all) = run(Speedups::NONE, 4);
        let (rows, fewer) = run(Speedups::default(), 6);
        assert_eq!(rows, plain, "{decoding:?} {correction:?}");
        assert_eq!(rows.len(), 3 * count as usize);
        written += all;
        saved += all - fewer;
    }
    assert!(saved * 10 > written, "{saved} of {written} tokens were not written");
}
