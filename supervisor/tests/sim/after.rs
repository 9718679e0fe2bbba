//! What must hold when a turn is over: nothing owed, nothing due left undone, everything where it
//! belongs, and a deadline early enough for whatever comes next.

use brigade_shared::id::SlotId;
use brigade_supervisor::plan::{Change, Deadline, Leaving, Moment, Verdict};

use super::ledger::{
    Broken, Course, KILL_AGAIN, LOST_AFTER, Ledger, Promise, Record, Rule, Told, hold,
};
use super::nature::Kind;

impl Ledger {
    pub(crate) fn after_turn(&mut self, next: Option<Moment>, now: Moment) -> Result<(), Broken> {
        self.check_watch(now)?;
        self.check_load(now)?;
        hold(self.due.is_empty(), Rule::Telling, || {
            format!("never came: {:?}", self.due)
        })?;
        hold(self.dismissed.is_none(), Rule::Leaving, || {
            format!("{:?}", self.dismissed)
        })?;
        if self.finished.is_some() {
            return hold(next.is_none(), Rule::Stopping, || {
                format!("{next:?} after Finish")
            });
        }
        self.check_deadlines(next, now)?;
        self.check_crowd()?;
        if self.stop.is_some() {
            self.check_stopping(now)?;
        } else {
            self.check_slots()?;
            self.check_steering()?;
            self.check_reload(now)?;
            self.check_recycling(now)?;
            self.check_holding()?;
            self.check_leap()?;
            self.check_lingering()?;
            self.check_ready()?;
            self.check_started()?;
            let given_up = self.is_hopeless() || self.crashed_just_now(now);
            hold(!given_up, Rule::Despair, || {
                "it should have given up".to_owned()
            })?;
        }
        let kept = self
            .staged()
            .map_or(0, |(_, settings)| settings.workers)
            .max(self.wanted);
        for book in self.slots.iter_mut().skip(usize::from(kept)) {
            book.yielded = false;
        }
        for book in &mut self.slots {
            book.revived = None;
        }
        self.check_quiet()?;
        self.bury_the_dead();
        self.dropped = None;
        self.overstayed.clear();
        self.said.clear();
        self.spawned = false;
        Ok(())
    }

    fn bury_the_dead(&mut self) {
        let dead = self.workers.iter().filter(|(_, record)| !record.alive);
        for (id, slot) in dead
            .map(|(id, record)| (*id, record.slot))
            .collect::<Vec<_>>()
        {
            self.workers.remove(&id);
            self.by_slot[usize::from(slot.0)].retain(|other| *other != id);
        }
    }

    /// Every moment at which something must happen by itself.
    fn moments(&self, now: Moment) -> impl Iterator<Item = (Moment, String)> {
        let workers = self.alive().map(|(id, record)| {
            let at = match record.told {
                Told::Nothing if record.ready.is_some() => Moment::MAX,
                Told::Nothing => record.start_by,
                Told::Drain { until } | Told::Cut { until } | Told::Abort { until } => until,
                Told::Kill { first, last } if last < first + LOST_AFTER => {
                    (last + KILL_AGAIN).min(first + LOST_AFTER)
                }
                Told::Kill { last, .. } => last + KILL_AGAIN,
            };
            (at, format!("worker {id}, told {:?}", record.told))
        });
        let staged = self.staged().is_some();
        let refills = self.wanted_slots().filter_map(move |slot| {
            let gave_way = self.slots[usize::from(slot.0)].yielded;
            let held = self
                .in_slot(slot)
                .any(|(_, record)| record.stays() && self.failed.contains(&record.generation));
            let waits = !held
                && self.may_refill()
                && self.may_double(slot)
                && !(gave_way && (staged || self.awaits_departure(slot, now)))
                && self.stop.is_none()
                && self.holder(slot, self.committed).is_none()
                && !self.slot_serves(slot)
                && self.has_room(slot);
            match self.slots.get(usize::from(slot.0))?.promise {
                Promise::Within { by, .. } if waits => Some((by, format!("slot {slot} is empty"))),
                Promise::Within { .. } | Promise::Never => None,
            }
        });
        let retired = self.retired.map(|at| (at, "what is retired".to_owned()));
        let looks = self.look_by().into_iter();
        workers
            .chain(refills)
            .chain(self.surplus_moments())
            .chain(retired)
            .chain(looks)
            .chain(self.proof_moment(now))
            .chain(self.answer_moment())
    }

    /// When the next surplus worker may leave, and when the highest surplus slot may be closed.
    fn surplus_moments(&self) -> impl Iterator<Item = (Moment, String)> {
        let others = self.wanted_slots().any(|slot| self.slot_serves(slot));
        let trial = self.staged().map_or(0, |(_, settings)| settings.workers);
        let surplus = (self.wanted..).map(SlotId).take(match self.stop {
            None => self.slots.len() - usize::from(self.wanted),
            Some(_) => 0,
        });
        surplus.filter_map(move |slot| {
            let since = self.slots[usize::from(slot.0)].out_since?;
            let at = since + self.settings.settle;
            let highest = usize::from(slot.0) + 1 == self.slots.len() && slot.0 >= trial;
            let serves =
                |(_, record): (_, &Record)| record.serves() && !self.is_staged(record.generation);
            if highest && self.in_slot(slot).next().is_none() {
                // Before anybody has served, what waits there has nobody to go to.
                if !self.ever_ready {
                    return None;
                }
                let at = since + self.closes_after();
                Some((at, format!("slot {slot} could be closed")))
            } else if others && self.in_slot(slot).any(serves) {
                Some((at, format!("the worker of slot {slot} is surplus")))
            } else {
                None
            }
        })
    }

