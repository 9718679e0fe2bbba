//! A worker from its birth to its end, on real sockets: each runs in a thread of the test, which
//! plays the supervisor at the other end of the link.

mod app;
mod client;
mod desk;
mod worker;

mod draining;
mod handed;
mod leaving;
mod passing;
mod serving;
mod shared;
mod starting;
mod watched;
