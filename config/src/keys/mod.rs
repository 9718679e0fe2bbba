//! The one table of keys, and the shape of its rows.

mod key;
mod table;

pub use key::{Heading, Key, OnReload};
pub(crate) use key::{Kind, Meaning, Spelling};
pub(crate) use table::key;
pub use table::keys;
