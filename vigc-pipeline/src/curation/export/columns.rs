//! The columns of a data set with pictures.

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// A picture: the bytes of its file, and its name.
    Image,
    /// One value.
    Scalar(ScalarKind),
    /// A list of structs with these fields.
    List(&'static [(&'static str, ScalarKind)]),
}

impl ColumnKind {
    /// How many leaf columns it takes in a Parquet file.
    #[cfg(feature = "parquet")]
    pub(super) const fn leaves(self) -> usize {
        match self {
            Self::Image => 2,
            Self::Scalar(_) => 1,
            Self::List(fields) => fields.len(),
        }
    }
}

/// The type of a single value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScalarKind {
    /// A text.
    String,
    /// A number of 32 bits.
    Float,
    /// True or false.
    Bool,
}

impl ScalarKind {
    /// The name that Hugging Face's library `datasets` uses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Float => "float32",
            Self::Bool => "bool",
        }
    }
}

/// The columns, in order:
///
/// | column | what it holds |
/// |---|---|
/// | `image` | the picture |
/// | `id` | the picture's name, the task and the row's line in `kept.jsonl` |
/// | `image_id` | the picture's path below its folder, without extension |
/// | `task` | `conversation`, `detail`, `reasoning` or `short` |
/// | `question`, `answer` | the question and the corrected answer; of several answers, the best one |
/// | `draft` | the answer before the correction |
/// | `conversations` | question and answer as LLaVA's training reads them |
/// | `answers` | all short answers with their weights; empty for other tasks |
/// | `changed` | whether the answer differs from the draft in more than punctuation; null if nothing was corrected |
/// | `log_prob` | the mean log-probability of the answer's tokens; null if it is unknown |
/// | `stop` | why the answer ended; null for short answers |
/// | `instruction`, `model`, `settings` | what the row was generated with; settings are JSON |
pub const COLUMNS: [(&str, ColumnKind); 15] = [
    ("image", ColumnKind::Image),
    ("id", ColumnKind::Scalar(ScalarKind::String)),
    ("image_id", ColumnKind::Scalar(ScalarKind::String)),
    ("task", ColumnKind::Scalar(ScalarKind::String)),
    ("question", ColumnKind::Scalar(ScalarKind::String)),
    ("answer", ColumnKind::Scalar(ScalarKind::String)),
    ("draft", ColumnKind::Scalar(ScalarKind::String)),
    (
        "conversations",
        ColumnKind::List(&[("from", ScalarKind::String), ("value", ScalarKind::String)]),
    ),
    ("answers", ColumnKind::List(&[("text", ScalarKind::String), ("weight", ScalarKind::Float)])),
    ("changed", ColumnKind::Scalar(ScalarKind::Bool)),
    ("log_prob", ColumnKind::Scalar(ScalarKind::Float)),
    ("stop", ColumnKind::Scalar(ScalarKind::String)),
    ("instruction", ColumnKind::Scalar(ScalarKind::String)),
    ("model", ColumnKind::Scalar(ScalarKind::String)),
    ("settings", ColumnKind::Scalar(ScalarKind::String)),
];
