//! What is done beside the event loops: jobs on threads, and long tasks that give way.

use std::fmt;

use brigade_shared::board::{Counter, Jobs, Pool};
use prometheus_client::encoding::DescriptorEncoder;

use super::collect::{by_slot, of, seconds, told};
use super::family::{Labels, counter, gauge};
use super::seen::SlotSeen;

const POOLS: [(Pool, &str); 2] = [(Pool::Blocking, "blocking"), (Pool::Cpu, "cpu")];

const OUTCOMES: [(&str, [Counter; 2]); 4] = [
    ("ran", [Counter::BlockingRan, Counter::CpuRan]),
    ("refused", [Counter::BlockingRefused, Counter::CpuRefused]),
    ("late", [Counter::BlockingLate, Counter::CpuLate]),
    (
        "abandoned",
        [Counter::BlockingAbandoned, Counter::CpuAbandoned],
    ),
];

/// Writes them all.
pub(super) fn offload(to: &mut DescriptorEncoder<'_>, slots: &[SlotSeen]) -> fmt::Result {
    let help = "Jobs of brigade::offload: ran to their end, refused since the queue was full, late for their request, abandoned by it (never run, or the result dropped).";
    counter(to, told("offload_jobs", help), outcomes(slots))?;
    let help = "How long jobs waited for a thread, all together.";
    let waits = [Counter::BlockingWaitNs, Counter::CpuWaitNs];
    counter(to, seconds("offload_wait", help), times(slots, waits))?;
    let help = "How long threads worked on jobs, all together.";
    let runs = [Counter::BlockingRunNs, Counter::CpuRunNs];
    counter(to, seconds("offload_run", help), times(slots, runs))?;
    let help = "Panics caught in jobs.";
    counter(
        to,
        told("offload_panics", help),
        by_slot(slots, Counter::JobPanics),
    )?;
    let help = "Times that a long task gave way to others (brigade::offload::cooperative).";
    counter(to, told("yields", help), by_slot(slots, Counter::Yields))?;
    let help = "How long such tasks waited for their next turn, all together.";
    let waited = slots.iter().map(|slot| {
        let waited = slot.counts.get(Counter::YieldWaitNs);
        (of(slot), waited as f64 / 1e9)
    });
    counter(to, seconds("yield_wait", help), waited)?;
    let help = "Jobs that wait for a thread.";
    gauge(
        to,
        told("offload_queued", help),
        now(slots, |jobs| jobs.queued),
    )?;
    let help = "Jobs that are being run.";
    gauge(
        to,
        told("offload_running", help),
        now(slots, |jobs| jobs.running),
    )
}

fn labels(slot: &SlotSeen, pool: &str) -> Labels {
    let mut labels = of(slot);
    labels.push(("pool", pool.to_owned()));
    labels
}

fn outcomes(slots: &[SlotSeen]) -> impl Iterator<Item = (Labels, u64)> {
    slots.iter().flat_map(|slot| {
        POOLS.iter().flat_map(move |(pool, name)| {
            OUTCOMES.iter().map(move |(outcome, counters)| {
                let mut labels = labels(slot, name);
                labels.push(("outcome", (*outcome).to_owned()));
                (labels, slot.counts.get(counters[*pool as usize]))
            })
        })
    })
}

fn times(slots: &[SlotSeen], counters: [Counter; 2]) -> impl Iterator<Item = (Labels, f64)> {
    slots.iter().flat_map(move |slot| {
        POOLS.iter().map(move |(pool, name)| {
            let ns = slot.counts.get(counters[*pool as usize]);
            (labels(slot, name), ns as f64 / 1e9)
        })
    })
}

fn now(slots: &[SlotSeen], of: fn(Jobs) -> u64) -> impl Iterator<Item = (Labels, u64)> {
    slots.iter().flat_map(move |slot| {
        POOLS
            .iter()
            .map(move |(pool, name)| (labels(slot, name), of(slot.jobs[*pool as usize])))
    })
}
