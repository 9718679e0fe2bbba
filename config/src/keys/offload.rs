//! Keys: work off the event loop.

use super::key::{Heading, Key, Kind, Meaning, OnReload, TIME, put};
use crate::words::{deadline, show_duration, whole};

const MOST_THREADS: u32 = 4096;
const MOST_JOBS: u32 = 1_000_000;

pub(super) static KEYS: &[Key] = &[
    Key {
        name: "offload-threads",
        environment: &["BRIGADE_OFFLOAD_THREADS"],
        default: Some("40"),
        value_name: "N",
        help: "The most threads of a worker for jobs that block",
        details: "They run what `brigade::offload::blocking` is given: file access, clients that \
                  know nothing of async. They are started when they are needed and end when they \
                  are not. 1 to 4096.",
        heading: Heading::Offload,
        on_reload: OnReload::Applied,
        kind: Kind::Number {
            least: 1,
            most: MOST_THREADS,
        },
        meaning: Meaning::Value {
            set: |config, text| {
                put(
                    &mut config.worker.offload.threads,
                    whole(text, 1, MOST_THREADS, "threads"),
                )
            },
            show: |config| Some(config.worker.offload.threads.to_string()),
        },
    },
    Key {
        name: "offload-cpu-threads",
        environment: &["BRIGADE_OFFLOAD_CPU_THREADS"],
        default: Some("1"),
        value_name: "N",
        help: "The most threads of a worker for jobs that compute",
        details: "They run what `brigade::offload::cpu` is given, at a lower priority than event \
                  loops. More only help if there are more CPUs than workers. 1 to 4096.",
        heading: Heading::Offload,
        on_reload: OnReload::Applied,
        kind: Kind::Number {
            least: 1,
            most: MOST_THREADS,
        },
        meaning: Meaning::Value {
            set: |config, text| {
                put(
                    &mut config.worker.offload.cpu_threads,
                    whole(text, 1, MOST_THREADS, "threads"),
                )
            },
            show: |config| Some(config.worker.offload.cpu_threads.to_string()),
        },
    },
    Key {
        name: "offload-queue",
        environment: &["BRIGADE_OFFLOAD_QUEUE"],
        default: Some("400"),
        value_name: "N",
        help: "How many jobs may wait for a thread",
        details: "In each of the two pools of each worker, while all of its threads are at work. \
                  One more is refused, and its request gets a 503. 0 to 1000000.",
        heading: Heading::Offload,
        on_reload: OnReload::Applied,
        kind: Kind::Number {
            least: 0,
            most: MOST_JOBS,
        },
        meaning: Meaning::Value {
            set: |config, text| {
                put(
                    &mut config.worker.offload.queue,
                    whole(text, 0, MOST_JOBS, "jobs"),
                )
            },
            show: |config| Some(config.worker.offload.queue.to_string()),
        },
    },
    Key {
        name: "offload-wait",
        environment: &["BRIGADE_OFFLOAD_WAIT"],
        default: Some("5s"),
        value_name: "TIME",
        help: "How long a job may wait for a thread",
        details: "After that it is taken out of the queue, never run, and its request gets a \
                  503.",
        heading: Heading::Offload,
        on_reload: OnReload::Applied,
        kind: TIME,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.worker.offload.wait, deadline(text)),
            show: |config| Some(show_duration(config.worker.offload.wait)),
        },
    },
    Key {
        name: "offload-timeout",
        environment: &["BRIGADE_OFFLOAD_TIMEOUT"],
        default: Some("60s"),
        value_name: "TIME",
        help: "How long a job may take, its wait included",
        details: "After that its request gets a 503. The job itself goes on, since a thread \
                  can't be stopped from outside, and its result is dropped. Code can ask for \
                  another time for each job.",
        heading: Heading::Offload,
        on_reload: OnReload::Applied,
        kind: TIME,
        meaning: Meaning::Value {
            set: |config, text| put(&mut config.worker.offload.timeout, deadline(text)),
            show: |config| Some(show_duration(config.worker.offload.timeout)),
        },
    },
];
