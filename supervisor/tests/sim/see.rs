//! What each action must not do, checked when it is ordered and written into the books.

use std::time::Duration;

use brigade_shared::id::{Generation, SlotId, WorkerId};
use brigade_supervisor::plan::{
    Action, Change, Deadline, Haste, Leaving, Moment, Scaling, Settings, Verdict,
};

use super::ledger::{
    Broken, Course, Due, KILL_AGAIN, LOST_AFTER, Ledger, Promise, Record, Rule, Told, hold,
};

impl Ledger {
    pub(crate) fn see(&mut self, action: &Action, now: Moment) -> Result<(), Broken> {
        hold(
            self.finished.is_none() && !self.gone,
            Rule::Stopping,
            || format!("{action:?} after the last order"),
        )?;
        if let Some((id, _)) = self.dismissed
            && !matches!(action, Action::Drain { worker, .. } | Action::Cut(worker)
                | Action::Kill(worker) if *worker == id)
        {
            let words = format!("worker {id} was said to be asked to leave, but {action:?}");
            return Err(Broken::new(Rule::Leaving, words));
        }
        if let Some(slot) = self.renewed
            && !matches!(action, Action::Spawn { slot: other, .. } if *other == slot)
        {
            let words = format!("slot {slot} was said to be recycled, but {action:?}");
            return Err(Broken::new(Rule::Recycling, words));
        }
        match action {
            Action::OpenSlot(slot) => self.see_open(*slot, now),
            Action::CloseSlot(slot) => self.see_close(*slot, now),
            Action::Steer(slots) => self.see_steer(slots, now),
            Action::Spawn {
                worker,
                slot,
                generation,
                holds,
            } => self.see_spawn(*worker, *slot, (*generation, *holds), now),
            Action::Drain { worker, within } => self.see_drain(*worker, *within, now),
            Action::Cut(worker) => self.see_cut(*worker, now),
            Action::Kill(worker) => self.see_kill(*worker, now),
            Action::LoadConfig => self.see_load_order(),
            Action::StageConfig(generation) => self.see_stage(*generation),
            Action::CommitConfig(generation) => self.see_commit(*generation, now),
            Action::DropConfig(generation) => self.see_drop(*generation, now),
            Action::CloseListeners => {
                let once = self.stop.is_some() && self.listening;
                self.listening = false;
                hold(once, Rule::Stopping, || {
                    "listeners closed without need".to_owned()
                })
            }
            Action::Announce(change) => self.see_change(change, now),
            Action::Finish(verdict) => self.see_finish(*verdict, now),
            Action::Look => self.see_look(now),
            Action::Doze => self.see_doze(),
            Action::Relieve(relief) => self.see_relieve(relief, now),
            Action::Ask(worker) => self.see_ask(*worker, now),
            Action::Abort(worker) => self.see_abort(*worker, now),
            Action::Begin(worker) => self.see_begin(*worker),
            Action::CloseRetired => self.see_close_retired(now),
            Action::AskSentinel => self.see_sentinel_asked(),
            Action::ExecNew | Action::ExecOld => self.see_leap(action, now),
            Action::ForgetOld => self.see_forget(),
            Action::RenewCertificates(generation) => self.see_renewal(*generation),
            // No world of the simulation speaks TLS.
            Action::RotateTickets => hold(false, Rule::Reload, || "keys nobody has".to_owned()),
        }
    }

    /// What a commit or a roll-back has retired is closed when nothing can arrive there any more.
    fn see_close_retired(&mut self, now: Moment) -> Result<(), Broken> {
        let due = self.retired.take().is_some_and(|at| at <= now);
        hold(due, Rule::Reload, || {
            "retired addresses closed unasked or too soon".to_owned()
        })
    }

