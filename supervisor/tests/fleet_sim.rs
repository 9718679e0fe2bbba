//! The whole fleet in a world without processes: seeds, each with its own misfortunes, and rules
//! that are checked from outside after every turn. See docs/testing.md.
//!
//! `SEED=7` replays one seed and tells every turn; `SEEDS=100000` widens the sweep.

mod sim;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use sim::ledger::Rule;
use sim::sweep::{live, live_all, met, report, tell};

/// How many seeds a plain `cargo test` lives.
const SEEDS: u64 = 10_000;

/// How many of them are asked what they met.
const ASKED: u64 = 2_400;

/// What became of a seed.
struct Life {
    seed: u64,
    broken: Option<(Rule, String)>,
    met: Vec<String>,
}

/// Lived once, looked at by two tests.
static LIVES: LazyLock<Vec<Life>> = LazyLock::new(|| {
    live_all(number("SEEDS").unwrap_or(SEEDS), |seed, world, broken| {
        Life {
            seed,
            broken: broken.map(|broken| (broken.rule, report(seed, &world, &broken))),
            met: if seed < ASKED {
                met(&world)
            } else {
                Vec::new()
            },
        }
    })
});

#[test]
fn whatever_happens_the_rules_hold() {
    if let Some(seed) = number("SEED") {
        return replay(seed);
    }
    let broken = LIVES
        .iter()
        .filter_map(|life| Some((life.seed, life.broken.as_ref()?)));
    let broken: Vec<_> = broken.collect();
    if let Some((_, (_, report))) = broken.first() {
        let all: Vec<_> = broken
            .iter()
            .map(|(seed, (rule, _))| (seed, rule))
            .collect();
        panic!(
            "{report}\n{} of {} seeds broke a rule: {all:?}",
            all.len(),
            LIVES.len()
        );
    }
}

/// Tells every turn of one seed.
fn replay(seed: u64) {
    let (world, broken) = live(seed);
    println!("{:#?}\n{}", world.nature(), tell(&world, 0));
    if let Some(broken) = broken {
        panic!("{}", report(seed, &world, &broken));
    }
}

/// Rules prove nothing about what no seed ever meets.
#[test]
fn the_seeds_meet_everything_there_is() {
    if number("SEED").is_some() {
        return;
    }
    let mut census = BTreeMap::new();
    for name in LIVES.iter().flat_map(|life| &life.met) {
        *census.entry(name.as_str()).or_insert(0_u32) += 1;
    }
    println!("{census:#?}");
    let rare = |name: &&&str| census.get(**name).is_none_or(|lives| *lives < 3);
    let rare: Vec<_> = EVERYTHING.iter().filter(rare).collect();
    assert!(rare.is_empty(), "hardly ever met: {rare:?} in {census:#?}");
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

/// What is ordered, said and heard.
const EVERYTHING: [&str; 120] = [
    "CloseListeners",
    "CloseSlot",
    "CommitConfig",
    "Cut",
    "Drain",
    "DropConfig",
    "Finish",
    "Kill",
    "LoadConfig",
    "OpenSlot",
    "RenewCertificates",
    "Spawn",
    "StageConfig",
    "Steer",
    "Steer to all",
    "Crashing world",
    "Hectic world",
    "Ordinary world",
    "Quiet world",
    "Scarce world",
    "Stillborn world",
    "Stubborn world",
    "crashed with Code(0), ready false",
    "crashed with Code(0), ready true",
    "crashed with Code(1), ready false",
    "crashed with Code(1), ready true",
    "crashed with Code(71), ready false",
    "crashed with Code(71), ready true",
    "crashed with Code(75), ready false",
    "crashed with Code(75), ready true",
    "crashed with Code(78), ready false",
    "crashed with Code(78), ready true",
    "crashed with Code(101), ready false",
    "crashed with Code(101), ready true",
    "crashed with Signal(6), ready false",
    "crashed with Signal(6), ready true",
    "crashed with Signal(9), ready false",
    "crashed with Signal(9), ready true",
    "crashed with Signal(11), ready false",
    "crashed with Signal(11), ready true",
    "crashed with Signal(15), ready false",
    "crashed with Signal(15), ready true",
    "draining because of Reload",
    "draining because of RollBack",
    "draining because of Scale",
    "draining because of Stop",
    "given up: NeverReady",
    "given up: TooManyCrashes",
    "heard Asked",
    "heard ConfigLoaded",
    "heard CertificatesLoaded",
    "heard ConfigRefused",
    "heard Exited",
    "heard Ready",
    "heard SpawnFailed",
    "heard Spawned",
    "heard Tick",
    "overdue for Start",
    "overdue for Drain",
    "overdue for Cut",
    "overdue for Kill",
    "said CertificatesRenewed",
    "said FleetReady",
    "said ServiceReady",
    "said ReloadDone",
    "said ReloadQueued",
    "said ReloadRefused",
    "said ReloadStarted",
    "said ScaleRefused",
    "said SlotParked",
    "said SpawnFailed",
    "said Stopping",
    "said WorkerLeft",
    "said WorkerReady",
    "then Now",
    "then After",
    "then Parked",
    "then Nothing",
    "Abort",
    "Ask",
    "AskSentinel",
    "Begin",
    "CloseRetired",
    "Doze",
    "ExecNew",
    "ExecOld",
    "ForgetOld",
    "Look",
    "Relieve",
    "draining because of Recycle",
    "overdue for Stall",
    "said WorkerBlocked",
    "said WorkerRecovered",
    "said ReloadProbation",
    "said LingeringCut",
    "said UpgradeStarted",
    "said UpgradeDone",
    "said UpgradeRolledBack",
    "said UpgradeStranded",
    "upgrade refused: Busy",
    "upgrade refused: Sentinel",
    "upgrade refused: Exec",
    "recycled: Requests",
    "recycled: Age",
    "recycled: Memory",
    "recycled: Generation",
    "recycled: Asked",
    "scaled: Asked",
    "scaled: Reload",
    "scaled: Processors",
    "scaled: Load",
    "rolled back: Ended",
    "rolled back: NotMade",
    "rolled back: Late",
    "rolled back: Blocked",
    "heard Leaving",
    "heard Looked",
    "heard Stirred",
    "heard SentinelAnswered",
    "heard ExecFailed",
];

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is not a number")),
    )
}
