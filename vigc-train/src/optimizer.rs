//! `AdamW` as the reference runs it: two groups of parameters, and an optional bound on the gradient.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamGroup, ParamId};
use burn::tensor::Tensor;
use burn_optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use serde::{Deserialize, Serialize};

use vigc_core::random::splitmix64;

/// The settings of `AdamW`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamWOptions {
    /// The decay of the first moment.
    pub beta1: f32,
    /// The decay of the second moment.
    pub beta2: f32,
    /// What is added to the root of the second moment.
    pub epsilon: f32,
    /// The decay of weights; biases, norms and everything else of rank 1 are not decayed.
    pub weight_decay: f32,
}

impl Default for AdamWOptions {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.05 }
    }
}

impl AdamWOptions {
    /// An optimizer for `module`, whose parameters must carry [stable ids](with_stable_ids).
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

/// Which parameters are decayed.
#[derive(Debug, Default)]
pub struct WeightDecay {
    path: Vec<String>,
    exempt: Vec<(String, ParamId)>,
    decayed: Vec<(String, ParamId)>,
}

impl WeightDecay {
    /// The paths of a module's parameters: the decayed ones, the exempt ones.
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

/// Gives every parameter an id that is a function of its path.
///
/// The optimizer keeps its state by id. burn draws ids at random, so without this a state written
/// by one process would fit no parameter of the next.
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

/// Scales all gradients down together if their common norm exceeds `limit`; returns the norm.
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
