//! What the supervisor tells of the whole fleet, for whoever looks on: words of the header page
//! that nobody else writes. They live as long as the board, so what is counted here never steps
//! back, through upgrades and restarts that keep it.

use super::table::Page;
use super::word;

/// Health in one word, so that its parts always belong together.
const CONDITION: usize = 264;
const GENERATION: usize = 265;
const STARTED: usize = 266;
const SLOTS_USED: usize = 267;
/// A word per [`Station`].
const STATIONS: usize = 272;
/// A word per [`Tally`].
const TALLIES: usize = 288;
const ROOM: usize = 96;
const _: () = assert!(STATIONS + Station::ALL.len() <= TALLIES);
const _: () = assert!(Tally::ALL.len() <= ROOM && TALLIES + ROOM <= super::table::PAGE_WORDS);

/// Where in its life the fleet is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u64)]
pub enum Phase {
    /// It has not been ready yet.
    Starting = 1,
    /// It serves.
    Serving = 2,
    /// It serves, and a new generation is on its way in.
    Reloading = 3,
    /// It finishes what it has and leaves.
    Stopping = 4,
    /// It serves, and another program is on its way in.
    Upgrading = 5,
}

impl Phase {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Starting,
        Self::Serving,
        Self::Reloading,
        Self::Upgrading,
        Self::Stopping,
    ];
}

/// How the fleet is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Condition {
    /// Where in its life it is.
    pub phase: Phase,
    /// Enough workers have been ready once.
    pub is_started: bool,
    /// Enough workers serve, and it does not stop.
    pub is_ready: bool,
    /// A restart of the whole would not help.
    pub is_alive: bool,
    /// How many workers are wanted.
    pub wanted: u16,
    /// How many of them serve.
    pub ready: u16,
    /// How many of those stand still.
    pub blocked: u16,
}

impl Condition {
    fn to_word(self) -> u64 {
        let flag = |is: bool, bit: u32| u64::from(is) << bit;
        self.phase as u64
            | flag(self.is_started, 8)
            | flag(self.is_ready, 9)
            | flag(self.is_alive, 10)
            | u64::from(self.wanted) << 16
            | u64::from(self.ready) << 32
            | u64::from(self.blocked) << 48
    }

    fn from_word(word: u64) -> Option<Self> {
        let known = Phase::ALL.into_iter();
        let phase = known.into_iter().find(|one| *one as u64 == word & 0xff)?;
        let flag = |bit: u32| word >> bit & 1 == 1;
        Some(Self {
            phase,
            is_started: flag(8),
            is_ready: flag(9),
            is_alive: flag(10),
            wanted: (word >> 16) as u16,
            ready: (word >> 32) as u16,
            blocked: (word >> 48) as u16,
        })
    }
}

/// What a worker, or a slot without one, is about. The order is the layout in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum Station {
    /// Not ready yet.
    Starting,
    /// Ready, and well.
    Ready,
    /// Ready once, and standing still.
    Blocked,
    /// Told to leave.
    Draining,
    /// A slot that waits before it tries again.
    Resting,
    /// A slot whose worker asked not to be respawned.
    Parked,
}

impl Station {
    /// All of them, in the order of the layout.
    pub const ALL: [Self; 6] = [
        Self::Starting,
        Self::Ready,
        Self::Blocked,
        Self::Draining,
        Self::Resting,
        Self::Parked,
    ];
}

/// Something that happened to the fleet and is counted. New ones are added at the end: the order is
/// the layout in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum Tally {
    /// A worker that had been ready ended unasked.
    Crash,
    /// A worker ended before it was ready, or was not ready in time.
    FailedStart,
    /// A worker stood still for too long and was ended.
    Stall,
    /// A worker was replaced since it had answered enough requests.
    Requests,
    /// A worker was replaced since it was old.
    Age,
    /// A worker was replaced since it used much memory.
    Memory,
    /// A worker was replaced since somebody else asked it to leave.
    Asked,
    /// A worker was replaced by one of a newer generation.
    Reload,
    /// A worker was taken out of service since fewer are wanted.
    Scale,
    /// A process for a worker could not be made.
    SpawnFailed,
    /// A reload has taken over.
    ReloadDone,
    /// A configuration could not be used.
    ReloadRefused,
    /// A new generation failed.
    ReloadRolledBack,
    /// Another program has taken over in this process.
    UpgradeDone,
    /// Another program did not agree to take over.
    UpgradeRefused,
    /// Another program's generation failed.
    UpgradeRolledBack,
    /// A worker stood still for long enough to be told of.
    Blocked,
    /// The process behind the admin address ended unasked.
    AdminCrash,
}

