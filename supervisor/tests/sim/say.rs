//! What is said must be true, owed, and said once.

use brigade_shared::id::{Generation, SlotId, WorkerId};
use brigade_supervisor::plan::{
    Change, Deadline, Despair, Haste, Leaving, Moment, Next, Scaling, Settings, Verdict,
};

use super::ledger::{
    Broken, Course, Due, LOST_AFTER, Ledger, Promise, Record, Rule, Stop, Told, hold,
};
use super::load::bounds;

impl Ledger {
    pub(crate) fn see_change(&mut self, change: &Change, now: Moment) -> Result<(), Broken> {
        self.said.push(change.clone());
        match *change {
            Change::WorkerCrashed { .. } => self.see_crash(change, now),
            Change::SpawnFailed { slot, next } => self.see_not_made(slot, next, now),
            Change::WorkerDraining { worker, because } => self.see_dismissed(worker, because, now),
            Change::WorkerOverdue { worker, deadline } => self.see_overdue(worker, deadline, now),
            Change::ReloadRolledBack {
                generation,
                worker,
                failure: _,
            } => {
                let staged = self.staged().map(|(staged, _)| staged);
                hold(staged == Some(generation), Rule::Reload, || {
                    format!("{change:?}")
                })?;
                self.pay(&Due::RolledBack(worker), Rule::Reload)?;
                // Others may have failed in the same turn: one is named.
                self.due.retain(|due| !matches!(due, Due::RolledBack(_)));
                Ok(())
            }
            Change::WorkerBlocked {
                worker,
                lasts,
                waiting,
            } => self.see_blocked(worker, lasts, waiting, now),
            Change::WorkerRecovered { worker, lasted } => self.see_recovered(worker, lasted, now),
            Change::Scaled { from, to, because } => {
                if let Scaling::Load { .. } = because {
                    hold(from == self.wanted, Rule::Elastic, || format!("{change:?}"))?;
                    self.see_load(from, to, now)?;
                } else {
                    self.pay(&Due::Say(change.clone()), Rule::Scale)?;
                }
                self.load_changed(now);
                self.rewant(to, now);
                self.revive(now);
                Ok(())
            }
            Change::Stopping { how } => {
                self.pay(&Due::Say(change.clone()), Rule::Stopping)?;
                self.see_stopping(how, now);
                Ok(())
            }
            Change::GivingUp(why) => self.see_despair(why, now),
            Change::LingeringCut(generation) => self.see_lingering_cut(generation, now),
            Change::WorkerRecycling { worker, because } => self.see_recycling(worker, because, now),
            Change::ReloadProbation { generation, lasts } => {
                let staged = self.staged();
                let right = staged.is_some_and(|(staged, settings)| {
                    staged == generation && settings.probation == lasts
                });
                hold(right, Rule::Telling, || format!("{change:?}"))
            }
            // Compared with the books when the turn is over.
            Change::FleetReady { .. } | Change::ServiceReady { .. } => Ok(()),
            Change::WorkerReady { .. }
            | Change::WorkerLeft { .. }
            | Change::SlotParked(_)
            | Change::ReloadStarted(_)
            | Change::ReloadQueued
            | Change::ReloadRefused
            | Change::ReloadDone(_)
            | Change::CertificatesRenewed(_)
            | Change::ScaleRefused { .. }
            | Change::UpgradeStarted
            | Change::UpgradeRefused(_)
            | Change::UpgradeDone(_)
            | Change::UpgradeStranded { .. }
            | Change::UpgradeRolledBack { .. } => {
                self.pay(&Due::Say(change.clone()), Rule::Telling)
            }
        }
    }

    fn see_crash(&mut self, change: &Change, now: Moment) -> Result<(), Broken> {
        let Change::WorkerCrashed {
            worker: id,
            exit,
            was_ready,
            uptime,
            next,
        } = *change
        else {
            return Ok(());
        };
        self.pay(&Due::Crashed(id, exit), Rule::Telling)?;
        let record = self.workers[&id].clone();
        let true_word = was_ready == record.ready.is_some() && uptime == now - record.born;
        hold(true_word, Rule::Telling, || {
            format!("{change:?}, but {record:?}")
        })?;
        if next == Next::Parked {
            self.owe(Due::Say(Change::SlotParked(record.slot)));
        }
        self.see_after(&record, next, now)
    }

