//! Work beside the event loop, and the last acts of a worker.

#[path = "common/said.rs"]
mod common;

use std::time::Duration;

use brigade_config::Offload;
use common::{Said, effective, read, row};

#[test]
fn every_key_reaches_its_place() {
    let said = Said {
        flags: &[],
        environment: &[
            ("BRIGADE_TIMEOUT_HOOKS", "1.8"),
            ("BRIGADE_OFFLOAD_THREADS", "19"),
            ("BRIGADE_OFFLOAD_CPU_THREADS", "20"),
            ("BRIGADE_OFFLOAD_QUEUE", "0"),
            ("BRIGADE_OFFLOAD_WAIT", "21"),
            ("BRIGADE_OFFLOAD_TIMEOUT", "22"),
        ],
        ..Said::default()
    };
    let worker = read(said).unwrap_or_else(|problems| panic!("{problems}"));
    let worker = worker.config.worker;
    let expected = Offload {
        threads: 19,
        cpu_threads: 20,
        queue: 0,
        wait: Duration::from_secs(21),
        timeout: Duration::from_secs(22),
    };
    assert_eq!(worker.offload, expected);
    assert_eq!(worker.timeout_hooks, Duration::from_millis(1800));
}

#[test]
fn the_default_time_for_hooks_shrinks_with_the_time_before_the_kill() {
    let short = Said {
        flags: &["--timeout-kill", "1s"],
        ..Said::default()
    };
    assert_eq!(effective(short, "timeout-hooks"), row("500ms", "default"));
    let contrary = Said {
        flags: &["--timeout-kill", "1s", "--timeout-hooks", "2s"],
        ..Said::default()
    };
    let problems = read(contrary).unwrap_err().to_string();
    assert!(problems.contains("timeout-hooks"), "{problems}");
}
