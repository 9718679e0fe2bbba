//! Runs seeds and tells what broke, with the command that shows it again.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

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
