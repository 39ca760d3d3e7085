//! Pretraining of the language model on texts about scenes.
//!
//! A frozen language model can only be of use if it answers from what stands in front of the
//! prompt. So every text follows the facts it speaks about, in one of two forms: as words, or as
//! *bags*, one vector per fact that is the sum of its words' embeddings, in as many slots as there
//! will be soft tokens. The Q-Former later writes into those slots.
//!
//! A Q-Former that reads the prompt can do more than list facts. With `model.focus_tokens`, the facts
//! stand in an order of their own, one slot for each place of a scene, and the last slots tell again
//! the facts that the next words are about, as far as the prompt says, and whether what it asks about
//! is missing.

use burn::tensor::{DType, Device, Distribution, Int, Tensor, TensorData};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use vigc_core::files::{read_json, write_json};
use vigc_core::weights::{Checkpoint, KeyMap, Strictness, save};
use vigc_llm::llama::{Llama, LlamaConfig};
use vigc_llm::loss::NextTokens;
use vigc_llm::tokenizer::train::{bert_wordpiece, llama_bpe};
use vigc_llm::tokenizer::{SpecialTokens, TextTokenizer};

use super::copy_files;
use super::mixtures::scene_mixture;
use super::slots;
use crate::data::Mixture;
use crate::data::packing::{PackedBatch, PackedRow};
use crate::data::scenes::{SceneRange, SceneTask, facts};
use crate::data::splice::SplicedRow;
use crate::engine::{Loss, Objective};
use crate::error::{Result, TrainError};
use crate::recipe::Recipe;
use vigc_core::random::{Draw, EpochOrder, Stream};
use vigc_scenes::{Focus, Scene, Split};

/// The part of batches whose facts are bags.
const BAGS: f64 = 0.9;
/// How often the focus tokens are silent before a question with a short answer, so that facts are
/// found in their places, too: VIG has nothing else.
const SILENT: f64 = 0.5;
/// How many texts the tokenizers are trained on.
const CORPUS: u64 = 12_000;

/// Places in a packed row.
const ROW: usize = 288;
/// How often another text is tried where one did not fit.
const TRIES: usize = 3;

/// Texts with their facts in front, several about one scene in a row.
#[derive(Debug)]
pub struct LanguageObjective {
    mixture: Mixture,
    range: SceneRange,
    tokenizer: TextTokenizer,
    batch: usize,
    slots: usize,
    focus: usize,
    /// Whether the embeddings stay as an earlier result has them, since a Q-Former may already write
    /// what they mean.
    keeps_embeddings: bool,
    held_out: (Mixture, SceneRange),
    held_out_samples: usize,
}

/// One batch of texts.
#[derive(Debug)]
pub struct LanguageBatch {
    rows: PackedBatch,
    /// Bags, and the flat places that they take.
    bags: Option<(Bags, Vec<usize>)>,
    task: Option<String>,
}

/// Tokens that are summed into slots, `[slots, width]`, with weight 0 for none.
#[derive(Debug)]
pub(super) struct Bags {
    ids: Vec<i32>,
    weights: Vec<f32>,
    shape: [usize; 2],
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
    if let Some(earlier) = &recipe.inputs.language {
        copy_files(earlier, folder, &TOKENIZERS)?;
    } else if !inner.join("tokenizer.json").is_file() {
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

/// The files of both tokenizers.
pub(super) const TOKENIZERS: [&str; 4] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "qformer_tokenizer/tokenizer.json",
    "qformer_tokenizer/tokenizer_config.json",
];

/// The language model that the recipe starts from: an earlier stage's, or an untrained one.
///
/// # Errors
///
/// [`TrainError`] if the earlier one cannot be read or has another shape.
pub fn starting_llama(recipe: &Recipe, config: &LlamaConfig, device: &Device) -> Result<Llama> {
    let mut llama = config.init(device);
    if let Some(earlier) = &recipe.inputs.language {
        let weights = Checkpoint::open(earlier.join("model.safetensors"))?;
        weights.load(&mut llama, &KeyMap::IDENTITY, Strictness::Strict)?;
    }
    Ok(llama)
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
        let slots = recipe.model.num_query_tokens.unwrap_or(16);
        if recipe.model.focus_tokens > 0 {
            slots::check(slots, recipe.model.focus_tokens)?;
        }
        let (mixture, range) = scene_mixture(&recipe.data)?;
        let mut held_out = recipe.clone();
        held_out.data.scenes = Some(SceneRange { split: Split::Val, first: 0, count: 100_000 });
        Ok(Self {
            mixture,
            range,
            tokenizer,
            batch: recipe.optimisation.batch,
            slots,
            focus: recipe.model.focus_tokens,
            keeps_embeddings: recipe.inputs.language.is_some(),
            held_out: scene_mixture(&held_out.data)?,
            held_out_samples: recipe.run.validate_samples,
        })
    }

