//! A model of whichever architecture its folder says.

use std::path::Path;

use burn::tensor::{DType, Device};
use image::RgbImage;
use serde::Deserialize;
use vigc_core::files::read_json;
use vigc_llm::tokenizer::TextTokenizer;

use super::{Generated, GenerationConfig, Request, VisualLm};
use crate::Result;
use crate::instruct_blip::{EncodedImages, InstructBlip};
use crate::llava::{Llava, VisualTokens};
use crate::model::{LoadOptions, Precisions};

/// An InstructBLIP or a LLaVA, for programs that leave the choice to who runs them.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum AnyModel {
    /// An InstructBLIP.
    InstructBlip(Box<InstructBlip>),
    /// A LLaVA.
    Llava(Box<Llava>),
}

/// An image that an [`AnyModel`] encoded.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum AnyImage {
    /// By an InstructBLIP.
    InstructBlip(EncodedImages),
    /// By a LLaVA.
    Llava(Box<VisualTokens>),
}

/// The part of `config.json` that tells architectures apart.
#[derive(Deserialize)]
struct Architecture {
    #[serde(default)]
    model_type: String,
}

impl AnyModel {
    /// Opens a folder: as a LLaVA if `model_type` in its `config.json` begins with `llava`, in either layout, else as an
    /// InstructBLIP.
    ///
    /// # Errors
    ///
    /// Those of [`Llava::from_dir`] and [`InstructBlip::from_dir`].
    pub fn from_dir_with(
        folder: impl AsRef<Path>,
        device: &Device,
        options: &LoadOptions,
    ) -> Result<Self> {
        let folder = folder.as_ref();
        let Architecture { model_type } = read_json(folder.join("config.json"))?;
        Ok(match model_type.starts_with("llava") {
            true => Llava::from_dir_with(folder, device, options)?.into(),
            false => InstructBlip::from_dir_with(folder, device, options)?.into(),
        })
    }

    /// Fetches a repository of the Hugging Face hub unless it is in the cache, and opens it. The model calls itself by
    /// repository and commit.
    ///
    /// # Errors
    ///
    /// As [`AnyModel::from_dir_with`], [`Error::Core`](crate::Error::Core) if a file cannot be fetched and
    /// [`Error::PartOfModel`](crate::Error::PartOfModel) if the repository holds no whole model.
    #[cfg(feature = "hub")]
    pub fn from_hub(
        repo: &vigc_core::weights::hub::RepoId,
        hub: &vigc_core::weights::hub::Hub,
        progress: &vigc_core::progress::Progress,
        device: &Device,
        options: &LoadOptions,
    ) -> Result<Self> {
        let (folder, name) = crate::instruct_blip::fetch_model(repo, hub, progress)?;
        Ok(match Self::from_dir_with(folder, device, options)? {
            Self::InstructBlip(model) => model.with_name(name).into(),
            Self::Llava(model) => model.with_name(name).into(),
        })
    }

    /// The settings that the model's folder suggests.
    #[must_use]
    pub fn generation_config(&self) -> &GenerationConfig {
        match self {
            Self::InstructBlip(model) => model.generation_config(),
            Self::Llava(model) => model.generation_config(),
        }
    }

    /// The language model's tokenizer.
    #[must_use]
    pub fn text_tokenizer(&self) -> &TextTokenizer {
        match self {
            Self::InstructBlip(model) => model.text_tokenizer(),
            Self::Llava(model) => model.text_tokenizer(),
        }
    }

    /// What the weights of each part are kept in.
    #[must_use]
    pub fn precisions(&self) -> Precisions {
        match self {
            Self::InstructBlip(model) => model.config().precisions,
            Self::Llava(model) => model.config().precisions,
        }
    }

    /// The model, if it is an InstructBLIP.
    #[must_use]
    pub fn as_instruct_blip(&self) -> Option<&InstructBlip> {
        match self {
            Self::InstructBlip(model) => Some(model),
            Self::Llava(_) => None,
        }
    }

