//! How the driver fails: with a sentence, for whoever reads the table.

/// A value, or a sentence on why there is none.
pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error>>;
