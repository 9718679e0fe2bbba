//! The great changes: the fleet scaled, the fleet stopped. Each collects the orders to leave and
//! sends them after the steering that leaves their workers out.

use super::fleet::{Fleet, Phase};
use super::reload::Reload;
use super::restart::Deaths;
use super::scale;
use super::slot::State;
use super::vocabulary::{Action, Change, Haste, Leaving, Moment, Scaling, Verdict};

impl Fleet {
    pub(super) fn follow_postponed(&mut self, now: Moment, out: &mut Vec<Action>) {
        if let Some(to) = self.processors.take() {
            self.scale_to_processors(to, now, out);
        }
        let by = std::mem::take(&mut self.postponed);
        if by != 0 {
            let bounds = scale::bounds(&self.settings);
            let to = scale::bounded(self.wanted_workers(), by, bounds);
            self.scale_to(to, Scaling::Asked, now, out);
        }
    }

    /// There are so many usable processors now.
    pub(super) fn scale_to_processors(&mut self, to: u16, now: Moment, out: &mut Vec<Action>) {
        let to = scale::bounded(to, 0, scale::bounds(&self.settings));
        if to != self.wanted_workers() {
            self.scale_to(to, Scaling::Processors, now, out);
        }
    }

    /// From now on so many workers are wanted. This also revives the parked.
    pub(super) fn scale_to(
        &mut self,
        to: u16,
        because: Scaling,
        now: Moment,
        out: &mut Vec<Action>,
    ) {
        self.gauge.begin_anew(now);
        let from = self.wanted_workers();
        let before = std::mem::replace(&mut self.wanted, usize::from(to));
        if from != to {
            out.push(Action::Announce(Change::Scaled { from, to, because }));
        }
        let mut orders = Vec::new();
        let open = self.slots.len();
        for slot in &mut self.slots[..open.min(usize::from(to))] {
            if slot.state == State::Parked {
                slot.state = State::Empty;
                slot.deaths = Deaths::default();
            }
        }
        for slot in self.slots.iter_mut().take(usize::from(to)).skip(before) {
            slot.deaths = Deaths::default();
            match slot.state {
                // A surplus worker that has not been told to leave simply stays, unless a reload
                // has passed it by meanwhile.
                State::Held(worker) if worker.generation != self.generation => {
                    slot.state = State::Empty;
                    let because = Leaving::Scale;
                    slot.dismiss(
                        worker,
                        because,
                        Haste::Drain,
                        &self.settings,
                        now,
                        &mut orders,
                    );
                }
                State::Resting { .. } | State::Parked => slot.state = State::Empty,
                State::Dying(_) => slot.stop_waiting_for_the_dying(),
                State::Held(_) | State::Empty | State::Yielded => {}
            }
        }
        // Where fewer are wanted nobody is renewed.
        let surplus = self.slots.iter_mut().skip(usize::from(to));
        for slot in surplus {
            if let Some(successor) = slot.successor.take() {
                let (because, haste) = (Leaving::Scale, Haste::Drain);
                slot.dismiss(successor, because, haste, &self.settings, now, &mut orders);
            }
        }
        self.steer(now, out);
        out.append(&mut orders);
        self.open_slots(self.wanted, now, out);
    }

    pub(super) fn begin_stop(
        &mut self,
        how: Haste,
        verdict: Verdict,
        now: Moment,
        out: &mut Vec<Action>,
    ) {
        self.phase = Phase::Stopping { how, verdict };
        out.push(Action::Announce(Change::Stopping { how }));
        if let Some(staged) = self.reload.take_running() {
            out.push(Action::DropConfig(staged.generation));
        }
        self.reload = Reload::idle();
        self.lookout.stop();
        self.processors = None;
        self.postponed = 0;
        self.retired = None;
        out.push(Action::CloseListeners);
        for slot in &mut self.slots {
            for leaver in &mut slot.leavers {
                leaver.hasten(how, &self.settings, now, out);
            }
            slot.stop_waiting_for_the_dying();
            if let State::Held(worker) = std::mem::replace(&mut slot.state, State::Empty) {
                slot.dismiss(worker, Leaving::Stop, how, &self.settings, now, out);
            }
            if let Some(successor) = slot.successor.take() {
                slot.dismiss(successor, Leaving::Stop, how, &self.settings, now, out);
            }
        }
    }

    pub(super) fn hasten_stop(&mut self, haste: Haste, now: Moment, out: &mut Vec<Action>) {
        let Phase::Stopping { how, .. } = &mut self.phase else {
            return;
        };
        *how = haste;
        out.push(Action::Announce(Change::Stopping { how: haste }));
        for leaver in self.slots.iter_mut().flat_map(|slot| &mut slot.leavers) {
            leaver.hasten(haste, &self.settings, now, out);
        }
    }
}
