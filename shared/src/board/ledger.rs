//! The supervisor's half of the board: which row belongs to which worker.

use std::sync::Arc;

use super::table::{Board, MAX_ROWS, RowId};
use crate::id::{Generation, SlotId, WorkerId};

/// Hands out rows and takes them back. There is one, in the supervisor.
#[derive(Debug)]
pub struct Ledger {
    board: Arc<Board>,
    taken: Vec<bool>,
    /// Rows of workers whose supervisor is no more. They may still finish what they have.
    orphaned: Vec<RowId>,
}

impl Ledger {
    /// Opens the ledger of a board; rows already in use there stay taken.
    #[must_use]
    pub fn new(board: Arc<Board>) -> Self {
        let mut taken = vec![false; usize::from(MAX_ROWS)];
        for (id, _) in board.rows() {
            taken[usize::from(id.0)] = true;
        }
        let orphaned = Vec::new();
        Self {
            board,
            taken,
            orphaned,
        }
    }

    /// Opens the ledger of a board whose supervisor is no more: the rows in use there are taken
    /// back one by one as their workers end ([`Self::release_orphaned`]).
    #[must_use]
    pub fn inherit(board: Arc<Board>) -> Self {
        let orphaned = board.rows().map(|(id, _)| id).collect();
        Self {
            orphaned,
            ..Self::new(board)
        }
    }

    /// Whether workers of another supervisor may still live.
    #[must_use]
    pub fn has_orphaned(&self) -> bool {
        !self.orphaned.is_empty()
    }

    /// Takes back the rows of workers of another supervisor that have ended, by their process
    /// (0: it has not said).
    pub fn release_orphaned(&mut self, has_ended: impl Fn(u32) -> bool) {
        let board = Arc::clone(&self.board);
        let is_over = |id: &mut RowId| board.row(*id).read().is_none_or(|row| has_ended(row.pid));
        let over: Vec<RowId> = self.orphaned.extract_if(.., is_over).collect();
        over.into_iter().for_each(|id| self.release(id));
    }

    /// The board that this is the ledger of.
    #[must_use]
    pub fn board(&self) -> &Arc<Board> {
        &self.board
    }

    /// A row for a worker about to be born; none if all are taken.
    pub fn claim(
        &mut self,
        slot: SlotId,
        generation: Generation,
        worker: WorkerId,
    ) -> Option<RowId> {
        let index = self.taken.iter().position(|taken| !taken)?;
        let id = RowId(u16::try_from(index).expect("no more rows than MAX_ROWS"));
        self.taken[index] = true;
        self.board.touch(id);
        self.board.overview().touch_slots(slot.0.saturating_add(1));
        self.board.row(id).assign(slot, generation, worker);
        Some(id)
    }

