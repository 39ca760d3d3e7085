//! Which tokens of a draft to try next.

/// The maximum number of draft tokens in one pass, and the number in the first. A pass also reads the token before them,
/// and the kernels read up to sixteen rows without rearranging the weights.
const MAX_LEN: usize = 15;
/// The minimum number of draft tokens in one pass.
const MIN_LEN: usize = 2;

/// A draft of a text, and the position in it that the text has reached.
///
/// When the text differs from the draft, the next generated token is looked up in the rest of the draft, then in all of
/// it: a correction changes some words and continues as before. The lengths and the lookup were chosen by counting
/// passes over the corrections that `vigc-mini` wrote for twelve scenes.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    tokens: Vec<u32>,
    /// The position of the token that may come next. `None` while the text differs from the draft.
    next: Option<usize>,
    /// The position at which the text last left the draft.
    reached: usize,
    /// How many tokens to try.
    len: usize,
}

impl Draft {
    pub(super) fn new(tokens: Vec<u32>) -> Self {
        Self { tokens, next: Some(0), reached: 0, len: MAX_LEN }
    }

    /// Follows the text by one token.
    pub(super) fn follow(&mut self, token: u32) {
        self.next = match self.next {
            Some(at) if self.tokens.get(at) == Some(&token) => Some(at + 1),
            _ => self.find(token),
        };
        self.reached = self.next.unwrap_or(self.reached);
    }

    /// The position after a token, if the draft contains it.
    fn find(&self, token: u32) -> Option<usize> {
        let (before, after) = self.tokens.split_at(self.reached);
        let find = |tokens: &[u32]| tokens.iter().position(|&other| other == token);
        let found = find(after).map(|at| self.reached + at).or_else(|| find(before));
        found.map(|at| at + 1)
    }

    /// The tokens to try next.
    pub(super) fn ahead(&self) -> &[u32] {
        let rest = self.next.and_then(|at| self.tokens.get(at..)).unwrap_or_default();
        &rest[..rest.len().min(self.len)]
    }

    /// Adapts the number of tokens to try: `accepted` of `tried` tokens were right.
    pub(super) fn adapt(&mut self, tried: usize, accepted: usize) {
        if tried > 0 {
            let len = if accepted == tried { 2 * self.len } else { accepted };
            self.len = len.clamp(MIN_LEN, MAX_LEN);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ahead(draft: &[u32], text: &[u32]) -> Vec<u32> {
        let mut draft = Draft::new(draft.to_vec());
        text.iter().for_each(|&token| draft.follow(token));
        draft.ahead().to_vec()
    }

    #[test]
    fn the_draft_continues_after_a_different_token() {
        let draft = [1, 2, 3, 4, 5, 6, 7];
        assert_eq!(ahead(&draft, &[]), draft);
        assert_eq!(ahead(&draft, &[1, 2]), [3, 4, 5, 6, 7]);
        assert_eq!(ahead(&draft, &[1, 9]), [0u32; 0]);
        assert_eq!(ahead(&draft, &[1, 9, 3]), [4, 5, 6, 7]);
        assert_eq!(ahead(&draft, &[9, 5, 6, 7]), [0u32; 0]);
        assert_eq!(ahead(&[], &[1, 2, 3]), [0u32; 0]);
    }

    #[test]
    fn the_rest_of_the_draft_comes_before_its_beginning() {
        let draft = [8, 1, 2, 8, 3, 8, 4];
        assert_eq!(ahead(&draft, &[8, 1, 9, 8]), [3, 8, 4]);
        assert_eq!(ahead(&draft, &[8, 1, 2, 8, 3, 8, 4, 9, 1]), [2, 8, 3, 8, 4]);
    }

    #[test]
    fn the_number_of_tokens_follows_their_success() {
        let mut draft = Draft::new((0..100).collect());
        assert_eq!(draft.ahead().len(), MAX_LEN);
        draft.adapt(15, 3);
        assert_eq!(draft.ahead().len(), 3);
        draft.adapt(3, 3);
        assert_eq!(draft.ahead().len(), 6);
        draft.adapt(6, 0);
        assert_eq!(draft.ahead().len(), MIN_LEN);
        draft.adapt(0, 0);
        assert_eq!(draft.ahead().len(), MIN_LEN);
    }
}
