//! Suites' questions are asked once each, in batches that leave no trace, and go on where they were cut off.

use std::cell::RefCell;
use std::fs;
use std::io::Cursor;
use std::path::Path;

use image::{ImageFormat, Rgb, RgbImage};
use vigc_eval::answers::{AnswerJournal, Answers, AnswersError, Ask, AskImage, Asker, How};
use vigc_pipeline::Result;
use vigc_pipeline::vigc::{Generated, GenerationConfig, Request, VisualLm, read_lines};

/// Answers with the picture's number, the prompt and the seed; the longest candidate is the likeliest.
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

/// Nine questions about three pictures, the second in memory, the third missing.
fn asks(folder: &Path) -> Vec<Ask> {
    fs::write(folder.join("1.png"), png(1)).unwrap();
    let images = [
        AskImage::File(folder.join("1.png")),
        AskImage::Bytes(png(2).into()),
        AskImage::File(folder.join("missing.png")),
    ];
    let ask = |index: usize| Ask {
        id: format!("q{index}"),
        image: images[index / 3].clone(),
        prompt: format!("prompt {index}"),
        how: match index % 3 {
            1 => How::Choose(["no", "maybe", "often"].map(Into::into).to_vec()),
            _ => How::Write,
        },
    };
    (0..9).map(ask).collect()
}

fn run(model: &Echo, asks: &[Ask], batch: usize, record: &Path) -> Result<Answers, AnswersError> {
    let asker = Asker::new(model, GenerationConfig::greedy()).with_batch(batch);
    let mut journal = AnswerJournal::resume(record, &asker.settings())?;
    asker.run(asks, &mut journal, &mut |_, _| {})
}

fn failed(record: &Path) -> Vec<serde_json::Value> {
    let path = record.with_file_name("answers.jsonl.failed.jsonl");
    read_lines(path).unwrap().map(Result::unwrap).collect()
}

#[test]
fn batches_leave_no_trace_and_pictures_are_encoded_once() {
    let folder = tempfile::tempdir().unwrap();
    let asks = asks(folder.path());
    let mut first = None;
    for batch in 1..11 {
        let model = Echo::default();
        let record = folder.path().join(format!("{batch}/answers.jsonl"));
        fs::create_dir(record.parent().unwrap()).unwrap();
        let answers = run(&model, &asks, batch, &record).unwrap();
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
fn a_run_that_was_cut_off_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let asks = asks(folder.path());
    let whole = folder.path().join("whole.jsonl");
    let expected = run(&Echo::default(), &asks, 2, &whole).unwrap();

    let record = folder.path().join("answers.jsonl");
    let failing = Echo { fails_at: Some("prompt 3"), ..Echo::default() };
    let error = run(&failing, &asks, 2, &record).unwrap_err();
    assert!(matches!(error, AnswersError::Pipeline(vigc_pipeline::Error::Model(_))), "{error:?}");
    let torn = fs::read_to_string(&record).unwrap() + "{\"id\": \"q2\", \"te";
    fs::write(&record, torn).unwrap();

    let model = Echo::default();
    let asker = Asker::new(&model, GenerationConfig::greedy()).with_batch(2);
    let mut journal = AnswerJournal::resume(&record, &asker.settings()).unwrap();
    let mut told = Vec::new();
    let answers =
        asker.run(&asks, &mut journal, &mut |done, total| told.push((done, total))).unwrap();
    assert_eq!(answers, expected);
    assert_eq!(told, [(2, 9), (4, 9), (6, 9), (8, 9), (9, 9)]);
    assert_eq!(*model.asked.borrow(), ["prompt 2", "prompt 3", "prompt 5", "prompt 4"]);
    assert_eq!(fs::read(&record).unwrap(), fs::read(&whole).unwrap());
}

#[test]
fn a_picture_that_came_later_is_asked_about_when_the_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let asks = asks(folder.path());
    let record = folder.path().join("answers.jsonl");
    run(&Echo::default(), &asks, 4, &record).unwrap();
    fs::write(folder.path().join("missing.png"), png(3)).unwrap();
    let model = Echo::default();
    let answers = run(&model, &asks, 4, &record).unwrap();
    assert_eq!((answers.texts.len(), answers.failures.len(), failed(&record).len()), (9, 0, 0));
    assert_eq!(*model.encoded.borrow(), [3]);
    // A shorter list gets its own answers only.
    assert_eq!(run(&model, &asks[..2], 4, &record).unwrap().texts.len(), 2);
}

#[test]
fn a_record_of_other_settings_or_prompts_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut asks = asks(folder.path());
    let record = folder.path().join("answers.jsonl");
    let model = Echo::default();
    run(&model, &asks, 4, &record).unwrap();

    let other = Asker::new(&model, GenerationConfig::beam_search(3)).with_seed(5);
    let error = AnswerJournal::resume(&record, &other.settings()).unwrap_err().to_string();
    assert!(error.contains("decoding.strategy was \"greedy\""), "{error}");
    assert!(error.contains("seed was 0, is 5"), "{error}");

    asks[1].prompt = "another prompt".to_owned();
    let error = run(&model, &asks, 4, &record).unwrap_err().to_string();
    for part in ["answers.jsonl", "\"q1\"", "\"prompt 1\"", "\"another prompt\""] {
        assert!(error.contains(part), "{error}");
    }
    AnswerJournal::create(&record, &other.settings()).unwrap();
    assert!(folder.path().join("answers.jsonl.previous").exists());
}

#[test]
fn questions_that_cannot_be_told_apart_or_answered_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("answers.jsonl");
    let model = Echo::default();
    let mut asks = asks(folder.path());
    asks[4].how = How::Choose(Vec::new());
    let error = run(&model, &asks, 4, &record).unwrap_err();
    assert!(matches!(&error, AnswersError::NoCandidates { id } if id == "q4"), "{error}");
    asks[3].id = "q1".to_owned();
    let error = run(&model, &asks, 4, &record).unwrap_err().to_string();
    assert_eq!(error, "questions 2 and 4 are both called \"q1\"");
    assert!(model.asked.borrow().is_empty());
}
