//! The messages of greeter.proto, and client and server of its service.

#![forbid(unsafe_code)]

pub mod greeter;
