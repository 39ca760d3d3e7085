//! Queries are asked once each, in batches that do not change the answers, and an interrupted run continues.

use std::cell::RefCell;
use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::{Arc, Mutex};

use image::{ImageFormat, Rgb, RgbImage};
use vigc_core::json_lines::read_lines;
use vigc_core::progress::Progress;
use vigc_eval::Error;
use vigc_eval::answers::{AnswerJournal, AnswerMode, Answers, Query, QueryImage, QueryRunner};
use vigc_pipeline::Result;
use vigc_pipeline::vigc::{Correction, Generated, GenerationConfig, Request, VisualLm};

/// Answers with the number of the image, the prompt and the seed. The longest candidate is the most likely.
#[derive(Default)]
struct Echo {
    encoded: RefCell<Vec<u8>>,
    asked: RefCell<Vec<String>>,
    /// Fails when asked this.
    fails_at: Option<&'static str>,
}

impl VisualLm for Echo {
    type Image = u8;

    fn name(&self) -> &str {
        "echo"
    }

    fn encode(&self, images: &[RgbImage]) -> Result<Vec<u8>> {
        let numbers = images.iter().map(|image| image.get_pixel(0, 0).0[0]).collect::<Vec<_>>();
        self.encoded.borrow_mut().extend(&numbers);
        Ok(numbers)
    }

    fn generate(
        &self,
        requests: &[Request<'_, u8>],
        _: &GenerationConfig,
    ) -> Result<Vec<Vec<Generated>>> {
        let answer = |request: &Request<'_, u8>| {
            self.asked.borrow_mut().push(request.prompt.to_owned());
            let text = format!("{} {} {}", request.image, request.prompt, request.seed % 1000);
            match self.fails_at == Some(request.prompt) {
                true => Err(vigc_pipeline::Error::Model("out of breath".into())),
                false => Ok(vec![Generated::text(&text), Generated::text("second best")]),
            }
        };
        requests.iter().map(answer).collect()
    }

    fn score(&self, request: &Request<'_, u8>, candidates: &[&str]) -> Result<Vec<f32>> {
        self.asked.borrow_mut().push(request.prompt.to_owned());
        Ok(candidates.iter().map(|candidate| candidate.len() as f32).collect())
    }
}

fn png(number: u8) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let picture = RgbImage::from_pixel(1, 1, Rgb([number, 0, 0]));
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Nine queries about three images. The second image is in memory, the third is missing.
fn queries(folder: &Path) -> Vec<Query> {
    fs::write(folder.join("1.png"), png(1)).unwrap();
    let images = [
        QueryImage::File(folder.join("1.png")),
        QueryImage::Bytes(png(2).into()),
        QueryImage::File(folder.join("missing.png")),
    ];
    let query = |index: usize| Query {
        id: format!("q{index}"),
        image: images[index / 3].clone(),
        prompt: format!("prompt {index}"),
        mode: match index % 3 {
            1 => AnswerMode::Choose(["no", "maybe", "often"].map(Into::into).to_vec()),
            _ => AnswerMode::Generate,
        },
    };
    (0..9).map(query).collect()
}

fn run(model: &Echo, queries: &[Query], batch: usize, record: &Path) -> vigc_eval::Result<Answers> {
    let runner = QueryRunner::new(model, GenerationConfig::greedy()).with_batch(batch);
    let mut journal = AnswerJournal::resume(record, &runner.settings())?;
    runner.run(queries, &mut journal, &Progress::none())
}

fn failed(record: &Path) -> Vec<serde_json::Value> {
    let path = record.with_file_name("answers.jsonl.failed.jsonl");
    read_lines(path).unwrap().map(Result::unwrap).collect()
}

