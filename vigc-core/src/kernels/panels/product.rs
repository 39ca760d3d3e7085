//! Whole products: tiles over rows, panels and inputs; panels over threads.

use std::mem::MaybeUninit;
use std::ops::Range;

use burn::backend::flex::FlexTensor;
use rayon::prelude::*;

use super::activations::Activations;
use super::format::{Format, PANEL};
use super::isa::{Isa, prefetch};
#[cfg(feature = "train")]
use super::pack::dequantize;
use super::tile::{Kernel, ROWS, Tile, row_tiles};
use super::weights::{Group, MANY, StagingBuffer, Storage, WeightView, Weights};
use crate::kernels::tensors::{Contiguous, dims, tensor};
use crate::quantization::BLOCK;

/// Bytes of weights that stay in a core's second-level cache while rows pass by.
const CACHED: usize = 1 << 19;
/// The same for staged weights.
const STAGED: usize = 1 << 17;
/// The number of f32 weights from which on they do not fit into caches.
const LONG: usize = 1 << 19;
/// Bytes of f32 weights of some inputs and many outputs. Each line of them is on another page, and much of a page should
/// be read before the next.
const LINES: usize = 1 << 15;
/// The most panels of f32 weights that are multiplied together.
const LINE_PANELS: usize = 64;
/// Bytes of a panel's weights that stay in the first-level cache while rows pass by.
const NEAREST: usize = 1 << 14;
/// The number of multiplications that is worth a task.
const TASK: usize = 1 << 17;
/// The number of bytes of weights that is worth a task.
const TASK_BYTES: usize = 1 << 18;

/// A product to be computed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Product<'a> {
    /// `[rows, inputs]`.
    pub(super) x: &'a [f32],
    pub(super) weights: Weights<'a>,
    /// `[outputs]`, or empty.
    pub(super) bias: &'a [f32],
    /// The instruction set; the fastest one if there is none.
    pub(super) isa: Option<Isa>,
}

/// Groups of panels and the columns of the result that they fill.
struct Task<'a> {
    groups: &'a [Group],
    columns: Vec<&'a mut [MaybeUninit<f32>]>,
}