    fn see_not_made(&mut self, slot: SlotId, next: Next, now: Moment) -> Result<(), Broken> {
        let place = self
            .due
            .iter()
            .position(|due| matches!(due, Due::NotMade(s, _) if *s == slot));
        let place = place.ok_or_else(|| {
            Broken::new(Rule::Telling, format!("no spawn has failed in slot {slot}"))
        })?;
        let Due::NotMade(_, id) = self.due.remove(place) else {
            return Ok(());
        };
        let record = self.workers[&id].clone();
        if record.because.is_none() {
            self.see_after(&record, next, now)
        } else {
            hold(next == Next::Nothing, Rule::Backoff, || {
                format!("{next:?} for a leaver")
            })
        }
    }

    /// What follows the unasked end of a worker.
    fn see_after(&mut self, record: &Record, next: Next, now: Moment) -> Result<(), Broken> {
        if self.promoted.take() == Some(record.slot) {
            return hold(next == Next::Nothing, Rule::Backoff, || {
                format!("{next:?}, but its replacement has started")
            });
        }
        if record.renews {
            return self.see_renewal_failed(record.slot, next);
        }
        if record.generation == self.committed {
            return self.see_next(record.slot, next, now);
        }
        // One that had taken over before its generation failed is followed by the old kind at once.
        if next == Next::Now
            && let Some(book) = self.book(record.slot)
        {
            book.yielded = false;
            book.promise = Promise::at(now);
        }
        let held = self.failed.contains(&record.generation) && self.is_wanted(record.slot);
        let right = match next {
            Next::Nothing => !held,
            Next::Now => held || self.is_staged(record.generation),
            Next::After(_) | Next::Parked => false,
        };
        hold(right, Rule::Backoff, || {
            format!("{next:?} of a past generation")
        })
    }

    /// What becomes of a slot must be what the policy says, and is a promise from now on.
    fn see_next(&mut self, slot: SlotId, next: Next, now: Moment) -> Result<(), Broken> {
        let wanted = self.is_wanted(slot);
        let replaced = self.in_slot(slot).any(|(_, record)| record.is_up());
        let Some(book) = self.book(slot) else {
            return Err(Broken::new(
                Rule::Slots,
                format!("a crash in closed slot {slot}"),
            ));
        };
        let promise = book.promise;
        let as_promised = match (next, promise) {
            (Next::Nothing, _) if !wanted => true,
            (Next::Parked, Promise::Never) => true,
            (Next::Nothing, Promise::Within { .. }) => replaced,
            (Next::Now, Promise::Within { by, .. }) => by == now && !replaced,
            (Next::After(pause), Promise::Within { from, by }) => {
                !replaced && pause > Moment::ZERO && (from..=by).contains(&(now + pause))
            }
            (Next::Nothing | Next::Now | Next::After(_), Promise::Never)
            | (Next::Parked, Promise::Within { .. }) => false,
        };
        if let Next::After(pause) = next {
            book.promise = Promise::at(now + pause);
        }
        hold(as_promised, Rule::Backoff, || {
            format!("slot {slot} gets {next:?} at {now:?}, the policy says {promise:?}")
        })
    }

    fn see_dismissed(&mut self, id: WorkerId, because: Leaving, now: Moment) -> Result<(), Broken> {
        let what = || format!("worker {id} asked to leave because of {because:?}");
        let Some(record) = self
            .workers
            .get(&id)
            .filter(|record| record.stays())
            .cloned()
        else {
            return Err(Broken::new(
                Rule::Leaving,
                format!("{}: it is gone or leaving", what()),
            ));
        };
        let slot = record.slot;
        let holds = match because {
            Leaving::Stop => self.stop.is_some(),
            Leaving::Reload if self.staged().is_some() => self.may_give_way(id, now),
            Leaving::Reload => {
                record.generation != self.committed && self.serves_generation(slot, self.committed)
            }
            Leaving::Recycle => self.is_replaced(id),
            Leaving::Scale if record.renews => !self.is_wanted(slot),
            Leaving::RollBack => Some(record.generation) == self.dropped,
            Leaving::Scale if self.is_wanted(slot) => {
                self.slots[usize::from(slot.0)].yielded = false;
                record.generation != self.committed
            }
            Leaving::Scale => {
                // A blocked one serves nobody, so the others need not be those that are to stay.
                let others = self.wanted_slots().any(|slot| self.slot_serves(slot));
                (others || self.is_blocked(id)) && self.is_quiet(slot, now)
            }
        };
        hold(holds, Rule::Leaving, what)?;
        self.dismissed = Some((id, because));
        self.workers.get_mut(&id).expect("found above").because = Some(because);
        Ok(())
    }

