//! What is written of each request, and where.

/// What is written of each request, and where.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct AccessLog {}
