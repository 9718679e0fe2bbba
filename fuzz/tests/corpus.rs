//! The kept corpus of every target, and mutations of it.

#![forbid(unsafe_code)]

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use brigade_fuzz::{Mutator, TARGETS, Target};

/// For each target; `BRIGADE_FUZZ_MUTATIONS` takes another number.
const MUTATIONS: u64 = 20_000;

fn corpus(target: &Target) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let folder = fs::read_dir(folder.join(target.name)).unwrap();
    let mut paths: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} has no corpus", target.name);
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn read(target: &Target, input: &[u8]) {
    let outcome = catch_unwind(|| (target.read)(input));
    assert!(
        outcome.is_ok(),
        "{}: {:?}",
        target.name,
        input.escape_ascii().to_string()
    );
}

#[test]
fn every_target_stands_its_corpus() {
    for target in &TARGETS {
        corpus(target).iter().for_each(|input| read(target, input));
        read(target, b"");
    }
}

#[test]
fn every_target_stands_mutations_of_its_corpus() {
    let more = std::env::var("BRIGADE_FUZZ_MUTATIONS");
    let mutations = more.map_or(MUTATIONS, |words| words.parse().unwrap());
    for target in &TARGETS {
        let corpus = corpus(target);
        for seed in 1..=mutations {
            let input = Mutator::new(seed).next(&corpus, target.words);
            read(target, &input);
        }
    }
}
