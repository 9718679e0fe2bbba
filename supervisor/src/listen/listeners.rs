//! All listening sockets: opened together or not at all, held for the workers, closed in the end.

use std::net::Shutdown::Both;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use brigade_config::{Bind, SupervisorConfig};
use brigade_shared::id::SlotId;
use brigade_shared::seat::Address;
use brigade_shared::sys::reuseport;
use socket2::SockRef;

use super::inherit::Passed;
use super::unix::SocketFile;
use super::{bind, inherit, unix};

/// Every address and its sockets.
#[derive(Debug)]
pub(crate) struct Listeners {
    places: Vec<Place>,
    backlog: u16,
}

/// One address.
#[derive(Debug)]
pub(crate) struct Place {
    /// Where it is.
    pub(crate) address: Address,
    /// As it was configured.
    pub(crate) bind: String,
    queue: Queue,
}

/// How connections to an address wait.
#[derive(Debug)]
enum Queue {
    /// A queue per slot: the index is the slot, and the socket's index in its reuseport group.
    PerSlot(SocketAddr, Vec<OwnedFd>),
    /// One queue for all; the file to remove in the end.
    Shared(OwnedFd, Option<SocketFile>),
}

/// A queue in which connections wait to be accepted.
#[derive(Clone, Copy)]
pub(crate) struct Waiting<'a> {
    /// For whom; none: for whoever comes first.
    pub(crate) slot: Option<SlotId>,
    /// The listening socket.
    pub(crate) socket: BorrowedFd<'a>,
    /// Where it listens.
    pub(crate) address: &'a Address,
}

impl Listeners {
    /// Opens every address, for one slot. All or nothing: on problems, every one of them is told
    /// and what was opened is closed and removed again.
    pub(crate) fn open(config: &SupervisorConfig) -> Result<Self, Vec<String>> {
        let mut listeners = Self {
            places: Vec::new(),
            backlog: config.backlog,
        };
        let mut problems = Vec::new();
        let mut passed = Passed::take().map_err(|problem| vec![problem])?;
        for bind in &config.binds {
            match open(bind, config, &mut passed) {
                Ok(places) => listeners.places.extend(places),
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() {
            return Ok(listeners);
        }
        listeners.close();
        Err(problems)
    }

    /// Every address in the order of `--bind`.
    pub(crate) fn places(&self) -> &[Place] {
        &self.places
    }

    /// Opens the sockets of a slot where they are not open; slots are opened in ascending order.
    pub(crate) fn open_slot(&mut self, slot: SlotId) -> std::io::Result<()> {
        for place in &mut self.places {
            if let Queue::PerSlot(address, sockets) = &mut place.queue {
                while sockets.len() <= usize::from(slot.0) {
                    sockets.push(bind::another(*address, self.backlog)?);
                }
            }
        }
        Ok(())
    }

    /// Closes the sockets of a slot and of all above. From the end: closing one in the middle
    /// would move the last of the reuseport group to its index, and the steering would be wrong.
    pub(crate) fn close_slot(&mut self, slot: SlotId) {
        for place in &mut self.places {
            if let Queue::PerSlot(_, sockets) = &mut place.queue {
                while sockets.len() > usize::from(slot.0).max(1) {
                    // Out of the group also if a stray process still holds a copy of it.
                    let _ = sockets
                        .pop()
                        .map(|socket| SockRef::from(&socket).shutdown(Both));
                }
            }
        }
    }

    /// Sends new connections to these slots only; to all for none.
    pub(crate) fn steer(&self, slots: &[SlotId]) -> std::io::Result<()> {
        for place in &self.places {
            let Queue::PerSlot(_, sockets) = &place.queue else {
                continue;
            };
            let open = |slot: &u16| usize::from(*slot) < sockets.len();
            let mut indexes: Vec<u16> = slots.iter().map(|slot| slot.0).filter(open).collect();
            if indexes.is_empty() {
                indexes = (0..).take(sockets.len()).collect();
            }
            if let Some(socket) = sockets.first() {
                reuseport::choose_among(socket.as_fd(), &indexes)?;
            }
        }
        Ok(())
    }

    /// What the worker of an open slot listens on.
    pub(crate) fn of_slot(&self, slot: SlotId) -> Vec<(BorrowedFd<'_>, &Address)> {
        let mut found = Vec::with_capacity(self.places.len());
        for place in &self.places {
            let socket = match &place.queue {
                Queue::PerSlot(_, sockets) => sockets.get(usize::from(slot.0)),
                Queue::Shared(socket, _) => Some(socket),
            };
            found.extend(socket.map(|socket| (socket.as_fd(), &place.address)));
        }
        found
    }

    /// Every queue in which connections may wait, in the order of `--bind`.
    pub(crate) fn queues(&self) -> impl Iterator<Item = Waiting<'_>> {
        self.places.iter().flat_map(|place| {
            let (own, shared) = match &place.queue {
                Queue::PerSlot(_, sockets) => (sockets.as_slice(), None),
                Queue::Shared(socket, _) => (&[][..], Some((None, socket))),
            };
            let own = (0..).map(SlotId).map(Some).zip(own);
            own.chain(shared).map(|(slot, socket)| Waiting {
                slot,
                socket: socket.as_fd(),
                address: &place.address,
            })
        })
    }

    /// Closes everything and removes the socket files. Inherited sockets' files stay: they are
    /// whoever's made them.
    pub(crate) fn close(&mut self) {
        for place in self.places.drain(..) {
            if let Queue::Shared(_, Some(file)) = &place.queue {
                file.remove();
            }
        }
    }
}

impl Place {
    /// For the log: `per-slot` or `shared`.
    pub(crate) fn queue(&self) -> &'static str {
        match self.queue {
            Queue::PerSlot(..) => "per-slot",
            Queue::Shared(..) => "shared",
        }
    }
}