    fn see_overdue(&mut self, id: WorkerId, deadline: Deadline, now: Moment) -> Result<(), Broken> {
        let record = self.workers.get(&id).filter(|record| record.alive).cloned();
        let late = record
            .as_ref()
            .is_some_and(|record| match (deadline, record.told) {
                (Deadline::Start, Told::Nothing) => {
                    record.ready.is_none() && record.start_by <= now
                }
                (Deadline::Drain | Deadline::Cut, Told::Cut { until }) => until <= now,
                (Deadline::Kill, Told::Kill { first, .. }) => first + LOST_AFTER <= now,
                (Deadline::Start | Deadline::Drain | Deadline::Cut | Deadline::Kill, _) => false,
                (Deadline::Stall, Told::Nothing) => self.is_hopeless_stall(id, now),
                (Deadline::Stall, _) => false,
            });
        hold(late, Rule::Ladder, || {
            format!("{id} is not late for its {deadline:?}: {record:?}")
        })?;
        self.due.retain(|due| *due != Due::Stalled(id));
        let staged = self.staged().map(|(staged, _)| staged);
        if deadline == Deadline::Start
            && let Some(record) = record
        {
            if Some(record.generation) == staged {
                self.owe(Due::RolledBack(id));
            } else if record.renews {
                self.workers.get_mut(&id).expect("alive").because = Some(Leaving::Recycle);
                if let Some(book) = self.book(record.slot) {
                    book.renewal_failed = true;
                }
            }
        }
        Ok(())
    }

    /// The oldest is cut, and only if there are too many.
    fn see_lingering_cut(&mut self, generation: Generation, now: Moment) -> Result<(), Broken> {
        let older = self.lingering();
        let too_many = older.len() > self.may_linger();
        let oldest = older.first() == Some(&generation);
        self.overstayed.insert(generation);
        // Those of it who are being cut already get no more time than the others.
        let until = now + self.settings.kill_timeout;
        for record in self.workers.values_mut() {
            if let Told::Cut { until: by } = &mut record.told
                && record.generation == generation
            {
                *by = until.min(*by);
            }
        }
        hold(too_many && oldest, Rule::Lingering, || {
            format!("generation {generation} is cut, {older:?} linger")
        })
    }

    fn see_stopping(&mut self, how: Haste, now: Moment) {
        let Settings {
            drain_timeout: drain,
            kill_timeout: kill,
            ..
        } = self.settings.clone();
        let lag = self.lag * 8;
        let longest = LOST_AFTER + lag;
        let finish_by = now
            + match how {
                Haste::Drain => drain + kill + longest,
                Haste::Cut => kill + longest,
                Haste::Kill => longest,
            };
        let before = self.stop;
        let verdict = before.map_or(Verdict::Stopped, |stop| stop.verdict);
        let given_up = self.said.iter().find_map(|change| match change {
            Change::GivingUp(why) => Some(Verdict::GaveUp(*why)),
            _ => None,
        });
        self.stop = Some(Stop {
            how,
            verdict: given_up.unwrap_or(verdict),
            finish_by: before.map_or(finish_by, |stop| stop.finish_by.min(finish_by)),
        });
        for record in self.workers.values_mut() {
            record.told = match record.told {
                Told::Drain { until } if how == Haste::Drain => Told::Drain {
                    until: until.min(now + drain),
                },
                Told::Cut { until } if how <= Haste::Cut => Told::Cut {
                    until: until.min(now + kill),
                },
                Told::Abort { until } if how <= Haste::Cut => Told::Abort {
                    until: until.min(now + kill),
                },
                other => other,
            };
        }
        self.disown(Leaving::Stop, |_| true);
        if self.staged().is_none() {
            self.course = Course::Idle;
        }
        self.leap = None;
        self.queued = false;
        self.retired = None;
    }

