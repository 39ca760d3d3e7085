//! What columns a data set with pictures has.

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A picture: the bytes of its file, and its name.
    Image,
    /// One value.
    One(Scalar),
    /// A list of structs with these fields.
    List(&'static [(&'static str, Scalar)]),
}

impl Kind {
    /// How many columns of a file it takes.
    #[cfg(feature = "parquet")]
    pub(super) const fn leaves(self) -> usize {
        match self {
            Self::Image => 2,
            Self::One(_) => 1,
            Self::List(fields) => fields.len(),
        }
    }
}

/// A value that is not composed of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalar {
    /// A text.
    String,
    /// A number of 32 bits.
    Float,
    /// Yes or no.
    Bool,
}

impl Scalar {
    /// What the library `datasets` calls it.
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
/// | `image_id` | the picture's name below its folder, without extension |
/// | `task` | `conversation`, `detail`, `reasoning` or `short` |
/// | `question`, `answer` | what was asked, and the corrected answer, of several the best |
/// | `draft` | the answer before the correction |
/// | `conversations` | question and answer as LLaVA's training reads them |
/// | `answers` | all short answers with their weights; empty for other tasks |
/// | `changed` | whether answer and draft differ in more than punctuation; none if nothing was corrected |
/// | `log_prob` | the mean log-probability of the answer's tokens, where it is known |
/// | `stop` | why the answer ended |
/// | `instruction`, `model`, `settings` | what the row was made with; settings are JSON |
pub const COLUMNS: [(&str, Kind); 15] = [
    ("image", Kind::Image),
    ("id", Kind::One(Scalar::String)),
    ("image_id", Kind::One(Scalar::String)),
    ("task", Kind::One(Scalar::String)),
    ("question", Kind::One(Scalar::String)),
    ("answer", Kind::One(Scalar::String)),
    ("draft", Kind::One(Scalar::String)),
    ("conversations", Kind::List(&[("from", Scalar::String), ("value", Scalar::String)])),
    ("answers", Kind::List(&[("text", Scalar::String), ("weight", Scalar::Float)])),
    ("changed", Kind::One(Scalar::Bool)),
    ("log_prob", Kind::One(Scalar::Float)),
    ("stop", Kind::One(Scalar::String)),
    ("instruction", Kind::One(Scalar::String)),
    ("model", Kind::One(Scalar::String)),
    ("settings", Kind::One(Scalar::String)),
];
