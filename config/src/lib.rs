//! From text (flags, environment, brigade.toml) to typed values, all problems at once.
//!
//! ```text
//! flags        -> layers/flags.rs       \
//! environment  -> layers/environment.rs  > Given (text and its place) -> resolve -> check -> Config
//! brigade.toml -> layers/file.rs        /        words/ parses              (or all Problems)
//! ```
//!
//! [`keys()`] is the one table: each key's name, flag, environment names, default, help, parser and
//! printer stand together there. The command line, the commented `brigade.toml`, its JSON Schema
//! and the table of `brigade check` are all made from it. Nothing here binds, forks or keeps time;
//! the one file that is read is the configuration.

mod address;
mod check;
#[cfg(feature = "fuzzing")]
pub mod fuzz;
mod keys;
mod layers;
mod load;
mod output;
mod problem;
mod record;
mod resolve;
mod types;
mod words;

pub use keys::{Heading, Key, OnReload, keys};
pub use layers::{CHILD_VARIABLES, arguments};
pub use load::{Loaded, load};
pub use output::{SERVICE_UNIT, sample_file, schema};
pub use problem::{Origin, Problem, Problems};
pub use record::Record;
pub use resolve::{Effective, needs_restart, unheeded_by_programs};
pub use types::*;
