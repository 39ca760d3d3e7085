//! Vision benches.
fn main() {}
