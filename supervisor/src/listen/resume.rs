//! The beginning: what was kept for this supervisor is taken back as if a generation before had
//! listened there, what is missing is opened, and only then anything changes.

use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use brigade_config::{Balance, SupervisorConfig};
use socket2::SockRef;
use tracing::info;

use super::filter;
use super::inherited::Inherited;
use super::kept::TakenBack;
use super::kept_name::KeptName;
use super::listeners::{Entry, LOOK, Listeners, Set, Takers};
use super::place::{Origin, Place, Queue, empty};
use super::stage::PlaceId;

impl Listeners {
    /// Takes back what was kept and opens every other address, for one slot. All or nothing: on
    /// problems, every one of them is told, what was opened is closed and removed again, and what
    /// was kept stays as it is for the next try.
    pub(crate) fn open(
        config: &SupervisorConfig,
        inherited: Inherited,
    ) -> Result<Self, Vec<String>> {
        let TakenBack { places, loose } = TakenBack::sort(inherited.sockets);
        let next = places.last_key_value().map_or(1, |(id, _)| id + 1);
        let before = Set {
            entries: places.keys().copied().map(entry).collect(),
            backlog: config.backlog,
        };
        let mut listeners = Self {
            places,
            next,
            current: before,
            staged: None,
            retired: Vec::new(),
            next_look: None,
            passed: inherited.passed,
            balance: config.balance,
            slots: 1,
            steered: Vec::new(),
            is_uneven: false,
            loose,
            has_changed: true,
        };
        listeners.stage(config)?;
        listeners.passed.let_go();
        Ok(listeners)
    }

    /// Opens addresses that have nothing to do with what this process was passed.
    pub(crate) fn open_own(config: &SupervisorConfig) -> Result<Self, Vec<String>> {
        let mut own = Self::open(config, Inherited::default())?;
        own.begin(config, drop);
        Ok(own)
    }

    /// From now on this supervisor listens, and nothing can make its start fail any more: kept
    /// addresses that are not configured are retired. What waits where nobody will come is handed
    /// over.
    pub(crate) fn begin(&mut self, config: &SupervisorConfig, mut hand_over: impl FnMut(OwnedFd)) {
        // First, since growing needs a group in which every index is known.
        for socket in std::mem::take(&mut self.loose) {
            // Who comes between the last look and the end tries again by himself.
            let _ = filter::refuse(&socket);
            empty(&socket, &mut hand_over);
            let _ = SockRef::from(&socket).shutdown(Shutdown::Both);
        }
        let Some((_, set)) = self.staged.take() else {
            return;
        };
        let before = std::mem::replace(&mut self.current, set);
        let mut taken_back = Vec::new();
        for entry in self.current.entries.clone() {
            let Some(place) = self.places.get_mut(&entry.place) else {
                continue;
            };
            place.was_told = true;
            if !before.entries.iter().any(|old| old.place == entry.place) {
                continue;
            }
            taken_back.push(place.address.to_string());
            place.resume(entry.bind, config);
            let left = place.fit(config.balance);
            self.slots = self.slots.max(place.slots());
            if let Some(left) = left {
                self.retire_new(left);
            }
        }
        for old in &before.entries {
            if self
                .current
                .entries
                .iter()
                .all(|entry| entry.place != old.place)
            {
                self.retire(old.place);
            }
        }
        if !self.retired.is_empty() {
            self.next_look = Some(Instant::now() + LOOK);
        }
        if !taken_back.is_empty() {
            let (addresses, slots) = (taken_back.join(", "), self.slots);
            info!(
                event = "store.resumed",
                addresses,
                slots,
                "going on with the sockets that were kept: {addresses}; whoever has connected meanwhile is served"
            );
        }
        // The supervisor before had left out some that now are like the others.
        let _ = self.steer(&[], &Takers::default());
    }

    fn retire_new(&mut self, place: Place) {
        let id = self.next;
        self.next += 1;
        self.places.insert(id, place);
        self.retire(id);
    }

    /// How many slots are open.
    pub(crate) fn slots(&self) -> u16 {
        self.slots
    }

    /// Whether sockets have come or gone since this was asked last.
    pub(crate) fn take_change(&mut self) -> bool {
        std::mem::take(&mut self.has_changed)
    }

    /// What the service manager is to keep, with the name for each, the most important first: as
    /// long as of every address one socket is left, nobody is refused. Of each address there must
    /// never be one without those before it ([`super::kept`]).
    pub(crate) fn to_be_kept(&self) -> Vec<(String, BorrowedFd<'_>)> {
        let all = self.places.iter();
        let mut sockets: Vec<_> = all.flat_map(|(id, place)| place.to_be_kept(*id)).collect();
        sockets.sort_by_key(|(name, _)| (name.slot, name.place));
        let label = |name| KeptName::Socket(name).to_string();
        let sockets = sockets.into_iter();
        sockets
            .map(|(name, socket)| (label(name), socket.as_fd()))
            .collect()
    }

    /// Notes for each address whether the service manager has its first socket.
    pub(crate) fn note_kept(&mut self, is_kept: impl Fn(&str) -> bool) {
        let ids: Vec<PlaceId> = self.places.keys().copied().collect();
        for id in ids {
            let Some(place) = self.places.get_mut(&id) else {
                continue;
            };
            let name = place.to_be_kept(id).next().map(|(name, _)| name);
            let name = name.map(|name| KeptName::Socket(name).to_string());
            place.is_kept = name.is_some_and(|name| is_kept(&name));
        }
    }
}

/// A kept place, whatever words of a configuration it was for.
fn entry(place: PlaceId) -> Entry {
    Entry {
        place,
        bind: String::new(),
        is_insecure: false,
    }
}

impl Place {
    /// Makes a kept place what one is that was opened for this configuration.
    fn resume(&mut self, bind: String, config: &SupervisorConfig) {
        // It may have been on its way out.
        let _ = self.admit();
        self.set_backlog(config.backlog);
        if let Origin::Bound(words, file) = &mut self.origin {
            *words = bind;
            if let Some(file) = file {
                let _ = file.set_mode(config.umask);
            }
        }
    }

    /// How many slots it has sockets for.
    pub(super) fn slots(&self) -> u16 {
        let sockets = match &self.queue {
            Queue::PerSlot(_, sockets) => sockets.len(),
            Queue::Shared(_) => 1,
        };
        u16::try_from(sockets).unwrap_or(u16::MAX)
    }

    /// Has one queue or one for each slot, as is configured now. Gives those sockets that are left
    /// over, as a place of their own that gets no new connections.
    fn fit(&mut self, balance: Balance) -> Option<Place> {
        let Queue::PerSlot(address, sockets) = &mut self.queue else {
            return None;
        };
        let address = *address;
        match balance {
            Balance::Slots => {
                // Others are to join the first, also if it had been alone until now.
                for socket in &*sockets {
                    let _ = SockRef::from(socket).set_reuse_port(true);
                }
                None
            }
            Balance::Shared => {
                let _ = self.steer(&[brigade_shared::id::SlotId(0)]);
                let Queue::PerSlot(_, sockets) = &mut self.queue else {
                    return None;
                };
                let left = sockets.split_off(1);
                let first = sockets.pop()?;
                // Nobody is to join it by accident.
                let _ = SockRef::from(&first).set_reuse_port(false);
                self.queue = Queue::Shared(first);
                let origin = Origin::Bound(String::new(), None);
                let queue = Queue::PerSlot(address, left);
                let is_empty = queue.sockets().is_empty();
                (!is_empty).then(|| Place::new(self.address.clone(), origin, queue))
            }
        }
    }
}
