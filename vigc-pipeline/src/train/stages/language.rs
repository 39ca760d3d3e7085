//! Pretraining of the language model on texts about scenes.
//!
//! A frozen language model can only be of use if it answers from what stands in front of the
//! prompt. So every text follows the facts it speaks about, in one of two forms: as words, or as
//! *bags*, one vector per fact that is the sum of its words' embeddings, in as many slots as there
//! will be soft tokens. The Q-Former later writes into those slots.

use burn::tensor::{DType, Device, Tensor, TensorData};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use vigc_core::TokenBatch;
use vigc_core::config::write_json;
use vigc_core::weights::{KeyMap, save};
use vigc_llm::llama::{Llama, LlamaConfig};
use vigc_llm::loss::NextTokens;
use vigc_llm::tokenizer::train::{bert_wordpiece, llama_bpe};
use vigc_llm::tokenizer::{SpecialTokens, TextTokenizer};

use super::mixtures::scene_mixture;
use crate::data::Mixture;
use crate::data::scenes::{SceneRange, facts};
use crate::data::splice::{SplicedRow, batch_labels};
use crate::draw::{Draw, Stream};
use crate::scenes::Split;
use crate::train::engine::{Loss, Objective};
use crate::train::error::{Result, TrainError};
use crate::train::recipe::Recipe;

/// The part of batches whose facts are bags.
const BAGS: f64 = 0.75;
/// How many texts the tokenizers are trained on.
const CORPUS: u64 = 12_000;

/// Texts with their facts in front.
#[derive(Debug)]
pub struct LanguageObjective {
    mixture: Mixture,
    range: SceneRange,
    tokenizer: TextTokenizer,
    batch: usize,
    slots: usize,
    held_out: (Mixture, SceneRange),
    held_out_samples: usize,
}

/// One batch of texts.
#[derive(Debug)]
pub struct LanguageBatch {
    rows: TokenBatch,
    next: NextTokens,
    bags: Option<Bags>,
    task: String,
}

/// Tokens that are summed into slots, `[batch, slots, width]`, with weight 0 for none.
#[derive(Debug)]
struct Bags {
    ids: Vec<i32>,
    weights: Vec<f32>,
    shape: [usize; 3],
}

/// Trains both tokenizers on the recipe's texts and writes them to its output folder, unless they
/// are there already.
///
/// # Errors
///
/// [`TrainError`] if the recipe lacks a section or a file cannot be written.
pub fn prepare_tokenizers(recipe: &Recipe) -> Result<TextTokenizer> {
    let folder = &recipe.output;
    let inner = folder.join("qformer_tokenizer");
    if !inner.join("tokenizer.json").is_file() {
        let llama = Recipe::need("model.language", recipe.model.language.as_ref())?;
        let qformer = Recipe::need("model.qformer", recipe.model.qformer.as_ref())?;
        let corpus = corpus(recipe)?;
        std::fs::create_dir_all(&inner).map_err(TrainError::file(&inner))?;
        llama_bpe(&corpus, llama.vocab_size)?.save(folder)?;
        bert_wordpiece(&corpus, qformer.vocab_size)?.save(&inner)?;
    }
    let path = folder.join("tokenizer.json");
    let bytes = std::fs::read(&path).map_err(TrainError::file(&path))?;
    let name = path.to_string_lossy();
    Ok(TextTokenizer::from_bytes(&name, &bytes, &SpecialTokens::reference())?)
}

/// Texts as training shows them.
fn corpus(recipe: &Recipe) -> Result<Vec<String>> {
    let (mixture, range) = scene_mixture(&recipe.data)?;
    let mut corpus = Vec::new();
    for micro_step in 0..CORPUS / 8 {
        let draw = Draw { seed: recipe.seed, micro_step };
        let mut rng = draw.rng(Stream::Text);
        for row in mixture.rows(draw, 8)? {
            corpus.push(facts(&range.scene(row.image), &mut rng).join(", "));
            corpus.extend([row.input, row.output]);
        }
    }
    Ok(corpus)
}

impl LanguageObjective {
    /// The objective of a recipe.
    ///
    /// # Errors
    ///
    /// [`TrainError`] if the recipe lacks a section.
    pub fn new(recipe: &Recipe, tokenizer: TextTokenizer) -> Result<Self> {
        let (mixture, range) = scene_mixture(&recipe.data)?;
        let mut held_out = recipe.clone();
        held_out.data.scenes = Some(SceneRange { split: Split::Val, first: 0, count: 100_000 });
        Ok(Self {
            mixture,
            range,
            tokenizer,
            batch: recipe.optimisation.batch,
            slots: recipe.model.num_query_tokens.unwrap_or(16),
            held_out: scene_mixture(&held_out.data)?,
            held_out_samples: recipe.run.validate_samples,
        })
    }

    fn collate(
        &self,
        (mixture, range): (&Mixture, SceneRange),
        task: usize,
        draw: Draw,
        bags: bool,
    ) -> Result<LanguageBatch> {
        let mut rng = draw.rng(Stream::Facts);
        let (mut rows, mut slots) = (Vec::new(), Vec::new());
        for row in mixture.rows_of(task, draw, self.batch)? {
            let facts = facts(&range.scene(row.image), &mut rng);
            if bags {
                slots.push(self.fill(&facts, &mut rng)?);
                rows.push(SplicedRow::new(&self.tokenizer, &row.input, &row.output)?);
            } else {
                let input = format!("{}. {}", facts.join(", "), row.input);
                let mut row = SplicedRow::new(&self.tokenizer, &input, &row.output)?;
                row.labels = row.ids.iter().map(|&id| i64::from(id)).collect();
                rows.push(row);
            }
        }
        let soft = if bags { self.slots } else { 0 };
        let ids: Vec<_> = rows.iter().map(|row| row.ids.clone()).collect();
        Ok(LanguageBatch {
            rows: TokenBatch::pad_right(&ids, self.tokenizer.pad_id()),
            next: NextTokens::from_labels(&batch_labels(&rows, soft)),
            bags: bags.then(|| Bags::new(&slots)),
            task: mixture.part(task).name().to_owned(),
        })
    }

