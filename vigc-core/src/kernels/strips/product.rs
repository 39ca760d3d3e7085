//! Whole products: tiles over rows, strips and inputs, strips over threads.

mod stage;

use std::mem::MaybeUninit;
use std::ops::Range;

use rayon::prelude::*;

use self::stage::{Placed, Stage, strip_bytes};
use super::activations::Activations;
use super::tile::{self, Kernel, Path, ROWS, Tile, parts};
use super::{Format, STRIP};
use crate::nn::blocks::BLOCK;

/// From so many rows on, weights are laid out anew for all of them: codes as bytes, f32 without gaps, and halves as f32 where
/// no instruction multiplies them.
const MANY: usize = 3 * ROWS;
/// Weights that stay in a core's cache while rows pass by, in bytes.
const CACHED: usize = 1 << 19;
/// The same for weights that were laid out anew.
const STAGED: usize = 1 << 17;
/// f32 weights that caches do not hold.
const LONG: usize = 1 << 19;
/// f32 weights of some inputs and many outputs, in bytes: each line of them lies on a page of its own, of which much is
/// read before the next.
const LINES: usize = 1 << 15;
/// Most strips of f32 weights that are multiplied together.
const LINE_STRIPS: usize = 64;
/// Weights of a strip that stay in the nearest cache while rows pass by, in bytes.
const NEAREST: usize = 1 << 14;
/// Multiplications that are worth a task of their own.
const TASK: usize = 1 << 17;
/// Weights that are, in bytes.
const TASK_BYTES: usize = 1 << 18;

/// Weights of a layer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Weights<'a> {
    /// Strips.
    Strips(Format, &'a [u8]),
    /// f32, `[inputs, outputs]`.
    Full(&'a [f32]),
}

/// A product to be computed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Product<'a> {
    /// `[rows, inputs]`.
    pub(super) x: &'a [f32],
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    pub(super) weights: Weights<'a>,
    /// What the sums begin with; empty for nothing.
    pub(super) bias: &'a [f32],
    /// How, if not the fastest way.
    pub(super) path: Option<Path>,
}

/// Neighbouring strips that are multiplied together.
#[derive(Debug, Clone, Copy)]
struct Group {
    first: usize,
    strips: usize,
}

/// Groups of strips and the columns of the result that they fill.
struct Task<'a> {
    groups: &'a [Group],
    columns: Vec<&'a mut [MaybeUninit<f32>]>,
}

