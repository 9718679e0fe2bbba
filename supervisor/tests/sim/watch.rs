//! The books of the watch: what looks have shown, whom the fleet took for blocked, who relieves
//! whom, and what all that obliges it to. What the processes truly do is told by the world.

use std::collections::BTreeMap;
use std::time::Duration;

use brigade_shared::id::{SlotId, WorkerId};
use brigade_supervisor::plan::{Change, Look, Moment, Relief, Sight, Signs};

use super::ledger::{Broken, Due, Ledger, Rule, Told, hold};

/// So many quiet looks lead to a doze.
const QUIET_LOOKS: u32 = 8;
/// A look that was not answered for so long is repeated: a leap into another binary lost it.
const LOST: Duration = Duration::from_secs(1);
/// From the order of a look to its answer in this world, at most.
const BREATH: Duration = Duration::from_millis(1);

/// The books of the watch.
#[derive(Default)]
pub(crate) struct Watch {
    seen: BTreeMap<WorkerId, Seen>,
    /// Who was truly stuck at the last look, and since when.
    pub(crate) truth: BTreeMap<WorkerId, Moment>,
    waiting: Vec<(SlotId, u32)>,
    waiting_shared: u32,
    relief: Relief,
    /// Who was relieved when the turn began, or since.
    relieved: Vec<SlotId>,
    /// When the last look was ordered, if it is not answered.
    ordered: Option<Moment>,
    answered: Moment,
    /// From one look to the next as it was then.
    pace: Duration,
    /// When the next look has to be ordered.
    look_by: Option<Moment>,
    dozing: bool,
    /// Something has happened that is a reason to look.
    woken: bool,
    /// Looks in a row that showed nothing; without those before somebody came or went.
    quiet: u32,
    quiet_since_news: u32,
    looked: bool,
    /// Since when these settings hold.
    pub(crate) settings_since: Moment,
    /// It is for the silence of programs alone that there are looks.
    only_programs: bool,
}

/// What looks have shown of a worker.
#[derive(Clone, Copy, Debug)]
struct Seen {
    mark: u64,
    /// Since when every look found it at work or awaited, and no progress.
    engaged: Option<Moment>,
    asked: bool,
    /// Whether it is taken for blocked, and since when it truly was.
    blocked: Option<Moment>,
    is_service: bool,
}

impl Ledger {
    pub(crate) fn is_blocked(&self, id: WorkerId) -> bool {
        let seen = self.watch.seen.get(&id);
        seen.is_some_and(|seen| seen.blocked.is_some())
    }

    /// Whether somebody in the slot serves, stays and turns.
    pub(crate) fn slot_serves_well(&self, slot: SlotId) -> bool {
        let mut all = self.in_slot(slot);
        all.any(|(id, record)| record.serves() && !self.is_blocked(*id))
    }

    pub(crate) fn stirred(&mut self, now: Moment) {
        if self.watch.dozing {
            self.watch.dozing = false;
            self.watch.woken = true;
            (self.watch.quiet, self.watch.quiet_since_news) = (0, 0);
            self.watch.look_by = Some(now);
        }
    }

    /// Somebody came or went.
    pub(crate) fn news(&mut self, now: Moment) {
        let by = now + self.pace();
        let watch = &mut self.watch;
        watch.woken = true;
        watch.quiet_since_news = 0;
        if watch.ordered.is_none() {
            watch.look_by = Some(watch.look_by.map_or(by, |before| before.min(by)));
        }
        watch.dozing = false;
    }

    pub(crate) fn see_look(&mut self, now: Moment) -> Result<(), Broken> {
        let pace = self.pace().min(self.watch.pace);
        let watch = &mut self.watch;
        hold(
            self.stop.is_none() && watch.ordered.is_none_or(|at| at + LOST <= now),
            Rule::Looks,
            || "a look that nobody can answer".to_owned(),
        )?;
        hold(!watch.dozing, Rule::Looks, || {
            "it looks although it dozes".to_owned()
        })?;
        let soon = now < watch.answered + pace && !watch.woken;
        // A commit may have changed the pace after the look was arranged.
        let arranged = watch.look_by.is_some_and(|by| by <= now);
        hold(!soon || arranged, Rule::Looks, || {
            format!(
                "a look at {now:?}, the last one was at {:?}",
                watch.answered
            )
        })?;
        (watch.ordered, watch.look_by, watch.woken) = (Some(now), None, false);
        Ok(())
    }

    pub(crate) fn see_doze(&mut self) -> Result<(), Broken> {
        let may = self.may_doze();
        let watch = &mut self.watch;
        watch.dozing = true;
        watch.look_by = None;
        // A look that led to a step down, or to somebody's end, may itself have shown nothing.
        hold(
            may && watch.looked && watch.quiet + 1 >= QUIET_LOOKS,
            Rule::Looks,
            || format!("it dozes after {} quiet looks; may it? {may}", watch.quiet),
        )
    }

