//! LLaMA's pieces as the first tokenizer that read them cuts a text: special tokens first, then each
//! part between them for itself.

use std::collections::HashMap;
use std::path::Path;

use regex::Regex;
use tokenizers::models::bpe::BPE;
use tokenizers::{AddedToken, ModelWrapper, Tokenizer};
use vigc_core::files::read_json;

use super::sentence_piece::{SentencePiece, byte_piece};
use super::{encode_pieces, read_tokenizer};
use crate::{Error, Result};

/// The mark of a space.
const SPACE: char = '▁';

/// What becomes of the spaces around a special token in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spaces {
    /// They are tokens as elsewhere.
    Kept,
    /// They are dropped on both sides, as transformers 4.28 does for tokens given as plain strings.
    Stripped,
}

/// Encodes and decodes as the `LlamaTokenizer` of transformers 4.28 does over SentencePiece.
///
/// `tokenizers` merges; what is around that differs between its pipelines and that tokenizer.
#[derive(Debug, Clone)]
pub(super) struct PieceTokenizer {
    /// Without a normalizer: sees one part of a text with its spaces marked.
    bpe: Tokenizer,
    special: HashMap<String, u32>,
    /// Finds the special tokens, the longest first.
    pattern: Option<Regex>,
    bytes: HashMap<u32, u8>,
    spaces: Spaces,
    dummy_prefix: bool,
}

impl PieceTokenizer {
    /// Reads `tokenizer.json` or else `tokenizer.model`; `also` are special too, and get the next
    /// number if they are not there.
    pub(super) fn open(path: &Path, spaces: Spaces, also: &[&str]) -> Result<Self> {
        let mut pieces = match path.extension().is_some_and(|extension| extension == "model") {
            true => Self::from_model_file(path, spaces)?,
            false => Self::from_json_file(path, spaces)?,
        };
        for token in also {
            pieces.add_special(token);
        }
        let mut tokens: Vec<_> = pieces.special.keys().map(|token| regex::escape(token)).collect();
        tokens.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
        let pattern = Regex::new(&tokens.join("|")).map_err(|source| fail(path, source))?;
        pieces.pattern = Some(pattern).filter(|_| !tokens.is_empty());
        Ok(pieces)
    }

    fn from_model_file(path: &Path, spaces: Spaces) -> Result<Self> {
        let model = SentencePiece::open(path)?;
        let mut bpe = Tokenizer::new(model.bpe);
        let user_defined = model.user_defined.iter().map(|token| AddedToken::from(&**token, false));
        bpe.add_tokens(&user_defined.map(|token| token.normalized(false)).collect::<Vec<_>>());
        let mut pieces = Self::new(bpe, model.dummy_prefix, spaces);
        for token in &model.special {
            pieces.add_special(token);
        }
        let added = path.with_file_name("added_tokens.json");
        if added.is_file() {
            pieces.add_numbered(read_json(&added)?, &added)?;
        }
        Ok(pieces)
    }

    /// Takes the pieces, their merges and the tokens added to them; the rest is the same anyway.
    fn from_json_file(path: &Path, spaces: Spaces) -> Result<Self> {
        let whole = read_tokenizer(path)?;
        let ModelWrapper::BPE(model) = whole.get_model() else {
            return Err(fail(path, "it is no byte-pair encoding, expected LLaMA's"));
        };
        let mut pieces = Self::new(Tokenizer::new(BPE::clone(model)), true, spaces);
        if !model.byte_fallback || pieces.bytes.len() < 256 {
            return Err(fail(path, "it does not fall back to bytes, expected LLaMA's"));
        }
        let added = whole.get_added_tokens_decoder();
        let added = added.iter().map(|(&id, token)| (token.content.clone(), id));
        pieces.add_numbered(added.collect(), path)?;
        Ok(pieces)
    }

    fn new(bpe: Tokenizer, dummy_prefix: bool, spaces: Spaces) -> Self {
        let byte = |byte| Some((bpe.token_to_id(&byte_piece(byte))?, byte));
        let bytes = (0..=255).filter_map(byte).collect();
        Self { bytes, bpe, special: HashMap::new(), pattern: None, spaces, dummy_prefix }
    }

    /// Makes tokens special that must have the given numbers.
    fn add_numbered(&mut self, tokens: HashMap<String, u32>, path: &Path) -> Result<()> {
        let mut tokens: Vec<_> = tokens.into_iter().collect();
        tokens.sort_by_key(|(_, id)| *id);
        for (token, id) in tokens {
            let next = self.vocab_size();
            if self.add_special(&token) != Some(id) {
                let problem =
                    format!("{token:?} has the number {id}, expected {next} or its piece's");
                return Err(fail(path, problem));
            }
        }
        Ok(())
    }

    /// Makes a token special; one that is not there yet gets the next number.
    fn add_special(&mut self, token: &str) -> Option<u32> {
        self.bpe.add_special_tokens(&[AddedToken::from(token, true)]);
        let id = self.bpe.token_to_id(token)?;
        self.special.insert(token.to_owned(), id);
        Some(id)
    }

    /// The tokens of a text.
    pub(super) fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let (mut ids, mut end) = (Vec::new(), 0);
        for special in self.pattern.iter().flat_map(|pattern| pattern.find_iter(text)) {
            let part = self.strip(&text[end..special.start()], end > 0, true);
            self.encode_part(part, &mut ids)?;
            ids.push(self.special[special.as_str()]);
            end = special.end();
        }
        self.encode_part(self.strip(&text[end..], end > 0, false), &mut ids)?;
        Ok(ids)
    }

    /// A part of a text without the spaces towards the special tokens around it.
    fn strip<'a>(&self, part: &'a str, start: bool, end: bool) -> &'a str {
        // What Python takes for white space.
        let space = |c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c);
        let strips = |side| side && self.spaces == Spaces::Stripped;
        let part = if strips(start) { part.trim_start_matches(space) } else { part };
        if strips(end) { part.trim_end_matches(space) } else { part }
    }

    fn encode_part(&self, part: &str, ids: &mut Vec<u32>) -> Result<()> {
        if part.is_empty() {
            return Ok(());
        }
        let prefix = self.dummy_prefix.then_some(SPACE).into_iter();
        let marked = part.chars().map(|c| if c == ' ' { SPACE } else { c });
        ids.extend(encode_pieces(&self.bpe, &prefix.chain(marked).collect::<String>())?);
        Ok(())
    }

    /// The text of tokens without special ones and the space that was put before it.
    ///
    /// A byte that belongs to no character is `\u{FFFD}`; the characters beside it stay.
    pub(super) fn decode(&self, ids: &[u32]) -> String {
        let mut bytes = Vec::new();
        let mut first = self.dummy_prefix;
        for &id in ids {
            if let Some(&byte) = self.bytes.get(&id) {
                bytes.push(byte);
            } else if let Some(piece) = self.bpe.id_to_token(id)
                && !self.special.contains_key(&piece)
            {
                let shown = if first { piece.strip_prefix(SPACE) } else { None };
                bytes.extend(shown.unwrap_or(&piece).replace(SPACE, " ").into_bytes());
            } else {
                continue;
            }
            first = false;
        }
        let mut text = String::with_capacity(bytes.len());
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
        }
        text
    }

    pub(super) fn token_id(&self, token: &str) -> Option<u32> {
        self.bpe.token_to_id(token)
    }

    pub(super) fn vocab_size(&self) -> usize {
        self.bpe.get_vocab_size(true)
    }
}

fn fail(path: &Path, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Tokenizer { path: path.to_owned(), source: source.into() }
}