impl Tally {
    /// All of them, in the order of the layout.
    pub const ALL: [Self; 18] = [
        Self::Crash,
        Self::FailedStart,
        Self::Stall,
        Self::Requests,
        Self::Age,
        Self::Memory,
        Self::Asked,
        Self::Reload,
        Self::Scale,
        Self::SpawnFailed,
        Self::ReloadDone,
        Self::ReloadRefused,
        Self::ReloadRolledBack,
        Self::UpgradeDone,
        Self::UpgradeRefused,
        Self::UpgradeRolledBack,
        Self::Blocked,
        Self::AdminCrash,
    ];
}

/// The words of the header page about the fleet. Their writing half is for the supervisor.
#[derive(Clone, Copy, Debug)]
pub struct Overview<'a>(pub(super) &'a Page);

impl Overview<'_> {
    /// Says how the fleet is.
    pub fn set_condition(self, condition: Condition) {
        word::set(&self.0[CONDITION], condition.to_word());
    }

    /// How the fleet is; none before the supervisor has said so.
    #[must_use]
    pub fn condition(self) -> Option<Condition> {
        Condition::from_word(word::get(&self.0[CONDITION]))
    }

    /// Says which generation serves.
    pub fn set_generation(self, generation: u32) {
        word::set(&self.0[GENERATION], u64::from(generation));
    }

    /// The generation that serves.
    #[must_use]
    pub fn generation(self) -> u32 {
        word::get(&self.0[GENERATION]) as u32
    }

    /// Says when the supervisor's process was started, in milliseconds since 1970.
    pub fn set_started_ms(self, at: u64) {
        word::set(&self.0[STARTED], at);
    }

    /// When the supervisor's process was started, in milliseconds since 1970.
    #[must_use]
    pub fn started_ms(self) -> u64 {
        word::get(&self.0[STARTED])
    }

    /// Notes that slots below this number have been used.
    pub(super) fn touch_slots(self, count: u16) {
        let used = &self.0[SLOTS_USED];
        word::set(used, word::get(used).max(u64::from(count)));
    }

    /// So many slots, from the lowest, have ever been used.
    #[must_use]
    pub fn slots_used(self) -> u16 {
        let most = u64::from(super::table::MAX_SLOTS);
        word::get(&self.0[SLOTS_USED]).min(most) as u16
    }

    /// Says how many are about this.
    pub fn set_at(self, station: Station, count: u64) {
        word::set(&self.0[STATIONS + station as usize], count);
    }

    /// How many are about this.
    #[must_use]
    pub fn at(self, station: Station) -> u64 {
        word::get(&self.0[STATIONS + station as usize])
    }

    /// Counts.
    pub fn count(self, tally: Tally) {
        word::add(&self.0[TALLIES + tally as usize], 1);
    }

    /// How often it happened.
    #[must_use]
    pub fn counted(self, tally: Tally) -> u64 {
        word::get(&self.0[TALLIES + tally as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::{Condition, Overview, Phase, Station, Tally};
    use std::sync::atomic::AtomicU64;

    #[test]
    fn the_order_of_all_is_the_layout() {
        for (index, station) in Station::ALL.into_iter().enumerate() {
            assert_eq!(station as usize, index, "{station:?}");
        }
        for (index, tally) in Tally::ALL.into_iter().enumerate() {
            assert_eq!(tally as usize, index, "{tally:?}");
        }
    }

    #[test]
    fn a_condition_reads_back_whole() {
        let page = std::array::from_fn(|_| AtomicU64::new(0));
        let overview = Overview(&page);
        assert_eq!(overview.condition(), None, "nothing was said");
        for (round, phase) in (0..).zip(Phase::ALL) {
            let condition = Condition {
                phase,
                is_started: round % 2 == 0,
                is_ready: round % 2 == 1,
                is_alive: round > 1,
                wanted: u16::MAX - round,
                ready: 7 + round,
                blocked: round,
            };
            overview.set_condition(condition);
            assert_eq!(overview.condition(), Some(condition));
        }
        page[super::CONDITION].store(u64::MAX, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(overview.condition(), None, "any bytes can be read");
        assert!(overview.slots_used() <= super::super::MAX_SLOTS);
    }

    #[test]
    fn what_is_counted_does_not_touch_its_neighbours() {
        let page = std::array::from_fn(|_| AtomicU64::new(0));
        let overview = Overview(&page);
        for (count, station) in (1..).zip(Station::ALL) {
            overview.set_at(station, count);
        }
        Tally::ALL
            .into_iter()
            .for_each(|tally| overview.count(tally));
        overview.count(Tally::Crash);
        for (count, station) in (1..).zip(Station::ALL) {
            assert_eq!(overview.at(station), count, "{station:?}");
        }
        for tally in Tally::ALL {
            let expected = 1 + u64::from(tally == Tally::Crash);
            assert_eq!(overview.counted(tally), expected, "{tally:?}");
        }
    }
}
