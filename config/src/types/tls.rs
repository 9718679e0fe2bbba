//! How TLS is spoken.

/// How TLS is spoken.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Tls {}
