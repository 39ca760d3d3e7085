//! The gradients of the fused operations.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Autodiff, Flex};

use super::backend::{Kernels, losses, norm, rotated};
use super::panels::{self, attention};
use super::row_gradients::{
    back_cross_entropy, back_gelu, back_norm, back_quick_gelu, back_swiglu, sum_of_rows, transposed,
};
use super::tensors::{Contiguous, dims, tensor};

/// An elementwise function, given by its backward pass. That takes the inputs, and turns the gradients of the outputs into those
/// of the inputs.
#[derive(Debug)]
struct Elementwise(fn(&[f32], &mut [f32]));

impl Backward<Flex, 1> for Elementwise {
    type State = FlexTensor;

    fn backward(self, ops: Ops<FlexTensor, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        let [Some(node)] = ops.parents else { return };
        let mut numbers = Contiguous::owned(grad);
        (self.0)(Contiguous::of(&ops.state).slice(), numbers.slice_mut());
        grads.register::<Flex>(node.id, numbers.into_tensor());
    }
}

impl Elementwise {
    fn apply<C: CheckpointStrategy>(
        self,
        x: FloatTensor<Autodiff<Flex, C>>,
        forward: fn(FlexTensor) -> FlexTensor,
    ) -> FloatTensor<Autodiff<Flex, C>> {
        let (x, node) = x.into_parts();
        let out = forward(x.clone());
        match self.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(x, out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }
}

#[derive(Debug)]
struct Swiglu;

impl Backward<Flex, 2> for Swiglu {
    type State = [FlexTensor; 2];

    fn backward(self, ops: Ops<[FlexTensor; 2], 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        let [gate, up] = ops.state.each_ref().map(Contiguous::of);
        let shape = dims(&grad);
        let mut in_gate = Contiguous::owned(grad);
        let mut in_up = vec![0.0; gate.slice().len()];
        back_swiglu(gate.slice(), up.slice(), in_gate.slice_mut(), &mut in_up);
        for (node, gradient) in
            ops.parents.into_iter().zip([in_gate.into_tensor(), tensor(in_up, shape)])
        {
            if let Some(node) = node {
                grads.register::<Flex>(node.id, gradient);
            }
        }
    }
}

/// The state of a norm: its input, its weight and the statistics of the rows.
type NormState = (FlexTensor, FlexTensor, Vec<[f32; 2]>);

/// The gradients of input, weight and bias.
fn norm_gradients(state: &NormState, centered: bool, grad: FlexTensor) -> [FlexTensor; 3] {
    let (x, gamma, statistics) = state;
    let mut in_x = Contiguous::owned(grad);
    let (numbers, weight) = (Contiguous::of(x), Contiguous::of(gamma));
    let (in_gamma, in_beta) =
        back_norm(numbers.slice(), weight.slice(), statistics, centered, in_x.slice_mut());
    let width = dims(gamma);
    [in_x.into_tensor(), tensor(in_gamma, width.clone()), tensor(in_beta, width)]
}

#[derive(Debug)]
struct LayerNorm;

impl Backward<Flex, 3> for LayerNorm {
    type State = NormState;

    fn backward(self, ops: Ops<NormState, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        let gradients = norm_gradients(&ops.state, true, grad);
        for (node, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(node) = node {
                grads.register::<Flex>(node.id, gradient);
            }
        }
    }
}

#[derive(Debug)]
struct RmsNorm;

impl Backward<Flex, 2> for RmsNorm {
    type State = NormState;

    fn backward(self, ops: Ops<NormState, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        let gradients = norm_gradients(&ops.state, false, grad);
        for (node, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(node) = node {
                grads.register::<Flex>(node.id, gradient);
            }
        }
    }
}

#[derive(Debug)]
struct Rotate;

impl Backward<Flex, 1> for Rotate {
    /// Cosines and sines.
    type State = [FlexTensor; 2];

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        let [Some(node)] = ops.parents else { return };
        let [cos, sin] = &ops.state;
        grads.register::<Flex>(node.id, rotated(&grad, cos, sin, -1.0));
    }
}

#[derive(Debug)]
struct Attention;

/// Queries, keys, values, the bias and the scale.
type AttentionState = ([FlexTensor; 4], f32);

impl Backward<Flex, 3> for Attention {
    type State = AttentionState;

    fn backward(self, ops: Ops<AttentionState, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        let ([q, k, v, bias], scale) = &ops.state;
        let gradients = attention::attention_gradients([q, k, v], bias, *scale, &grad);
        for (node, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(node) = node {
                grads.register::<Flex>(node.id, gradient);
            }
        }
    }
}

#[derive(Debug)]
struct SelfAttention;

impl Backward<Flex, 1> for SelfAttention {
    /// Queries, keys and values, and the scale.
    type State = (FlexTensor, f32);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        let [Some(node)] = ops.parents else { return };
        let (qkv, scale) = &ops.state;
        grads.register::<Flex>(node.id, attention::self_attention_gradient(qkv, *scale, &grad));
    }
}

#[derive(Debug)]
struct Product;

impl Backward<Flex, 3> for Product {
    /// Input and weight.
    type State = [FlexTensor; 2];

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        let [x, w] = &ops.state;
        let [in_x, in_w, in_bias] = ops.parents;
        let none = tensor(Vec::new(), [0]);
        if let Some(node) = in_x {
            let gradient = panels::full_product(&grad, &transposed_matrix(w), &none);
            grads.register::<Flex>(node.id, gradient);
        }
        if let Some(node) = in_w {
            let gradient = panels::full_product(&transposed_matrix(x), &grad, &none);
            grads.register::<Flex>(node.id, gradient);
        }
        if let Some(node) = in_bias {
            grads.register::<Flex>(node.id, bias_gradient(&grad));
        }
    }
}

