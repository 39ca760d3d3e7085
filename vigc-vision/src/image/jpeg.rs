//! Whether a JPEG file is whole.
//!
//! The decoder fills what is missing with grey and reports success, so a half-downloaded photo
//! would pass as a photo.

const START_OF_SCAN: u8 = 0xDA;
const END_OF_IMAGE: [u8; 2] = [0xFF, 0xD9];

/// Whether an end-of-image marker follows the start of the first scan.
///
/// Entropy-coded bytes never form that marker, and segments before the scan (an EXIF thumbnail is
/// a JPEG itself) are skipped by their length.
pub(super) fn is_complete(bytes: &[u8]) -> bool {
    first_scan(bytes).is_some_and(|scan| scan.windows(2).rev().any(|pair| pair == END_OF_IMAGE))
}

/// The bytes from the first start-of-scan marker on.
fn first_scan(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.get(2..)?;
    loop {
        // Markers may be padded with 0xFF, and stray bytes between segments are tolerated.
        let start =
            rest.windows(2).position(|pair| pair[0] == 0xFF && !matches!(pair[1], 0 | 0xFF))?;
        rest = &rest[start + 1..];
        match rest[0] {
            START_OF_SCAN => return Some(rest),
            0x01 | 0xD0..=0xD8 => rest = &rest[1..], // no payload
            _ => {
                let length = u16::from_be_bytes([*rest.get(1)?, *rest.get(2)?]);
                rest = rest.get(1 + usize::from(length)..)?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_complete;

    #[test]
    fn an_end_marker_counts_only_after_the_scan() {
        let thumbnail = [0xFF, 0xE1, 0, 6, 0xFF, 0xDA, 0xFF, 0xD9];
        let scan = [0xFF, 0xDA, 0, 2, 1, 2, 0xFF, 0];
        let mut file = [&[0xFF, 0xD8][..], &thumbnail, &scan].concat();
        assert!(!is_complete(&file));
        file.extend([0xFF, 0xD9, 7]);
        assert!(is_complete(&file));
        assert!(!is_complete(&file[..7]));
        assert!(!is_complete(&[]));
    }
}
