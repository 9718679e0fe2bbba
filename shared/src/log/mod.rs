//! The log: `tracing` events as lines on standard error, for people, for machines, for the
//! journal. It never makes its process wait: what can't be written is dropped and counted.

mod fields;
mod form;
mod layer;
mod sink;

pub use form::Form;
pub use layer::{
    ALWAYS, begin, begin_child, descriptor, finish, flush, form, pending, raw_line, resume,
    set_level,
};
pub use sink::{Pending, Sink};