impl Product<'_> {
    /// `x w + bias`, `[rows, outputs]`.
    #[allow(unsafe_code, reason = "zeroing the result first would take a twentieth of the time")]
    pub(super) fn compute(&self) -> Vec<f32> {
        let rows = self.x.len() / self.weights.inputs.max(1);
        let len = rows * self.weights.outputs;
        let mut out = Vec::with_capacity(len);
        if len == 0 {
            return out;
        }
        let kernel = self.kernel(rows);
        let activations = match (kernel, self.weights.storage) {
            (Kernel::F32, Storage::Panels(Format::Bf16, _)) => {
                Activations::rounded(self.x, self.weights.inputs)
            }
            _ => Activations::new(kernel, self.x, self.weights.inputs),
        };
        let groups = self.groups(rows, kernel);
        let tasks = self.tasks(rows, &groups, &mut out.spare_capacity_mut()[..len]);
        let run = |scratch: &mut Scratch, task| self.run(kernel, rows, &activations, task, scratch);
        if tasks.len() == 1 {
            tasks.into_iter().for_each(|task| run(&mut Scratch::default(), task));
        } else {
            tasks.into_par_iter().for_each_init(Scratch::default, run);
        }
        // SAFETY: the groups cover all panels, so each of the `len` numbers is in the columns of one task, and
        // `Product::run` writes every row of all of its task's columns, or panics.
        unsafe { out.set_len(len) };
        out
    }

    fn kernel(&self, rows: usize) -> Kernel {
        match self.weights.storage {
            Storage::Full(_) => Kernel::F32,
            Storage::Panels(Format::Q8, _) if rows >= MANY => Kernel::Unpacked { zero_point: 128 },
            Storage::Panels(Format::Q4, _) if rows >= MANY => Kernel::Unpacked { zero_point: 8 },
            Storage::Panels(format, _) if format.is_half() && rows >= MANY => {
                let isa = self.isa.unwrap_or_else(|| Isa::best(format.into()));
                if isa.has_halves(format) { format.into() } else { Kernel::F32 }
            }
            Storage::Panels(format, _) => format.into(),
        }
    }

    /// Whether the f32 weights of a panel lie on more pages than a core's address cache holds.
    fn is_long(&self) -> bool {
        self.weights.inputs * self.weights.outputs > LONG
    }

    /// Splits all panels into groups. Sums of bytes need twice the registers, so a group then has two panels.
    fn groups(&self, rows: usize, kernel: Kernel) -> Vec<Group> {
        let panels = self.weights.outputs.div_ceil(PANEL);
        let tile = rows.div_ceil(row_tiles(rows).len());
        let most = match self.weights.storage {
            Storage::Full(_) if self.is_long() => {
                let most = if rows >= MANY { LINE_PANELS / 4 } else { LINE_PANELS };
                (panels / (4 * rayon::current_num_threads())).clamp(4, most)
            }
            Storage::Panels(..) if kernel.has_blocks() && tile > ROWS / 2 => 2,
            _ => 4,
        };
        let mut groups = Vec::with_capacity(panels.div_ceil(most) + 2);
        let mut first = 0;
        while first < panels {
            let mut panels_left = panels - first;
            // An incomplete last panel of f32 weights is staged, so it is a group of its own.
            if matches!(self.weights.storage, Storage::Full(_))
                && !self.weights.outputs.is_multiple_of(PANEL)
            {
                panels_left = (panels_left - 1).max(1);
            }
            let panels = match self.weights.storage {
                Storage::Full(_) => panels_left.min(most),
                Storage::Panels(..) if panels_left >= most => most,
                Storage::Panels(..) => 1 << panels_left.ilog2(),
            };
            groups.push(Group { first, panels });
            first += panels;
        }
        groups
    }

    /// Splits groups, and the columns of `out` that they fill, into tasks.
    fn tasks<'a>(
        &self,
        rows: usize,
        groups: &'a [Group],
        out: &'a mut [MaybeUninit<f32>],
    ) -> Vec<Task<'a>> {
        let panel_work = self.weights.inputs * PANEL;
        let worth = (TASK / (panel_work * rows).max(1)).max(1);
        let panel_bytes = match self.weights.storage {
            Storage::Full(_) => 4 * panel_work,
            Storage::Panels(format, _) => format.panel_bytes(self.weights.inputs),
        };
        let worth = worth.min((TASK_BYTES / panel_bytes.max(1)).max(1));
        let per_task = worth.div_ceil(groups[0].panels);
        let mut tasks: Vec<_> = groups
            .chunks(per_task)
            .map(|groups| Task { groups, columns: Vec::with_capacity(rows) })
            .collect();
        for mut row in out.chunks_exact_mut(self.weights.outputs) {
            for task in &mut tasks {
                let width: usize = task.groups.iter().map(|group| group.panels * PANEL).sum();
                let (columns, rest) = row.split_at_mut(width.min(row.len()));
                task.columns.push(columns);
                row = rest;
            }
        }
        tasks
    }

    /// Computes a task's columns.
    fn run(
        &self,
        kernel: Kernel,
        rows: usize,
        x: &Activations<'_>,
        mut task: Task<'_>,
        scratch: &mut Scratch,
    ) {
        let isa = self.isa.unwrap_or_else(|| Isa::best(kernel));
        let mut from = 0;
        for &group in task.groups {
            let run = GroupRun { product: self, kernel, isa, x, group, rows };
            run.compute(&mut task.columns, from, scratch);
            from += group.panels * PANEL;
        }
    }
}

/// A group of panels and all rows.
struct GroupRun<'a> {
    product: &'a Product<'a>,
    kernel: Kernel,
    isa: Isa,
    x: &'a Activations<'a>,
    group: Group,
    rows: usize,
}

