//! The whole experiment on a handful of pictures: every job runs, and an experiment that is there is gone on with.

// An example that is tested itself is not built as a program.
#[path = "../experiment/report.rs"]
mod report;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use toml::{Table, Value};

/// The recipes with next to nothing in them.
fn tiny_recipes(folder: &Path) {
    let recipes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../recipes/experiment");
    for entry in fs::read_dir(recipes).expect("recipes") {
        let path = entry.expect("a recipe").path();
        let text = fs::read_to_string(&path).expect("text");
        let mut recipe: Table = toml::from_str(&text).expect("TOML");
        if let Some(Value::Table(optimization)) = recipe.get_mut("optimization") {
            optimization.insert("updates".to_owned(), Value::Integer(2));
            optimization.insert("batch".to_owned(), Value::Integer(2));
            // Nothing is lost of what the models begin with.
            optimization.insert("rate".to_owned(), Value::Float(1e-6));
        }
        if let Some(Value::Table(scenes)) =
            recipe.get_mut("data").and_then(|data| data.get_mut("scenes"))
        {
            scenes.insert("count".to_owned(), Value::Integer(4));
        }
        if let Some(Value::Table(run)) = recipe.get_mut("run") {
            run.insert("validate_samples".to_owned(), Value::Integer(2));
        }
        let name = path.file_name().expect("a name");
        fs::write(folder.join(name), toml::to_string(&recipe).expect("TOML")).expect("written");
    }
    let settings = "seeds = [1]\n\
        [pictures]\nannotated = 3\nsame = 4\nother = 3\nmeasured = 5\npope = 1\n\
        [correction]\nsteps = [1]\npictures = 2\n";
    fs::write(folder.join("experiment.toml"), settings).expect("written");
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let test = std::env::current_exe().expect("a test has a path");
    let profile = test.ancestors().nth(2).expect("tests lie in target/PROFILE/deps");
    let program =
        profile.join("examples/experiment").with_extension(std::env::consts::EXE_EXTENSION);
    let mut command = Command::new(program);
    command.current_dir(folder).args(["--settings", "experiment.toml", "--out", "run"]);
    command.args(arguments).output().expect("the example starts")
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn every_job_runs_once_and_the_tables_are_printed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    tiny_recipes(folder);
    let first = printed(&run(folder, &[]));
    for expected in [
        "base-llava",
        "rows-1",
        "instructblip-replace-all-1",
        "Table 1",
        "85.8",
        "Table 3",
        "Table 4",
        "Invented objects",
        "Correction in more or fewer steps",
        "Means over 1 seeds",
    ] {
        assert!(first.contains(expected), "{expected}: {first}");
    }
    let report = folder.join("run/report");
    let markdown = fs::read_to_string(report.join("experiment.md")).unwrap();
    for plot in ["scores.svg", "steps.svg", "correction.svg"] {
        assert!(
            markdown.contains(plot) && report.join("experiment").join(plot).is_file(),
            "{plot}"
        );
    }
    assert!(folder.join("run/rows-1/same/data-set/data").is_dir());

    // A job that is not done is done again, with what it has.
    let outcome = folder.join("run/outcomes/llava-none-1.json");
    let before = fs::read(&outcome).unwrap();
    fs::remove_file(&outcome).unwrap();
    fs::remove_file(folder.join("run/done/llava-none-1")).unwrap();
    let second = printed(&run(folder, &[]));
    assert!(second.contains("llava-none-1") && !second.contains("rows-1"), "{second}");
    assert_eq!(fs::read(&outcome).unwrap(), before);
    let tables = |text: &str| text[text.find("Table 1").unwrap()..].to_owned();
    assert_eq!(tables(&first), tables(&second));
    assert_eq!(tables(&first), tables(&printed(&run(folder, &["--report"]))));

    // A folder that was written when recipes had other comments and names is accepted.
    let record = folder.join("run/settings.toml");
    let text = fs::read_to_string(&record).unwrap();
    let old = text.replace("[optimization]", "# A comment.\n[optimisation]");
    fs::write(&record, old.replace("\"finetune\"", "\"llava\"")).unwrap();
    assert_eq!(tables(&first), tables(&printed(&run(folder, &["--report"]))));

    // Seeds may be added; whatever else is changed makes another experiment.
    let settings = folder.join("experiment.toml");
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, text.replace("[1]\n[pictures]", "[1, 2]\n[pictures]")).unwrap();
    assert_eq!(tables(&first), tables(&printed(&run(folder, &["--report"]))));
    fs::write(&settings, text.replace("measured = 5", "measured = 6")).unwrap();
    let refused = run(folder, &["--report"]);
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && error.contains("other settings"), "{error}");
}