    /// The tokens of each slot: every fact at least once, in any order, and some slots empty.
    fn fill(&self, facts: &[String], rng: &mut ChaCha8Rng) -> Result<Vec<Vec<u32>>> {
        let facts: Vec<Vec<u32>> = facts
            .iter()
            .map(|fact| self.tokenizer.encode_pieces(fact))
            .collect::<Result<_, _>>()?;
        let mut slots = facts.clone();
        while slots.len() < self.slots {
            slots.push(match rng.random_bool(0.5) {
                true => facts[rng.random_range(0..facts.len())].clone(),
                false => Vec::new(),
            });
        }
        slots.truncate(self.slots);
        slots.shuffle(rng);
        Ok(slots)
    }
}

impl Bags {
    fn new(rows: &[Vec<Vec<u32>>]) -> Self {
        let width = rows.iter().flatten().map(Vec::len).max().unwrap_or(0).max(1);
        let slots = rows.first().map_or(0, Vec::len);
        let (mut ids, mut weights) = (Vec::new(), Vec::new());
        for slot in rows.iter().flatten() {
            ids.extend(slot.iter().map(|&id| id.cast_signed()));
            ids.resize(ids.len() + width - slot.len(), 0);
            weights.resize(weights.len() + slot.len(), 1.0);
            weights.resize(weights.len() + width - slot.len(), 0.0);
        }
        Self { ids, weights, shape: [rows.len(), slots, width] }
    }

    /// `[batch, slots, hidden]`.
    fn embed(self, llama: &Llama, device: &Device) -> Tensor<3> {
        let [batch, slots, width] = self.shape;
        let ids = TensorData::new(self.ids, [batch * slots, width]);
        let words = llama.embed(Tensor::from_data(ids, device));
        let weights = TensorData::new(self.weights, [batch * slots, width, 1]);
        let sums = (words * Tensor::from_data(weights, device)).sum_dim(1);
        let [_, _, hidden] = sums.dims();
        sums.reshape([batch, slots, hidden])
    }
}

impl Objective for LanguageObjective {
    type Model = Llama;
    type Batch = LanguageBatch;

    fn batch(&self, draw: Draw) -> Result<LanguageBatch> {
        let bags = draw.rng(Stream::Form).random_bool(BAGS);
        self.collate((&self.mixture, self.range), self.mixture.choose(draw), draw, bags)
    }

    fn held_out(&self) -> Result<Vec<LanguageBatch>> {
        let (mixture, range) = &self.held_out;
        let batches = self.held_out_samples.div_ceil(self.batch).max(mixture.len());
        (0..batches)
            .map(|batch| {
                // Every task in turn, so that each is measured.
                let draw = Draw { seed: 0, micro_step: batch as u64 };
                self.collate((mixture, *range), batch % mixture.len(), draw, true)
            })
            .collect()
    }

    fn loss(&self, model: &Llama, batch: LanguageBatch) -> Result<Loss> {
        let device = model.device();
        let [samples, _] = batch.rows.dims();
        let mut embeds = model.embed(batch.rows.ids(&device));
        let mut mask = batch.rows.mask(&device);
        if let Some(bags) = batch.bags {
            let [_, slots, _] = bags.shape;
            embeds = Tensor::cat(vec![bags.embed(model, &device), embeds], 1);
            let seen = Tensor::full([samples, slots], true, &device);
            mask = Tensor::cat(vec![seen, mask], 1);
        }
        Ok(token_loss(model, embeds, mask, &batch.next, samples, batch.task))
    }
}

/// The mean loss of the tokens to predict, and the part that is right, in all and for the task.
pub(super) fn token_loss(
    llama: &Llama,
    embeds: Tensor<3>,
    mask: Tensor<2, burn::tensor::Bool>,
    next: &NextTokens,
    samples: usize,
    task: String,
) -> Loss {
    let hidden = llama.forward(embeds, mask, None);
    let logits = llama.logits(next.select(hidden));
    let tokens = next.tokens(&logits.device());
    let best = logits.clone().detach().argmax(1).squeeze_dim::<1>(1);
    let right: f32 = best.equal(tokens).float().mean().into_scalar();
    let loss = next.log_probs(logits).mean().neg();
    let right = f64::from(right);
    Loss { loss, samples, metrics: vec![("accuracy".to_owned(), right), (task, right)] }
}

/// The recipe's language model with as many tokens as the tokenizer has.
pub(super) fn llama_config(recipe: &Recipe, tokenizer: &TextTokenizer) -> Result<LlamaConfig> {
    let config = Recipe::need("model.language", recipe.model.language.as_ref())?;
    Ok(LlamaConfig { vocab_size: tokenizer.vocab_size(), ..config })
}

/// Writes `model.safetensors` and `config.json` beside the tokenizers.
///
/// # Errors
///
/// [`TrainError::Core`] if a file cannot be written.
pub fn save_language(model: &Llama, config: &LlamaConfig, recipe: &Recipe) -> Result<()> {
    save(model, &KeyMap::IDENTITY, DType::F32, recipe.output.join("model.safetensors"))?;
    Ok(write_json(recipe.output.join("config.json"), config)?)
}
