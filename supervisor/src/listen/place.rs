//! One address: its sockets, from the first bind until nothing waits in them any more.
//!
//! ```text
//!              no longer configured                 after the settling time
//!   Serving ------------------------> Retired -----------------------------> closed
//!      ^         refuse                  |   what waits is handed over
//!      +---------------------------------+
//!            configured again: admit
//! ```

use std::io;
use std::net::Shutdown;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};

use brigade_shared::id::SlotId;
use brigade_shared::seat::Address;
use brigade_shared::sys::accept::{accept, concerns_one_connection};
use brigade_shared::sys::reuseport;
use socket2::SockRef;

use super::inherit::Inheritance;
use super::kept_name::{SocketName, mark};
use super::stage::PlaceId;
use super::unix::SocketFile;
use super::{bind, filter, handshakes};

/// One address and its sockets.
#[derive(Debug)]
pub(super) struct Place {
    /// Where it is.
    pub(super) address: Address,
    /// Where it came from.
    pub(super) origin: Origin,
    /// Its sockets.
    pub(super) queue: Queue,
    /// Whether it has ever been part of a generation that took over. If not, nobody was told.
    pub(super) was_told: bool,
    /// How many connections that waited here were handed over since it was retired.
    pub(super) handed_over: u32,
    /// What its sockets' names in the service manager's store say of it.
    pub(super) mark: u64,
    /// Whether the service manager has its sockets, too: when this process ends they live on.
    pub(super) is_kept: bool,
}

/// Where a place came from.
#[derive(Debug)]
pub(super) enum Origin {
    /// Bound here, for these words of the configuration; the file that a Unix socket has.
    Bound(String, Option<SocketFile>),
    /// Somebody else's, who may go on to use it.
    Inherited(Inheritance),
}

/// How connections to a place wait.
#[derive(Debug)]
pub(super) enum Queue {
    /// A queue per slot: the index is the slot, and the socket's index in its reuseport group.
    PerSlot(SocketAddr, Vec<OwnedFd>),
    /// One queue for all.
    Shared(OwnedFd),
}

impl Queue {
    /// All its sockets.
    pub(super) fn sockets(&self) -> &[OwnedFd] {
        match self {
            Self::PerSlot(_, sockets) => sockets,
            Self::Shared(socket) => std::slice::from_ref(socket),
        }
    }

    /// The one that a slot's worker accepts from.
    pub(super) fn of_slot(&self, slot: SlotId) -> Option<&OwnedFd> {
        match self {
            Self::PerSlot(_, sockets) => sockets.get(usize::from(slot.0)),
            Self::Shared(socket) => Some(socket),
        }
    }

    /// For the log: `per-slot` or `shared`.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::PerSlot(..) => "per-slot",
            Self::Shared(_) => "shared",
        }
    }
}

impl Place {
    /// One that nobody was told of yet.
    pub(super) fn new(address: Address, origin: Origin, queue: Queue) -> Self {
        let mark = match &origin {
            Origin::Bound(_, Some(file)) => file.mark(),
            Origin::Bound(words, None) => mark(words.as_bytes()),
            Origin::Inherited(_) => 0,
        };
        Self {
            address,
            origin,
            queue,
            was_told: false,
            handed_over: 0,
            mark,
            is_kept: false,
        }
    }

    /// The names for the service manager's store, and the sockets. It has those that it has passed
    /// itself.
    pub(super) fn to_be_kept(&self, id: PlaceId) -> impl Iterator<Item = (SocketName, &OwnedFd)> {
        let is_ours = self.inheritance().is_none();
        let sockets = self.queue.sockets().iter().filter(move |_| is_ours);
        (0..).zip(sockets).map(move |(slot, socket)| {
            let mark = self.mark;
            let place = id;
            (SocketName { place, slot, mark }, socket)
        })
    }

    /// Where it is, if it is a TCP address.
    pub(super) fn tcp(&self) -> Option<SocketAddr> {
        match self.address {
            Address::Tcp(address) => Some(address),
            Address::Unix(_) | Address::Abstract(_) => None,
        }
    }

    /// How it is inherited, if it is.
    pub(super) fn inheritance(&self) -> Option<&Inheritance> {
        match &self.origin {
            Origin::Inherited(from) => Some(from),
            Origin::Bound(..) => None,
        }
    }

    /// Opens sockets until there are as many as slots.
    pub(super) fn grow(&mut self, slots: usize, backlog: u16) -> io::Result<()> {
        if let Queue::PerSlot(address, sockets) = &mut self.queue {
            while sockets.len() < slots {
                sockets.push(bind::another(*address, backlog)?);
            }
        }
        Ok(())
    }