impl GroupRun<'_> {
    /// Writes the group's results to columns, beginning at column `from`.
    fn compute(
        &self,
        columns: &mut [&mut [MaybeUninit<f32>]],
        from: usize,
        Scratch { sums, staging }: &mut Scratch,
    ) {
        let all = self.product.weights.units(self.kernel);
        let stages = self.product.weights.needs_staging(self.kernel, self.group, self.rows);
        let room = match self.product.weights.storage {
            _ if self.isa.is_narrow() && self.rows > ROWS => NEAREST * self.group.panels,
            _ if stages => STAGED,
            Storage::Full(_) if self.product.is_long() => LINES,
            _ if row_tiles(self.rows).len() == 1 => usize::MAX,
            _ => CACHED,
        };
        let chunk = (room / (self.group.panels * self.kernel.unit_bytes())).next_multiple_of(2);
        if chunk >= all {
            // The sums of a few rows stay in the first-level cache until they are complete.
            let weights = self.view(0..all, stages, staging);
            for rows in row_tiles(self.rows) {
                self.begin(rows.len(), sums);
                self.add(&weights, 0..all, rows.clone(), 0..self.group.panels, sums);
                if stages {
                    self.prefetch_next(all, all, &rows);
                }
                self.store(sums, &mut columns[rows], from);
            }
            return;
        }
        self.begin(self.rows, sums);
        let width = self.group.panels * PANEL;
        for first in (0..all).step_by(chunk) {
            let units = first..all.min(first + chunk);
            let weights = self.view(units.clone(), stages, staging);
            for panels in self.tiles() {
                for rows in row_tiles(self.rows) {
                    let sums = &mut sums[rows.start * width..rows.end * width];
                    self.add(&weights, units.clone(), rows.clone(), panels.clone(), sums);
                    if stages && panels.start == 0 {
                        self.prefetch_next(units.end, units.len(), &rows);
                    }
                }
            }
        }
        self.store(sums, columns, from);
    }

    /// The panels that are multiplied with all rows before the next ones.
    fn tiles(&self) -> impl Iterator<Item = Range<usize>> {
        let all = self.group.panels;
        let most = if self.isa.is_narrow() && self.rows > ROWS { 1 } else { all };
        (0..all).step_by(most).map(move |first| first..first + most)
    }

    /// Sets the sums of some rows to the bias.
    fn begin(&self, rows: usize, sums: &mut Vec<f32>) {
        let width = self.group.panels * PANEL;
        let bias = self.product.bias.get(self.group.first * PANEL..).unwrap_or_default();
        let bias = &bias[..width.min(bias.len())];
        sums.clear();
        if bias.is_empty() {
            sums.resize(rows * width, 0.0);
        }
        while sums.len() < rows * width {
            sums.extend_from_slice(bias);
            sums.resize(sums.len().next_multiple_of(width), 0.0);
        }
    }

    fn view<'s>(
        &'s self,
        units: Range<usize>,
        stages: bool,
        buffer: &'s mut StagingBuffer,
    ) -> WeightView<'s> {
        if stages {
            self.product.weights.stage(self.group, units.start, units.len(), buffer)
        } else {
            self.product.weights.in_place(self.group, units.start)
        }
    }

    /// Adds the products of some rows with some units of some panels.
    fn add(
        &self,
        weights: &WeightView<'_>,
        units: Range<usize>,
        rows: Range<usize>,
        panels: Range<usize>,
        sums: &mut [f32],
    ) {
        let x = self.x;
        let first_block = if self.kernel.has_blocks() { units.start } else { 0 };
        let block = rows.start * x.blocks + first_block;
        let mut tile = Tile {
            x: &x.words[rows.start * x.row + units.start * self.kernel.unit_words()..],
            x_row: x.row,
            x_scales: x.scales.get(block..).unwrap_or_default(),
            x_corrections: x.corrections.get(block..).unwrap_or_default(),
            x_blocks: x.blocks,
            w: &weights.bytes[panels.start * weights.panel..],
            w_panel: weights.panel,
            w_unit: weights.unit,
            w_scales: weights
                .scales
                .get(panels.start * weights.panel / BLOCK..)
                .unwrap_or_default(),
            units: units.len(),
            sums: &mut sums[panels.start * PANEL..],
            sums_row: self.group.panels * PANEL,
            rows: rows.len(),
            panels: panels.len(),
        };
        self.isa.run(&mut tile, self.kernel);
    }

    /// Copies sums to columns, without the padding of the last panel.
    fn store(&self, sums: &[f32], columns: &mut [&mut [MaybeUninit<f32>]], from: usize) {
        let width = self.group.panels * PANEL;
        for (columns, sums) in columns.iter_mut().zip(sums.chunks_exact(width)) {
            let columns = &mut columns[from..];
            let width = width.min(columns.len());
            columns[..width].write_copy_of_slice(&sums[..width]);
        }
    }

    /// Prefetches a part of the codes that come after unit `first`, while the ones before are multiplied with some rows.
    fn prefetch_next(&self, first: usize, units: usize, rows: &Range<usize>) {
        let Storage::Panels(format, bytes) = self.product.weights.storage else { return };
        if format.is_half() {
            return;
        }
        let (unit, all) = (format.unit_bytes(), self.product.weights.units(self.kernel));
        let (ahead, first) = if first < all { (0, first) } else { (self.group.panels, 0) };
        let units = units.min(all - first);
        for panel in 0..self.group.panels {
            let start = ((self.group.first + ahead + panel) * all + first) * unit;
            let [from, to] =
                [rows.start, rows.end].map(|row| start + units * row / self.rows * unit);
            if let Some(bytes) = bytes.get(from..to) {
                prefetch(bytes);
            }
        }
    }
}

