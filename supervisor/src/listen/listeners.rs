//! All listening sockets: held for the workers of two generations while a reload runs, and for
//! whoever still has to be served at an address that is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use brigade_config::{Balance, SupervisorConfig};
use brigade_shared::id::{Generation, SlotId};
use brigade_shared::seat::Address;
use serde::{Deserialize, Serialize};
use tracing::info;

use super::inherit::Passed;
use super::place::{Place, Queue};
use super::stage::{PlaceId, Staged, Staging, Which, pick};

/// Every address and its sockets.
#[derive(Debug)]
pub(crate) struct Listeners {
    /// All that are open, by number.
    pub(super) places: BTreeMap<PlaceId, Place>,
    /// The number of the next one.
    pub(super) next: PlaceId,
    /// What the generation that has taken over last listens on.
    pub(super) current: Set,
    /// What the next configuration names; its generation, once it has one.
    pub(super) staged: Option<(Option<Generation>, Set)>,
    /// The places that belong to neither and are soon to be closed.
    pub(super) retired: Vec<Retired>,
    /// When to look again at those that could not be closed yet.
    pub(super) next_look: Option<Instant>,
    pub(super) passed: Passed,
    pub(super) balance: Balance,
    /// How many slots are open.
    pub(super) slots: u16,
    /// Which of them get new connections; empty: all.
    pub(super) steered: Vec<SlotId>,
    /// Whether some places are steered otherwise, since not everybody listens there.
    pub(super) is_uneven: bool,
    /// Kept sockets that are to be emptied and closed as soon as this start can't fail any more.
    pub(super) loose: Vec<OwnedFd>,
    /// Whether sockets have come or gone since the service manager was told.
    pub(super) has_changed: bool,
}

/// What one configuration names, in its order.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub(super) struct Set {
    pub(super) entries: Vec<Entry>,
    pub(super) backlog: u16,
}

/// A place as one configuration names it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) place: PlaceId,
    pub(super) bind: String,
    /// It is named as one without TLS. Beside the words, since any free port has the same words.
    #[serde(default)]
    pub(super) is_insecure: bool,
}

/// A place on its way out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Retired {
    pub(super) place: PlaceId,
    /// So often it may still be left open for handshakes that are under way.
    pub(super) looks: u8,
}

/// The pause between two looks at a retired place where handshakes are under way, and how many
/// there may be: time for the server to repeat its answer once, and for a slow link.
pub(super) const LOOK: Duration = Duration::from_millis(100);
const LOOKS: u8 = 30;

/// A socket as a worker gets it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Offer<'a> {
    /// The listening socket.
    pub(crate) socket: BorrowedFd<'a>,
    /// Where it listens.
    pub(crate) address: &'a Address,
    /// Whether other slots' workers accept from the same queue.
    pub(crate) is_shared: bool,
    /// The number of the place.
    pub(crate) place: PlaceId,
    /// Whether it never speaks TLS.
    pub(crate) is_insecure: bool,
}

/// Who takes connections: in which slot, and at which places; none: wherever the slot has a queue.
#[derive(Clone, Debug, Default)]
pub(crate) struct Takers<'a>(pub(crate) Vec<(SlotId, Option<&'a [PlaceId]>)>);

impl Takers<'_> {
    /// The slots that have somebody who takes connections, but nobody who does so at this place.
    fn deaf(&self, place: PlaceId) -> BTreeSet<SlotId> {
        let slots = |hear: bool| {
            let own = self.0.iter();
            let own = own.filter(move |(_, places)| {
                places.is_none_or(|places| places.contains(&place)) == hear
            });
            own.map(|(slot, _)| *slot).collect::<BTreeSet<_>>()
        };
        &slots(false) - &slots(true)
    }
}

/// A queue in which connections wait to be accepted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting<'a> {
    /// For whom; none: for whoever comes first.
    pub(crate) slot: Option<SlotId>,
    /// The listening socket.
    pub(crate) socket: BorrowedFd<'a>,
    /// Where it listens.
    pub(crate) address: &'a Address,
}