    /// It is asked to show that it turns.
    pub(crate) fn see_ask(&mut self, id: WorkerId, now: Moment) -> Result<(), Broken> {
        let warn = self.warn_of(id);
        let serves = self.workers.get(&id).is_some_and(|record| record.is_up());
        // What was not watched does not count: after a late look it may be asked anew.
        let is_late = warn.is_some_and(|warn| self.lag + BREATH > warn / 4);
        let slept = !self.suspended.is_zero() || is_late;
        let seen = self.watch.seen.get_mut(&id);
        let right = seen.is_some_and(|seen| {
            let again = std::mem::replace(&mut seen.asked, true);
            let since = seen.engaged.unwrap_or(now);
            let long = warn.is_some_and(|warn| now - since + BREATH >= warn / 2);
            serves && seen.is_service && (long || slept) && (!again || slept)
        });
        hold(right, Rule::Stalls, || {
            format!("{id} is asked: {:?}", self.watch.seen.get(&id))
        })
    }

    pub(crate) fn see_blocked(
        &mut self,
        id: WorkerId,
        lasts: Duration,
        waiting: u32,
        now: Moment,
    ) -> Result<(), Broken> {
        self.due.retain(|due| *due != Due::Blocked(id));
        let record = self.workers.get(&id).filter(|record| record.is_up());
        let slot = record.map(|record| record.slot);
        let staged = self.staged().map(|(staged, _)| staged);
        let fails = staged.is_some() && record.map(|record| record.generation) == staged;
        let told = slot.map(|slot| self.watch.waiting_for(slot));
        let truth = self.watch.truth.get(&id).copied();
        let (services, programs) = (self.warn_of(id), self.silence_of(id));
        let seen = self.watch.seen.get_mut(&id);
        let right = seen.is_some_and(|seen| {
            let patience = if seen.is_service { services } else { programs };
            let mut since = truth.unwrap_or(now);
            if seen.is_service && since + patience.unwrap_or(now) / 4 <= now {
                // Who leaves to others what waits for all is idle, and looks like one who does not
                // come. It is enough that it did not answer when it was asked.
                since = since.min(now - lasts);
            }
            let long =
                patience.is_some_and(|patience| since + patience <= now && patience <= lasts);
            let asked = seen.asked || !seen.is_service;
            let news = seen.blocked.is_none();
            seen.blocked = Some(since);
            long && news && asked && lasts <= now - since && told == Some(waiting)
        });
        hold(right, Rule::Stalls, || {
            let known = self.watch.seen.get(&id);
            format!("{id} is blocked for {lasts:?}? stuck since {truth:?}, {known:?}")
        })?;
        if fails {
            self.owe(Due::RolledBack(id));
        }
        Ok(())
    }

    pub(crate) fn see_recovered(
        &mut self,
        id: WorkerId,
        lasted: Duration,
        now: Moment,
    ) -> Result<(), Broken> {
        self.pay(&Due::Recovered(id), Rule::Stalls)?;
        let looks = 2 * (self.pace() + self.lag + BREATH);
        let (seen, suspended) = (self.watch.seen.get_mut(&id), self.suspended);
        let right = seen.is_some_and(|seen| {
            let since = seen.blocked.take().unwrap_or(now);
            // A parked one is missed only when something waits for it; time asleep is not told.
            let whole = !seen.is_service || suspended > since || lasted + looks >= Duration::ZERO;
            lasted <= now - since + BREATH && whole
        });
        hold(right, Rule::Stalls, || {
            format!("{id} recovered after {lasted:?}")
        })
    }

    /// Whether this worker may be ended for standing still.
    pub(crate) fn is_hopeless_stall(&self, id: WorkerId, now: Moment) -> bool {
        let limit = self.limit_of(id);
        let seen = self.watch.seen.get(&id);
        let since = seen.and_then(|seen| seen.blocked);
        since.is_some_and(|since| limit.is_some_and(|limit| since + limit <= now))
    }

    pub(crate) fn see_relieve(&mut self, relief: &Relief, now: Moment) -> Result<(), Broken> {
        hold(*relief != self.watch.relief, Rule::Relief, || {
            format!("{relief:?} is no news")
        })?;
        let before = std::mem::replace(&mut self.watch.relief, relief.clone());
        self.watch.relieved.extend(before.slots);
        self.news(now);
        Ok(())
    }

