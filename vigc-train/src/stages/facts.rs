//! Alignment on facts: the Q-Former learns to write the facts of a scene, without running the language model.
//!
//! The `language` stage teaches the language model to read facts as embedding bags. In this stage, one query for each place
//! of a scene learns to write the bag of the object in that place, or of no object, and one query writes the background. The
//! last `model.focus_tokens` queries are focus tokens: they repeat the facts that matter for the prompt, and the very last
//! one tells whether the prompt is about an object that is not there. Any other queries learn to write nothing.
//!
//! A loss on texts gives the queries feedback on one or two facts. This loss covers all facts for every query, in a fraction
//! of the time.

use burn::tensor::{Bool, Int, Tensor, TensorData};
use vigc_llm::tokenizer::BertTokenizer;

use super::fact_slots::{FactTable, check_slots, focus_facts, place_facts};
use super::finetune::{training_data, visual_tokens};
use super::training_data::TrainingData;
use crate::data::InstructionRow;
use crate::data::scenes::SceneRange;
use crate::engine::{Loss, Objective};
use crate::error::Result;
use crate::features::ImageFeatures;
use crate::listener::RunListener;
use crate::recipe::Recipe;
use vigc_core::random::Draw;
use vigc_pipeline::instruct_blip::{InstructBlip, QFormerConnector};
use vigc_scenes::{Focus, Scene, Split};

/// Image features, prompts, and the bag that each query should write.
#[derive(Debug)]
pub struct FactsBatch {
    features: TensorData,
    prompts: Vec<Vec<u32>>,
    /// Rows of the fact table, `[batch, queries]`.
    bags: Vec<i32>,
}

/// Writing the facts of scenes.
#[derive(Debug)]
pub struct FactsObjective {
    data: TrainingData,
    range: SceneRange,
    bert: BertTokenizer,
    bags: FactTable,
    queries: usize,
    focus: usize,
}