#[test]
fn batches_do_not_change_answers_and_images_are_encoded_once() {
    let folder = tempfile::tempdir().unwrap();
    let queries = queries(folder.path());
    let mut first = None;
    for batch in 1..11 {
        let model = Echo::default();
        let record = folder.path().join(format!("{batch}/answers.jsonl"));
        fs::create_dir(record.parent().unwrap()).unwrap();
        let answers = run(&model, &queries, batch, &record).unwrap();
        assert_eq!(*model.encoded.borrow(), [1, 2], "batches of {batch}");
        assert_eq!(failed(&record).len(), 3);
        assert_eq!(Answers::read(&record).unwrap().texts, answers.texts);
        assert_eq!(*first.get_or_insert(answers.clone()), answers, "batches of {batch}");
    }
    let Answers { texts, failures } = first.unwrap();
    assert_eq!(texts.len(), 6);
    assert!(texts["q0"].starts_with("1 prompt 0 ") && texts["q5"].starts_with("2 prompt 5 "));
    assert_eq!((texts["q1"].as_str(), texts["q4"].as_str()), ("maybe", "maybe"));
    let seed = |id: &str| texts[id].rsplit(' ').next().map(str::to_owned);
    assert_ne!(seed("q0"), seed("q2"), "each question has a seed of its own");
    assert_eq!(failures.iter().map(|f| f.id.as_str()).collect::<Vec<_>>(), ["q6", "q7", "q8"]);
    assert!(failures[0].reason.contains("missing.png"), "{}", failures[0].reason);
}

#[test]
fn an_interrupted_run_continues() {
    let folder = tempfile::tempdir().unwrap();
    let queries = queries(folder.path());
    let whole = folder.path().join("whole.jsonl");
    let expected = run(&Echo::default(), &queries, 2, &whole).unwrap();

    let record = folder.path().join("answers.jsonl");
    let failing = Echo { fails_at: Some("prompt 3"), ..Echo::default() };
    let error = run(&failing, &queries, 2, &record).unwrap_err();
    assert!(matches!(error, Error::Pipeline(vigc_pipeline::Error::Model(_))), "{error:?}");
    let torn = fs::read_to_string(&record).unwrap() + "{\"id\": \"q2\", \"te";
    fs::write(&record, torn).unwrap();

    let model = Echo::default();
    let runner = QueryRunner::new(&model, GenerationConfig::greedy()).with_batch(2);
    let mut journal = AnswerJournal::resume(&record, &runner.settings()).unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let progress = Progress::new({
        let told = Arc::clone(&told);
        move |update| told.lock().unwrap().push((update.done, update.total))
    });
    let answers = runner.run(&queries, &mut journal, &progress).unwrap();
    assert_eq!(answers, expected);
    assert_eq!(*told.lock().unwrap(), [(2, 9), (4, 9), (6, 9), (8, 9), (9, 9)]);
    assert_eq!(*model.asked.borrow(), ["prompt 2", "prompt 3", "prompt 5", "prompt 4"]);
    assert_eq!(fs::read(&record).unwrap(), fs::read(&whole).unwrap());
}

#[test]
fn an_image_that_was_added_later_is_asked_about_when_the_run_continues() {
    let folder = tempfile::tempdir().unwrap();
    let queries = queries(folder.path());
    let record = folder.path().join("answers.jsonl");
    run(&Echo::default(), &queries, 4, &record).unwrap();
    fs::write(folder.path().join("missing.png"), png(3)).unwrap();
    let model = Echo::default();
    let answers = run(&model, &queries, 4, &record).unwrap();
    assert_eq!((answers.texts.len(), answers.failures.len(), failed(&record).len()), (9, 0, 0));
    assert_eq!(*model.encoded.borrow(), [3]);
    // A shorter list gets its own answers only.
    assert_eq!(run(&model, &queries[..2], 4, &record).unwrap().texts.len(), 2);
}

