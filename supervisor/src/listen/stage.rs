//! From a configuration to the places that it names: those that are open already, and new ones.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use brigade_config::{Bind, SupervisorConfig};
use brigade_shared::seat::Address;

use super::inherit::{Inheritance, Passed};
use super::kept_name::mark;
use super::place::{Origin, Place, Queue};
use super::{bind, inherit, unix};

/// A number for a place, never used again.
pub(crate) type PlaceId = u64;

/// Looks up and opens, and changes nothing that is open already.
pub(super) struct Staging<'a> {
    /// What is open, the preferred first.
    pub(super) open: Vec<(PlaceId, &'a Place)>,
    /// Sockets that are inherited and not used.
    pub(super) passed: &'a mut Passed,
    /// Whether TCP addresses have a queue per slot, and for so many slots.
    pub(super) per_slot: Option<usize>,
    pub(super) config: &'a SupervisorConfig,
}

/// What a configuration names, in its order.
#[derive(Default)]
pub(super) struct Staged {
    pub(super) entries: Vec<Found>,
    problems: Vec<(usize, String)>,
    /// Of the words that are dealt with.
    position: usize,
}

/// A place and the words that name it.
pub(super) struct Found {
    pub(super) position: usize,
    pub(super) bind: String,
    pub(super) which: Which,
}

/// A place that is open already, or one that was opened for this.
pub(super) enum Which {
    Open(PlaceId),
    New(Place),
}

impl Staged {
    fn holds(&self, id: PlaceId) -> bool {
        let is_it = |found: &Found| matches!(found.which, Which::Open(known) if known == id);
        self.entries.iter().any(is_it)
    }

    fn push(&mut self, bind: &Bind, which: Which) {
        let (position, bind) = (self.position, bind.to_string());
        self.entries.push(Found {
            position,
            bind,
            which,
        });
    }

    fn refuse(&mut self, problem: String) {
        self.problems.push((self.position, problem));
    }

    /// Whether something could not be had.
    pub(super) fn has_problems(&self) -> bool {
        !self.problems.is_empty()
    }

    /// Closes what was opened, as if it had never been.
    pub(super) fn undo(self, passed: &mut Passed) -> Vec<String> {
        for found in self.entries {
            let Which::New(place) = found.which else {
                continue;
            };
            place.remove_file();
            if let (Origin::Inherited(from), Queue::Shared(socket)) = (place.origin, place.queue) {
                passed.give_back(socket, from);
            }
        }
        let told = self.problems.into_iter();
        told.map(|(_, problem)| problem).collect()
    }
}

