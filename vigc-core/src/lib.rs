//! Weights, token batches and tensor pieces shared by the VIGC crates.
