//! Alignment on facts: every query learns what to write, without a run of the language model.
//!
//! The language stage has taught the language model to read bags, one vector per fact. Here each
//! place of a scene has a query of its own, which learns to write the bag of the object that stands
//! there, or nothing; one more writes the background. The last `model.focus_tokens` queries learn to
//! write again what the prompt makes one look at, the very last whether it asks about what is not
//! there, and the others to stay silent. A loss on texts
//! tells the queries about one fact in a sentence or two; this one tells every query everything, in a
//! fraction of the time.

use burn::tensor::{Bool, Int, Tensor, TensorData};
use vigc_llm::tokenizer::BertTokenizer;

use super::fact_table::{FactTable, MISSING, NOTHING, OBJECTS, PLACES};
use super::finetune::{training_data, visual_tokens};
use super::lessons::Lessons;
use super::slots;
use crate::data::InstructionRow;
use crate::data::scenes::SceneRange;
use crate::engine::{Loss, Objective};
use crate::error::Result;
use crate::features::ImageFeatures;
use crate::progress::Progress;
use crate::recipe::Recipe;
use vigc_core::random::Draw;
use vigc_pipeline::instruct_blip::{InstructBlip, QFormerConnector};
use vigc_scenes::{Focus, Scene, Split};

/// Pictures, prompts, and the bag that each query is to write.
#[derive(Debug)]
pub struct FactsBatch {
    features: TensorData,
    prompts: Vec<Vec<u32>>,
    /// Rows of the table of bags, `[batch, queries]`.
    bags: Vec<i32>,
}

/// Scenes whose facts are to be written.
#[derive(Debug)]
pub struct FactsObjective {
    lessons: Lessons,
    range: SceneRange,
    bert: BertTokenizer,
    bags: FactTable,
    queries: usize,
    focus: usize,
}

impl FactsObjective {
    /// The objective of a recipe for a model; caches features in the recipe's output folder.
    ///
    /// # Errors
    ///
    /// [`TrainError`](crate::TrainError) if the recipe lacks a section, the model has fewer
    /// queries than facts, or features cannot be computed.
    pub fn new(recipe: &Recipe, model: &InstructBlip, progress: &mut dyn Progress) -> Result<Self> {
        let (queries, focus) = (model.config().num_query_tokens, recipe.model.focus_tokens);
        slots::check(queries, focus)?;
        Ok(Self {
            lessons: training_data(recipe, model, progress)?,
            range: Recipe::need("data.scenes", recipe.data.scenes.as_ref())?,
            bert: model.processor().qformer_tokenizer.clone(),
            bags: FactTable::new(model)?,
            queries,
            focus,
        })
    }

    fn collate(
        &self,
        rows: &[InstructionRow],
        features: &ImageFeatures,
        range: SceneRange,
    ) -> Result<FactsBatch> {
        let images: Vec<_> = rows.iter().map(|row| row.image).collect();
        let prompts =
            rows.iter().map(|row| self.bert.encode(&row.input)).collect::<Result<Vec<_>, _>>()?;
        let bags = rows.iter().flat_map(|row| self.bags(&range.scene(row.image), row));
        Ok(FactsBatch {
            bags: bags.map(|bag| i32::try_from(bag).unwrap_or(i32::MAX)).collect(),
            features: features.batch(&images)?,
            prompts,
        })
    }

    /// The rows of the table that a scene's queries are to write.
    fn bags(&self, scene: &Scene, row: &InstructionRow) -> Vec<usize> {
        let look = Focus { missing: row.missing, objects: row.objects.clone() };
        let places = slots::places(scene, self.queries - self.focus);
        let focus = slots::focus(scene, &look, self.focus);
        places.iter().chain(&focus).map(|text| self.bags.row(text)).collect()
    }

    /// The part of the places whose bag is nearest to what was written, among the bags of all
    /// objects that may stand there and of none.
    fn right(&self, written: &Tensor<3>, bags: &Tensor<2, Int>) -> f64 {
        let written = written.clone().narrow(1, 0, PLACES).swap_dims(0, 1);
        let [_, hidden] = self.bags.table.dims();
        let objects = self.bags.table.clone().narrow(0, 1, PLACES * OBJECTS);
        let nothing = self.bags.table.clone().narrow(0, NOTHING, 1).reshape([1, 1, hidden]);
        let to_nothing = away(written.clone(), nothing.repeat_dim(0, PLACES));
        let away = away(written, objects.reshape([PLACES, OBJECTS, hidden]));
        let first = Tensor::<1, Int>::arange(0..PLACES as i64, &away.device())
            .mul_scalar(OBJECTS as i64)
            .add_scalar(1)
            .reshape([PLACES, 1, 1]);
        let (nearest, found) = away.min_dim_with_indices(2);
        let found = (found + first).mask_fill(nearest.greater_equal(to_nothing), NOTHING as i64);
        let expected = bags.clone().narrow(1, 0, PLACES).swap_dims(0, 1).unsqueeze_dim::<3>(2);
        f64::from(found.equal(expected).float().mean().into_scalar::<f32>())
    }

