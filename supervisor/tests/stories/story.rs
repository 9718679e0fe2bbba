//! How a story is told: a fleet, a clock that the story winds, and what was ordered last.

use std::collections::BTreeMap;
use std::time::Duration;

use brigade_shared::exit::Exit;
use brigade_shared::id::{Generation, SlotId, WorkerId};
use brigade_supervisor::plan::{
    Action, Change, Event, Fleet, KeptSlots, Look, Moment, Quorum, Recycle, Relief, Request,
    Settings, Sight, Signs, SlotState, SlotView,
};

/// Settings in round numbers.
pub(super) fn settings(workers: u16) -> Settings {
    Settings {
        workers,
        start_timeout: secs(30),
        drain_timeout: secs(20),
        kill_timeout: secs(5),
        settle: millis(50),
        close_after: millis(50),
        start_attempts: 3,
        backoff_first: millis(100),
        backoff_most: secs(30),
        calm_after: secs(10),
        intensity: None,
        elastic: None,
        stall_warn: Duration::ZERO,
        stall_limit: None,
        surge: workers,
        unavailable: 0,
        can_hold: true,
        probation: Duration::ZERO,
        lingering: 3,
        recycle: Recycle {
            requests: None,
            requests_jitter: 0,
            lifetime: None,
            memory: None,
            at_most: 1,
        },
        ready_when: Quorum::default(),
        ticket_rotation: None,
    }
}

pub(super) fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub(super) fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A fleet and what it was told.
pub(super) struct Story {
    pub(super) fleet: Fleet,
    pub(super) now: Moment,
    /// What the last event led to.
    pub(super) orders: Vec<Action>,
    /// What looks find: the workers that do not idle, and what waits.
    pub(super) signs: BTreeMap<WorkerId, Signs>,
    pub(super) waiting: BTreeMap<SlotId, u32>,
    pub(super) waiting_shared: u32,
}

impl Story {
    /// A fleet that was just started.
    pub(super) fn begins(settings: Settings) -> Self {
        Self::begins_after(KeptSlots::default(), settings)
    }

    /// A fleet that was just started where another has been.
    pub(super) fn begins_after(kept: KeptSlots, settings: Settings) -> Self {
        let mut fleet = Fleet::new(settings, 7);
        let mut orders = Vec::new();
        fleet.start_with(kept, Moment::ZERO, &mut orders);
        Self {
            fleet,
            now: Moment::ZERO,
            orders,
            signs: BTreeMap::new(),
            waiting: BTreeMap::new(),
            waiting_shared: 0,
        }
    }

    /// A fleet whose workers 1 to n are all ready.
    pub(super) fn of_ready(settings: Settings) -> Self {
        let workers = u64::from(settings.workers);
        let mut story = Self::begins(settings);
        for worker in 1..=workers {
            story.ready(worker);
        }
        story
    }

    /// The fleet hears this now.
    pub(super) fn hears(&mut self, event: Event) -> &mut Self {
        self.orders.clear();
        self.turns(event);
        self
    }

    /// One turn, and the next if it ordered a look.
    fn turns(&mut self, event: Event) {
        let before = self.orders.len();
        self.fleet.handle(event, self.now, &mut self.orders);
        if self.orders[before..].contains(&Action::Look) {
            let look = Event::Looked(self.look());
            self.fleet.handle(look, self.now, &mut self.orders);
        }
    }

    /// What a look finds now: whoever is not said to do something is parked.
    fn look(&self) -> Look {
        let idle = Signs::Row {
            progress: 0,
            is_running: false,
            busy: Duration::ZERO,
            answered: 0,
            starved: Duration::ZERO,
        };
        let holders = |slot: &SlotView| match slot.state {
            SlotState::Ready(worker) => Some(worker),
            _ => None,
        };
        let successors = |slot: &SlotView| slot.successor.filter(|(_, ready)| *ready);
        let ready = self.fleet.slots().flat_map(|slot| {
            let successor = successors(&slot).map(|(worker, _)| worker);
            holders(&slot).into_iter().chain(successor)
        });
        let sight = |worker| Sight {
            worker,
            signs: *self.signs.get(&worker).unwrap_or(&idle),
            memory: None,
        };
        Look {
            workers: ready.map(sight).collect(),
            waiting: self
                .waiting
                .iter()
                .map(|(slot, count)| (*slot, *count))
                .collect(),
            waiting_shared: self.waiting_shared,
        }
    }

    /// From now on looks find this worker at work, with so much progress.
    pub(super) fn works(&mut self, worker: u64, progress: u64) -> &mut Self {
        self.shows(worker, progress, true)
    }

    /// From now on looks find this worker waiting for something to do.
    pub(super) fn parks(&mut self, worker: u64, progress: u64) -> &mut Self {
        self.shows(worker, progress, false)
    }

