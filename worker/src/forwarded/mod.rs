//! Who the client really is, behind proxies that are believed.
//!
//! ```text
//! x-forwarded-for: 203.0.113.9, 10.0.0.2        peer 10.0.0.3 (believed)
//!                       ^           ^                  |
//!        not believed: the client   believed  <--------+   right to left, entry by entry
//! ```
//!
//! Each proxy appends whom it has heard. So the last entry was written by the peer, and the one
//! before it by whoever that entry names: each is believed only if its writer is. What cannot be
//! read ends the walk where it is.

mod address;
mod apply;
mod id;
mod list;
mod pairs;
mod walk;
#[cfg(test)]
mod walk_tests;

#[cfg(feature = "fuzzing")]
pub(crate) use apply::said;
pub(crate) use apply::{Forwarded, apply, is_believed};
pub(crate) use id::{REQUEST_ID, identify, is_id};
