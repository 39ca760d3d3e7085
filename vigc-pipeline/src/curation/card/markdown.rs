//! A card to be read by people.

mod sections;
mod table;

use super::Card;
use super::front_matter::front_matter;

impl Card {
    /// The card as Markdown, with front matter for the Hugging Face hub.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let sections = [
            sections::head(self),
            sections::tasks(self),
            sections::gates(self),
            sections::corrections(self),
            sections::questions(self),
            sections::examples(self),
            sections::models(self),
            sections::files(self),
            sections::limits(self),
        ];
        let body = sections.into_iter().flatten().collect::<Vec<_>>().join("\n");
        format!("{}\n{body}", front_matter(self))
    }
}