    /// Takes a row back, once its worker has been reaped: what it counted goes to its slot's
    /// totals, so that these never step back.
    pub fn release(&mut self, id: RowId) {
        if std::mem::take(&mut self.taken[usize::from(id.0)]) {
            // Who leaves in peace has closed all it had; what a crash leaves is nobody's.
            if self.board.row(id).connections() > 0 {
                self.board.peers().clear(id);
            }
            self.board.fold(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Ledger;
    use crate::board::{Board, Counter, LoopState, MAX_ROWS, RequestLine, RowId, RowState};
    use crate::id::{Generation, SlotId, WorkerId};
    use std::os::fd::AsFd;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    use std::time::Duration;

    fn ledger() -> Ledger {
        Ledger::new(Arc::new(Board::create().unwrap()))
    }

    #[test]
    fn a_row_tells_whose_it_is_and_what_it_does() {
        let mut ledger = ledger();
        let id = ledger
            .claim(SlotId(2), Generation(3), WorkerId(40))
            .unwrap();
        let row = ledger.board().row(id);
        row.set_pid(4711);
        row.set_state(RowState::Ready);
        row.unpark(1_000);
        row.connection_opened();
        row.request_begun();
        row.enter_request(&RequestLine::new("GET", "/fib", 1_500));
        let seen = row.read().unwrap();
        assert_eq!((seen.slot, seen.generation), (SlotId(2), Generation(3)));
        assert_eq!((seen.worker, seen.pid), (WorkerId(40), 4711));
        assert_eq!((seen.state, seen.turns), (RowState::Ready, 1));
        assert_eq!((seen.connections, seen.requests), (1, 1));
        assert_eq!(seen.running_for(3_000), Duration::from_nanos(2_000));
        assert_eq!(seen.request.unwrap().path, "/fib");
        row.park(5_000);
        let seen = row.read().unwrap();
        assert_eq!(seen.loop_state, LoopState::Parked);
        assert_eq!(seen.counts.lag.sum_ns, 4_000);
    }

    #[test]
    fn connections_of_a_crashed_worker_do_not_count_against_their_peer_for_ever() {
        let mut ledger = ledger();
        let board = Arc::clone(ledger.board());
        let (peers, key) = (board.peers(), board.peers().key([192, 0, 2, 1].into()));
        for worker in 1..=3 {
            let id = ledger
                .claim(SlotId(0), Generation::FIRST, WorkerId(worker))
                .unwrap();
            for _ in 0..5 {
                board.row(id).connection_opened();
                peers.opened(id, key);
            }
            assert_eq!(peers.count(board.rows_in_use(), key), 5);
            ledger.release(id);
        }
    }

    #[test]
    fn totals_outlive_workers_and_rows_are_used_again() {
        let mut ledger = ledger();
        let board = Arc::clone(ledger.board());
        for worker in 1..=3 {
            let id = ledger
                .claim(SlotId(1), Generation::FIRST, WorkerId(worker))
                .unwrap();
            assert_eq!(id.0, 0);
            board.row(id).count(Counter::Success, 10);
            board.row(id).latency().record(Duration::from_micros(9));
            assert_eq!(board.counts(SlotId(1)).answered(), worker * 10);
            ledger.release(id);
            assert_eq!(board.row(id).read(), None);
            assert_eq!(board.counts(SlotId(1)).answered(), worker * 10);
        }
        assert_eq!(board.counts(SlotId(1)).latency.count(), 3);
        assert_eq!(board.counts(SlotId(0)).answered(), 0);
    }

    #[test]
    fn releasing_twice_changes_nothing() {
        let mut ledger = ledger();
        let first = ledger
            .claim(SlotId(0), Generation::FIRST, WorkerId(1))
            .unwrap();
        ledger.release(first);
        ledger.release(first);
        let again = ledger.claim(SlotId(0), Generation::FIRST, WorkerId(2));
        let other = ledger.claim(SlotId(0), Generation::FIRST, WorkerId(3));
        assert_ne!(again, other);
    }

    #[test]
    fn when_all_rows_are_taken_there_is_none() {
        let mut ledger = ledger();
        for worker in 0..u64::from(MAX_ROWS) {
            let row = ledger.claim(SlotId(0), Generation::FIRST, WorkerId(worker));
            assert!(row.is_some());
        }
        let one_more = ledger.claim(SlotId(0), Generation::FIRST, WorkerId(9999));
        assert_eq!(one_more, None);
    }

    #[test]
    fn a_ledger_opened_later_knows_the_rows_in_use() {
        let mut before = ledger();
        let taken = before
            .claim(SlotId(0), Generation::FIRST, WorkerId(1))
            .unwrap();
        let memory = before.board().as_fd().try_clone_to_owned().unwrap();
        let mut after = Ledger::new(Arc::new(Board::adopt(memory).unwrap()));
        let fresh = after.claim(SlotId(0), Generation::FIRST, WorkerId(2));
        assert_ne!(fresh, Some(taken));
        after.release(taken);
        let row = after.claim(SlotId(0), Generation::FIRST, WorkerId(3));
        assert_eq!(row, Some(taken));
    }

    #[test]
    fn rows_of_another_supervisor_are_taken_back_as_its_workers_end() {
        let mut before = ledger();
        for (slot, pid) in [(0, 11), (0, 12), (1, 0)] {
            let claimed = before.claim(SlotId(slot), Generation::FIRST, WorkerId(1));
            let row = before.board().row(claimed.unwrap());
            row.set_pid(pid);
            row.set_state(RowState::Ready);
            row.count(Counter::Success, 5);
        }
        let memory = before.board().as_fd().try_clone_to_owned().unwrap();
        let mut after = Ledger::inherit(Arc::new(Board::adopt(memory).unwrap()));
        let board = Arc::clone(after.board());
        let answered = || board.counts(SlotId(0)).answered() + board.counts(SlotId(1)).answered();
        after.release_orphaned(|pid| pid == 11);
        assert_eq!((board.rows().count(), answered()), (2, 15));
        assert!(after.has_orphaned());
        // The survivor counts on, and the new worker has a row of its own.
        let new = after.claim(SlotId(0), Generation::FIRST, WorkerId(1));
        board.row(new.unwrap()).count(Counter::Success, 1);
        before.board().row(RowId(1)).count(Counter::Success, 1);
        assert_eq!(answered(), 17);
        after.release_orphaned(|_| true);
        assert_eq!((board.rows().count(), answered()), (1, 17));
        assert!(!after.has_orphaned());
    }

    #[test]
    fn counters_never_step_back_while_workers_come_and_go() {
        let mut ledger = ledger();
        let board = Arc::clone(ledger.board());
        let done = Arc::new(AtomicBool::new(false));
        let reader = {
            let (board, done) = (Arc::clone(&board), Arc::clone(&done));
            std::thread::spawn(move || {
                let mut last = 0;
                while !done.load(Relaxed) {
                    let now = board.counts(SlotId(0)).answered();
                    assert!(now >= last, "{now} after {last}");
                    last = now;
                }
            })
        };
        for worker in 0..2_000 {
            let id = ledger
                .claim(SlotId(0), Generation::FIRST, WorkerId(worker))
                .unwrap();
            board.row(id).count(Counter::Success, 1_000);
            ledger.release(id);
        }
        done.store(true, Relaxed);
        reader.join().unwrap();
        assert_eq!(board.counts(SlotId(0)).answered(), 2_000_000);
    }
}
