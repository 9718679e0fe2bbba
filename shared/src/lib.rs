//! The ground under Brigade: words and system calls that the supervisor and the workers share.
//! It knows neither of them, nor the configuration, nor an async runtime.

pub mod id;
pub mod exit;
pub mod message;
pub mod channel;
pub mod seat;
pub mod board;
pub mod sys;
