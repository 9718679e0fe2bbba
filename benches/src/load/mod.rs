//! The load: one thread around epoll that keeps every connection busy (a closed loop), or connects
//! at fixed moments (`arrivals`, an open loop), checks each answer's status and length, and times
//! it. It lives in the driver's own process. `tool` is the
//! exception: programs for what this load does not speak.

mod answer;
mod arrivals;
mod crowd;
mod echo;
mod histogram;
mod keep_alive;
mod per_request;
mod tally;
mod target;
mod tool;

pub(crate) use arrivals::{Arrival, arrive};
pub(crate) use crowd::Crowd;
pub(crate) use echo::Echo;
pub(crate) use keep_alive::KeepAlive;
pub(crate) use per_request::PerRequest;
pub(crate) use tally::Tally;
pub(crate) use target::Target;
pub(crate) use tool::{H2load, Told, handshakes};
