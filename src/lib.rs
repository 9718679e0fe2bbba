//! Brigade runs a web service on every core and keeps it running: a supervisor binds the listening
//! sockets, forks one single-threaded worker per CPU core, and replaces workers that crash, without
//! losing a connection that it could have kept.
//!
//! [`run()`] gives a service the whole command line; any `tower` service will do, an axum `Router`
//! as it is:
//!
//! ```no_run
//! use std::convert::Infallible;
//! use std::process::ExitCode;
//!
//! use axum::{Router, routing::get};
//!
//! fn main() -> ExitCode {
//!     brigade::run(|_context| async {
//!         Ok::<_, Infallible>(Router::new().route("/", get(|| async { "Hello, world" })))
//!     })
//! }
//! ```
//!
//! `shop serve --bind 0.0.0.0:80 --workers 4` then serves it, `shop serve --help` lists every
//! option, and `shop check` shows what each is set to and where that comes from. A program with a
//! command line of its own sets the options in code instead: [`Server`].
//!
//! What a service needs inside: [`Context`] (which worker it is, what to do when it leaves),
//! [`Peer`] (who asks), [`offload`] and [`concurrently`] (work that would hold up the event loop),
//! [`Local`] (state of a worker that need not be `Send`). docs/library.md tells how they fit
//! together.

#![forbid(unsafe_code)]

mod begin_log;
mod cli;
mod commands;
#[cfg(feature = "layers")]
pub mod layers;
mod run;
mod server;
mod version;

pub use brigade_files::{FileBody, Files, files};
pub use brigade_worker::{
    App, BoxError, Context, Endpoint, Factory, Local, Peer, RequestBody, ServiceFn, StartError,
    TlsFacts, WithPeer, concurrently, offload, service_fn, with_peer,
};
pub use run::run;
pub use server::Server;
