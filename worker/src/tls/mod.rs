//! TLS by rustls; no other module names it.
//!
//! ```text
//!  files (texts) -> material: certificates, keys, clients' CAs, OCSP responses -> check: what is wrong
//!                       |
//!                    settings: rustls' configuration, with the resolver (SNI) and the tickets
//!                       |           swapped as a whole when the files change
//!  raw connection -> acceptor -> stream (a transport like any other) and facts (for the app)
//! ```
//!
//! Keys for tickets come from the supervisor, so that a session resumes in every worker. Which
//! cryptography is used is chosen in `provider` and nowhere else.

mod acceptor;
mod check;
mod clients;
mod facts;
mod material;
mod not_tls;
mod plain;
mod provider;
mod resolver;
mod settings;
mod state;
mod stream;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tickets;
mod x509;

pub(crate) use acceptor::Acceptor;
pub use check::{TlsProblems, check_tls};
pub use facts::TlsFacts;
pub(crate) use not_tls::write_down;
pub(crate) use plain::Addresses;
pub(crate) use state::Tls;