    fn see_spawn(
        &mut self,
        id: WorkerId,
        slot: SlotId,
        (generation, holds): (Generation, bool),
        now: Moment,
    ) -> Result<(), Broken> {
        let what = || format!("spawn of {id} in slot {slot} of generation {generation}");
        hold(
            self.stop.is_none() && id > self.last_worker,
            Rule::Spawns,
            what,
        )?;
        let open = usize::from(slot.0) < self.slots.len();
        hold(open, Rule::Spawns, || {
            format!("{}: the slot is closed", what())
        })?;
        hold(self.has_room(slot), Rule::Crowd, || {
            format!("{}: crowded", what())
        })?;
        let renews = self.renewed.take().is_some();
        hold(
            renews || self.holder(slot, generation).is_none(),
            Rule::Crowd,
            || format!("{}: it has one of this generation", what()),
        )?;
        let is_staged = self.is_staged(generation);
        if is_staged {
            self.check_surge(slot, now)?;
        }
        let must = is_staged && self.must_hold(slot, now)?;
        hold(holds == must, Rule::Reload, || {
            format!("{}: may it serve at once? {holds}", what())
        })?;
        let made_with = self.check_maker(slot, generation, renews, now)?;
        let start_by = now + made_with.start_timeout;
        let (warn, limit) = (made_with.stall_warn, made_with.stall_limit);
        self.last_worker = id;
        self.spawned = true;
        let record = Record {
            slot,
            generation,
            born: now,
            start_by,
            warn,
            limit,
            ready: None,
            told: Told::Nothing,
            because: None,
            alive: true,
            holds,
            renews,
            asked: None,
            answered: 0,
            memory: 0,
            heavy: 0,
        };
        if !is_staged {
            self.slots[usize::from(slot.0)].yielded = false;
        }
        self.workers.insert(id, record);
        self.by_slot[usize::from(slot.0)].push(id);
        Ok(())
    }

    /// With which configuration a worker is made, and whether that is right.
    fn check_maker(
        &self,
        slot: SlotId,
        generation: Generation,
        renews: bool,
        now: Moment,
    ) -> Result<&Settings, Broken> {
        let what = || format!("spawn in slot {slot} of generation {generation}");
        let mut made_with = &self.settings;
        if let Some((staged, settings)) = self.staged()
            && staged == generation
        {
            made_with = settings;
            let wanted = slot.0 < settings.workers;
            hold(wanted, Rule::Spawns, || format!("{}: not wanted", what()))?;
            let canary = slot == SlotId(0) || self.serves_generation(SlotId(0), generation);
            hold(canary, Rule::Reload, || {
                format!("{}: before the canary is ready", what())
            })?;
        } else if renews {
            let exists = generation == self.committed;
            hold(exists, Rule::Spawns, || {
                format!("{}: no such configuration", what())
            })?;
        } else {
            // What waits in a slot that another fleet has left may need somebody of its own.
            let is_left = self.kept.need_workers && slot.0 < self.kept.open;
            let wanted = self.is_wanted(slot) || is_left && now == Moment::ZERO;
            let exists = generation == self.committed && wanted && self.may_refill();
            hold(exists, Rule::Spawns, || {
                format!("{}: no such configuration", what())
            })?;
            hold(!self.slot_serves(slot), Rule::Spawns, || {
                format!("{}: its successor serves already", what())
            })?;
            hold(!self.awaits_departure(slot, now), Rule::Spawns, || {
                format!("{}: beside one that yielded", what())
            })?;
            let promise = self.slots[usize::from(slot.0)].promise;
            let kept = matches!(promise, Promise::Within { from, .. } if from <= now);
            hold(kept, Rule::Backoff, || {
                format!("{}: promised was {promise:?}", what())
            })?;
        }
        Ok(made_with)
    }

    fn living(&mut self, id: WorkerId, order: &str) -> Result<&mut Record, Broken> {
        let record = self.workers.get_mut(&id).filter(|record| record.alive);
        record.ok_or_else(|| Broken::new(Rule::Ladder, format!("{order} of {id}, who is gone")))
    }

    fn see_drain(&mut self, id: WorkerId, within: Duration, now: Moment) -> Result<(), Broken> {
        let promised = self.settings.drain_timeout;
        let dismissed = self.dismissed.take().map(|(_, because)| because);
        let stopping = self.stop.is_some();
        let record = self.living(id, "drain")?;
        let slot = record.slot;
        let polite = record.told == Told::Nothing && record.ready.is_some() && within == promised;
        hold(polite && dismissed.is_some(), Rule::Ladder, || {
            format!("drain of {id}")
        })?;
        record.told = Told::Drain {
            until: now + within,
        };
        let left_out = !self.steer.is_empty() && !self.steer.contains(&slot);
        if !stopping && !left_out && !self.slot_serves(slot) {
            self.exposed = Some((id, slot));
        }
        let surplus = dismissed == Some(Leaving::Scale) && !self.is_wanted(slot);
        hold(!surplus || self.is_quiet(slot, now), Rule::Steering, || {
            format!("worker {id} of surplus slot {slot} is drained while connections arrive")
        })
    }

