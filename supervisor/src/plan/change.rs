//! The great changes: a reload staged, rolled back, committed; the fleet scaled; the fleet stopped.
//! Each collects the orders to leave and sends them after the steering that leaves their workers
//! out.

use brigade_shared::id::WorkerId;

use super::fleet::{Fleet, Phase};
use super::reload::{Progress, Reload, Step, Transaction};
use super::restart::{Deaths, Window};
use super::scale;
use super::slot::State;
use super::vocabulary::{
    Action, Change, Failure, Haste, Leaving, Moment, Scaling, Settings, Verdict,
};

impl Fleet {
    /// A new configuration waits: the transaction begins.
    pub(super) fn stage(&mut self, mut settings: Settings, now: Moment, out: &mut Vec<Action>) {
        // An elastic number follows the load across reloads, as far as the new bounds let it.
        let workers = match settings.elastic {
            Some(_) => self.wanted_workers(),
            None => settings.workers,
        };
        settings.workers = scale::bounded(workers, 0, scale::bounds(&settings));
        let generation = self.newest.next();
        self.newest = generation;
        out.push(Action::StageConfig(generation));
        out.push(Action::Announce(Change::ReloadStarted(generation)));
        let transaction = Transaction {
            generation,
            settings,
        };
        let wanted = transaction.wanted();
        self.reload.state = Progress::Running(Box::new(transaction));
        // If nobody serves, every open slot gets connections: not the ones that open only on trial.
        self.steer(now, out);
        self.open_slots(wanted, now, out);
    }

    /// Starts the successors that are due, or commits; then lets a queued reload begin.
    pub(super) fn advance_reload(&mut self, now: Moment, out: &mut Vec<Action>) {
        if let Some(transaction) = self.reload.running() {
            let generation = transaction.generation;
            match transaction.step(&self.slots) {
                Step::Start(indexes) => {
                    for index in indexes {
                        let worker = self.spawn(index, generation, now, out);
                        self.slots[index].successor = Some(worker);
                    }
                }
                Step::Commit => self.commit(now, out),
            }
        }
        if self.reload.take_queued() {
            out.push(Action::LoadConfig);
        }
    }

    fn commit(&mut self, now: Moment, out: &mut Vec<Action>) {
        let Some(staged) = self.reload.take_running() else {
            return;
        };
        let Transaction {
            generation,
            settings,
        } = staged;
        out.push(Action::CommitConfig(generation));
        out.push(Action::Announce(Change::ReloadDone(generation)));
        let from = self.wanted_workers();
        let to = settings.workers;
        self.generation = generation;
        self.settings = settings;
        self.wanted = usize::from(to);
        self.crashes = Window::default();
        // The new configuration has counted the processors itself.
        self.processors = None;
        self.gauge.begin_anew(now);
        if from != to {
            out.push(Action::Announce(Change::Scaled {
                from,
                to,
                because: Scaling::Reload,
            }));
        }
        let mut orders = Vec::new();
        for slot in &mut self.slots {
            slot.stop_waiting_for_the_dying();
            slot.deaths = Deaths::default();
            let Some(successor) = slot.successor.take() else {
                continue;
            };
            if let State::Held(old) = std::mem::replace(&mut slot.state, State::Held(successor)) {
                let because = Leaving::Reload;
                slot.dismiss(old, because, Haste::Drain, &self.settings, now, &mut orders);
            }
        }
        self.steer(now, out);
        out.append(&mut orders);
        self.follow_postponed(now, out);
    }

    /// The staged generation has failed by this worker; the old one never left.
    pub(super) fn roll_back(
        &mut self,
        worker: WorkerId,
        failure: Failure,
        now: Moment,
        out: &mut Vec<Action>,
    ) {
        let Some(Transaction { generation, .. }) = self.reload.take_running() else {
            return;
        };
        out.push(Action::Announce(Change::ReloadRolledBack {
            generation,
            worker,
            failure,
        }));
        out.push(Action::DropConfig(generation));
        let mut orders = Vec::new();
        for slot in &mut self.slots {
            if let Some(failed) = slot.successor.take() {
                let because = Leaving::RollBack;
                slot.dismiss(
                    failed,
                    because,
                    Haste::Drain,
                    &self.settings,
                    now,
                    &mut orders,
                );
            }
        }
        self.steer(now, out);
        out.append(&mut orders);
        self.follow_postponed(now, out);
    }

    fn follow_postponed(&mut self, now: Moment, out: &mut Vec<Action>) {
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
                State::Held(_) | State::Empty => {}
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