impl Staging<'_> {
    /// Finds or opens everything. If there are problems, that is to be undone.
    pub(super) fn run(mut self) -> Staged {
        // Where any port will do comes last: it must not take the place of one that is named.
        let any_port = |bind: &Bind| matches!(bind, Bind::Tcp(_, 0) | Bind::Name(_, 0));
        let mut binds: Vec<(usize, &Bind)> = self.config.all_binds().enumerate().collect();
        binds.sort_by_key(|(_, bind)| any_port(bind));
        let mut staged = Staged::default();
        for (position, bind) in binds {
            staged.position = position;
            self.find_or_open(bind, &mut staged);
        }
        staged.entries.sort_by_key(|found| found.position);
        staged.problems.sort_by_key(|(position, _)| *position);
        self.check_overlaps(&mut staged);
        staged
    }

    fn find_or_open(&mut self, bind: &Bind, staged: &mut Staged) {
        match bind {
            Bind::Tcp(ip, port) => self.tcp(bind, SocketAddr::new(*ip, *port), staged),
            Bind::Name(name, port) => self.name(bind, name, *port, staged),
            Bind::Unix(path) => {
                let is_it = |place: &Place| match (&place.origin, &place.address) {
                    (Origin::Bound(_, Some(file)), _) => file.is_at(path),
                    (Origin::Inherited(_), Address::Unix(other)) => other == path,
                    _ => false,
                };
                if !self.found(bind, is_it, staged) {
                    let opened = unix::bind_path(path, self.backlog(), self.config.umask);
                    let address = Address::Unix(path.clone());
                    let opened =
                        opened.map(|(socket, file)| shared(bind, address, Some(file), socket));
                    staged.take(bind, opened);
                }
            }
            Bind::Abstract(name) => {
                let address = Address::Abstract(name.clone().into());
                if !self.found(bind, |place| place.address == address, staged) {
                    let opened = unix::bind_abstract(name, self.backlog());
                    let opened = opened.map(|socket| shared(bind, address, None, socket));
                    staged.take(bind, opened);
                }
            }
            Bind::Fd(number) => {
                let is_it = |from: &Inheritance| from.is_numbered(*number);
                if !self.inherited_before(bind, is_it, staged) {
                    let sockets = self.passed.numbered(*number);
                    self.inherited(bind, sockets.map(|socket| vec![socket]), staged);
                }
            }
            Bind::Systemd(name) => {
                let is_it = |from: &Inheritance| from.is_named(name);
                if !self.inherited_before(bind, is_it, staged) {
                    let sockets = self.passed.named(name);
                    self.inherited(bind, sockets, staged);
                }
            }
        }
    }

    /// What was bound beside a place that was to go, but is named too.
    fn check_overlaps(&self, staged: &mut Staged) {
        let kept = |id: PlaceId| self.open.iter().find(|(known, _)| *known == id);
        let kept: Vec<SocketAddr> = staged
            .entries
            .iter()
            .filter_map(|found| match found.which {
                Which::Open(id) => kept(id).and_then(|(_, place)| place.tcp()),
                Which::New(_) => None,
            })
            .collect();
        let doubled = staged.entries.iter().filter_map(|found| {
            let Which::New(place) = &found.which else {
                return None;
            };
            let new = place.tcp()?;
            let other = kept.iter().find(|other| bind::overlap(new, **other))?;
            let bind = &found.bind;
            let problem = format!(
                "cannot listen on {bind}: {other} is configured too, and one takes the connections of the other: keep the wider one"
            );
            Some((found.position, problem))
        });
        let doubled: Vec<_> = doubled.collect();
        staged.problems.extend(doubled);
    }

    fn backlog(&self) -> u16 {
        self.config.backlog
    }

    /// Takes the first open place that this is, if there is one and it is not taken yet.
    fn found(&self, bind: &Bind, is_it: impl Fn(&Place) -> bool, staged: &mut Staged) -> bool {
        let mut fitting = self
            .open
            .iter()
            .filter(|(id, place)| !staged.holds(*id) && is_it(place));
        let found = fitting.next().map(|(id, _)| *id);
        if let Some(id) = found {
            staged.push(bind, Which::Open(id));
        }
        found.is_some()
    }

    /// Takes all open places that were inherited so, if there are any.
    fn inherited_before(
        &self,
        bind: &Bind,
        is_it: impl Fn(&Inheritance) -> bool,
        staged: &mut Staged,
    ) -> bool {
        let mut some = false;
        while self.found(
            bind,
            |place| place.inheritance().is_some_and(&is_it),
            staged,
        ) {
            some = true;
        }
        some
    }

    fn inherited(
        &mut self,
        bind: &Bind,
        sockets: Result<Vec<(OwnedFd, Inheritance)>, String>,
        staged: &mut Staged,
    ) {
        for (socket, from) in sockets.unwrap_or_else(|problem| {
            staged.refuse(problem);
            Vec::new()
        }) {
            match inherit::check(&socket, &bind.to_string(), self.backlog()) {
                Ok(address) => {
                    let (origin, queue) = (Origin::Inherited(from), Queue::Shared(socket));
                    let place = Place::new(address, origin, queue);
                    staged.push(bind, Which::New(place));
                }
                Err(problem) => {
                    self.passed.give_back(socket, from);
                    staged.refuse(problem);
                }
            }
        }
    }

    fn tcp(&self, bind: &Bind, address: SocketAddr, staged: &mut Staged) {
        if !self.found(bind, |place| is_tcp(place, bind, address), staged) {
            let opened = self.open_tcp(bind, address, staged);
            staged.take(bind, opened.map_err(|error| bind::explain(address, &error)));
        }
    }

    /// A host name means all its addresses, on one port; those of a family that this machine does
    /// not have are left out if another can be had.
    fn name(&self, bind: &Bind, name: &str, port: u16, staged: &mut Staged) {
        let addresses = match bind::resolve(name, port) {
            Ok(addresses) => addresses,
            Err(error) => {
                staged.refuse(format!(
                    "cannot listen on {bind}: the name {name} can't be resolved: give an address of this machine, or 0.0.0.0 for all ({error})"
                ));
                return;
            }
        };
        let (before, problems) = (staged.entries.len(), staged.problems.len());
        // The port that the kernel chose for one of them before, or chooses for the first now.
        let known = self.open.iter().filter(|(id, _)| !staged.holds(*id));
        let mut known = known.filter_map(|(_, place)| bound_port(place, bind));
        let mut chosen = if port == 0 {
            known.next().unwrap_or(0)
        } else {
            port
        };
        for mut address in addresses {
            address.set_port(chosen);
            if self.found(bind, |place| is_tcp(place, bind, address), staged) {
                continue;
            }
            match self.open_tcp(bind, address, staged) {
                Ok(place) => {
                    chosen = place.tcp().map_or(chosen, |actual| actual.port());
                    staged.push(bind, Which::New(place));
                }
                Err(_) if !bind::has_family(address) => {}
                Err(error) => staged.refuse(bind::explain(address, &error)),
            }
        }
        if staged.entries.len() == before && staged.problems.len() == problems {
            let problem = format!("cannot listen on {bind}: {name} has no usable address");
            staged.refuse(problem);
        }
    }

    fn open_tcp(&self, bind: &Bind, address: SocketAddr, staged: &Staged) -> io::Result<Place> {
        let grouped = self.per_slot.is_some();
        let socket = match bind::first(address, self.backlog(), grouped) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                let ours = self.overlapping(address, staged);
                if ours.is_empty() {
                    return Err(error);
                }
                bind::beside(&ours, address, self.backlog(), grouped)?
            }
            other => other?,
        };
        let actual = bind::actual(&socket)?;
        let queue = match self.per_slot {
            Some(_) => Queue::PerSlot(actual, vec![socket]),
            None => Queue::Shared(socket),
        };
        let origin = Origin::Bound(bind.to_string(), None);
        let mut place = Place::new(Address::Tcp(actual), origin, queue);
        place.grow(self.per_slot.unwrap_or(1), self.backlog())?;
        Ok(place)
    }

    /// Our own sockets that are in the way of this address and will go: `0.0.0.0:80` takes the
    /// place of `127.0.0.1:80`, or the other way round.
    fn overlapping(&self, address: SocketAddr, staged: &Staged) -> Vec<&OwnedFd> {
        let in_the_way = |place: &Place| {
            let other = place.tcp();
            other.is_some_and(|other| bind::overlap(address, other))
                && place.inheritance().is_none()
        };
        let places = self.open.iter();
        let places = places.filter(|(id, place)| in_the_way(place) && !staged.holds(*id));
        places
            .flat_map(|(_, place)| place.queue.sockets())
            .collect()
    }
}

