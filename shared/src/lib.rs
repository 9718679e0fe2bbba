//! The ground under Brigade: words and system calls that the supervisor and the workers share.
//! It knows neither of them, nor the configuration, nor an async runtime.

pub mod append;
pub mod board;
pub mod channel;
pub mod desk;
pub mod exit;
pub mod id;
pub mod log;
pub mod message;
pub mod parcel;
pub mod seat;
pub mod sys;
pub mod tickets;
