//! The app that `brigade serve` runs when it is given none: routes that show how a worker behaves
//! when an app waits, works, blocks, streams or crashes.
//!
//! ```text
//! route (what is asked, pure) -> service -> burgers | fibonacci | crash | stream | strain
//! mischief (a file that makes new workers fail) -> service
//! ```

mod burgers;
mod crash;
mod fibonacci;
mod mischief;
mod query;
mod reply;
mod route;
mod service;
mod strain;
mod stream;

pub(crate) use service::app;
