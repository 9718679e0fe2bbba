//! Keys: limits of connections, requests and bodies.

use super::key::Key;

pub(super) static KEYS: &[Key] = &[];
