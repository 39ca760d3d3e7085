//! Questions made from annotations.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::candidates::{Candidates, Sampling};
use super::error::PopeError;
use super::pictures::Picture;
use super::questions::{Label, Question};
use vigc_core::random::{EpochOrder, splitmix64};

/// What questions are made, and how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// How many pictures are asked about.
    pub pictures: usize,
    /// How many objects that are there each picture is asked about, and as many that are not.
    pub objects: usize,
    /// The question; `{}` is the object. An `a` in front of it becomes `an` before a vowel.
    pub template: String,
    /// The seed of everything that is drawn.
    pub seed: u64,
}

impl Default for Build {
    /// What the published questions were made with: 500 pictures, three objects.
    fn default() -> Self {
        let template = "Is there a {} in the image?".to_owned();
        Self { pictures: 500, objects: 3, template, seed: 0 }
    }
}

impl Build {
    /// Draws the pictures among those that show enough objects.
    ///
    /// # Errors
    ///
    /// [`PopeError::TooFewPictures`] if there are not enough.
    pub fn choose(&self, pictures: &[Picture]) -> Result<Vec<Picture>, PopeError> {
        let rich: Vec<&Picture> =
            pictures.iter().filter(|picture| picture.objects.len() >= self.objects).collect();
        if rich.len() < self.pictures {
            return Err(PopeError::TooFewPictures {
                found: rich.len(),
                objects: self.objects,
                expected: self.pictures,
            });
        }
        let order = EpochOrder { seed: self.seed, len: rich.len() as u64 };
        Ok((0..self.pictures as u64).map(|at| rich[order.item(at) as usize].clone()).collect())
    }

    /// The questions of one kind about all of the pictures: for each of a picture's first objects, and in
    /// turn for one that is not there. Where every object of the pictures is there, that question is left
    /// out.
    ///
    /// # Errors
    ///
    /// [`PopeError::Template`] if the template has no place for the object.
    pub fn questions(
        &self,
        pictures: &[Picture],
        sampling: Sampling,
    ) -> Result<Vec<Question>, PopeError> {
        let seed = splitmix64(self.seed ^ splitmix64(sampling as u64 + 1));
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        self.questions_drawn_by(pictures, sampling, &mut |len| rng.random_range(0..len))
    }

    /// As [`questions`](Self::questions), with the choice of one of so many objects left to `draw`.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn questions_drawn_by(
        &self,
        pictures: &[Picture],
        sampling: Sampling,
        draw: &mut dyn FnMut(usize) -> usize,
    ) -> Result<Vec<Question>, PopeError> {
        if !self.template.contains("{}") {
            return Err(PopeError::Template { template: self.template.clone() });
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
