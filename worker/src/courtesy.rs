//! Whose turn it is at a queue that all workers share.
//!
//! The kernel wakes them in turn. But whoever is awake anyway finds the next connection before the
//! one that was woken for it gets to run, and under load one worker can serve twice as many as its
//! siblings, who wait. So whoever has served clearly more of late than those who are awake now and
//! then stays away from the queue for a moment after it has taken a connection. It never keeps one
//! waiting that it was woken for, nor stays away for siblings that are busy, blocked or frozen.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use brigade_shared::board::{Board, Part, RowId};

/// For so long.
pub(crate) const AWAY: Duration = Duration::from_millis(1);

/// The siblings' rows are read once in so many accepts, and one more for each few rows.
const EVERY: usize = 4;
/// What lies longer ago is forgiven.
const SPAN_NS: u64 = 1_000_000_000;
/// So many more than the mean may a worker serve, and a seventh of it.
const SLACK: u64 = 4;

/// What a worker knows of who has served how many.
#[derive(Debug)]
pub(crate) struct Courtesy {
    board: &'static Board,
    own: RowId,
    accepts: Cell<usize>,
    since_ns: Cell<u64>,
    before: RefCell<Vec<Part>>,
    is_ahead: Cell<bool>,
}

impl Courtesy {
    pub(crate) fn new(board: &'static Board, own: RowId) -> Self {
        Self {
            board,
            own,
            accepts: Cell::default(),
            since_ns: Cell::default(),
            before: RefCell::default(),
            is_ahead: Cell::default(),
        }
    }

    /// Whether others should have the next ones. To be asked after each accept.
    pub(crate) fn is_ahead(&self, now_ns: u64) -> bool {
        let accepts = self.accepts.get() + 1;
        let every = EVERY + self.before.borrow().len() / 4;
        self.accepts.set(accepts % every);
        if accepts >= every {
            self.is_ahead.set(self.compare(now_ns));
        }
        self.is_ahead.get()
    }

    fn compare(&self, now_ns: u64) -> bool {
        let now: Vec<Part> = self.board.parts().collect();
        let mut before = self.before.borrow_mut();
        let is_old = now_ns.saturating_sub(self.since_ns.get()) > SPAN_NS;
        let rows = |parts: &[Part]| parts.iter().map(|part| part.row).collect::<Vec<_>>();
        if is_old || rows(&before) != rows(&now) {
            self.since_ns.set(now_ns);
            *before = now;
            return false;
        }
        let lately = now.iter().zip(before.iter()).map(|(now, before)| Part {
            served: now.served.saturating_sub(before.served),
            ..*now
        });
        is_ahead(self.own, &lately.collect::<Vec<_>>())
    }
}

/// Whether this one has served clearly more than the mean, and somebody with less has nothing to
/// do. Who has served nothing at all may not be able to.
fn is_ahead(own: RowId, lately: &[Part]) -> bool {
    let active: Vec<&Part> = lately.iter().filter(|part| part.served > 0).collect();
    let workers = active.len() as u64;
    let all: u64 = active.iter().map(|part| part.served).sum();
    let mine = active.iter().find(|part| part.row == own);
    let mine = mine.map_or(0, |part| part.served);
    let is_idle = |part: &&&Part| part.is_parked && part.served * workers < all;
    let is_clear = mine * workers * 7 > all * 8 + SLACK * workers * 7;
    is_clear && active.iter().any(|part| is_idle(&part))
}

#[cfg(test)]
mod tests {
    use super::{Courtesy, EVERY, SPAN_NS, is_ahead};
    use brigade_shared::board::{Board, Ledger, Part, Row, RowId, RowState};
    use brigade_shared::id::{Generation, SlotId, WorkerId};
    use std::sync::Arc;

    /// The first is asked about; all others wait for something to do.
    fn ahead(served: &[u64]) -> bool {
        let part = |(row, served): (u16, &u64)| Part {
            row: RowId(row),
            served: *served,
            is_parked: row > 0,
        };
        let parts: Vec<_> = (0..).zip(served).map(part).collect();
        is_ahead(RowId(0), &parts)
    }

    #[test]
    fn a_seventh_and_a_few_more_than_the_mean_are_nothing() {
        assert!(!ahead(&[]));
        assert!(!ahead(&[1_000]));
        assert!(!ahead(&[4, 1, 1]));
        assert!(!ahead(&[110, 100, 90]));
        assert!(!ahead(&[90, 100, 110]));
        assert!(ahead(&[130, 90, 80]));
        assert!(ahead(&[250, 100, 100, 100]));
    }

    #[test]
    fn nobody_stays_away_for_those_who_can_not_come() {
        assert!(!ahead(&[1_000, 1_000, 1_000, 0]), "frozen");
        let busy = |row, served| Part {
            row: RowId(row),
            served,
            is_parked: false,
        };
        assert!(!is_ahead(RowId(0), &[busy(0, 250), busy(1, 50)]), "busy");
    }

    fn serve(row: Row<'_>, times: u32) {
        (0..times).for_each(|_| row.connection_opened());
    }

    #[test]
    fn who_runs_ahead_stays_away_until_others_have_caught_up_or_it_is_long_ago() {
        let board = Arc::new(Board::create().unwrap());
        let mut ledger = Ledger::new(Arc::clone(&board));
        let ids = (0..2).map(|number| {
            let (slot, worker) = (SlotId(number), WorkerId(u64::from(number)));
            ledger.claim(slot, Generation::FIRST, worker).unwrap()
        });
        let ids: Vec<_> = ids.collect();
        let board: &'static Arc<Board> = Box::leak(Box::new(board));
        let rows: Vec<_> = ids.iter().map(|id| board.row(*id)).collect();
        rows.iter().for_each(|row| row.set_state(RowState::Ready));
        let courtesy = Courtesy::new(board, ids[0]);
        let asked = |now_ns| {
            let asks = (0..=EVERY).map(|_| courtesy.is_ahead(now_ns));
            asks.last().unwrap()
        };
        assert!(!asked(0), "the first look");
        serve(rows[0], 40);
        serve(rows[1], 1);
        assert!(asked(1));
        serve(rows[1], 39);
        assert!(!asked(2));
        serve(rows[0], 40);
        assert!(asked(3));
        assert!(!asked(SPAN_NS + 4), "long ago");
        serve(rows[0], 40);
        serve(rows[1], 1);
        assert!(asked(SPAN_NS + 5));
        rows[1].set_state(RowState::Draining);
        assert!(!asked(SPAN_NS + 6), "alone");
    }
}
