//! What a text is likely to go on with.

/// Most tokens that are checked at once, and what is checked at first: one pass reads them and the token before them, and
/// up to sixteen rows take weights as they lie.
const MOST: usize = 15;
/// Fewest that are.
const LEAST: usize = 2;

/// A guess of a text, and how far the text has come in it.
///
/// Where the text took another word, its next word is looked for in the rest of the guess, then in all of it: a correction
/// changes some words and goes on. Lengths and the search were chosen by counting passes over the corrections that
/// `vigc-mini` wrote for twelve scenes.
#[derive(Debug, Clone)]
pub(super) struct Guess {
    tokens: Vec<u32>,
    /// The place of what may come next; `None` where the text has left the guess.
    next: Option<usize>,
    /// How far the text came before it left.
    reached: usize,
    length: usize,
}

impl Guess {
    pub(super) fn new(tokens: Vec<u32>) -> Self {
        Self { tokens, next: Some(0), reached: 0, length: MOST }
    }

    /// Notes the next token of the text.
    pub(super) fn note(&mut self, token: u32) {
        self.next = match self.next {
            Some(at) if self.tokens.get(at) == Some(&token) => Some(at + 1),
            _ => self.find(token),
        };
        self.reached = self.next.unwrap_or(self.reached);
    }

    /// Where the guess goes on after a token, if it holds it.
    fn find(&self, token: u32) -> Option<usize> {
        let (before, after) = self.tokens.split_at(self.reached);
        let find = |tokens: &[u32]| tokens.iter().position(|&other| other == token);
        let found = find(after).map(|at| self.reached + at).or_else(|| find(before));
        found.map(|at| at + 1)
    }

    /// What to check next.
    pub(super) fn ahead(&self) -> &[u32] {
        let rest = self.next.and_then(|at| self.tokens.get(at..)).unwrap_or_default();
        &rest[..rest.len().min(self.length)]
    }

    /// Learns how many of the tokens that were checked came true.
    pub(super) fn learn(&mut self, checked: usize, came: usize) {
        if checked > 0 {
            let length = if came == checked { 2 * self.length } else { came };
            self.length = length.clamp(LEAST, MOST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(guess: &[u32], text: &[u32]) -> Vec<u32> {
        let mut guess = Guess::new(guess.to_vec());
        text.iter().for_each(|&token| guess.note(token));
        guess.ahead().to_vec()
    }

    #[test]
    fn a_text_is_found_again_after_another_word() {
        let guess = [1, 2, 3, 4, 5, 6, 7];
        assert_eq!(after(&guess, &[]), guess);
        assert_eq!(after(&guess, &[1, 2]), [3, 4, 5, 6, 7]);
        assert_eq!(after(&guess, &[1, 9]), [0u32; 0]);
        assert_eq!(after(&guess, &[1, 9, 3]), [4, 5, 6, 7]);
        assert_eq!(after(&guess, &[9, 5, 6, 7]), [0u32; 0]);
        assert_eq!(after(&[], &[1, 2, 3]), [0u32; 0]);
    }

    #[test]
    fn what_follows_is_preferred_to_what_was() {
        let guess = [8, 1, 2, 8, 3, 8, 4];
        assert_eq!(after(&guess, &[8, 1, 9, 8]), [3, 8, 4]);
        assert_eq!(after(&guess, &[8, 1, 2, 8, 3, 8, 4, 9, 1]), [2, 8, 3, 8, 4]);
    }

    #[test]
    fn good_guesses_become_longer_and_bad_ones_shorter() {
        let mut guess = Guess::new((0..100).collect());
        assert_eq!(guess.ahead().len(), MOST);
        guess.learn(15, 3);
        assert_eq!(guess.ahead().len(), 3);
        guess.learn(3, 3);
        assert_eq!(guess.ahead().len(), 6);
        guess.learn(6, 0);
        assert_eq!(guess.ahead().len(), LEAST);
        guess.learn(0, 0);
        assert_eq!(guess.ahead().len(), LEAST);
    }
}
