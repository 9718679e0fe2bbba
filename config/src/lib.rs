//! From text (flags, environment, brigade.toml) to typed values, all problems at once.

mod types;

pub use types::*;
