//! What a worker is born with.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::board::{Board, RowId};
use crate::channel::Channel;
use crate::id::{Generation, SlotId};
use crate::message::{Fact, Order};
use crate::tickets::TicketKeys;

/// A worker's place: which slot of which generation it fills, and what the supervisor hands it.
/// The worker's configuration travels beside the seat, not in it.
#[derive(Debug)]
pub struct Seat {
    /// The slot to fill.
    pub slot: SlotId,
    /// The generation it belongs to.
    pub generation: Generation,
    /// The listening sockets, non-blocking, in the order of `--bind`.
    pub listeners: Vec<Listener>,
    /// It gets ready, but takes nothing from the queues before [`Order::Begin`].
    pub holds: bool,
    /// With what TLS sessions are resumed, if there are any.
    pub tickets: Option<TicketKeys>,
    /// To the supervisor: facts go up, orders come down; its end means that the supervisor died.
    pub link: Channel<Fact, Order>,
    /// The scoreboard, readable by all.
    pub board: Arc<Board>,
    /// The one row of it that this worker writes. A row belongs to a worker and not to a slot:
    /// while a slot's worker is being replaced there are two, and a field has a single writer.
    pub row: RowId,
    /// The file of the access log, open to append to; none if there is to be none, or why it can't
    /// be had.
    pub access_log: io::Result<Option<OwnedFd>>,
}

/// One listening socket.
#[derive(Debug)]
pub struct Listener {
    /// The socket, bound, listening and non-blocking.
    pub socket: OwnedFd,
    /// Where it listens.
    pub address: Address,
    /// Whether other workers accept from the same queue; otherwise it is this slot's own.
    pub is_shared: bool,
    /// Whether TLS is spoken there, if it is at all.
    pub may_encrypt: bool,
}

/// Where a socket listens.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Address {
    /// TCP over IPv4 or IPv6.
    Tcp(SocketAddr),
    /// A Unix socket with a file.
    Unix(PathBuf),
    /// A Unix socket in the abstract namespace; the name without its leading NUL.
    Abstract(Vec<u8>),
}

impl std::fmt::Display for Address {
    /// An address that can be clicked on or pasted: `http://127.0.0.1:8000`, `unix:/run/a.sock`,
    /// `unix:@name`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "http://{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Abstract(name) => write!(f, "unix:@{}", String::from_utf8_lossy(name)),
        }
    }
}
