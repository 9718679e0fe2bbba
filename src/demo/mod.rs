//! The app that `brigade serve` runs when it is given none: routes that show how a worker behaves
//! when an app waits, works, blocks, streams or crashes.
//!
//! ```text
//! route (what is asked, pure) -> demo (the service) -> burgers | fibonacci | crash | stream
//! ```

mod burgers;
mod crash;
mod fibonacci;
mod query;
mod reply;
mod route;
mod service;
mod stream;

pub(crate) use service::app;
