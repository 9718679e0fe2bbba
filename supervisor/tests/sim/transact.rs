//! The books of what replaces workers: a transaction's canary, its probation, its waves, and the
//! renewal of slots whose workers are worn or belong to a generation that failed.

use std::time::Duration;

use brigade_shared::id::{Generation, SlotId, WorkerId};
use brigade_supervisor::plan::{Leaving, Look, Moment, Next, Signs, Wear};

use super::ledger::{Broken, Course, LOST_AFTER, Ledger, Promise, Record, Rule, Told, hold};

/// So many measurements in a row must find too much memory.
const HEAVY: u32 = 3;

impl Ledger {
    /// Whether this is the generation that is being started.
    pub(crate) fn is_staged(&self, generation: Generation) -> bool {
        self.staged()
            .is_some_and(|(staged, _)| staged == generation)
    }

    /// When the canary will have been well for long enough, if it serves.
    pub(crate) fn proven_at(&self) -> Option<Moment> {
        let (generation, settings) = self.staged()?;
        let canary = self.holder(SlotId(0), generation)?;
        Some(canary.ready? + settings.probation)
    }

    fn is_proven(&self, now: Moment) -> bool {
        self.proven_at().is_some_and(|at| at <= now)
    }

    /// Who stands in a slot and has been told nothing.
    pub(crate) fn standing(&self, slot: SlotId) -> impl Iterator<Item = (&WorkerId, &Record)> {
        self.in_slot(slot)
            .filter(|(_, record)| record.told == Told::Nothing && record.because.is_none())
    }

    /// Whether one that may not have a second beside it has not left yet.
    pub(crate) fn awaits_departure(&self, slot: SlotId, now: Moment) -> bool {
        let lost = |record: &Record| matches!(record.told, Told::Kill { first, .. } if first + LOST_AFTER <= now);
        let yielded = self
            .slots
            .get(usize::from(slot.0))
            .is_some_and(|book| book.yielded);
        yielded
            && self
                .in_slot(slot)
                .any(|(_, record)| record.because.is_some() && !lost(record))
    }

    /// Whether the staged generation may start in this slot beside whoever is there.
    pub(crate) fn check_surge(&self, slot: SlotId, now: Moment) -> Result<(), Broken> {
        let Some((generation, settings)) = self.staged() else {
            return Ok(());
        };
        hold(!self.awaits_departure(slot, now), Rule::Reload, || {
            format!("a second one in slot {slot} beside one that yielded")
        })?;
        let all = (0..settings.workers).map(SlotId);
        let doubled = |slot: &SlotId| {
            self.standing(*slot).count() > 1 && self.holder(*slot, generation).is_some()
        };
        let beside = self.standing(slot).next().is_some();
        let few = all.filter(doubled).count() < usize::from(settings.surge);
        hold(!beside || few, Rule::Reload, || {
            format!(
                "one more than {} beside others in slot {slot}",
                settings.surge
            )
        })
    }

    /// Whether one of the staged generation that starts here has to hold still: only the canary
    /// serves before it is proven. Those who can't hold still must not start before.
    pub(crate) fn must_hold(&self, slot: SlotId, now: Moment) -> Result<bool, Broken> {
        let Some((_, settings)) = self.staged() else {
            return Ok(false);
        };
        let early = slot != SlotId(0) && !self.is_proven(now);
        hold(!early || settings.can_hold, Rule::Reload, || {
            format!("one starts in slot {slot} before the canary is proven")
        })?;
        Ok(early)
    }

    /// Who holds still begins when it holds its slot, or when nobody else is ready there.
    pub(crate) fn see_begin(&mut self, id: WorkerId) -> Result<(), Broken> {
        let others = |slot: SlotId| {
            let mut all = self.in_slot(slot);
            all.any(|(other, record)| *other != id && record.is_up())
        };
        let staged = self.staged().map(|(staged, _)| staged);
        let right = self.workers.get(&id).is_some_and(|record| {
            let takes_over = staged != Some(record.generation)
                || self
                    .holder(SlotId(0), record.generation)
                    .is_some_and(Record::is_up);
            let stands = record.alive && record.told == Told::Nothing && record.holds;
            stands && (takes_over || !others(record.slot))
        });
        hold(right, Rule::Reload, || {
            format!("{id} begins: {:?}", self.workers.get(&id))
        })?;
        self.workers.get_mut(&id).expect("found").holds = false;
        Ok(())
    }

