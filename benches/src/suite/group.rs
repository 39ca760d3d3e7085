//! What the suite measures together, and how large.

use std::fmt;

use clap::ValueEnum;

/// What is measured together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Group {
    /// Single operations of `vigc_core::kernels` and linear layers.
    Kernels,
    /// EVA ViT, Q-Former and CLIP ViT.
    Encoders,
    /// LLaMA: a prompt, and one token for one row and for five beams.
    Decoding,
    /// VIG and VIC with vigc-mini, from pixels to corrected answers.
    Pipeline,
}

impl Group {
    pub(super) const ALL: [Self; 4] =
        [Self::Kernels, Self::Encoders, Self::Decoding, Self::Pipeline];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Kernels => "kernels",
            Self::Encoders => "encoders",
            Self::Decoding => "decoding",
            Self::Pipeline => "pipeline",
        }
    }

    /// The group's part of the time, relative to the others'.
    pub(super) fn share(self) -> f64 {
        match self {
            Self::Decoding => 2.0,
            _ => 1.0,
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How large the shapes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// So small that a test runs everything.
    Tiny,
    /// Real widths and few layers.
    Normal,
    /// Real widths and more layers.
    Full,
}

impl Scale {
    /// The most samples of a case.
    pub(super) fn most_samples(self) -> usize {
        match self {
            Self::Tiny => 2,
            Self::Normal | Self::Full => 30,
        }
    }
}