    /// Closes sockets until there are as many as slots, but for the first. From the end: closing
    /// one in the middle would move the last of the reuseport group to its index, and the
    /// steering would be wrong.
    pub(super) fn shrink(&mut self, slots: usize, hand_over: &mut impl FnMut(OwnedFd)) {
        if let Queue::PerSlot(_, sockets) = &mut self.queue {
            while sockets.len() > slots.max(1) {
                if let Some(socket) = sockets.pop() {
                    empty(&socket, hand_over);
                    // Out of the group also if a stray process still holds a copy of it.
                    let _ = SockRef::from(&socket).shutdown(Shutdown::Both);
                }
            }
        }
    }

    /// Sends new connections to these slots only; to all for none.
    pub(super) fn steer(&self, slots: &[SlotId]) -> io::Result<()> {
        let Queue::PerSlot(_, sockets) = &self.queue else {
            return Ok(());
        };
        let open = |slot: &u16| usize::from(*slot) < sockets.len();
        let mut indexes: Vec<u16> = slots.iter().map(|slot| slot.0).filter(open).collect();
        if indexes.is_empty() {
            indexes = (0..).take(sockets.len()).collect();
        }
        match sockets.first() {
            Some(socket) => reuseport::choose_among(socket.as_fd(), &indexes),
            None => Ok(()),
        }
    }

    /// Another limit of what may wait; an inherited socket's is its maker's.
    pub(super) fn set_backlog(&self, backlog: u16) {
        if let Origin::Bound(..) = self.origin {
            for socket in self.queue.sockets() {
                // Listening already: it can't fail.
                let _ = SockRef::from(socket).listen(i32::from(backlog));
            }
        }
    }

    /// Takes no new connections any more, as far as that can be taken back. Those that wait or
    /// whose handshake is under way are still accepted.
    pub(super) fn refuse(&self) {
        match (&self.origin, &self.address) {
            // Whoever made it may go on to use it.
            (Origin::Inherited(_), _) => {}
            (Origin::Bound(..), Address::Tcp(_)) => {
                for socket in self.queue.sockets() {
                    // Out of kernel memory: then what comes until the end is handed over like
                    // what waits.
                    let _ = filter::refuse(socket);
                }
            }
            (Origin::Bound(_, file), Address::Unix(_)) => {
                if let Some(file) = file {
                    file.remove();
                }
            }
            // Only to be closed.
            (Origin::Bound(..), Address::Abstract(_)) => {}
        }
    }

    /// Whether [`Self::refuse`] can be taken back: a file that was removed can't be made again.
    pub(super) fn can_be_readmitted(&self) -> bool {
        self.inheritance().is_some() || !matches!(self.address, Address::Unix(_))
    }

    /// Takes new connections again.
    pub(super) fn admit(&self) -> io::Result<()> {
        match self.tcp() {
            Some(_) if self.inheritance().is_none() => {
                self.queue.sockets().iter().try_for_each(filter::admit)
            }
            _ => Ok(()),
        }
    }

    /// Whether somebody is about to connect who must not be reset.
    pub(super) fn expects_somebody(&self) -> bool {
        let is_ours = self.inheritance().is_none();
        is_ours && self.tcp().is_some_and(handshakes::are_under_way)
    }

    /// Hands over what waits.
    pub(super) fn empty(&self, hand_over: &mut impl FnMut(OwnedFd)) {
        for socket in self.queue.sockets() {
            empty(socket, hand_over);
        }
    }

    /// Hands over what waits and closes.
    pub(super) fn close(self, hand_over: &mut impl FnMut(OwnedFd)) {
        let is_ours = self.inheritance().is_none();
        let is_unix = self.tcp().is_none();
        if is_ours && is_unix {
            // Who would come between the last accept and the end is refused instead of reset.
            self.shut(Shutdown::Read);
        }
        self.empty(hand_over);
        if is_ours {
            // A process that still holds a copy must not keep the address.
            self.shut(Shutdown::Both);
        }
        self.remove_file();
    }

    fn shut(&self, how: Shutdown) {
        for socket in self.queue.sockets() {
            let _ = SockRef::from(socket).shutdown(how);
        }
    }

    /// Removes the file, if it has one. An inherited socket's stays: it is whoever's made it.
    pub(super) fn remove_file(&self) {
        if let Origin::Bound(_, Some(file)) = &self.origin {
            file.remove();
        }
    }
}

/// No more than this is taken from one queue in one go: somebody else may fill an inherited one
/// for ever. The longest queue that there can be.
const MOST: usize = 65_536;

/// Hands over what waits in a queue.
pub(super) fn empty(socket: &OwnedFd, hand_over: &mut impl FnMut(OwnedFd)) {
    for _ in 0..MOST {
        match accept(socket.as_fd()) {
            Ok(connection) => hand_over(connection),
            Err(error) if concerns_one_connection(&error) => {}
            Err(_) => return,
        }
    }
}
