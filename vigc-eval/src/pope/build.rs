//! Making questions from annotations.

use std::cmp::Reverse;
use std::collections::HashMap;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use vigc_core::random::{EpochOrder, splitmix64};

use super::questions::{Label, Picture, Question};
use crate::error::{Error, Result};

/// Which questions to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// The number of images to ask about.
    pub pictures: usize,
    /// The number of present objects to ask about for each image. There are as many questions about absent objects.
    pub objects: usize,
    /// The question, with `{}` for the object. An `a` before it becomes `an` before a vowel.
    pub template: String,
    /// The seed.
    pub seed: u64,
}

impl Default for Build {
    /// The settings of the published questions: 500 images, three objects.
    fn default() -> Self {
        let template = "Is there a {} in the image?".to_owned();
        Self { pictures: 500, objects: 3, template, seed: 0 }
    }
}

impl Build {
    /// Draws the images from those that show enough objects.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewImages`] if there are not enough.
    pub fn choose(&self, pictures: &[Picture]) -> Result<Vec<Picture>> {
        let rich: Vec<&Picture> =
            pictures.iter().filter(|picture| picture.objects.len() >= self.objects).collect();
        if rich.len() < self.pictures {
            return Err(Error::TooFewImages {
                found: rich.len(),
                objects: self.objects,
                expected: self.pictures,
            });
        }
        let order = EpochOrder { seed: self.seed, len: rich.len() as u64 };
        Ok((0..self.pictures as u64).map(|at| rich[order.item(at) as usize].clone()).collect())
    }

    /// The questions of one kind about all of the images. A question about one of an image's first objects alternates with
    /// one about an absent object. If an image shows every object that there is, it gets no questions of the second kind.
    ///
    /// # Errors
    ///
    /// [`Error::Template`] if the template has no `{}`.
    pub fn questions(&self, pictures: &[Picture], sampling: Sampling) -> Result<Vec<Question>> {
        let seed = splitmix64(self.seed ^ splitmix64(sampling as u64 + 1));
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        self.questions_drawn_by(pictures, sampling, &mut |len| rng.random_range(0..len))
    }

    /// As [`questions`](Self::questions), but `draw` chooses. It gets a number of objects and returns an index.
    ///
    /// # Errors
    ///
    /// As [`questions`](Self::questions).
    pub fn questions_drawn_by(
        &self,
        pictures: &[Picture],
        sampling: Sampling,
        draw: &mut dyn FnMut(usize) -> usize,
    ) -> Result<Vec<Question>> {
        if !self.template.contains("{}") {
            return Err(Error::Template { template: self.template.clone() });
        }
        let candidates = Candidates::of(pictures);
        let mut questions = Vec::new();
        for picture in pictures {
            let mut asked: Vec<&str> = Vec::new();
            let mut ask = |object: &str, label| {
                questions.push(Question {
                    question_id: questions.len() as u64 + 1,
                    image: picture.image.clone(),
                    text: self.question(object),
                    label,
                });
            };
            for positive in picture.objects.iter().take(self.objects) {
                ask(positive, Label::Yes);
                let absent = candidates.absent(sampling, picture, &asked, positive, draw);
                if let Some(absent) = absent {
                    ask(absent, Label::No);
                    asked.push(absent);
                }
            }
        }
        Ok(questions)
    }

    fn question(&self, object: &str) -> String {
        let template = if object.starts_with(['a', 'e', 'i', 'o', 'u']) {
            self.template.replace(" a {}", " an {}")
        } else {
            self.template.clone()
        };
        template.replace("{}", object)
    }
}

/// How absent objects are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sampling {
    /// At random.
    Random,
    /// The object that most images show.
    Popular,
    /// The object that most often occurs together with the present object of the question before.
    Adversarial,
}

impl Sampling {
    /// The three kinds of questions.
    pub const ALL: [Self; 3] = [Self::Random, Self::Popular, Self::Adversarial];

    /// `random`, `popular` or `adversarial`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Popular => "popular",
            Self::Adversarial => "adversarial",
        }
    }
}

/// The objects of a set of images, with the number of images that show each, and which occur together.
///
/// Among objects that are equally frequent, the one that is seen first comes first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidates<'a> {
    objects: Vec<&'a str>,
    popular: Vec<&'a str>,
    beside: HashMap<&'a str, Vec<&'a str>>,
}

impl<'a> Candidates<'a> {
    /// Counts the objects of these images.
    #[must_use]
    pub fn of(pictures: &'a [Picture]) -> Self {
        let mut all = Counts::default();
        let mut beside: HashMap<&str, Counts<'_>> = HashMap::new();
        for picture in pictures {
            for object in &picture.objects {
                all.add(object);
                let others = picture.objects.iter().filter(|other| *other != object);
                let counts = beside.entry(object).or_default();
                others.for_each(|other| counts.add(other));
            }
        }
        let ranked = beside.into_iter().map(|(object, counts)| (object, counts.ranked()));
        Self { beside: ranked.collect(), popular: all.ranked(), objects: all.names }
    }

    /// All objects, in the order in which they are seen.
    #[must_use]
    pub fn objects(&self) -> &[&'a str] {
        &self.objects
    }

    /// All objects, the one that most images show first.
    #[must_use]
    pub fn popular(&self) -> &[&'a str] {
        &self.popular
    }

    /// The objects that occur together with this one, the most frequent first.
    #[must_use]
    pub fn beside(&self, object: &str) -> &[&'a str] {
        self.beside.get(object).map_or(&[], Vec::as_slice)
    }

    /// An object that is neither in the image nor in `asked`, to follow the question about the present object `positive`.
    /// None if there is no such object.
    ///
    /// `draw` chooses one of a number of objects: always for [`Sampling::Random`], and for the other kinds if no object
    /// of their ranking is left.
    pub fn absent(
        &self,
        sampling: Sampling,
        picture: &Picture,
        asked: &[&str],
        positive: &str,
        draw: &mut dyn FnMut(usize) -> usize,
    ) -> Option<&'a str> {
        let is_free = |object: &&&str| !picture.shows(object) && !asked.contains(*object);
        let ranking = match sampling {
            Sampling::Random => &[],
            Sampling::Popular => self.popular(),
            Sampling::Adversarial => self.beside(positive),
        };
        let best = ranking.iter().find(is_free).copied();
        best.or_else(|| {
            let free: Vec<&str> = self.objects.iter().filter(is_free).copied().collect();
            if free.is_empty() { None } else { free.get(draw(free.len())).copied() }
        })
    }
}

/// How often each object was seen, in the order in which they were seen first.
#[derive(Default)]
struct Counts<'a> {
    names: Vec<&'a str>,
    counts: HashMap<&'a str, usize>,
}

impl<'a> Counts<'a> {
    fn add(&mut self, object: &'a str) {
        let count = self.counts.entry(object).or_default();
        *count += 1;
        if *count == 1 {
            self.names.push(object);
        }
    }

    fn ranked(&self) -> Vec<&'a str> {
        let mut names = self.names.clone();
        names.sort_by_key(|name| Reverse(self.counts[name]));
        names
    }
}
