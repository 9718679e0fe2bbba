//! The one table of keys: a row holds all that is known of a key, and a file the rows of a heading.

mod access;
mod deadlines;
mod http;
mod key;
mod limits;
mod listening;
mod log;
mod offload;
mod proxy;
mod proxy_protocol;
mod replacing;
mod restarts;
mod table;
mod tls;
mod workers;

pub use key::{Heading, Key, OnReload};
pub(crate) use key::{Kind, Meaning, Spelling, joined, listed};
pub(crate) use table::key;
pub use table::keys;
