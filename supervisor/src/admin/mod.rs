//! The admin address: its sockets, which the supervisor holds from its start to its end, and the
//! process that answers there. Which process when is decided in [`crate::plan::Aide`].

mod child;
mod post;
mod tell;
mod travel;

pub(crate) use child::Around;
pub(crate) use post::Admin;
pub(crate) use travel::{AdminLuggage, AdminState};
