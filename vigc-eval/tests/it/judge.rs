//! A judge that is asked over HTTP, with a local server that fails in every way.

mod server;

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use server::{Fault, Server};
use tempfile::TempDir;
use vigc_core::retry::RetryPolicy;
use vigc_eval::judge::{
    ApiKey, Endpoint, Failure, Journal, Judge, JudgeError, Message, Outcome, Parameters, Problem,
    Request, Timeouts,
};
use vigc_eval::llava_bench::{ScorePair, judge_parameters};

use crate::llava_bench::{answers, bench};

/// Long enough for a busy machine to answer in.
const SHORT: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    silence: Duration::from_millis(800),
    whole: Duration::from_millis(1600),
};
const KEY: &str = "sk-very-secret";

struct Setup {
    server: Server,
    folder: TempDir,
}

impl Setup {
    fn new() -> Self {
        Self { server: Server::new(), folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("judged.jsonl")
    }

    fn journal(&self) -> Journal {
        Journal::open(self.path()).unwrap()
    }

    fn journal_text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }

    fn judge(&self) -> Judge {
        self.judge_of("m")
    }

    fn judge_of(&self, model: &str) -> Judge {
        let endpoint = Endpoint::new(&self.server.address()).unwrap();
        let endpoint = endpoint.with_key(ApiKey::new(KEY).unwrap()).with_timeouts(SHORT);
        let retries = RetryPolicy::new(5, Duration::from_millis(2));
        Judge::new(endpoint, Parameters::new(model)).with_retries(retries)
    }

    fn ask(&self, judge: &Judge, requests: &[Request]) -> Result<Vec<Outcome>, JudgeError> {
        judge.ask(requests, &mut self.journal(), &mut |_| {})
    }
}

fn requests(texts: &[&str]) -> Vec<Request> {
    texts
        .iter()
        .map(|&text| Request::new(format!("id-{text}"), vec![Message::user(text)]))
        .collect()
}

fn text(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Reply(reply) => &reply.text,
        Outcome::Failure(failure) => panic!("{failure:?}"),
    }
}

fn failure(outcome: &Outcome) -> &Failure {
    match outcome {
        Outcome::Reply(reply) => panic!("{reply:?}"),
        Outcome::Failure(failure) => failure,
    }
}

fn problem(error: &JudgeError) -> &Problem {
    match error {
        JudgeError::Stopped { source, .. } => source,
        other => panic!("{other:?}"),
    }
}

fn counts(pairs: &[(&str, usize)]) -> BTreeMap<String, usize> {
    pairs.iter().map(|(text, count)| ((*text).to_owned(), *count)).collect()
}

#[test]
fn a_request_is_what_the_endpoint_expects() {
    let setup = Setup::new();
    let outcomes = setup.ask(&setup.judge(), &requests(&["a"])).unwrap();
    let Outcome::Reply(reply) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!(reply.text, "re: a");
    assert_eq!(reply.finish_reason.as_deref(), Some("stop"));
    assert_eq!(reply.model.as_deref(), Some("judge-1"));
    assert_eq!(reply.usage.unwrap().prompt_tokens, 3);
    let asked = &setup.server.take_asked()[0];
    assert_eq!(asked.path, "/v1/chat/completions");
    assert_eq!(asked.authorization, Some(format!("Bearer {KEY}")));
    let body =
        serde_json::json!({ "model": "m", "messages": [{ "role": "user", "content": "a" }] });
    assert_eq!(asked.body, body);
}

