//! Random numbers that are a function of a seed and a position, so that a resumed run draws the same ones.
//!
//! Nothing here has a state to be saved: [`Draw`] gives every micro-step of a training run its own generators, and
//! [`EpochOrder`] shuffles a data set without a list of its items.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// The position of a micro-step in a run, from which all of its random numbers follow.
///
/// ```
/// use rand_chacha::rand_core::RngCore;
/// use vigc_core::random::{Draw, Stream};
///
/// let draw = Draw { seed: 1, micro_step: 5 };
/// assert_eq!(draw.rng(Stream::Text).next_u64(), draw.rng(Stream::Text).next_u64());
/// assert_ne!(draw.number(Stream::Text), draw.number(Stream::Dropout));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draw {
    /// The run's seed.
    pub seed: u64,
    /// The number of the micro-step, counted from 0 over the whole run.
    pub micro_step: u64,
}

/// What random numbers are used for. The streams of a micro-step are independent of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Which rows a batch takes.
    Rows,
    /// Templates, answers and other choices within a row.
    Text,
    /// Dropout.
    Dropout,
    /// Initial weights.
    Weights,
}

impl Draw {
    /// A 64-bit number for one stream.
    #[must_use]
    pub fn number(self, stream: Stream) -> u64 {
        let stream = splitmix64(self.seed ^ splitmix64(stream as u64 + 1));
        splitmix64(stream ^ splitmix64(self.micro_step.wrapping_add(0x9e37_79b9)))
    }

    /// A generator for one stream.
    #[must_use]
    pub fn rng(self, stream: Stream) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.number(stream))
    }
}

/// One step of `SplitMix64` (<https://prng.di.unimi.it/splitmix64.c>): a bijection that sends neighboring numbers far
/// apart. Use it to derive seeds, and to combine several of them: `splitmix64(a ^ splitmix64(b))`.
#[must_use]
pub fn splitmix64(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// An order of `len` items that is new in every epoch and takes no memory.
///
/// A four-round Feistel network over an even number of bits maps positions to items. A result of `len` or more goes
/// through the network again until it is below (cycle walking), so every epoch is a permutation.
///
/// ```
/// use vigc_core::random::EpochOrder;
///
/// let order = EpochOrder { seed: 7, len: 5 };
/// let mut epoch: Vec<_> = (5..10).map(|position| order.item(position)).collect();
/// epoch.sort_unstable();
/// assert_eq!(epoch, [0, 1, 2, 3, 4]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochOrder {
    /// The seed of all epochs.
    pub seed: u64,
    /// The number of items.
    pub len: u64,
}

impl EpochOrder {
    /// The item at a position counted over all epochs.
    ///
    /// # Panics
    ///
    /// Panics if there are no items.
    #[must_use]
    pub fn item(&self, position: u64) -> u64 {
        assert!(self.len > 0, "an order of no items");
        let key = splitmix64(self.seed ^ splitmix64(position / self.len));
        let half = self.len.next_power_of_two().trailing_zeros().div_ceil(2).max(1);
        let mut value = position % self.len;
        loop {
            value = feistel(value, half, key);
            if value < self.len {
                return value;
            }
        }
    }
}

fn feistel(value: u64, half: u32, key: u64) -> u64 {
    let mask = (1 << half) - 1;
    let (mut left, mut right) = (value >> half, value & mask);
    for round in 0..4 {
        let scrambled = splitmix64(right ^ splitmix64(key ^ round)) & mask;
        (left, right) = (right, left ^ scrambled);
    }
    (left << half) | right
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_epoch_visits_every_item_once_in_another_order() {
        for len in [1, 2, 3, 17, 64, 1000] {
            let order = EpochOrder { seed: 3, len };
            let epoch =
                |e: u64| (e * len..(e + 1) * len).map(|p| order.item(p)).collect::<Vec<_>>();
            let distinct: BTreeSet<_> = epoch(0).into_iter().collect();
            assert_eq!(distinct.len() as u64, len);
            assert!(len < 17 || epoch(0) != epoch(1), "{len}");
        }
    }

    #[test]
    fn streams_and_steps_differ() {
        let draw = Draw { seed: 1, micro_step: 5 };
        let next = Draw { micro_step: 6, ..draw };
        assert_ne!(draw.number(Stream::Rows), draw.number(Stream::Dropout));
        assert_ne!(draw.number(Stream::Rows), next.number(Stream::Rows));
    }
}
