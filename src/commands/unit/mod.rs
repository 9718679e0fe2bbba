//! `unit`: a systemd unit for the effective configuration.
//!
//! ```text
//! flags, environment, file -> command (how to start it like this) -\
//!                          -> facts   (what it will need)           > service, socket (text)
//!              config/systemd/brigade@.service -> template ---------/
//! ```

mod command;
mod facts;
mod service;
mod socket;
mod template;
mod words;

pub(crate) use command::unit;
