//! Renewal: a slot's holder is worn, or of a generation that failed after it took over, and gets a
//! successor of the committed generation.
//!
//! ```text
//!              worn, and a place is free                    ready: takes over
//!   (holder) -----------------------------> successor starts -----------------> (holder), the old
//!      ^       WorkerRecycling                | it fails                          one drains
//!      |                                      v
//!      +---- the restart policy's pause ---- rests     the old one goes on serving
//! ```
//!
//! Wear is looked up each time in what is known of the worker. At most `at_most` slots are being
//! recycled at a time, from the start of the successor until the old worker has left. Workers of a
//! failed generation come first, as many at a time as the surge lets. A reload or an upgrade
//! renews everybody: nobody is renewed while one runs.

use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use brigade_shared::id::WorkerId;

use super::fleet::Fleet;
use super::restart::{Deaths, End};
use super::slot::{Slot, State};
use super::vocabulary::{
    Action, Change, Leaving, Look, Moment, Next, Recycle, Settings, Sight, Signs, Wear,
};
use super::worker::Worker;

/// So many measurements in a row must find too much memory: one may meet a passing peak.
const HEAVY: u8 = 3;
/// Whoever stops a whole service (systemd, a terminal) asks its workers in the same moment as the
/// supervisor: what a worker was asked is followed a little later, when it is not moot.
const BREATH: Duration = Duration::from_millis(100);

/// What use a worker has seen.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub(super) struct Use {
    /// Drawn for it: spreads the limit of requests.
    pub(super) lot: u64,
    answered: u64,
    memory: u64,
    /// Measurements in a row that found too much memory.
    heavy: u8,
    /// Since when somebody else wants it to leave.
    #[serde(default)]
    asked_since: Option<Moment>,
}

/// The attempts to renew a slot that failed since the last one that did not.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub(super) struct Renewal {
    deaths: Deaths,
    /// The next may not start before.
    rests_until: Moment,
}

impl Use {
    pub(super) fn drawn(lot: u64) -> Self {
        Self {
            lot,
            ..Self::default()
        }
    }

    fn note(&mut self, sight: &Sight, limits: &Recycle) {
        match sight.signs {
            Signs::Row { answered, .. } => self.answered = self.answered.max(answered),
            Signs::Words { .. } => {}
        }
        if let (Some(bytes), Some(limit)) = (sight.memory, limits.memory) {
            self.memory = bytes;
            self.heavy = if bytes >= limit {
                self.heavy.saturating_add(1)
            } else {
                0
            };
        }
    }

    /// Why it is worn, and when that is so.
    fn wear(&self, born: Moment, limits: &Recycle) -> Option<(Moment, Wear)> {
        let extra = self.lot % limits.requests_jitter.saturating_add(1);
        let requests = limits.requests.map(|first| first.saturating_add(extra));
        if requests.is_some_and(|limit| self.answered >= limit) {
            Some((Moment::ZERO, Wear::Requests(self.answered)))
        } else if self.heavy >= HEAVY {
            Some((Moment::ZERO, Wear::Memory(self.memory)))
        } else {
            let asked = self.asked_since.map(|since| (since + BREATH, Wear::Asked));
            let aged = limits.lifetime;
            let aged = aged.map(|age| (born.saturating_add(age), Wear::Age(age)));
            asked.into_iter().chain(aged).min_by_key(|(at, _)| *at)
        }
    }
}

impl Fleet {
    /// Takes note of what a look has found of the workers' use.
    pub(super) fn note_use(&mut self, look: &Look) {
        let limits = self.settings.recycle;
        if limits.requests.is_none() && limits.memory.is_none() {
            return;
        }
        let sights = look.workers.iter().map(|sight| (sight.worker, sight));
        let sights: HashMap<_, _> = sights.collect();
        for worker in self.slots.iter_mut().flat_map(Slot::ready_mut) {
            if let Some(sight) = sights.get(&worker.id) {
                worker.used.note(sight, &limits);
            }
        }
    }

    /// Somebody has asked a worker to leave, past the supervisor: it is replaced as if it were worn.
    /// One that is not ready yet, or leaves already, needs no replacement.
    pub(super) fn asked_to_leave(&mut self, id: WorkerId, now: Moment) {
        let ready = self.slots.iter_mut().flat_map(Slot::ready_mut);
        for worker in ready.filter(|worker| worker.id == id) {
            worker.used.asked_since.get_or_insert(now);
        }
    }

    /// Lets ready successors take over and starts those that are due. A reload's own successors
    /// are its own business.
    pub(super) fn renew(&mut self, now: Moment, out: &mut Vec<Action>) {
        if self.reload.running().is_some() {
            return;
        }
        let ready = self.slots.iter().enumerate();
        let ready = ready.filter(|(_, slot)| slot.has_ready_successor());
        let ready: Vec<_> = ready.map(|(index, _)| index).collect();
        if !ready.is_empty() {
            self.take_over(&ready, Leaving::Recycle, now, out);
        }
        while let Some((at, index)) = self.next_renewal() {
            if at > now {
                return;
            }
            let Some(worker) = self.slots[index].ready_holder() else {
                return;
            };
            let Some((_, because)) = self.wear(worker) else {
                return;
            };
            let because = match because {
                Wear::Age(_) => Wear::Age(now - worker.born),
                Wear::Requests(_) | Wear::Memory(_) | Wear::Generation | Wear::Asked => because,
            };
            let worker = worker.id;
            let change = Change::WorkerRecycling { worker, because };
            out.push(Action::Announce(change));
            let successor = self.spawn(index, self.generation, now, out);
            self.slots[index].successor = Some(successor);
        }
    }