    fn see_cut(&mut self, id: WorkerId, now: Moment) -> Result<(), Broken> {
        let until = now + self.settings.kill_timeout;
        let how = self.stop.map(|stop| stop.how);
        let dismissed = self.dismissed.take().is_some();
        let overstayed = self.overstayed.clone();
        let record = self.living(id, "cut")?;
        let overstayed = overstayed.contains(&record.generation);
        let in_time = match record.told {
            Told::Nothing => dismissed && (record.ready.is_none() || how >= Some(Haste::Cut)),
            Told::Drain { until } => until <= now || overstayed || how >= Some(Haste::Cut),
            Told::Cut { .. } | Told::Abort { .. } | Told::Kill { .. } => false,
        };
        hold(in_time, Rule::Ladder, || {
            format!("cut of {id}, who was told {:?}", record.told)
        })?;
        record.told = Told::Cut { until };
        Ok(())
    }

    fn see_kill(&mut self, id: WorkerId, now: Moment) -> Result<(), Broken> {
        let how = self.stop.map(|stop| stop.how);
        let late = |change: &Change| matches!(change, Change::WorkerOverdue { worker, .. } if *worker == id);
        let overdue = self.said.iter().any(late);
        self.dismissed = None;
        let record = self.living(id, "kill")?;
        let (in_time, first) = match record.told {
            Told::Kill { first, last } => {
                (last + KILL_AGAIN <= now || first + LOST_AFTER <= now, first)
            }
            Told::Abort { until } => (until <= now || how == Some(Haste::Kill), now),
            // That it is overdue was checked when it was said.
            Told::Nothing | Told::Drain { .. } | Told::Cut { .. } => {
                (overdue || how == Some(Haste::Kill), now)
            }
        };
        hold(in_time, Rule::Ladder, || {
            format!("kill of {id}, who was told {:?}", record.told)
        })?;
        record.told = Told::Kill { first, last: now };
        Ok(())
    }

    fn see_abort(&mut self, id: WorkerId, now: Moment) -> Result<(), Broken> {
        let until = now + self.settings.kill_timeout;
        let stalled = self.said.contains(&Change::WorkerOverdue {
            worker: id,
            deadline: Deadline::Stall,
        });
        let record = self.living(id, "abort")?;
        let right = stalled && record.told == Told::Nothing && record.ready.is_some();
        hold(right, Rule::Ladder, || format!("abort of {id}: {record:?}"))?;
        record.told = Told::Abort { until };
        Ok(())
    }

    /// It is said that they are renewed when they are.
    fn see_renewal(&mut self, generation: Generation) -> Result<(), Broken> {
        let said = Due::Say(Change::CertificatesRenewed(generation));
        hold(self.due.contains(&said), Rule::Reload, || {
            format!("certificates of generation {generation} renewed unasked")
        })
    }

    fn see_load_order(&mut self) -> Result<(), Broken> {
        let idle = self.course == Course::Idle && self.stop.is_none();
        hold(idle, Rule::Reload, || {
            format!("configuration read during {:?}", self.course)
        })?;
        self.course = Course::Loading;
        if self.pay(&Due::Load, Rule::Reload).is_err() {
            hold(self.queued, Rule::Reload, || {
                "configuration read unasked".to_owned()
            })?;
            self.queued = false;
        }
        Ok(())
    }

    fn see_stage(&mut self, generation: Generation) -> Result<(), Broken> {
        let (mut settings, is_upgrade) = match self.course.clone() {
            Course::Loaded(settings) => (settings, false),
            Course::Arrived(settings) => (settings, true),
            other => {
                let words = format!("generation {generation} staged during {other:?}");
                return Err(Broken::new(Rule::Reload, words));
            }
        };
        self.is_upgrade = is_upgrade;
        let fresh = generation == self.newest.next();
        hold(fresh, Rule::Reload, || {
            format!("generation {generation} is not the next")
        })?;
        self.newest = generation;
        if let Some(bounds) = settings.elastic {
            settings.workers = self.wanted.clamp(bounds.least, bounds.most);
        }
        self.course = Course::Staged {
            generation,
            settings,
        };
        self.owe(Due::Say(Change::ReloadStarted(generation)));
        Ok(())
    }

