//! What a user reads when something is wrong: all of it at once, each with its place and its cure.

mod place;
mod problems;
mod render;

pub use place::Origin;
pub(crate) use place::{Place, Source};
pub use problems::{Problem, Problems};
pub(crate) use render::printable;
