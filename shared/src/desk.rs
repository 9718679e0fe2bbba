//! What the process behind the admin address is born with.

use std::sync::Arc;

use crate::board::Board;
use crate::channel::Channel;
use crate::message::{AdminFact, AdminOrder};
use crate::seat::Listener;

/// Its place: what it listens on, what it reads, and whom it asks.
#[derive(Debug)]
pub struct Desk {
    /// The listening sockets, non-blocking. The supervisor holds them too, so that nobody is
    /// refused while this process is replaced.
    pub listeners: Vec<Listener>,
    /// To the supervisor; its end means that the supervisor died.
    pub link: Channel<AdminFact, AdminOrder>,
    /// The scoreboard, to be read only.
    pub board: Arc<Board>,
    /// The supervisor's process.
    pub supervisor: u32,
    /// The version to tell.
    pub version: String,
}