    /// Rows about scenes; of one task, or of tasks drawn by ratio.
    fn collate(
        &self,
        (mixture, range): (&Mixture, SceneRange),
        scenes: &[usize],
        task: Option<usize>,
        (bags, rng): (bool, &mut ChaCha8Rng),
    ) -> Result<LanguageBatch> {
        let mut rows = Vec::new();
        // The slots of all rows with the row and the place of each.
        let mut slots: Vec<(Vec<u32>, usize, usize)> = Vec::new();
        for (number, &index) in scenes.iter().enumerate() {
            let scene = range.scene(index);
            let mut fill = |slot: Vec<Vec<u32>>, first: usize| {
                let at = slot.into_iter().enumerate();
                slots.extend(at.map(|(place, slot)| (slot, number, first + place)));
            };
            let focus = if bags { self.focus } else { 0 };
            let mut row = if bags {
                let shared = self.slots - focus;
                fill(self.tell(&scene, shared, rng)?, 0);
                PackedRow::behind_soft_tokens(shared)
            } else {
                let facts = facts(&scene, rng).join(", ");
                PackedRow::behind_text(self.tokenizer.encode(&format!("{facts}."))?)
            };
            let mut misses = 0;
            while misses < TRIES {
                let part = task.unwrap_or_else(|| mixture.choose_with(rng));
                let text = mixture.part(part).row(index, rng)?;
                let spliced = SplicedRow::new(&self.tokenizer, &text.input, &text.output)?;
                if row.texts() > 0 && row.len() + focus + spliced.ids.len() > ROW {
                    misses += 1;
                } else {
                    let first = row.push(focus, &spliced);
                    let short = mixture.part(part).name() == SceneTask::Vqa.name();
                    let silent = short && rng.random_bool(SILENT);
                    let look = match silent {
                        true => Focus::default(),
                        false => Focus { missing: text.missing, objects: text.objects },
                    };
                    fill(self.tokens(&slots::focus(&scene, &look, focus))?, first);
                }
            }
            rows.push(row);
        }
        let rows = PackedBatch::new(&rows, self.tokenizer.pad_id());
        let [_, seq] = rows.dims();
        let bags = bags.then(|| {
            let places = slots.iter().map(|&(_, row, place)| row * seq + place).collect();
            (Bags::new(slots.into_iter().map(|(slot, ..)| slot)), places)
        });
        Ok(LanguageBatch {
            rows,
            bags,
            task: task.map(|task| mixture.part(task).name().to_owned()),
        })
    }

    fn tokens(&self, facts: &[String]) -> Result<Vec<Vec<u32>>> {
        facts.iter().map(|fact| Ok(self.tokenizer.encode_pieces(fact)?)).collect()
    }

    /// The embeddings of words with bags in some of their places.
    fn put(&self, bags: Tensor<2>, places: &[usize], words: Tensor<3>) -> Tensor<3> {
        let bags = if self.focus > 0 { noisy(bags) } else { bags };
        let [rows, seq, hidden] = words.dims();
        let row = |row: usize| i32::try_from(row).unwrap_or(i32::MAX);
        let mut take: Vec<_> = (0..rows * seq).map(row).collect();
        for (bag, &place) in places.iter().enumerate() {
            take[place] = row(rows * seq + bag);
        }
        let take = Tensor::<1, Int>::from_data(&take[..], &words.device());
        let both = Tensor::cat(vec![words.reshape([rows * seq, hidden]), bags], 0);
        both.select(0, take).reshape([rows, seq, hidden])
    }

    /// The tokens of the slots that all texts share: the facts in their order; or, without focus,
    /// every fact at least once, in any order, and some slots empty.
    fn tell(&self, scene: &Scene, shared: usize, rng: &mut ChaCha8Rng) -> Result<Vec<Vec<u32>>> {
        if self.focus > 0 {
            return self.tokens(&slots::places(scene, shared));
        }
        let facts = self.tokens(&facts(scene, rng))?;
        let mut slots = facts.clone();
        while slots.len() < shared {
            slots.push(match rng.random_bool(0.5) {
                true => facts[rng.random_range(0..facts.len())].clone(),
                false => Vec::new(),
            });
        }
        slots.truncate(shared);
        slots.shuffle(rng);
        Ok(slots)
    }
}