    /// The part of the focus queries with an object to show whose writing is nearest to that, among
    /// what stands in the picture; none if there are no such queries.
    fn looks(&self, written: &Tensor<3>, bags: &Tensor<2, Int>) -> Option<f64> {
        let (first, objects) = (self.queries - self.focus, self.focus - 1);
        if objects == 0 {
            return None;
        }
        let [samples, _, hidden] = written.dims();
        let places = bags.clone().narrow(1, 0, PLACES);
        let there = self.bags.table.clone().select(0, places.clone().reshape([-1]));
        let there = there.reshape([samples, PLACES, hidden]);
        let away = away(written.clone().narrow(1, first, objects), there);
        let nearest = places.gather(1, away.argmin(2).squeeze_dim(2));
        let expected = bags.clone().narrow(1, first, objects);
        let asked = expected.clone().not_equal_scalar(NOTHING as i64);
        part(nearest.equal(expected), asked)
    }

    /// The part of the prompts about what is missing after which the last query says so, and the part
    /// of the others after which it says so, too; none if there are no such prompts.
    fn denials(&self, written: &Tensor<3>, bags: &Tensor<2, Int>) -> [Option<f64>; 2] {
        let [samples, _, hidden] = written.dims();
        let last = self.queries - 1;
        let either = [NOTHING, MISSING].map(|row| self.bags.table.clone().narrow(0, row, 1));
        let either = Tensor::cat(either.to_vec(), 0).unsqueeze::<3>().expand([samples, 2, hidden]);
        let away = away(written.clone().narrow(1, last, 1), either);
        let says = away.argmin(2).squeeze_dim::<2>(2).equal_scalar(1);
        let missing = bags.clone().narrow(1, last, 1).equal_scalar(MISSING as i64);
        [part(says.clone(), missing.clone()), part(says, missing.bool_not())]
    }
}

/// The part of those places of `among` that `of` holds, too; none if there are no such places.
fn part(of: Tensor<2, Bool>, among: Tensor<2, Bool>) -> Option<f64> {
    let among = among.float();
    let both = (of.float() * among.clone()).sum().into_scalar::<f32>();
    let all = among.sum().into_scalar::<f32>();
    (all > 0.0).then(|| f64::from(both / all))
}

/// Squared distances from `[batch, from, hidden]` to `[batch, to, hidden]`, less the squared length of
/// the former: `[batch, from, to]`.
fn away(from: Tensor<3>, to: Tensor<3>) -> Tensor<3> {
    let lengths = to.clone().powi_scalar(2).sum_dim(2).swap_dims(1, 2);
    lengths - from.matmul(to.swap_dims(1, 2)).mul_scalar(2.0)
}

impl Objective for FactsObjective {
    type Model = QFormerConnector;
    type Batch = FactsBatch;

    fn batch(&self, draw: Draw) -> Result<FactsBatch> {
        self.lessons.batch(draw, |rows, features, _| self.collate(rows, features, self.range))
    }

    fn held_out(&self) -> Result<Vec<FactsBatch>> {
        let range = SceneRange { split: Split::Val, first: 0, ..self.range };
        self.lessons.held_out(|rows, features, _| self.collate(rows, features, range))
    }

    fn loss(&self, model: &QFormerConnector, batch: FactsBatch) -> Result<Loss> {
        let written = visual_tokens(model, batch.features, &batch.prompts).tokens;
        let [samples, queries, hidden] = written.dims();
        let bags = TensorData::new(batch.bags, [samples, queries]);
        let bags = Tensor::<2, Int>::from_data(bags, &self.bags.table.device());
        let expected = self.bags.table.clone().select(0, bags.clone().reshape([-1]));
        let scale = self.bags.table.clone().powi_scalar(2).mean();
        let shown = written.clone().detach();
        let mut metrics = vec![("right".to_owned(), self.right(&shown, &bags))];
        if self.focus > 0 {
            let [missing, false_alarm] = self.denials(&shown, &bags);
            let focus = [
                ("focus", self.looks(&shown, &bags)),
                ("missing", missing),
                ("false_alarm", false_alarm),
            ];
            let known = focus.into_iter().filter_map(|(name, part)| Some((name.to_owned(), part?)));
            metrics.extend(known);
        }
        let off = written - expected.reshape([samples, queries, hidden]);
        let loss = off.powi_scalar(2).mean() / scale;
        Ok(Loss { loss, samples, metrics })
    }
}