    /// What a look obliges the fleet to.
    pub(crate) fn hear_looked(&mut self, look: &Look, now: Moment) {
        if self.stop.is_some() || self.watch.ordered.take().is_none() {
            return;
        }
        self.watch.waiting.clone_from(&look.waiting);
        self.watch.waiting_shared = look.waiting_shared;
        self.watch.looked = true;
        self.watch.only_programs = true;
        let mut quiet = look.waiting.is_empty() && look.waiting_shared == 0 && self.may_doze();
        for sight in &look.workers {
            let record = self
                .workers
                .get(&sight.worker)
                .filter(|record| record.is_up());
            let Some(slot) = record.map(|record| record.slot) else {
                continue;
            };
            quiet &= self.hear_sight(sight, slot, now);
        }
        let pace = self.pace();
        let watch = &mut self.watch;
        (watch.answered, watch.pace) = (now, pace);
        watch.quiet = if quiet { watch.quiet + 1 } else { 0 };
        watch.quiet_since_news = if quiet { watch.quiet_since_news + 1 } else { 0 };
    }

    /// Notes what was seen of one worker; whether that was nothing.
    fn hear_sight(&mut self, sight: &Sight, slot: SlotId, now: Moment) -> bool {
        let id = sight.worker;
        let (mark, is_running, is_service) = match sight.signs {
            Signs::Row {
                progress,
                is_running,
                ..
            } => (progress, is_running, true),
            Signs::Words { watchdogs, .. } => (watchdogs, true, false),
        };
        let patience = if is_service {
            self.warn_of(id)
        } else {
            self.silence_of(id).filter(|_| mark > 0)
        };
        if is_service {
            self.watch.only_programs = false;
        } else if patience.is_none() {
            return true;
        }
        let engaged = is_running || self.watch.waiting_for(slot) > 0;
        let before = self.watch.seen.get(&id).copied();
        let moved = before.is_none_or(|seen| seen.mark != mark);
        let blocked = before.and_then(|seen| seen.blocked);
        let since = match (sight.signs, before.and_then(|seen| seen.engaged)) {
            (Signs::Words { silent, .. }, None) => now - silent,
            (Signs::Words { silent, .. }, Some(_)) if moved => now - silent,
            (Signs::Row { .. }, Some(_)) if moved => now,
            (Signs::Row { .. } | Signs::Words { .. }, since) => since.unwrap_or(now),
        };
        // What nobody watched does not count.
        let since = if self.suspended > since { now } else { since };
        let seen = Seen {
            mark,
            engaged: (engaged || blocked.is_some()).then_some(since),
            asked: before.is_some_and(|seen| seen.asked && !moved && engaged),
            blocked,
            is_service,
        };
        self.watch.seen.insert(id, seen);
        if blocked.is_some() && moved {
            self.owe(Due::Recovered(id));
        } else if let Some(patience) = patience {
            self.owe_stall(id, seen, since, patience, now);
        }
        !moved && !engaged && blocked.is_none() || !is_service && blocked.is_none()
    }

    /// Who stands still for so long that two looks have missed it must be dealt with.
    fn owe_stall(
        &mut self,
        id: WorkerId,
        seen: Seen,
        since: Moment,
        patience: Duration,
        now: Moment,
    ) {
        let is_late = self.lag + BREATH > patience / 4;
        let looks = self.pace() + 2 * (self.lag + BREATH);
        if is_late || seen.engaged.is_none() {
            return;
        }
        let is_successor = self.is_staged(self.workers[&id].generation);
        let since = since.max(self.watch.settings_since);
        match (seen.blocked, self.limit_of(id)) {
            (None, _) if now >= since + patience + looks => self.owe(Due::Blocked(id)),
            (Some(_), Some(limit)) if now >= since + limit + looks && !is_successor => {
                self.owe(Due::Stalled(id));
            }
            (None | Some(_), None | Some(_)) => {}
        }
    }

    /// When the next look must be ordered, if nothing happens before.
    pub(crate) fn look_by(&self) -> Option<(Moment, String)> {
        let lost = self.watch.ordered.map(|at| at + LOST);
        let at = lost.or(self.watch.look_by).filter(|_| self.is_watched())?;
        Some((at, "a look is due".to_owned()))
    }

    fn is_watched(&self) -> bool {
        let settings = &self.settings;
        let all = (0..self.slots.len()).map(|slot| SlotId(u16::try_from(slot).expect("few")));
        let mut all = all;
        let staged = self.staged().map(|(_, settings)| settings);
        let wanted = !settings.stall_warn.is_zero()
            || staged.is_some_and(|settings| !settings.stall_warn.is_zero())
            || settings.elastic.is_some()
            || settings.recycle.requests.is_some()
            || settings.recycle.memory.is_some()
            || !all.all(|slot| self.slot_serves_well(slot));
        self.stop.is_none() && wanted && self.alive().any(|(_, record)| record.serves())
    }

