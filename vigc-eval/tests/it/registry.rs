//! Suites by name, and a suite that this crate does not have.

use std::collections::HashMap;
use std::fs;

use image::RgbImage;
use serde_json::json;
use vigc_core::progress::Progress;
use vigc_eval::answers::{AnswerJournal, AnswerMode, Query, QueryImage, QueryRunner};
use vigc_eval::interval::wilson;
use vigc_eval::report::{Findings, Metric, Report};
use vigc_eval::{Error, Registry, Result, Suite, SuiteKind, SuiteOption, SuiteOptions, suite};
use vigc_pipeline::vigc::{Generated, GenerationConfig, Request, VisualLm};

/// A suite that asks for the number of things in an image, and then whether the model is sure.
#[derive(Debug)]
struct Counting {
    image: QueryImage,
    most: usize,
}

const COUNTING: SuiteKind = SuiteKind {
    name: "counting",
    about: "how many things an image shows",
    options: &[SuiteOption { name: "most", value: "N", about: "the largest number" }],
    open: |options| {
        let image = QueryImage::File(options.images().join("1.png"));
        Ok(Box::new(Counting { image, most: options.get("most")?.unwrap_or(3) }))
    },
};

impl Counting {
    fn query(&self, id: String, prompt: String) -> Query {
        Query { id, image: self.image.clone(), prompt, mode: AnswerMode::Generate }
    }
}

impl Suite for Counting {
    fn queries(&self) -> Vec<Query> {
        let query = |number: usize| self.query(number.to_string(), format!("Are there {number}?"));
        (1..=self.most).map(query).collect()
    }

    fn follow_ups(&self, answers: &HashMap<String, String>) -> Result<Vec<Query>> {
        let mut yes: Vec<&String> =
            answers.iter().filter(|(_, text)| *text == "yes").map(|(id, _)| id).collect();
        yes.sort();
        let query =
            |id: &String| self.query(format!("{id}/sure"), format!("Are there {id}, sure?"));
        Ok(yes.into_iter().map(query).collect())
    }

    fn evaluate(&self, answers: &HashMap<String, String>) -> Result<Findings> {
        let right = answers.get("2/sure").is_some_and(|text| text == "yes");
        let metrics = vec![Metric::share("right", wilson(usize::from(right), 1))];
        Ok(Findings { metrics, ..Findings::default() })
    }
}

/// Sees two things.
struct Two;

impl VisualLm for Two {
    type Image = ();

    fn name(&self) -> &str {
        "two"
    }

    fn encode(&self, images: &[RgbImage]) -> vigc_pipeline::Result<Vec<()>> {
        Ok(vec![(); images.len()])
    }

    fn generate(
        &self,
        requests: &[Request<'_, ()>],
        _: &GenerationConfig,
    ) -> vigc_pipeline::Result<Vec<Vec<Generated>>> {
        let answer = |request: &Request<'_, ()>| {
            let text = if request.prompt.starts_with("Are there 2") { "yes" } else { "no" };
            vec![Generated::text(text)]
        };
        Ok(requests.iter().map(answer).collect())
    }
}

#[test]
fn a_new_suite_needs_one_entry_in_the_registry() {
    let folder = tempfile::tempdir().unwrap();
    RgbImage::new(1, 1).save(folder.path().join("1.png")).unwrap();
    let registry = Registry::default().with(COUNTING);
    let mut options = SuiteOptions { images: Some(folder.path().into()), ..Default::default() };
    options.set("most", "4");
    let counting = registry.open("counting", &options).unwrap();

    let runner = QueryRunner::new(&Two, GenerationConfig::greedy());
    let record = folder.path().join("answers.jsonl");
    let mut journal = AnswerJournal::resume(&record, &runner.settings()).unwrap();
    let answers = suite::ask(&*counting, &runner, &mut journal, &Progress::none()).unwrap();
    assert_eq!(answers.texts.len(), 4 + 1);
    assert_eq!(answers.texts["2/sure"], "yes");
    drop(journal);
    assert_eq!(counting.read_answers(&record).unwrap().texts, answers.texts);

    let findings = counting.evaluate(&answers.texts).unwrap();
    let report = Report::new("counting", "two", json!({}), findings);
    assert!(report.to_string().starts_with("counting · two\n\nright  100.0%"), "{report}");
    let out = folder.path().join("submission.json");
    let error = counting.write_submission(&answers.texts, &out).unwrap_err();
    assert!(matches!(error, Error::NoSubmission) && !out.exists(), "{error}");
}

#[test]
fn names_and_options_that_do_not_exist_are_errors() {
    let registry = Registry::default().with(COUNTING);
    let open = |name: &str, option: Option<(&str, &str)>| {
        let mut options = SuiteOptions::default();
        if let Some((name, value)) = option {
            options.set(name, value);
        }
        registry.open(name, &options).unwrap_err().to_string()
    };
    let error = open("cunting", None);
    assert!(error.contains("\"cunting\"") && error.contains("chair, pope, counting"), "{error}");
    let error = open("counting", Some(("moist", "1")));
    assert_eq!(error, "the suite counting has no option \"moist\"; its options are: most");
    let error = open("counting", Some(("most", "many")));
    assert_eq!(error, "the option most is \"many\": invalid digit found in string");
    assert!(open("okvqa", None).starts_with("the suite needs the option questions"));
    assert!(open("chair", None).starts_with("the suite needs the option annotations"));
}

#[test]
fn suites_of_this_crate_are_opened_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let questions = folder.path().join("okvqa.json");
    fs::write(&questions, r#"[{"image": "a.jpg", "question": "Q?", "answer": ["yes"]}]"#).unwrap();
    let options = SuiteOptions { questions: Some(questions), ..Default::default() };
    let okvqa = Registry::default().open("okvqa", &options).unwrap();
    assert_eq!(okvqa.queries()[0].prompt, "Question: Q? Short answer:");
    let answers = HashMap::from([("0".to_owned(), "yes".to_owned())]);
    assert_eq!(okvqa.evaluate(&answers).unwrap().metrics[0].name, "accuracy");

    let pictures = (0..2).map(|at| format!(r#"{{"id": {at}, "file_name": "{at}.jpg"}}"#));
    let objects = [0, 0, 1].map(|category| {
        format!(r#"{{"image_id": 0, "category_id": {category}, "bbox": [0, 0, 1, 1]}}"#)
    });
    let instances = format!(
        r#"{{"images": [{}], "annotations": [{}], "categories": [{{"id": 0, "name": "cat"}}, {{"id": 1, "name": "bus"}}]}}"#,
        pictures.collect::<Vec<_>>().join(", "),
        objects.join(", ")
    );
    let annotations = folder.path().join("instances.json");
    fs::write(&annotations, instances).unwrap();
    let mut options = SuiteOptions { annotations: Some(annotations), ..Default::default() };
    let chair = Registry::default().open("chair", &options).unwrap();
    assert_eq!(chair.queries().len(), 2);
    options.set("pictures", "1");
    assert_eq!(Registry::default().open("chair", &options).unwrap().queries().len(), 1);
    let error = Registry::default().open("pope", &options).unwrap_err().to_string();
    assert!(error.contains("0 images show 3 or more objects, expected 1"), "{error}");
}
