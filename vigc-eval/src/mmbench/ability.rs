//! The abilities that MMBench tells apart.

/// An ability at level L-2; each has two to five finer ones, L-3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ability {
    /// Logic reasoning.
    LogicReasoning,
    /// Attribute reasoning.
    AttributeReasoning,
    /// Relation reasoning.
    RelationReasoning,
    /// Fine-grained perception of a single thing.
    SinglePerception,
    /// Fine-grained perception across several things.
    CrossPerception,
    /// Coarse perception.
    CoarsePerception,
}

impl Ability {
    /// All of them, in the order of the published tables.
    pub const ALL: [Self; 6] = [
        Self::LogicReasoning,
        Self::AttributeReasoning,
        Self::RelationReasoning,
        Self::SinglePerception,
        Self::CrossPerception,
        Self::CoarsePerception,
    ];

    /// The published abbreviation.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LogicReasoning => "LR",
            Self::AttributeReasoning => "AR",
            Self::RelationReasoning => "RR",
            Self::SinglePerception => "FP-S",
            Self::CrossPerception => "FP-C",
            Self::CoarsePerception => "CP",
        }
    }

    /// The name in a table's column `l2-category`.
    #[must_use]
    pub fn category(self) -> &'static str {
        match self {
            Self::LogicReasoning => "logic_reasoning",
            Self::AttributeReasoning => "attribute_reasoning",
            Self::RelationReasoning => "relation_reasoning",
            Self::SinglePerception => "finegrained_perception (instance-level)",
            Self::CrossPerception => "finegrained_perception (cross-instance)",
            Self::CoarsePerception => "coarse_perception",
        }
    }

    /// The finer abilities, as a table's column `category` names them (MMBench,
    /// `samples/README.md`).
    #[must_use]
    pub fn parts(self) -> &'static [&'static str] {
        match self {
            Self::LogicReasoning => {
                &["future_prediction", "structuralized_imagetext_understanding"]
            }
            Self::AttributeReasoning => {
                &["function_reasoning", "identity_reasoning", "physical_property_reasoning"]
            }
            Self::RelationReasoning => &["nature_relation", "physical_relation", "social_relation"],
            Self::SinglePerception => {
                &["attribute_recognition", "celebrity_recognition", "object_localization", "ocr"]
            }
            Self::CrossPerception => {
                &["action_recognition", "attribute_comparison", "spatial_relationship"]
            }
            Self::CoarsePerception => {
                &["image_emotion", "image_quality", "image_scene", "image_style", "image_topic"]
            }
        }
    }

    /// The ability of a row: what its column `l2-category` says, or else that of its `category`.
    #[must_use]
    pub fn of(l2_category: Option<&str>, category: Option<&str>) -> Option<Self> {
        let is_meant = |ability: &Self| match (l2_category, category) {
            (Some(name), _) => name == ability.category(),
            (None, Some(name)) => ability.parts().contains(&name),
            (None, None) => false,
        };
        Self::ALL.into_iter().find(is_meant)
    }
}
