//! What captions name, and which files of synonyms are refused.

use super::*;

fn objects(vocabulary: &Vocabulary, text: &str) -> String {
    let objects: Vec<&str> = vocabulary.mentions(text).iter().map(|found| found.object).collect();
    objects.join(", ")
}

#[test]
fn captions_name_cocos_objects() {
    let coco = Vocabulary::coco();
    assert_eq!(coco.names().count(), 80);
    let cases = [
        ("Two women and a man with bikes.", "person, person, bicycle"),
        ("Hot dogs, a dog and a hot stove", "hot dog, dog, oven"),
        ("a train on train tracks", "train"),
        ("a man-made lake", ""),
        ("a bow tie and two bows", "tie, tie"),
        ("stop signs at a stop light", "stop sign, traffic light"),
        ("the seat of the toilet; a toilet seat", "toilet, toilet"),
        ("the seat of a bicycle", "chair, bicycle"),
        ("a baby elephant and a baby", "elephant, person"),
        ("a bus, two buses", "bus"),
        ("skis and a pair of scissors", "skis, scissors"),
        ("wine glasses, a wine glass, glasses", "wine glass, wine glass"),
        ("a tennis racket on the dining table", "tennis racket, dining table"),
        ("a motor bike, a motorbike", "motorcycle"),
    ];
    for (text, expected) in cases {
        assert_eq!(objects(&coco, text), expected, "{text}");
    }
}

#[test]
fn other_objects_are_found_by_their_own_words() {
    let file = r#"
        [objects]
        Bus = ["coach", "double  decker"]
        "traffic cone" = []
        glasses = []
        [read_as]
        "coach driver" = ""
    "#;
    let vocabulary: Vocabulary = file.parse().unwrap();
    let text = "A bus, double deckers, glasses, traffic cones and a coach driver";
    assert_eq!(objects(&vocabulary, text), "Bus, Bus, glasses, traffic cone");
    assert!(vocabulary.has("Bus") && !vocabulary.has("bus"));
}

#[test]
fn a_file_that_makes_no_sense_is_refused() {
    let cases = [
        ("objects = 3", "invalid type"),
        ("[objects]\n[synonyms]", "unknown field `synonyms`"),
        ("[objects]\ncat = ['pet']\ndog = ['pet']", r#""pet" stands for "cat" and for "dog""#),
        ("[objects]\noven = ['stove top oven']", "has 3 words, expected one or two"),
        ("[objects]\nsuit = [\"man's suit\"]", r#""man 's suit" has 3 words"#),
        ("[objects]\ncat = ['']", r#""" has 0 words"#),
        ("[objects]\ncat = []\n[read_as]\nkitten = 'cat'", "has 1 words, expected two"),
        ("[objects]\ncat = []\n[read_as]\n'baby dog' = 'dog'", r#"read_as: "dog" is no name"#),
        ("[objects]\ncat = []\n[hides]\ncat = ['dog']", r#"hides: "dog" is no name"#),
        ("plural_only = ['bus']\n[objects]", r#"plural_only: "bus" is no name"#),
    ];
    for (text, expected) in cases {
        let error = text.parse::<Vocabulary>().unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("synonyms.toml");
    fs::write(&path, "plural_only = ['bus']\n[objects]").unwrap();
    let error = Vocabulary::open(&path).unwrap_err();
    assert!(error.to_string().contains("synonyms.toml"), "{error}");
    assert!(Vocabulary::open(folder.path().join("none")).is_err());
}
