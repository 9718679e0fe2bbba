//! Where connections may arrive: slots that open and close, and the steering.

use brigade_shared::id::{SlotId, WorkerId};
use brigade_supervisor::plan::Moment;

use super::ledger::{Broken, Ledger, Promise, Rule, SlotBook, hold};

impl Ledger {
    pub(crate) fn see_open(&mut self, slot: SlotId, now: Moment) -> Result<(), Broken> {
        let trial = self.staged().map_or(0, |(_, settings)| settings.workers);
        // Those that another fleet has left are open already, and get connections.
        let is_left = slot.0 < self.kept.open && self.last_worker == WorkerId(0);
        let is_next = usize::from(slot.0) == self.slots.len();
        let next = is_next && (is_left || slot.0 < self.wanted.max(trial));
        hold(next && self.stop.is_none(), Rule::Slots, || {
            format!("slot {slot} opened")
        })?;
        let exposed = slot.0 >= self.wanted && self.steer.is_empty() && !is_left;
        hold(!exposed, Rule::Slots, || {
            format!("slot {slot}, open on trial, gets connections that may be lost with it")
        })?;
        self.by_slot
            .resize_with(self.by_slot.len().max(self.slots.len() + 1), Vec::new);
        self.slots.push(SlotBook {
            out_since: (!self.steer.is_empty()).then_some(now),
            before_ready: 0,
            deaths: 0,
            promise: Promise::at(now),
            yielded: false,
            revived: None,
            renewal_failed: false,
        });
        Ok(())
    }

    pub(crate) fn see_close(&mut self, slot: SlotId, now: Moment) -> Result<(), Broken> {
        let trial = self.staged().map_or(0, |(_, settings)| settings.workers);
        let surplus = slot.0 >= self.wanted.max(trial) && self.stop.is_none();
        hold(surplus, Rule::Slots, || {
            format!("slot {slot} closed but still wanted")
        })?;
        hold(self.ever_ready, Rule::Slots, || {
            format!("slot {slot} closed before anybody could serve who waits there")
        })?;
        let highest = usize::from(slot.0) + 1 == self.slots.len();
        hold(highest, Rule::Slots, || {
            format!("slot {slot} closed below others")
        })?;
        hold(self.in_slot(slot).next().is_none(), Rule::Slots, || {
            format!("slot {slot} closed with a worker in it")
        })?;
        let book = &self.slots[usize::from(slot.0)];
        let since = book.out_since;
        let quiet = since.is_some_and(|since| since + self.closes_after() <= now);
        hold(quiet, Rule::Slots, || {
            format!("slot {slot} closed while connections arrive")
        })?;
        self.slots.pop();
        Ok(())
    }

    pub(crate) fn see_steer(&mut self, slots: &[SlotId], now: Moment) -> Result<(), Broken> {
        let news = self.stop.is_none() && slots != self.steer && slots.is_sorted();
        hold(news, Rule::Steering, || format!("{slots:?} is no news"))?;
        let open = slots
            .iter()
            .all(|slot| usize::from(slot.0) < self.slots.len());
        hold(open, Rule::Steering, || {
            format!("{slots:?} are not all open")
        })?;
        // If nobody serves when the turn is over, all that are to stay get them (after.rs).
        let served = slots.iter().all(|slot| self.slot_serves(*slot));
        self.unsteady = now;
        let all = self.wanted_slots().eq(slots.iter().copied());
        hold(served || all, Rule::Steering, || {
            format!("{slots:?} are steered to, but not all of them serve")
        })?;
        for (index, book) in self.slots.iter_mut().enumerate() {
            let gets = slots.is_empty() || slots.iter().any(|slot| usize::from(slot.0) == index);
            book.out_since = if gets {
                None
            } else {
                book.out_since.or(Some(now))
            };
        }
        self.steer = slots.to_vec();
        Ok(())
    }
}
