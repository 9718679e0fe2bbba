//! Runs seeds and tells what broke, with the command that shows it again.

use std::any::Any;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

use brigade_supervisor::plan::{Action, Change};

use super::ledger::{Broken, Rule};
use super::world::World;

/// How many turns before a break are shown unasked.
const LAST_TURNS: usize = 12;

/// Lives one seed; the words of what broke, if something did.
pub(crate) fn live(seed: u64) -> (World, Option<Broken>) {
    let mut world = World::new(seed);
    let lived = catch_unwind(AssertUnwindSafe(|| world.run()));
    let broken = match lived {
        Ok(result) => result.err(),
        Err(panic) => Some(Broken::new(Rule::OwnInvariants, words_of(&*panic))),
    };
    (world, broken)
}

/// Lives all seeds below `seeds` on all cores; what became of each, in order.
pub(crate) fn live_all<T: Send>(
    seeds: u64,
    look: impl Fn(u64, World, Option<Broken>) -> T + Sync,
) -> Vec<T> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let share = |first: u64| {
        let mine = (first..seeds).step_by(threads).map(|seed| {
            let (world, broken) = live(seed);
            (seed, look(seed, world, broken))
        });
        mine.collect::<Vec<_>>()
    };
    let mut all: Vec<(u64, T)> = std::thread::scope(|scope| {
        let share = &share;
        let started: Vec<_> = (0..threads as u64)
            .map(|first| scope.spawn(move || share(first)))
            .collect();
        started
            .into_iter()
            .flat_map(|thread| thread.join().expect("caught"))
            .collect()
    });
    all.sort_by_key(|(seed, _)| *seed);
    all.into_iter().map(|(_, seen)| seen).collect()
}

/// The report of a seed that broke.
pub(crate) fn report(seed: u64, world: &World, broken: &Broken) -> String {
    let from = world.trace().len().saturating_sub(LAST_TURNS);
    format!(
        "seed {seed} ({:?}) broke a rule.\n{}  {broken}\nreplay it, every turn told:\n  \
         SEED={seed} cargo test -p brigade-supervisor --test fleet_sim -- --nocapture\n",
        world.nature().kind,
        tell(world, from),
    )
}

/// The turns from this one on, in words.
pub(crate) fn tell(world: &World, from: usize) -> String {
    let mut text = String::new();
    for (now, event, actions) in &world.trace()[from..] {
        let event = event
            .as_ref()
            .map_or("start".to_owned(), |event| format!("{event:?}"));
        text += &format!("{now:>12.3?}  {event}\n");
        for action in actions {
            text += &format!("                  {action:?}\n");
        }
    }
    text
}

fn words_of(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<String>().map(String::as_str);
    words
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic")
        .to_owned()
}

/// What a world met: the names of everything that was ordered and said, with what makes a
/// difference to the rules.
pub(crate) fn met(world: &World) -> Vec<String> {
    let mut names = vec![format!("{:?} world", world.nature().kind)];
    for (_, event, actions) in world.trace() {
        names.extend(event.as_ref().map(|event| format!("heard {}", name(event))));
        for action in actions {
            match action {
                Action::Announce(Change::WorkerDraining { because, .. }) => {
                    names.push(format!("draining because of {because:?}"));
                }
                Action::Announce(Change::WorkerOverdue { deadline, .. }) => {
                    names.push(format!("overdue for {deadline:?}"));
                }
                Action::Announce(Change::WorkerCrashed {
                    exit,
                    was_ready,
                    next,
                    ..
                }) => {
                    names.push(format!("crashed with {exit:?}, ready {was_ready}"));
                    names.push(format!("then {}", name(next)));
                }
                Action::Announce(Change::GivingUp(why)) => {
                    names.push(format!("given up: {}", name(why)));
                }
                Action::Announce(Change::UpgradeRefused(why)) => {
                    names.push(format!("upgrade refused: {why:?}"));
                }
                Action::Announce(Change::WorkerRecycling { because, .. }) => {
                    names.push(format!("recycled: {}", name(because)));
                }
                Action::Announce(Change::Scaled { because, .. }) => {
                    names.push(format!("scaled: {}", name(because)));
                }
                Action::Announce(Change::ReloadRolledBack { failure, .. }) => {
                    names.push(format!("rolled back: {}", name(failure)));
                }
                Action::Announce(change) => names.push(format!("said {}", name(change))),
                Action::Steer(slots) if slots.is_empty() => names.push("Steer to all".to_owned()),
                other => names.push(name(other)),
            }
        }
    }
    names.sort();
    names.dedup();
    names
}

/// A variant's name.
fn name(of: &impl Debug) -> String {
    let text = format!("{of:?}");
    text.chars()
        .take_while(|letter| letter.is_alphanumeric())
        .collect()
}
