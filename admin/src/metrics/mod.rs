//! `/metrics`: read from the scoreboard at each scrape; docs/metrics.md lists what there is.

mod classic;
mod collect;
mod family;
mod offload;
mod seen;
#[cfg(test)]
mod tests;
mod text;

pub(crate) use text::{Form, Metrics};
