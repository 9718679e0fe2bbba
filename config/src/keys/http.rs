//! Keys: which protocols are spoken, and how.

use super::key::Key;

pub(super) static KEYS: &[Key] = &[];
