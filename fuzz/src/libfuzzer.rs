//! The target that `BRIGADE_FUZZ_TARGET` names, led by libFuzzer. `fuzz/run` builds and starts it.

#![no_main]

use std::sync::LazyLock;

use brigade_fuzz::{Mutator, TARGETS, Target};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("BRIGADE_FUZZ_TARGET").unwrap_or_default();
    let found = TARGETS.into_iter().find(|target| target.name == name);
    found.expect("BRIGADE_FUZZ_TARGET names a target")
});

fuzz_target!(|bytes: &[u8]| (TARGET.read)(bytes));

// Coverage alone seldom spells a word, so every fourth change may put one in.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    if seed % 4 != 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    let input = Mutator::new(seed.into()).next(&[data[..size].to_vec()], TARGET.words);
    let end = input.len().min(max_size);
    data[..end].copy_from_slice(&input[..end]);
    end
});
