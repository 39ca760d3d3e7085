//! Memory on huge pages.

use burn::tensor::Bytes;
use memmap2::MmapMut;

/// The size of a huge page: 2 MiB on every common machine.
const HUGE: usize = 2 << 20;

/// Bytes filled by `fill`, on huge pages where the system grants them. Weights are read once per token, and on ordinary
/// pages that costs up to half of the memory's bandwidth.
pub(super) fn filled(len: usize, fill: impl FnOnce(&mut [u8])) -> Bytes {
    match map(len) {
        Some((mut map, start)) => {
            fill(&mut map[start..start + len]);
            let bytes = bytes::Bytes::from_owner(map).slice(start..start + len);
            Bytes::from_shared(bytes, burn::tensor::AllocationProperty::Other)
        }
        None => {
            let mut bytes = vec![0; len];
            fill(&mut bytes);
            Bytes::from_bytes_vec(bytes)
        }
    }
}

/// A map with room for `len` bytes, and the offset of the first byte. If the bytes fill a huge page, they begin at the
/// boundary of one.
fn map(len: usize) -> Option<(MmapMut, usize)> {
    if len < HUGE {
        return Some((MmapMut::map_anon(len.max(1)).ok()?, 0));
    }
    let map = MmapMut::map_anon(len.next_multiple_of(HUGE) + HUGE).ok()?;
    let start = map.as_ptr().align_offset(HUGE);
    #[cfg(target_os = "linux")]
    if let Err(error) =
        map.advise_range(memmap2::Advice::HugePage, start, len.next_multiple_of(HUGE))
    {
        tracing::debug!(%error, "no huge pages for weights");
    }
    Some((map, start))
}
