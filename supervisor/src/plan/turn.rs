//! What is due or follows, looked up in the slots as they are. One turn per event; each part is
//! idle when there is nothing for it to do.

use std::time::Duration;

use brigade_config::MAX_WORKERS;
use brigade_shared::id::Generation;

use super::fleet::{Fleet, Phase};
use super::recycle::Use;
use super::restart::End;
use super::sign::Limits;
use super::slot::{Slot, State};
use super::steer;
use super::stop::Leaver;
use super::vocabulary::{Action, Change, Despair, Failure, Haste, Leaving, Moment, Verdict};
use super::worker::{Stage, Worker};

impl Fleet {
    /// Orders that make workers leave always follow the steering that leaves them out, and what
    /// a commit needs (slots, workers) comes before what it ends.
    pub(super) fn turn(&mut self, now: Moment, out: &mut Vec<Action>) {
        self.climb_ladders(now, out);
        if self.is_staying() {
            self.end_late_starts(now, out);
            self.end_late_answers(now, out);
            self.advance_reload(now, out);
            self.renew(now, out);
            self.despair(now, out);
        }
        if self.is_staying() {
            self.refill(now, out);
            self.let_begin(out);
            self.steer(now, out);
            self.relieve_surplus(now, out);
            // Those who have just begun to drain count, too.
            self.cut_lingering(now, out);
            self.close_surplus(now, out);
            self.use_room(now, out);
            self.close_retired(now, out);
            self.tell_ready(out);
            self.tell_service_ready(out);
            let news = self.relieve(out);
            self.watch(news, now, out);
            self.rotate_tickets(now, out);
            self.depart(now, out);
        }
        self.finish(out);
    }

    pub(super) fn is_staying(&self) -> bool {
        match self.phase {
            Phase::Fresh | Phase::Serving => true,
            Phase::Stopping { .. } | Phase::Over => false,
        }
    }

    fn climb_ladders(&mut self, now: Moment, out: &mut Vec<Action>) {
        for slot in &mut self.slots {
            if let State::Dying(leaver) = &mut slot.state {
                leaver.tick(&self.settings, now, out);
            }
            for leaver in &mut slot.leavers {
                leaver.tick(&self.settings, now, out);
            }
        }
    }

    fn end_late_starts(&mut self, now: Moment, out: &mut Vec<Action>) {
        let mut failed = None;
        let mut late = Vec::new();
        for (index, slot) in self.slots.iter_mut().enumerate() {
            match slot.state {
                State::Held(worker) if worker.is_overdue(now) => {
                    slot.state = State::Dying(Leaver::overdue(worker, now, out));
                }
                State::Held(_) | State::Dying(_) | State::Empty => {}
                State::Resting { .. } | State::Parked | State::Yielded => {}
            }
            if let Some(worker) = slot.successor.take_if(|worker| worker.is_overdue(now)) {
                slot.leavers.push(Leaver::overdue(worker, now, out));
                failed = failed.or(Some(worker.id));
                late.push(index);
            }
        }
        let Some(worker) = failed else { return };
        if self.reload.running().is_some() {
            self.roll_back(worker, Failure::Late, now, out);
        } else {
            // Like one that can't be made, it is not tried again at once.
            for index in late {
                self.renewal_failed(index, End::NotMade, now);
            }
        }
    }

    /// Gives up a fleet that never worked, unless a reload may still repair it.
    fn despair(&mut self, now: Moment, out: &mut Vec<Action>) {
        if self.phase != Phase::Fresh || !self.reload.is_idle() {
            return;
        }
        let attempts = self.settings.start_attempts;
        let hopeless = self.slots[..self.wanted]
            .iter()
            .all(|slot| slot.state == State::Parked || slot.deaths.before_ready >= attempts.max(1));
        if hopeless {
            self.give_up(Despair::NeverReady { attempts }, now, out);
        }
    }

    fn refill(&mut self, now: Moment, out: &mut Vec<Action>) {
        if !self.may_refill() {
            return;
        }
        let most = self.most_processes();
        for index in 0..self.wanted {
            let at = self.slots[index].refill_at(now, most);
            let fits = self.fits_beside_successor(&self.slots[index]);
            if fits && at.is_some_and(|moment| moment <= now) {
                let worker = self.spawn(index, self.generation, now, out);
                self.slots[index].state = State::Held(worker);
            }
        }
    }

    /// A crashed worker is replaced beside its successor only as far as the surge lets two stand in
    /// one slot.
    fn fits_beside_successor(&self, slot: &Slot) -> bool {
        slot.successor.is_none()
            || self
                .reload
                .running()
                .is_none_or(|staged| staged.may_double(&self.slots))
    }

    /// When the next wanted slot that is empty gets a worker.
    pub(super) fn refill_deadline(&self) -> Option<Moment> {
        let most = self.most_processes();
        let wanted = self.slots[..self.wanted].iter();
        let wanted = wanted.filter(|slot| self.fits_beside_successor(slot));
        let moments = wanted.filter_map(|slot| slot.refill_at(Moment::ZERO, most));
        moments.min().filter(|_| self.may_refill())
    }

    /// Orders a worker; the caller puts it into its place.
    pub(super) fn spawn(
        &mut self,
        index: usize,
        generation: Generation,
        now: Moment,
        out: &mut Vec<Action>,
    ) -> Worker {
        let id = self.name_worker();
        let slot = self.slots[index].id;
        let holds = self.must_hold(index, generation, now);
        out.push(Action::Spawn {
            worker: id,
            slot,
            generation,
            holds,
        });
        let settings = match self.reload.running() {
            Some(staged) if staged.generation == generation => &staged.settings,
            Some(_) | None => &self.settings,
        };
        Worker {
            id,
            generation,
            born: now,
            stage: Stage::Starting {
                overdue: now + settings.start_timeout,
            },
            limits: Limits::of(settings),
            holds,
            used: Use::drawn(self.dice.draw()),
        }
    }

