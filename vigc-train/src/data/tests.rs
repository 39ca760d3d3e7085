//! Rows of annotation files.

use std::sync::Arc;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use vigc_pipeline::data::{Annotation, Annotations, open_coco_instances};
use vigc_pipeline::prompt::Task;

use super::*;

#[test]
fn rows_take_the_form_that_is_asked_for() {
    let row = |answer: &str| Annotation {
        image: "a.jpg".into(),
        question: "What is it?".to_owned(),
        answers: vec![(answer.to_owned(), 1.0)],
        choices: None,
        question_id: None,
    };
    let rows = vec![row("A cat. It sits. It is 3.5 m tall.")];
    let annotations = Arc::new(Annotations { path: "rows.json".into(), rows });
    let images = Arc::new(AnnotatedImages::new("images", [annotations.as_ref()]));
    let data = |form| AnnotatedRows {
        name: "rows".to_owned(),
        annotations: annotations.clone(),
        images: images.clone(),
        first_image: 10,
        topic: Task::Conversation,
        form,
    };
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let vig = data(Form::Vig).row(0, &mut rng).unwrap();
    assert!(vig.output.starts_with(" Question: What is it? Answer: A cat."), "{vig:?}");
    let vic = data(Form::Vic).row(0, &mut rng).unwrap();
    assert_eq!((vic.image, vic.input.as_str()), (10, "What is it?"));
    for _ in 0..20 {
        let InstructionRow { input, output, .. } = data(Form::Continue).row(0, &mut rng).unwrap();
        let (_, said) = input.split_once("What is it?").unwrap();
        let said = said.trim_start_matches(" Answer:");
        let whole = format!("{} {}", said.trim(), output);
        assert_eq!(whole.trim(), "A cat. It sits. It is 3.5 m tall.", "{input:?}");
    }
}

#[test]
fn what_the_scenes_write_is_read_back() {
    use vigc_scenes::DatasetConfig;

    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("scenes");
    DatasetConfig::new(1).with_train_count(6).with_side(64).write(&place, |_| {}).unwrap();
    let files = |topic, form, format, name: &str| AnnotationFile {
        path: place.join("train").join(name),
        images: place.join("train/images"),
        format,
        topic,
        form,
        ratio: 1.0,
    };
    let cases = [
        files(Task::Conversation, Form::Vic, Format::Llava, "llava_conversation.json"),
        files(Task::DetailDescription, Form::Vig, Format::Llava, "vigc_detail.json"),
        files(Task::KnowledgeVqa, Form::Vic, Format::Okvqa, "okvqa.json"),
        files(Task::KnowledgeVqa, Form::Vig, Format::Aokvqa, "aokvqa.json"),
        files(Task::Caption, Form::Vic, Format::CocoCaptions, "captions_train.json"),
    ];
    for file in cases {
        let annotations = file.open().unwrap();
        let images = Arc::new(AnnotatedImages::new(&file.images, [&annotations]));
        let rows = file.rows(annotations, &images, 0);
        let row = rows.row(0, &mut ChaCha8Rng::seed_from_u64(3)).unwrap();
        assert!(!row.input.is_empty() && !row.output.is_empty(), "{file:?}: {row:?}");
        assert!(rows.images.image(row.image).is_ok(), "{file:?}");
    }
    let instances = open_coco_instances(place.join("train/instances_train.json")).unwrap();
    assert_eq!(instances.len(), 6);
}

#[test]
fn recipes_have_a_name_for_every_task() {
    let names = ["conversation", "detail", "reasoning", "knowledge_vqa", "vqa", "caption"];
    for name in names {
        let text = format!(
            "path = \"rows.json\"\nimages = \"images\"\nformat = \"llava\"\ntopic = \"{name}\"\n\
             form = \"vic\"\nratio = 1.0\n"
        );
        let file: AnnotationFile = toml::from_str(&text).unwrap();
        assert_eq!(toml::to_string(&file).unwrap(), text);
    }
}
