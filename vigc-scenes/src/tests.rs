use std::collections::HashSet;

use crate::{Background, Cell, Color, Kind, NounPhrase, Object, Scene, Size, Split, is_held_out};

const SCENES: u64 = 1500;

/// A scene of known content: a large red car on the left, a small blue key in the middle, a large
/// blue cup on the right and a small red car at the bottom.
pub(crate) fn scene() -> Scene {
    let mut scene = Scene::sample(Split::Train, 1);
    let pose = scene.objects[0].pose;
    let object =
        |kind, color, size, cell: usize| Object { kind, color, size, cell: Cell::ALL[cell], pose };
    scene.background = Background::NightSky;
    scene.objects = vec![
        object(Kind::Car, Color::Red, Size::Large, 3),
        object(Kind::Key, Color::Blue, Size::Small, 4),
        object(Kind::Cup, Color::Blue, Size::Large, 5),
        object(Kind::Car, Color::Red, Size::Small, 7),
    ];
    scene
}

#[test]
fn a_seed_gives_the_same_scene_and_the_same_picture() {
    let one = Scene::sample(Split::Train, 11);
    assert_eq!(one, Scene::sample(Split::Train, 11));
    assert_eq!(one.render(64), Scene::sample(Split::Train, 11).render(64));
    assert_ne!(one, Scene::sample(Split::Train, 12));
    assert_ne!(one, Scene::sample(Split::Test, 11));
}

/// Guards the stream of random numbers against changes of the libraries that draw them.
#[test]
fn scenes_stay_the_same_from_version_to_version() {
    let told = |split: Split, seed: u64| {
        let scene = Scene::sample(split, seed);
        let objects = scene.objects.iter().map(|object| NounPhrase::full(object).bare());
        format!("{}: {}", scene.background.name(), objects.collect::<Vec<_>>().join(", "))
    };
    assert_eq!(
        told(Split::Train, 0),
        "night sky: large green house at the top left, small white house at the top, small red key in the middle, small black key at the bottom left"
    );
    assert_eq!(
        told(Split::Unseen, 1),
        "night sky: small green car at the top left, large red house at the top, small red box on the left, small red box on the right, large red box at the bottom, small white lamp at the bottom right"
    );
}

#[test]
fn scenes_vary_and_hold_what_their_split_allows() {
    let mut seen = HashSet::new();
    for split in Split::ALL {
        for seed in 0..SCENES {
            let scene = Scene::sample(split, seed);
            assert!((1..=6).contains(&scene.objects.len()));
            assert!(scene.objects.windows(2).all(|pair| pair[0].cell < pair[1].cell));
            for object in &scene.objects {
                assert_eq!(is_held_out(object.kind, object.color), split == Split::Unseen);
                seen.insert((object.kind, object.color));
            }
        }
    }
    assert_eq!(seen.len(), Kind::ALL.len() * Color::ALL.len());
    let held = |&(kind, color): &(Kind, Color)| is_held_out(kind, color);
    assert_eq!(seen.iter().filter(|pair| held(pair)).count(), 18);
    let backgrounds: HashSet<Background> =
        (0..100).map(|seed| Scene::sample(Split::Val, seed).background).collect();
    assert_eq!(backgrounds.len(), Background::ALL.len());
}

#[test]
fn at_least_half_of_every_object_is_visible_and_some_are_hidden_in_part() {
    let mut hidden = 0;
    for seed in 0..SCENES {
        for fraction in Scene::sample(Split::Train, seed).visible_fractions() {
            assert!(fraction >= 0.5, "{fraction} of an object of scene {seed}");
            hidden += u32::from(fraction < 0.95);
        }
    }
    assert!(hidden > 50, "{hidden}");
}

#[test]
fn large_objects_are_larger_than_small_ones() {
    let (mut smallest, mut largest) = (f32::MAX, 0.0f32);
    for object in (0..SCENES).flat_map(|seed| Scene::sample(Split::Train, seed).objects) {
        match object.size {
            Size::Small => largest = largest.max(object.pose.radius),
            Size::Large => smallest = smallest.min(object.pose.radius),
        }
    }
    assert!(smallest > 1.5 * largest, "{smallest} and {largest}");
}

#[test]
fn every_object_owns_patches_in_its_cell() {
    let mut unowned = 0;
    for seed in 0..300 {
        let scene = Scene::sample(Split::Train, seed);
        let labels = scene.patch_labels(8);
        assert_eq!(labels.len(), 64);
        for (index, object) in scene.objects.iter().enumerate() {
            let owned: Vec<usize> =
                (0..64).filter(|&patch| labels[patch].object == Some(index)).collect();
            unowned += u32::from(owned.is_empty());
            for patch in owned {
                let x = ((patch % 8) as f32 + 0.5) / 8.0;
                let y = ((patch / 8) as f32 + 0.5) / 8.0;
                assert!((x - object.pose.x).abs() < 0.27 && (y - object.pose.y).abs() < 0.27);
            }
        }
    }
    assert!(unowned < 20, "{unowned}");
}

#[test]
fn scenes_survive_json() {
    let scene = Scene::sample(Split::Test, 4);
    let text = serde_json::to_string(&scene).unwrap();
    assert_eq!(serde_json::from_str::<Scene>(&text).unwrap(), scene);
}
