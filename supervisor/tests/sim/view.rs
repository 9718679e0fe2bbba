//! What the fleet shows to outsiders must be what the books say: every slot and every worker
//! accounted for.

use brigade_shared::id::WorkerId;
use brigade_supervisor::plan::{Fleet, Moment, SlotState, SlotView};

use super::ledger::{Broken, Ledger, Promise, Rule, Told, hold};

impl Ledger {
    pub(crate) fn compare(&mut self, fleet: &Fleet, now: Moment) -> Result<(), Broken> {
        if self.finished.is_some() {
            return hold(fleet.is_over(), Rule::Views, || "it is not over".to_owned());
        }
        let alike = fleet.generation() == self.committed
            && fleet.staged() == self.staged().map(|(generation, _)| generation)
            && fleet.wanted() == self.wanted
            && fleet.settings() == &self.settings
            && fleet.stopping() == self.stop.map(|stop| stop.how)
            && fleet.slots().count() == self.slots.len();
        hold(alike, Rule::Views, || format!("the fleet shows {fleet:?}"))?;
        for view in fleet.slots() {
            for id in &view.leaving {
                self.let_go_of_the_dying(*id);
            }
            self.compare_slot(&view, now)?;
        }
        self.compare_health(fleet, now)
    }

    fn compare_slot(&self, view: &SlotView, now: Moment) -> Result<(), Broken> {
        let stands = |id: WorkerId, ready: bool| {
            let record = self.workers.get(&id);
            record.is_some_and(|r| r.alive && r.told == Told::Nothing && r.ready.is_some() == ready)
        };
        let killed = |id: &WorkerId| {
            let told = self.workers[id].told;
            matches!(told, Told::Kill { .. } | Told::Abort { .. })
        };
        let promise = self.slots[usize::from(view.slot.0)].promise;
        let (holder, right) = match view.state {
            SlotState::Empty => (0, true),
            SlotState::Starting(id) => (1, stands(id, false)),
            SlotState::Ready(id) => (1, stands(id, true)),
            SlotState::Dying(id) => (1, killed(&id)),
            SlotState::Resting(until) => (
                0,
                until > now
                    || !self.has_room(view.slot)
                    || !self.may_double(view.slot)
                    || !self.may_refill()
                    || view.successor.is_some_and(|(_, ready)| ready),
            ),
            SlotState::Parked => (0, promise == Promise::Never),
        };
        let successor = view.successor.is_none_or(|(id, ready)| stands(id, ready));
        let leave = view
            .leaving
            .iter()
            .all(|id| self.workers[id].because.is_some());
        let shown = holder + usize::from(view.successor.is_some()) + view.leaving.len();
        let all = shown == self.in_slot(view.slot).count();
        hold(right && successor && leave && all, Rule::Views, || {
            let known: Vec<_> = self.in_slot(view.slot).collect();
            format!("{view:?} is shown, known are {known:?}")
        })
    }
}
