//! What a look leads to: workers that stand still are left out and relieved, then told of, then
//! ended; those that go on are back in.

use brigade_shared::id::{SlotId, WorkerId};

use super::fleet::Fleet;
use super::look::Outlook;
use super::sign::{Patience, Sign, Span};
use super::slot::State;
use super::stop::Leaver;
use super::vigil::Finding;
use super::vocabulary::{Action, Change, Failure, Look, Moment, Sight, Signs};

/// What was found, over the whole fleet.
#[derive(Default)]
struct Found {
    /// What is said of it, when new connections are kept from whoever is blocked: a stack takes its
    /// time.
    words: Vec<Action>,
    /// Holders that are to be ended.
    hopeless: Vec<WorkerId>,
    /// The first worker of a staged generation that is blocked.
    failed: Option<WorkerId>,
    /// Something goes on.
    active: bool,
    /// A service was seen: it is for its sake that a dozing fleet wakes.
    any_service: bool,
    /// The first moment at which a program will have been silent for too long.
    alarm: Option<Moment>,
}

impl Fleet {
    /// Takes note of a look.
    pub(super) fn looked(&mut self, look: &Look, now: Moment, out: &mut Vec<Action>) {
        if !self.is_staying() {
            return;
        }
        let Some(span) = self.lookout.answered(look, now) else {
            return;
        };
        let mut found = self.compare(look, span, out);
        self.steer(now, out);
        self.relieve(out);
        out.append(&mut found.words);
        self.end_hopeless(&found.hopeless, now, out);
        if let Some(worker) = found.failed {
            self.roll_back(worker, Failure::Blocked, now, out);
        }
        self.follow_load(look, now, out);
        let outlook = self.outlook(look, &found, now);
        if self.lookout.arrange(outlook, self.pace(), now) {
            out.push(Action::Doze);
        }
    }

    /// Lets everybody's vigil see what was found.
    fn compare(&mut self, look: &Look, span: Span, out: &mut Vec<Action>) -> Found {
        let mut sights: Vec<&Sight> = look.workers.iter().collect();
        sights.sort_unstable_by_key(|sight| sight.worker);
        let staged = self.reload.staged();
        let mut found = Found::default();
        for slot in &mut self.slots {
            let waiting = look.waiting_shared.saturating_add(count_of(look, slot.id));
            for worker in slot.ready_mut() {
                let place = sights.binary_search_by_key(&worker.id, |sight| sight.worker);
                let Ok(place) = place else { continue };
                let signs = sights[place].signs;
                let Some(sign) = Sign::of(signs, waiting > 0) else {
                    continue;
                };
                let limits = worker.limits;
                let (id, is_staged) = (worker.id, staged == Some(worker.generation));
                match signs {
                    Signs::Row { .. } => {
                        found.any_service = true;
                        let patience = Patience::of_services(limits);
                        let finding = worker.vigil_mut().map(|v| v.see(sign, span, patience));
                        found.active |= finding != Some(Finding::Quiet);
                        found.take(id, is_staged, waiting, finding, out);
                    }
                    Signs::Words { .. } => {
                        let Some(patience) = Patience::of_programs(limits) else {
                            continue;
                        };
                        let finding = worker.vigil_mut().map(|v| v.see(sign, span, patience));
                        let deadline = worker.vigil().and_then(|vigil| vigil.deadline(patience));
                        found.alarm = found.alarm.into_iter().chain(deadline).min();
                        found.take(id, is_staged, waiting, finding, out);
                    }
                }
            }
        }
        found
    }

    /// Ends those who were blocked for too long; a death like others follows.
    fn end_hopeless(&mut self, hopeless: &[WorkerId], now: Moment, out: &mut Vec<Action>) {
        for slot in &mut self.slots {
            match slot.state {
                State::Held(worker) if hopeless.contains(&worker.id) => {
                    let leaver = Leaver::stalled(worker, &self.settings, now, out);
                    slot.state = State::Dying(leaver);
                }
                State::Held(_) | State::Dying(_) | State::Empty => {}
                State::Resting { .. } | State::Parked | State::Yielded => {}
            }
        }
    }

    fn outlook(&self, look: &Look, found: &Found, now: Moment) -> Outlook {
        let waits = look.waiting_shared > 0 || look.waiting.iter().any(|(_, count)| *count > 0);
        if found.active || waits || !self.may_doze() {
            return Outlook::Active;
        }
        match found.alarm {
            None => Outlook::Quiet,
            // A service that wakes up could not tell while nobody dozes.
            Some(_) if found.any_service || self.settings.elastic.is_some() => Outlook::Active,
            // The rest of a silence is watched: it may have been the machine's.
            Some(at) if at <= now + self.pace() => Outlook::Active,
            Some(at) => Outlook::QuietUntil(at),
        }
    }
}

impl Found {
    fn take(
        &mut self,
        worker: WorkerId,
        is_staged: bool,
        waiting: u32,
        finding: Option<Finding>,
        out: &mut Vec<Action>,
    ) {
        match finding {
            None | Some(Finding::Quiet | Finding::Active | Finding::StillBlocked) => {}
            Some(Finding::Ask) => out.push(Action::Ask(worker)),
            Some(Finding::Blocked { lasts }) => {
                self.words.push(Action::Announce(Change::WorkerBlocked {
                    worker,
                    lasts,
                    waiting,
                }));
                if is_staged {
                    self.failed = self.failed.or(Some(worker));
                }
            }
            Some(Finding::Recovered { lasted }) => {
                let change = Change::WorkerRecovered { worker, lasted };
                self.words.push(Action::Announce(change));
            }
            Some(Finding::Hopeless) => self.hopeless.push(worker),
        }
    }
}

/// How many connections wait for this slot.
fn count_of(look: &Look, slot: SlotId) -> u32 {
    let place = look.waiting.binary_search_by_key(&slot, |(slot, _)| *slot);
    place.map_or(0, |place| look.waiting[place].1)
}
