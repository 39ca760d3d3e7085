use burn::tensor::Device;
use serde::Deserialize;
use vigc_vision::image::{BlipImageProcessor, BlipImageProcessorConfig, Filter, RgbImage, resize};

use crate::fixture::{fnv1a, json, path};

#[derive(Debug, Deserialize)]
struct Resized {
    kind: String,
    size: (u32, u32),
    target: (u32, u32),
    filter: Filter,
    fnv1a: String,
}

#[derive(Debug, Deserialize)]
struct Processed {
    kind: String,
    size: (u32, u32),
    side: u32,
    fnv1a: String,
}

/// The picture of `export.py`.
pub(crate) fn picture(kind: &str, (width, height): (u32, u32)) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        vigc_vision::image::Rgb([0, 1, 2].map(|c| value(kind, x, y, c)))
    })
}

fn value(kind: &str, x: u32, y: u32, c: u32) -> u8 {
    let mut h = x
        .wrapping_mul(2_654_435_761)
        .wrapping_add(y.wrapping_mul(2_246_822_519))
        .wrapping_add(c.wrapping_mul(3_266_489_917));
    h ^= h >> 15;
    h = h.wrapping_mul(2_246_822_519);
    h ^= h >> 13;
    let value = match kind {
        "noise" => h,
        "gradient" => x * 3 + y * 2 + c * 40 + (h & 15),
        "checks" => (x / 5 + y / 3 + c) % 2 * 255,
        other => panic!("unknown kind {other}"),
    };
    (value & 255) as u8
}

#[test]
fn equals_pillow_in_every_bit() {
    let cases: Vec<Resized> = json("resize/resized.json");
    assert_eq!(cases.len(), 3 * 9 * 6 * 2);
    for case in cases {
        let (width, height) = case.target;
        let resized = resize(&picture(&case.kind, case.size), width, height, case.filter);
        assert_eq!(fnv1a(resized.into_raw()), case.fnv1a, "{case:?}");
    }
}

#[test]
fn pixels_equal_the_python_processor_in_every_bit() {
    for case in json::<Vec<Processed>>("resize/processed.json") {
        let processor =
            BlipImageProcessor::new(BlipImageProcessorConfig::square(case.side)).unwrap();
        let pixels = processor.process(&picture(&case.kind, case.size));
        assert_eq!(pixels.len(), 3 * (case.side * case.side) as usize);
        let bytes = pixels.into_iter().flat_map(f32::to_le_bytes);
        assert_eq!(fnv1a(bytes), case.fnv1a, "{case:?}");
    }
}

#[test]
fn a_batch_is_its_images() {
    let device = Device::default();
    let processor = BlipImageProcessor::new(BlipImageProcessorConfig::square(14)).unwrap();
    let images = [picture("noise", (30, 20)), picture("checks", (5, 40))];
    let batch = processor.batch(&images, &device);
    assert_eq!(batch.dims(), [2, 3, 14, 14]);
    let alone: Vec<f32> = images.iter().flat_map(|image| processor.process(image)).collect();
    assert_eq!(batch.into_data().try_to_vec::<f32>().unwrap(), alone);
    assert_eq!(processor.batch(&[], &device).dims(), [0, 3, 14, 14]);
}

#[test]
fn reads_the_configuration_from_either_file() {
    let older = std::fs::read_to_string(path("resize/preprocessor_config.json")).unwrap();
    let newer =
        format!(r#"{{"processor_class": "InstructBlipProcessor", "image_processor": {older}}}"#);
    let only_processor = r#"{"processor_class": "InstructBlipProcessor", "num_query_tokens": 32}"#;
    for files in [
        vec![("preprocessor_config.json", &*older)],
        vec![("processor_config.json", &*newer)],
        vec![("preprocessor_config.json", &*older), ("processor_config.json", only_processor)],
    ] {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let config = BlipImageProcessorConfig::from_dir(folder.path()).unwrap();
        assert_eq!(config, BlipImageProcessorConfig::default());
    }
    let error =
        BlipImageProcessorConfig::from_dir(std::env::temp_dir().join("nowhere")).unwrap_err();
    assert!(error.to_string().contains("preprocessor_config.json"), "{error}");
}

#[test]
fn settings_that_blip_lacks_are_errors() {
    let config = |json| serde_json::from_str::<BlipImageProcessorConfig>(json);
    let resample = config(r#"{"resample": 1}"#).unwrap_err().to_string();
    assert!(resample.contains("resample 1"), "{resample}");
    assert!(config(r#"{"size": {"shortest_edge": 224}}"#).is_err());
    for json in [
        r#"{"do_resize": false}"#,
        r#"{"do_center_crop": true}"#,
        r#"{"size": {"height": 0, "width": 3}}"#,
        r#"{"image_std": [0.1, 0.0, 0.1]}"#,
    ] {
        let error = BlipImageProcessor::new(config(json).unwrap()).unwrap_err().to_string();
        assert!(json.contains(error.split(' ').next().unwrap()), "{json} {error}");
    }
}
