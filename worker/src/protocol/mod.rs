//! What is spoken over a connection, once everything beneath it is settled.

mod calm;
#[cfg(test)]
mod calm_tests;
#[cfg(test)]
mod flood_tests;
#[cfg(test)]
mod forms;
mod frames;
mod http1;
mod http2;
mod sniff;
mod too_much;

pub(crate) use http2::PREFACE;
pub(crate) use sniff::{Protocol, sniff};

pub(crate) use http1::serve as serve_http1;
pub(crate) use http2::serve as serve_http2;