impl Product<'_> {
    /// `x w + bias`, `[rows, outputs]`.
    #[allow(unsafe_code, reason = "zeroing the result first would take a twentieth of the time")]
    pub(super) fn compute(&self) -> Vec<f32> {
        let rows = self.x.len() / self.inputs.max(1);
        let len = rows * self.outputs;
        let mut out = Vec::with_capacity(len);
        if len == 0 {
            return out;
        }
        let kernel = self.kernel(rows);
        let activations = match (kernel, self.weights) {
            (Kernel::F32, Weights::Strips(Format::Bf16, _)) => {
                Activations::rounded(self.x, self.inputs)
            }
            _ => Activations::new(kernel, self.x, self.inputs),
        };
        let groups = self.groups(rows, kernel);
        let tasks = self.tasks(rows, &groups, &mut out.spare_capacity_mut()[..len]);
        let run = |scratch: &mut Scratch, task| self.run(kernel, rows, &activations, task, scratch);
        if tasks.len() == 1 {
            tasks.into_iter().for_each(|task| run(&mut Scratch::default(), task));
        } else {
            tasks.into_par_iter().for_each_init(Scratch::default, run);
        }
        // SAFETY: the groups cover all strips, so each of the `len` numbers is in the columns of one task, and
        // `Product::run` writes every row of all of its task's columns, or panics.
        unsafe { out.set_len(len) };
        out
    }

    fn kernel(&self, rows: usize) -> Kernel {
        match self.weights {
            Weights::Full(_) => Kernel::F32,
            Weights::Strips(Format::Q8, _) if rows >= MANY => Kernel::Wide { offset: 128 },
            Weights::Strips(Format::Q4, _) if rows >= MANY => Kernel::Wide { offset: 8 },
            Weights::Strips(format, _) if format.is_half() && rows >= MANY => {
                let path = self.path.unwrap_or_else(|| Path::best(format.into()));
                if path.has_halves(format) { format.into() } else { Kernel::F32 }
            }
            Weights::Strips(format, _) => format.into(),
        }
    }

    /// Units of a strip as a kernel counts them.
    fn units(&self, kernel: Kernel) -> usize {
        match (self.weights, kernel) {
            (Weights::Full(_), _) => self.inputs,
            (Weights::Strips(format, _), Kernel::F32) => {
                self.inputs.next_multiple_of(format.unit_inputs())
            }
            (Weights::Strips(format, _), _) => self.inputs.div_ceil(format.unit_inputs()),
        }
    }

    /// Whether f32 weights of a strip lie on more pages than a core remembers.
    fn is_long(&self) -> bool {
        self.inputs * self.outputs > LONG
    }

    /// All strips in groups. Sums of bytes need twice the registers, so there are two strips then.
    fn groups(&self, rows: usize, kernel: Kernel) -> Vec<Group> {
        let strips = self.outputs.div_ceil(STRIP);
        let tile = rows.div_ceil(parts(rows).len());
        let most = match self.weights {
            Weights::Full(_) if self.is_long() => {
                let most = if rows >= MANY { LINE_STRIPS / 4 } else { LINE_STRIPS };
                (strips / (4 * rayon::current_num_threads())).clamp(4, most)
            }
            Weights::Strips(..) if kernel.has_blocks() && tile > ROWS / 2 => 2,
            _ => 4,
        };
        let mut groups = Vec::with_capacity(strips.div_ceil(most) + 2);
        let mut first = 0;
        while first < strips {
            let mut strips_left = strips - first;
            // The last outputs of f32 weights are laid out anew, so they are a group of their own.
            if matches!(self.weights, Weights::Full(_)) && !self.outputs.is_multiple_of(STRIP) {
                strips_left = (strips_left - 1).max(1);
            }
            let strips = match self.weights {
                Weights::Full(_) => strips_left.min(most),
                Weights::Strips(..) if strips_left >= most => most,
                Weights::Strips(..) => 1 << strips_left.ilog2(),
            };
            groups.push(Group { first, strips });
            first += strips;
        }
        groups
    }

    /// Deals out groups and the columns of `out`.
    fn tasks<'a>(
        &self,
        rows: usize,
        groups: &'a [Group],
        out: &'a mut [MaybeUninit<f32>],
    ) -> Vec<Task<'a>> {
        let strip_work = self.inputs * STRIP;
        let worth = (TASK / (strip_work * rows).max(1)).max(1);
        let strip_bytes = match self.weights {
            Weights::Full(_) => 4 * strip_work,
            Weights::Strips(format, _) => strip_bytes(format, self.inputs),
        };
        let worth = worth.min((TASK_BYTES / strip_bytes.max(1)).max(1));
        let per_task = worth.div_ceil(groups[0].strips);
        let mut tasks: Vec<_> = groups
            .chunks(per_task)
            .map(|groups| Task { groups, columns: Vec::with_capacity(rows) })
            .collect();
        for mut row in out.chunks_exact_mut(self.outputs) {
            for task in &mut tasks {
                let width: usize = task.groups.iter().map(|group| group.strips * STRIP).sum();
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
        let path = self.path.unwrap_or_else(|| Path::best(kernel));
        let mut from = 0;
        for &group in task.groups {
            let run = GroupRun { product: self, kernel, path, x, group, rows };
            run.compute(&mut task.columns, from, scratch);
            from += group.strips * STRIP;
        }
    }
}

/// A group of strips and all rows.
struct GroupRun<'a> {
    product: &'a Product<'a>,
    kernel: Kernel,
    path: Path,
    x: &'a Activations<'a>,
    group: Group,
    rows: usize,
}