impl Staged {
    fn take(&mut self, bind: &Bind, opened: Result<Place, String>) {
        match opened {
            Ok(place) => self.push(bind, Which::New(place)),
            Err(problem) => self.refuse(problem),
        }
    }
}

fn shared(bind: &Bind, address: Address, file: Option<unix::SocketFile>, socket: OwnedFd) -> Place {
    let origin = Origin::Bound(bind.to_string(), file);
    Place::new(address, origin, Queue::Shared(socket))
}

/// Whether a place is this TCP address. With port 0 it is the one that was bound for the same
/// words: a reload does not choose another port.
fn is_tcp(place: &Place, bind: &Bind, address: SocketAddr) -> bool {
    match address.port() {
        0 => {
            let same_host = place.tcp().is_some_and(|tcp| tcp.ip() == address.ip());
            same_host && bound_port(place, bind).is_some()
        }
        _ => place.tcp() == Some(address),
    }
}

/// The port of a place that was bound for these words.
fn bound_port(place: &Place, bind: &Bind) -> Option<u16> {
    match &place.origin {
        Origin::Bound(..) if place.mark == mark(bind.to_string().as_bytes()) => {
            place.tcp().map(|address| address.port())
        }
        Origin::Bound(..) | Origin::Inherited(_) => None,
    }
}

/// The places of these numbers, in this order.
pub(super) fn pick(
    places: &BTreeMap<PlaceId, Place>,
    ids: impl IntoIterator<Item = PlaceId>,
) -> Vec<(PlaceId, &Place)> {
    let find = |id| places.get(&id).map(|place| (id, place));
    ids.into_iter().filter_map(find).collect()
}
