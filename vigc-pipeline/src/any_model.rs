//! A model of whichever architecture its folder says.

use std::any::Any;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::{DType, Device};
use image::RgbImage;
use serde::Deserialize;
use vigc_core::files::read_json;
use vigc_llm::generation::{Generated, GenerationConfig, Rules};
use vigc_llm::tokenizer::TextTokenizer;

use crate::instruct_blip::{InstructBlip, InstructBlipConfig};
use crate::llava::{Llava, LlavaConfig};
use crate::model::{Architecture, Connector, LoadOptions, Precisions, VisionLanguageModel};
use crate::visual_lm::{Request, VisualLm};
use crate::{Error, Result};

/// A model of any known architecture, for programs that leave the choice to their users.
///
/// A new architecture is a variant here, with an arm in [`AnyModel::from_dir_with`] and one in
/// [`with_model`](crate::with_model), through which everything else reaches it.
#[derive(Debug, Clone)]
pub enum AnyModel {
    /// An InstructBLIP.
    InstructBlip(Box<InstructBlip>),
    /// A LLaVA.
    Llava(Box<Llava>),
}

/// Evaluates an expression with the model inside an [`AnyModel`](crate::any_model::AnyModel), whatever its architecture.
///
/// ```
/// use vigc_pipeline::any_model::AnyModel;
/// use vigc_pipeline::model::Architecture;
/// use vigc_pipeline::with_model;
///
/// fn image_size(model: &AnyModel) -> usize {
///     with_model!(model, model => model.config().image_size())
/// }
/// ```
#[macro_export]
macro_rules! with_model {
    ($any:expr, $model:ident => $body:expr) => {
        match $any {
            $crate::any_model::AnyModel::InstructBlip($model) => $body,
            $crate::any_model::AnyModel::Llava($model) => $body,
        }
    };
}

/// The part of `config.json` that tells architectures apart.
#[derive(Deserialize)]
struct StoredType {
    model_type: Option<String>,
}

impl AnyModel {
    /// Opens a folder as the architecture that `model_type` in its `config.json` names. A folder without it is an InstructBLIP.
    ///
    /// # Errors
    ///
    /// [`Error::Architecture`] if the architecture is not known, and those of
    /// [`from_dir`](VisionLanguageModel::from_dir).
    pub fn from_dir_with(
        folder: impl AsRef<Path>,
        device: &Device,
        options: &LoadOptions,
    ) -> Result<Self> {
        fn is<A: Architecture>(name: Option<&str>) -> bool {
            name.is_some_and(|name| A::MODEL_TYPES.contains(&name))
        }
        let folder = folder.as_ref();
        let path = folder.join("config.json");
        let StoredType { model_type } = read_json(&path)?;
        let name = model_type.as_deref();
        if is::<LlavaConfig>(name) {
            return Ok(Llava::from_dir_with(folder, device, options)?.into());
        }
        if is::<InstructBlipConfig>(name) || name.is_none() {
            return Ok(InstructBlip::from_dir_with(folder, device, options)?.into());
        }
        let known = [InstructBlipConfig::MODEL_TYPES, LlavaConfig::MODEL_TYPES].concat();
        Err(Error::Architecture { path, found: model_type.unwrap_or_default(), known })
    }

    /// Fetches a repository of the Hugging Face hub unless it is in the cache, and opens it. The model is named after the
    /// repository and the commit.
    ///
    /// # Errors
    ///
    /// As [`AnyModel::from_dir_with`], [`Error::Core`] if a file cannot be fetched and [`Error::PartOfModel`] if the repository
    /// holds no whole model.
    #[cfg(feature = "hub")]
    pub fn from_hub(
        repo: &vigc_core::weights::hub::RepoId,
        hub: &vigc_core::weights::hub::Hub,
        progress: &vigc_core::progress::Progress,
        device: &Device,
        options: &LoadOptions,
    ) -> Result<Self> {
        let (folder, name) = crate::model::fetch_model(repo, hub, progress)?;
        let model = Self::from_dir_with(folder, device, options)?;
        Ok(with_model!(model, model => model.with_name(name).into()))
    }

    /// The settings that the model's folder suggests.
    #[must_use]
    pub fn generation_config(&self) -> &GenerationConfig {
        with_model!(self, model => model.generation_config())
    }

    /// The language model's tokenizer.
    #[must_use]
    pub fn text_tokenizer(&self) -> &TextTokenizer {
        with_model!(self, model => model.text_tokenizer())
    }

    /// What the weights of each part are stored in.
    #[must_use]
    pub fn precisions(&self) -> Precisions {
        with_model!(self, model => model.config().precisions())
    }

    /// The decoding rules under which the upstream program runs this model, if it does.
    #[must_use]
    pub fn upstream_rules(&self) -> Option<Rules> {
        with_model!(self, model => model.upstream_rules())
    }

    /// Saves the model to a folder that its architecture's programs open.
    ///
    /// # Errors
    ///
    /// Those of [`save_pretrained`](VisionLanguageModel::save_pretrained).
    pub fn save_pretrained(&self, folder: impl AsRef<Path>, dtype: DType) -> Result<()> {
        with_model!(self, model => model.save_pretrained(folder, dtype))
    }
}

