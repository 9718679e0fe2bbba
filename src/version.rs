//! Which Brigade this is.

/// Version and commit: `0.1.0 (26b4b4d1a2b3)`.
pub(crate) const VERSION: &str = env!("VERSION_AND_COMMIT");

/// The same, and below it how it was built.
pub(crate) const LONG: &str = concat!(env!("VERSION_AND_COMMIT"), "\n", env!("HOW_IT_WAS_BUILT"));