/// An address in words, for the log.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    /// Where it is.
    pub(crate) address: String,
    /// As it was configured.
    pub(crate) bind: String,
    /// `per-slot` or `shared`.
    pub(crate) queue: &'static str,
    /// Whether it never speaks TLS.
    pub(crate) is_insecure: bool,
}

impl Set {
    fn holds(&self, place: PlaceId) -> bool {
        self.entries.iter().any(|entry| entry.place == place)
    }

    fn ids(&self) -> impl Iterator<Item = PlaceId> {
        self.entries.iter().map(|entry| entry.place)
    }
}

impl Listeners {
    /// Finds or opens every address of the next configuration. On problems, every one of them is
    /// told and nothing has changed. Equal addresses keep their sockets, and one that is being
    /// closed is taken back; the generation that serves loses nothing until the commit.
    pub(crate) fn stage(&mut self, config: &SupervisorConfig) -> Result<(), Vec<String>> {
        self.has_changed = true;
        self.unstage();
        let mut staged = self.find_or_open(config);
        if staged.has_problems() {
            return Err(staged.undo(&mut self.passed));
        }
        let mut set = Set {
            entries: Vec::new(),
            backlog: config.backlog,
        };
        for found in std::mem::take(&mut staged.entries) {
            let place = match found.which {
                Which::Open(id) => id,
                Which::New(place) => {
                    let id = self.next;
                    self.next += 1;
                    self.places.insert(id, place);
                    id
                }
            };
            set.entries.push(Entry {
                place,
                is_insecure: found.position >= config.binds.len(),
                bind: found.bind,
            });
        }
        self.take_back(&set);
        self.staged = Some((None, set));
        let _ = self.steer_staged();
        Ok(())
    }

    pub(super) fn find_or_open(&mut self, config: &SupervisorConfig) -> Staged {
        let open = self.current.ids().chain(self.retired());
        let places = &self.places;
        let can_be_taken = |(id, place): &(PlaceId, &Place)| {
            !self.retired().any(|retired| retired == *id) || place.can_be_readmitted()
        };
        let staging = Staging {
            open: pick(places, open)
                .into_iter()
                .filter(can_be_taken)
                .collect(),
            passed: &mut self.passed,
            per_slot: (self.balance == Balance::Slots).then_some(usize::from(self.slots)),
            config,
        };
        staging.run()
    }

    /// The places of a set that were being closed take new connections again.
    fn take_back(&mut self, set: &Set) {
        let slots = usize::from(self.slots);
        let wanted = |retired: &mut Retired| set.holds(retired.place);
        for back in self.retired.extract_if(.., wanted) {
            if let Some(place) = self.places.get_mut(&back.place) {
                // A slot's socket that can't be had is told by the spawn into that slot.
                let _ = place.grow(slots, set.backlog);
                let _ = place.admit();
            }
        }
    }

    /// What was staged last is this generation's.
    pub(crate) fn assign(&mut self, generation: Generation) {
        if let Some((whose @ None, _)) = &mut self.staged {
            *whose = Some(generation);
        }
    }

    /// The generation has taken over: what it does not listen on is retired.
    pub(crate) fn commit(&mut self, generation: Generation) {
        let Some((_, set)) = self.staged.take_if(|(whose, _)| *whose == Some(generation)) else {
            return;
        };
        let before = std::mem::replace(&mut self.current, set);
        for entry in &before.entries {
            if !self.current.holds(entry.place) {
                self.retire(entry.place);
            }
        }
        for entry in &self.current.entries {
            let Some(place) = self.places.get_mut(&entry.place) else {
                continue;
            };
            if self.current.backlog != before.backlog {
                place.set_backlog(self.current.backlog);
            }
            if !before.holds(entry.place) {
                place.was_told = true;
                let (address, bind) = (place.address.to_string(), &entry.bind);
                let queue = place.queue.name();
                info!(
                    event = "listen.added",
                    address, bind, queue, "listening on {address} too"
                );
            }
        }
    }