    fn may_doze(&self) -> bool {
        let elastic = self.settings.elastic;
        let blocked = self
            .alive()
            .any(|(id, record)| record.serves() && self.is_blocked(*id));
        !blocked
            && elastic.is_none_or(|bounds| self.wanted <= bounds.least)
            && self.settings.recycle.memory.is_none()
            && self.staged().is_none()
    }

    /// When a turn is over.
    pub(crate) fn check_watch(&mut self, now: Moment) -> Result<(), Broken> {
        let owed = self
            .due
            .iter()
            .find(|due| matches!(due, Due::Blocked(_) | Due::Recovered(_) | Due::Stalled(_)));
        hold(owed.is_none(), Rule::Stalls, || {
            format!("never came: {owed:?}")
        })?;
        let workers = &self.workers;
        let stays = |id: &WorkerId| {
            workers
                .get(id)
                .is_some_and(|record| record.alive && record.told == Told::Nothing)
        };
        self.watch.seen.retain(|id, _| stays(id));
        if self.stop.is_some() {
            self.watch.look_by = None;
            return Ok(());
        }
        let right = self.right_relief();
        hold(right == self.watch.relief, Rule::Relief, || {
            format!("{:?}, right is {right:?}", self.watch.relief)
        })?;
        self.watch.relieved = right.slots;
        self.after_look(now)?;
        if !self.is_watched() {
            let watch = &mut self.watch;
            (watch.look_by, watch.ordered, watch.dozing) = (None, None, false);
            (watch.waiting, watch.waiting_shared) = (Vec::new(), 0);
            (watch.quiet, watch.quiet_since_news) = (0, 0);
        } else if self.watch.ordered.is_none() && self.watch.look_by.is_none() {
            let dozing = self.watch.dozing;
            if dozing && !self.may_doze() || !dozing && !self.watch.only_programs {
                self.news(now);
            }
        }
        Ok(())
    }

    fn after_look(&mut self, now: Moment) -> Result<(), Broken> {
        if !std::mem::take(&mut self.watch.looked) || self.watch.dozing {
            return Ok(());
        }
        if !self.may_doze() {
            (self.watch.quiet, self.watch.quiet_since_news) = (0, 0);
        }
        let idle = self.watch.quiet_since_news > QUIET_LOOKS;
        let only_programs = self.watch.only_programs;
        hold(!idle || only_programs, Rule::Looks, || {
            format!("it looks on after {} quiet looks", self.watch.quiet)
        })?;
        if self.watch.ordered.is_none() {
            let by = now + self.pace();
            self.watch.look_by = (!only_programs).then_some(by);
        }
        Ok(())
    }

    /// Who must be relieved by whom.
    fn right_relief(&self) -> Relief {
        let serving = |slot: SlotId| {
            let all = self.in_slot(slot).filter(|(_, record)| record.serves());
            all.map(|(id, record)| (*id, record.generation))
                .collect::<Vec<_>>()
        };
        let open = (0..self.slots.len()).map(|slot| SlotId(u16::try_from(slot).expect("few")));
        let (mut by, mut surplus, mut slots) = (Vec::new(), Vec::new(), Vec::new());
        let mut any_blocked = false;
        for slot in open {
            let all = serving(slot);
            let well = |(id, _): &&(WorkerId, _)| !self.is_blocked(*id);
            any_blocked |= all.iter().any(|(id, _)| self.is_blocked(*id));
            for (id, generation) in all.iter().filter(well) {
                if self.is_wanted(slot) || self.is_staged(*generation) {
                    by.push(*id);
                } else {
                    surplus.push(*id);
                }
            }
            // One that was just found blocked is relieved, even if it is told to leave at once.
            let found = |change: &Change| match change {
                Change::WorkerBlocked { worker, .. } => self.workers[worker].slot == slot,
                _ => false,
            };
            let was = self.watch.relieved.contains(&slot)
                || self.watch.relief.slots.contains(&slot) && self.said.iter().any(found);
            let waits = self.watch.queue_of(slot) > 0;
            if !self.slot_serves_well(slot) && (!all.is_empty() || was || waits) {
                slots.push(slot);
            }
        }
        if by.is_empty() {
            by = surplus;
        }
        by.sort_unstable();
        Relief {
            slots,
            shared: any_blocked && self.watch.waiting_shared > 0,
            by,
        }
    }
}

impl Watch {
    fn queue_of(&self, slot: SlotId) -> u32 {
        let mut all = self.waiting.iter();
        all.find(|(other, _)| *other == slot)
            .map_or(0, |(_, count)| *count)
    }

    fn waiting_for(&self, slot: SlotId) -> u32 {
        self.queue_of(slot) + self.waiting_shared
    }
}