fn open(
    bind: &Bind,
    config: &SupervisorConfig,
    passed: &mut Passed,
) -> Result<Vec<Place>, Vec<String>> {
    let named = bind.to_string();
    let shared = |socket, address, file| Place {
        address,
        bind: named.clone(),
        queue: Queue::Shared(socket, file),
    };
    let inherited = |socket: OwnedFd| {
        let address = inherit::check(&socket, &named, config.backlog)?;
        Ok(shared(socket, address, None))
    };
    match bind {
        Bind::Tcp(ip, port) => tcp(SocketAddr::new(*ip, *port), &named, config.backlog)
            .map(|place| vec![place])
            .map_err(|problem| vec![problem]),
        Bind::Name(name, port) => by_name(name, *port, &named, config.backlog),
        Bind::Unix(path) => unix::bind_path(path, config.backlog, config.umask)
            .map(|(socket, file)| vec![shared(socket, Address::Unix(path.clone()), Some(file))])
            .map_err(|problem| vec![problem]),
        Bind::Abstract(name) => unix::bind_abstract(name, config.backlog)
            .map(|socket| vec![shared(socket, Address::Abstract(name.clone().into()), None)])
            .map_err(|problem| vec![problem]),
        Bind::Fd(number) => inherit::numbered(*number, passed)
            .and_then(inherited)
            .map(|place| vec![place])
            .map_err(|problem| vec![problem]),
        Bind::Systemd(name) => {
            let sockets = passed.named(name).map_err(|problem| vec![problem])?;
            let opened: Result<Vec<Place>, String> = sockets.into_iter().map(inherited).collect();
            opened.map_err(|problem| vec![problem])
        }
    }
}

fn tcp(address: SocketAddr, named: &str, backlog: u16) -> Result<Place, String> {
    let opened = bind::first(address, backlog).and_then(|socket| {
        let actual = bind::actual(&socket)?;
        Ok((actual, socket))
    });
    let (actual, socket) = opened.map_err(|error| bind::explain(address, &error))?;
    let queue = Queue::PerSlot(actual, vec![socket]);
    Ok(Place {
        address: Address::Tcp(actual),
        bind: named.to_owned(),
        queue,
    })
}

/// A host name means all its addresses, on one port; those of a family that this machine does not
/// have are left out if another can be had.
fn by_name(name: &str, port: u16, named: &str, backlog: u16) -> Result<Vec<Place>, Vec<String>> {
    let addresses = bind::resolve(name, port).map_err(|error| {
        vec![format!(
            "cannot listen on {named}: the name {name} can't be resolved: give an address of this machine, or 0.0.0.0 for all ({error})"
        )]
    })?;
    let mut places: Vec<Place> = Vec::new();
    let mut problems = Vec::new();
    let mut chosen = port;
    for mut address in addresses {
        address.set_port(chosen);
        match tcp(address, named, backlog) {
            Ok(place) => {
                if let Address::Tcp(actual) = place.address {
                    chosen = actual.port();
                }
                places.push(place);
            }
            Err(_) if !has_family(address) => {}
            Err(problem) => problems.push(problem),
        }
    }
    match (places.is_empty(), problems.is_empty()) {
        (false, true) => Ok(places),
        (true, true) => Err(vec![format!(
            "cannot listen on {named}: {name} has no usable address"
        )]),
        (_, false) => Err(problems),
    }
}

/// Whether this machine speaks the address's family at all.
fn has_family(address: SocketAddr) -> bool {
    let any: SocketAddr = match address {
        SocketAddr::V4(_) => ([127, 0, 0, 1], 0).into(),
        SocketAddr::V6(_) => ([0, 0, 0, 0, 0, 0, 0, 1], 0).into(),
    };
    std::net::UdpSocket::bind(any).is_ok()
}
