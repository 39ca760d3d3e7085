//! Questions with short answers: VQAv2, OKVQA and A-OKVQA, by the rules of their own programs.

mod accuracy;
pub mod normalize;

pub use accuracy::Rule;
