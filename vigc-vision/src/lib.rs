//! Image preprocessing, EVA ViT-g and the Q-Former: from an image to visual tokens.
