//! What one look at the scoreboard shows, in the shape of the metrics.

use brigade_shared::board::{Board, Counts, Distribution, Jobs};
use brigade_shared::id::SlotId;
use brigade_shared::sys::clock::monotonic_ns;
use brigade_shared::sys::footprint::resident;
use nix::unistd::Pid;

use super::family::Buckets;

/// One slot, and all its workers together.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct SlotSeen {
    /// Which.
    pub(super) slot: u16,
    /// What its workers have counted, those that have left included.
    pub(super) counts: Counts,
    /// For how long in all their loops were at work, the present turn included.
    pub(super) busy_ns: u64,
    /// Connections that are open.
    pub(super) connections: u64,
    /// Requests that are under way.
    pub(super) requests: u64,
    /// Connections that wait to be accepted.
    pub(super) waiting: u64,
    /// Jobs beside their loops, by pool.
    pub(super) jobs: [Jobs; 2],
    /// Memory in use, if there is a worker.
    pub(super) memory: Option<u64>,
}

/// Every slot that was ever used.
pub(super) fn slots(board: &Board) -> Vec<SlotSeen> {
    let mut slots: Vec<SlotSeen> = (0..board.overview().slots_used())
        .map(|slot| {
            let counts = board.counts(SlotId(slot));
            SlotSeen {
                slot,
                busy_ns: counts.lag.sum_ns,
                counts,
                connections: 0,
                requests: 0,
                waiting: board.waiting(SlotId(slot)),
                jobs: Default::default(),
                memory: None,
            }
        })
        .collect();
    // After the totals: a turn that ends in between is missed for now, never counted twice.
    let now = monotonic_ns();
    for (_, row) in board.rows() {
        let Some(slot) = slots.get_mut(usize::from(row.slot.0)) else {
            continue;
        };
        let turn = u64::try_from(row.running_for(now).as_nanos()).unwrap_or(u64::MAX);
        slot.busy_ns = slot.busy_ns.saturating_add(turn);
        slot.connections = slot.connections.saturating_add(row.connections);
        slot.requests = slot.requests.saturating_add(row.requests);
        for (all, jobs) in slot.jobs.iter_mut().zip(row.jobs) {
            all.queued = all.queued.saturating_add(jobs.queued);
            all.running = all.running.saturating_add(jobs.running);
        }
        if let Some(bytes) = memory_of(row.pid) {
            slot.memory = Some(slot.memory.unwrap_or(0).saturating_add(bytes));
        }
    }
    slots
}

/// The memory of a process; none if there is none.
pub(super) fn memory_of(pid: u32) -> Option<u64> {
    let pid = i32::try_from(pid).ok().filter(|pid| *pid > 0)?;
    resident(Pid::from_raw(pid))
}

/// Everything that all slots have counted.
pub(super) fn sum(slots: &[SlotSeen]) -> Counts {
    let mut sum = Counts::default();
    for slot in slots {
        sum.merge(&slot.counts);
    }
    sum
}

/// The bounds of the histograms, in microseconds: powers of two, which are bounds of the
/// scoreboard's own, finer buckets, from 128 us to 34 s.
const BOUNDS: std::ops::RangeInclusive<u32> = 7..=25;

/// A histogram with fewer buckets, in seconds.
pub(super) fn buckets(found: &Distribution) -> Buckets {
    let mut fine = found.buckets().peekable();
    let mut buckets = Vec::new();
    for power in BOUNDS {
        let bound_us = 1_u128 << power;
        let mut count = 0_u64;
        while let Some((_, more)) = fine.next_if(|(end, _)| end.as_micros() <= bound_us) {
            count = count.saturating_add(more);
        }
        buckets.push((bound_us as f64 / 1e6, count));
    }
    let rest = fine.fold(0_u64, |sum, (_, more)| sum.saturating_add(more));
    buckets.push((f64::INFINITY, rest));
    Buckets {
        sum: found.sum_ns as f64 / 1e9,
        buckets,
    }
}

#[cfg(test)]
mod tests {
    use super::buckets;
    use brigade_shared::board::Board;
    use std::time::Duration;

    #[test]
    fn every_sample_lies_below_its_bound_and_above_the_one_before() {
        let samples_us = [
            0, 1, 127, 128, 129, 1_000, 1_023, 1_024, 65_000_000, 70_000_000,
        ];
        for micros in samples_us {
            let board = Board::create().unwrap();
            board.stalls().record(Duration::from_micros(micros));
            let found = buckets(&board.stalls().read());
            let index = found.buckets.iter().position(|(_, count)| *count == 1);
            let index = index.unwrap();
            assert_eq!(found.buckets.iter().map(|(_, count)| count).sum::<u64>(), 1);
            let seconds = micros as f64 / 1e6;
            let (above, below) = (found.buckets[index].0, index.checked_sub(1));
            assert!(seconds <= above, "{micros} us below {above}");
            if let Some(below) = below {
                let bound = found.buckets[below].0;
                assert!(seconds >= bound, "{micros} us above {bound}");
            }
            assert!((found.sum - seconds).abs() < 1e-9);
        }
    }

    #[test]
    fn the_last_bound_is_infinite_and_they_rise() {
        let board = Board::create().unwrap();
        let found = buckets(&board.stalls().read());
        assert_eq!(found.buckets.len(), 20);
        assert!(found.buckets.is_sorted_by(|one, next| one.0 < next.0));
        assert_eq!(found.buckets.last(), Some(&(f64::INFINITY, 0)));
    }
}