    /// The next slot that is to be renewed, and when, if there is a place for it.
    pub(super) fn next_renewal(&self) -> Option<(Moment, usize)> {
        if !self.reload.is_idle() {
            return None;
        }
        let wanted = self.slots[..self.wanted].iter();
        let strangers = wanted.clone().any(|slot| self.holds_stranger(slot));
        let has_place = if strangers {
            let under_way = wanted.clone().filter(|slot| slot.successor.is_some());
            under_way.count() < usize::from(self.settings.surge.max(1))
        } else {
            let under_way = self.slots.iter().filter(|slot| slot.is_recycling());
            under_way.count() < usize::from(self.settings.recycle.at_most.max(1))
        };
        let due = wanted
            .enumerate()
            .filter(|(_, slot)| has_place && (!strangers || self.holds_stranger(slot)))
            .filter_map(|(index, slot)| Some((self.renewal_at(slot)?, index)));
        due.min()
    }

    /// When this slot is to be renewed, if everybody else is left out of account.
    fn renewal_at(&self, slot: &Slot) -> Option<Moment> {
        let worker = slot.ready_holder()?;
        if slot.successor.is_some() || !slot.has_room(self.most_processes()) {
            return None;
        }
        let (worn, _) = self.wear(worker)?;
        Some(worn.max(slot.renewal.rests_until))
    }

    /// Why a worker is to be replaced, and since or from when.
    fn wear(&self, worker: &Worker) -> Option<(Moment, Wear)> {
        if worker.generation != self.generation {
            return Some((Moment::ZERO, Wear::Generation));
        }
        worker.used.wear(worker.born, &self.settings.recycle)
    }

    /// Whether a slot's holder is of a generation that failed.
    fn holds_stranger(&self, slot: &Slot) -> bool {
        let generation = self.generation;
        slot.holder()
            .is_some_and(|worker| worker.generation != generation)
    }

    /// A successor of the committed generation has failed: the old one goes on, and the next
    /// attempt rests as the restart policy says.
    pub(super) fn renewal_failed(&mut self, index: usize, end: End, now: Moment) -> Next {
        let draw = self.dice.draw();
        let slot = &mut self.slots[index];
        slot.renewal.failed(end, &self.settings, draw, now)
    }
}

impl Renewal {
    fn failed(&mut self, end: End, policy: &Settings, draw: u64, now: Moment) -> Next {
        let pause = match self.deaths.record(end, None, policy, draw) {
            Next::Now | Next::Nothing => Duration::ZERO,
            Next::After(pause) => pause,
            // It is not a slot that is parked: somebody serves there, and is worn.
            Next::Parked => policy.backoff_most,
        };
        self.rests_until = now + pause;
        if pause.is_zero() {
            Next::Now
        } else {
            Next::After(pause)
        }
    }
}

impl Slot {
    /// Whether a worker is being recycled here: its successor starts, or it has not left yet. One
    /// that even SIGKILL does not end holds up nobody.
    fn is_recycling(&self) -> bool {
        let leaves = |leaver: &super::stop::Leaver| {
            leaver.because == Some(Leaving::Recycle) && !leaver.is_lost()
        };
        self.successor.is_some() || self.leavers.iter().any(leaves)
    }

    /// A holder has ended whose replacement starts already: that is the holder now.
    pub(super) fn promote(&mut self) -> Option<Worker> {
        let successor = self.successor.take()?;
        self.state = State::Held(successor);
        Some(successor)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use brigade_shared::id::WorkerId;

    use super::Use;
    use crate::plan::{Moment, Recycle, Sight, Signs, Wear};

    const LIMITS: Recycle = Recycle {
        requests: Some(100),
        requests_jitter: 9,
        lifetime: Some(AGE),
        memory: Some(1_000),
        at_most: 1,
    };

    const BORN: Moment = Duration::from_secs(5);
    const AGE: Duration = Duration::from_secs(60);
    const AGED: Option<(Moment, Wear)> = Some((Duration::from_secs(65), Wear::Age(AGE)));

    fn sight(answered: u64, memory: Option<u64>) -> Sight {
        let signs = Signs::Row {
            progress: answered,
            is_running: false,
            busy: Duration::ZERO,
            answered,
            starved: Duration::ZERO,
        };
        Sight {
            worker: WorkerId(1),
            signs,
            memory,
        }
    }

    #[test]
    fn the_limit_of_requests_is_drawn_for_each_worker() {
        let at_limit = |lot: u64, answered: u64| {
            let mut used = Use::drawn(lot);
            used.note(&sight(answered, None), &LIMITS);
            used.wear(BORN, &LIMITS) == Some((Moment::ZERO, Wear::Requests(answered)))
        };
        assert!(at_limit(0, 100) && !at_limit(0, 99));
        assert!(at_limit(9, 109) && !at_limit(9, 108));
        assert!(at_limit(10, 100), "ten lots, then from the first again");
        let any = Recycle {
            requests_jitter: u64::MAX,
            ..LIMITS
        };
        assert_eq!(Use::drawn(u64::MAX - 1).wear(BORN, &any), AGED);
    }

    #[test]
    fn one_measurement_is_not_believed() {
        let mut used = Use::default();
        for memory in [1_000, 2_000, 999, 1_000, 1_000] {
            used.note(&sight(1, Some(memory)), &LIMITS);
            used.note(&sight(1, None), &LIMITS);
            assert_eq!(used.wear(BORN, &LIMITS), AGED);
        }
        used.note(&sight(1, Some(1_001)), &LIMITS);
        let heavy = Some((Moment::ZERO, Wear::Memory(1_001)));
        assert_eq!(used.wear(BORN, &LIMITS), heavy);
    }
}
