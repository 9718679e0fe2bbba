//! Keys: TLS: certificates, clients' certificates, session tickets.

use super::key::Key;

pub(super) static KEYS: &[Key] = &[];
