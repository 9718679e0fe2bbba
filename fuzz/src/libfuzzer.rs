//! The target that `BRIGADE_FUZZ_TARGET` names, led by libFuzzer. `fuzz/run` builds and starts it.

#![no_main]

use std::sync::LazyLock;

use brigade_fuzz::{TARGETS, Target};
use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("BRIGADE_FUZZ_TARGET").unwrap_or_default();
    let found = TARGETS.into_iter().find(|target| target.name == name);
    found.expect("BRIGADE_FUZZ_TARGET names a target")
});

fuzz_target!(|bytes: &[u8]| (TARGET.read)(bytes));
