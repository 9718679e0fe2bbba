//! Servers under measurement: who they are, how they are built, started, watched and ended.

mod binaries;
mod brigade;
mod events;
mod many;
mod nginx;
mod peer;
mod rival;
mod running;

pub(crate) use binaries::Binaries;
pub(crate) use brigade::{Brigade, Program};
pub(crate) use events::Event;
pub(crate) use many::Many;
pub(crate) use nginx::start_with_log as nginx_with_log;
pub(crate) use peer::Peer;
pub(crate) use rival::{Materials, Rival};
pub(crate) use running::Server;
