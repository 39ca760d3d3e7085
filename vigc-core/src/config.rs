//! Limits of configurations, and the names that [`files`](crate::files) has here.

pub use crate::files::{
    partial_path as temporary_name, read_json, write_atomic as write_whole, write_json,
};

/// The largest width, count or side that a configuration may name.
///
/// Published models stay far below, and products of up to three sizes are numbers.
pub const MAX_SIZE: usize = 1 << 20;
