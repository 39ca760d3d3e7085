//! Seeds that depend on what is generated, not on when or beside what.

/// Derives a seed from the seed of the run and the names of what is generated.
///
/// The same image, task and step get the same seed in every batch and in every order, so that a
/// run's rows do not depend on its batch size or on where it was resumed.
#[must_use]
pub fn derive(run: u64, image: &str, task: &str, step: u64) -> u64 {
    let hash = [image, task].iter().fold(FNV_OFFSET ^ mix(run), |hash, name| {
        let hash =
            name.bytes().fold(hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME));
        // Text holds no 0xff, so that ("a", "bc") and ("ab", "c") differ.
        (hash ^ 0xff).wrapping_mul(FNV_PRIME)
    });
    mix(hash ^ mix(step))
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// The finalizer of `SplitMix64`.
const fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_part_matters() {
        let seeds = [
            derive(1, "a", "bc", 0),
            derive(2, "a", "bc", 0),
            derive(1, "ab", "c", 0),
            derive(1, "b", "bc", 0),
            derive(1, "a", "bd", 0),
            derive(1, "a", "bc", 1),
        ];
        assert_eq!(seeds.iter().collect::<HashSet<_>>().len(), seeds.len());
    }

    #[test]
    fn seeds_are_the_same_in_every_version() {
        assert_eq!(derive(42, "000000000009", "conversation", 0), 1_852_684_094_328_001_291);
    }
}