    /// The generation has failed: what only it listened on is retired.
    pub(crate) fn drop_staged(&mut self, generation: Generation) {
        if let Some((Some(_), _)) = self
            .staged
            .as_ref()
            .filter(|(whose, _)| *whose == Some(generation))
        {
            self.unstage();
        }
    }

    fn unstage(&mut self) {
        let Some((_, set)) = self.staged.take() else {
            return;
        };
        for id in set.ids() {
            if !self.current.holds(id) {
                self.retire(id);
            }
        }
    }

    fn retired(&self) -> impl Iterator<Item = PlaceId> {
        self.retired.iter().map(|retired| retired.place)
    }

    pub(super) fn retire(&mut self, id: PlaceId) {
        let Some(place) = self.places.get(&id) else {
            return;
        };
        place.refuse();
        let looks = LOOKS;
        self.retired.push(Retired { place: id, looks });
        if place.was_told {
            let address = place.address.to_string();
            info!(
                event = "listen.retired",
                address, "no new connections at {address}: those that wait are still served"
            );
        }
    }

    /// Closes what was retired; what waits there is handed over first. Where handshakes are under
    /// way it is left open, and is to be closed again at [`Self::next_look`].
    pub(crate) fn close_retired(&mut self, mut hand_over: impl FnMut(OwnedFd)) {
        self.has_changed = true;
        let mut waits = Vec::new();
        for mut retired in std::mem::take(&mut self.retired) {
            let Some(mut place) = self.places.remove(&retired.place) else {
                continue;
            };
            let mut handed_over = place.handed_over;
            let mut counted = |connection| {
                handed_over += 1;
                hand_over(connection);
            };
            if retired.looks > 0 && place.expects_somebody() {
                place.empty(&mut counted);
                place.handed_over = handed_over;
                self.places.insert(retired.place, place);
                retired.looks -= 1;
                waits.push(retired);
                continue;
            }
            let (address, was_told) = (place.address.to_string(), place.was_told);
            place.close(&mut counted);
            if was_told {
                info!(
                    event = "listen.removed",
                    address,
                    handed_over,
                    "{address} is closed; connections that waited there: {handed_over}"
                );
            }
        }
        self.next_look = (!waits.is_empty()).then(|| Instant::now() + LOOK);
        self.retired = waits;
    }

    /// Not yet.
    pub(crate) fn look_later(&mut self) {
        self.next_look = Some(Instant::now() + LOOK);
    }

    /// When to close again what could not be closed yet, because handshakes were under way.
    pub(crate) fn next_look(&self) -> Option<Instant> {
        self.next_look
    }

    /// Every address in the order of `--bind`.
    pub(crate) fn shown(&self) -> impl Iterator<Item = Shown> {
        self.current.entries.iter().filter_map(|entry| {
            let place = self.places.get(&entry.place)?;
            Some(Shown {
                address: place.address.to_string(),
                bind: entry.bind.clone(),
                queue: place.queue.name(),
                is_insecure: entry.is_insecure,
            })
        })
    }

    /// Opens the sockets of a slot where they are not open; slots are opened in ascending order.
    pub(crate) fn open_slot(&mut self, slot: SlotId) -> io::Result<()> {
        self.slots = self.slots.max(slot.0.saturating_add(1));
        let (slots, backlog) = (usize::from(self.slots), self.current.backlog);
        for (id, place) in &mut self.places {
            if self.retired.iter().all(|retired| retired.place != *id) {
                self.has_changed |= place.slots() < self.slots;
                place.grow(slots, backlog)?;
            }
        }
        Ok(())
    }

