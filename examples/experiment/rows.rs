//! What VIGC writes about pictures that nobody annotated: drafts, their corrections, and a data set of each.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde_json::{Value, json};
use vigc_pipeline::core::files::write_json;
use vigc_pipeline::curation::card::About;
use vigc_pipeline::curation::export::ExportFormat;
use vigc_pipeline::curation::{Curation, Pictures, Row, Rows};
use vigc_pipeline::instruct_blip::InstructBlip;
use vigc_pipeline::prompt::Task;
use vigc_pipeline::vigc::export::Format;
use vigc_pipeline::vigc::{ImageFolder, Journal, Vigc};
use vigc_scenes::Split;

use crate::data::{Data, picture_name};
use crate::folder::Folder;
use crate::job::{Kind, Writer};

/// Samples that are written together.
const BATCH: usize = 32;

/// Which pictures rows are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// Those of the annotated pictures' domain.
    Same,
    /// Those of the other domain.
    Other,
}

impl Source {
    fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Other => "other",
        }
    }

    fn split(self) -> Split {
        match self {
            Self::Same => Split::Train,
            Self::Other => Split::Unseen,
        }
    }
}

fn source_folder(folder: &Folder, seed: u64, source: Source) -> PathBuf {
    folder.join(format!("rows-{seed}/{}", source.name()))
}

/// A file of generated rows and the folder of their pictures.
pub(crate) fn generated(
    folder: &Folder,
    seed: u64,
    (source, kind, writer): (Source, Kind, Writer),
) -> (PathBuf, PathBuf) {
    let name = format!("{}_{}.json", writer.name(), kind.name());
    let images = Data::unannotated(folder, seed).images(source.split());
    (source_folder(folder, seed, source).join(name), images)
}

/// Writes the rows of a seed.
pub(crate) fn write(folder: &Folder, seed: u64) -> anyhow::Result<()> {
    let model = InstructBlip::from_dir(folder.model(&format!("vigc-{seed}")), &Device::default())?;
    for source in [Source::Same, Source::Other] {
        let place = source_folder(folder, seed, source);
        fs::create_dir_all(&place)?;
        let images = Data::unannotated(folder, seed).images(source.split());
        generate(&model, &images, &place.join("vigc.jsonl"), seed)?;
        curate(&place, &images)?;
        share(&place)?;
    }
    Ok(())
}

/// VIG and VIC over all pictures.
fn generate(model: &InstructBlip, images: &Path, out: &Path, seed: u64) -> anyhow::Result<()> {
    let vigc = Vigc::new(model)
        .with_tasks(Task::LLAVA)
        .with_decoding(model.generation_config().clone())
        .with_seed(seed);
    let mut journal = Journal::resume(out, Format::Vigc, &vigc.settings())?;
    let finished = journal.finished().clone();
    let inputs = ImageFolder::find([images])?;
    for record in vigc.with_finished(finished).run(inputs, BATCH) {
        journal.append(&record?)?;
    }
    Ok(journal.finish()?)
}

/// The rows that all gates let through, in every format.
fn curate(place: &Path, images: &Path) -> anyhow::Result<()> {
    let out = place.join("data-set");
    if !out.exists() {
        let title = "Questions and corrected answers about rendered scenes".to_owned();
        Curation::new([place.join("vigc.jsonl")])
            .with_pictures(Pictures::below(images))
            .with_formats([ExportFormat::Llava, ExportFormat::Upstream, ExportFormat::Parquet])
            .with_about(About { title, license: None })
            .run(&out, &mut |_| {})?;
    }
    Ok(())
}

/// A file for every kind of the kept rows, with VIG's answers and with VIC's: the same pictures and questions in both.
fn share(place: &Path) -> anyhow::Result<()> {
    let rows = Rows::new([place.join("data-set/kept.jsonl")]);
    let rows = rows.map(|row| Ok(row?.row)).collect::<anyhow::Result<Vec<_>>>()?;
    for kind in Kind::ALL {
        let of_kind = |row: &&Row| row.task() == kind.task();
        for writer in Writer::ALL {
            let answered = |row: &Row| -> Value {
                let answer = match writer {
                    Writer::Vig => row.draft(),
                    Writer::Vic => row.answer(),
                };
                let image = picture_name(row.image());
                json!({ "image": image, "question": row.question(), "answer": [answer] })
            };
            let answered: Vec<_> = rows.iter().filter(of_kind).map(answered).collect();
            let name = format!("{}_{}.json", writer.name(), kind.name());
            write_json(place.join(name), &answered)?;
        }
    }
    Ok(())
}
