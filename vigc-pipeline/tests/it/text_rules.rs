//! The text rules of the upstream program, compared with a table that Python wrote.

use serde::Deserialize;
use vigc_pipeline::prompt::{blip_caption, blip_caption_instruct, blip_question, qa_text};
use vigc_pipeline::vigc::sentence;

#[derive(Deserialize)]
struct Row {
    text: String,
    blip_caption: String,
    blip_caption_3: String,
    blip_caption_instruct: String,
    blip_question: String,
    blip_question_3: String,
    parse: Option<[String; 2]>,
    first_sentence: String,
    first_paragraph: String,
}

#[test]
fn text_rules_equal_pythons() {
    let rows: Vec<Row> =
        serde_json::from_str(include_str!("../fixtures/prompt/text.json")).unwrap();
    assert!(rows.len() > 100);
    for row in rows {
        let text = row.text.as_str();
        assert_eq!(blip_caption(text, 50), row.blip_caption, "{text:?}");
        assert_eq!(blip_caption(text, 3), row.blip_caption_3, "{text:?}");
        assert_eq!(blip_caption_instruct(text), row.blip_caption_instruct, "{text:?}");
        assert_eq!(blip_question(text, 50), row.blip_question, "{text:?}");
        assert_eq!(blip_question(text, 3), row.blip_question_3, "{text:?}");
        let pair = qa_text::parse_upstream(text).map(|pair| [pair.question, pair.answer]);
        assert_eq!(pair, row.parse, "{text:?}");
        assert_eq!(sentence::upstream_first_sentence(text), row.first_sentence, "{text:?}");
        assert_eq!(sentence::upstream_first_paragraph(text), row.first_paragraph, "{text:?}");
    }
}