#[test]
fn nothing_is_lost_and_nothing_is_asked_twice_whatever_the_endpoint_does() {
    let setup = Setup::new();
    let busy = |status| Fault::Status(status, "", r#"{"error": {"message": "busy"}}"#);
    let faults: [(&str, Vec<Fault>); 12] = [
        ("fine", vec![]),
        ("late", vec![Fault::Late(60)]),
        ("busy", vec![busy(500), busy(503), busy(529)]),
        ("conflict", vec![busy(408), busy(409)]),
        ("limited", vec![Fault::Status(429, "retry-after: 0\r\n", ""), busy(429)]),
        ("closed", vec![Fault::Close, Fault::Close]),
        ("cut", vec![Fault::Cut]),
        ("silent", vec![Fault::Stall]),
        ("silent within", vec![Fault::StallWithin]),
        ("trickling", vec![Fault::Trickle]),
        ("html", vec![Fault::Body("<html>502 Bad Gateway</html>")]),
        ("empty", vec![Fault::Body(""), Fault::Body(r#"{"choices": []}"#)]),
    ];
    for (text, faults) in &faults {
        setup.server.spoil(text, faults.clone());
    }
    let texts = faults.each_ref().map(|(text, _)| *text);
    let mut heard = Vec::new();
    let judge = setup.judge().with_threads(texts.len());
    let outcomes = judge.ask(&requests(&texts), &mut setup.journal(), &mut |progress| {
        assert!(!progress.is_recorded);
        assert_eq!(progress.total, texts.len());
        heard.push((progress.done, progress.id.to_owned()));
    });
    for (outcome, name) in outcomes.unwrap().iter().zip(texts) {
        assert_eq!(text(outcome), format!("re: {name}"));
    }
    let repeated = |(text, faults): &(&'static str, Vec<Fault>)| match *text {
        "late" => (*text, 1),
        _ => (*text, 1 + faults.len()),
    };
    assert_eq!(setup.server.counts(), counts(&faults.each_ref().map(repeated)));
    assert_eq!(setup.server.answered(), counts(&texts.map(|text| (text, 1))));
    // Answers came in another order than the questions.
    let ids: Vec<&str> = heard.iter().map(|(_, id)| id.as_str()).collect();
    let done: Vec<usize> = heard.iter().map(|(done, _)| *done).collect();
    assert_eq!(done, (1..=texts.len()).collect::<Vec<_>>());
    assert!(!ids.is_sorted_by_key(|id| texts.iter().position(|text| id.ends_with(text))));

    assert_eq!(setup.ask(&judge, &requests(&texts)).unwrap().len(), texts.len());
    assert_eq!(setup.server.counts(), counts(&[]));
}

#[test]
fn equal_requests_are_asked_once_and_changed_ones_again() {
    let setup = Setup::new();
    let judge = setup.judge();
    let outcomes = setup.ask(&judge, &requests(&["a", "b", "a", "a"])).unwrap();
    let texts: Vec<&str> = outcomes.iter().map(text).collect();
    assert_eq!(texts, ["re: a", "re: b", "re: a", "re: a"]);
    assert_eq!(setup.server.counts(), counts(&[("a", 1), ("b", 1)]));

    let mut again = requests(&["a", "c"]);
    setup.ask(&judge, &again).unwrap();
    assert_eq!(setup.server.counts(), counts(&[("c", 1)]));
    setup.ask(&setup.judge_of("other"), &again).unwrap();
    assert_eq!(setup.server.counts(), counts(&[("a", 1), ("c", 1)]));
    again[0].repeat = 1;
    setup.ask(&judge, &again).unwrap();
    assert_eq!(setup.server.counts(), counts(&[("a", 1)]));
}

#[test]
fn a_dry_run_says_what_would_be_asked() {
    let setup = Setup::new();
    let judge = setup.judge();
    setup.ask(&judge, &requests(&["a"])).unwrap();
    let requests = requests(&["a", "four letters", "b", "b"]);
    let journal = setup.journal();
    let pending = judge.pending(&requests, &journal);
    let ids: Vec<&str> = pending.iter().map(|request| request.id.as_str()).collect();
    assert_eq!(ids, ["id-four letters", "id-b"]);
    let estimate = judge.estimate(&pending);
    assert_eq!((estimate.requests, estimate.prompt_tokens), (2, 4));
    assert_eq!(estimate.most_reply_tokens, None);
    assert_eq!(setup.server.counts(), counts(&[("a", 1)]));
}

#[test]
fn a_killed_run_continues_where_its_journal_ends() {
    let setup = Setup::new();
    let texts = ["a", "b", "c", "d"];
    let judge = setup.judge().with_threads(1);
    setup.ask(&judge, &requests(&texts)).unwrap();
    setup.server.counts();
    let whole = fs::read(setup.path()).unwrap();
    for end in (0..=whole.len()).step_by(13).chain([whole.len()]) {
        fs::write(setup.path(), &whole[..end]).unwrap();
        let outcomes = setup.ask(&judge, &requests(&texts)).unwrap();
        assert!(outcomes.iter().zip(texts).all(|(found, name)| text(found).ends_with(name)));
        let lines = whole[..end].iter().filter(|&&byte| byte == b'\n').count();
        let missing: Vec<_> = texts[lines..].iter().map(|&text| (text, 1)).collect();
        assert_eq!(setup.server.counts(), counts(&missing), "cut at {end} of {}", whole.len());
        assert_eq!(setup.journal_text().lines().count(), texts.len());
    }
}

#[test]
fn a_run_that_dies_with_requests_open_keeps_what_was_answered() {
    let setup = Setup::new();
    let texts: Vec<String> = (0..40).map(|number| format!("q{number}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    texts.iter().for_each(|text| setup.server.spoil(text, [Fault::Late(10)]));
    let judge = setup.judge().with_threads(3);
    let died = catch_unwind(AssertUnwindSafe(|| {
        judge.ask(&requests(&texts), &mut setup.journal(), &mut |progress| {
            if progress.done == 5 {
                resume_unwind(Box::new("the caller dies here"));
            }
        })
    }));
    assert!(died.is_err());
    let first = setup.server.counts();
    assert!((5..texts.len()).contains(&first.len()), "{first:?}");
    let outcomes = setup.ask(&judge, &requests(&texts)).unwrap();
    assert_eq!(outcomes.len(), texts.len());
    assert_eq!(setup.server.counts().len(), texts.len() - first.len());
    assert!(setup.server.answered().values().all(|&count| count == 1));
}

#[test]
fn a_damaged_line_is_an_error_and_a_journal_has_one_writer() {
    let setup = Setup::new();
    setup.ask(&setup.judge(), &requests(&["a", "b"])).unwrap();
    let journal = setup.journal();
    assert_eq!(journal.replies(), 2);
    assert!(matches!(Journal::open(setup.path()), Err(vigc_core::Error::InUse { .. })));
    drop(journal);
    let text = setup.journal_text().replacen("\"request\"", "\"re", 1);
    fs::write(setup.path(), text).unwrap();
    assert!(matches!(Journal::open(setup.path()), Err(vigc_core::Error::Line { line: 1, .. })));
}

#[test]
fn invalid_replies_are_requested_three_times_kept_and_requested_again_by_another_run() {
    let setup = Setup::new();
    let invalid = || std::iter::repeat_n(Fault::Body("<html>so sorry</html>"), 3);
    setup.server.spoil("a", invalid());
    let judge = setup.judge();
    let outcomes = setup.ask(&judge, &requests(&["a", "b"])).unwrap();
    let failed = failure(&outcomes[0]);
    assert_eq!((failed.attempts, failed.raw.as_deref()), (3, Some("<html>so sorry</html>")));
    assert!(failed.problem.contains("not JSON"), "{failed:?}");
    assert_eq!(text(&outcomes[1]), "re: b");
    assert!(setup.journal_text().contains("<html>so sorry</html>"));
    assert_eq!(setup.server.counts(), counts(&[("a", 3), ("b", 1)]));

    let outcomes = setup.ask(&judge, &requests(&["a", "b"])).unwrap();
    assert_eq!(text(&outcomes[0]), "re: a");
    assert_eq!(setup.server.counts(), counts(&[("a", 1)]));
}

#[test]
fn an_endpoint_that_never_recovers_fails_one_request_and_not_the_others() {
    let setup = Setup::new();
    setup.server.spoil("a", std::iter::repeat_n(Fault::Status(500, "", "boom"), 9));
    setup.server.spoil("b", [Fault::Status(400, "", r#"{"error": {"message": "too long"}}"#)]);
    let outcomes = setup.ask(&setup.judge(), &requests(&["a", "b", "c"])).unwrap();
    assert_eq!(failure(&outcomes[0]).attempts, 5);
    let bad = failure(&outcomes[1]);
    assert_eq!(bad.attempts, 1);
    assert!(bad.problem.contains("400: too long; check the limits of the model"), "{bad:?}");
    assert_eq!(text(&outcomes[2]), "re: c");
    assert_eq!(setup.server.counts(), counts(&[("a", 5), ("b", 1), ("c", 1)]));
}

#[test]
fn a_problem_of_all_requests_stops_the_run() {
    const QUOTA: &str = r#"{"error": {"message": "pay", "type": "insufficient_quota"}}"#;
    let cases = [
        (Fault::Status(401, "", r#"{"error": {"message": "bad key"}}"#), "401: bad key; check"),
        (Fault::Status(403, "", ""), "403"),
        (
            Fault::Status(404, "", "<html>nothing here"),
            "404: <html>nothing here; check the address",
        ),
        (Fault::Status(307, "location: http://127.0.0.1:1/\r\n", ""), "redirects"),
        (Fault::Status(429, "", QUOTA), "429: pay; check the quota of the account"),
        (Fault::Status(429, "retry-after: 86400\r\n", "tomorrow"), "429: tomorrow"),
    ];
    for (fault, expected) in cases {
        let setup = Setup::new();
        setup.server.spoil("b", [fault.clone()]);
        let judge = setup.judge().with_threads(1);
        let error = setup.ask(&judge, &requests(&["a", "b", "c"])).unwrap_err();
        assert!(matches!(error, JudgeError::Stopped { done: 1, total: 3, .. }), "{error:?}");
        let shown = problem(&error).to_string();
        assert!(shown.contains(expected), "{fault:?}: {shown}");
        assert_eq!(setup.server.counts(), counts(&[("a", 1), ("b", 1)]), "{fault:?}");
        setup.ask(&judge, &requests(&["a", "b", "c"])).unwrap();
        assert_eq!(setup.server.counts(), counts(&[("b", 1), ("c", 1)]), "{fault:?}");
    }
}

#[test]
fn an_endpoint_that_is_not_there_stops_the_run() {
    let setup = Setup::new();
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let endpoint = Endpoint::new(&format!("http://{unused}")).unwrap();
    let retries = RetryPolicy::new(2, Duration::ZERO);
    let judge = Judge::new(endpoint, Parameters::new("m")).with_retries(retries);
    let error = setup.ask(&judge, &requests(&["a", "b"])).unwrap_err();
    assert!(matches!(problem(&error), Problem::Unreachable(_)), "{error:?}");
    assert_eq!(setup.journal_text(), "");
}

#[test]
fn the_key_is_shown_to_nobody_else() {
    let setup = Setup::new();
    setup.server.spoil("a", [Fault::Status(400, "", "wrong key sk-very-secret")]);
    setup.server.spoil("b", std::iter::repeat_n(Fault::Body("sk-very-secret is no JSON"), 3));
    let judge = setup.judge();
    let outcomes = setup.ask(&judge, &requests(&["a", "b"])).unwrap();
    assert!(failure(&outcomes[0]).problem.contains("wrong key [key]"), "{outcomes:?}");
    assert_eq!(failure(&outcomes[1]).raw.as_deref(), Some("[key] is no JSON"));
    let shown = format!("{judge:?} {outcomes:?} {}", setup.journal_text());
    assert!(!shown.contains(KEY), "{shown}");
}

#[test]
fn a_limit_of_the_endpoint_is_kept_to() {
    let setup = Setup::new();
    setup.server.limit(4, Duration::from_millis(200));
    let texts: Vec<String> = (0..10).map(|number| format!("q{number}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let retries = RetryPolicy::new(50, Duration::from_millis(2));
    let judge = setup.judge().with_threads(8).with_retries(retries);
    let outcomes = setup.ask(&judge, &requests(&texts)).unwrap();
    assert!(outcomes.iter().zip(&texts).all(|(found, name)| text(found).ends_with(name)));
    assert!(setup.server.answered().values().all(|&count| count == 1));
    assert!(setup.server.counts().values().sum::<usize>() > texts.len());
}

#[test]
fn a_limit_of_the_user_spaces_requests() {
    let setup = Setup::new();
    let texts = ["a", "b", "c", "d", "e", "f"];
    let judge = setup.judge().with_requests_per_minute(1200).with_threads(texts.len());
    let begin = Instant::now();
    setup.ask(&judge, &requests(&texts)).unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(5 * 50), "{:?}", begin.elapsed());
}

#[test]
fn as_many_requests_are_open_as_there_are_threads() {
    let setup = Setup::new();
    let texts = ["a", "b", "c", "d", "e", "f"];
    texts.iter().for_each(|text| setup.server.spoil(text, [Fault::Late(100)]));
    setup.ask(&setup.judge().with_threads(3), &requests(&texts)).unwrap();
    assert!((2..=3).contains(&setup.server.most_open()), "{}", setup.server.most_open());
}

#[test]
fn answers_are_judged_and_unread_judgments_requested_again() {
    let setup = Setup::new();
    let (bench, mut answers) = (bench(), answers());
    answers.remove("5");
    let prompts = bench.judge_prompts(&answers).unwrap();
    for (prompt, number) in prompts.prompts.iter().zip(0..) {
        let replies: &[&str] = match number {
            0 => &["I would say eight", "8 7\nbetter"],
            1 => &["no", "never", "not even now"],
            2 => &[],
            _ => &["10 5\nso"],
        };
        setup.server.reply(&prompt.text, replies);
    }
    setup.server.spoil(&prompts.prompts[2].text, [Fault::Status(400, "", "no")]);
    let endpoint = Endpoint::new(&setup.server.address()).unwrap();
    let judge = Judge::new(endpoint, judge_parameters("gpt-4-0314"));
    let judged = bench.judge(&judge, &answers, 2, &mut setup.journal(), &mut |_| {}).unwrap();
    assert_eq!(judged.failures[0].0, "2");
    let review = |id: &str| judged.reviews.iter().find(|review| review.question_id == id);
    let expected = ScorePair { reference: 8.0, candidate: 7.0 };
    assert_eq!(review("0").unwrap().scores, Some(expected));
    assert_eq!(review("1").unwrap().content, "not even now");
    let asked = setup.server.take_asked();
    assert_eq!(asked.len(), 72 + 2 + 1);
    assert_eq!(asked[0].body["temperature"], 0.2);
    assert_eq!(asked[0].body["max_tokens"], 1024);
    assert_eq!(asked[0].authorization, None);
    let score = bench.score(&judged.reviews, Some(&answers)).unwrap();
    assert_eq!((score.unparsed, score.unjudged, score.missing), (1, 1, Some(1)));
    assert!(score.all.relative.value.unwrap() < 52.0);

    let again = bench.judge(&judge, &answers, 2, &mut setup.journal(), &mut |_| {}).unwrap();
    assert_eq!(setup.server.take_asked().len(), 1 + 2);
    assert_eq!(again.reviews.len(), 72);
}
