use std::fs;

use serde::Deserialize;
use vigc_vision::Error;
use vigc_vision::image::{ImageLimits, decode_image, open_image};

use crate::fixture::{json, path};

#[derive(Debug, Deserialize)]
struct Case {
    file: String,
    size: (u32, u32),
    rgb: String,
}

impl Case {
    fn pixels(&self) -> Vec<u8> {
        let digits = self.rgb.as_bytes().chunks(2);
        digits.map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }
}

#[test]
fn pixels_equal_pillows() {
    let cases: Vec<Case> = json("image_files/pixels.json");
    assert_eq!(cases.len(), 29);
    for case in cases {
        let file = path(&format!("image_files/{}", case.file));
        let image = open_image(file, &ImageLimits::default()).unwrap();
        assert_eq!(image.dimensions(), case.size, "{}", case.file);
        if case.file == "gray16.png" {
            continue; // Pillow clips, see below
        }
        let tolerance = u8::from(case.file == "cmyk.jpg"); // CMYK is left to a decoder that rounds differently
        let close = |(&a, &b): (&u8, &u8)| a.abs_diff(b) <= tolerance;
        assert!(image.iter().zip(&case.pixels()).all(close), "{}", case.file);
    }
}

#[test]
fn contents_decode_like_files() {
    let limits = ImageLimits::default();
    for name in ["rgb.png", "rgb.jpg"] {
        let file = path(&format!("image_files/{name}"));
        let bytes = fs::read(&file).unwrap();
        let image = decode_image(&bytes, "a row", &limits).unwrap();
        assert_eq!(image, open_image(&file, &limits).unwrap());
        let error = decode_image(&bytes[..bytes.len() / 2], "a row", &limits).unwrap_err();
        assert!(error.to_string().starts_with("a row: "), "{error}");
        let smaller = ImageLimits { max_file_bytes: bytes.len() as u64 - 1, ..limits };
        let error = decode_image(&bytes, "a row", &smaller).unwrap_err();
        assert!(matches!(error, Error::FileTooLarge { .. }), "{error:?}");
    }
}

#[test]
fn a_16_bit_gray_keeps_its_high_byte() {
    let gray = open_image(path("image_files/gray16.png"), &ImageLimits::default()).unwrap();
    assert!(gray.pixels().all(|pixel| pixel.0[0] == pixel.0[1] && pixel.0[1] == pixel.0[2]));
    let mean = gray.iter().map(|&value| u32::from(value)).sum::<u32>() / gray.len() as u32;
    assert!((90..165).contains(&mean), "{mean}: Pillow's conversion is all but white");
}

#[test]
fn decompression_bombs_are_errors_by_their_header() {
    for name in ["bomb.png", "bomb.gif", "bomb.jpg", "bomb.bmp"] {
        let file = path(&format!("image_files/bombs/{name}"));
        let error = open_image(&file, &ImageLimits::default()).unwrap_err();
        assert!(matches!(error, Error::ImageTooLarge { width: 60000, .. }), "{name}: {error:?}");
        assert!(error.to_string().contains(name) && error.to_string().contains("60000x60000"));
    }
}

#[test]
fn limits_are_inclusive() {
    let file = path("image_files/rgb.png");
    let limits = ImageLimits {
        max_file_bytes: fs::metadata(&file).unwrap().len(),
        max_pixels: 12 * 9,
        max_side: 12,
    };
    assert!(open_image(&file, &limits).is_ok());
    let fewer = ImageLimits { max_pixels: 12 * 9 - 1, ..limits };
    assert!(matches!(open_image(&file, &fewer), Err(Error::ImageTooLarge { .. })));
    let shorter = ImageLimits { max_side: 11, ..limits };
    assert!(matches!(open_image(&file, &shorter), Err(Error::ImageTooLarge { .. })));
    let smaller = ImageLimits { max_file_bytes: limits.max_file_bytes - 1, ..limits };
    assert!(matches!(open_image(&file, &smaller), Err(Error::FileTooLarge { .. })));
}

