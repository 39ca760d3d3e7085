//! VIG and VIC with vigc-mini, from pixels to corrected answers.

use std::cell::OnceCell;
use std::time::Instant;

use vigc_pipeline::instruct_blip::InstructBlip;
use vigc_pipeline::llm::generation::GenerationConfig;
use vigc_pipeline::vigc::{Correction, ImageInput, Record, Vigc};
use vigc_scenes::{Scene, Split};

use super::bench::{Bench, Case};
use super::group::Scale;
use crate::Result;

/// Sentences that VIC corrects.
const SENTENCES: usize = 4;
/// The side of a picture, in pixels.
const SIDE: u32 = 112;

pub(super) fn run(bench: &mut Bench<'_>, scale: Scale) {
    let device = bench.device();
    let model = OnceCell::new();
    // Pictures of a run, one sample each.
    let count: u32 = if scale == Scale::Tiny { 2 } else { 8 };
    let pictures =
        || (0..u64::from(count)).map(|seed| Scene::sample(Split::Val, 900 + seed).render(SIDE));
    for (name, decoding, batch) in [
        ("greedy", GenerationConfig::greedy(), 1),
        ("greedy", GenerationConfig::greedy(), 8),
        ("five beams", GenerationConfig::beam_search(5), 8),
    ] {
        let case = Case::new(format!("a sample of VIG and VIC, vigc-mini, {name}, batch {batch}"))
            .per_run(count as usize)
            .makes(1, "samples");
        bench.measure(case, |sampler| {
            if model.get().is_none() {
                let loaded = InstructBlip::bundled(&device)?;
                model.set(loaded).expect("there was none");
            }
            let model = model.get().ok_or("no model")?;
            let inputs: Vec<_> = (0..)
                .zip(pictures())
                .map(|(i, picture)| ImageInput::pixels(format!("scene-{i}"), picture))
                .collect();
            sampler.run_timed(|times| {
                let start = Instant::now();
                for _ in 0..times {
                    write_samples(model, &inputs, &decoding, batch)?;
                }
                Ok(start.elapsed())
            })
        });
    }
}

fn write_samples(
    model: &InstructBlip,
    inputs: &[ImageInput],
    decoding: &GenerationConfig,
    batch: usize,
) -> Result<()> {
    let vigc = Vigc::new(model)
        .with_decoding(decoding.clone())
        .with_correction(Correction::sentences(SENTENCES));
    for record in vigc.run(inputs.iter().cloned(), batch) {
        if let Record::Skipped(file) = record? {
            return Err(format!("{}: {}", file.image, file.skipped).into());
        }
    }
    Ok(())
}