#[test]
fn a_record_of_other_settings_or_prompts_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut queries = queries(folder.path());
    let record = folder.path().join("answers.jsonl");
    let model = Echo::default();
    run(&model, &queries, 4, &record).unwrap();

    let other = QueryRunner::new(&model, GenerationConfig::beam_search(3)).with_seed(5);
    let error = AnswerJournal::resume(&record, &other.settings()).unwrap_err().to_string();
    assert!(error.contains("decoding.strategy was \"greedy\""), "{error}");
    assert!(error.contains("seed was 0, is 5"), "{error}");

    queries[1].prompt = "another prompt".to_owned();
    let error = run(&model, &queries, 4, &record).unwrap_err().to_string();
    for part in ["answers.jsonl", "\"q1\"", "\"prompt 1\"", "\"another prompt\""] {
        assert!(error.contains(part), "{error}");
    }
    AnswerJournal::create(&record, &other.settings()).unwrap();
    assert!(folder.path().join("answers.jsonl.previous").exists());
}

#[test]
fn queries_with_the_same_id_or_without_candidates_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("answers.jsonl");
    let model = Echo::default();
    let mut queries = queries(folder.path());
    queries[4].mode = AnswerMode::Choose(Vec::new());
    let error = run(&model, &queries, 4, &record).unwrap_err();
    assert!(matches!(&error, Error::NoCandidates { id } if id == "q4"), "{error}");
    queries[3].id = "q1".to_owned();
    let error = run(&model, &queries, 4, &record).unwrap_err().to_string();
    assert_eq!(error, "queries 2 and 4 have the same id \"q1\"");
    assert!(model.asked.borrow().is_empty());
}

/// Says two sentences, one at a time: what follows the answer so far.
struct Writer;

impl VisualLm for Writer {
    type Image = ();

    fn name(&self) -> &str {
        "writer"
    }

    fn encode(&self, images: &[RgbImage]) -> Result<Vec<()>> {
        Ok(vec![(); images.len()])
    }

    fn generate(
        &self,
        requests: &[Request<'_, ()>],
        _: &GenerationConfig,
    ) -> Result<Vec<Vec<Generated>>> {
        let answer = |request: &Request<'_, ()>| match request.prompt {
            prompt if prompt.contains("A cat.") => vec![Generated::text("It sits.")],
            _ => vec![Generated::text("A cat. It sits.")],
        };
        Ok(requests.iter().map(answer).collect())
    }

    fn score(&self, _: &Request<'_, ()>, _: &[&str]) -> Result<Vec<f32>> {
        unreachable!("nothing is chosen")
    }
}

#[test]
fn drafts_are_corrected_sentence_by_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let image = QueryImage::Bytes(png(1).into());
    let corrected = |draft: &str| Query {
        id: "c".to_owned(),
        image: image.clone(),
        prompt: "Ask and answer.".to_owned(),
        mode: AnswerMode::Correct { question: "What is it?".to_owned(), draft: draft.to_owned() },
    };
    let written = Query { id: "w".to_owned(), mode: AnswerMode::Generate, ..corrected("") };
    let queries = [corrected("A dog. It runs."), written];
    let answer = |correction: Correction, record: &str| {
        let runner =
            QueryRunner::new(&Writer, GenerationConfig::greedy()).with_correction(correction);
        let record = folder.path().join(record);
        let mut journal = AnswerJournal::resume(record, &runner.settings()).unwrap();
        runner.run(&queries, &mut journal, &Progress::none()).unwrap().texts
    };
    let texts = answer(Correction::until_end(8), "long.jsonl");
    assert_eq!((texts["c"].as_str(), texts["w"].as_str()), ("A cat. It sits.", "A cat. It sits."));
    assert_eq!(answer(Correction::sentences(1), "short.jsonl")["c"], "A cat.");

    // Another draft is another query, and other rules of correction are other settings.
    let record = folder.path().join("long.jsonl");
    let runner = QueryRunner::new(&Writer, GenerationConfig::greedy());
    let error = AnswerJournal::resume(&record, &runner.settings()).unwrap_err().to_string();
    assert!(error.contains("correction"), "{error}");
    let runner = runner.with_correction(Correction::until_end(8));
    let mut journal = AnswerJournal::resume(&record, &runner.settings()).unwrap();
    let other = [corrected("A horse.")];
    let error = runner.run(&other, &mut journal, &Progress::none()).unwrap_err();
    assert!(matches!(&error, Error::OtherPrompt { id, .. } if id == "c"), "{error}");
}
