//! What a text is likely to go on with.

/// Tokens that are checked at first.
const FIRST: usize = 8;
/// Fewest and most that are.
const LEAST: usize = 3;
const MOST: usize = 24;
/// Tokens that a text and its guess must share to be taken for the same place.
const ANCHOR: usize = 2;

/// A guess of a text, and how far the text has come in it.
///
/// Where the text took another word, it is looked for again a little later: a correction changes some words and goes on.
#[derive(Debug, Clone)]
pub(super) struct Guess {
    tokens: Vec<u32>,
    /// The place of what may come next; `None` where the text has left the guess.
    next: Option<usize>,
    length: usize,
}

impl Guess {
    pub(super) fn new(tokens: Vec<u32>) -> Self {
        Self { tokens, next: Some(0), length: FIRST }
    }

    /// Notes a token of the text, the last of `text`.
    pub(super) fn note(&mut self, text: &[u32]) {
        let Some(&token) = text.last() else { return };
        self.next = match self.next {
            Some(at) if self.tokens.get(at) == Some(&token) => Some(at + 1),
            _ => self.find(text),
        };
    }

    /// Where the guess goes on after the last tokens of a text, if it holds them.
    fn find(&self, text: &[u32]) -> Option<usize> {
        let anchor = text.get(text.len().checked_sub(ANCHOR)?..)?;
        let found = self.tokens.windows(ANCHOR).position(|tokens| tokens == anchor);
        found.map(|at| at + ANCHOR)
    }

    /// What to check next.
    pub(super) fn ahead(&self) -> &[u32] {
        let rest = self.next.and_then(|at| self.tokens.get(at..)).unwrap_or_default();
        &rest[..rest.len().min(self.length)]
    }

    /// Learns how many of the tokens that were checked came true.
    pub(super) fn learn(&mut self, checked: usize, came: usize) {
        if checked > 0 {
            let length = if came == checked { 2 * self.length } else { came + 2 };
            self.length = length.clamp(LEAST, MOST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(guess: &[u32], text: &[u32]) -> Vec<u32> {
        let mut guess = Guess::new(guess.to_vec());
        for len in 1..=text.len() {
            guess.note(&text[..len]);
        }
        guess.ahead().to_vec()
    }

    #[test]
    fn a_text_is_found_again_after_another_word() {
        let guess = [1, 2, 3, 4, 5, 6, 7];
        assert_eq!(after(&guess, &[]), guess);
        assert_eq!(after(&guess, &[1, 2]), [3, 4, 5, 6, 7]);
        assert_eq!(after(&guess, &[1, 9]), [0u32; 0]);
        assert_eq!(after(&guess, &[1, 9, 3]), [0u32; 0]);
        assert_eq!(after(&guess, &[1, 9, 3, 4]), [5, 6, 7]);
        assert_eq!(after(&guess, &[9, 5, 6, 7]), [0u32; 0]);
        assert_eq!(after(&[], &[1, 2, 3]), [0u32; 0]);
    }

    #[test]
    fn good_guesses_become_longer_and_bad_ones_shorter() {
        let mut guess = Guess::new((0..100).collect());
        assert_eq!(guess.ahead().len(), FIRST);
        guess.learn(8, 8);
        assert_eq!(guess.ahead().len(), 16);
        guess.learn(16, 16);
        assert_eq!(guess.ahead().len(), MOST);
        guess.learn(24, 0);
        assert_eq!(guess.ahead().len(), LEAST);
        guess.learn(0, 0);
        assert_eq!(guess.ahead().len(), LEAST);
    }
}
