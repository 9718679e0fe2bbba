//! The harness: start a Brigade in a private directory, follow its log, talk to it with a client
//! that accounts for every request, and prove after each test that nothing stays behind.

mod account;
mod brigade;
mod client;
mod container;
mod contract;
mod crowd;
pub(crate) mod h2;
mod http;
mod keeper;
mod launch;
mod load;
pub(crate) mod log;
mod needs;
mod process;
mod service_manager;
mod teardown;
mod timing;
mod tls;
mod trouble;

pub(crate) use account::{Account, Kill};
pub(crate) use brigade::{Brigade, Worker};
pub(crate) use container::{COMMIT, built, contained, contained_in, image, outside, shop};
pub(crate) use crowd::{Crowd, full, say, sized};
pub(crate) use http::{Address, Connection, Trouble};
pub(crate) use keeper::Keeper;
pub(crate) use launch::{Launch, copy_program, run};
pub(crate) use load::{Load, Running};
pub(crate) use log::{Event, Mark, PATIENCE};
pub(crate) use needs::{Need, app, lacks, node, python};
pub(crate) use process::{Process, reap};
pub(crate) use service_manager::{Message, Place, ServiceManager};
pub(crate) use timing::Timing;
pub(crate) use tls::{Authority, TlsClient, certificate};
