//! The fleet and its doors: an event goes in, actions come out, time is passed in.
//!
//! ```text
//!             a worker is ready                Stop, or too many crashes
//!   Fresh ----------------------> Serving ------------------------------> Stopping --> Over
//!     |                                                                      ^   all left: Finish
//!     +--- Stop, or every slot has failed its attempts or is parked ---------+
//! ```
//!
//! An event's own consequence is noted first (hear.rs); then one turn brings up everything that is
//! due or follows (turn.rs). The turn looks at the slots as they are and remembers nothing, so a
//! fact that came at an odd moment cannot leave a step undone.

use brigade_config::MAX_WORKERS;
use brigade_shared::id::{Generation, SlotId, WorkerId};
use serde::{Deserialize, Serialize};

use super::elastic::Gauge;
use super::look::Lookout;
use super::reload::Reload;
use super::restart::{Dice, Window};
use super::scale;
use super::slot::{Slot, State};
use super::vocabulary::{Action, Event, Haste, KeptSlots, Moment, Relief, Settings, Verdict};

/// The fleet: every slot, and what is going on. All of it travels into another binary
/// (upgrade.rs).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fleet {
    /// Those of the committed generation.
    pub(super) settings: Settings,
    /// The one whose workers are to serve.
    pub(super) generation: Generation,
    /// The highest that was ever staged: numbers of failed ones are not used again.
    pub(super) newest: Generation,
    /// So many slots, from the lowest, are to be filled.
    pub(super) wanted: usize,
    /// The open slots, the index is the id. Those from `wanted` on are surplus or belong to the
    /// running reload.
    pub(super) slots: Vec<Slot>,
    pub(super) phase: Phase,
    pub(super) reload: Reload,
    /// Scale orders that wait for the end of the running reload, summed up.
    pub(super) postponed: i64,
    /// The last `Action::Steer`; at first every open slot gets connections.
    pub(super) steered: Vec<SlotId>,
    /// What the last `Change::FleetReady` said, as long as it holds.
    pub(super) told_ready: Option<(usize, Generation)>,
    /// `Change::ServiceReady` was said.
    #[serde(default)]
    pub(super) started: bool,
    /// A number of workers that waits for the end of the running reload: there are other
    /// processors.
    pub(super) processors: Option<u16>,
    pub(super) lookout: Lookout,
    /// The last `Action::Relieve`.
    pub(super) relief: Relief,
    pub(super) gauge: Gauge,
    /// When what the last commit or roll-back has retired may be closed.
    pub(super) retired: Option<Moment>,
    pub(super) crashes: Window,
    pub(super) dice: Dice,
    pub(super) next_worker: u64,
    /// When the keys of TLS sessions change next.
    #[serde(default)]
    pub(super) tickets: Option<Moment>,
}

/// Where in its life the fleet is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Phase {
    /// Nothing was ever ready: it may still be given up.
    Fresh,
    /// Something was ready once.
    Serving,
    /// Every worker was told to leave.
    Stopping {
        /// How.
        how: Haste,
        /// What for.
        verdict: Verdict,
    },
    /// Finished; nothing is heard any more.
    Over,
}

impl Fleet {
    /// A fleet that has not been started. The seed spreads the restarts; the same seed and the
    /// same events give the same actions.
    #[must_use]
    pub fn new(settings: Settings, seed: u64) -> Self {
        Self {
            wanted: usize::from(scale::bounded(
                settings.workers,
                0,
                scale::bounds(&settings),
            )),
            settings,
            generation: Generation::FIRST,
            newest: Generation::FIRST,
            slots: Vec::new(),
            phase: Phase::Fresh,
            reload: Reload::idle(),
            postponed: 0,
            steered: Vec::new(),
            told_ready: None,
            started: false,
            processors: None,
            lookout: Lookout::default(),
            relief: Relief::default(),
            gauge: Gauge::default(),
            retired: None,
            crashes: Window::default(),
            dice: Dice(seed),
            next_worker: 1,
            tickets: None,
        }
    }

    /// Opens the slots and starts the first generation. Called once, before any event.
    pub fn start(&mut self, now: Moment, actions: &mut Vec<Action>) {
        self.start_with(KeptSlots::default(), now, actions);
    }

    /// The same, where another fleet has been: the slots that it had open are closed like any that
    /// are not wanted any more, after what waits there was served.
    pub fn start_with(&mut self, kept: KeptSlots, now: Moment, actions: &mut Vec<Action>) {
        let open = usize::from(kept.open.min(MAX_WORKERS)).max(self.wanted);
        self.open_slots(open, now, actions);
        self.turn(now, actions);
        if kept.need_workers {
            // Like surplus workers that start, they are awaited: they have somebody to serve.
            for index in self.wanted..open {
                let worker = self.spawn(index, self.generation, now, actions);
                self.slots[index].state = State::Held(worker);
            }
        }
        self.assert_invariants(now);
    }

    /// Takes note of an event and adds what is to be done to `actions`, to be done in their
    /// order. `now` never goes back.
    pub fn handle(&mut self, event: Event, now: Moment, actions: &mut Vec<Action>) {
        if self.phase == Phase::Over {
            return;
        }
        self.hear(event, now, actions);
        self.turn(now, actions);
        self.assert_invariants(now);
    }

    /// When the fleet wants to be called again, at the latest; `None` if only an event of another
    /// kind than [`Event::Tick`] can change anything.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Moment> {
        let workers = self.slots.iter().filter_map(Slot::deadline);
        match self.phase {
            Phase::Over => None,
            Phase::Stopping { .. } => workers.min(),
            Phase::Fresh | Phase::Serving => {
                let others = [
                    self.refill_deadline(),
                    self.surplus_deadline(),
                    self.lookout.deadline(),
                    self.proof_deadline(),
                    self.answer_deadline(),
                    self.next_renewal().map(|(at, _)| at),
                    self.retired,
                    self.tickets,
                ];
                workers.chain(others.into_iter().flatten()).min()
            }
        }
    }

    /// Opens slots until there are `count`.
    pub(super) fn open_slots(&mut self, count: usize, now: Moment, actions: &mut Vec<Action>) {
        let out_since = (!self.steered.is_empty()).then_some(now);
        for index in self.slots.len()..count {
            let id = SlotId(u16::try_from(index).expect("fewer than MAX_WORKERS"));
            actions.push(Action::OpenSlot(id));
            self.slots.push(Slot::new(id, out_since));
        }
    }

    pub(super) fn name_worker(&mut self) -> WorkerId {
        let id = WorkerId(self.next_worker);
        self.next_worker += 1;
        id
    }

    pub(super) fn assert_invariants(&self, now: Moment) {
        if cfg!(debug_assertions) {
            self.check_invariants(now);
        }
    }
}
