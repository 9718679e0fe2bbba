//! One process, one thread, one event loop: accepts connections, speaks HTTP/1.1 over them, hands
//! requests to the app, and leaves without losing any.
//!
//! A connection walks one way: `accept` -> `connection` (hyper, over a metered `transport`) ->
//! `receive` (what must not reach the app is refused: `strict`, `admit`; `forwarded` tells who sent
//! it) -> `answer` (the app, watched by a `ticket`). `sweep` ends what is overdue, `drain` ends it all.
//! `exchange` passes connections on to siblings, by the rule in `share`, and takes theirs.
//! A worker never forks, binds, or reads configuration files, and knows no supervisor but a link.

mod app;
mod body;
mod failure;
mod function;
mod hooks;
mod local;
mod peer;
mod run;
mod with_peer;

mod accept;
mod additions;
mod answer;
mod connection;
mod drain;
mod exchange;
mod listen;
mod orders;
mod outflow;
mod progress;
mod protocol;
mod proxy_protocol;
mod receive;
mod sweep;
mod under_way;

mod access;
mod admit;
mod forwarded;
mod refusal;
mod strict;
mod tls;

mod concurrently;
pub mod offload;

#[cfg(feature = "fuzzing")]
pub mod fuzz;

mod connections;
mod courtesy;
mod lately;
mod lines;
mod meter;
mod overdue;
mod panic;

#[cfg(test)]
mod heard;
#[cfg(test)]
mod peer_tests;
mod pulse;
#[cfg(test)]
mod rig;
mod share;
mod station;
mod ticket;
mod transport;
mod websocket;

pub use app::{App, BoxError, Context, Factory};
pub use body::{BodyFault, RequestBody};
pub use concurrently::concurrently;
pub use failure::StartError;
pub use function::{ServiceFn, service_fn};
pub use local::Local;
pub use peer::{Endpoint, Peer};
pub use run::run;
pub use tls::{TlsFacts, TlsProblems, check_tls};
pub use with_peer::{WithPeer, with_peer};
