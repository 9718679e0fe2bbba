//! Listening sockets that a supervisor before this one gave the service manager to keep: back to
//! the addresses and slots that they were for.
//!
//! A socket's index in its reuseport group is where it stands in the kernel's list. Sockets join at
//! the end and leave from the end, so those that are left are the first ones in the order of their
//! slots, however the supervisor before ended. Where that does not hold (somebody has removed one in
//! the middle), the kernel has moved others to other indexes, and what follows the gap can't be
//! steered to any more: it is loose, which means that what waits there is served and it is closed.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};

use brigade_shared::seat::Address;
use brigade_shared::sys::fd;
use socket2::SockRef;
use tracing::warn;

use super::announced::fault;
use super::inherit::address_of;
use super::kept_name::SocketName;
use super::place::{Origin, Place, Queue};
use super::stage::PlaceId;
use super::unix::SocketFile;
use crate::store::inode;

/// A socket that was kept.
#[derive(Debug)]
pub(super) struct KeptSocket {
    /// What its name says; none if that is another version's.
    pub(super) name: Option<SocketName>,
    /// The name as the manager has it.
    pub(super) label: String,
    pub(super) socket: OwnedFd,
}

/// What has become of the sockets that were kept.
#[derive(Default, Debug)]
pub(super) struct TakenBack {
    /// The addresses, with all sockets whose place in their group is known.
    pub(super) places: BTreeMap<PlaceId, Place>,
    /// Those that are only to be emptied and closed.
    pub(super) loose: Vec<OwnedFd>,
}

/// A kept socket that listens.
struct Living {
    name: SocketName,
    label: String,
    address: Address,
    socket: OwnedFd,
}

impl TakenBack {
    /// Changes nothing that could be seen from outside: this start may fail yet.
    pub(super) fn sort(kept: Vec<KeptSocket>) -> Self {
        let mut taken = Self::default();
        for one in alive(kept) {
            taken.take(one);
        }
        taken
    }

    fn take(&mut self, one: Living) {
        let own = self.places.get_mut(&one.name.place);
        let fits = match own {
            Some(place) => match &mut place.queue {
                Queue::PerSlot(_, sockets)
                    if place.address == one.address
                        && sockets.len() == usize::from(one.name.slot) =>
                {
                    sockets.push(one.socket);
                    return;
                }
                Queue::PerSlot(..) | Queue::Shared(_) => false,
            },
            // Without the first ones it is the first itself, as soon as the loose are closed.
            None => !self.has(&one.address),
        };
        match fits.then(|| origin(&one)) {
            Some(Ok(origin)) => {
                let queue = match one.address {
                    Address::Tcp(address) => Queue::PerSlot(address, vec![one.socket]),
                    Address::Unix(_) | Address::Abstract(_) => Queue::Shared(one.socket),
                };
                let mut place = Place::new(one.address, origin, queue);
                place.mark = one.name.mark;
                place.is_kept = true;
                place.was_told = true;
                self.places.insert(one.name.place, place);
            }
            Some(Err(problem)) => self.loosen(one, &problem),
            None => {
                let problem = format!("its place among the sockets of {} is lost", one.address);
                self.loosen(one, &problem);
            }
        }
    }

    fn has(&self, address: &Address) -> bool {
        self.places.values().any(|place| place.address == *address)
    }

    fn loosen(&mut self, one: Living, problem: &str) {
        tell_stale(&one.label, problem);
        self.loose.push(one.socket);
    }
}

/// Those that listen, each once.
fn alive(mut kept: Vec<KeptSocket>) -> Vec<Living> {
    // Of one socket under two names the first is believed; places of another version get numbers
    // above all that are known.
    kept.sort_by_key(|one| (one.name.is_none(), one.name));
    let known = kept.iter().filter_map(|one| one.name);
    let highest = known.map(|name| name.place).max().unwrap_or_default();
    let mut unnamed = highest.saturating_add(1)..;
    let mut seen = Vec::new();
    let mut living = Vec::new();
    for KeptSocket {
        name,
        label,
        socket,
    } in kept
    {
        let address = match listening(&socket) {
            Ok(address) => address,
            Err(_) if name.is_none() => {
                tell_stale(&label, "another version has stored it");
                continue;
            }
            Err(problem) => {
                tell_stale(&label, &problem);
                continue;
            }
        };
        let number = inode(socket.as_fd());
        if seen.contains(&number) {
            continue;
        }
        seen.push(number);
        let name = name.unwrap_or_else(|| SocketName {
            place: unnamed.next().unwrap_or(PlaceId::MAX),
            slot: 0,
            mark: 0,
        });
        living.push(Living {
            name,
            label,
            address,
            socket,
        });
    }
    living
}

/// Where it listens, or why it can't be used.
fn listening(socket: &OwnedFd) -> Result<Address, String> {
    if let Some(problem) = fault(socket) {
        return Err(problem);
    }
    let reference = SockRef::from(socket);
    if !reference.is_listener().unwrap_or(false) {
        return Err("it does not listen any more".to_owned());
    }
    fd::set_nonblocking(socket.as_fd()).map_err(|error| error.to_string())?;
    address_of(&reference)
}

/// Where it comes from: a Unix socket is of use only with its file.
fn origin(one: &Living) -> Result<Origin, String> {
    // The words are known by their mark only.
    let words = String::new();
    let Address::Unix(path) = &one.address else {
        return Ok(Origin::Bound(words, None));
    };
    let file =
        SocketFile::found(path).filter(|file| one.name.mark == 0 || file.mark() == one.name.mark);
    match file {
        Some(file) => Ok(Origin::Bound(words, Some(file))),
        None => Err(format!(
            "its file {} is gone or is another's by now",
            path.display()
        )),
    }
}

/// What the store had in vain, and what is done about it.
pub(super) fn tell_stale(name: &str, problem: &str) {
    warn!(
        event = "store.stale",
        name,
        problem,
        "what the service manager kept as {name} can't be used, since {problem}: what waits there is served, and it is removed from the store"
    );
}
