use std::fs;

use serde_json::Value;

use crate::{DatasetConfig, DatasetError};

fn read(path: &std::path::Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn every_format_is_written_and_agrees_with_the_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("scenes");
    let config = DatasetConfig::new(3).with_train_count(12).with_side(64);
    let mut heard = 0;
    let summary = config.write(&out, |done| heard = done).unwrap();
    assert_eq!((summary.images, heard, config.total()), (18, 18, 18));
    assert!(!folder.path().join("scenes.partial").exists());

    let train = out.join("train");
    let instances = read(&train.join("instances_train.json"));
    assert_eq!(instances["images"].as_array().unwrap().len(), 12);
    assert_eq!(instances["categories"].as_array().unwrap().len(), 18);
    for annotation in instances["annotations"].as_array().unwrap() {
        let runs = annotation["segmentation"]["counts"].as_array().unwrap();
        let runs: Vec<u64> = runs.iter().map(|run| run.as_u64().unwrap()).collect();
        assert_eq!(runs.iter().sum::<u64>(), 64 * 64);
        let inside: u64 = runs.iter().skip(1).step_by(2).sum();
        assert_eq!(annotation["area"].as_u64(), Some(inside));
        assert!(inside > 0);
    }
    for image in instances["images"].as_array().unwrap() {
        let name = image["file_name"].as_str().unwrap();
        let picture = image::open(train.join("images").join(name)).unwrap();
        assert_eq!((picture.width(), picture.height()), (64, 64));
    }
    let llava = read(&train.join("llava_conversation.json"));
    let first = llava[0]["conversations"][0]["value"].as_str().unwrap();
    assert!(first.starts_with("<image>\n"), "{first}");
    let detail = read(&out.join("unseen/vigc_detail.json"));
    assert_eq!(detail[0]["answer"].as_array().unwrap().len(), 1);
    let aokvqa = read(&out.join("test/aokvqa.json"));
    for row in aokvqa.as_array().unwrap() {
        let right = row["correct_choice_idx"].as_u64().unwrap() as usize;
        assert_eq!(row["choices"][right], row["direct_answers"][9]);
    }
    assert_eq!(fs::read_to_string(train.join("scenes.jsonl")).unwrap().lines().count(), 12);
}

#[test]
fn a_seed_gives_the_same_files_and_another_seed_others() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, seed: u64| {
        let out = folder.path().join(name);
        DatasetConfig::new(seed).with_train_count(3).with_side(32).write(&out, |_| ()).unwrap();
        let text = fs::read_to_string(out.join("train/llava_detail.json")).unwrap();
        (text, fs::read(out.join("train/images/000000000002.jpg")).unwrap())
    };
    let one = write("one", 7);
    assert_eq!(one, write("same", 7));
    assert_ne!(one, write("other", 8));
}

#[test]
fn nothing_is_overwritten_and_leftovers_are_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("scenes");
    fs::create_dir_all(folder.path().join("scenes.partial/train")).unwrap();
    let config = DatasetConfig::new(1).with_train_count(1).with_side(32);
    config.write(&out, |_| ()).unwrap();
    assert!(matches!(config.write(&out, |_| ()), Err(DatasetError::Exists(path)) if path == out));
}
