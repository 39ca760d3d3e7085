//! The objects that are asked for although they are not there.

use std::collections::HashMap;

use super::pictures::Picture;

/// How an object that is not in a picture is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sampling {
    /// Any.
    Random,
    /// The one that most pictures show.
    Popular,
    /// The one that most often stands beside the object that was asked for before.
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

/// The objects of a set of pictures: how many pictures show each, and which ones stand together.
///
/// Of objects that are equally frequent the one comes first that was seen first, picture by picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidates<'a> {
    objects: Vec<&'a str>,
    popular: Vec<&'a str>,
    beside: HashMap<&'a str, Vec<&'a str>>,
}

impl<'a> Candidates<'a> {
    /// Counts the objects of these pictures.
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

    /// All objects, the first one seen first.
    #[must_use]
    pub fn objects(&self) -> &[&'a str] {
        &self.objects
    }

    /// All objects, the one that most pictures show first.
    #[must_use]
    pub fn popular(&self) -> &[&'a str] {
        &self.popular
    }

    /// The objects that some picture shows together with this one, the most frequent first.
    #[must_use]
    pub fn beside(&self, object: &str) -> &[&'a str] {
        self.beside.get(object).map_or(&[], Vec::as_slice)
    }

    /// An object that is neither in the picture nor among those `asked` for, after `positive` was asked for.
    /// None if the pictures have no such object.
    ///
    /// `draw` chooses one of so many, where the kind of question leaves a choice: among random ones always,
    /// among the others if no object of the ranking is left.
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

/// How often each object was seen, in the order of the first time.
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
        names.sort_by_key(|name| std::cmp::Reverse(self.counts[name]));
        names
    }
}