/// A thread's buffers, kept from one task to the next.
#[derive(Debug, Default)]
struct Scratch {
    sums: Vec<f32>,
    staging: StagingBuffer,
}

/// `x w^T + bias` with weights in panels. A bias without numbers is none.
pub(in crate::kernels) fn panels_product(
    x: &FlexTensor,
    panels: &FlexTensor,
    bias: &FlexTensor,
    outputs: usize,
) -> FlexTensor {
    product(x, outputs, Storage::Panels(format_of(panels), panels.bytes()), bias)
}

/// `x w + bias` in f32. A bias without numbers is none.
pub(in crate::kernels) fn full_product(
    x: &FlexTensor,
    w: &FlexTensor,
    bias: &FlexTensor,
) -> FlexTensor {
    let (outputs, w) = (dims(w)[1], Contiguous::of(w));
    product(x, outputs, Storage::Full(w.slice()), bias)
}

/// The gradient of the input of [`panels_product`], given that of its output.
#[cfg(feature = "train")]
pub(in crate::kernels) fn panels_gradient(
    grad: &FlexTensor,
    panels: &FlexTensor,
    inputs: usize,
) -> FlexTensor {
    let outputs = dims(grad)[1];
    let w = dequantize(format_of(panels), panels.bytes(), [outputs, inputs]);
    product(grad, inputs, Storage::Full(&w), &tensor(Vec::new(), [0]))
}

fn product(x: &FlexTensor, outputs: usize, storage: Storage<'_>, bias: &FlexTensor) -> FlexTensor {
    let [rows, inputs] = dims(x)[..] else { unreachable!("products are of matrices") };
    let (x, bias) = (Contiguous::of(x), Contiguous::of(bias));
    let (x, bias) = (x.slice(), bias.slice());
    let weights = Weights { storage, inputs, outputs };
    tensor(Product { x, weights, bias, isa: None }.compute(), [rows, outputs])
}

fn format_of(panels: &FlexTensor) -> Format {
    Format::of_unit(dims(panels)[2]).expect("panels have units of a known size")
}
