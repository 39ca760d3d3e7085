//! Texts that go round in circles.

use std::collections::HashSet;

use crate::vigc::sentence;

/// The longest run of words that is looked for as a loop. Longer ones are found as repeated sentences.
const LONGEST_LOOP: usize = 12;

/// The first sentence that was said before in the same words.
pub(super) fn repeated_sentence(text: &str) -> Option<&str> {
    let mut said = HashSet::new();
    let sentences = sentence::sentences(text).into_iter().map(|span| &text[span.bytes]);
    let mut worded = sentences.map(|part| (part, sentence::normalize(part)));
    worded.find(|(_, words)| !words.is_empty() && !said.insert(words.clone())).map(|(part, _)| part)
}

/// Words that follow themselves more often than `most` times in a row.
pub(super) fn repeated_words(text: &str, most: usize) -> Option<String> {
    let words = sentence::words(text).collect::<Vec<_>>();
    (1..=LONGEST_LOOP).find_map(|period| {
        let mut run = 0;
        let end = (period..words.len()).find(|&at| {
            run = if words[at] == words[at - period] { run + 1 } else { 0 };
            run >= period * most
        })?;
        Some(words[end + 1 - period..=end].join(" "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_is_found_once_it_is_longer_than_allowed() {
        let times = |words: &str, times: usize| vec![words; times].join(" ");
        for words in ["very", "a cat,", "and on the left there is a"] {
            let bare = sentence::normalize(words);
            assert_eq!(repeated_words(&times(words, 3), 3), None, "{words}");
            assert_eq!(repeated_words(&times(words, 4), 3), Some(bare), "{words}");
        }
        let text = format!("It is {} good.", times("so", 3));
        assert_eq!((repeated_words(&text, 3), repeated_words(&text, 2)), (None, Some("so".into())));
        assert_eq!(repeated_words("", 3), None);
        assert_eq!(repeated_words("A red cup, a blue cup, a green cup and a black cup.", 3), None);
    }

    #[test]
    fn a_sentence_said_twice_is_found() {
        assert_eq!(repeated_sentence("It is red. It sits. It is red!"), Some("It is red!"));
        assert_eq!(repeated_sentence("It is red. It is not red. ... ..."), None);
    }
}
