//! The layers: flags, environment, file. Each turns what it holds into [`Given`] words with their
//! places, and names what it does not know.

mod environment;
mod file;
mod flags;
mod given;
mod syntax;
mod walk;

pub use environment::CHILD_VARIABLES;
pub(crate) use environment::Environment;
#[cfg(feature = "fuzzing")]
pub(crate) use file::File;
pub(crate) use file::open;
pub use flags::arguments;
pub(crate) use flags::{CONFIG, flags};
pub(crate) use given::{Given, Layer};