impl From<InstructBlip> for AnyModel {
    fn from(model: InstructBlip) -> Self {
        Self::InstructBlip(Box::new(model))
    }
}

impl From<Llava> for AnyModel {
    fn from(model: Llava) -> Self {
        Self::Llava(Box::new(model))
    }
}

/// An image that an [`AnyModel`] encoded.
#[derive(Clone)]
pub struct AnyImage(Arc<dyn Any + Send + Sync>);

impl fmt::Debug for AnyImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AnyImage").finish_non_exhaustive()
    }
}

/// An image as an architecture's connector keeps it.
type Image<A> = <<A as Architecture>::Connector as Connector>::Images;

fn encode<A: Architecture>(
    model: &VisionLanguageModel<A>,
    images: &[RgbImage],
) -> Result<Vec<AnyImage>> {
    let images = VisualLm::encode(model, images)?.into_iter();
    Ok(images.map(|image| AnyImage(Arc::new(image))).collect())
}

/// The request with its image in the form that a model's architecture has.
fn of_architecture<'a, A: Architecture>(
    _: &VisionLanguageModel<A>,
    request: &Request<'a, AnyImage>,
) -> Request<'a, Image<A>> {
    let image = request.image.0.downcast_ref::<Image<A>>();
    request.with_image(image.expect("the image was encoded by a model of this architecture"))
}

/// Its methods panic if an image was encoded by a model of another architecture.
impl VisualLm for AnyModel {
    type Image = AnyImage;

    fn encode(&self, images: &[RgbImage]) -> Result<Vec<AnyImage>> {
        with_model!(self, model => encode(model, images))
    }

    fn generate(
        &self,
        requests: &[Request<'_, AnyImage>],
        decoding: &GenerationConfig,
    ) -> Result<Vec<Vec<Generated>>> {
        with_model!(self, model => {
            let requests = requests.iter().map(|request| of_architecture(model, request));
            model.generate(&requests.collect::<Vec<_>>(), decoding)
        })
    }

    fn name(&self) -> &str {
        with_model!(self, model => model.name())
    }

    fn score(&self, request: &Request<'_, AnyImage>, candidates: &[&str]) -> Result<Vec<f32>> {
        with_model!(self, model => model.score(&of_architecture(model, request), candidates))
    }
}

#[cfg(test)]
mod tests {
    use vigc_llm::llama::LlamaConfig;
    use vigc_vision::clip_vit::ClipVitConfig;

    use super::*;
    use crate::llava::square_processor;
    use crate::model::ModelParts;

    #[test]
    fn the_folder_says_which_architecture_it_is() {
        let device = Device::default();
        let folder = tempfile::tempdir().unwrap();
        let bundled = InstructBlip::bundled(&device).unwrap();
        let vision = ClipVitConfig {
            patch_size: 28,
            ..ClipVitConfig::new(16).with_num_hidden_layers(1).with_num_attention_heads(2)
        };
        let text = LlamaConfig::new(16)
            .with_vocab_size(800)
            .with_num_hidden_layers(1)
            .with_num_attention_heads(2);
        let config = LlavaConfig::new(vision.with_image_size(56), text, 799);
        let network = config.init(&device);
        let bundle = bundled.parts().clone();
        let parts = ModelParts {
            name: "small".to_owned(),
            processor: square_processor(56).unwrap(),
            config,
            text_tokenizer: bundle.text_tokenizer,
            generation: bundle.generation,
            tokenizer_files: bundle.tokenizer_files.of_language_model(),
        };
        let llava = Llava::new(parts, network, &device).unwrap();
        let decoding = GenerationConfig::greedy().with_max_new_tokens(4);
        for (name, model) in
            [("instructblip", AnyModel::from(bundled)), ("llava", AnyModel::from(llava))]
        {
            model.save_pretrained(folder.path().join(name), DType::F32).unwrap();
            let options = LoadOptions::default();
            let opened = AnyModel::from_dir_with(folder.path().join(name), &device, &options);
            let opened = opened.unwrap();
            let is_llava = matches!(opened, AnyModel::Llava(_));
            assert_eq!((opened.name(), is_llava), (name, name == "llava"));
            let write = |model: &AnyModel| {
                let image = model.encode(&[RgbImage::new(40, 30)]).unwrap().remove(0);
                let request = Request::new(&image, "What is it?");
                let scores = model.score(&request, &["a cat", "a dog"]).unwrap();
                let text = model.generate(&[request], &decoding).unwrap()[0][0].text.clone();
                (text, scores)
            };
            assert_eq!(write(&model), write(&opened), "{name}");
        }
    }

    #[test]
    fn an_unknown_architecture_is_named_with_the_known_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        std::fs::write(path, r#"{"model_type": "qwen2_5_vl"}"#).unwrap();
        let options = LoadOptions::default();
        let error = AnyModel::from_dir_with(folder.path(), &Device::default(), &options);
        let error = error.unwrap_err().to_string();
        for part in ["config.json", "qwen2_5_vl", "instructblip", "llava"] {
            assert!(error.contains(part), "{error}");
        }
    }
}
