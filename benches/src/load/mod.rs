//! The load: one thread around epoll that keeps every connection busy (a closed loop), or connects
//! at fixed moments (`arrivals`, an open loop), checks each answer's status and length, and times
//! it. It lives in the driver's own process.

mod answer;
mod arrivals;
mod crowd;
mod histogram;
mod keep_alive;
mod per_request;
mod tally;
mod target;

pub(crate) use arrivals::{Arrival, arrive};
pub(crate) use crowd::Crowd;
pub(crate) use keep_alive::KeepAlive;
pub(crate) use per_request::PerRequest;
pub(crate) use tally::Tally;
pub(crate) use target::Target;
