//! The whole fleet in a world without processes: seeds, each with its own misfortunes, and rules
//! that are checked from outside after every turn. See docs/testing.md.
//!
//! `SEED=7` replays one seed and tells every turn; `SEEDS=100000` widens the sweep.

mod sim;

use sim::sweep::{live, report, tell};

/// How many seeds a plain `cargo test` lives.
const SEEDS: u64 = 4_000;

#[test]
fn whatever_happens_the_rules_hold() {
    if let Some(seed) = number("SEED") {
        let (world, broken) = live(seed);
        println!("{:#?}\n{}", world.nature(), tell(&world, 0));
        assert!(
            broken.is_none(),
            "{}",
            report(seed, &world, &broken.expect("just seen"))
        );
        return;
    }
    let mut broken_seeds = Vec::new();
    for seed in 0..number("SEEDS").unwrap_or(SEEDS) {
        let (world, broken) = live(seed);
        if let Some(broken) = broken {
            if broken_seeds.is_empty() {
                println!("{}", report(seed, &world, &broken));
            }
            broken_seeds.push((seed, broken.rule));
        }
    }
    assert!(
        broken_seeds.is_empty(),
        "{} seeds broke a rule: {broken_seeds:?}",
        broken_seeds.len()
    );
}

#[test]
fn the_same_seed_gives_the_same_life() {
    for seed in 0..64 {
        let (first, _) = live(seed);
        let (second, _) = live(seed);
        assert!(
            first.trace() == second.trace(),
            "seed {seed} lived two lives"
        );
    }
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is not a number")),
    )
}
