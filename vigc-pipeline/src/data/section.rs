//! What a recipe learns from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[cfg(feature = "scenes")]
use super::scenes::SceneRange;

/// The `data` section of a recipe.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataSection {
    /// Rendered scenes.
    #[cfg(feature = "scenes")]
    pub scenes: Option<SceneRange>,
    /// How often each task is drawn, by its name.
    pub ratios: BTreeMap<String, f64>,
}
