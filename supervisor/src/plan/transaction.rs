//! What a transaction does: it stages a generation, starts it, lets it take over slot by slot or
//! all at once, commits it or rolls it back. When, and in which order, is decided in reload.rs.

use std::collections::BTreeSet;

use brigade_shared::id::{Generation, WorkerId};

use super::fleet::Fleet;
use super::recycle::Renewal;
use super::reload::{Circumstances, Progress, Step, Transaction};
use super::restart::{Deaths, Window};
use super::scale;
use super::slot::State;
use super::upgrade::Image;
use super::vocabulary::{Action, Change, Failure, Haste, Leaving, Moment, Scaling, Settings};

impl Fleet {
    /// A new configuration waits: the transaction begins.
    pub(super) fn stage(
        &mut self,
        mut settings: Settings,
        is_upgrade: bool,
        now: Moment,
        out: &mut Vec<Action>,
    ) {
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
        // The new generation renews everybody.
        self.dismiss_successors(Leaving::Reload, now, out);
        let transaction = Transaction {
            generation,
            settings,
            is_upgrade,
        };
        let wanted = transaction.wanted();
        self.reload.state = Progress::Running(Box::new(transaction));
        // If nobody serves, every open slot gets connections: not the ones that open only on trial.
        self.steer(now, out);
        self.open_slots(wanted, now, out);
    }

    /// Takes the steps that are due, one after the other, then lets a queued reload begin.
    pub(super) fn advance_reload(&mut self, now: Moment, out: &mut Vec<Action>) {
        while let Some(staged) = self.reload.running() {
            let generation = staged.generation;
            match staged.step(&self.slots, self.circumstances(now)) {
                Step::Wait => break,
                Step::Start(indexes) => self.start_successors(&indexes, generation, now, out),
                Step::Yield(indexes) => self.yield_slots(&indexes, now, out),
                Step::TakeOver(indexes) => self.take_over(&indexes, Leaving::Reload, now, out),
                Step::Commit => self.commit(now, out),
            }
        }
        if self.reload.take_queued() {
            out.push(Action::LoadConfig);
        }
    }

    /// Whether there is a step to be taken now.
    pub(super) fn goes_on(&self, now: Moment) -> bool {
        self.reload
            .running()
            .is_some_and(|staged| staged.step(&self.slots, self.circumstances(now)) != Step::Wait)
    }

    /// When the transaction goes on by itself: the canary's probation is over, and something
    /// waits for that.
    pub(super) fn proof_deadline(&self) -> Option<Moment> {
        let staged = self.reload.running()?;
        let at = staged.proven_at(&self.slots)?;
        let next = staged.step(&self.slots, self.circumstances(at));
        (next != Step::Wait).then_some(at)
    }

    fn circumstances(&self, now: Moment) -> Circumstances {
        let staged = self.reload.running();
        let proven_at = staged.and_then(|staged| staged.proven_at(&self.slots));
        Circumstances {
            wanted: self.wanted,
            most: self.most_processes(),
            proven: proven_at.is_some_and(|at| at <= now),
        }
    }

    fn start_successors(
        &mut self,
        indexes: &[usize],
        generation: Generation,
        now: Moment,
        out: &mut Vec<Action>,
    ) {
        for &index in indexes {
            let worker = self.spawn(index, generation, now, out);
            self.slots[index].successor = Some(worker);
        }
    }

    /// The holders leave before anybody follows: there may not be more processes.
    fn yield_slots(&mut self, indexes: &[usize], now: Moment, out: &mut Vec<Action>) {
        let mut orders = Vec::new();
        for &index in indexes {
            let slot = &mut self.slots[index];
            if let State::Held(old) = std::mem::replace(&mut slot.state, State::Yielded) {
                let (because, haste) = (Leaving::Reload, Haste::Drain);
                slot.dismiss(old, because, haste, &self.settings, now, &mut orders);
            }
        }
        self.steer(now, out);
        out.append(&mut orders);
    }

    /// Ready successors become the holders of their slots.
    pub(super) fn take_over(
        &mut self,
        indexes: &[usize],
        because: Leaving,
        now: Moment,
        out: &mut Vec<Action>,
    ) {
        let mut orders = Vec::new();
        for &index in indexes {
            let slot = &mut self.slots[index];
            slot.stop_waiting_for_the_dying();
            let Some(successor) = slot.successor.take() else {
                continue;
            };
            slot.renewal = Renewal::default();
            if let State::Held(old) = std::mem::replace(&mut slot.state, State::Held(successor)) {
                let haste = Haste::Drain;
                slot.dismiss(old, because, haste, &self.settings, now, &mut orders);
            }
        }
        self.let_begin(out);
        self.steer(now, out);
        out.append(&mut orders);
    }

