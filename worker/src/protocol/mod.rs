//! What is spoken over a connection, once everything beneath it is settled.

#[cfg(test)]
mod forms;
mod http1;
mod http2;
mod sniff;

pub(crate) use http2::PREFACE;
pub(crate) use sniff::{Protocol, sniff};

pub(crate) use http1::serve as serve_http1;
pub(crate) use http2::serve as serve_http2;
