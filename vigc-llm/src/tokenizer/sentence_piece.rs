//! SentencePiece's model files: a protobuf with pieces, their scores and the normalization of texts.
//!
//! The fields are those of `sentencepiece_model.proto` that affect the tokens of a text.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use prost::Message;
use tokenizers::models::bpe::{BPE, BpeBuilder, Merges, Vocab};

use crate::{Error, Result};

/// The maximum size of a file in bytes. Published vocabularies of 256 000 pieces take 5 MB.
const MAX_FILE_LEN: u64 = 16 << 20;

/// The maximum length of a piece in bytes, because every split of a piece is tried. SentencePiece's default is 16
/// characters.
const MAX_PIECE_LEN: usize = 512;

/// The contents of a model file.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ModelProto {
    #[prost(message, repeated, tag = "1")]
    pieces: Vec<Piece>,
    #[prost(message, optional, tag = "2")]
    trainer: Option<Trainer>,
    #[prost(message, optional, tag = "3")]
    normalizer: Option<Normalizer>,
}

#[derive(Clone, PartialEq, Message)]
struct Piece {
    #[prost(string, tag = "1")]
    text: String,
    #[prost(float, tag = "2")]
    score: f32,
    #[prost(enumeration = "PieceKind", optional, tag = "3", default = "Normal")]
    kind: Option<i32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
enum PieceKind {
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}

#[derive(Clone, PartialEq, Message)]
struct Trainer {
    #[prost(enumeration = "ModelType", optional, tag = "3", default = "Unigram")]
    model_type: Option<i32>,
    #[prost(bool, tag = "24")]
    treat_whitespace_as_suffix: bool,
    #[prost(bool, tag = "35")]
    byte_fallback: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
enum ModelType {
    Unigram = 1,
    Bpe = 2,
    Word = 3,
    Char = 4,
}

#[derive(Clone, PartialEq, Message)]
struct Normalizer {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(bytes = "vec", tag = "2")]
    precompiled_charsmap: Vec<u8>,
    #[prost(bool, optional, tag = "3", default = "true")]
    add_dummy_prefix: Option<bool>,
    #[prost(bool, optional, tag = "4", default = "true")]
    remove_extra_whitespaces: Option<bool>,
    #[prost(bool, optional, tag = "5", default = "true")]
    escape_whitespaces: Option<bool>,
}

/// A model file converted for the `tokenizers` crate.
#[derive(Debug)]
pub(super) struct SentencePiece {
    /// All pieces by their id, and the merges in the order of their scores.
    pub(super) bpe: BPE,
    /// Pieces that do not stand for their characters: `<unk>`, `<s>`, `</s>`.
    pub(super) special: Vec<String>,
    /// Pieces at which a text is split before merging.
    pub(super) user_defined: Vec<String>,
    /// Whether encoding puts a space before a text.
    pub(super) dummy_prefix: bool,
}

impl SentencePiece {
    /// Reads `tokenizer.model`.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let fail = |source| vigc_core::Error::Read { path: path.to_owned(), source };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(fail)?;
        file.take(MAX_FILE_LEN + 1).read_to_end(&mut bytes).map_err(fail)?;
        let fail = |source| Error::Tokenizer { path: path.to_owned(), source };
        if bytes.len() as u64 > MAX_FILE_LEN {
            let problem = format!("it is longer than {MAX_FILE_LEN} bytes");
            return Err(fail(problem.into()));
        }
        let model = ModelProto::decode(&*bytes).map_err(|source| {
            fail(format!("expected a SentencePiece model, but {source}").into())
        })?;
        model.into_sentence_piece().map_err(|problem| fail(problem.into()))
    }
}

