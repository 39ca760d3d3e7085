//! LLaVA-Eval about scenes, with the scenes' own judge.

use std::collections::HashMap;
use std::fs;

use vigc_eval::llava_bench::{LlavaBench, LlavaBenchFiles};
use vigc_eval::scenes::reviews;
use vigc_scenes::{DatasetConfig, Scene, Split, open_scenes, scene_seed};

#[test]
fn llava_eval_about_scenes_is_judged_by_what_is_in_them() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("scenes");
    let config = DatasetConfig::new(5).with_side(32);
    config.with_count(Split::Test, 4).with_count(Split::Val, 2).write(&out, |_| ()).unwrap();
    assert!(!out.join("train").exists() && !out.join("unseen").exists());
    let split = out.join("test");
    let bench = LlavaBench::open(
        &LlavaBenchFiles::in_folder(split.join("llava_bench")),
        split.join("images"),
    )
    .unwrap();
    assert_eq!(bench.questions().len(), 12);
    let scenes = open_scenes(&split).unwrap();
    // The pictures of `val` come before those of `test`.
    assert_eq!(scenes["000000000003.jpg"], Scene::sample(Split::Test, scene_seed(5, 0)));

    let mut answers: HashMap<_, _> = bench
        .questions()
        .iter()
        .map(|question| (question.id.clone(), question.reference.clone()))
        .collect();
    let judged = |answers: &HashMap<String, String>| {
        bench.score(&reviews(&bench, &scenes, answers), Some(answers)).unwrap()
    };
    assert_eq!(judged(&answers).all.relative.value, Some(100.0));
    for (id, answer) in &mut answers {
        if bench.questions()[id.parse::<usize>().unwrap()].category == "conv" {
            "There is nothing.".clone_into(answer);
        }
    }
    let score = judged(&answers);
    assert_eq!(score.categories["conv"].relative.value, Some(10.0));
    assert_eq!(score.categories["detail"].relative.value, Some(100.0));

    fs::remove_file(split.join("images/000000000004.jpg")).unwrap();
    let error = open_scenes(&split).unwrap_err().to_string();
    assert!(error.contains("4 scenes") && error.contains("3 pictures"), "{error}");
}