    fn see_despair(&mut self, why: Despair, now: Moment) -> Result<(), Broken> {
        let right = self.stop.is_none()
            && match why {
                Despair::NeverReady { .. } => self.is_hopeless(),
                Despair::TooManyCrashes(_) => self.crashed_too_often(now),
            };
        hold(right, Rule::Despair, || format!("{why:?} without reason"))?;
        hold(!self.spawned, Rule::Despair, || {
            "it starts workers while giving up".to_owned()
        })?;
        self.owe(Due::Say(Change::Stopping { how: Haste::Drain }));
        Ok(())
    }

    /// Nothing was ever ready, nothing can be expected, no reload may repair it.
    pub(crate) fn is_hopeless(&self) -> bool {
        let attempts = self.settings.start_attempts;
        !self.ever_ready
            && self.course == Course::Idle
            && self
                .slots
                .iter()
                .take(usize::from(self.wanted))
                .all(|book| book.promise == Promise::Never || book.before_ready >= attempts)
    }

    pub(crate) fn crashed_too_often(&self, now: Moment) -> bool {
        self.settings.intensity.is_some_and(|limit| {
            let recent = self
                .crashes
                .iter()
                .filter(|&&then| now - then <= limit.period);
            recent.count() > usize::try_from(limit.crashes).expect("small")
        })
    }

    /// From now on so many workers are wanted: slots that were not start anew.
    pub(crate) fn rewant(&mut self, to: u16, now: Moment) {
        let before = usize::from(std::mem::replace(&mut self.wanted, to));
        for book in self.slots.iter_mut().take(usize::from(to)).skip(before) {
            (book.deaths, book.before_ready) = (0, 0);
            book.promise = Promise::at(now);
        }
        self.disown(Leaving::Scale, |record| {
            (before..usize::from(to)).contains(&usize::from(record.slot.0))
        });
    }

    /// An order to scale revives what was parked.
    pub(crate) fn revive(&mut self, now: Moment) {
        for slot in self.wanted_slots() {
            // One that took over where the last parked is nobody's concern, but only the end of the
            // turn tells whether it did or is dismissed with its generation.
            let held = self
                .standing(slot)
                .any(|(_, record)| self.dropped != Some(record.generation));
            let Some(book) = self.book(slot) else {
                continue;
            };
            if book.promise == Promise::Never && !held {
                book.revived = Some((book.deaths, book.before_ready));
                (book.deaths, book.before_ready) = (0, 0);
                book.promise = Promise::at(now);
            }
        }
    }

    /// A reload is over: the scale orders that waited for it are followed.
    pub(crate) fn owe_postponed(&mut self, now: Moment) {
        let mut wanted = self.wanted;
        if let Some(to) = self.processors.take() {
            wanted = self.owe_processors(to);
        }
        let by = std::mem::take(&mut self.postponed);
        let (least, most) = bounds(&self.settings);
        let asked = (i64::from(wanted) + by).clamp(i64::from(least), i64::from(most));
        let to = u16::try_from(asked).expect("bounded");
        if to != wanted && by != 0 {
            self.owe(Due::Say(Change::Scaled {
                from: wanted,
                to,
                because: Scaling::Asked,
            }));
        } else if by != 0 {
            self.revive(now);
            self.load_changed(now);
        }
    }

    /// There are so many processors: how many workers there will be.
    pub(crate) fn owe_processors(&mut self, to: u16) -> u16 {
        let (least, most) = bounds(&self.settings);
        let to = to.clamp(least, most);
        if to != self.wanted {
            self.owe(Due::Say(Change::Scaled {
                from: self.wanted,
                to,
                because: Scaling::Processors,
            }));
        }
        to
    }
}