    fn check_deadlines(&self, next: Option<Moment>, now: Moment) -> Result<(), Broken> {
        hold(next.is_none_or(|at| at >= now), Rule::Deadlines, || {
            format!("next deadline {next:?}, but it is {now:?}")
        })?;
        for (at, what) in self.moments(now).filter(|(at, _)| *at != Moment::MAX) {
            // At this very moment only what this turn began with a deadline of zero.
            let begun = at == now && next == Some(now);
            hold(at > now || begun, Rule::LeftUndone, || {
                format!("{what}, due at {at:?}")
            })?;
            hold(next.is_some_and(|next| next <= at), Rule::Deadlines, || {
                format!("next deadline {next:?} is later than {at:?} ({what})")
            })?;
        }
        Ok(())
    }

    fn check_crowd(&self) -> Result<(), Broken> {
        let staged = self.staged().map(|(generation, _)| generation);
        for slot in (0..self.slots.len()).map(|index| SlotId(u16::try_from(index).expect("few"))) {
            let all = self.in_slot(slot).count();
            let stay = |generation| {
                let all = self.in_slot(slot).map(|(_, record)| record);
                all.filter(|record| record.stays() && Some(record.generation) == generation)
                    .count()
            };
            let past = self.in_slot(slot).any(|(_, record)| {
                let current = record.generation == self.committed;
                let failed = self.failed.contains(&record.generation)
                    || self.dropped == Some(record.generation);
                record.stays() && !current && !failed && Some(record.generation) != staged
            });
            let renewed = self
                .in_slot(slot)
                .any(|(_, record)| record.renews && record.stays());
            let most = 1 + usize::from(renewed);
            let right = all <= self.most && stay(Some(self.committed)) <= most;
            let right = right && (staged.is_none() || stay(staged) <= 1);
            hold(right, Rule::Crowd, || {
                format!("slot {slot} has {all} processes")
            })?;
            hold(
                !past || !self.is_wanted(slot) || self.stop.is_some(),
                Rule::Reload,
                || format!("slot {slot} keeps a worker of a past generation"),
            )?;
        }
        let homeless = self
            .alive()
            .find(|(_, r)| usize::from(r.slot.0) >= self.slots.len());
        hold(homeless.is_none(), Rule::Slots, || {
            format!("{homeless:?} has no slot")
        })
    }

    fn check_stopping(&self, now: Moment) -> Result<(), Broken> {
        let stop = self.stop.expect("asked before");
        hold(!self.listening, Rule::Stopping, || {
            "it still listens".to_owned()
        })?;
        let stays = self.alive().find(|(_, record)| record.stays());
        hold(stays.is_none(), Rule::Stopping, || {
            format!("{stays:?} was not told to leave")
        })?;
        let waits = self.alive().any(|(_, record)| {
            !matches!(record.told, Told::Kill { first, .. } if first + LOST_AFTER <= now)
        });
        hold(waits, Rule::Stopping, || {
            "nobody is left, but it goes on".to_owned()
        })?;
        hold(now <= stop.finish_by, Rule::Stopping, || {
            format!("it is {now:?}, it had to end by {:?}", stop.finish_by)
        })
    }

    fn check_slots(&self) -> Result<(), Broken> {
        let trial = self.staged().map_or(0, |(_, settings)| settings.workers);
        let kept = usize::from(self.wanted.max(trial));
        hold(self.slots.len() >= kept, Rule::Slots, || {
            format!("fewer than {kept} are open")
        })
    }

    fn check_steering(&mut self) -> Result<(), Broken> {
        let exposed = self.exposed.take();
        let nobody = !self.alive().any(|(_, record)| record.serves());
        hold(exposed.is_none() || nobody, Rule::Steering, || {
            format!("{exposed:?} was drained while new connections were sent to its slot")
        })?;
        let steer = &self.steer;
        let wanted = || self.wanted_slots();
        let ready: Vec<_> = wanted().filter(|slot| self.slot_serves(*slot)).collect();
        let well = |slots: &[SlotId]| -> Vec<_> {
            let well = slots.iter().copied();
            well.filter(|slot| self.slot_serves_well(*slot)).collect()
        };
        let serving = well(&ready);
        let last = |slot: &SlotId| {
            self.serves_generation(*slot, self.committed)
                || self
                    .in_slot(*slot)
                    .any(|(_, r)| r.serves() && !self.is_staged(r.generation))
        };
        let surplus = (self.wanted..)
            .map(SlotId)
            .take(self.slots.len() - usize::from(self.wanted));
        let surplus: Vec<_> = surplus.filter(last).collect();
        let turning: Vec<_> = surplus
            .iter()
            .copied()
            .filter(|slot| {
                let mut all = self.in_slot(*slot);
                all.any(|(id, r)| {
                    r.serves() && !self.is_staged(r.generation) && !self.is_blocked(*id)
                })
            })
            .collect();
        let right = if !serving.is_empty() {
            *steer == serving
        } else if !turning.is_empty() {
            *steer == turning
        } else if !ready.is_empty() {
            *steer == ready
        } else if !surplus.is_empty() {
            *steer == surplus
        } else {
            let all_stay = self.slots.len() == usize::from(self.wanted);
            wanted().eq(steer.iter().copied()) || (steer.is_empty() && all_stay)
        };
        hold(right, Rule::Steering, || {
            format!("steered to {steer:?}, serving are {serving:?}, surplus {surplus:?}")
        })
    }

