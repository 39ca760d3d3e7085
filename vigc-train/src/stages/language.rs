//! Pretraining of the language model on texts about scenes.
//!
//! A frozen language model is useful only if it answers from what comes before the prompt. So every text follows the facts
//! that it is about, in one of two forms: as words, or as embedding bags, one vector per fact that is the sum of its words'
//! embeddings. There are as many slots for bags as there will be soft tokens, and the Q-Former later writes into those
//! slots.
//!
//! A Q-Former that reads the prompt can do more than list facts. With `model.focus_tokens`, there is one slot for each place
//! of a scene, and the last slots are focus tokens: they repeat the facts that the next words are about, as far as the prompt
//! says, and tell whether the prompt is about an object that is not there.

use std::fs;
use std::path::Path;

use burn::tensor::{DType, Device, Distribution, Int, Tensor};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use vigc_core::files::{read_json, write_json};
use vigc_core::random::{Draw, EpochOrder, Stream};
use vigc_core::weights::{Checkpoint, KeyMap, Strictness, save};
use vigc_llm::llama::{Llama, LlamaConfig};
use vigc_llm::loss::NextTokenTargets;
use vigc_llm::tokenizer::train::{bert_wordpiece, llama_bpe};
use vigc_llm::tokenizer::{SpecialTokens, TextTokenizer};
use vigc_scenes::{Focus, Scene, Split};

use super::fact_slots::{EmbeddingBags, check_slots, focus_facts, place_facts};
use super::training_data::scene_mixture;
use crate::data::Mixture;
use crate::data::packing::{LabeledTokens, PackedBatch, PackedRow};
use crate::data::scenes::{SceneRange, SceneTask, facts};
use crate::engine::{Loss, Objective};
use crate::error::{Result, TrainError};
use crate::recipe::Recipe;

/// The fraction of batches whose facts are embedding bags.
const BAG_BATCHES: f64 = 0.9;
/// How often the focus tokens are empty before a question with a short answer, so that the model also learns to find facts
/// in the slots of their places. At VIG's prompts, focus tokens are always empty.
const EMPTY_FOCUS: f64 = 0.5;
/// The number of rows that the tokenizers are trained on.
const CORPUS_ROWS: u64 = 12_000;

/// The most tokens and soft tokens in a packed row.
const ROW_LENGTH: usize = 288;
/// How often another text is tried after one that does not fit in a row.
const ATTEMPTS: usize = 3;

/// Writing texts about scenes behind their facts. A row has several texts about one scene.
#[derive(Debug)]
pub struct LanguageObjective {
    mixture: Mixture,
    range: SceneRange,
    tokenizer: TextTokenizer,
    batch: usize,
    slots: usize,
    focus: usize,
    /// Whether the embeddings of an earlier stage stay unchanged, because a Q-Former may have learned to write them.
    keeps_embeddings: bool,
    held_out: (Mixture, SceneRange),
    held_out_samples: usize,
}

/// A batch of texts.
#[derive(Debug)]
pub struct LanguageBatch {
    rows: PackedBatch,
    /// Embedding bags, and their positions in the flattened batch.
    bags: Option<(EmbeddingBags, Vec<usize>)>,
    task: Option<String>,
}

/// Writes both tokenizers to the recipe's output folder: those of an earlier stage, or new ones that are trained on the
/// recipe's texts. Tokenizers that are there already are kept.
///
/// # Errors
///
/// [`TrainError`] if the recipe lacks a section or a file cannot be written.
pub fn prepare_tokenizers(recipe: &Recipe) -> Result<TextTokenizer> {
    let folder = &recipe.output;
    let inner = folder.join("qformer_tokenizer");
    if let Some(earlier) = &recipe.inputs.language {
        copy_tokenizers(earlier, folder)?;
    } else if !inner.join("tokenizer.json").is_file() {
        let llama = Recipe::need("model.language", recipe.model.language.as_ref())?;
        let qformer = Recipe::need("model.qformer", recipe.model.qformer.as_ref())?;
        let corpus = corpus(recipe)?;
        fs::create_dir_all(&inner).map_err(TrainError::file(&inner))?;
        llama_bpe(&corpus, llama.vocab_size)?.save(folder)?;
        bert_wordpiece(&corpus, qformer.vocab_size)?.save(&inner)?;
    }
    let path = folder.join("tokenizer.json");
    let bytes = fs::read(&path).map_err(TrainError::file(&path))?;
    let name = path.to_string_lossy();
    Ok(TextTokenizer::from_bytes(&name, &bytes, &SpecialTokens::upstream())?)
}

/// The files of both tokenizers.
const TOKENIZERS: [&str; 4] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "qformer_tokenizer/tokenizer.json",
    "qformer_tokenizer/tokenizer_config.json",
];

/// Copies the tokenizers of an earlier stage.
fn copy_tokenizers(from: &Path, to: &Path) -> Result<()> {
    let inner = to.join("qformer_tokenizer");
    fs::create_dir_all(&inner).map_err(TrainError::file(&inner))?;
    for name in TOKENIZERS.iter().filter(|name| from.join(name).is_file()) {
        fs::copy(from.join(name), to.join(name)).map_err(TrainError::file(to.join(name)))?;
    }
    Ok(())
}

/// The language model that the recipe starts from: that of an earlier stage, or an untrained one.
///
/// # Errors
///
/// [`TrainError`] if the weights of the earlier stage cannot be read or have another shape.
pub fn starting_llama(recipe: &Recipe, config: &LlamaConfig, device: &Device) -> Result<Llama> {
    let mut llama = config.init(device);
    if let Some(earlier) = &recipe.inputs.language {
        let weights = Checkpoint::open(earlier.join("model.safetensors"))?;
        weights.load(&mut llama, &KeyMap::IDENTITY, Strictness::Strict)?;
    }
    Ok(llama)
}

