//! `AdamW` with two groups of parameters, the schedule of its learning rate, and gradient clipping.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamGroup, ParamId};
use burn::tensor::Tensor;
use burn_optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use serde::{Deserialize, Serialize};
use vigc_core::random::splitmix64;

/// The settings of `AdamW`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamWOptions {
    /// The decay rate of the first moment.
    pub beta1: f32,
    /// The decay rate of the second moment.
    pub beta2: f32,
    /// What is added to the square root of the second moment.
    pub epsilon: f32,
    /// The weight decay. It does not apply to biases, norms and other parameters of rank 1.
    pub weight_decay: f32,
}

impl Default for AdamWOptions {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.05 }
    }
}

impl AdamWOptions {
    /// Creates an optimizer for a module whose parameters have [stable ids](with_stable_ids).
    #[must_use]
    pub fn init<M: Module>(&self, module: &M) -> ModuleOptimizer {
        let config = |weight_decay| {
            AdamWConfig::new()
                .with_beta_1(self.beta1)
                .with_beta_2(self.beta2)
                .with_epsilon(self.epsilon)
                .with_weight_decay(weight_decay)
        };
        let exempt = WeightDecay::exempt_ids(module);
        config(self.weight_decay).init().with_group(
            ParamGroup::from_ids(exempt),
            config(0.0).build(),
            None,
        )
    }
}

/// The groups of parameters with and without weight decay.
#[derive(Debug, Default)]
pub struct WeightDecay {
    path: Vec<String>,
    exempt: Vec<(String, ParamId)>,
    decayed: Vec<(String, ParamId)>,
}

impl WeightDecay {
    /// The paths of a module's parameters: those with weight decay, then those without.
    #[must_use]
    pub fn groups<M: Module>(module: &M) -> (Vec<String>, Vec<String>) {
        let mut groups = Self::default();
        module.visit(&mut groups);
        let names =
            |group: Vec<(String, ParamId)>| group.into_iter().map(|(name, _)| name).collect();
        (names(groups.decayed), names(groups.exempt))
    }

    fn exempt_ids<M: Module>(module: &M) -> Vec<ParamId> {
        let mut groups = Self::default();
        module.visit(&mut groups);
        groups.exempt.into_iter().map(|(_, id)| id).collect()
    }
}

impl ModuleVisitor for WeightDecay {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let path = self.path.join(".");
        let group =
            if D < 2 || path.contains("bias") { &mut self.exempt } else { &mut self.decayed };
        group.push((path, param.id));
    }
}

/// Gives every parameter an id that depends only on its path.
///
/// The optimizer stores its state by id. burn draws ids at random, so without stable ids the state from one process would
/// match no parameter in the next.
#[must_use]
pub fn with_stable_ids<M: Module>(module: M) -> M {
    module.map(&mut StableIds::default())
}

#[derive(Default)]
struct StableIds {
    path: Vec<String>,
}

impl ModuleMapper for StableIds {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let id =
            self.path.join(".").bytes().fold(0, |hash, byte| splitmix64(hash ^ u64::from(byte)));
        let (_, tensor, mapper) = param.consume();
        Param::from_mapped_value(ParamId::from(id), tensor, mapper)
    }
}

/// Scales all gradients down by the same factor if their global norm exceeds `limit`. Returns the norm before.
pub fn clip_global_norm<M: Module>(module: &M, grads: &mut GradientsParams, limit: f64) -> f64 {
    let mut norm = SquaredNorm { grads, sum: 0.0 };
    module.visit(&mut norm);
    let norm = norm.sum.sqrt();
    if norm > limit {
        module.visit(&mut Scale { grads, factor: limit / norm });
    }
    norm
}

struct SquaredNorm<'a> {
    grads: &'a GradientsParams,
    sum: f64,
}

impl ModuleVisitor for SquaredNorm<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(grad) = self.grads.get::<D>(param.id) {
            let squares: f32 = grad.square().sum().into_scalar();
            self.sum += f64::from(squares);
        }
    }
}

struct Scale<'a> {
    grads: &'a mut GradientsParams,
    factor: f64,
}

impl ModuleVisitor for Scale<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(grad) = self.grads.remove::<D>(param.id) {
            self.grads.register(param.id, grad.mul_scalar(self.factor));
        }
    }
}

/// The learning rate: a linear warm-up, then a cosine, as in the upstream program
/// (`LinearWarmupCosineLRScheduler` in `lavis/common/optims.py`).
///
/// The cosine spans all micro-steps, including the warm-up, so the rate drops slightly when the warm-up ends.
///
/// ```
/// use vigc_train::Schedule;
///
/// let schedule = Schedule { warmup_rate: 1e-6, rate: 3e-5, min_rate: 1e-5, warmup: 1000, total: 60_000 };
/// assert_eq!(schedule.at(0), 1e-6);
/// assert!((schedule.at(500) - 1.55e-5).abs() < 1e-12);
/// assert!((schedule.at(30_000) - 2e-5).abs() < 1e-12);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// The rate of the first micro-step.
    pub warmup_rate: f64,
    /// The rate at the end of the warm-up, which is also the amplitude of the cosine.
    pub rate: f64,
    /// The rate of the last micro-step.
    pub min_rate: f64,
    /// The number of micro-steps of warm-up.
    pub warmup: u64,
    /// The number of all micro-steps.
    pub total: u64,
}

impl Schedule {
    /// The rate of a micro-step, counted from 0.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "step counts stay far below 2^52")]
    pub fn at(&self, micro_step: u64) -> f64 {
        if micro_step < self.warmup {
            let done = micro_step as f64 / self.warmup.max(1) as f64;
            return self.rate.min(self.warmup_rate + (self.rate - self.warmup_rate) * done);
        }
        let done = (micro_step as f64 / self.total.max(1) as f64).min(1.0);
        let cosine = (std::f64::consts::PI * done).cos();
        self.min_rate + 0.5 * (self.rate - self.min_rate) * (1.0 + cosine)
    }
}