    fn check_reload(&mut self, now: Moment) -> Result<(), Broken> {
        let stalled = match &self.course {
            Course::Idle => self.queued,
            Course::Loading | Course::Staged { .. } | Course::Asking { .. } => false,
            Course::Departed { .. } | Course::Returned { .. } => false,
            Course::Loaded(_) | Course::Arrived(_) => true,
            Course::Departing | Course::Returning(_) => true,
        };
        hold(!stalled, Rule::Reload, || {
            format!("it does not go on from {:?}", self.course)
        })?;
        self.check_progress(now)?;
        self.check_dropped()
    }

    fn check_lingering(&self) -> Result<(), Broken> {
        let cut = self.alive().find(|(_, record)| {
            let drains = matches!(record.told, Told::Drain { .. });
            drains && self.overstayed.contains(&record.generation)
        });
        hold(cut.is_none(), Rule::Lingering, || {
            format!("{cut:?} was to be cut with its generation")
        })?;
        let older = self.lingering();
        let few = older.len() <= self.may_linger();
        hold(few, Rule::Lingering, || format!("{older:?} linger"))
    }

    fn check_ready(&mut self) -> Result<(), Broken> {
        let generation = self.committed;
        let mut slots = self.wanted_slots();
        let all = slots.all(|slot| self.serves_generation(slot, generation));
        let state = all.then_some((self.wanted, generation));
        let owed = all && self.told_ready != state;
        let told: Vec<_> = self
            .said
            .iter()
            .filter(|said| matches!(said, Change::FleetReady { .. }))
            .collect();
        let right = Change::FleetReady {
            workers: self.wanted,
            generation,
        };
        hold(
            told.iter().all(|told| **told == right),
            Rule::Telling,
            || format!("{told:?}"),
        )?;
        hold(told.len() == usize::from(owed), Rule::Telling, || {
            format!("fleet ready was said {} times, owed: {owed}", told.len())
        })?;
        self.told_ready = state;
        Ok(())
    }

    fn crashed_just_now(&self, now: Moment) -> bool {
        self.crashes.last() == Some(&now) && self.crashed_too_often(now)
    }

    /// In a quiet world nothing fails.
    fn check_quiet(&self) -> Result<(), Broken> {
        let bad = |change: &&Change| match change {
            Change::WorkerCrashed { .. } | Change::SpawnFailed { .. } => true,
            Change::WorkerOverdue { deadline, .. } => *deadline != Deadline::Drain,
            Change::ReloadRolledBack { .. } | Change::GivingUp(_) | Change::SlotParked(_) => true,
            Change::WorkerBlocked { .. } => true,
            _ => false,
        };
        let failed = self
            .said
            .iter()
            .find(bad)
            .filter(|_| self.kind == Kind::Quiet);
        hold(failed.is_none(), Rule::Liveness, || {
            format!("{failed:?} in a quiet world")
        })
    }

    /// A quiet world has come to rest long before its operators stop it.
    pub(crate) fn before_the_last_stop(&self, now: Moment) -> Result<(), Broken> {
        if self.kind != Kind::Quiet {
            return Ok(());
        }
        let whole = self.told_ready == Some((self.wanted, self.committed));
        let changes = |record: &Record| record.renews || record.because == Some(Leaving::Recycle);
        let lasting = self.alive().filter(|(_, record)| !changes(record));
        let only = lasting.count() == usize::from(self.wanted);
        let open = self.slots.len() == usize::from(self.wanted);
        let idle = self.course == Course::Idle && !self.queued && self.postponed == 0;
        hold(whole && only && open && idle, Rule::Liveness, || {
            format!("at {now:?}: all ready {whole}, nobody else {only}, slots {open}, idle {idle}")
        })
    }

    /// Nothing will happen any more.
    pub(crate) fn the_end(&self, now: Moment) -> Result<(), Broken> {
        let verdict = self.finished.ok_or_else(|| {
            Broken::new(
                Rule::Stopping,
                format!("at {now:?} nothing follows, but no Finish came"),
            )
        })?;
        let quiet = self.kind == Kind::Quiet;
        hold(
            !quiet || verdict == Verdict::Stopped,
            Rule::Liveness,
            || format!("{verdict:?}"),
        )
    }
}
