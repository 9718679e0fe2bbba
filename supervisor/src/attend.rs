//! The acting half's attention to workers and queues between the plan's orders: looks, dozes,
//! connections that others shall serve, and how many processors there are.
//!
//! ```text
//!            Doze                20 ms, nothing has moved
//!   Awake ---------> Drowsy ---------------------------------> Asleep
//!     ^                 |                                         |
//!     +---- Stirred ----+-- somebody waits, a loop turns ---------+
//! ```
//!
//! A worker whose loop turned just before the board told it of the doze does not say so (each may
//! have missed the other's word): hence the last look 20 ms later.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use brigade_shared::id::SlotId;
use brigade_shared::sys::depth::tcp_waiting;
use brigade_shared::sys::process;

use crate::act::Hands;
use crate::launch::Launch;
use crate::listen::{Listeners, Waiting};
use crate::look::{Observer, Scene};
use crate::plan::{Event, KeptSlots, Relief};
use crate::processors::Processors;
use crate::relief::{Crew, Relieving};
use crate::roster::Member;
use crate::stack::Budget;

/// From falling asleep to the last look.
const DROWSY: Duration = Duration::from_millis(20);

/// What the acting half remembers between two turns.
#[derive(Debug, Default)]
pub(crate) struct Attention {
    pub(crate) observer: Observer,
    pub(crate) relieving: Relieving,
    pub(crate) processors: Processors,
    pub(crate) stacks: Budget,
    /// Where new connections shall go, if the kernel was not told yet.
    pub(crate) steering: Option<Vec<SlotId>>,
    sleep: Sleep,
}

/// Whether looks are due.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Sleep {
    #[default]
    Awake,
    Drowsy {
        until: Instant,
    },
    Asleep,
}

impl Attention {
    /// Goes on where another program was.
    pub(crate) fn resume(relieving: Relieving, processors: Processors, open: Vec<SlotId>) -> Self {
        Self {
            relieving,
            processors,
            observer: Observer::resume(open),
            ..Self::default()
        }
    }

    /// When to come back although nothing has happened.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let drowsy = match self.sleep {
            Sleep::Drowsy { until } => Some(until),
            Sleep::Awake | Sleep::Asleep => None,
        };
        drowsy.into_iter().chain(self.relieving.deadline()).min()
    }

    /// Whether somebody who waits in this queue is to be noticed.
    pub(crate) fn watches(&self, slot: Option<SlotId>) -> bool {
        self.sleep != Sleep::Awake || self.relieving.takes_from(slot)
    }
}

impl Hands {
    /// Looks at everything; the plan hears of it before anything else happens.
    pub(crate) fn look(&mut self) {
        self.wake();
        let look = self.with_scene(Observer::look);
        self.events.push_front(Event::Looked(look));
    }

    /// No looks are due: from now on whoever has something to do says so.
    pub(crate) fn doze(&mut self) {
        self.nursery.ledger.board().doze();
        self.attention.sleep = Sleep::Drowsy {
            until: Instant::now() + DROWSY,
        };
        self.stir_if_astir();
    }

    /// Something goes on; the plan is told if it does not look any more.
    pub(crate) fn stirred(&mut self) {
        if self.attention.sleep != Sleep::Awake {
            self.rouse();
        }
    }

    /// Something may go on that nobody will tell of.
    pub(crate) fn rouse(&mut self) {
        self.wake();
        self.events.push_back(Event::Stirred);
    }

    /// Does what is due although nothing has happened. Once a turn.
    pub(crate) fn attend(&mut self) {
        self.with_crew(Relieving::tick);
        self.forget_orphans();
        if let Sleep::Drowsy { until } = self.attention.sleep
            && until <= Instant::now()
        {
            self.attention.sleep = Sleep::Asleep;
            self.stir_if_astir();
        }
    }

