//! The options of the program.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, ValueEnum};
use vigc_pipeline::any_model::AnyModel;
use vigc_pipeline::llm::generation::Rules;
use vigc_pipeline::prompt::Task;
use vigc_pipeline::vigc::export::Format;
use vigc_pipeline::vigc::two_stage::QuestionStyle;
use vigc_pipeline::vigc::{
    Correction, GenerationConfig, ImageFolder, ImageInput, LastStep, PromptStyle, Unit,
};

/// Pictures that ship with the examples.
pub(crate) const PICTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/pictures");

/// The number of sentences that the upstream program corrects.
pub(crate) const UPSTREAM_STEPS: usize = 4;

/// Generates questions about images, answers them, and corrects the answers sentence by sentence.
#[derive(Parser, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) model: vigc_examples::ModelArgs,
    /// Image files, folders or patterns; may be repeated [default: the examples' pictures]
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub(crate) images: Vec<PathBuf>,
    /// What is asked about each image; okvqa and a-okvqa ask for a question, then for short answers to it,
    /// which are not corrected
    #[arg(long, value_enum, default_value_t = Tasks::Conversation)]
    pub(crate) task: Tasks,
    /// Rows [default: vigc.jsonl, or llava.json or reference.json]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// vigc (JSONL), llava (conversations) or reference (the rules and rows of the original program)
    #[arg(long, value_name = "FORMAT", default_value_t)]
    pub(crate) format: Format,
    /// Most sentences (or paragraphs) of an answer; 0 for no correction [default: until the model ends; reference: 4]
    #[arg(long, value_name = "N")]
    pub(crate) steps: Option<usize>,
    /// What is accepted of an answer at a time
    #[arg(long, value_enum, default_value_t = UnitArg::Sentence)]
    pub(crate) unit: UnitArg,
    /// What the correction is asked with: vig, instruction and question, or vic, the bare question
    #[arg(long, value_enum, default_value_t = StyleArg::Vig)]
    pub(crate) style: StyleArg,
    /// Accept all that is generated at the last step
    #[arg(long)]
    pub(crate) last_infer_all: bool,
    /// Where beams end while an answer is corrected
    #[arg(long, value_enum, default_value_t = vigc_examples::BeamEndsArg::Text)]
    pub(crate) beam_ends: vigc_examples::BeamEndsArg,
    #[command(flatten)]
    pub(crate) decode: vigc_examples::DecodeArgs,
    /// Seed of sampling
    #[arg(long, value_name = "N", default_value_t = 42)]
    pub(crate) seed: u64,
    /// Samples generated together
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = parse_batch)]
    pub(crate) batch: usize,
    /// Write every text token by token to its end: the same rows, later
    #[arg(long)]
    pub(crate) plain: bool,
    /// Most images
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// Go on with an earlier run of the same settings
    #[arg(long)]
    pub(crate) resume: bool,
    /// Show only the summary
    #[arg(long)]
    pub(crate) quiet: bool,
}

#[derive(ValueEnum, Debug, Clone, Copy)]
pub(crate) enum Tasks {
    Conversation,
    Detail,
    Reasoning,
    /// The three above
    All,
    Okvqa,
    #[value(name = "a-okvqa")]
    AOkvqa,
}

#[derive(ValueEnum, Debug, Clone, Copy)]
pub(crate) enum UnitArg {
    Sentence,
    Paragraph,
}

#[derive(ValueEnum, Debug, Clone, Copy)]
pub(crate) enum StyleArg {
    Vig,
    Vic,
}

/// What is done with each image.
pub(crate) enum Plan {
    /// Questions whose answers are corrected.
    Correct(Vec<Task>),
    /// Questions as in a data set, then short answers.
    TwoStage(QuestionStyle),
}

impl Tasks {
    pub(crate) fn plan(self) -> Plan {
        match self {
            Self::Conversation => Plan::Correct(vec![Task::Conversation]),
            Self::Detail => Plan::Correct(vec![Task::DetailDescription]),
            Self::Reasoning => Plan::Correct(vec![Task::ComplexReasoning]),
            Self::All => Plan::Correct(Task::LLAVA.to_vec()),
            Self::Okvqa => Plan::TwoStage(QuestionStyle::Okvqa),
            Self::AOkvqa => Plan::TwoStage(QuestionStyle::AOkvqa),
        }
    }
}

impl Args {
    pub(crate) fn images(&self) -> anyhow::Result<Vec<ImageInput>> {
        let default = [PathBuf::from(PICTURES)];
        let paths = if self.images.is_empty() { &default[..] } else { &self.images };
        let found = ImageFolder::find(paths)?;
        Ok(found.into_iter().take(self.limit.unwrap_or(usize::MAX)).collect())
    }

    pub(crate) fn correction(&self) -> Correction {
        let correction = match (self.format, self.steps) {
            (Format::Upstream, steps) => Correction::upstream(steps.unwrap_or(UPSTREAM_STEPS)),
            (_, Some(steps)) => Correction::until_end(steps),
            (_, None) => Correction::default(),
        };
        let unit = match self.unit {
            UnitArg::Sentence => Unit::Sentence,
            UnitArg::Paragraph => Unit::Paragraph,
        };
        let style = match self.style {
            StyleArg::Vig => PromptStyle::Vig,
            StyleArg::Vic => PromptStyle::Vic,
        };
        let last = if self.last_infer_all { LastStep::Everything } else { LastStep::OneUnit };
        let correction = correction.with_unit(unit).with_style(style).with_last_step(last);
        correction.with_beam_ends(self.beam_ends.into())
    }

    pub(crate) fn decoding(&self, model: &AnyModel) -> anyhow::Result<GenerationConfig> {
        Ok(self.decode.apply(match self.format {
            Format::Upstream => GenerationConfig::upstream()
                .with_max_length(250)
                .with_min_length(1)
                .with_rules(upstream_rules(model)?),
            Format::Vigc | Format::Llava => model.generation_config().clone(),
        }))
    }

    pub(crate) fn output(&self) -> PathBuf {
        self.out.clone().unwrap_or_else(|| match self.format {
            Format::Vigc => "vigc.jsonl".into(),
            Format::Llava | Format::Upstream => format!("{}.json", self.format).into(),
        })
    }
}

/// The decoding rules of the upstream program for a model.
pub(crate) fn upstream_rules(model: &AnyModel) -> anyhow::Result<Rules> {
    let rules = model.upstream_rules();
    rules.context("--format reference needs an InstructBLIP, which the original program runs")
}

pub(crate) fn parse_batch(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&batch| batch > 0).ok_or_else(|| "expected at least 1".to_owned())
}