    /// Saves the model to a folder that its architecture's programs open.
    ///
    /// # Errors
    ///
    /// Those of [`InstructBlip::save_pretrained`] and [`Llava::save_pretrained`].
    pub fn save_pretrained(&self, folder: impl AsRef<Path>, dtype: DType) -> Result<()> {
        match self {
            Self::InstructBlip(model) => model.save_pretrained(folder, dtype),
            Self::Llava(model) => model.save_pretrained(folder, dtype),
        }
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

impl AnyImage {
    fn instruct_blip(&self) -> &EncodedImages {
        let Self::InstructBlip(image) = self else { panic!("the image is of another model") };
        image
    }

    fn llava(&self) -> &VisualTokens {
        let Self::Llava(image) = self else { panic!("the image is of another model") };
        image
    }
}

/// Its methods panic if an image was encoded by a model of another architecture.
impl VisualLm for AnyModel {
    type Image = AnyImage;

    fn name(&self) -> &str {
        match self {
            Self::InstructBlip(model) => model.name(),
            Self::Llava(model) => model.name(),
        }
    }

    fn encode(&self, images: &[RgbImage]) -> Result<Vec<AnyImage>> {
        Ok(match self {
            Self::InstructBlip(model) => {
                let images = VisualLm::encode(&**model, images)?.into_iter();
                images.map(AnyImage::InstructBlip).collect()
            }
            Self::Llava(model) => {
                let images = VisualLm::encode(&**model, images)?.into_iter();
                images.map(|image| AnyImage::Llava(Box::new(image))).collect()
            }
        })
    }

    fn generate(
        &self,
        requests: &[Request<'_, AnyImage>],
        decoding: &GenerationConfig,
    ) -> Result<Vec<Vec<Generated>>> {
        match self {
            Self::InstructBlip(model) => {
                let requests = requests.iter().map(|row| about(row, row.image.instruct_blip()));
                VisualLm::generate(&**model, &requests.collect::<Vec<_>>(), decoding)
            }
            Self::Llava(model) => {
                let requests = requests.iter().map(|row| about(row, row.image.llava()));
                VisualLm::generate(&**model, &requests.collect::<Vec<_>>(), decoding)
            }
        }
    }

    fn score(&self, request: &Request<'_, AnyImage>, candidates: &[&str]) -> Result<Vec<f32>> {
        match self {
            Self::InstructBlip(model) => {
                model.score(&about(request, request.image.instruct_blip()), candidates)
            }
            Self::Llava(model) => model.score(&about(request, request.image.llava()), candidates),
        }
    }
}

/// A request about another form of its image.
fn about<'a, I>(request: &Request<'a, AnyImage>, image: &'a I) -> Request<'a, I> {
    Request { image, prompt: request.prompt, seed: request.seed, hint: request.hint }
}

#[cfg(test)]
mod tests {
    use vigc_llm::llama::LlamaConfig;
    use vigc_vision::clip_vit::ClipVitConfig;

    use super::*;
    use crate::llava::LlavaConfig;
    use crate::vigc::Hint;

    #[test]
    fn the_folder_says_which_architecture_it_is() {
        let device = Device::default();
        let folder = tempfile::tempdir().unwrap();
        let bundled = InstructBlip::bundled(&device).unwrap();
        let vision = ClipVitConfig { patch_size: 28, ..ClipVitConfig::new(16, 1, 2) };
        let text = LlamaConfig { vocab_size: 800, ..LlamaConfig::new(800, 16, 1, 2) };
        let config = LlavaConfig::new(vision.with_image_size(56), text, 799);
        let network = config.init(&device);
        let llava = Llava::around(&bundled, "small", config, network).unwrap();
        let decoding = GenerationConfig::greedy().with_max_new_tokens(4);
        for (name, model) in
            [("instructblip", AnyModel::from(bundled)), ("llava", AnyModel::from(llava))]
        {
            model.save_pretrained(folder.path().join(name), DType::F32).unwrap();
            let options = LoadOptions::default();
            let opened = AnyModel::from_dir_with(folder.path().join(name), &device, &options);
            let opened = opened.unwrap();
            assert_eq!(
                (opened.name(), opened.as_instruct_blip().is_some()),
                (name, name != "llava")
            );
            let write = |model: &AnyModel| {
                let image = model.encode(&[RgbImage::new(40, 30)]).unwrap().remove(0);
                let hint = Hint::default();
                let request = Request { image: &image, prompt: "What is it?", seed: 0, hint };
                let scores = model.score(&request, &["a cat", "a dog"]).unwrap();
                let text = model.generate(&[request], &decoding).unwrap()[0][0].text.clone();
                (text, scores)
            };
            assert_eq!(write(&model), write(&opened), "{name}");
        }
    }
}