    /// Takes back the rows of a former supervisor's workers that have ended.
    fn forget_orphans(&mut self) {
        let ledger = &mut self.nursery.ledger;
        if ledger.has_orphaned() {
            // One that had not yet said who it is would have done so long before a new one serves.
            let is_late = self.roster.all().any(|(_, member)| member.finishes());
            ledger.release_orphaned(|pid| match pid {
                0 => is_late,
                _ => process::has_ended(pid),
            });
        }
    }

    /// Others serve from now on what waits for these.
    pub(crate) fn relieve(&mut self, relief: Relief) {
        let (relieving, listeners, mut crew) = self.parts();
        relieving.begin(relief, crew.roster);
        relieving.tick(&mut crew);
        // At once: what the plan tells next may take its time.
        for queue in listeners.queues() {
            if relieving.takes_from(queue.slot) {
                relieving.take_from(queue, &mut crew);
            }
        }
    }

    /// Somebody waits in these queues, by their number among all: a sleeper is woken, and what
    /// others shall serve is taken.
    pub(crate) fn come(&mut self, numbers: &[usize]) {
        if numbers.is_empty() {
            return;
        }
        self.stirred();
        let (relieving, listeners, mut crew) = self.parts();
        let queues: Vec<Waiting<'_>> = listeners.queues().collect();
        for queue in numbers.iter().filter_map(|number| queues.get(*number)) {
            if relieving.takes_from(queue.slot) {
                relieving.take_from(*queue, &mut crew);
            }
        }
    }

    /// Nothing is left on its way to a worker.
    pub(crate) fn gather(&mut self) {
        self.with_crew(Relieving::gather);
    }

    /// What waits for this slot goes to others before the slot is closed.
    pub(crate) fn close_slot(&mut self, slot: SlotId) {
        self.rescue(|listeners, hand_over| listeners.close_slot(slot, hand_over));
    }

    /// What waits at addresses that are gone goes to others before they are closed.
    pub(crate) fn close_retired(&mut self) {
        self.rescue(|listeners, hand_over| listeners.close_retired(hand_over));
    }

    /// From now on this supervisor listens: the service manager keeps what it had for this start as
    /// long as there is one, and what is new.
    pub(crate) fn begin_to_listen(&mut self) {
        let config = self.configs.committed().cloned();
        if let Some(config) = config {
            self.rescue(|listeners, hand_over| listeners.begin(&config, hand_over));
        }
        self.store.announce();
        self.keep();
    }

    /// It is time to close what was retired. At the start nobody may be there yet to whom what
    /// waits could be given; it is safer in its queue.
    pub(crate) fn look_at_retired(&mut self) {
        let has_somebody = self.roster.all().any(|(_, member)| member.finishes());
        if has_somebody {
            self.close_retired();
        } else {
            self.listeners.look_later();
        }
    }

    /// How many slots were open before this supervisor has begun, and whether what waits there can
    /// only be served by workers of theirs.
    pub(crate) fn kept_slots(&self) -> KeptSlots {
        KeptSlots {
            open: self.listeners.slots(),
            need_workers: match self.nursery.launch {
                Launch::Service(_) => false,
                Launch::Program(_) => true,
            },
        }
    }

    fn rescue(&mut self, close: impl FnOnce(&mut Listeners, &mut dyn FnMut(OwnedFd))) {
        let (relieving, listeners, mut crew) = self.parts();
        close(listeners, &mut |connection| {
            relieving.rescue(connection, &mut crew);
        });
        relieving.tick(&mut crew);
    }

