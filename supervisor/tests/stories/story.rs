//! How a story is told: a fleet, a clock that the story winds, and what was ordered last.

use std::time::Duration;

use brigade_shared::exit::Exit;
use brigade_shared::id::{Generation, SlotId, WorkerId};
use brigade_supervisor::plan::{Action, Change, Event, Fleet, Moment, Recycle, Request, Settings};

/// Settings in round numbers.
pub(super) fn settings(workers: u16) -> Settings {
    Settings {
        workers,
        start_timeout: secs(30),
        drain_timeout: secs(20),
        kill_timeout: secs(5),
        settle: millis(50),
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
        probation: Duration::ZERO,
        lingering: 3,
        recycle: Recycle {
            requests: None,
            requests_jitter: 0,
            lifetime: None,
            memory: None,
            at_most: 1,
        },
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
}

impl Story {
    /// A fleet that was just started.
    pub(super) fn begins(settings: Settings) -> Self {
        let mut fleet = Fleet::new(settings, 7);
        let mut orders = Vec::new();
        fleet.start(Moment::ZERO, &mut orders);
        Self {
            fleet,
            now: Moment::ZERO,
            orders,
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
        self.fleet.handle(event, self.now, &mut self.orders);
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

    /// Time passes, nothing happens; the fleet is woken whenever it wants to be. `orders` are all
    /// that came of it.
    pub(super) fn after(&mut self, time: Duration) -> &mut Self {
        let until = self.now + time;
        self.orders.clear();
        while let Some(at) = self.fleet.next_deadline().filter(|at| *at <= until) {
            self.now = at;
            self.fleet.handle(Event::Tick, at, &mut self.orders);
        }
        self.now = until;
        self
    }

    /// Everything but what was said.
    pub(super) fn deeds(&self) -> Vec<Action> {
        let quiet = |action: &&Action| !matches!(action, Action::Announce(_));
        self.orders.iter().filter(quiet).cloned().collect()
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