    fn shows(&mut self, worker: u64, progress: u64, is_running: bool) -> &mut Self {
        let busy = Duration::ZERO;
        let answered = 0;
        let signs = Signs::Row {
            progress,
            is_running,
            busy,
            answered,
            starved: Duration::ZERO,
        };
        self.signs.insert(WorkerId(worker), signs);
        self
    }

    pub(super) fn ready(&mut self, worker: u64) -> &mut Self {
        self.hears(Event::Ready(WorkerId(worker)))
    }

    pub(super) fn exits(&mut self, worker: u64, code: i32) -> &mut Self {
        self.hears(Event::Exited(WorkerId(worker), Exit::Code(code)))
    }

    pub(super) fn asked(&mut self, request: Request) -> &mut Self {
        self.hears(Event::Asked(request))
    }

    /// A reload with this configuration begins.
    pub(super) fn reloads(&mut self, settings: Settings) -> &mut Self {
        self.asked(Request::Reload)
            .hears(Event::ConfigLoaded(Box::new(settings)))
    }

    /// The fleet as it is when it has travelled into another binary.
    pub(super) fn travels(&mut self) -> &mut Self {
        let words = serde_json::to_string(&self.fleet).expect("all of it can be written");
        self.fleet = serde_json::from_str(&words).expect("all of it can be read");
        self.orders.clear();
        self
    }

    /// In the new binary, with this configuration.
    pub(super) fn goes_on(&mut self, settings: Settings) -> &mut Self {
        self.travels();
        self.fleet.go_on(settings, self.now, &mut self.orders);
        self
    }

    /// In the old binary again.
    pub(super) fn comes_back(&mut self) -> &mut Self {
        self.travels();
        self.fleet.come_back(self.now, &mut self.orders);
        self
    }

    /// A look finds that a worker has answered so many requests and uses so much memory.
    pub(super) fn is_seen(&mut self, worker: u64, answered: u64, memory: u64) -> &mut Self {
        let signs = Signs::Row {
            progress: answered,
            is_running: false,
            busy: Duration::ZERO,
            answered,
            starved: Duration::ZERO,
        };
        let sight = Sight {
            worker: WorkerId(worker),
            signs,
            memory: Some(memory),
        };
        self.hears(Event::Looked(Look {
            workers: vec![sight],
            ..Look::default()
        }))
    }

    /// Time passes, nothing happens; the fleet is woken whenever it wants to be. `orders` are all
    /// that came of it.
    pub(super) fn after(&mut self, time: Duration) -> &mut Self {
        let until = self.now + time;
        self.orders.clear();
        while let Some(at) = self.fleet.next_deadline().filter(|at| *at <= until) {
            self.now = at;
            self.turns(Event::Tick);
        }
        self.now = until;
        self
    }

    /// Everything but what was said, but the watch over those who serve, and but who holds still
    /// until it is to begin.
    pub(super) fn deeds(&self) -> Vec<Action> {
        let deed = |action: &&Action| {
            !matches!(action, Action::Announce(_) | Action::Relieve(_))
                && !matches!(action, Action::Look | Action::Doze | Action::CloseRetired)
                && !matches!(action, Action::Begin(_))
        };
        let plain = |action: &Action| match action.clone() {
            Action::Spawn {
                worker,
                slot,
                generation,
                ..
            } => spawn(worker.0, slot.0, generation.0),
            other => other,
        };
        self.orders.iter().filter(deed).map(plain).collect()
    }

    /// The last order to relieve.
    pub(super) fn relief(&self) -> Option<&Relief> {
        self.orders.iter().rev().find_map(|action| match action {
            Action::Relieve(relief) => Some(relief),
            _ => None,
        })
    }

    pub(super) fn count(&self, action: &Action) -> usize {
        self.orders.iter().filter(|other| *other == action).count()
    }

    pub(super) fn said(&self, change: &Change) -> bool {
        self.orders.contains(&Action::Announce(change.clone()))
    }

    #[track_caller]
    pub(super) fn does(&self, deeds: &[Action]) {
        assert_eq!(self.deeds(), deeds);
    }

    #[track_caller]
    pub(super) fn says(&self, change: &Change) {
        assert!(self.said(change), "{change:?} is not in {:#?}", self.orders);
    }
}

pub(super) fn spawn(worker: u64, slot: u16, generation: u32) -> Action {
    Action::Spawn {
        worker: WorkerId(worker),
        slot: SlotId(slot),
        generation: Generation(generation),
        holds: false,
    }
}

pub(super) fn drain(worker: u64) -> Action {
    Action::Drain {
        worker: WorkerId(worker),
        within: secs(20),
    }
}

pub(super) fn cut(worker: u64) -> Action {
    Action::Cut(WorkerId(worker))
}

pub(super) fn kill(worker: u64) -> Action {
    Action::Kill(WorkerId(worker))
}

pub(super) fn steer(slots: &[u16]) -> Action {
    Action::Steer(slots.iter().copied().map(SlotId).collect())
}
