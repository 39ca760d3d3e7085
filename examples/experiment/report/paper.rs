//! What the paper has: <https://arxiv.org/abs/2308.12714>, tables 1, 3 and 4.

/// Relative scores of LLaVA-Eval: conversation, detail, complex, all.
pub(super) type Scores = [f64; 4];

/// A row of table 1, and the condition of ours that it is.
pub(super) const TABLE_1: [(&str, Scores, &str); 11] = [
    ("baseline", [75.1, 75.4, 92.3, 81.0], "none"),
    ("+ conversation, VIG", [80.9, 76.1, 92.6, 83.3], "conv-vig"),
    ("+ conversation, VIC", [83.9, 76.9, 90.9, 84.0], "conv-vic"),
    ("+ detail, VIG", [80.2, 72.7, 90.9, 81.4], "detail-vig"),
    ("+ detail, VIC", [83.3, 80.6, 93.1, 85.8], "detail-vic"),
    ("+ complex, VIG", [81.4, 75.6, 90.5, 82.6], "complex-vig"),
    ("+ complex, VIC", [80.2, 76.2, 93.2, 83.3], "complex-vic"),
    ("replaced conversation", [78.2, 76.5, 91.6, 82.1], "replace-conv"),
    ("replaced detail", [75.8, 79.8, 91.2, 82.2], "replace-detail"),
    ("replaced complex", [77.5, 77.8, 92.8, 82.8], "replace-complex"),
    ("replaced, all three", [78.3, 76.6, 92.4, 82.5], "replace-all"),
];

/// Rows of table 3; those of the larger model have none of ours.
pub(super) const TABLE_3: [(&str, Scores, Option<&str>); 5] = [
    ("LLaVA-7B", [75.1, 75.4, 92.3, 81.0], Some("none")),
    ("w/ coco-extra (detail, VIC)", [83.3, 80.6, 93.1, 85.8], Some("detail-vic")),
    ("w/ objects365 (other domain)", [86.8, 77.6, 90.9, 85.2], Some("other-vic")),
    ("LLaVA-13B", [82.7, 76.6, 94.8, 84.8], None),
    ("LLaVA-13B w/ coco-extra", [88.9, 77.4, 93.5, 86.8], None),
];

/// Rows of table 4: OKVQA and, if there is one, A-OKVQA.
pub(super) const TABLE_4: [(&str, f64, Option<f64>); 6] = [
    ("PaLM-E 562B", 66.1, None),
    ("PromptCap", 60.4, Some(56.3)),
    ("MiniGPT-4+ w/o VIGC", 59.1, Some(58.3)),
    ("MiniGPT-4+ w/ VIGC", 59.8, Some(58.9)),
    ("InstructBLIP w/o VIGC", 63.1, Some(62.5)),
    ("InstructBLIP w/ VIGC", 63.8, Some(64.1)),
];
