//! Encodes an image.
fn main() {}
