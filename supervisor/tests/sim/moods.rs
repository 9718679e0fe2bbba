//! What the processes of a world will do, drawn when they become ready; and what comes from outside:
//! connections, more and less to do, moments in which everybody is stopped.

use std::time::Duration;

use brigade_shared::id::WorkerId;
use brigade_supervisor::plan::{Moment, Settings};

use super::crowd::{Kind, Mood};
use super::dice::Dice;
use super::nature::{self, Nature};

/// Something that happens to processes and not to the supervisor.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Turn {
    /// A process does something else.
    Mood(WorkerId, Mood),
    /// A program says that it lives.
    Word(WorkerId),
    /// A connection comes.
    Arrives,
    /// There is so much to do from now on, in hundredths of a worker.
    Demand(u32),
    /// Everybody is stopped for so long.
    Suspended(Duration),
}

/// How a process can be watched.
pub(crate) fn kind(nature: &Nature, settings: &Settings, dice: &mut Dice) -> Kind {
    if !nature.programs {
        return Kind::Service;
    }
    let rhythm = settings.stall_limit.filter(|_| dice.percent(70));
    Kind::Program(
        rhythm.map(|limit| limit * u32::try_from(dice.within(15..=45)).expect("small") / 100),
    )
}

/// What a process does when it is ready, and after how long it does what else.
pub(crate) fn of_process(
    id: WorkerId,
    nature: &Nature,
    settings: &Settings,
    dice: &mut Dice,
) -> (Mood, Vec<(Duration, Turn)>) {
    let mut turns = Vec::new();
    // How it goes on when nothing else is said.
    let usual = if nature.on_demand {
        Mood::Serving
    } else {
        Mood::Idle
    };
    if !nature.lively {
        return (usual, turns);
    }
    let mood = |at: Duration, mood: Mood| (at, Turn::Mood(id, mood));
    if !nature.on_demand && dice.percent(40) {
        let from = dice.millis(0..=3_000);
        turns.push(mood(from, dice.one(&[Mood::Serving, Mood::Spinning])));
        turns.push(mood(from + dice.millis(0..=600), Mood::Idle));
    }
    if dice.percent(nature.stalls) {
        let from = dice.millis(0..=6_000);
        turns.push(mood(from, dice.one(&[Mood::Blocked, Mood::Frozen])));
        let warn = u64::try_from(settings.stall_warn.as_millis()).expect("short");
        let lasts = match dice.within(0..=9) {
            0..=3 => Some(dice.millis(0..=warn * 2)),
            4..=8 => Some(dice.millis(0..=4_000)),
            // A look costs the simulation more than it costs a supervisor.
            _ if settings.stall_limit.is_none() => Some(dice.millis(4_000..=8_000)),
            _ => None,
        };
        if let Some(lasts) = lasts {
            turns.push(mood(from + lasts, usual));
        }
        for _ in 0..dice.within(0..=4) {
            turns.push((from + dice.millis(0..=500), Turn::Arrives));
        }
    }
    (usual, turns)
}

/// What comes from outside during a life.
pub(crate) fn of_world(nature: &Nature, dice: &mut Dice) -> Vec<(Moment, Turn)> {
    let span = u64::try_from(nature.horizon.as_millis()).expect("a short life");
    let busy = if nature.kind == nature::Kind::Quiet {
        span - 110_000
    } else {
        span
    };
    let mut all = Vec::new();
    if nature.lively {
        for _ in 0..dice.within(0..=12) {
            all.push((dice.millis(0..=busy), Turn::Arrives));
        }
    }
    for _ in 0..nature.suspends {
        let longest = dice.one(&[100, 1_000, 30_000]);
        let lasts = dice.millis(1..=longest);
        all.push((dice.millis(0..=busy), Turn::Suspended(lasts)));
    }
    if nature.on_demand {
        all.push((Moment::ZERO, Turn::Demand(0)));
        for _ in 0..dice.within(1..=3) {
            let demand = u32::try_from(dice.within(0..=900)).expect("small");
            all.push((dice.millis(0..=busy), Turn::Demand(demand)));
        }
    }
    all
}
