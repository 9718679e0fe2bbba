//! How new connections spread over the workers, and what they wait for.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::bench::Bench;
use crate::load::{PerRequest, arrive};
use crate::measure::{CpuTime, Spread};
use crate::outcome::Outcome;
use crate::report::{Report, figure};
use crate::server::Many;

/// How the load comes.
#[derive(Clone, Copy)]
enum Load {
    /// One connection at a time, at a fixed pace.
    Light,
    /// So many at once, as fast as it goes.
    Full(usize),
}

/// One server under one load.
struct Window {
    busiest: f64,
    cpu_micros: f64,
    p50: f64,
    p99: f64,
    worst: f64,
    faults: u64,
}

pub(super) fn run(bench: &Bench) -> Outcome<Report> {
    let effort = &bench.effort;
    let mut report = Report::new(
        "How new connections spread",
        format!(
            "A new connection for each request: one every {:?} (light), or 64 at once as fast as \
             it goes (full). `busiest` is the connections of the busiest worker as a multiple of \
             the mean. All processes on one CPU; medians of {} rounds.",
            effort.pace, effort.rounds,
        ),
        &[
            "server, workers, load",
            "busiest",
            "CPU per connection, µs",
            "p50, ms",
            "p99, ms",
            "worst, ms",
        ],
    );
    let mut faults = 0;
    for workers in [2, 4, 16] {
        for load in [Load::Light, Load::Full(64)] {
            for many in Many::FAST {
                let mut windows = Vec::new();
                for _ in 0..effort.rounds {
                    windows.push(measure(bench, many, workers, load)?);
                }
                faults += windows.iter().map(|window| window.faults).sum::<u64>();
                let median = |value: fn(&Window) -> f64| Spread::of(windows.iter().map(value));
                let busiest = median(|window| window.busiest);
                let name = match load {
                    Load::Light => "light",
                    Load::Full(_) => "full",
                };
                report.row([
                    format!("{many}, {workers}, {name}"),
                    figure(busiest.median()),
                    figure(median(|window| window.cpu_micros).median()),
                    figure(median(|window| window.p50).median()),
                    figure(median(|window| window.p99).median()),
                    figure(median(|window| window.worst).most()),
                ]);
                if matches!(many, Many::Slots | Many::Shared) {
                    let words = format!("{many}, {workers} workers, {name}: at most 1.3");
                    let reached = busiest.median() <= 1.3;
                    report.goal(&words, figure(busiest.median()), reached);
                }
            }
        }
    }
    report.note(format!(
        "Wrong, refused, broken or hung answers in all windows together: {faults}."
    ));
    Ok(report)
}

fn measure(bench: &Bench, many: Many, workers: u16, load: Load) -> Outcome<Window> {
    let server = many.start(workers, &bench.binaries, bench.cpus)?;
    let root = server.pid();
    let target = server.target(None);
    let mut by_worker: BTreeMap<u32, u64> = BTreeMap::new();
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    let before = CpuTime::of_family(root)?;
    let (answered, latency, faults) = match load {
        Load::Light => {
            let arrivals = arrive(target, bench.effort.pace, bench.effort.window)?;
            for pid in arrivals.iter().filter_map(|arrival| arrival.worker) {
                *by_worker.entry(pid).or_default() += 1;
            }
            let times: Vec<Duration> = arrivals.iter().filter_map(|one| one.first_byte).collect();
            let faults = (arrivals.len() - times.len()) as u64;
            let spread = Spread::of_millis(&times);
            let latency = (spread.median(), spread.quantile(0.99), spread.most());
            (times.len() as u64, latency, faults)
        }
        Load::Full(at_once) => {
            let tally = PerRequest::open(target, at_once)?.run(bench.effort.window)?;
            let times = &tally.latency;
            let latency = (
                millis(times.quantile(0.5)),
                millis(times.quantile(0.99)),
                millis(times.worst()),
            );
            let faults = tally.faults();
            by_worker.clone_from(&tally.by_worker);
            (tally.answered, latency, faults)
        }
    };
    let cpu = CpuTime::of_family(root)?.since(before);
    server.stop()?;
    let sum: u64 = by_worker.values().sum();
    let most = by_worker.values().max().copied().unwrap_or(0);
    let mean = sum as f64 / f64::from(workers);
    Ok(Window {
        busiest: most as f64 / mean.max(1.0),
        cpu_micros: cpu.total.as_secs_f64() * 1e6 / answered.max(1) as f64,
        p50: latency.0,
        p99: latency.1,
        worst: latency.2,
        faults,
    })
}
