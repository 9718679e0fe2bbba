//! What an event means by itself. What follows from it is left to the turn (turn.rs).

use brigade_shared::id::{SlotId, WorkerId};

use super::fleet::{Fleet, Phase};
use super::reload::Answer;
use super::restart::End;
use super::scale;
use super::slot::{Gone, Role, State};
use super::stop::harsher;
use super::vocabulary::{
    Action, Change, Despair, Event, Failure, Haste, Moment, Next, Request, Scaling, Verdict,
};
use super::worker::Worker;

impl Fleet {
    pub(super) fn hear(&mut self, event: Event, now: Moment, out: &mut Vec<Action>) {
        match event {
            // Every turn looks at the deadlines.
            Event::Tick => {}
            // A worker's life is counted from the order: its start deadline covers the fork too.
            Event::Spawned(_) => {}
            Event::SpawnFailed(worker) => self.worker_gone(worker, End::NotMade, now, out),
            Event::Leaving(worker) => self.asked_to_leave(worker, now),
            Event::Exited(worker, exit) => self.worker_gone(worker, End::Exit(exit), now, out),
            Event::Ready(worker) => self.worker_ready(worker, now, out),
            Event::Asked(request) => match self.phase {
                Phase::Fresh | Phase::Serving => self.asked(request, now, out),
                Phase::Stopping { how, .. } => self.asked_while_stopping(how, request, now, out),
                Phase::Over => {}
            },
            Event::ConfigLoaded(settings) => {
                if self.reload.take_loading() {
                    self.stage(*settings, false, now, out);
                }
            }
            Event::Looked(look) => {
                self.note_use(&look);
                self.looked(&look, now, out);
            }
            Event::Stirred => self.lookout.stir(now),
            Event::SentinelAnswered(agrees) => self.sentinel_answered(agrees, out),
            Event::ExecFailed => self.exec_failed(out),
            Event::CertificatesLoaded => {
                if self.reload.take_loading() {
                    out.push(Action::RenewCertificates(self.generation));
                    let change = Change::CertificatesRenewed(self.generation);
                    out.push(Action::Announce(change));
                }
            }
            Event::ConfigRefused => {
                if self.reload.take_loading() {
                    out.push(Action::Announce(Change::ReloadRefused));
                }
            }
        }
    }

    fn worker_ready(&mut self, id: WorkerId, now: Moment, out: &mut Vec<Action>) {
        let news = self
            .slots
            .iter_mut()
            .find_map(|slot| slot.became_ready(id, now));
        if let Some(worker) = news {
            let after = now - worker.born;
            out.push(Action::Announce(Change::WorkerReady { worker: id, after }));
            self.tell_probation(&worker, out);
            if self.phase == Phase::Fresh {
                self.phase = Phase::Serving;
            }
        }
    }

    /// From now on the canary has to stay well.
    fn tell_probation(&self, ready: &Worker, out: &mut Vec<Action>) {
        let canary = self.slots[0].successor.as_ref().map(|worker| worker.id);
        let Some(staged) = self.reload.running() else {
            return;
        };
        let lasts = staged.settings.probation;
        if canary == Some(ready.id) && !lasts.is_zero() {
            let generation = staged.generation;
            let change = Change::ReloadProbation { generation, lasts };
            out.push(Action::Announce(change));
        }
    }

    /// A worker is no more. One that is not known (any more) is not worth a word: it has had its
    /// last one already.
    fn worker_gone(&mut self, id: WorkerId, end: End, now: Moment, out: &mut Vec<Action>) {
        let Some(gone) = self.slots.iter_mut().find_map(|slot| slot.lost(id)) else {
            return;
        };
        match gone.role {
            Role::Leaver => out.push(Action::Announce(match end {
                End::Exit(exit) => Change::WorkerLeft { worker: id, exit },
                End::NotMade => Change::SpawnFailed {
                    slot: gone.slot,
                    next: Next::Nothing,
                },
            })),
            Role::Successor if self.reload.running().is_some() => {
                out.push(told(id, end, &gone, Next::Nothing, now));
                self.roll_back(id, failure(end), now, out);
            }
            Role::Successor => {
                let next = self.renewal_failed(usize::from(gone.slot.0), end, now);
                out.push(told(id, end, &gone, next, now));
            }
            Role::Holder if self.reload.staged() == Some(gone.generation) => {
                out.push(told(id, end, &gone, Next::Now, now));
                self.roll_back(id, failure(end), now, out);
            }
            Role::Holder => self.holder_gone(id, end, &gone, now, out),
        }
    }

