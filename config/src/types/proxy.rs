//! What a worker believes of the proxies in front of it.

/// What a worker believes of the proxies in front of it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Proxy {}