impl FactsObjective {
    /// The objective of a recipe for a model. Image features are cached in the recipe's output folder.
    ///
    /// # Errors
    ///
    /// [`TrainError`](crate::TrainError) if the recipe lacks a section, the model has fewer queries than facts, or features
    /// cannot be computed.
    pub fn new(
        recipe: &Recipe,
        model: &InstructBlip,
        listener: &mut dyn RunListener,
    ) -> Result<Self> {
        let (queries, focus) = (model.config().num_query_tokens, recipe.model.focus_tokens);
        check_slots(queries, focus)?;
        Ok(Self {
            data: training_data(recipe, model, listener)?,
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

    /// The rows of the fact table that the queries should write.
    fn bags(&self, scene: &Scene, row: &InstructionRow) -> Vec<usize> {
        let focus = Focus { missing: row.missing, objects: row.objects.clone() };
        let places = place_facts(scene, self.queries - self.focus);
        let focus = focus_facts(scene, &focus, self.focus);
        places.iter().chain(&focus).map(|text| self.bags.row(text)).collect()
    }

    /// The fraction of places whose bag is the nearest one to the query's output, among the bags of all objects that may
    /// stand there and of no object.
    fn place_accuracy(&self, written: &Tensor<3>, bags: &Tensor<2, Int>) -> f64 {
        const PLACES: usize = FactTable::PLACES;
        const OBJECTS: usize = FactTable::OBJECTS;
        let written = written.clone().narrow(1, 0, PLACES).swap_dims(0, 1);
        let [_, hidden] = self.bags.table.dims();
        let objects = self.bags.table.clone().narrow(0, 1, PLACES * OBJECTS);
        let nothing =
            self.bags.table.clone().narrow(0, FactTable::NOTHING, 1).reshape([1, 1, hidden]);
        let to_nothing = distances(written.clone(), nothing.repeat_dim(0, PLACES));
        let distances = distances(written, objects.reshape([PLACES, OBJECTS, hidden]));
        let first = Tensor::<1, Int>::arange(0..PLACES as i64, &distances.device())
            .mul_scalar(OBJECTS as i64)
            .add_scalar(1)
            .reshape([PLACES, 1, 1]);
        let (nearest, found) = distances.min_dim_with_indices(2);
        let found =
            (found + first).mask_fill(nearest.greater_equal(to_nothing), FactTable::NOTHING as i64);
        let expected = bags.clone().narrow(1, 0, PLACES).swap_dims(0, 1).unsqueeze_dim::<3>(2);
        f64::from(found.equal(expected).float().mean().into_scalar::<f32>())
    }

    /// The fraction of focus tokens with an object whose bag is the nearest one to the query's output, among the objects in
    /// the picture; `None` if no focus token has an object.
    fn focus_accuracy(&self, written: &Tensor<3>, bags: &Tensor<2, Int>) -> Option<f64> {
        let (first, objects) = (self.queries - self.focus, self.focus - 1);
        if objects == 0 {
            return None;
        }
        let [samples, _, hidden] = written.dims();
        let places = bags.clone().narrow(1, 0, FactTable::PLACES);
        let there = self.bags.table.clone().select(0, places.clone().reshape([-1]));
        let there = there.reshape([samples, FactTable::PLACES, hidden]);
        let distances = distances(written.clone().narrow(1, first, objects), there);
        let nearest = places.gather(1, distances.argmin(2).squeeze_dim(2));
        let expected = bags.clone().narrow(1, first, objects);
        let asked = expected.clone().not_equal_scalar(FactTable::NOTHING as i64);
        fraction(nearest.equal(expected), asked)
    }

    /// The fraction of prompts about a missing object for which the last query says so, and the fraction of other prompts for
    /// which it says so as well (false alarms); `None` without such prompts.
    fn missing_rates(&self, written: &Tensor<3>, bags: &Tensor<2, Int>) -> [Option<f64>; 2] {
        let [samples, _, hidden] = written.dims();
        let last = self.queries - 1;
        let either = [FactTable::NOTHING, FactTable::MISSING]
            .map(|row| self.bags.table.clone().narrow(0, row, 1));
        let either = Tensor::cat(either.to_vec(), 0).unsqueeze::<3>().expand([samples, 2, hidden]);
        let distances = distances(written.clone().narrow(1, last, 1), either);
        let says = distances.argmin(2).squeeze_dim::<2>(2).equal_scalar(1);
        let missing = bags.clone().narrow(1, last, 1).equal_scalar(FactTable::MISSING as i64);
        [fraction(says.clone(), missing.clone()), fraction(says, missing.bool_not())]
    }
}

/// The fraction of `among` that is also in `of`; `None` if `among` is empty.
fn fraction(of: Tensor<2, Bool>, among: Tensor<2, Bool>) -> Option<f64> {
    let among = among.float();
    let both = (of.float() * among.clone()).sum().into_scalar::<f32>();
    let all = among.sum().into_scalar::<f32>();
    (all > 0.0).then(|| f64::from(both / all))
}

/// Squared distances from `[batch, from, hidden]` to `[batch, to, hidden]`, minus the squared lengths of the former, as
/// `[batch, from, to]`.
fn distances(from: Tensor<3>, to: Tensor<3>) -> Tensor<3> {
    let lengths = to.clone().powi_scalar(2).sum_dim(2).swap_dims(1, 2);
    lengths - from.matmul(to.swap_dims(1, 2)).mul_scalar(2.0)
}

impl Objective for FactsObjective {
    type Model = QFormerConnector;
    type Batch = FactsBatch;

    fn batch(&self, draw: Draw) -> Result<FactsBatch> {
        self.data.batch(draw, |rows, features, _| self.collate(rows, features, self.range))
    }

    fn held_out(&self) -> Result<Vec<FactsBatch>> {
        let range = SceneRange { split: Split::Val, first: 0, ..self.range };
        self.data.held_out(|rows, features, _| self.collate(rows, features, range))
    }

    fn loss(&self, model: &QFormerConnector, batch: FactsBatch) -> Result<Loss> {
        let written = visual_tokens(model, batch.features, &batch.prompts).tokens;
        let [samples, queries, hidden] = written.dims();
        let bags = TensorData::new(batch.bags, [samples, queries]);
        let bags = Tensor::<2, Int>::from_data(bags, &self.bags.table.device());
        let expected = self.bags.table.clone().select(0, bags.clone().reshape([-1]));
        let scale = self.bags.table.clone().powi_scalar(2).mean();
        let shown = written.clone().detach();
        let mut metrics = vec![("right".to_owned(), self.place_accuracy(&shown, &bags))];
        if self.focus > 0 {
            let [missing, false_alarm] = self.missing_rates(&shown, &bags);
            let focus = [
                ("focus", self.focus_accuracy(&shown, &bags)),
                ("missing", missing),
                ("false_alarm", false_alarm),
            ];
            let known =
                focus.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
            metrics.extend(known);
        }
        let off = written - expected.reshape([samples, queries, hidden]);
        let loss = off.powi_scalar(2).mean() / scale;
        Ok(Loss { loss, samples, metrics })
    }
}
