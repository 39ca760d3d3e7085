//! A finetuned model, asked by the suites about pictures of both domains.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use burn::tensor::Device;
use vigc_eval::Suite;
use vigc_eval::answers::{AnswerJournal, Query, QueryRunner};
use vigc_eval::chair::{Chair, GroundTruth, Vocabulary};
use vigc_eval::llava_bench::{LlavaBench, LlavaBenchFiles, write_reviews};
use vigc_eval::pope::{Build, Pope, pictures_of_instances};
use vigc_eval::report::Metric;
use vigc_eval::scenes::reviews;
use vigc_eval::vqa::Vqa;
use vigc_pipeline::any_model::AnyModel;
use vigc_pipeline::core::progress::Progress;
use vigc_pipeline::model::LoadOptions;
use vigc_pipeline::prompt::templates::SHORT_ANSWER;
use vigc_scenes::{Kind, Split, open_scenes};

use crate::data::{Data, picture_name};
use crate::folder::Folder;
use crate::job::Finetune;
use crate::report::Outcome;
use crate::settings::Settings;

/// Questions that are asked together.
const BATCH: usize = 32;

/// Measures a finetuned model.
pub(crate) fn finetuned(
    settings: &Settings,
    folder: &Folder,
    finetune: Finetune,
) -> anyhow::Result<()> {
    let place = folder.join(finetune.place());
    let (device, options) = (Device::default(), LoadOptions::default());
    let model = AnyModel::from_dir_with(place.join("model"), &device, &options)?;
    let runner = QueryRunner::new(&model, model.generation_config().clone()).with_batch(BATCH);
    let metrics = Measuring { runner, place: &place, pope: settings.pictures.pope }.run(folder)?;
    let Finetune { student, condition, seed } = finetune;
    let (student, condition) = (student.name().to_owned(), condition.to_string());
    folder.record(&Outcome { student, condition, seed, metrics })
}

struct Measuring<'a> {
    runner: QueryRunner<'a, AnyModel>,
    place: &'a Path,
    pope: usize,
}

impl Measuring<'_> {
    fn run(&self, folder: &Folder) -> anyhow::Result<BTreeMap<String, f64>> {
        let mut all = BTreeMap::new();
        for split in [Split::Test, Split::Unseen] {
            let mut metrics = self.descriptions(folder, split)?;
            metrics.extend(self.short_answers(folder, split)?);
            metrics.extend(self.objects(folder, split)?);
            let named = metrics.into_iter();
            all.extend(named.map(|(name, value)| (format!("{}/{name}", split.name()), value)));
        }
        Ok(all)
    }

    /// What the model answers; it goes on where it was.
    fn ask(
        &self,
        name: &str,
        split: Split,
        queries: &[Query],
    ) -> anyhow::Result<HashMap<String, String>> {
        let path = self.place.join(format!("answers/{}-{name}.jsonl", split.name()));
        std::fs::create_dir_all(self.place.join("answers"))?;
        let mut journal = AnswerJournal::resume(&path, &self.runner.settings())?;
        let answers = self.runner.run(queries, &mut journal, &Progress::none())?;
        anyhow::ensure!(answers.failures.is_empty(), "{:?}", answers.failures);
        println!("{name} on {}: {} answers", split.name(), queries.len());
        Ok(answers.texts)
    }

    /// LLaVA-Eval with the exact judge, and CHAIR of its detailed descriptions.
    fn descriptions(&self, folder: &Folder, split: Split) -> anyhow::Result<Vec<(String, f64)>> {
        let data = Data::measured(folder);
        let files = LlavaBenchFiles::in_folder(data.split(split).join("llava_bench"));
        let bench = LlavaBench::open(&files, data.images(split))?;
        let answers = self.ask("llava-bench", split, &bench.queries())?;
        let scenes = open_scenes(data.split(split))?;
        let reviews = reviews(&bench, &scenes, &answers);
        write_reviews(
            self.place.join(format!("answers/{}-reviews.jsonl", split.name())),
            &reviews,
        )?;
        let score = bench.score(&reviews, Some(&answers))?;
        let categories = score.categories.iter().map(|(name, score)| (name.as_str(), score));
        let scores = [("all", &score.all)].into_iter().chain(categories);
        let mut metrics: Vec<_> = scores
            .filter_map(|(name, score)| Some((name.to_owned(), score.relative.value?)))
            .collect();
        let details = bench.questions().iter().filter(|question| question.category == "detail");
        let descriptions = details
            .map(|question| (picture_name(&question.image), answers[&question.id].clone()))
            .collect();
        metrics.extend(chair(&data, split, &descriptions)?);
        Ok(metrics)
    }

    fn short_answers(&self, folder: &Folder, split: Split) -> anyhow::Result<Vec<(String, f64)>> {
        let data = Data::measured(folder);
        let (questions, images) = (data.split(split), data.images(split));
        let suites = [
            ("okvqa", Vqa::open_rows(questions.join("okvqa.json"), &images)?),
            ("aokvqa", Vqa::open_aokvqa_direct(questions.join("aokvqa.json"), &images)?),
        ];
        let mut metrics = Vec::new();
        for (name, suite) in suites {
            let answers = self.ask(name, split, &suite.queries())?;
            let found = suite.evaluate(&answers)?;
            metrics.push((name.to_owned(), 100.0 * value(&found.metrics, "accuracy")?));
        }
        Ok(metrics)
    }

    /// POPE: the mean F1 of its three kinds of questions.
    fn objects(&self, folder: &Folder, split: Split) -> anyhow::Result<Vec<(String, f64)>> {
        let data = Data::measured(folder);
        let pictures = pictures_of_instances(instances(&data, split))?;
        // Asked as the short questions are: a bare question is one of a dialogue, whose answers are sentences.
        let template = SHORT_ANSWER.fill("Is there a {}?");
        let build = Build { pictures: self.pope, template, ..Build::default() };
        let pope = Pope::build(&pictures, &build, data.images(split))?;
        let answers = self.ask("pope", split, &pope.queries())?;
        let sets = pope.score(&answers)?.sets;
        let f1: Vec<f64> = sets.iter().filter_map(|set| set.f1().value).collect();
        let mean = f1.iter().sum::<f64>() / f1.len().max(1) as f64;
        Ok(vec![("pope".to_owned(), 100.0 * mean)])
    }
}

fn instances(data: &Data, split: Split) -> std::path::PathBuf {
    data.split(split).join(format!("instances_{}.json", split.name()))
}

/// Objects that descriptions invent.
fn chair(
    data: &Data,
    split: Split,
    descriptions: &HashMap<String, String>,
) -> anyhow::Result<Vec<(String, f64)>> {
    let objects: String = Kind::ALL.iter().map(|kind| format!("{} = []\n", kind.name())).collect();
    let vocabulary: Vocabulary = format!("[objects]\n{objects}").parse()?;
    let truth = GroundTruth::open(&vocabulary, instances(data, split))?;
    let score = Chair::new(vocabulary, truth, data.images(split)).score(descriptions)?;
    let found =
        [("chair-s", score.chair_s()), ("chair-i", score.chair_i()), ("recall", score.recall())];
    let found = found.into_iter();
    Ok(found.filter_map(|(name, part)| Some((name.to_owned(), 100.0 * part.value?))).collect())
}

fn value(metrics: &[Metric], name: &str) -> anyhow::Result<f64> {
    let metric = metrics.iter().find(|metric| metric.name == name);
    let value = metric.and_then(|metric| metric.estimate.value);
    value.ok_or_else(|| anyhow::anyhow!("the suite did not measure {name}"))
}
