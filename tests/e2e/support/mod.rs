//! The harness: start a Brigade in a private directory, follow its log, talk to it with a client
//! that accounts for every request, and prove after each test that nothing stays behind.

mod account;
mod brigade;
mod contract;
mod http;
mod launch;
mod load;
mod log;
mod needs;
mod process;
mod teardown;

pub(crate) use account::Kill;
pub(crate) use brigade::Brigade;
pub(crate) use http::{Address, Connection, Trouble};
pub(crate) use launch::{Launch, run};
pub(crate) use load::Load;
pub(crate) use log::{Event, Mark, PATIENCE};
pub(crate) use needs::{Need, app, lacks, node, python};
pub(crate) use process::{Process, reap};
