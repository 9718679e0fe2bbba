//! The listening sockets. The supervisor holds them all: a worker's death takes no connection that
//! waits in the kernel along with it.

mod bind;
mod filter;
mod handshakes;
mod inherit;
mod listeners;
mod place;
mod stage;
#[cfg(test)]
mod tests;
mod travel;
mod unix;

pub use inherit::is_socket_activated;
pub(crate) use listeners::{Listeners, Offer, Takers, Waiting};
pub(crate) use stage::PlaceId;
pub(crate) use travel::ListenersState;
