//! Tokenizers: the language model's byte-pair encoding and the Q-Former's `WordPiece`.
//!
//! Both are read from the files of a Hugging Face folder, the former also from SentencePiece's `tokenizer.model`. [`train`]
//! makes small ones from a corpus.

mod bert;
mod hugging_face;
mod pieces;
mod sentence_piece;
mod special_tokens;
mod text;
pub mod train;

pub use bert::BertTokenizer;
pub use special_tokens::SpecialTokens;
pub use text::TextTokenizer;
