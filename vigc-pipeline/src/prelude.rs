//! What most programs need: `use vigc_pipeline::prelude::*`.

pub use burn::tensor::Device;
pub use vigc_core::json_lines::JsonLines;
pub use vigc_core::nn::Precision;
pub use vigc_llm::generation::{FinishReason, Generated, GenerationConfig, Strategy, TokenScore};
pub use vigc_vision::image::{ImageLimits, RgbImage, open_image};

pub use crate::any_model::AnyModel;
pub use crate::instruct_blip::InstructBlip;
pub use crate::llava::Llava;
pub use crate::model::LoadOptions;
pub use crate::prompt::Task;
pub use crate::vigc::{Correction, ImageFolder, InstructionSample, Record, Vigc};
pub use crate::visual_lm::{Request, VisualLm};
