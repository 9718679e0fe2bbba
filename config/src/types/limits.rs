//! What a worker allows its clients.

/// What a worker allows its clients.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Limits {}
