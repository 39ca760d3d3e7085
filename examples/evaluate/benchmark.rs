//! The benchmarks behind one surface: what they ask, how answers are scored, what a server takes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use vigc_eval::answers::Ask;
use vigc_eval::chair::{Chair, GroundTruth, Vocabulary};
use vigc_eval::llava_bench::{LlavaBench, LlavaBenchFiles, Review};
use vigc_eval::mmbench::{self, Submission, Tsv};
use vigc_eval::pope::{self, Build, Pope, QuestionSet};
use vigc_eval::report::{Metric, Sample, Table};
use vigc_eval::vqa::VqaSuite;
use vigc_eval::vqa::submission::{write_aokvqa, write_vqav2};

use crate::SuiteName;

/// The published files.
#[derive(Args, Debug)]
pub(crate) struct Files {
    /// The benchmark's questions
    #[arg(long, value_name = "FILE")]
    questions: Option<PathBuf>,
    /// What people annotated, where that is a file of its own
    #[arg(long, value_name = "FILE")]
    annotations: Option<PathBuf>,
    /// The folder of the pictures
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    /// vqav2, okvqa: what pictures are called, with twelve digits for {}
    #[arg(long, value_name = "NAME", default_value = "COCO_val2014_{}.jpg")]
    image_name: String,
    /// mmbench: what is asked for
    #[arg(long, value_enum, default_value_t = FormArg::Write)]
    form: FormArg,
    /// chair: objects with their synonyms [default: those of COCO]
    #[arg(long, value_name = "FILE")]
    synonyms: Option<PathBuf>,
    /// chair, pope from annotations: so many pictures [default: all; pope: 500]
    #[arg(long, value_name = "N")]
    pictures: Option<usize>,
}

/// What an answer to a question with options is.
#[derive(ValueEnum, Debug, Clone, Copy)]
enum FormArg {
    /// A text, which is searched for an option
    Write,
    /// The likeliest letter
    Letters,
    /// The likeliest option
    Texts,
}

impl From<FormArg> for mmbench::Form {
    fn from(form: FormArg) -> Self {
        match form {
            FormArg::Write => Self::Write,
            FormArg::Letters => Self::Letters,
            FormArg::Texts => Self::Texts,
        }
    }
}

/// What a report shows.
pub(crate) type Parts = (Vec<Metric>, Vec<Table>, Vec<Sample>);

/// A benchmark with its files read.
pub(crate) enum Benchmark {
    Vqa(VqaSuite),
    /// A-OKVQA, by choice or not.
    Aokvqa(VqaSuite, bool),
    Mmbench(mmbench::Suite),
    Llava(LlavaBench),
    Chair(Chair),
    Pope(Pope),
}

impl Files {
    /// What a report says of them.
    pub(crate) fn described(&self) -> Value {
        json!({
            "questions": self.questions,
            "annotations": self.annotations,
            "images": self.images,
            "synonyms": self.synonyms,
            "pictures": self.pictures,
        })
    }

    fn questions(&self) -> anyhow::Result<&Path> {
        self.questions.as_deref().context("the suite needs --questions FILE")
    }

    fn annotations(&self) -> anyhow::Result<&Path> {
        self.annotations.as_deref().context("the suite needs --annotations FILE")
    }

    fn images(&self) -> PathBuf {
        self.images.clone().unwrap_or_default()
    }
}

