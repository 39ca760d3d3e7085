//! The number of an image, as the upstream program takes it from a file's name.

use serde::{Deserialize, Serialize};

/// The number of an image, or its name where it has none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ImageId {
    /// As in COCO's `000000000009.jpg` and Objects365's `objects365_v2_01805764.jpg`.
    Number(u64),
    /// The file's name without its extension.
    Name(String),
}

impl ImageId {
    /// The number that the name of a file ends with, after its last underscore.
    #[must_use]
    pub fn of(image: &str) -> Self {
        let name = image.rsplit(['/', '\\']).next().unwrap_or_default();
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let digits = stem.rsplit('_').next().unwrap_or_default();
        let number =
            digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()));
        number.map_or_else(|| Self::Name(stem.to_owned()), Self::Number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_ids_are_the_references() {
        for (image, expected) in [
            ("000000000009.jpg", ImageId::Number(9)),
            ("train/patch38/objects365_v2_01805764.jpg", ImageId::Number(1_805_764)),
            ("val2014/COCO_val2014_000000000042.jpg", ImageId::Number(42)),
            ("street.v2.png", ImageId::Name("street.v2".into())),
            ("a_+5.png", ImageId::Name("a_+5".into())),
        ] {
            assert_eq!(ImageId::of(image), expected);
        }
    }
}
