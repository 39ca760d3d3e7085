//! What a recipe learns from.

use serde::{Deserialize, Serialize};

/// The `data` section of a recipe.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataSection {
    /// How many rendered scenes; endlessly many if absent.
    pub scenes: Option<u64>,
    /// The number of the first scene.
    pub first_scene: u64,
}
