use serde::Deserialize;
use vigc_vision::image::{ClipImageProcessor, ClipImageProcessorConfig, ImageSize, ShortestEdge};

use crate::fixture::{fnv1a, json};
use crate::resize::picture;

#[derive(Debug, Deserialize)]
struct Processed {
    kind: String,
    size: (u32, u32),
    edge: u32,
    crop: u32,
    pad: bool,
    bytes: String,
    pixels: String,
}

fn processor(case: &Processed) -> ClipImageProcessor {
    let config = ClipImageProcessorConfig {
        size: ShortestEdge { shortest_edge: case.edge },
        crop_size: ImageSize { height: case.crop, width: case.crop },
        ..ClipImageProcessorConfig::default()
    };
    ClipImageProcessor::new(config.with_padding(case.pad)).unwrap()
}

#[test]
fn pixels_equal_the_python_processors_in_every_bit() {
    let cases: Vec<Processed> = json("clip_images/processed.json");
    assert_eq!(cases.len(), 2 * 11 * (3 + 3 + 1));
    for case in cases {
        let (processor, image) = (processor(&case), picture(&case.kind, case.size));
        assert_eq!(fnv1a(processor.fit(&image).into_raw()), case.bytes, "{case:?}");
        let pixels = processor.process(&image);
        assert_eq!(pixels.len(), 3 * (case.crop * case.crop) as usize);
        assert_eq!(fnv1a(pixels.into_iter().flat_map(f32::to_le_bytes)), case.pixels, "{case:?}");
    }
}

#[test]
fn reads_the_configurations_of_transformers() {
    let clip: ClipImageProcessorConfig = json("clip_images/clip.json");
    assert_eq!(
        clip,
        ClipImageProcessorConfig {
            image_processor_type: clip.image_processor_type.clone(),
            ..ClipImageProcessorConfig::square(336)
        }
    );
    let llava: ClipImageProcessorConfig = json("clip_images/llava.json");
    assert!(llava.do_pad && llava.image_processor_type.starts_with("LlavaImageProcessor"));
    let old = r#"{"crop_size": 336, "do_center_crop": true, "do_normalize": true, "do_resize": true,
        "feature_extractor_type": "CLIPFeatureExtractor", "resample": 3, "size": 336}"#;
    let old: ClipImageProcessorConfig = serde_json::from_str(old).unwrap();
    assert_eq!(old, ClipImageProcessorConfig::square(336));
    let again: ClipImageProcessorConfig =
        serde_json::from_str(&serde_json::to_string(&llava).unwrap()).unwrap();
    assert_eq!(again, llava);
}

#[test]
fn settings_without_a_fixed_output_size_are_errors() {
    for json in [
        r#"{"do_resize": false}"#,
        r#"{"do_center_crop": false}"#,
        r#"{"crop_size": 225}"#,
        r#"{"crop_size": {"height": 224, "width": 0}}"#,
        r#"{"image_std": [0.1, 0.0, 0.1]}"#,
    ] {
        let config: ClipImageProcessorConfig = serde_json::from_str(json).unwrap();
        let error = ClipImageProcessor::new(config).unwrap_err().to_string();
        assert!(json.contains(error.split(' ').next().unwrap()), "{json} {error}");
    }
    assert!(
        serde_json::from_str::<ClipImageProcessorConfig>(r#"{"size": {"height": 3}}"#).is_err()
    );
}

/// All of it would be a picture of 336 x 22 million pixels.
#[test]
fn a_very_long_image_takes_little_memory() {
    let config = ClipImageProcessorConfig::square(336);
    let processor = ClipImageProcessor::new(config).unwrap();
    for size in [(1, 65_535), (65_535, 1)] {
        let image = vigc_vision::image::RgbImage::new(size.0, size.1);
        assert_eq!(processor.fit(&image).dimensions(), (336, 336));
    }
}
