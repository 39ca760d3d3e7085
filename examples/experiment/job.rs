//! The parts of an experiment.

use std::fmt;

use anyhow::Context;

use crate::settings::Settings;

/// A part of the experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Job {
    /// The pictures that models are measured on.
    Measured,
    /// The annotated pictures of a seed, and those that nobody annotated.
    Pictures(u64),
    /// The model that students of a kind begin with.
    Base(Student),
    /// VIGC, trained on the annotated pictures.
    Vigc(u64),
    /// What VIGC writes about the other pictures.
    Rows(u64),
    /// VIGC, corrected in more or fewer steps.
    Steps(u64),
    /// A model finetuned and measured.
    Finetune(Finetune),
}

/// A model that is finetuned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Finetune {
    /// What it begins as.
    pub(crate) student: Student,
    /// What it learns from.
    pub(crate) condition: Condition,
    /// The seed.
    pub(crate) seed: u64,
}

impl Finetune {
    pub(crate) fn name(&self) -> String {
        format!("{}-{}-{}", self.student.name(), self.condition, self.seed)
    }

    /// Its folder in that of the experiment.
    pub(crate) fn place(&self) -> String {
        format!("students/{}", self.name())
    }
}

/// What a model that is finetuned begins as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Student {
    Llava,
    InstructBlip,
}

impl Student {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Llava => "llava",
            Self::InstructBlip => "instructblip",
        }
    }
}

/// A kind of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Conversation,
    Detail,
    Reasoning,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Conversation, Self::Detail, Self::Reasoning];

    /// As the data sets' files have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Conversation => "conversation",
            Self::Detail => "detail",
            Self::Reasoning => "reasoning",
        }
    }

    /// As LLaVA-Eval has it.
    pub(crate) fn short(self) -> &'static str {
        match self {
            Self::Conversation => "conv",
            Self::Detail => "detail",
            Self::Reasoning => "complex",
        }
    }
}

/// Who wrote the answers of generated rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writer {
    Vig,
    Vic,
}

impl Writer {
    pub(crate) const ALL: [Self; 2] = [Self::Vig, Self::Vic];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Vig => "vig",
            Self::Vic => "vic",
        }
    }
}

/// What a model is finetuned on, beside annotated rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Nothing.
    None,
    /// Rows of one kind.
    Added(Kind, Writer),
    /// Rows of all kinds.
    AllAdded(Writer),
    /// Rows of all kinds, about pictures of the other domain.
    Other,
    /// Half of the annotated rows of one kind are replaced.
    Replaced(Kind),
    /// Half of the annotated rows of every kind are replaced.
    AllReplaced,
}

impl Condition {
    /// The conditions of a student.
    fn of(student: Student) -> Vec<Self> {
        let mut conditions = vec![Self::None];
        conditions.extend(Writer::ALL.map(Self::AllAdded));
        conditions.push(Self::AllReplaced);
        if student == Student::Llava {
            for kind in Kind::ALL {
                conditions.extend(Writer::ALL.map(|writer| Self::Added(kind, writer)));
            }
            conditions.push(Self::Other);
            conditions.extend(Kind::ALL.map(Self::Replaced));
        }
        conditions
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => write!(f, "none"),
            Self::Added(kind, writer) => write!(f, "{}-{}", kind.short(), writer.name()),
            Self::AllAdded(writer) => write!(f, "all-{}", writer.name()),
            Self::Other => write!(f, "other-vic"),
            Self::Replaced(kind) => write!(f, "replace-{}", kind.short()),
            Self::AllReplaced => write!(f, "replace-all"),
        }
    }
}

impl Job {
    /// All jobs, each behind those that it needs. The seeds come one after the other, so that an experiment that was
    /// interrupted has whole ones.
    pub(crate) fn all(settings: &Settings) -> Vec<Self> {
        let students = [Student::Llava, Student::InstructBlip];
        let mut jobs = vec![Self::Base(Student::InstructBlip), Self::Base(Student::Llava)];
        jobs.push(Self::Measured);
        jobs.extend(settings.seeds.iter().map(|&seed| Self::Pictures(seed)));
        for &seed in &settings.seeds {
            jobs.extend([Self::Vigc(seed), Self::Rows(seed), Self::Steps(seed)]);
            for student in students {
                let conditions = Condition::of(student).into_iter();
                jobs.extend(
                    conditions
                        .map(|condition| Self::Finetune(Finetune { student, condition, seed })),
                );
            }
        }
        jobs
    }

    /// The job of a name.
    pub(crate) fn named(name: &str, settings: &Settings) -> anyhow::Result<Self> {
        let mut jobs = Self::all(settings).into_iter();
        jobs.find(|job| job.name() == name).with_context(|| format!("there is no job {name}"))
    }

    pub(crate) fn name(&self) -> String {
        match self {
            Self::Measured => "measured".to_owned(),
            Self::Pictures(seed) => format!("pictures-{seed}"),
            Self::Base(student) => format!("base-{}", student.name()),
            Self::Vigc(seed) => format!("vigc-{seed}"),
            Self::Rows(seed) => format!("rows-{seed}"),
            Self::Steps(seed) => format!("steps-{seed}"),
            Self::Finetune(finetune) => finetune.name(),
        }
    }

    /// The jobs that have to be finished before.
    pub(crate) fn needs(&self) -> Vec<Self> {
        match *self {
            Self::Measured | Self::Pictures(_) | Self::Base(_) => Vec::new(),
            Self::Vigc(seed) => vec![Self::Pictures(seed)],
            Self::Rows(seed) | Self::Steps(seed) => vec![Self::Vigc(seed)],
            Self::Finetune(Finetune { student, condition, seed }) => {
                let data = match condition {
                    Condition::None => Self::Pictures(seed),
                    _ => Self::Rows(seed),
                };
                vec![Self::Base(student), Self::Measured, data]
            }
        }
    }
}
