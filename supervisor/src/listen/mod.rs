//! The listening sockets. The supervisor holds them all: a worker's death takes no connection that
//! waits in the kernel along with it.

mod announced;
mod bind;
mod filter;
mod handshakes;
mod inherit;
mod inherited;
mod kept;
mod kept_name;
#[cfg(test)]
mod kept_tests;
mod listeners;
mod place;
mod resume;
mod stage;
#[cfg(test)]
mod tests;
mod travel;
mod unix;

pub use announced::is_socket_activated;
pub(crate) use inherited::Inherited;
pub(crate) use kept_name::KeptName;
#[cfg(feature = "fuzzing")]
pub(crate) use kept_name::spelled_for_fuzzing;
pub(crate) use listeners::{Listeners, Offer, Takers, Waiting};
pub(crate) use stage::PlaceId;
pub(crate) use travel::ListenersState;
