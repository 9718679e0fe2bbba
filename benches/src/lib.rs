//! Speed and memory of Brigade, measured side by side with its peers in one run.
//! `brigade-bench` is the driver; the `contender-*` binaries are the peers.

#![forbid(unsafe_code)]

pub mod contender;
pub mod works;