    fn see_commit(&mut self, generation: Generation, now: Moment) -> Result<(), Broken> {
        let staged = std::mem::replace(&mut self.course, Course::Idle);
        let Course::Staged {
            generation: staged,
            settings,
        } = staged
        else {
            return Err(Broken::new(
                Rule::Reload,
                format!("commit during {staged:?}"),
            ));
        };
        let all = (0..settings.workers).all(|slot| self.serves_generation(SlotId(slot), staged));
        let canary = self
            .holder(SlotId(0), staged)
            .and_then(|record| record.ready);
        let proven = canary.is_some_and(|since| since + settings.probation <= now);
        hold(staged == generation && all && proven, Rule::Reload, || {
            format!("generation {generation} committed before all of it is ready")
        })?;
        self.committed = generation;
        self.settings = settings;
        self.crashes.clear();
        self.retired = Some(now + self.settings.settle);
        self.most = self.most.max(self.most_processes());
        if self.is_upgrade {
            self.forgets = true;
            self.owe(Due::Say(Change::UpgradeDone(generation)));
        } else {
            self.owe(Due::Say(Change::ReloadDone(generation)));
        }
        self.processors = None;
        self.load_changed(now);
        self.watch.settings_since = now;
        let (from, to) = (self.wanted, self.settings.workers);
        if from != to {
            self.owe(Due::Say(Change::Scaled {
                from,
                to,
                because: Scaling::Reload,
            }));
        }
        self.rewant(to, now);
        for book in &mut self.slots[..usize::from(to)] {
            (book.deaths, book.before_ready) = (0, 0);
        }
        for book in &mut self.slots {
            book.renewal_failed = false;
        }
        for book in &mut self.slots[..usize::from(to)] {
            book.yielded = false;
        }
        self.failed.clear();
        self.disown(Leaving::Reload, |record| record.generation != generation);
        self.owe_postponed(now);
        Ok(())
    }

    fn see_drop(&mut self, generation: Generation, now: Moment) -> Result<(), Broken> {
        let staged = self.staged().map(|(staged, _)| staged);
        hold(staged == Some(generation), Rule::Reload, || {
            format!("generation {generation} dropped while {staged:?} was staged")
        })?;
        self.partial = self
            .staged()
            .is_some_and(|(_, settings)| settings.surge < settings.workers);
        self.course = Course::Idle;
        self.dropped = Some(generation);
        if self.stop.is_none() {
            self.retired = Some(now + self.settings.settle);
            let told = |change: &Change| matches!(change, Change::ReloadRolledBack { .. });
            let told = self.said.iter().any(told);
            hold(told, Rule::Reload, || "dropped without a word".to_owned())?;
            if self.is_upgrade {
                self.owe_return(generation);
            }
            self.disown(Leaving::RollBack, |record| record.generation == generation);
            self.owe_postponed(now);
        }
        Ok(())
    }

    /// Workers that were killed for being late are nobody's holders any more.
    pub(crate) fn disown(&mut self, because: Leaving, whom: impl Fn(&Record) -> bool) {
        for record in self.workers.values_mut() {
            let dying = matches!(record.told, Told::Kill { .. } | Told::Abort { .. });
            if record.alive && dying && whom(record) {
                record.because.get_or_insert(because);
            }
        }
    }

    fn see_finish(&mut self, verdict: Verdict, now: Moment) -> Result<(), Broken> {
        let meant = self.stop.map(|stop| stop.verdict);
        hold(meant == Some(verdict), Rule::Stopping, || {
            format!("{verdict:?}, not {meant:?}")
        })?;
        let left = self.alive().find(|(_, record)| {
            !matches!(record.told, Told::Kill { first, .. } if first + LOST_AFTER <= now)
        });
        hold(left.is_none(), Rule::Stopping, || {
            format!("finished before {left:?} was gone")
        })?;
        self.finished = Some(verdict);
        Ok(())
    }

    /// How long a slot stays open after it was left out of the steering.
    pub(crate) fn closes_after(&self) -> Duration {
        self.settings.close_after.max(self.settings.settle)
    }

    /// Whether nothing can arrive in this slot any more.
    pub(crate) fn is_quiet(&self, slot: SlotId, now: Moment) -> bool {
        let book = &self.slots[usize::from(slot.0)];
        book.out_since
            .is_some_and(|since| since + self.settings.settle <= now)
    }
}