impl Bags {
    pub(super) fn new(slots: impl IntoIterator<Item = Vec<u32>>) -> Self {
        let slots: Vec<_> = slots.into_iter().collect();
        let width = slots.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let (mut ids, mut weights) = (Vec::new(), Vec::new());
        for slot in &slots {
            ids.extend(slot.iter().map(|&id| id.cast_signed()));
            ids.resize(ids.len() + width - slot.len(), 0);
            weights.resize(weights.len() + slot.len(), 1.0);
            weights.resize(weights.len() + width - slot.len(), 0.0);
        }
        Self { ids, weights, shape: [slots.len(), width] }
    }

    /// `[slots, hidden]`.
    pub(super) fn embed(
        self,
        embed: impl Fn(Tensor<2, Int>) -> Tensor<3>,
        device: &Device,
    ) -> Tensor<2> {
        let [slots, width] = self.shape;
        let words = embed(Tensor::from_data(TensorData::new(self.ids, self.shape), device));
        let weights = TensorData::new(self.weights, [slots, width, 1]);
        (words * Tensor::from_data(weights, device)).sum_dim(1).squeeze_dim(1)
    }
}

impl Objective for LanguageObjective {
    type Model = Llama;
    type Batch = LanguageBatch;

    fn batch(&self, draw: Draw) -> Result<LanguageBatch> {
        let mut rng = draw.rng(Stream::Text);
        let bags = rng.random_bool(BAGS);
        let order = EpochOrder { seed: draw.seed, len: self.range.count as u64 };
        let first = draw.micro_step * self.batch as u64;
        let scenes: Vec<_> = (first..first + self.batch as u64)
            .map(|at| usize::try_from(order.item(at)).unwrap_or(0))
            .collect();
        self.collate((&self.mixture, self.range), &scenes, None, (bags, &mut rng))
    }

    fn held_out(&self) -> Result<Vec<LanguageBatch>> {
        let (mixture, range) = &self.held_out;
        let batches = self.held_out_samples.div_ceil(self.batch).max(mixture.len());
        (0..batches)
            .map(|batch| {
                // Every task in turn, so that each is measured.
                let mut rng = Draw { seed: 0, micro_step: batch as u64 }.rng(Stream::Text);
                let scenes: Vec<_> = (batch * self.batch..(batch + 1) * self.batch).collect();
                let task = Some(batch % mixture.len());
                self.collate((mixture, *range), &scenes, task, (true, &mut rng))
            })
            .collect()
    }

    fn loss(&self, model: &Llama, batch: LanguageBatch) -> Result<Loss> {
        let device = model.device();
        let (ids, positions, bias) = batch.rows.tensors(&device);
        let embed = |ids| match self.keeps_embeddings {
            true => model.embed_frozen(ids),
            false => model.embed(ids),
        };
        let mut embeds = embed(ids);
        if let Some((bags, places)) = batch.bags {
            embeds = self.put(bags.embed(embed, &device), &places, embeds);
        }
        let hidden = model.forward_packed(embeds, positions, bias);
        Ok(token_loss(model, hidden, &batch.rows.next, batch.rows.texts, batch.task))
    }
}

/// What a Q-Former will not write exactly, off by a tenth of its usual size.
fn noisy(bags: Tensor<2>) -> Tensor<2> {
    let size = bags.clone().detach().powi_scalar(2).mean().sqrt().mul_scalar(0.1);
    let noise = bags.random_like(Distribution::Normal(0.0, 1.0));
    bags + noise * size.unsqueeze()
}

/// The mean loss of the tokens to predict, and the part that is right, in all and for the task.
pub(super) fn token_loss(
    llama: &Llama,
    hidden: Tensor<3>,
    next: &NextTokens,
    samples: usize,
    task: Option<String>,
) -> Loss {
    let logits = llama.logits(next.select(hidden));
    let tokens = next.tokens(&logits.device());
    let best = logits.clone().detach().argmax(1).squeeze_dim::<1>(1);
    let right: f32 = best.equal(tokens).float().mean().into_scalar();
    let loss = next.log_probs(logits).mean().neg();
    let names = [Some("accuracy".to_owned()), task].into_iter().flatten();
    Loss { loss, samples, metrics: names.map(|name| (name, f64::from(right))).collect() }
}

/// The shape of an earlier result, or the recipe's with as many tokens as the tokenizer has.
pub(super) fn llama_config(recipe: &Recipe, tokenizer: &TextTokenizer) -> Result<LlamaConfig> {
    if let Some(earlier) = &recipe.inputs.language {
        return Ok(read_json(earlier.join("config.json"))?);
    }
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
