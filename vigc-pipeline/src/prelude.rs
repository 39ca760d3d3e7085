//! What most programs need: `use vigc_pipeline::prelude::*`.

pub use burn::tensor::Device;
pub use vigc_core::nn::Precision;
pub use vigc_llm::generation::{GenerationConfig, Strategy};
pub use vigc_vision::image::{ImageLimits, RgbImage, open_image};

pub use crate::instruct_blip::{EncodedImages, Generated, InstructBlip, LoadOptions, Prompt};
pub use crate::prompt::Task;
pub use crate::vigc::{Correction, ImageFolder, InstructionSample, JsonLines, Record, Vigc};
