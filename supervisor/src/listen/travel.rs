//! The listening sockets on their way into another program, and its rehearsal.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::time::Instant;

use brigade_config::{Balance, SupervisorConfig};
use brigade_shared::id::{Generation, SlotId};
use brigade_shared::seat::Address;
use serde::{Deserialize, Serialize};

use super::inherit::{Inheritance, Passed};
use super::listeners::{LOOK, Listeners, Retired, Set};
use super::place::{Origin, Place, Queue};
use super::stage::PlaceId;
use super::unix::SocketFile;
use crate::handover::{Carried, Packing, Unpacking};

/// All of [`Listeners`] in words and numbers; the descriptors go beside it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct ListenersState {
    places: Vec<PlaceState>,
    next: PlaceId,
    current: Set,
    staged: Option<(Option<Generation>, Set)>,
    retired: Vec<Retired>,
    unused: Vec<(Carried, Inheritance)>,
    names: Vec<String>,
    is_per_slot: bool,
    slots: u16,
    steered: Vec<SlotId>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct PlaceState {
    id: PlaceId,
    address: AddressState,
    origin: OriginState,
    /// Whether the sockets are one for each slot.
    is_per_slot: bool,
    sockets: Vec<Carried>,
    was_told: bool,
    handed_over: u32,
    /// None: in the words of a program that knew no store.
    #[serde(default)]
    mark: Option<u64>,
    #[serde(default)]
    is_kept: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AddressState {
    Tcp(SocketAddr),
    /// In bytes: a path need not be text.
    Unix(Vec<u8>),
    Abstract(Vec<u8>),
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OriginState {
    Bound(String, Option<SocketFile>),
    Inherited(Inheritance),
}

impl Listeners {
    /// Describes everything, for a program that goes on with it.
    pub(crate) fn pack(&self, packing: &mut Packing) -> ListenersState {
        let places = self.places.iter();
        ListenersState {
            places: places.map(|(id, place)| place.pack(*id, packing)).collect(),
            next: self.next,
            current: self.current.clone(),
            staged: self.staged.clone(),
            retired: self.retired.clone(),
            unused: self
                .passed
                .left()
                .map(|(socket, from)| (packing.pack(socket), from.clone()))
                .collect(),
            names: self.passed.names().to_vec(),
            is_per_slot: self.balance == Balance::Slots,
            slots: self.slots,
            steered: self.steered.clone(),
        }
    }

    /// Becomes what another program described.
    ///
    /// # Errors
    /// If a descriptor is missing.
    pub(crate) fn unpack(state: ListenersState, luggage: &mut Unpacking) -> Result<Self, String> {
        let mut places = BTreeMap::new();
        for place in state.places {
            places.insert(place.id, place.unpack(luggage)?);
        }
        let mut passed = Passed::remembered(state.names);
        for (socket, from) in state.unused {
            passed.give_back(luggage.unpack(socket)?, from);
        }
        Ok(Self {
            places,
            next: state.next,
            current: state.current,
            staged: state.staged,
            // In case one was due: one too many changes nothing.
            next_look: (!state.retired.is_empty()).then(|| Instant::now() + LOOK),
            retired: state.retired,
            passed,
            balance: match state.is_per_slot {
                true => Balance::Slots,
                false => Balance::Shared,
            },
            slots: state.slots,
            steered: state.steered,
            // In case it was: one steering too many changes nothing.
            is_uneven: true,
            loose: Vec::new(),
            has_changed: true,
        })
    }

    /// Whether [`Self::stage`] would find and open everything. Closes again what it opened and
    /// changes nothing that is open already: these sockets may be another process's, too.
    pub(crate) fn rehearse(&mut self, config: &SupervisorConfig) -> Result<(), Vec<String>> {
        let staged = self.find_or_open(config);
        match staged.undo(&mut self.passed) {
            problems if problems.is_empty() => Ok(()),
            problems => Err(problems),
        }
    }
}

impl Place {
    fn pack(&self, id: PlaceId, packing: &mut Packing) -> PlaceState {
        let sockets = self.queue.sockets().iter();
        PlaceState {
            id,
            address: match &self.address {
                Address::Tcp(address) => AddressState::Tcp(*address),
                Address::Unix(path) => AddressState::Unix(path.as_os_str().as_bytes().to_vec()),
                Address::Abstract(name) => AddressState::Abstract(name.clone()),
            },
            origin: match &self.origin {
                Origin::Bound(words, file) => OriginState::Bound(words.clone(), file.clone()),
                Origin::Inherited(from) => OriginState::Inherited(from.clone()),
            },
            is_per_slot: matches!(self.queue, Queue::PerSlot(..)),
            sockets: sockets.map(|socket| packing.pack(socket)).collect(),
            was_told: self.was_told,
            handed_over: self.handed_over,
            mark: Some(self.mark),
            is_kept: self.is_kept,
        }
    }
}

impl PlaceState {
    fn unpack(self, luggage: &mut Unpacking) -> Result<Place, String> {
        let mut sockets = Vec::with_capacity(self.sockets.len());
        for socket in self.sockets {
            sockets.push(luggage.unpack(socket)?);
        }
        let address = match self.address {
            AddressState::Tcp(address) => Address::Tcp(address),
            AddressState::Unix(path) => Address::Unix(OsString::from_vec(path).into()),
            AddressState::Abstract(name) => Address::Abstract(name),
        };
        let queue = match (&address, self.is_per_slot) {
            (Address::Tcp(address), true) if !sockets.is_empty() => {
                Queue::PerSlot(*address, sockets)
            }
            (_, false) if sockets.len() == 1 => Queue::Shared(sockets.swap_remove(0)),
            (_, true | false) => return Err(format!("{address} has a wrong number of sockets")),
        };
        let origin = match self.origin {
            OriginState::Bound(words, file) => Origin::Bound(words, file),
            OriginState::Inherited(from) => Origin::Inherited(from),
        };
        let place = Place::new(address, origin, queue);
        Ok(Place {
            was_told: self.was_told,
            handed_over: self.handed_over,
            mark: self.mark.unwrap_or(place.mark),
            is_kept: self.is_kept,
            ..place
        })
    }
}