    /// Stops listening for good. What waits for workers that don't come, or is between two, goes
    /// to those who are left: they finish what they have before they leave.
    pub(crate) fn close_listeners(&mut self) {
        self.attention.relieving.last_call();
        let served: Vec<SlotId> = self
            .roster
            .all()
            .filter(|(_, member)| member.accepts())
            .map(|(_, member)| member.slot)
            .collect();
        let relieving = &self.attention.relieving;
        let is_forsaken = |slot: Option<SlotId>| match slot {
            Some(slot) => relieving.relieves(Some(slot)) || !served.contains(&slot),
            None => relieving.relieves(None),
        };
        let queues = self.listeners.queues().map(|queue| queue.slot);
        let forsaken: Vec<_> = queues.filter(|slot| is_forsaken(*slot)).collect();
        let can_take = |member: &Member| member.finishes() && member.link().is_some();
        // If nobody is left here, the next supervisor finds them in what the manager keeps.
        if !self.store.is_sure() || self.roster.all().any(|(_, member)| can_take(member)) {
            self.empty(|queue| forsaken.contains(&queue.slot));
        }
        self.with_crew(Relieving::tick);
        self.keep();
        self.store.leave();
        self.listeners.close();
    }

    fn empty(&mut self, which: impl Fn(&Waiting<'_>) -> bool) {
        let (relieving, listeners, mut crew) = self.parts();
        for queue in listeners.queues().filter(which) {
            relieving.empty(queue, &mut crew);
        }
    }

    /// The quota may have changed: the plan is told if that changes the number of workers.
    pub(crate) fn recount(&mut self) {
        let event = self.attention.processors.recount(self.configs.committed());
        self.events.extend(event);
    }

    /// Somebody has come or gone: where not everybody listens everywhere, the kernel has to be told.
    pub(crate) fn steer_again(&mut self) {
        if self.attention.steering.is_none() {
            let takers = self.roster.takers();
            self.attention.steering = self.listeners.steered_unevenly(&takers);
        }
    }

    /// Tells the kernel where new connections go, if that has changed.
    pub(crate) fn steer_now(&mut self) {
        if let Some(slots) = self.attention.steering.take() {
            self.steer(&slots);
        }
    }

    fn wake(&mut self) {
        self.attention.sleep = Sleep::Awake;
        // Nobody has to tell us any more.
        let _ = self.nursery.ledger.board().stir();
    }

    fn stir_if_astir(&mut self) {
        if self.with_scene(|observer, scene| observer.is_astir(scene)) {
            self.stirred();
        }
    }

    fn with_crew(&mut self, act: impl FnOnce(&mut Relieving, &mut Crew<'_>)) {
        let (relieving, _, mut crew) = self.parts();
        act(relieving, &mut crew);
    }

    fn parts(&mut self) -> (&mut Relieving, &mut Listeners, Crew<'_>) {
        let waiting = match self.attention.relieving.has_adrift() {
            true => waiting_by_slot(&self.listeners),
            false => BTreeMap::new(),
        };
        let crew = Crew {
            waiting,
            roster: &mut self.roster,
            board: self.nursery.ledger.board(),
            files: self.nursery.open_files.most(),
        };
        (&mut self.attention.relieving, &mut self.listeners, crew)
    }

    fn with_scene<T>(&mut self, act: impl FnOnce(&mut Observer, &mut Scene<'_>) -> T) -> T {
        let queues: Vec<Waiting<'_>> = self.listeners.queues().collect();
        let board = Arc::clone(self.nursery.ledger.board());
        let (configs, relieving) = (&self.configs, &self.attention.relieving);
        let mut scene = Scene {
            roster: &mut self.roster,
            board: &board,
            queues: &queues,
            on_their_way: &|worker| relieving.on_their_way(worker),
            memory_limit: &|generation| configs.memory_limit(generation),
        };
        act(&mut self.attention.observer, &mut scene)
    }
}

/// How many wait in the queues that slots have of their own.
fn waiting_by_slot(listeners: &Listeners) -> BTreeMap<SlotId, u64> {
    let mut waiting = BTreeMap::new();
    for queue in listeners.queues() {
        if let (Some(slot), Ok(connections)) = (queue.slot, tcp_waiting(queue.socket)) {
            *waiting.entry(slot).or_default() += u64::from(connections);
        }
    }
    waiting
}