impl ModelProto {
    fn into_sentence_piece(self) -> Result<SentencePiece, String> {
        let dummy_prefix = self.check_settings()?;
        let vocab = self.vocab()?;
        let of_kind = |kind| self.pieces.iter().filter(move |piece| piece.kind() == kind);
        let names = |kind| of_kind(kind).map(|piece| piece.text.clone());
        let byte_fallback = self.trainer.as_ref().is_some_and(|trainer| trainer.byte_fallback);
        let lacks = (0..=255).map(byte_piece).find(|byte| !vocab.contains_key(byte));
        if let Some(byte) = lacks.filter(|_| byte_fallback) {
            return Err(format!("it has byte fallback but lacks the piece {byte}"));
        }
        let mut builder = BpeBuilder::new()
            .vocab_and_merges(vocab, self.merges())
            .byte_fallback(byte_fallback)
            .fuse_unk(true);
        let unknown = names(PieceKind::Unknown).next();
        builder = builder.unk_token(unknown.ok_or("it has no piece for unknown characters")?);
        Ok(SentencePiece {
            bpe: builder.build().map_err(|source| source.to_string())?,
            special: names(PieceKind::Unknown).chain(names(PieceKind::Control)).collect(),
            user_defined: names(PieceKind::UserDefined).collect(),
            dummy_prefix,
        })
    }

    /// Fails on settings that LLaMA's tokenizer does not use. Returns whether encoding puts a space before a text.
    fn check_settings(&self) -> Result<bool, String> {
        let trainer = self.trainer.as_ref().ok_or("it ends before its training settings")?;
        if trainer.model_type() != ModelType::Bpe {
            return Err(format!("it is a {:?} model, expected Bpe", trainer.model_type()));
        }
        let normalizer = self.normalizer.as_ref().ok_or("it ends before its normalizer")?;
        let name = &normalizer.name;
        if !normalizer.precompiled_charsmap.is_empty() {
            return Err(format!("it normalizes texts by {name:?}, expected \"identity\""));
        }
        let wrong = [
            (normalizer.remove_extra_whitespaces(), "removes extra white space"),
            (!normalizer.escape_whitespaces(), "does not escape spaces"),
            (trainer.treat_whitespace_as_suffix, "treats white space as a suffix"),
        ];
        match wrong.iter().find(|(is_set, _)| *is_set) {
            Some((_, what)) => Err(format!("it {what}, which is not supported")),
            None => Ok(normalizer.add_dummy_prefix()),
        }
    }

    /// All pieces by their id.
    fn vocab(&self) -> Result<Vocab, String> {
        let mut vocab = Vocab::with_capacity(self.pieces.len());
        for (id, piece) in (0..).zip(&self.pieces) {
            let text = &piece.text;
            let is_known = |kind| PieceKind::try_from(kind).is_ok();
            let problem = if text.is_empty() {
                "is empty"
            } else if text.len() > MAX_PIECE_LEN {
                "is too long"
            } else if !piece.score.is_finite() {
                "has no finite score"
            } else if !piece.kind.is_none_or(is_known) {
                "is of an unknown kind"
            } else if piece.kind() == PieceKind::Unused {
                "is marked as unused"
            } else if vocab.insert(text.clone(), id).is_some() {
                "occurs twice"
            } else {
                continue;
            };
            let start: String = text.chars().take(40).collect();
            return Err(format!("piece {id}, {start:?}, {problem}"));
        }
        Ok(vocab)
    }

    /// Every pair of pieces that merges into a piece, the best score first.
    ///
    /// The score is that of the merged piece. Of pairs with the same score SentencePiece merges the leftmost in the text; here
    /// the order of the ids decides.
    fn merges(&self) -> Merges {
        let normal = || self.pieces.iter().filter(|piece| piece.kind() == PieceKind::Normal);
        let ids: HashMap<&str, usize> = normal().map(|piece| &*piece.text).zip(0..).collect();
        let mut pairs = Vec::new();
        for piece in normal() {
            for (cut, _) in piece.text.char_indices().skip(1) {
                let (left, right) = piece.text.split_at(cut);
                if let (Some(&l), Some(&r)) = (ids.get(left), ids.get(right)) {
                    pairs.push((piece.score, (l, r), left, right));
                }
            }
        }
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        pairs.into_iter().map(|(.., left, right)| (left.to_owned(), right.to_owned())).collect()
    }
}

/// The piece of a byte.
pub(super) fn byte_piece(byte: u8) -> String {
    format!("<0x{byte:02X}>")
}
