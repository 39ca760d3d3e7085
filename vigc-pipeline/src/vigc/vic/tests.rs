use super::*;
use crate::prompt::qa_text::Malformed;
use crate::vigc::diff::Verdict;

const DRAFT: &str = "Question: What is it? Answer: It is a red cat. It sits.";

fn text(text: &str, finish: FinishReason) -> Generated {
    Generated::text(text).with_finish(finish)
}

/// Feeds texts that the model ended and returns the prompts it saw.
fn feed(vic: &mut Vic, texts: &[&str]) -> Vec<String> {
    let mut prompts = Vec::new();
    for given in texts {
        prompts.push(vic.next_prompt().expect("a prompt").to_owned());
        vic.accept(&text(given, FinishReason::EndToken));
    }
    prompts
}

#[test]
fn prompts_hold_the_answer_so_far() {
    for (style, opening) in [
        (PromptStyle::Vig, "Ask. Question: What is it? Answer:"),
        (PromptStyle::Vic, "What is it?"),
    ] {
        let mut vic = Vic::new("Ask.", Correction::sentences(3).with_style(style));
        let prompts = feed(&mut vic, &[DRAFT, "A dog. It runs.", "It runs fast. It", "End."]);
        let expected = [
            "Ask.".into(),
            opening.into(),
            format!("{opening} A dog."),
            format!("{opening} A dog. It runs fast."),
        ];
        assert_eq!(prompts, expected);
        let corrected = vic.finish().unwrap();
        assert_eq!(corrected.answer, "A dog. It runs fast. End.");
        assert_eq!(corrected.whole_text, format!("{opening} {}", corrected.answer));
        assert_eq!(corrected.one_shot.as_deref(), Some("A dog. It runs."));
        assert_eq!(corrected.stop, StopReason::LastStep);
    }
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table of cases")]
fn loops_stop_for_their_reason() {
    struct Case {
        correction: Correction,
        texts: &'static [(&'static str, FinishReason)],
        answer: &'static str,
        stop: StopReason,
    }
    let until_end = Correction::until_end(4);
    let cases = [
        Case {
            correction: Correction::none(),
            texts: &[],
            answer: "It is a red cat. It sits.",
            stop: StopReason::NotCorrected,
        },
        Case {
            correction: until_end,
            texts: &[("One.", FinishReason::EndToken)],
            answer: "One.",
            stop: StopReason::ModelEnded,
        },
        Case {
            correction: until_end,
            texts: &[("One. Two.", FinishReason::EndToken), ("", FinishReason::EndToken)],
            answer: "One.",
            stop: StopReason::NothingGenerated,
        },
        Case {
            correction: until_end,
            texts: &[("One. Two.", FinishReason::EndToken), (" ...", FinishReason::EndToken)],
            answer: "One.",
            stop: StopReason::NothingGenerated,
        },
        Case {
            correction: until_end,
            texts: &[("One.", FinishReason::MaxTokens), ("one!", FinishReason::EndToken)],
            answer: "One.",
            stop: StopReason::Repeated,
        },
        Case {
            correction: until_end,
            texts: &[
                ("One. Two", FinishReason::MaxTokens),
                ("Two and a half", FinishReason::MaxTokens),
            ],
            answer: "One.",
            stop: StopReason::Truncated,
        },
        Case {
            correction: until_end,
            texts: &[("One. Two", FinishReason::EndToken), ("Two", FinishReason::EndToken)],
            answer: "One. Two",
            stop: StopReason::ModelEnded,
        },
        Case {
            correction: Correction::sentences(2),
            texts: &[("One.", FinishReason::EndToken), ("One. Two.", FinishReason::EndToken)],
            answer: "One. Two.",
            stop: StopReason::LastStep,
        },
        Case {
            correction: Correction::sentences(1).with_last_step(LastStep::Everything),
            texts: &[("One. Two. One. Thr", FinishReason::MaxTokens)],
            answer: "One. Two.",
            stop: StopReason::LastStep,
        },
        Case {
            correction: Correction::paragraphs(2),
            texts: &[
                ("One. Two.\n\nThree.", FinishReason::EndToken),
                ("Three.\n\nFour.", FinishReason::EndToken),
            ],
            answer: "One. Two.\n\nThree.",
            stop: StopReason::LastStep,
        },
    ];
    for case in cases {
        let mut vic = Vic::new("Ask.", case.correction);
        vic.accept(&text(DRAFT, FinishReason::EndToken));
        for &(given, finish) in case.texts {
            assert!(vic.next_prompt().is_some(), "{given:?} {:?}", case.texts);
            vic.accept(&text(given, finish));
        }
        assert_eq!(vic.next_prompt(), None, "{:?}", case.texts);
        let corrected = vic.finish().unwrap();
        assert_eq!(
            (corrected.answer.as_str(), corrected.stop),
            (case.answer, case.stop),
            "{:?}",
            case.texts
        );
    }
}

#[test]
fn unusable_texts_are_rejected() {
    let reject = |texts: &[(&str, FinishReason)]| {
        let mut vic = Vic::new("Ask.", Correction::default());
        let steps = texts.iter().map(|&(given, finish)| vic.accept(&text(given, finish)));
        let last = steps.last();
        let rejected = vic.finish().unwrap_err();
        assert_eq!(last, Some(Step::Rejected(rejected.reason)));
        assert_eq!(rejected.text, texts.last().unwrap().0);
        rejected.reason
    };
    let malformed = Rejection::Malformed(Malformed::NoQuestion);
    assert_eq!(reject(&[("A cat.", FinishReason::EndToken)]), malformed);
    assert_eq!(reject(&[("Question: Is the", FinishReason::MaxTokens)]), Rejection::TruncatedDraft);
    let empty = Rejection::NoCorrection(StopReason::NothingGenerated);
    assert_eq!(reject(&[(DRAFT, FinishReason::EndToken), (" \n", FinishReason::EndToken)]), empty);
    let truncated = Rejection::NoCorrection(StopReason::Truncated);
    assert_eq!(
        reject(&[(DRAFT, FinishReason::EndToken), ("It is", FinishReason::MaxTokens)]),
        truncated
    );
}

#[test]
fn steps_tell_what_they_are_to_the_draft() {
    let mut vic = Vic::new("Ask.", Correction::until_end(5));
    feed(
        &mut vic,
        &[DRAFT, "It is a black cat. It", "It is a black cat. It sits. Now", "Birds sing."],
    );
    let corrected = vic.finish().unwrap();
    let verdicts = corrected.steps.iter().map(|step| step.verdict);
    assert!(verdicts.eq([Some(Verdict::Changed), Some(Verdict::Kept), Some(Verdict::New)]));
    let skipped = corrected.steps.iter().map(|step| (step.step, step.repeats_skipped));
    assert!(skipped.eq([(1, 0), (2, 1), (3, 0)]));
}

#[test]
fn a_given_question_skips_vig() {
    let pair = QuestionAnswer { question: "What?".into(), answer: String::new() };
    let mut vic = Vic::for_question("Ask.", pair, Correction::until_end(3));
    assert_eq!(feed(&mut vic, &["A cat."]), ["Ask. Question: What? Answer:"]);
    assert_eq!(vic.finish().unwrap().answer, "A cat.");
}
