//! Singulars as CHAIR's reference program makes them, mistakes included: `pattern.en.singularize` of Pattern 3.6
//! (clips/pattern), whose rules go back to Bermi Ferrer's Inflector.

use std::borrow::Cow;

/// Words that stay as they are. So does every word that one of these ends in: `ears`, `ice`, `son`.
const UNCHANGED: &str = "
    advice bison bread bream breeches britches butter carp chassis cheese christmas clippers cod contretemps
    corps debris diabetes djinn eland electricity elk equipment flounder fruit furniture gallows garbage
    georgia graffiti gravel happiness headquarters herpes high-jinks homework information innings jackanapes
    ketchup knowledge love luggage mackerel mathematics mayonnaise measles meat mews mumps mustard news
    pincers pliers proceedings progress rabies research rice salmon sand scissors series shears software
    species swine swiss trout tuna understanding water whiting wildebeest
";

/// Endings in `ies` that stay as they are, because the program returns such plurals unchanged.
const IE_PLURALS: &str = "
    alergies aunties beanies birdies bogies bombies collies cookies cuties doggies eyries freebies goonies
    groupies hankies hippies hoagies hotties indies junkies laddies laramies lingeries meanies newbies
    nighties oldies pixies quickies reveries rookies softies sorties stoolies sweeties techies toughies
    valkyries veggies weenies yuppies zombies
";

/// Irregular endings and what takes their place.
const IRREGULAR: &[(&str, &str)] = &[
    ("atlantes", "atlas"),
    ("atlases", "atlas"),
    ("axes", "axe"),
    ("beeves", "beef"),
    ("brethren", "brother"),
    ("children", "child"),
    ("corpora", "corpus"),
    ("corpuses", "corpus"),
    ("ephemerides", "ephemeris"),
    ("feet", "foot"),
    ("ganglia", "ganglion"),
    ("geese", "goose"),
    ("genera", "genus"),
    ("genii", "genie"),
    ("graffiti", "graffito"),
    ("helves", "helve"),
    ("kine", "cow"),
    ("leaves", "leaf"),
    ("loaves", "loaf"),
    ("men", "man"),
    ("mongooses", "mongoose"),
    ("monies", "money"),
    ("moves", "move"),
    ("mythoi", "mythos"),
    ("numena", "numen"),
    ("occipita", "occiput"),
    ("octopodes", "octopus"),
    ("opera", "opus"),
    ("opuses", "opus"),
    ("our", "my"),
    ("oxen", "ox"),
    ("penes", "penis"),
    ("penises", "penis"),
    ("people", "person"),
    ("sexes", "sex"),
    ("soliloquies", "soliloquy"),
    ("teeth", "tooth"),
    ("testes", "testis"),
    ("trilbys", "trilby"),
    ("turves", "turf"),
    ("zoa", "zoon"),
];

/// Regular endings, how many of their letters go and what comes instead; the first that fits counts.
/// `.` is any character, `~` any but a vowel.
const REGULAR: &[(&[&str], usize, &str)] = &[
    (&[".ae"], 1, ""),
    (&[".itis", "series", "news"], 0, ""),
    (&[".eaux"], 1, ""),
    (&["quizzes"], 3, ""),
    (&["matrices"], 4, "ix"),
    (&["apices", "vertices", "indices"], 4, "ex"),
    (&["aliases", "statuses"], 2, ""),
    (&["ci", "ii", "oi", "pi", "ri", "ti", "vi"], 1, "us"),
    (&["crises"], 2, "is"),
    (&["shoes"], 1, ""),
    (&["oes", "buses"], 2, ""),
    (&["lice", "mice"], 3, "ouse"),
    (&["ches", "shes", "sses", "xes"], 2, ""),
    (&["movies", ".ombies"], 1, ""),
    (&["~ies", "quies"], 3, "y"),
    (&["alves", "elves", "olves"], 3, "f"),
    (&["deaves"], 1, ""),
    (&[".eaves", "arves"], 3, "f"),
    (&["erves"], 1, ""),
    (&["lives", "nives", "wives"], 3, "fe"),
    (&["lves", "rves"], 3, "f"),
    (&["aves", "eves", "oves", "sives", "tives", "hives"], 1, ""),
    (&["fves"], 1, ""),
    (&[".ves"], 3, "fe"),
    (
        &["analyses", "bases", "diagnoses", "parentheses", "prognoses", "synopses", "theses"],
        2,
        "is",
    ),
    (&[".opses", ".yses"], 2, "is"),
    (&["boses", "closes", "doses", "hoses", "noses", "ooses", "poses", "roses"], 1, ""),
    (&[".oses"], 2, "is"),
    (&["ia", "ta"], 1, "um"),
    (&["s"], 1, ""),
];

/// The singular of a word in small letters, or the word itself. Not always English: `bus` becomes `bu`,
/// `ties` becomes `ty`. Unlike there, a compound with a preposition (`mothers-in-law`) is one word.
#[must_use]
pub fn singular(word: &str) -> Cow<'_, str> {
    let mut unchanged = UNCHANGED.split_whitespace();
    let mut plurals = IE_PLURALS.split_whitespace();
    let stays = unchanged.any(|listed| listed.ends_with(word))
        || plurals.any(|plural| word.ends_with(plural));
    if stays {
        return word.into();
    }
    for (ending, singular) in IRREGULAR {
        if let Some(start) = word.strip_suffix(ending) {
            return format!("{start}{singular}").into();
        }
    }
    if let Some(rest) = word.strip_prefix("oxen") {
        return format!("ox{rest}").into();
    }
    let rule = REGULAR.iter().find(|(endings, ..)| endings.iter().any(|ending| fits(word, ending)));
    match rule {
        Some(&(_, cut, put)) if cut > 0 => format!("{}{put}", &word[..word.len() - cut]).into(),
        _ => word.into(),
    }
}

/// Whether a word has an ending of the table of regular ones.
fn fits(word: &str, ending: &str) -> bool {
    let mut letters = word.chars().rev();
    ending.chars().rev().all(|expected| {
        letters.next().is_some_and(|letter| match expected {
            '.' => true,
            '~' => !"aeiouy".contains(letter),
            _ => letter == expected,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn singulars_are_made_by_ending() {
        let cases = [
            ("dogs", "dog"),
            ("buses", "bus"),
            ("bus", "bu"),
            ("glasses", "glass"),
            ("glass", "glas"),
            ("women", "woman"),
            ("people", "person"),
            ("puppies", "puppy"),
            ("collies", "collies"),
            ("ties", "ty"),
            ("knives", "knife"),
            ("wolves", "wolf"),
            ("shelves", "shelve"),
            ("mice", "mouse"),
            ("scissors", "scissors"),
            ("ears", "ears"),
            ("s", "s"),
            ("é", "é"),
            ("", ""),
        ];
        for (plural, expected) in cases {
            assert_eq!(singular(plural), expected, "{plural}");
        }
    }
}
