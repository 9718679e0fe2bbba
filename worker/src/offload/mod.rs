//! Work that would hold up the event loop, done beside it: [`blocking`] for what waits (files, clients
//! that know nothing of async), [`cpu`] for what computes, [`cooperative()`] for a long task that stays
//! on the loop and gives way now and then.
//!
//! ```text
//!                       full: Error::Full, 503        late: Error::Late, 503
//! blocking(f) | cpu(f) ----> queue --------------------> thread ------------> result, or its panic
//!                              |                           |
//!               dropped: never run           dropped: goes on, its result is dropped
//! ```
//!
//! Each worker has its own two pools: a bounded number of threads that are started when they are
//! needed and end when they are not, and a bounded queue. Whatever does not fit is refused at once
//! with an [`Error`], which becomes 503: a queue without a bound only makes everybody wait for
//! answers that nobody waits for any more. docs/offload.md tells how to choose the numbers.
//!
//! ```
//! use brigade_worker::offload::{self, Error};
//!
//! async fn page(name: &'static str) -> Result<String, Error> {
//!     let text = offload::blocking(move || std::fs::read_to_string(name).unwrap_or_default());
//!     let text = text.await?;
//!     offload::cpu(move || text.to_uppercase()).await
//! }
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
//! # assert_eq!(runtime.block_on(page("/dev/null")).unwrap(), "");
//! ```

mod cooperative;
mod error;
mod job;
mod pool;
mod pools;
mod tally;
#[cfg(test)]
mod tests;

pub use cooperative::{Cooperative, cooperative};
pub use error::Error;
pub use job::Job;
pub(crate) use pools::Pools;
pub use pools::{blocking, cpu};