    /// Nobody holds still for nothing.
    pub(crate) fn check_holding(&self) -> Result<(), Broken> {
        let held = self.alive().find(|(id, record)| {
            let mut all = self.in_slot(record.slot);
            let other = all.any(|(other, record)| other != *id && record.is_up());
            let waits =
                self.is_staged(record.generation) && (other || !self.is_wanted(record.slot));
            record.holds && record.told == Told::Nothing && !waits
        });
        hold(held.is_none(), Rule::Reload, || {
            format!("{held:?} holds still")
        })
    }

    /// Whether an old worker may leave before the new generation is committed.
    pub(crate) fn may_give_way(&mut self, id: WorkerId, now: Moment) -> bool {
        let Some((generation, settings)) = self.staged() else {
            return false;
        };
        let record = &self.workers[&id];
        let slot = record.slot;
        if record.renews {
            return true;
        }
        let all = || (0..settings.workers).map(SlotId);
        let new = |slot: &SlotId| self.holder(*slot, generation).is_some();
        let yielded = |slot: &SlotId| self.awaits_departure(*slot, now);
        let proven = self.is_proven(now);
        if self.serves_generation(slot, generation) {
            // It makes room for one that could not start before.
            return proven && all().any(|slot| !new(&slot));
        }
        let up = |slot: SlotId| self.in_slot(slot).any(|(_, record)| record.is_up());
        let replaced = |slot: &SlotId| new(slot) || yielded(slot);
        let down = |slot: &SlotId| self.is_wanted(*slot) && replaced(slot) && !up(*slot);
        let down = all().filter(|other| *other != slot).filter(down).count();
        let may = settings.unavailable.max(u16::from(settings.surge == 0));
        let right = !new(&slot) && (proven || slot == SlotId(0)) && down < usize::from(may);
        let book = &mut self.slots[usize::from(slot.0)];
        (book.yielded, book.promise) = (true, Promise::at(now));
        right
    }

    /// A transaction goes on if it can.
    pub(crate) fn check_progress(&self, now: Moment) -> Result<(), Broken> {
        let Course::Staged {
            generation,
            settings,
        } = &self.course
        else {
            return Ok(());
        };
        let wanted = || (0..settings.workers).map(SlotId);
        let new = |slot: SlotId| self.holder(slot, *generation);
        let missing = |slot: &SlotId| {
            new(*slot).is_none() && self.has_room(*slot) && !self.awaits_departure(*slot, now)
        };
        let held = |slot: &SlotId| self.standing(*slot).next().is_some();
        let all = wanted().all(|slot| self.serves_generation(slot, *generation));
        let starts = wanted().any(|slot| new(slot).is_some_and(|record| record.ready.is_none()));
        let waits = self
            .wanted_slots()
            .chain(wanted())
            .any(|slot| self.awaits_departure(slot, now));
        let proven = self.is_proven(now);
        let canary = self.serves_generation(SlotId(0), *generation);
        let may_follow = canary && (proven || settings.can_hold);
        let stalled = (all && proven)
            || !waits && missing(&SlotId(0))
            || may_follow && wanted().any(|slot| missing(&slot) && !held(&slot))
            || canary && proven && !starts && !waits && wanted().any(|slot| missing(&slot));
        hold(!stalled, Rule::Reload, || {
            let slots: Vec<_> = wanted()
                .map(|slot| self.in_slot(slot).collect::<Vec<_>>())
                .collect();
            format!("it does not go on from {:?} with {slots:?}", self.course)
        })
    }

    /// When the transaction goes on by itself.
    pub(crate) fn proof_moment(&self, now: Moment) -> Option<(Moment, String)> {
        let (generation, settings) = self.staged()?;
        let all = || (0..settings.workers).map(SlotId);
        let at = self.proven_at().filter(|at| *at > now)?;
        let whole = all().all(|slot| self.serves_generation(slot, generation));
        let free = |slot: SlotId| self.has_room(slot) && self.in_slot(slot).next().is_none();
        let follow = !settings.can_hold && all().any(free);
        (whole || follow).then(|| (at, "the canary is proven".to_owned()))
    }

