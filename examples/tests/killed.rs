//! Examples that are killed in the middle and resumed end as if they had not been; what cannot be used is recorded once.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use vigc_scenes::{Scene, Split};

/// A built example; `cargo test` builds them beside the tests.
fn example(name: &str) -> Command {
    let test = std::env::current_exe().expect("a test has a path");
    let folder = test.ancestors().nth(2).expect("tests lie in target/PROFILE/deps");
    let path = folder.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(path.is_file(), "{} is not built", path.display());
    let mut command = Command::new(path);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn run(command: &mut Command) {
    let status = command.status().expect("the example starts");
    assert!(status.success(), "{command:?}: {status}");
}

/// Kills a process (SIGKILL on Unix) as soon as `reached` holds; tells whether it was still at work.
fn kill_when(mut child: Child, reached: impl Fn() -> bool) -> bool {
    let started = Instant::now();
    while !reached() && child.try_wait().expect("a child").is_none() {
        assert!(started.elapsed() < Duration::from_secs(300), "nothing happens");
        sleep(Duration::from_millis(1));
    }
    let at_work = child.try_wait().expect("a child").is_none();
    child.kill().expect("a child can be killed");
    child.wait().expect("a child ends");
    at_work
}

fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Rows, and how often each comes.
fn rows(path: &Path) -> BTreeMap<String, usize> {
    let mut rows = BTreeMap::new();
    for line in lines(path) {
        *rows.entry(line).or_default() += 1;
    }
    rows
}

#[test]
fn no_row_is_lost_or_doubled_when_generate_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let pictures = folder.path().join("pictures");
    fs::create_dir(&pictures).unwrap();
    for seed in 0..12 {
        let picture = Scene::sample(Split::Test, seed).render(224);
        picture.save(pictures.join(format!("{seed:02}.png"))).unwrap();
    }
    fs::write(pictures.join("broken.png"), "not a picture").unwrap();
    let generate = |out: &Path| {
        let mut command = example("generate");
        command.args(["--task", "all", "--batch", "2", "--max-new-tokens", "60", "--resume"]);
        command.arg("--images").arg(&pictures).arg("--out").arg(out);
        command
    };
    let whole = folder.path().join("whole.jsonl");
    run(&mut generate(&whole));

    let broken = folder.path().join("broken.jsonl");
    let mut interruptions = 0;
    for wanted in [1, 4, 9, 20, 27] {
        let child = generate(&broken).spawn().unwrap();
        interruptions += usize::from(kill_when(child, || lines(&broken).len() >= wanted));
    }
    assert!(interruptions >= 3, "the run ended before it was killed");
    run(&mut generate(&broken));
    assert_eq!(rows(&broken), rows(&whole));
    assert!(rows(&whole).values().all(|&times| times == 1));
    let rejected = |path: &Path| {
        let name = path.file_name().unwrap().to_string_lossy();
        rows(&path.with_file_name(format!("{name}.rejected.jsonl")))
    };
    assert_eq!(rejected(&broken), rejected(&whole));
    assert_eq!(
        lines(&whole).len() + rejected(&whole).len(),
        12 * 3 + 1,
        "every picture has a row, or a reason, for every task"
    );
}

fn recipe(folder: &Path) -> PathBuf {
    let path = folder.with_extension("toml");
    let text = format!(
        r#"
        stage = "vision"
        seed = 5
        output = "{}"
        [data]
        scenes = {{ split = "train", count = 200 }}
        [model.vision]
        hidden_size = 32
        intermediate_size = 64
        num_hidden_layers = 2
        num_attention_heads = 2
        image_size = 112
        patch_size = 14
        [optimization]
        updates = 40
        batch = 8
        rate = 1e-3
        [run]
        checkpoint_updates = 6
        "#,
        folder.display()
    );
    fs::write(&path, text).expect("a recipe can be written");
    path
}

#[test]
fn training_ends_with_the_same_weights_when_it_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let train = |recipe: &Path, resume: bool| {
        let mut command = example("train");
        command.arg("--recipe").arg(recipe).args(resume.then_some("--resume"));
        command
    };
    let (whole, broken) = (folder.path().join("whole"), folder.path().join("broken"));
    run(&mut train(&recipe(&whole), false));

    let recipe = recipe(&broken);
    let mut interruptions = 0;
    for wanted in [3, 10, 23, 33] {
        let child = train(&recipe, true).spawn().unwrap();
        let updates = || lines(&broken.join("metrics.jsonl")).len();
        interruptions += usize::from(kill_when(child, || updates() >= wanted));
    }
    assert!(interruptions >= 3, "the run ended before it was killed");
    run(&mut train(&recipe, true));
    let weights = |folder: &Path| fs::read(folder.join("model.safetensors")).unwrap();
    assert!(weights(&whole) == weights(&broken), "the weights differ");
    assert_eq!(lines(&broken.join("metrics.jsonl")).len(), 40);
}

#[test]
fn a_file_that_is_no_picture_is_recorded_once_for_all_tasks() {
    let folder = tempfile::tempdir().unwrap();
    let (bad, out) = (folder.path().join("bad.jpg"), folder.path().join("rows.json"));
    fs::write(&bad, "no picture").unwrap();
    for task in ["all", "okvqa"] {
        let mut generate = example("generate");
        generate.args(["--task", task, "--format", "reference", "--images"]).arg(&bad);
        run(generate.arg("--out").arg(&out));
        let rejected = lines(&folder.path().join("rows.json.rejected.jsonl"));
        assert!(rejected.len() == 1 && rejected[0].contains("bad.jpg"), "{task}: {rejected:?}");
        assert_eq!(fs::read_to_string(&out).unwrap(), "[]");
    }
}
