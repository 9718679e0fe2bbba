//! Which protocols a worker speaks, and how.

/// Which protocols a worker speaks, and how.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Http {}
