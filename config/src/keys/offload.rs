//! Keys: work off the event loop.

use super::key::Key;

pub(super) static KEYS: &[Key] = &[];
