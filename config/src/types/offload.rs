//! The pools for work that would block the event loop.

/// The pools for work that would block the event loop.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Offload {}
