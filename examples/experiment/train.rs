//! Training: the recipes with the experiment's data and folders filled in.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde_json::Value;
use vigc_pipeline::core::files::{read_json, write_json};
use vigc_scenes::Split;
use vigc_train::data::{AnnotationFile, Form, Format};
use vigc_train::{Recipe, RunListener, UpdateReport, run_recipe};

use crate::data::{Data, file, short_questions};
use crate::folder::Folder;
use crate::job::{Condition, Finetune, Kind, Student, Writer};
use crate::rows::{Source, generated};
use crate::settings::Settings;

/// The model that students of a kind begin with.
pub(crate) fn base(settings: &Settings, folder: &Folder, student: Student) -> anyhow::Result<()> {
    let mut recipe = settings.recipe(student.name())?;
    recipe.inputs.model = recipe.inputs.model.map(|model| below_root(&model));
    recipe.output = folder.join(base_name(student));
    run(&recipe)
}

/// A path of a recipe, wherever the experiment is run.
fn below_root(path: &Path) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn base_name(student: Student) -> String {
    format!("base/{}", student.name())
}

/// Trains VIGC on the annotated pictures of a seed.
pub(crate) fn vigc(settings: &Settings, folder: &Folder, seed: u64) -> anyhow::Result<()> {
    let data = Data::annotated(folder, seed);
    let mut files = Vec::new();
    for kind in Kind::ALL {
        for form in [Form::Vig, Form::Vic, Form::Continue] {
            let what = (kind.task(), form);
            let images = data.images(Split::Train);
            files.push(file(data.dialogues(kind), images, Format::Llava, what)?);
        }
    }
    let mut recipe = settings.recipe("vigc")?;
    recipe.seed = seed;
    recipe.inputs.model = recipe.inputs.model.map(|model| below_root(&model));
    recipe.output = folder.join(format!("vigc-{seed}"));
    recipe.data.files = files;
    run(&recipe)
}

/// Finetunes a model.
pub(crate) fn finetune(
    settings: &Settings,
    folder: &Folder,
    finetune: Finetune,
) -> anyhow::Result<()> {
    let Finetune { student, condition, seed } = finetune;
    let output = folder.join(finetune.place());
    if output.join("model/model.safetensors").is_file() {
        return Ok(());
    }
    fs::create_dir_all(&output)?;
    let mut recipe = settings.recipe(&format!("finetune-{}", student.name()))?;
    recipe.seed = seed;
    recipe.inputs.model = Some(folder.model(&base_name(student)));
    recipe.data.files = files(folder, &output, condition, seed)?;
    recipe.output = output;
    run(&recipe)?;
    // What it takes to go on is larger than the model.
    for name in ["checkpoints", "features"] {
        fs::remove_dir_all(recipe.output.join(name))?;
    }
    Ok(())
}

/// What a student learns from.
fn files(
    folder: &Folder,
    output: &Path,
    condition: Condition,
    seed: u64,
) -> anyhow::Result<Vec<AnnotationFile>> {
    let data = Data::annotated(folder, seed);
    let mut files = short_questions(&data)?;
    for kind in Kind::ALL {
        let rows = data.dialogues(kind);
        let what = (kind.task(), Form::Vic);
        let mut add = |path: PathBuf, images: PathBuf| {
            files.push(file(path, images, Format::Llava, what)?);
            anyhow::Ok(())
        };
        let replaced = match condition {
            Condition::Replaced(replaced) => replaced == kind,
            Condition::AllReplaced => true,
            _ => false,
        };
        let (path, images) = generated(folder, seed, (Source::Same, kind, Writer::Vic));
        if replaced {
            let (kept, instead) = replace(&rows, &path, output, kind)?;
            add(kept, data.images(Split::Train))?;
            add(instead, images)?;
            continue;
        }
        add(rows, data.images(Split::Train))?;
        let added = match condition {
            Condition::Added(added, writer) if added == kind => Some((Source::Same, writer)),
            Condition::AllAdded(writer) => Some((Source::Same, writer)),
            Condition::Other => Some((Source::Other, Writer::Vic)),
            _ => None,
        };
        if let Some((source, writer)) = added {
            let (path, images) = generated(folder, seed, (source, kind, writer));
            add(path, images)?;
        }
    }
    Ok(files)
}

/// Writes the annotated rows of every second picture, and as many generated rows as there were of the others.
fn replace(
    annotated: &Path,
    generated: &Path,
    output: &Path,
    kind: Kind,
) -> anyhow::Result<(PathBuf, PathBuf)> {
    let (annotated, mut instead): (Vec<Value>, Vec<Value>) =
        (read_json(annotated)?, read_json(generated)?);
    let mut pictures: Vec<String> = annotated.iter().map(|row| row["image"].to_string()).collect();
    pictures.dedup();
    let kept: HashSet<String> = pictures.into_iter().step_by(2).collect();
    let count = annotated.len();
    let mut rows = annotated;
    rows.retain(|row| kept.contains(&row["image"].to_string()));
    instead.truncate(count - rows.len());
    let path = |what: &str| output.join(format!("{what}_{}.json", kind.name()));
    let paths = (path("kept"), path("instead"));
    write_json(&paths.0, &rows)?;
    write_json(&paths.1, &instead)?;
    Ok(paths)
}

fn run(recipe: &Recipe) -> anyhow::Result<()> {
    run_recipe(recipe, &Device::default(), true, &mut Lines)?;
    Ok(())
}

/// A line in the log now and then.
struct Lines;

impl RunListener for Lines {
    fn started(&mut self, stage: &str, done: u64, total: u64) {
        println!("{stage}: {done} of {total} updates are done");
    }

    fn updated(&mut self, report: &UpdateReport) {
        if report.update.is_multiple_of(20) {
            let UpdateReport { update, total, loss, samples_per_second, .. } = report;
            println!(
                "update {update} of {total}: loss {loss:.4}, {samples_per_second:.1} samples/s"
            );
        }
    }
}