    /// Those of a failed generation that are not dismissed with it had taken over their slots.
    pub(crate) fn check_dropped(&mut self) -> Result<(), Broken> {
        let Some((generation, was_partial)) = self.dropped.zip(Some(self.partial)) else {
            return Ok(());
        };
        let left: Vec<_> = self
            .alive()
            .filter(|(_, record)| record.stays() && record.generation == generation)
            .map(|(id, record)| (*id, record.ready.is_some()))
            .collect();
        let right = left.is_empty() || was_partial && left.iter().all(|(_, ready)| *ready);
        hold(right, Rule::Reload, || {
            format!("{left:?} of a dropped generation")
        })?;
        for (id, _) in &left {
            let slot = self.workers[id].slot;
            let book = &mut self.slots[usize::from(slot.0)];
            book.yielded = false;
            if let Some(before) = book.revived {
                (book.deaths, book.before_ready) = before;
            }
        }
        self.failed.insert(generation);
        Ok(())
    }

    /// Notes of what use the workers have been.
    pub(crate) fn note_use(&mut self, look: &Look) {
        let limits = self.settings.recycle;
        if limits.requests.is_none() && limits.memory.is_none() {
            return;
        }
        for sight in &look.workers {
            let record = self.workers.get_mut(&sight.worker);
            let Some(record) = record.filter(|record| record.is_up()) else {
                continue;
            };
            if let Signs::Row { answered, .. } = sight.signs {
                record.answered = record.answered.max(answered);
            }
            if let (Some(bytes), Some(limit)) = (sight.memory, limits.memory) {
                record.memory = bytes;
                record.heavy = if bytes >= limit { record.heavy + 1 } else { 0 };
            }
        }
    }

    /// The slots that are being recycled.
    fn recycling(&self) -> usize {
        let all = (0..self.slots.len()).map(|slot| SlotId(u16::try_from(slot).expect("few")));
        let busy = |slot: &SlotId| {
            self.in_slot(*slot).any(|(_, record)| {
                let lost =
                    matches!(record.told, Told::Kill { last, first } if last >= first + LOST_AFTER);
                record.renews && record.stays()
                    || record.because == Some(Leaving::Recycle) && !record.renews && !lost
            })
        };
        all.filter(busy).count()
    }

    /// Whether two of the committed generation and its successor may stand in one more slot.
    pub(crate) fn may_double(&self, slot: SlotId) -> bool {
        let Some((generation, settings)) = self.staged() else {
            return true;
        };
        let mut all = (0..settings.workers).map(SlotId);
        let both = |slot: &SlotId| {
            self.standing(*slot).count() > 1 && self.holder(*slot, generation).is_some()
        };
        self.holder(slot, generation).is_none()
            || all.by_ref().filter(both).count() < usize::from(settings.surge)
    }

    fn any_stranger(&self) -> bool {
        self.wanted_slots().any(|slot| {
            let mut all = self.standing(slot);
            all.any(|(_, record)| record.generation != self.committed)
        })
    }

    /// A worker is about to be replaced although it is healthy.
    pub(crate) fn see_recycling(
        &mut self,
        id: WorkerId,
        because: Wear,
        now: Moment,
    ) -> Result<(), Broken> {
        let limits = self.settings.recycle;
        let strangers = self.any_stranger();
        let record = self.workers.get(&id).filter(|record| record.serves());
        let right = record.is_some_and(|record| {
            let alone = self.standing(record.slot).count() == 1;
            let idle = self.course == Course::Idle && self.stop.is_none();
            let worn = match because {
                Wear::Generation => record.generation != self.committed,
                Wear::Requests(count) => {
                    count == record.answered && limits.requests.is_some_and(|limit| count >= limit)
                }
                Wear::Age(age) => {
                    age == now - record.born && limits.lifetime.is_some_and(|limit| age >= limit)
                }
                Wear::Asked => is_due(record.asked, now),
                Wear::Memory(bytes) => bytes == record.memory && record.heavy >= HEAVY,
            };
            alone && idle && worn && self.is_wanted(record.slot) && self.has_room(record.slot)
        });
        let has_place = if strangers {
            let renewed = self
                .alive()
                .filter(|(_, record)| record.renews && record.stays());
            because == Wear::Generation && renewed.count() < usize::from(self.settings.surge.max(1))
        } else {
            self.recycling() < usize::from(limits.at_most.max(1))
        };
        hold(right && has_place, Rule::Recycling, || {
            let recycling = self.recycling();
            format!("{id} is recycled because of {because:?}: {record:?}, {recycling} under way")
        })?;
        self.renewed = record.map(|record| record.slot);
        Ok(())
    }

