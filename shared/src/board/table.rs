//! The memory: a header, a page of totals per slot, a page per row.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU64, fence};

use super::counters::{Counters, Counts};
use super::histogram::Histogram;
use super::overview::Overview;
use super::peers::Peers;
use super::row::{Row, RowReading};
use super::word;
use crate::id::SlotId;
use crate::sys::memory::SharedMemory;

/// The most slots whose totals are kept.
pub const MAX_SLOTS: u16 = 1024;
/// The most workers with a row at one time: each slot's, its replacement, and some that drain.
pub const MAX_ROWS: u16 = 4096;

pub(super) const PAGE_WORDS: usize = 512;
/// The unit of the layout.
pub(super) type Page = [AtomicU64; PAGE_WORDS];

/// The header's words.
const MAGIC: usize = 0;
const VERSION: usize = 1;
const PAGE_SIZE: usize = 2;
const SLOTS: usize = 3;
const ROWS: usize = 4;
const FOLDS: usize = 8;
const ROWS_USED: usize = 9;
/// Not zero while the supervisor does not look.
const DOZING: usize = 16;
/// The histogram of stalls.
const STALLS: usize = 64;
/// In a slot's page of totals: connections that wait for it.
const WAITING: usize = 0;

const MAGIC_WORD: u64 = u64::from_le_bytes(*b"brigade\0");
/// Raised whenever the meaning of a word changes; new words in free places do not count.
const LAYOUT_VERSION: u64 = 1;
/// What a board of this layout begins with.
const HEADER: [(usize, u64); 5] = [
    (MAGIC, MAGIC_WORD),
    (VERSION, LAYOUT_VERSION),
    (PAGE_SIZE, (PAGE_WORDS * 8) as u64),
    (SLOTS, MAX_SLOTS as u64),
    (ROWS, MAX_ROWS as u64),
];

const FIRST_ROW: usize = 1 + MAX_SLOTS as usize;
const BYTES: usize = (FIRST_ROW + MAX_ROWS as usize) * PAGE_WORDS * 8;

/// The index of a row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RowId(pub u16);

/// What serving workers hold together.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Load {
    /// How many workers serve.
    pub workers: u64,
    /// The connections that they hold.
    pub connections: u64,
}

/// One worker's part in what all serve.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part {
    /// Whose.
    pub row: RowId,
    /// The connections that it has served, or serves.
    pub served: u64,
    /// Whether its loop waits for something to do.
    pub is_parked: bool,
}

/// The shared memory of all rows and totals.
pub struct Board {
    memory: SharedMemory,
    peers: Peers,
}

impl Board {
    /// Maps fresh, zeroed memory, to be inherited by every worker. Pages cost nothing until they
    /// are touched.
    ///
    /// # Errors
    /// The kernel's, when it refuses the memory.
    pub fn create() -> io::Result<Self> {
        let memory = SharedMemory::create(c"brigade-board", BYTES)?;
        let peers = Peers::create()?;
        let board = Self { memory, peers };
        for (index, value) in HEADER {
            word::set(&board.page(0)[index], value);
        }
        Ok(board)
    }

    /// Maps a board that another process, perhaps of another version, has made.
    ///
    /// # Errors
    /// `InvalidData` if it is no board or has another layout; otherwise the kernel's.
    pub fn adopt(memory: OwnedFd) -> io::Result<Self> {
        let memory = SharedMemory::adopt(memory, BYTES)?;
        let peers = Peers::create()?;
        let board = Self { memory, peers };
        for (index, expected) in HEADER {
            if word::get(&board.page(0)[index]) != expected {
                let words = "not a scoreboard, or one of another layout";
                return Err(io::Error::new(io::ErrorKind::InvalidData, words));
            }
        }
        Ok(board)
    }

