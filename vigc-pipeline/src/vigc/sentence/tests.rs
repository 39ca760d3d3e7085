use super::*;

fn texts(text: &str) -> Vec<&str> {
    sentences(text).into_iter().map(|span| &text[span.bytes]).collect()
}

#[test]
fn sentences_end_where_a_reader_would_end_them() {
    let cases: &[&[&str]] = &[
        &["A cat sits.", "It is black."],
        &["Dr. Smith is 3.5 m tall.", "He smiles."],
        &["Fruits, e.g. apples, i.e. Red ones, lie there.", "They are ripe."],
        &["The U.S. Army parades.", "It is large."],
        &["He lives in the U.S.", "She does not."],
        &[
            "It is 5:30 p.m. in Berlin.",
            "The shops close at 8 p.m.",
            "They open at 9 a.m. on Mondays.",
        ],
        &["See https://example.com/a.b?c=1.2 for more.", "Mail x.y@example.com today!"],
        &["Well... it depends.", "Wait...", "Now it moves."],
        &["Is it red?", "Yes!", "Really?!", "Sure."],
        &["\"Stop. Go now.\" says the sign.", "He stops."],
        &["The sign says \"Stop.\"", "He stops."],
        &["“Stop!” he says.", "She asks: “Why?”", "Nobody knows."],
        &["There are two dogs (one is small. The other is not.) on the grass.", "They run."],
        &["An open quote \" stays open.", "It does not swallow the rest."],
        &["1. The cat is black.", "2. The dog is white."],
        &["There are 3.", "One is red."],
        &["J. R. Smith paints No. 5 at St. Peter.", "He is done."],
        &["it is red.", "it is round."],
        &["Cats, dogs, etc. are there.", "Birds, mice, etc.", "They are small."],
        &["First line", "Second line.", "Third"],
        &["这是一只猫。", "它是黑色的！", "是吗？"],
        &["No full stop at all"],
        &["Yahoo!", "It works…", "Fine"],
        &["Version 1.2.3 of node.js costs $3.50.", "Good."],
    ];
    for &case in cases {
        for separator in if case.contains(&"First line") { ["\n", "\n\n"] } else { [" ", "  "] } {
            let text = case.join(separator);
            assert_eq!(texts(&text), case, "{text:?}");
        }
    }
}

/// Texts drawn from pieces that sentences are cut at, or not.
fn drawn(seed: u64, pieces: usize) -> String {
    const PIECES: &[&str] = &[
        "The cat", " sits", " on", " a mat", ".", ". ", "?", "! ", "...", " … ", " Dr.", " e.g.",
        " etc.", " U.S.", " J.", " No.", " 5", "3.5", "1. ", "\n", "\n\n", " \"", "\"", " (", ")",
        " it", " It", " He", " A", " Green", " p.m.", "。", " “", "”", " -", "'s",
    ];
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        PIECES[(state >> 20) as usize % PIECES.len()]
    };
    (0..pieces).map(|_| draw()).collect()
}

#[test]
fn a_settled_sentence_stays_where_it_is_whatever_follows() {
    let mut settled = 0;
    for seed in 0..5_000 {
        let text = drawn(seed, 24);
        let text = text.trim();
        let all = sentences(text);
        for (end, _) in text.char_indices() {
            // As a tokenizer shows it: without white space at the end.
            let part = text[..end].trim_end();
            let spans = sentences(part);
            for which in 0..spans.len() {
                if is_settled(part, &spans, which) {
                    settled += 1;
                    assert_eq!(spans[..=which], all[..=which], "{part:?} of {text:?}");
                    // Something is left to be said, so the text has not ended.
                    assert!(which + 1 < spans.len(), "{part:?}");
                }
            }
        }
    }
    assert!(settled > 10_000, "{settled}");
}

#[test]
fn nothing_is_lost_and_nothing_overlaps() {
    for text in
        ["", " ", ".", "...", "\n\n", "?! . a", "é. É.\u{a0}ß!", "a.\"b", "(((.", "\".\".\""]
    {
        let spans = sentences(text);
        let kept = spans.iter().map(|span| &text[span.bytes.clone()]).collect::<String>();
        let strip = |text: &str| text.replace(char::is_whitespace, "");
        assert_eq!(strip(&kept), strip(text), "{text:?}");
        assert!(spans.windows(2).all(|pair| pair[0].bytes.end <= pair[1].bytes.start), "{text:?}");
    }
}

#[test]
fn a_sentence_that_breaks_off_is_incomplete() {
    let complete =
        |text: &str| sentences(text).iter().map(|span| span.complete).collect::<Vec<_>>();
    assert_eq!(complete("One. Two"), [true, false]);
    assert_eq!(complete("One. \"Two!\""), [true, true]);
    assert_eq!(complete("It is 3."), [true]);
    assert_eq!(complete("A heading\nA sentence."), [false, true]);
}

#[test]
fn paragraphs_are_separated_by_blank_lines() {
    let text = "One.\nTwo.\n \n\nThree";
    let spans = paragraphs(text);
    let texts = spans.iter().map(|span| &text[span.bytes.clone()]).collect::<Vec<_>>();
    assert_eq!(texts, ["One.\nTwo.", "Three"]);
    assert_eq!(spans.iter().map(|span| span.complete).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn normal_forms_ignore_case_and_punctuation() {
    assert_eq!(normalize("  The cat's \"RED\" — 3.5 m!"), normalize("the cat's red 3.5 m."));
    assert_ne!(normalize("3.5 m"), normalize("35 m"));
    assert_eq!(normalize("?!"), "");
}