    /// Whoever is worn is replaced if there is a place, unless an attempt has failed before.
    pub(crate) fn check_recycling(&self, now: Moment) -> Result<(), Broken> {
        let idle = self.course == Course::Idle && self.stop.is_none();
        let limits = self.settings.recycle;
        let strangers = self.any_stranger();
        let renewed = self
            .alive()
            .filter(|(_, record)| record.renews && record.stays());
        let has_place = if strangers {
            renewed.count() < usize::from(self.settings.surge.max(1))
        } else {
            self.recycling() < usize::from(limits.at_most.max(1))
        };
        if !idle || !has_place {
            return Ok(());
        }
        let worn = |record: &Record| {
            let requests = limits
                .requests
                .is_some_and(|most| record.answered >= most.saturating_add(limits.requests_jitter));
            let old = limits
                .lifetime
                .is_some_and(|most| now - record.born >= most);
            let worn = requests || old || record.heavy >= HEAVY || is_due(record.asked, now);
            worn || record.generation != self.committed
        };
        let overlooked = self.wanted_slots().find(|slot| {
            let book = &self.slots[usize::from(slot.0)];
            let mut all = self.standing(*slot);
            let holder = all.next().filter(|_| all.next().is_none());
            let due = holder.is_some_and(|(_, record)| {
                let stranger = record.generation != self.committed;
                record.serves() && worn(record) && (stranger || !strangers)
            });
            due && !book.renewal_failed && self.has_room(*slot)
        });
        hold(overlooked.is_none(), Rule::Recycling, || {
            format!("the worker of slot {overlooked:?} is worn and not replaced")
        })
    }

    /// A worn worker may leave only if its replacement serves, which holds the slot from now on.
    pub(crate) fn is_replaced(&mut self, id: WorkerId) -> bool {
        let slot = self.workers[&id].slot;
        let committed = self.committed;
        let others = self.by_slot[usize::from(slot.0)].clone();
        for other in others.into_iter().filter(|other| *other != id) {
            let Some(record) = self.workers.get_mut(&other) else {
                continue;
            };
            if record.serves() && record.generation == committed {
                record.renews = false;
                self.slots[usize::from(slot.0)].renewal_failed = false;
                return true;
            }
        }
        false
    }

    /// The holder of this slot is gone: whoever was to renew it holds it now. True if there is one.
    pub(crate) fn promote(&mut self, slot: SlotId) -> bool {
        let ids = self.by_slot[usize::from(slot.0)].clone();
        let successor = ids.into_iter().find(|id| {
            let record = self.workers.get(id);
            record.is_some_and(|record| record.alive && record.renews && record.stays())
        });
        let Some(id) = successor else { return false };
        self.workers.get_mut(&id).expect("found").renews = false;
        true
    }

    /// A killed one no longer holds a slot that the staged generation has taken over, which is
    /// nobody's order.
    pub(crate) fn let_go_of_the_dying(&mut self, id: WorkerId) {
        let Some(record) = self.workers.get(&id) else {
            return;
        };
        let dying = matches!(record.told, Told::Kill { .. } | Told::Abort { .. });
        let taken = self.slot_serves(record.slot) && record.because.is_none();
        if dying && taken && (self.staged().is_some() || self.dropped.is_some()) {
            self.workers.get_mut(&id).expect("found").because = Some(Leaving::Reload);
        }
    }

    /// What becomes of a slot whose renewal has failed: the old one goes on.
    pub(crate) fn see_renewal_failed(&mut self, slot: SlotId, next: Next) -> Result<(), Broken> {
        let most = self.settings.backoff_most;
        if let Some(book) = self.book(slot) {
            book.renewal_failed = true;
        }
        let right = match next {
            Next::Now => true,
            Next::After(pause) => pause <= most,
            Next::Parked | Next::Nothing => false,
        };
        hold(right, Rule::Backoff, || {
            format!("{next:?} after a renewal that failed")
        })
    }
}

/// What a worker was asked by somebody else is followed after a breath: a stop may come, too.
fn is_due(asked: Option<Moment>, now: Moment) -> bool {
    asked.is_some_and(|since| now >= since + Duration::from_millis(100))
}
