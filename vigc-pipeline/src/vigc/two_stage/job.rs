//! One image through both stages.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use vigc_llm::generation::Generated;

use super::answers::{merged_answers, upstream_weight};
use super::record::{KnowledgeRecord, KnowledgeSample, WeightedAnswer};
use super::settings::{ANSWERS, PrefixDraw, QUESTION, TwoStageSettings};
use crate::prompt::instructions::KNOWLEDGE_VQA_GENERATION;
use crate::prompt::python_strip;
use crate::prompt::qa_text::{self, Malformed, QuestionAnswer};
use crate::prompt::templates::{GIVEN_QUESTION, SHORT_ANSWER};
use crate::vigc::correction::LoopRules;
use crate::vigc::image_source::ImageInput;
use crate::vigc::outcome::{Rejection, StopReason};
use crate::vigc::scheduler::Job;
use crate::vigc::seed;
use crate::visual_lm::Request;

pub(super) struct KnowledgeJob {
    image: String,
    image_id: String,
    model: String,
    settings: TwoStageSettings,
    prefix: Option<&'static str>,
    prompt: String,
    question_answer: String,
    stage: Stage,
}

enum Stage {
    Questioning,
    Answering(QuestionAnswer),
    Answered(QuestionAnswer, Vec<WeightedAnswer>),
    Rejected(Rejection),
}

impl KnowledgeJob {
    /// A job whose question begins with a word that depends on nothing but the image and the seed.
    pub(super) fn new(input: &ImageInput, model: &str, settings: &TwoStageSettings) -> Self {
        let prefix = settings.style.prefixes().map(|prefixes| {
            let seed = seed::derive(settings.seed, &input.id, "question prefix", 0);
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            match settings.draw {
                PrefixDraw::Weighted => prefixes.weighted(&mut rng),
                PrefixDraw::Uniform => prefixes.uniform(&mut rng),
            }
        });
        Self::with_prefix(input, model, settings, prefix)
    }

    pub(super) fn with_prefix(
        input: &ImageInput,
        model: &str,
        settings: &TwoStageSettings,
        prefix: Option<&'static str>,
    ) -> Self {
        let begun = prefix.map_or_else(String::new, |prefix| GIVEN_QUESTION.fill(prefix));
        Self {
            image: input.name(),
            image_id: input.id.clone(),
            model: model.to_owned(),
            settings: settings.clone(),
            prefix,
            prompt: [KNOWLEDGE_VQA_GENERATION, &begun].concat(),
            question_answer: String::new(),
            stage: Stage::Questioning,
        }
    }

    fn accept_question(&mut self, text: &str) -> Stage {
        // The model goes on after the prefix, so its text is only part of the pair.
        self.question_answer = self.prefix.map_or_else(
            || text.to_owned(),
            |prefix| python_strip(&format!("{} {text}", GIVEN_QUESTION.fill(prefix))).to_owned(),
        );
        let parsed = qa_text::parse_strict(&self.question_answer);
        let pair = match self.settings.rules {
            LoopRules::Strict => parsed,
            LoopRules::Upstream => qa_text::parse_upstream(&self.question_answer)
                .ok_or_else(|| parsed.err().unwrap_or(Malformed::NoAnswer)),
        };
        pair.map_or_else(
            |reason| Stage::Rejected(Rejection::Malformed(reason)),
            |pair| {
                let question = self.settings.text_processor.apply(&pair.question);
                self.prompt = SHORT_ANSWER.fill(&question);
                Stage::Answering(pair)
            },
        )
    }

    fn accept_answers(&self, pair: QuestionAnswer, texts: &[Generated]) -> Stage {
        let answers = match self.settings.rules {
            LoopRules::Strict => merged_answers(texts),
            LoopRules::Upstream => {
                let answer = |generated: &Generated| WeightedAnswer {
                    text: generated.text.clone(),
                    weight: upstream_weight(generated.score),
                };
                texts.iter().map(answer).collect()
            }
        };
        if answers.is_empty() {
            return Stage::Rejected(Rejection::NoCorrection(StopReason::NothingGenerated));
        }
        Stage::Answered(pair, answers)
    }
}

impl Job for KnowledgeJob {
    type Output = KnowledgeRecord;

    fn next(&self) -> Option<Request<'_, ()>> {
        let stage = match self.stage {
            Stage::Questioning => "question",
            Stage::Answering(_) => "answers",
            Stage::Answered(..) | Stage::Rejected(_) => return None,
        };
        let seed = seed::derive(self.settings.seed, &self.image_id, stage, 0);
        Some(Request::without_image(&self.prompt).with_seed(seed))
    }

    fn decoding(&self) -> usize {
        if matches!(self.stage, Stage::Questioning) { QUESTION } else { ANSWERS }
    }

    fn accept(&mut self, texts: &[Generated]) {
        let stage = std::mem::replace(&mut self.stage, Stage::Questioning);
        self.stage = match stage {
            Stage::Questioning => self.accept_question(&texts[0].text),
            Stage::Answering(pair) => self.accept_answers(pair, texts),
            done @ (Stage::Answered(..) | Stage::Rejected(_)) => done,
        };
    }

    fn finish(self) -> KnowledgeRecord {
        let Self { image, image_id, model, settings, question_answer, .. } = self;
        match self.stage {
            Stage::Answered(pair, answers) => KnowledgeRecord::Sample(KnowledgeSample {
                image,
                image_id,
                instruction: KNOWLEDGE_VQA_GENERATION.to_owned(),
                prefix: self.prefix.map(ToOwned::to_owned),
                question_answer,
                question: pair.question,
                draft: pair.answer,
                answers,
                model,
                settings,
            }),
            Stage::Rejected(reason) => KnowledgeRecord::Rejected { image, reason, question_answer },
            Stage::Questioning | Stage::Answering(_) => panic!("there is another prompt to answer"),
        }
    }
}