#[test]
fn errors_name_a_truncated_file() {
    let folder = tempfile::tempdir().unwrap();
    for case in json::<Vec<Case>>("image_files/pixels.json") {
        let bytes = fs::read(path(&format!("image_files/{}", case.file))).unwrap();
        for keep in [bytes.len() / 2, bytes.len() * 4 / 5] {
            let file = folder.path().join(&case.file);
            fs::write(&file, &bytes[..keep]).unwrap();
            // An animation may be truncated after its first frame.
            let Err(error) = open_image(&file, &ImageLimits::default()) else {
                assert!(case.file.starts_with("animated"), "{} {keep}", case.file);
                continue;
            };
            assert!(matches!(error, Error::Truncated { .. } | Error::Decode { .. }), "{error:?}");
            assert!(error.to_string().contains(&case.file), "{error}");
        }
    }
}

#[test]
fn damaged_bytes_do_not_panic() {
    let folder = tempfile::tempdir().unwrap();
    let limits = ImageLimits { max_pixels: 10_000, ..ImageLimits::default() };
    let mut state = 1_u32;
    let mut next = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    for case in json::<Vec<Case>>("image_files/pixels.json") {
        let bytes = fs::read(path(&format!("image_files/{}", case.file))).unwrap();
        let file = folder.path().join(&case.file);
        for _ in 0..40 {
            let mut damaged = bytes.clone();
            for _ in 0..=next(4) {
                damaged[next(bytes.len())] = next(256) as u8;
            }
            fs::write(&file, &damaged).unwrap();
            let _ = open_image(&file, &limits);
        }
    }
}

#[test]
fn files_that_are_not_images_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.jpg");
    for content in ["", "just some text", "\u{89}PNG\r\n"] {
        fs::write(&file, content).unwrap();
        let error = open_image(&file, &ImageLimits::default()).unwrap_err();
        assert!(matches!(error, Error::NotAnImage { .. }), "{content:?}: {error:?}");
    }
    let absent = open_image(folder.path().join("absent.png"), &ImageLimits::default());
    assert!(matches!(absent, Err(Error::Io { .. })));
    let folder = open_image(folder.path(), &ImageLimits::default());
    assert!(matches!(folder, Err(Error::Io { .. })));
}

#[test]
fn a_frame_much_larger_than_its_picture_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("frame.gif");
    let screen = [12, 0, 9, 0, 0x80, 0, 0, 0, 0, 0, 255, 255, 255]; // and two colors
    let frame = [0x2c, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x0f, 0, 2, 1, 0, 0, 0x3b];
    fs::write(&file, [&b"GIF89a"[..], &screen, &frame].concat()).unwrap();
    let error = open_image(&file, &ImageLimits::default()).unwrap_err();
    let Error::Decode { path, source } = &error else { panic!("{error:?}") };
    assert!(path.ends_with("frame.gif") && source.to_string().contains("limit"), "{source}");
}

/// Found by fuzzing.
#[test]
fn a_decoders_panic_is_an_error_that_names_the_file() {
    let file = path("image_files/panics_zune.jpg");
    let error = open_image(&file, &ImageLimits::default()).unwrap_err();
    assert!(matches!(error, Error::Decode { .. }), "{error:?}");
    assert!(error.to_string().contains("panics_zune.jpg"), "{error}");
}

#[test]
fn a_jpeg_with_odd_sampling_is_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = fs::read(path("image_files/rgb.jpg")).unwrap();
    let frame = bytes.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    for factors in [0x43, 0x31, 0x13, 0x24] {
        let mut odd = bytes.clone();
        // Marker, length, precision, height, width, number of components, name of the first.
        odd[frame + 11] = factors;
        let file = folder.path().join("odd.jpg");
        fs::write(&file, &odd).unwrap();
        if let Err(error) = open_image(&file, &ImageLimits::default()) {
            assert!(!format!("{error:?}").contains("panicked"), "{factors:x}: {error:?}");
        }
    }
}
