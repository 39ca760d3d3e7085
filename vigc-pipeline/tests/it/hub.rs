//! Models by the name of a repository.

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use vigc_core::progress::Progress;
use vigc_core::weights::hub::{Files, Hub};
use vigc_pipeline::Error;
use vigc_pipeline::instruct_blip::{InstructBlip, LoadOptions, ModelSource, fetch_part};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &target),
            false => assert!(fs::copy(path, target).is_ok()),
        }
    }
}

#[test]
fn a_repository_in_the_cache_is_opened_under_its_name_and_commit() {
    let cache = tempfile::tempdir().unwrap();
    let folder = cache.path().join("models--owner--tiny");
    let tiny = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/instruct_blip/tiny");
    copy(&tiny, &folder.join("snapshots").join(COMMIT));
    fs::create_dir(folder.join("refs")).unwrap();
    fs::write(folder.join("refs/main"), COMMIT).unwrap();

    let hub = Hub::from_vars(|_| None).with_cache(cache.path()).offline();
    let repo = "owner/tiny".parse().unwrap();
    let model = InstructBlip::from_hub(
        &repo,
        &hub,
        &Progress::none(),
        &Device::default(),
        &LoadOptions::default(),
    )
    .unwrap();
    assert_eq!(model.name(), format!("owner/tiny@{COMMIT}"));

    fs::remove_file(folder.join("snapshots").join(COMMIT).join("model.safetensors")).unwrap();
    let error = InstructBlip::from_hub(
        &repo,
        &hub,
        &Progress::none(),
        &Device::default(),
        &LoadOptions::default(),
    )
    .unwrap_err();
    assert!(error.to_string().contains("model.safetensors"), "{error}");
}

#[test]
fn a_repository_of_one_part_is_that_file_and_no_model() {
    let cache = tempfile::tempdir().unwrap();
    let snapshot = cache.path().join("models--wufan--part/snapshots").join(COMMIT);
    fs::create_dir_all(&snapshot).unwrap();
    fs::create_dir(cache.path().join("models--wufan--part/refs")).unwrap();
    fs::write(cache.path().join("models--wufan--part/refs/main"), COMMIT).unwrap();
    fs::write(snapshot.join("vigc7b.pth"), "weights").unwrap();

    let hub = Hub::from_vars(|_| None).with_cache(cache.path()).offline();
    let repo = "wufan/part".parse().unwrap();
    let part = || fetch_part(&repo, &hub, &Files::Model, &Progress::none());
    assert_eq!(part().unwrap().file_name().unwrap(), "vigc7b.pth");
    let whole = InstructBlip::from_hub(
        &repo,
        &hub,
        &Progress::none(),
        &Device::default(),
        &LoadOptions::default(),
    );
    let error = whole.unwrap_err().to_string();
    assert!(error.contains("vigc7b.pth") && error.contains("finetuned"), "{error}");

    fs::write(snapshot.join("other.pth"), "weights").unwrap();
    let error = part().unwrap_err().to_string();
    assert!(error.contains("holds other.pth and vigc7b.pth"), "{error}");
}

#[test]
fn a_name_is_a_folder_or_a_repository_or_an_error_that_says_both() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().to_str().unwrap();
    assert_eq!(name.parse::<ModelSource>().unwrap(), ModelSource::Folder(name.into()));
    let repo = "owner/name@v1".parse::<ModelSource>().unwrap();
    assert_eq!(repo, ModelSource::Repository("owner/name@v1".parse().unwrap()));
    for name in ["./missing", "missing", "/missing/folder", "a/b/c"] {
        let error = name.parse::<ModelSource>().unwrap_err();
        assert!(matches!(&error, Error::ModelSource { name: found } if found == name));
        let text = error.to_string();
        assert!(text.contains("folder") && text.contains("owner/name@revision"), "{text}");
    }
}