impl GroupRun<'_> {
    /// Writes the group's results to columns, from one on.
    fn compute(
        &self,
        columns: &mut [&mut [MaybeUninit<f32>]],
        from: usize,
        Scratch { sums, stage }: &mut Scratch,
    ) {
        let all = self.product.units(self.kernel);
        let stages = self.product.is_staged(self.kernel, self.group, self.rows);
        let room = match self.product.weights {
            _ if self.path.is_narrow() && self.rows > ROWS => NEAREST * self.group.strips,
            _ if stages => STAGED,
            Weights::Full(_) if self.product.is_long() => LINES,
            _ if parts(self.rows).len() == 1 => usize::MAX,
            _ => CACHED,
        };
        let chunk = (room / (self.group.strips * self.kernel.unit_bytes())).next_multiple_of(2);
        if chunk >= all {
            // The sums of a few rows stay in the nearest cache until they are done.
            let weights = self.place(0..all, stages, stage);
            for rows in parts(self.rows) {
                self.begin(rows.len(), sums);
                self.add(&weights, 0..all, rows.clone(), 0..self.group.strips, sums);
                if stages {
                    self.ask_for_next(all, all, &rows);
                }
                self.store(sums, &mut columns[rows], from);
            }
            return;
        }
        self.begin(self.rows, sums);
        let width = self.group.strips * STRIP;
        for first in (0..all).step_by(chunk) {
            let units = first..all.min(first + chunk);
            let weights = self.place(units.clone(), stages, stage);
            for strips in self.tiles() {
                for rows in parts(self.rows) {
                    let sums = &mut sums[rows.start * width..rows.end * width];
                    self.add(&weights, units.clone(), rows.clone(), strips.clone(), sums);
                    if stages && strips.start == 0 {
                        self.ask_for_next(units.end, units.len(), &rows);
                    }
                }
            }
        }
        self.store(sums, columns, from);
    }

    /// The strips that rows pass by at a time.
    fn tiles(&self) -> impl Iterator<Item = Range<usize>> {
        let all = self.group.strips;
        let most = if self.path.is_narrow() && self.rows > ROWS { 1 } else { all };
        (0..all).step_by(most).map(move |first| first..first + most)
    }

    /// What the sums of some rows begin with.
    fn begin(&self, rows: usize, sums: &mut Vec<f32>) {
        let width = self.group.strips * STRIP;
        let bias = self.product.bias.get(self.group.first * STRIP..).unwrap_or_default();
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

    fn place<'s>(&'s self, units: Range<usize>, stages: bool, stage: &'s mut Stage) -> Placed<'s> {
        if stages {
            self.product.stage(self.group, units.start, units.len(), stage)
        } else {
            self.product.lie(self.group, units.start)
        }
    }

    /// Adds the products of some rows with some units of some strips.
    fn add(
        &self,
        weights: &Placed<'_>,
        units: Range<usize>,
        rows: Range<usize>,
        strips: Range<usize>,
        sums: &mut [f32],
    ) {
        let x = self.x;
        let first_block = if self.kernel.has_blocks() { units.start } else { 0 };
        let block = rows.start * x.blocks + first_block;
        Tile {
            x: &x.words[rows.start * x.row + units.start * self.kernel.unit_words()..],
            x_row: x.row,
            x_scales: x.scales.get(block..).unwrap_or_default(),
            x_starts: x.starts.get(block..).unwrap_or_default(),
            x_blocks: x.blocks,
            w: &weights.bytes[strips.start * weights.strip..],
            w_strip: weights.strip,
            w_unit: weights.unit,
            w_scales: weights
                .scales
                .get(strips.start * weights.strip / BLOCK..)
                .unwrap_or_default(),
            units: units.len(),
            sums: &mut sums[strips.start * STRIP..],
            sums_row: self.group.strips * STRIP,
            rows: rows.len(),
            strips: strips.len(),
        }
        .run(self.kernel, self.path);
    }

    /// Copies sums to columns, without those that only fill up the last strip.
    fn store(&self, sums: &[f32], columns: &mut [&mut [MaybeUninit<f32>]], from: usize) {
        let width = self.group.strips * STRIP;
        for (columns, sums) in columns.iter_mut().zip(sums.chunks_exact(width)) {
            let columns = &mut columns[from..];
            let width = width.min(columns.len());
            columns[..width].write_copy_of_slice(&sums[..width]);
        }
    }

    /// Asks the memory for a part of the codes that come after a unit, while others are multiplied with some rows.
    fn ask_for_next(&self, first: usize, units: usize, rows: &Range<usize>) {
        let Weights::Strips(format, bytes) = self.product.weights else { return };
        if format.is_half() {
            return;
        }
        let (unit, all) = (format.unit_bytes(), self.product.units(self.kernel));
        let (ahead, first) = if first < all { (0, first) } else { (self.group.strips, 0) };
        let units = units.min(all - first);
        for strip in 0..self.group.strips {
            let start = ((self.group.first + ahead + strip) * all + first) * unit;
            let [from, to] =
                [rows.start, rows.end].map(|row| start + units * row / self.rows * unit);
            if let Some(bytes) = bytes.get(from..to) {
                tile::prefetch(bytes);
            }
        }
    }
}

/// What a thread needs for its tasks, kept from one to the next.
#[derive(Debug, Default)]
struct Scratch {
    sums: Vec<f32>,
    stage: Stage,
}