#[derive(Debug)]
struct PanelsProduct;

impl Backward<Flex, 2> for PanelsProduct {
    /// Weights and their inputs.
    type State = (FlexTensor, usize);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        let (panels, inputs) = &ops.state;
        let [in_x, in_bias] = ops.parents;
        if let Some(node) = in_x {
            grads.register::<Flex>(node.id, panels::panels_gradient(&grad, panels, *inputs));
        }
        if let Some(node) = in_bias {
            grads.register::<Flex>(node.id, bias_gradient(&grad));
        }
    }
}

fn bias_gradient(grad: &FlexTensor) -> FlexTensor {
    let outputs = dims(grad)[1];
    tensor(sum_of_rows(Contiguous::of(grad).slice(), outputs), [outputs])
}

fn transposed_matrix(x: &FlexTensor) -> FlexTensor {
    let [rows, width] = dims(x)[..] else { unreachable!("products are of matrices") };
    tensor(transposed(Contiguous::of(x).slice(), width), [width, rows])
}

#[derive(Debug)]
struct CrossEntropy;

/// Probabilities, their shape, and the classes.
type CrossEntropyState = (FlexTensor, Vec<usize>);

impl Backward<Flex, 1> for CrossEntropy {
    type State = CrossEntropyState;

    fn backward(self, ops: Ops<CrossEntropyState, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        let (mut probabilities, classes) = ops.state;
        let [Some(node)] = ops.parents else { return };
        let width = dims(&probabilities)[1];
        let grad = Contiguous::of(&grad);
        back_cross_entropy(probabilities.storage_mut(), width, &classes, grad.slice());
        grads.register::<Flex>(node.id, probabilities);
    }
}

impl<C: CheckpointStrategy> Kernels for Autodiff<Flex, C> {
    fn kernel_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        Elementwise(back_gelu).apply::<C>(x, Flex::kernel_gelu)
    }

    fn kernel_quick_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        Elementwise(back_quick_gelu).apply::<C>(x, Flex::kernel_quick_gelu)
    }

    fn kernel_swiglu(gate: FloatTensor<Self>, up: FloatTensor<Self>) -> FloatTensor<Self> {
        let ((gate, gate_node), (up, up_node)) = (gate.into_parts(), up.into_parts());
        let out = Flex::kernel_swiglu(gate.clone(), up.clone());
        match Swiglu.prepare::<C>([gate_node, up_node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish([gate, up], out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn kernel_layer_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f32,
    ) -> FloatTensor<Self> {
        let ((x, in_x), (gamma, in_gamma)) = (x.into_parts(), gamma.into_parts());
        let (beta, in_beta) = beta.into_parts();
        let (out, statistics) = norm(&x, &gamma, Some(&beta), epsilon);
        match LayerNorm.prepare::<C>([in_x, in_gamma, in_beta]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((x, gamma, statistics), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn kernel_rms_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        epsilon: f32,
    ) -> FloatTensor<Self> {
        let ((x, in_x), (gamma, in_gamma)) = (x.into_parts(), gamma.into_parts());
        let (out, statistics) = norm(&x, &gamma, None, epsilon);
        match RmsNorm.prepare::<C>([in_x, in_gamma]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((x, gamma, statistics), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn kernel_rotate(
        x: FloatTensor<Self>,
        cos: FloatTensor<Self>,
        sin: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let (cos, sin) = (cos.primitive(), sin.primitive());
        let out = rotated(&x, cos, sin, 1.0);
        match Rotate.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish([cos.clone(), sin.clone()], out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn kernel_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        scale: f32,
    ) -> FloatTensor<Self> {
        let ((q, in_q), (k, in_k), (v, in_v)) = (q.into_parts(), k.into_parts(), v.into_parts());
        let bias = bias.primitive().clone();
        let out = attention::attention(&q, &k, &v, &bias, scale);
        match Attention.prepare::<C>([in_q, in_k, in_v]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(([q, k, v, bias], scale), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn kernel_self_attention(qkv: FloatTensor<Self>, scale: f32) -> FloatTensor<Self> {
        let (qkv, node) = qkv.into_parts();
        let out = attention::self_attention(&qkv, scale);
        match SelfAttention.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((qkv, scale), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn kernel_product(
        x: FloatTensor<Self>,
        w: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let ((x, in_x), (w, in_w)) = (x.into_parts(), w.into_parts());
        let (bias, in_bias) = bias.into_parts();
        let out = panels::full_product(&x, &w, &bias);
        match Product.prepare::<C>([in_x, in_w, in_bias]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish([x, w], out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn kernel_panels_product(
        x: FloatTensor<Self>,
        panels: IntTensor<Self>,
        bias: FloatTensor<Self>,
        outputs: usize,
    ) -> FloatTensor<Self> {
        let ((x, in_x), (bias, in_bias)) = (x.into_parts(), bias.into_parts());
        let out = panels::panels_product(&x, &panels, &bias, outputs);
        match PanelsProduct.prepare::<C>([in_x, in_bias]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((panels, dims(&x)[1]), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn kernel_cross_entropy(
        logits: FloatTensor<Self>,
        classes: IntTensor<Self>,
    ) -> FloatTensor<Self> {
        let (logits, node) = logits.into_parts();
        let shape = dims(&logits);
        let (probabilities, losses, classes) = losses(&logits, classes);
        let out = tensor(losses, [classes.len()]);
        match CrossEntropy.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((tensor(probabilities, shape), classes), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }
}