impl Benchmark {
    /// Reads the files of a suite.
    pub(crate) fn open(suite: SuiteName, files: &Files, seed: u64) -> anyhow::Result<Self> {
        let images = files.images();
        Ok(match suite {
            SuiteName::Scenes => bail!("scenes have no files"),
            SuiteName::VqaV2 | SuiteName::Okvqa => Self::Vqa(match &files.annotations {
                None => VqaSuite::open_rows(files.questions()?, images)?,
                Some(annotations) => VqaSuite::open_vqav2(
                    files.questions()?,
                    Some(annotations),
                    &files.image_name,
                    images,
                )?,
            }),
            SuiteName::Aokvqa => {
                Self::Aokvqa(VqaSuite::open_aokvqa_direct(files.questions()?, images)?, false)
            }
            SuiteName::AokvqaChoice => {
                Self::Aokvqa(VqaSuite::open_aokvqa_choice(files.questions()?, images)?, true)
            }
            SuiteName::Mmbench => {
                let suite = mmbench::Suite::new(&Tsv::open(files.questions()?)?)?;
                Self::Mmbench(suite.with_form(files.form.into()))
            }
            SuiteName::LlavaBench => {
                let files = LlavaBenchFiles::in_folder(files.questions()?);
                Self::Llava(LlavaBench::open(&files, images)?)
            }
            SuiteName::Chair => Self::Chair(open_chair(files, seed)?),
            SuiteName::Pope => Self::Pope(open_pope(files, seed)?),
        })
    }

    pub(crate) fn asks(&self) -> Vec<Ask> {
        match self {
            Self::Vqa(suite) | Self::Aokvqa(suite, _) => suite.asks(),
            Self::Mmbench(suite) => suite.asks(),
            Self::Llava(suite) => suite.asks(),
            Self::Chair(suite) => suite.asks(),
            Self::Pope(suite) => suite.asks(),
        }
    }

    /// Scores answers; LLaVA-Eval needs what a judge said of them.
    pub(crate) fn score(
        &self,
        answers: &HashMap<String, String>,
        judged: Option<Vec<Review>>,
    ) -> anyhow::Result<Parts> {
        Ok(match self {
            Self::Vqa(suite) | Self::Aokvqa(suite, _) => suite.score(answers)?.report_parts(),
            Self::Mmbench(suite) => suite.score(answers)?.report_parts(),
            Self::Llava(suite) => {
                let judged = judged.context(
                    "LLaVA-Eval needs a judge: --judge-url with --judge-model, or --reviews FILE",
                )?;
                suite.score(&judged, Some(answers))?.report_parts()
            }
            Self::Chair(suite) => suite.score(answers)?.report_parts(),
            Self::Pope(suite) => suite.score(answers)?.report_parts(),
        })
    }

    /// Writes what the benchmark's server takes.
    pub(crate) fn submit(
        &self,
        answers: &HashMap<String, String>,
        path: &Path,
    ) -> anyhow::Result<()> {
        match self {
            Self::Vqa(suite) => write_vqav2(path, suite, answers)?,
            Self::Aokvqa(suite, true) => write_aokvqa(path, suite, Some(answers), None)?,
            Self::Aokvqa(suite, false) => write_aokvqa(path, suite, None, Some(answers))?,
            Self::Mmbench(suite) => {
                let submission = Submission::new(suite.entries(), answers)?;
                match path.extension().is_some_and(|extension| extension == "tsv") {
                    true => submission.write_tsv(path)?,
                    false => submission.write_xlsx(path)?,
                }
            }
            Self::Llava(_) | Self::Chair(_) | Self::Pope(_) => {
                bail!("no server takes files of this suite, so there is nothing for --submission")
            }
        }
        Ok(())
    }
}

fn open_chair(files: &Files, seed: u64) -> anyhow::Result<Chair> {
    let vocabulary = match &files.synonyms {
        Some(path) => Vocabulary::open(path)?,
        None => Vocabulary::coco(),
    };
    let truth = GroundTruth::open(&vocabulary, files.annotations()?)?;
    let chair = Chair::new(vocabulary, truth, files.images());
    Ok(match files.pictures {
        Some(count) => chair.with_sample(count, seed),
        None => chair,
    })
}

/// The published questions, or questions made from annotations.
fn open_pope(files: &Files, seed: u64) -> anyhow::Result<Pope> {
    if let Some(path) = &files.questions {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let set = QuestionSet { name, questions: pope::open_questions(path)? };
        return Ok(Pope::new(vec![set], files.images()));
    }
    let pictures = pope::pictures_of_instances(files.annotations()?)?;
    let build = Build { seed, ..Build::default() };
    let build = match files.pictures {
        Some(pictures) => Build { pictures, ..build },
        None => build,
    };
    Ok(Pope::build(&pictures, &build, files.images())?)
}