    /// Whether this worker has to hold still at first: only the canary gets connections before it
    /// has proved itself.
    pub(super) fn must_hold(&self, index: usize, generation: Generation, now: Moment) -> bool {
        let Some(staged) = self.reload.running() else {
            return false;
        };
        let follows = staged.generation == generation && index > 0;
        follows && staged.settings.can_hold && !self.circumstances(now).proven
    }

    /// Those who hold a slot, or are all that it has, take connections.
    pub(super) fn let_begin(&mut self, out: &mut Vec<Action>) {
        for (index, slot) in self.slots.iter_mut().enumerate() {
            slot.let_begin(index < self.wanted, out);
        }
    }

    fn commit(&mut self, now: Moment, out: &mut Vec<Action>) {
        let Some(staged) = self.reload.take_running() else {
            return;
        };
        let Transaction {
            generation,
            settings,
            is_upgrade,
        } = staged;
        out.push(Action::CommitConfig(generation));
        if is_upgrade {
            out.push(Action::ForgetOld);
            out.push(Action::Announce(Change::UpgradeDone(generation)));
        } else {
            out.push(Action::Announce(Change::ReloadDone(generation)));
        }
        let from = self.wanted_workers();
        let to = settings.workers;
        self.generation = generation;
        self.settings = settings;
        self.wanted = usize::from(to);
        self.crashes = Window::default();
        // The new configuration has counted the processors itself.
        self.processors = None;
        self.gauge.begin_anew(now);
        self.retired = Some(now + self.settings.settle);
        if from != to {
            out.push(Action::Announce(Change::Scaled {
                from,
                to,
                because: Scaling::Reload,
            }));
        }
        for slot in &mut self.slots {
            slot.stop_waiting_for_the_dying();
            slot.deaths = Deaths::default();
            slot.renewal = Renewal::default();
        }
        let all: Vec<_> = (0..self.slots.len()).collect();
        self.take_over(&all, Leaving::Reload, now, out);
        self.follow_postponed(now, out);
    }

    /// The staged generation has failed by this worker; the old one goes on. Slots that the new
    /// one holds already are renewed (recycle.rs).
    pub(super) fn roll_back(
        &mut self,
        worker: WorkerId,
        failure: Failure,
        now: Moment,
        out: &mut Vec<Action>,
    ) {
        let Some(staged) = self.reload.take_running() else {
            return;
        };
        let generation = staged.generation;
        out.push(Action::Announce(Change::ReloadRolledBack {
            generation,
            worker,
            failure,
        }));
        out.push(Action::DropConfig(generation));
        self.retired = Some(now + self.settings.settle);
        if staged.is_upgrade {
            let failed = generation;
            self.reload.state = Progress::Departing(Image::Old { failed });
        }
        self.dismiss_successors(Leaving::RollBack, now, out);
        self.follow_postponed(now, out);
    }

    fn dismiss_successors(&mut self, because: Leaving, now: Moment, out: &mut Vec<Action>) {
        let mut orders = Vec::new();
        for slot in &mut self.slots {
            if let Some(successor) = slot.successor.take() {
                let haste = Haste::Drain;
                slot.dismiss(successor, because, haste, &self.settings, now, &mut orders);
            }
        }
        self.steer(now, out);
        out.append(&mut orders);
    }

    /// Cuts the oldest of the older generations that still drain, if they are more than may be.
    pub(super) fn cut_lingering(&mut self, now: Moment, out: &mut Vec<Action>) {
        let leavers = self.slots.iter().flat_map(|slot| &slot.leavers);
        let draining = leavers.filter(|leaver| leaver.is_draining());
        let generations = draining.map(|leaver| leaver.generation);
        let older: BTreeSet<_> = generations
            .filter(|generation| *generation < self.generation)
            .collect();
        // The one that was just replaced may always drain.
        let may = usize::from(self.settings.lingering.max(1));
        let too_many = older.len().saturating_sub(may);
        for generation in older.into_iter().take(too_many) {
            out.push(Action::Announce(Change::LingeringCut(generation)));
            let leavers = self.slots.iter_mut().flat_map(|slot| &mut slot.leavers);
            for leaver in leavers.filter(|leaver| leaver.generation == generation) {
                leaver.hasten(Haste::Cut, &self.settings, now, out);
            }
        }
    }

    /// Nothing can arrive any more at addresses that the last commit or roll-back has retired.
    pub(super) fn close_retired(&mut self, now: Moment, out: &mut Vec<Action>) {
        if self.retired.is_some_and(|at| at <= now) {
            self.retired = None;
            out.push(Action::CloseRetired);
        }
    }

    /// The most processes of one slot at a time: the lingering ones, holder, successor, and one
    /// that is being cut. Who wants to start one more waits until another has left.
    pub(super) fn most_processes(&self) -> usize {
        usize::from(self.settings.lingering) + 3
    }
}
