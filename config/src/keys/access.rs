//! Keys: the access log.

use super::key::Key;

pub(super) static KEYS: &[Key] = &[];
