//! How the measures are shown.

use std::collections::BTreeMap;

use super::score::{CaptionScore, Named, Score};
use crate::interval::{Estimate, wilson};
use crate::report::{Cell, Metric, Sample, SampleImage, Table, TableRow, Unit};

/// How many samples are shown.
const MOST_SAMPLES: usize = 50;

impl Score {
    /// Numbers, a table by object and the worst captions.
    #[must_use]
    pub fn report_parts(&self) -> (Vec<Metric>, Vec<Table>, Vec<Sample>) {
        (self.metrics(), vec![self.by_object()], self.worst())
    }

    fn metrics(&self) -> Vec<Metric> {
        let metric = |name: &str, unit, estimate| Metric { name: name.to_owned(), unit, estimate };
        let missing = Estimate { value: Some(self.missing() as f64), low: None, high: None };
        vec![
            metric("CHAIRs", Unit::Share, self.chair_s()),
            metric("CHAIRi", Unit::Share, self.chair_i()),
            metric("recall", Unit::Share, self.recall()),
            metric("objects per caption", Unit::Score, self.objects_per_caption()),
            metric("words per caption", Unit::Score, self.words_per_caption()),
            metric("missing captions", Unit::Count, missing),
        ]
    }

    /// The objects that are named, those that are most often hallucinated first.
    fn by_object(&self) -> Table {
        let mut objects: BTreeMap<&str, ObjectCounts> = BTreeMap::new();
        for caption in &self.captions {
            for Named { object, is_there, .. } in &caption.named {
                let counts = objects.entry(object).or_default();
                counts.named += 1;
                counts.hallucinated += usize::from(!is_there);
            }
            for object in &caption.objects {
                objects.entry(object).or_default().pictures += 1;
            }
            for object in caption.found() {
                objects.entry(object).or_default().found += 1;
            }
        }
        let mut objects: Vec<(&str, ObjectCounts)> = objects.into_iter().collect();
        objects.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.hallucinated));
        let columns = ["named", "hallucinated", "CHAIRi", "pictures with it", "recall"];
        Table {
            title: "By object".to_owned(),
            columns: columns.map(str::to_owned).to_vec(),
            rows: objects.into_iter().map(|(object, counts)| counts.row(object)).collect(),
        }
    }

    fn worst(&self) -> Vec<Sample> {
        let mut wrong: Vec<&CaptionScore> =
            self.captions.iter().filter(|caption| caption.is_wrong()).collect();
        wrong.sort_by(|one, other| {
            let most = other.hallucinated().count().cmp(&one.hallucinated().count());
            one.quality().total_cmp(&other.quality()).then(most)
        });
        wrong.into_iter().take(MOST_SAMPLES).map(|caption| self.sample(caption)).collect()
    }

    fn sample(&self, caption: &CaptionScore) -> Sample {
        let list = |words: Vec<&str>| words.join(", ");
        let note = match &caption.caption {
            None => "no caption".to_owned(),
            Some(_) => {
                let words = caption.hallucinated().map(|named| named.word.as_str()).collect();
                format!("not there: {}", list(words))
            }
        };
        Sample {
            id: caption.id.clone(),
            image: Some(SampleImage::File(caption.image.clone())),
            question: self.prompt.clone(),
            expected: list(caption.objects.iter().map(String::as_str).collect()),
            answer: caption.caption.clone().unwrap_or_default(),
            score: caption.quality(),
            note,
        }
    }
}

impl CaptionScore {
    /// The part of the named objects that is there; 0 if the caption is missing.
    fn quality(&self) -> f64 {
        if self.caption.is_some() { 1.0 - self.chair_i() } else { 0.0 }
    }
}

#[derive(Clone, Copy, Default)]
struct ObjectCounts {
    named: usize,
    hallucinated: usize,
    pictures: usize,
    found: usize,
}

impl ObjectCounts {
    fn row(self, object: &str) -> TableRow {
        let share =
            |part, whole| Cell::Estimate { unit: Unit::Share, estimate: wilson(part, whole) };
        TableRow {
            name: object.to_owned(),
            cells: vec![
                Cell::Count(self.named as u64),
                Cell::Count(self.hallucinated as u64),
                share(self.hallucinated, self.named),
                Cell::Count(self.pictures as u64),
                share(self.found, self.pictures),
            ],
        }
    }
}
