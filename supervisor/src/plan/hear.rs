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

impl Fleet {
    pub(super) fn hear(&mut self, event: Event, now: Moment, out: &mut Vec<Action>) {
        match event {
            // Every turn looks at the deadlines.
            Event::Tick => {}
            // A worker's life is counted from the order: its start deadline covers the fork too.
            Event::Spawned(_) => {}
            Event::SpawnFailed(worker) => self.worker_gone(worker, End::NotMade, now, out),
            Event::Exited(worker, exit) => self.worker_gone(worker, End::Exit(exit), now, out),
            Event::Ready(worker) => self.worker_ready(worker, now, out),
            Event::Asked(request) => match self.phase {
                Phase::Fresh | Phase::Serving => self.asked(request, now, out),
                Phase::Stopping { how, .. } => self.asked_while_stopping(how, request, now, out),
                Phase::Over => {}
            },
            Event::ConfigLoaded(settings) => {
                if self.reload.take_loading() {
                    self.stage(*settings, now, out);
                }
            }
            Event::Looked(look) => self.looked(&look, now, out),
            Event::Stirred => self.lookout.stir(now),
            Event::SentinelAnswered(_) | Event::ExecFailed => {}
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
            if self.phase == Phase::Fresh {
                self.phase = Phase::Serving;
            }
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
            Role::Successor => {
                out.push(told(id, end, &gone, Next::Nothing, now));
                let failure = match end {
                    End::Exit(exit) => Failure::Ended(exit),
                    End::NotMade => Failure::NotMade,
                };
                self.roll_back(id, failure, now, out);
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
        let index = usize::from(gone.slot.0);
        let served = gone.ready_since.map(|since| now - since);
        let slot = &mut self.slots[index];
        let next = if index < self.wanted {
            let next = slot
                .deaths
                .record(end, served, &self.settings, self.dice.draw());
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
        } else {
            Next::Nothing
        };
        out.push(told(id, end, gone, next, now));
        if next == Next::Parked {
            out.push(Action::Announce(Change::SlotParked(gone.slot)));
        } else if let Some(limit) = self.settings.intensity
            && self.crashes.exceeded(limit, now)
        {
            self.give_up(Despair::TooManyCrashes(limit), now, out);
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
            Request::ScaleBy(0) | Request::Upgrade => {}
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