    /// Sends new connections where they are served, if that has changed.
    pub(super) fn steer(&mut self, now: Moment, out: &mut Vec<Action>) {
        let will_open_more = self
            .reload
            .running()
            .is_some_and(|staged| staged.wanted() > self.wanted);
        let towards = steer::towards(&self.slots, self.wanted, will_open_more);
        if towards == self.steered {
            return;
        }
        for slot in &mut self.slots {
            let gets_some = towards.is_empty() || towards.binary_search(&slot.id).is_ok();
            slot.out_since = if gets_some {
                None
            } else {
                slot.out_since.or(Some(now))
            };
        }
        self.steered.clone_from(&towards);
        out.push(Action::Steer(towards));
    }

    /// Lets surplus workers go. A ready one serves until the handshakes that were steered to it
    /// have arrived; one that starts is awaited, since connections may wait in its queue.
    fn relieve_surplus(&mut self, now: Moment, out: &mut Vec<Action>) {
        let staged = self.reload.running().map_or(0, |staged| staged.wanted());
        for slot in &mut self.slots[self.wanted..] {
            match slot.state {
                State::Held(worker) if worker.is_ready() => {
                    if is_quiet(slot, self.settings.settle, now) {
                        let because = Leaving::Scale;
                        slot.state = State::Empty;
                        slot.dismiss(worker, because, Haste::Drain, &self.settings, now, out);
                    }
                }
                // Its successor is to start when it has left.
                State::Yielded if usize::from(slot.id.0) < staged => {}
                State::Held(_) | State::Dying(_) | State::Empty => {}
                State::Resting { .. } | State::Parked | State::Yielded => {
                    slot.state = State::Empty;
                }
            }
        }
    }

    /// Whoever has just begun to leave may have been in the way of a reload, or of a refill beside
    /// one.
    fn use_room(&mut self, now: Moment, out: &mut Vec<Action>) {
        let refills = self.refill_deadline().is_some_and(|at| at <= now);
        if refills || self.goes_on(now) {
            self.advance_reload(now, out);
            self.refill(now, out);
            self.steer(now, out);
        }
    }

    /// Closes slots that nobody uses any more, from the highest down: their sockets' places in
    /// the kernel's group must stay without gaps.
    fn close_surplus(&mut self, now: Moment, out: &mut Vec<Action>) {
        while let Some(slot) = self.closable() {
            if !is_quiet(slot, self.closes_after(), now) {
                return;
            }
            out.push(Action::CloseSlot(slot.id));
            self.slots.pop();
        }
    }

    /// The highest slot, if nobody is in it, nobody will come, and nobody wants it. As long as
    /// nobody has ever been ready, what waits there has nobody to go to, and is safest there.
    fn closable(&self) -> Option<&Slot> {
        if self.phase == Phase::Fresh {
            return None;
        }
        let staged = self.reload.running().map_or(0, |staged| staged.wanted());
        let kept = self.wanted.max(staged);
        self.slots
            .last()
            .filter(|slot| usize::from(slot.id.0) >= kept && slot.is_vacant())
    }

    /// When the next surplus slot will have been quiet for long enough.
    pub(super) fn surplus_deadline(&self) -> Option<Moment> {
        let surplus = &self.slots[self.wanted..];
        let waiting = surplus.iter().filter(|slot| slot.ready_holder().is_some());
        let after = |slot: &Slot, time: Duration| Some(slot.out_since? + time);
        let leave = waiting.filter_map(|slot| after(slot, self.settings.settle));
        let close = self
            .closable()
            .and_then(|slot| after(slot, self.closes_after()));
        leave.chain(close).min()
    }

    fn closes_after(&self) -> Duration {
        self.settings.close_after.max(self.settings.settle)
    }

    fn tell_ready(&mut self, out: &mut Vec<Action>) {
        let generation = self.generation;
        let ready = self.slots[..self.wanted].iter().all(|slot| {
            slot.ready_holder()
                .is_some_and(|worker| worker.generation == generation)
        });
        let now_told = ready.then_some((self.wanted, generation));
        if ready && self.told_ready != now_told {
            let workers = self.wanted_workers();
            out.push(Action::Announce(Change::FleetReady {
                workers,
                generation,
            }));
        }
        self.told_ready = now_told;
    }

    /// Ends when all have left, but does not wait for what not even SIGKILL could end.
    fn finish(&mut self, out: &mut Vec<Action>) {
        let Phase::Stopping { verdict, .. } = self.phase else {
            return;
        };
        if self
            .slots
            .iter()
            .flat_map(|slot| &slot.leavers)
            .all(Leaver::is_lost)
        {
            self.phase = Phase::Over;
            out.push(Action::Finish(verdict));
        }
    }

    pub(super) fn give_up(&mut self, why: Despair, now: Moment, out: &mut Vec<Action>) {
        out.push(Action::Announce(Change::GivingUp(why)));
        self.begin_stop(Haste::Drain, Verdict::GaveUp(why), now, out);
    }

    pub(super) fn wanted_workers(&self) -> u16 {
        u16::try_from(self.wanted).unwrap_or(MAX_WORKERS)
    }
}

/// Whether no new connection can arrive here any more, not even one whose handshake was under way
/// when the slot was left out.
fn is_quiet(slot: &Slot, settle: Duration, now: Moment) -> bool {
    slot.out_since.is_some_and(|since| since + settle <= now)
}