    fn holder_gone(
        &mut self,
        id: WorkerId,
        end: End,
        gone: &Gone,
        now: Moment,
        out: &mut Vec<Action>,
    ) {
        let next = self.next_holder(end, gone, now);
        out.push(told(id, end, gone, next, now));
        if next == Next::Parked {
            out.push(Action::Announce(Change::SlotParked(gone.slot)));
        } else if gone.generation == self.generation
            && let Some(limit) = self.settings.intensity
            && self.crashes.exceeded(limit, now)
        {
            self.give_up(Despair::TooManyCrashes(limit), now, out);
        }
    }

    /// What becomes of a slot that has lost its holder.
    fn next_holder(&mut self, end: End, gone: &Gone, now: Moment) -> Next {
        let index = usize::from(gone.slot.0);
        let slot = &mut self.slots[index];
        if index >= self.wanted {
            return Next::Nothing;
        }
        let is_renewed = self.reload.running().is_none();
        if gone.generation != self.generation {
            // One of a generation that failed: it says nothing about this one.
            let promoted = is_renewed && slot.promote().is_some();
            return if promoted { Next::Nothing } else { Next::Now };
        }
        let served = gone.ready_since.map(|since| now - since);
        let draw = self.dice.draw();
        let next = slot.deaths.record(end, served, &self.settings, draw);
        if is_renewed && slot.promote().is_some() {
            return Next::Nothing;
        }
        slot.state = match next {
            Next::Now => State::Resting { until: now },
            Next::After(pause) => State::Resting { until: now + pause },
            Next::Parked => State::Parked,
            Next::Nothing => State::Empty,
        };
        match next {
            Next::Now | Next::After(_) if slot.has_ready_successor() => Next::Nothing,
            Next::Now | Next::After(_) | Next::Parked | Next::Nothing => next,
        }
    }

    fn asked(&mut self, request: Request, now: Moment, out: &mut Vec<Action>) {
        match request {
            Request::Stop => self.begin_stop(Haste::Drain, Verdict::Stopped, now, out),
            Request::StopNow => self.begin_stop(Haste::Cut, Verdict::Stopped, now, out),
            Request::Reload => match self.reload.ask() {
                Answer::Load => out.push(Action::LoadConfig),
                Answer::Queued => out.push(Action::Announce(Change::ReloadQueued)),
                Answer::Coalesced => {}
            },
            Request::ScaleBy(0) => {}
            Request::Upgrade => self.asked_to_upgrade(now, out),
            Request::ScaleBy(by) => self.asked_to_scale(by, now, out),
            Request::ScaleTo(to) if self.reload.running().is_some() => {
                self.processors = Some(to);
            }
            Request::ScaleTo(to) => self.scale_to_processors(to, now, out),
        }
    }

    /// A running reload has its own idea of how many workers there will be: an order that comes
    /// meanwhile is judged by it, and followed when it is over.
    fn asked_to_scale(&mut self, by: i32, now: Moment, out: &mut Vec<Action>) {
        let asked = i64::from(by);
        let running = self.reload.running().map(|staged| &staged.settings);
        let bounds = scale::bounds(running.unwrap_or(&self.settings));
        let workers = running.map_or(self.wanted_workers(), |settings| settings.workers);
        let is_running = running.is_some();
        let base = scale::bounded(workers, self.postponed, bounds);
        match scale::changed(base, asked, bounds) {
            None => out.push(Action::Announce(Change::ScaleRefused { asked: by })),
            Some(_) if is_running => self.postponed += asked,
            Some(wanted) => self.scale_to(wanted, Scaling::Asked, now, out),
        }
    }

    fn asked_while_stopping(
        &mut self,
        how: Haste,
        request: Request,
        now: Moment,
        out: &mut Vec<Action>,
    ) {
        let asked = match request {
            Request::Stop => Haste::Drain,
            Request::StopNow => Haste::Cut,
            Request::Reload | Request::ScaleBy(_) => return,
            Request::ScaleTo(_) | Request::Upgrade => return,
        };
        if let Some(haste) = harsher(how, asked) {
            self.hasten_stop(haste, now, out);
        }
    }
}

/// What a worker did that ends a transaction.
fn failure(end: End) -> Failure {
    match end {
        End::Exit(exit) => Failure::Ended(exit),
        End::NotMade => Failure::NotMade,
    }
}

/// How an unasked end is told.
fn told(worker: WorkerId, end: End, gone: &Gone, next: Next, now: Moment) -> Action {
    let slot: SlotId = gone.slot;
    Action::Announce(match end {
        End::NotMade => Change::SpawnFailed { slot, next },
        End::Exit(exit) => Change::WorkerCrashed {
            worker,
            exit,
            was_ready: gone.ready_since.is_some(),
            uptime: now - gone.born,
            next,
        },
    })
}