    /// A row.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn row(&self, id: RowId) -> Row<'_> {
        assert!(id.0 < MAX_ROWS, "row {} of {MAX_ROWS}", id.0);
        Row(self.page(FIRST_ROW + usize::from(id.0)))
    }

    /// Every row in use, and what it says.
    pub fn rows(&self) -> impl Iterator<Item = (RowId, RowReading)> {
        let touched = self.touched_rows();
        touched.filter_map(|(id, row)| Some((id, row.read()?)))
    }

    /// What the workers of a slot have counted, those that have left included. It never steps
    /// back.
    #[must_use]
    pub fn counts(&self, slot: SlotId) -> Counts {
        const ATTEMPTS: usize = 64;
        let folds = &self.page(0)[FOLDS];
        let mut counts = Counts::default();
        for _ in 0..ATTEMPTS {
            let before = folds.load(Acquire);
            counts = self.sum(slot);
            fence(Acquire);
            if before.is_multiple_of(2) && folds.load(Relaxed) == before {
                break;
            }
            // A supervisor that dies in the middle of a fold leaves the number odd: the last sum
            // has to do then.
            std::hint::spin_loop();
        }
        counts
    }

    /// What the serving workers hold together. Costs a few nanoseconds per worker.
    #[must_use]
    pub fn load(&self) -> Load {
        let mut load = Load::default();
        for (_, row) in self.touched_rows() {
            if let Some(connections) = row.serving_connections() {
                load.workers += 1;
                load.connections += connections;
            }
        }
        load
    }

    /// The counters of peers' connections.
    #[must_use]
    pub fn peers(&self) -> &Peers {
        &self.peers
    }

    /// The rows that are in use.
    pub fn rows_in_use(&self) -> impl Iterator<Item = RowId> {
        let touched = self.touched_rows();
        touched.filter_map(|(id, row)| row.slot().map(|_| id))
    }

    /// What each worker that serves has served since its birth, in the order of the rows.
    pub fn parts(&self) -> impl Iterator<Item = Part> {
        self.touched_rows().filter_map(|(row, found)| {
            found.serving_connections()?;
            Some(Part {
                row,
                served: found.served(),
                is_parked: found.is_parked(),
            })
        })
    }

    /// The supervisor ceases to look until somebody stirs. A worker whose loop was not parked
    /// when this was written may not see it in its next turn: look once more a while later.
    pub fn doze(&self) {
        self.page(0)[DOZING].store(1, Release);
    }

    /// Whether the supervisor has to be told that a loop turns again; yes to one worker only. Costs
    /// one load of a shared line while the supervisor looks.
    #[must_use]
    pub fn stir(&self) -> bool {
        let dozing = &self.page(0)[DOZING];
        dozing.load(Relaxed) != 0 && dozing.swap(0, Relaxed) != 0
    }

    /// The lengths of all stalls of all workers. Written by the supervisor.
    #[must_use]
    pub fn stalls(&self) -> Histogram<'_> {
        Histogram(
            self.page(0)[STALLS..]
                .first_chunk()
                .expect("a constant inside the page"),
        )
    }

    /// What the supervisor tells of the whole fleet.
    #[must_use]
    pub fn overview(&self) -> Overview<'_> {
        Overview(self.page(0))
    }

    /// Notes how many connections wait for a slot. For the supervisor.
    pub fn set_waiting(&self, slot: SlotId, connections: u32) {
        if slot.0 < MAX_SLOTS {
            let page = self.page(1 + usize::from(slot.0));
            word::set(&page[WAITING], u64::from(connections));
        }
    }

    /// How many connections waited for a slot when the supervisor last looked.
    #[must_use]
    pub fn waiting(&self, slot: SlotId) -> u64 {
        if slot.0 < MAX_SLOTS {
            word::get(&self.page(1 + usize::from(slot.0))[WAITING])
        } else {
            0
        }
    }

    fn sum(&self, slot: SlotId) -> Counts {
        let mut sum = match self.tally(slot) {
            Some(tally) => tally.read(),
            None => Counts::default(),
        };
        for (_, row) in self.touched_rows() {
            if row.slot() == Some(slot) {
                sum.merge(&row.counters().read());
            }
        }
        sum
    }

    /// Moves what a row has counted into its slot's totals, unseen by readers. For the ledger.
    pub(super) fn fold(&self, id: RowId) {
        let row = self.row(id);
        let folds = &self.page(0)[FOLDS];
        let odd = word::get(folds) | 1;
        word::set(folds, odd);
        fence(Release);
        if let Some(tally) = row.slot().and_then(|slot| self.tally(slot)) {
            row.counters().move_into(tally);
        }
        row.vacate();
        folds.store(odd.wrapping_add(1), Release);
    }

    /// Notes that a row is about to be used for the first time: rows never used are never read,
    /// since even reading them would cost their pages. For the ledger.
    pub(super) fn touch(&self, id: RowId) {
        let used = &self.page(0)[ROWS_USED];
        word::set(used, word::get(used).max(u64::from(id.0) + 1));
    }

    fn touched_rows(&self) -> impl Iterator<Item = (RowId, Row<'_>)> {
        let used = word::get(&self.page(0)[ROWS_USED]).min(u64::from(MAX_ROWS)) as u16;
        (0..used).map(|index| (RowId(index), self.row(RowId(index))))
    }

    /// The totals of a slot; none for a slot beyond the layout.
    fn tally(&self, slot: SlotId) -> Option<Counters<'_>> {
        (slot.0 < MAX_SLOTS).then(|| Counters(self.page(1 + usize::from(slot.0))))
    }

    fn page(&self, index: usize) -> &Page {
        let start = index * PAGE_WORDS;
        self.memory.words()[start..]
            .first_chunk()
            .expect("callers stay inside the layout")
    }
}

impl AsFd for Board {
    /// The memory, to hand to another program.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.memory.as_fd()
    }
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Board").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{Board, MAGIC, PAGE_WORDS, RowId};
    use crate::id::SlotId;
    use std::os::fd::AsFd;
    use std::sync::atomic::Ordering::Relaxed;

    #[test]
    fn a_board_is_adopted_only_with_its_own_layout() {
        let board = Board::create().unwrap();
        let fd = || board.as_fd().try_clone_to_owned().unwrap();
        board.row(RowId(3)).set_pid(77);
        let adopted = Board::adopt(fd()).unwrap();
        assert_eq!(adopted.row(RowId(3)).0[4].load(Relaxed), 77);
        board.page(0)[MAGIC].store(0, Relaxed);
        assert!(Board::adopt(fd()).is_err());
    }

    #[test]
    fn rows_begin_on_cache_lines_of_their_own() {
        let board = Board::create().unwrap();
        let first = std::ptr::from_ref(board.row(RowId(0)).0) as usize;
        let second = std::ptr::from_ref(board.row(RowId(1)).0) as usize;
        assert_eq!(first % 64, 0);
        assert_eq!(second - first, PAGE_WORDS * 8);
    }

    #[test]
    fn any_bytes_in_memory_can_be_read() {
        for fill in [u64::MAX, 1, 2, 3, 0x8080_8080_8080_8080] {
            let board = Board::create().unwrap();
            for word in board.memory.words() {
                word.store(fill, Relaxed);
            }
            for (_, reading) in board.rows() {
                let _ = reading.running_for(0);
            }
            let _ = board.counts(SlotId(1)).answered();
            let _ = board.counts(SlotId(u16::MAX));
        }
    }
}