    /// Closes the sockets of a slot and of all above; what waits there is handed over first.
    pub(crate) fn close_slot(&mut self, slot: SlotId, mut hand_over: impl FnMut(OwnedFd)) {
        self.has_changed = true;
        self.slots = self.slots.min(slot.0.max(1));
        for place in self.places.values_mut() {
            place.shrink(usize::from(slot.0), &mut hand_over);
        }
    }

    /// Sends new connections to these slots only; to all for none. While a reload replaces workers
    /// in waves, a slot may be served by one who does not listen everywhere any more: there it gets
    /// nothing as long as others do.
    pub(crate) fn steer(&mut self, slots: &[SlotId], takers: &Takers<'_>) -> io::Result<()> {
        self.steered = slots.to_vec();
        self.is_uneven = false;
        for (id, place) in pick(&self.places, self.current.ids()) {
            let deaf = takers.deaf(id);
            if deaf.is_empty() {
                place.steer(slots)?;
                continue;
            }
            self.is_uneven = true;
            let mut there = slots.to_vec();
            if there.is_empty() {
                there = (0..self.slots).map(SlotId).collect();
            }
            there.retain(|slot| !deaf.contains(slot));
            place.steer(&there)?;
        }
        self.steer_staged()
    }

    /// Where new connections go; empty: everywhere.
    pub(crate) fn steered(&self) -> &[SlotId] {
        &self.steered
    }

    /// Where new connections go, and whether it has to be told again: somebody has come or gone,
    /// and not everybody listens everywhere.
    pub(crate) fn steered_unevenly(&self, takers: &Takers<'_>) -> Option<Vec<SlotId>> {
        let has_deaf = |place| !takers.deaf(place).is_empty();
        let is_uneven = self.is_uneven || self.current.ids().any(has_deaf);
        is_uneven.then(|| self.steered.clone())
    }

    /// Until the commit only the canary is sure to listen on what was added.
    fn steer_staged(&self) -> io::Result<()> {
        let staged = self.staged.iter().flat_map(|(_, set)| set.ids());
        let added = staged.filter(|id| !self.current.holds(*id));
        for (_, place) in pick(&self.places, added) {
            place.steer(&[SlotId(0)])?;
        }
        Ok(())
    }

    /// What a worker of this generation in this slot, which is open, listens on.
    pub(crate) fn of_slot(&self, slot: SlotId, generation: Generation) -> Vec<Offer<'_>> {
        let set = match &self.staged {
            Some((Some(whose), set)) if *whose == generation => set,
            _ => &self.current,
        };
        let places = &self.places;
        set.entries
            .iter()
            .filter_map(|entry| {
                let place = places.get(&entry.place)?;
                Some(Offer {
                    socket: place.queue.of_slot(slot)?.as_fd(),
                    address: &place.address,
                    is_shared: matches!(place.queue, Queue::Shared(_)),
                    place: entry.place,
                    is_insecure: entry.is_insecure,
                })
            })
            .collect()
    }

    /// Every queue in which connections may wait, those of retired places too.
    pub(crate) fn queues(&self) -> impl Iterator<Item = Waiting<'_>> {
        self.places.values().flat_map(|place| {
            let is_shared = matches!(place.queue, Queue::Shared(_));
            let slots = (0..).map(move |slot| (!is_shared).then_some(SlotId(slot)));
            slots
                .zip(place.queue.sockets())
                .map(|(slot, socket)| Waiting {
                    slot,
                    socket: socket.as_fd(),
                    address: &place.address,
                })
        })
    }

    /// Closes everything and removes the socket files. Inherited sockets' files stay: they are
    /// whoever's made them. So do those of sockets that the service manager has: who connects there
    /// waits for the next supervisor.
    pub(crate) fn close(&mut self) {
        for place in std::mem::take(&mut self.places).into_values() {
            if !place.is_kept {
                place.remove_file();
            }
        }
        self.current.entries.clear();
        self.staged = None;
        self.retired.clear();
    }
}
