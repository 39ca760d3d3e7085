//! CHAIR against the upstream program: captions that mention all of COCO's objects, and the singulars of their words.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::json;
use vigc_eval::chair::{Chair, GroundTruth, Vocabulary, singular};

#[derive(Deserialize)]
struct Golden {
    categories: Vec<String>,
    pictures: Vec<Picture>,
    overall: Measures,
}

#[derive(Deserialize)]
struct Picture {
    id: u64,
    objects: Vec<String>,
    captions: Vec<String>,
    caption: String,
    truth: Vec<String>,
    named: Vec<String>,
    hallucinated: Vec<String>,
    metrics: Measures,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Measures {
    #[serde(rename = "CHAIRs")]
    chair_s: f64,
    #[serde(rename = "CHAIRi")]
    chair_i: f64,
    recall: f64,
}

impl Picture {
    fn file_name(&self) -> String {
        format!("{:012}.jpg", self.id)
    }
}

fn write_annotations(folder: &Path, golden: &Golden) {
    let images: Vec<_> = golden
        .pictures
        .iter()
        .map(|picture| json!({ "id": picture.id, "file_name": picture.file_name() }))
        .collect();
    let number = |name| golden.categories.iter().position(|category| category == name);
    let categories: Vec<_> =
        golden.categories.iter().map(|name| json!({ "id": number(name), "name": name })).collect();
    let (mut instances, mut captions) = (Vec::new(), Vec::new());
    for picture in &golden.pictures {
        for object in &picture.objects {
            instances.push(json!({
                "image_id": picture.id, "category_id": number(object), "bbox": [0, 0, 1, 1],
            }));
        }
        for caption in &picture.captions {
            captions.push(json!({ "id": 1, "image_id": picture.id, "caption": caption }));
        }
    }
    let instances = json!({ "images": images, "categories": categories, "annotations": instances });
    let captions = json!({ "images": images, "annotations": captions });
    fs::write(folder.join("instances.json"), instances.to_string()).unwrap();
    fs::write(folder.join("captions.json"), captions.to_string()).unwrap();
}

#[test]
fn captions_are_scored_as_by_the_upstream_program() {
    let golden: Golden =
        serde_json::from_str(include_str!("../fixtures/chair/captions.json")).unwrap();
    assert!(golden.pictures.len() > 400);
    let folder = tempfile::tempdir().unwrap();
    write_annotations(folder.path(), &golden);
    let coco = Vocabulary::coco();
    let mut truth = GroundTruth::open(&coco, folder.path().join("instances.json")).unwrap();
    truth.add_captions(&coco, folder.path().join("captions.json")).unwrap();
    let answers: HashMap<String, String> = golden
        .pictures
        .iter()
        .map(|picture| (picture.file_name(), picture.caption.clone()))
        .collect();
    let score = Chair::new(coco, truth, "images").score(&answers).unwrap();

    assert_eq!(score.captions.len(), golden.pictures.len());
    for (found, picture) in score.captions.iter().zip(&golden.pictures) {
        let caption = &picture.caption;
        assert_eq!(found.id, picture.file_name());
        assert!(found.objects.iter().eq(&picture.truth), "{caption:?}: {:?}", found.objects);
        let named: Vec<&String> = found.mentions.iter().map(|mention| &mention.object).collect();
        assert!(named.into_iter().eq(&picture.named), "{caption:?}: {:?}", found.mentions);
        let hallucinated = found.hallucinated().map(|mention| &mention.object);
        assert!(hallucinated.eq(&picture.hallucinated), "{caption:?}: {:?}", found.mentions);
        assert_eq!(f64::from(found.is_wrong()), picture.metrics.chair_s, "{caption:?}");
        assert_eq!(found.chair_i(), picture.metrics.chair_i, "{caption:?}");
        assert_eq!(found.recall(), picture.metrics.recall, "{caption:?}");
    }
    assert_eq!(score.chair_s().value, Some(golden.overall.chair_s));
    assert_eq!(score.chair_i().value, Some(golden.overall.chair_i));
    assert_eq!(score.recall().value, Some(golden.overall.recall));
    assert_eq!(score.missing(), 0);
}

#[test]
fn singulars_are_those_of_the_upstream_program() {
    let golden: BTreeMap<String, String> =
        serde_json::from_str(include_str!("../fixtures/chair/singulars.json")).unwrap();
    assert!(golden.len() > 1000);
    for (word, expected) in golden {
        assert_eq!(singular(&word), expected, "{word}");
    }
}

#[test]
fn captions_of_scenes_have_no_hallucinations() {
    use std::collections::BTreeSet;

    use vigc_pipeline::data::open_coco_captions;
    use vigc_scenes::{DatasetConfig, Kind};

    let folder = tempfile::tempdir().unwrap();
    let scenes = folder.path().join("scenes");
    DatasetConfig::new(2).with_train_count(40).with_side(32).write(&scenes, |_| {}).unwrap();
    let kinds = Kind::ALL.map(|kind| format!("{} = []\n", kind.name())).concat();
    let synonyms = folder.path().join("kinds.toml");
    fs::write(&synonyms, format!("[objects]\n{kinds}")).unwrap();
    let vocabulary = Vocabulary::open(synonyms).unwrap();
    let truth = GroundTruth::open(&vocabulary, scenes.join("train/instances_train.json")).unwrap();
    let captions = open_coco_captions(scenes.join("train/captions_train.json")).unwrap();
    let mut answers: HashMap<String, String> = captions
        .rows
        .iter()
        .map(|row| (row.image.display().to_string(), row.answers[0].0.clone()))
        .collect();
    let chair = Chair::new(vocabulary, truth, scenes.join("train/images"));
    let score = chair.score(&answers).unwrap();
    assert_eq!((score.chair_s().value, score.recall().value), (Some(0.0), Some(1.0)));
    assert_eq!(score.captions.len(), 40);

    let absent = |objects: &BTreeSet<String>| {
        Kind::ALL.into_iter().find(|kind| !objects.contains(kind.name())).unwrap()
    };
    for caption in &score.captions {
        let more = format!(" There are three {}, too.", absent(&caption.objects).plural());
        answers.get_mut(&caption.id).unwrap().push_str(&more);
    }
    assert_eq!(chair.score(&answers).unwrap().chair_s().value, Some(1.0));
}