/// The texts that tokenizers are trained on.
fn corpus(recipe: &Recipe) -> Result<Vec<String>> {
    let (mixture, range) = scene_mixture(&recipe.data)?;
    let mut corpus = Vec::new();
    for micro_step in 0..CORPUS_ROWS / 8 {
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
            check_slots(slots, recipe.model.focus_tokens)?;
        }
        let (mixture, range) = scene_mixture(&recipe.data)?;
        let mut held_out = recipe.clone();
        held_out.data.scenes = Some(SceneRange { split: Split::Val, first: 0, count: 100_000 });
        Ok(Self {
            mixture,
            range,
            tokenizer,
            batch: recipe.optimization.batch,
            slots,
            focus: recipe.model.focus_tokens,
            keeps_embeddings: recipe.inputs.language.is_some(),
            held_out: scene_mixture(&held_out.data)?,
            held_out_samples: recipe.run.validate_samples,
        })
    }

    /// A batch about scenes, with texts of one task or of tasks drawn by their ratios.
    fn collate(
        &self,
        (mixture, range): (&Mixture, SceneRange),
        scenes: &[usize],
        task: Option<usize>,
        (bags, rng): (bool, &mut ChaCha8Rng),
    ) -> Result<LanguageBatch> {
        let mut rows = Vec::new();
        // The tokens of every slot, with its row and its position in the row.
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
                fill(self.shared_slots(&scene, shared, rng)?, 0);
                PackedRow::behind_soft_tokens(shared)
            } else {
                let facts = facts(&scene, rng).join(", ");
                PackedRow::behind_text(self.tokenizer.encode(&format!("{facts}."))?)
            };
            let mut misses = 0;
            while misses < ATTEMPTS {
                let part = task.unwrap_or_else(|| mixture.choose_with(rng));
                let text = mixture.part(part).row(index, rng)?;
                let spliced = LabeledTokens::encode(&self.tokenizer, &text.input, &text.output)?;
                if row.texts() > 0 && row.len() + focus + spliced.ids.len() > ROW_LENGTH {
                    misses += 1;
                } else {
                    let first = row.push(focus, &spliced);
                    let short = mixture.part(part).name() == SceneTask::Vqa.name();
                    let is_empty = short && rng.random_bool(EMPTY_FOCUS);
                    let look = match is_empty {
                        true => Focus::default(),
                        false => Focus { missing: text.missing, objects: text.objects },
                    };
                    fill(self.tokens(&focus_facts(&scene, &look, focus))?, first);
                }
            }
            rows.push(row);
        }
        let rows = PackedBatch::new(&rows, self.tokenizer.pad_id());
        let [_, seq] = rows.dims();
        let bags = bags.then(|| {
            let places = slots.iter().map(|&(_, row, place)| row * seq + place).collect();
            (EmbeddingBags::new(slots.into_iter().map(|(slot, ..)| slot)), places)
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

    /// The embeddings of words, with embedding bags at the given positions of the flattened batch.
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

    /// The tokens of the slots that all texts of a row share. With focus tokens, these are the facts by place. Without, they
    /// are the facts in random order, each at least once, and some slots are empty.
    fn shared_slots(
        &self,
        scene: &Scene,
        shared: usize,
        rng: &mut ChaCha8Rng,
    ) -> Result<Vec<Vec<u32>>> {
        if self.focus > 0 {
            return self.tokens(&place_facts(scene, shared));
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

impl Objective for LanguageObjective {
    type Model = Llama;
    type Batch = LanguageBatch;

    fn batch(&self, draw: Draw) -> Result<LanguageBatch> {
        let mut rng = draw.rng(Stream::Text);
        let bags = rng.random_bool(BAG_BATCHES);
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
                // Tasks take turns, so that each of them is measured.
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

/// Embedding bags with noise of a tenth of their usual size, because a Q-Former will not write them exactly.
fn noisy(bags: Tensor<2>) -> Tensor<2> {
    let size = bags.clone().detach().powi_scalar(2).mean().sqrt().mul_scalar(0.1);
    let noise = bags.random_like(Distribution::Normal(0.0, 1.0));
    bags + noise * size.unsqueeze()
}

/// The mean loss of the tokens to predict, and the accuracy, overall and for the task.
pub(super) fn token_loss(
    llama: &Llama,
    hidden: Tensor<3>,
    next: &NextTokenTargets,
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

/// The configuration of an earlier stage, or that of the recipe with the size of the tokenizer's vocabulary.
pub(super) fn llama_config(recipe: &Recipe, tokenizer: &TextTokenizer) -> Result<LlamaConfig> {
    if let Some(earlier) = &recipe.inputs.language {
        return Ok(read_json(earlier.join("config.json"))?);
    }
    let config = Recipe::need("model.language", recipe.model.language.as_ref())?;
    Ok(LlamaConfig { vocab_size: tokenizer.vocab_size(), ..config })
}

/// Writes `model.safetensors` and `config.json` to the output folder, beside the tokenizers.
///
/// # Errors
///
/// [`TrainError::Core`] if a file cannot be written.
pub fn save_language(model: &Llama, config: &LlamaConfig, recipe: &Recipe) -> Result<()> {
    save(model, &KeyMap::IDENTITY, DType::F32, recipe.output.join("model.safetensors"))?;
    Ok(write_json(recipe.output.join("config.json"), config)?)
}
