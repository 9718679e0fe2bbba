//! One supervisor with a worker per core, or a supervisor for each worker: a pod per node, or many
//! small ones. docs/scaling.md has the figures.

use std::time::{Duration, Instant};

use nix::unistd::Pid;

use super::compare::memory_of_family;
use super::window::{self, DISTURBED, undisturbed};
use crate::bench::Bench;
use crate::load::{KeepAlive, Target};
use crate::measure::{CpuTime, Noise, Spread, family};
use crate::outcome::Outcome;
use crate::report::{Report, figure, mebibytes};
use crate::server::{Brigade, Program, Server};

/// So many kept connections, evenly spread, each with one request in flight.
const CONNECTIONS: usize = 64;
/// The bytes of the contenders' hello.
const BODY: usize = 12;

/// How so many workers are supervised.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    /// All by one.
    Together,
    /// Each by one of its own.
    Apart,
}

/// One shape in one round.
struct Window {
    processes: usize,
    start: Duration,
    pss: f64,
    cpu_micros: f64,
    pace: f64,
    p50_micros: f64,
    p99_micros: f64,
    faults: u64,
    others: f64,
}

impl window::Window for Window {
    fn others(&self) -> f64 {
        self.others
    }

    fn faults(&mut self) -> &mut u64 {
        &mut self.faults
    }
}

/// Both shapes in several sizes.
pub(super) fn run(bench: &Bench) -> Outcome<Report> {
    let mut report = Report::new(
        "One supervisor with many workers, or many with one",
        format!(
            "`brigade::run` with the contenders' hello and an admin address, as in a pod; all \
             processes on one CPU. {CONNECTIONS} kept connections, evenly spread over the \
             addresses, each with one request in flight. The start lasts until the last \
             `fleet.ready`."
        ),
        &[
            "shape",
            "processes",
            "start, ms",
            "PSS, MiB",
            "PSS per worker, MiB",
            "requests/s",
            "CPU per request, µs",
            "p50, µs",
            "p99, µs",
        ],
    );
    let mut all = Vec::new();
    let mut discarded = 0;
    for &workers in bench.effort.shapes {
        let mut windows = [Vec::new(), Vec::new()];
        for round in 0..bench.effort.rounds {
            for turn in 0..2 {
                let place = (round + turn) % 2;
                let shape = [Shape::Together, Shape::Apart][place];
                windows[place].push(undisturbed(bench, &mut discarded, || {
                    measure(bench, shape, workers)
                })?);
            }
        }
        for (shape, windows) in [Shape::Together, Shape::Apart].into_iter().zip(&windows) {
            report.row(cells(shape, workers, windows));
        }
        all.extend(windows.into_iter().flatten());
    }
    let faults: u64 = all.iter().map(|window| window.faults).sum();
    let others = Spread::of(all.iter().map(|window| window.others));
    report.note(format!(
        "Wrong, refused, broken or hung answers in all windows together: {faults}. Other processes \
         used {:.1} % of a CPU meanwhile (median; {:.1} % in the worst window); {discarded} windows \
         with more than {:.0} % were measured again.",
        others.median() * 100.0,
        others.most() * 100.0,
        DISTURBED * 100.0,
    ));
    Ok(report)
}

fn measure(bench: &Bench, shape: Shape, workers: u16) -> Outcome<Window> {
    let (instances, each) = match shape {
        Shape::Together => (1, workers),
        Shape::Apart => (workers, 1),
    };
    let began = Instant::now();
    let mut servers = Vec::new();
    for _ in 0..instances {
        let program = Brigade::new(Program::Hello)
            .workers(each)
            .arguments(&["--admin", "127.0.0.1:0"]);
        servers.push(program.start(&bench.binaries, bench.cpus)?.0);
    }
    let mut start = Duration::ZERO;
    for server in &mut servers {
        let ready = server.events()?.next("fleet.ready", |_| true)?;
        start = start.max(ready.at.saturating_duration_since(began));
    }
    let targets: Vec<Target> = servers.iter().map(|one| one.target(Some(BODY))).collect();
    let roots: Vec<Pid> = servers.iter().map(Server::pid).collect();
    let mut load = KeepAlive::open(&targets, CONNECTIONS)?;
    load.run(bench.effort.warm_up)?;
    let (before, quiet_before) = (cpu_of(&roots)?, Noise::now(&roots)?);
    let started = Instant::now();
    let tally = load.run(bench.effort.window)?;
    let wall = started.elapsed().as_secs_f64();
    let cpu = cpu_of(&roots)?.since(before);
    let others = quiet_before.others_until(&Noise::now(&roots)?);
    let families = roots.iter().map(|&root| family(root));
    let processes = families.collect::<Outcome<Vec<_>>>()?.concat().len();
    let memory: u64 = roots
        .iter()
        .map(|&root| memory_of_family(root))
        .sum::<Outcome<_>>()?;
    drop(load);
    for server in servers {
        server.stop()?;
    }
    let requests = tally.answered.max(1) as f64;
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    Ok(Window {
        processes,
        start,
        pss: memory as f64,
        cpu_micros: micros(cpu.total) / requests,
        pace: requests / wall,
        p50_micros: micros(tally.latency.quantile(0.5)),
        p99_micros: micros(tally.latency.quantile(0.99)),
        faults: tally.faults(),
        others,
    })
}

fn cpu_of(roots: &[Pid]) -> Outcome<CpuTime> {
    roots.iter().map(|&root| CpuTime::of_family(root)).sum()
}

fn cells(shape: Shape, workers: u16, windows: &[Window]) -> [String; 9] {
    let median = |value: fn(&Window) -> f64| Spread::of(windows.iter().map(value)).median();
    let pss = median(|window| window.pss);
    [
        match shape {
            Shape::Together => format!("1 supervisor, {workers} workers"),
            Shape::Apart => format!("{workers} supervisors, 1 worker each"),
        },
        format!("{:.0}", median(|window| window.processes as f64)),
        figure(median(|window| window.start.as_secs_f64() * 1e3)),
        mebibytes(pss),
        mebibytes(pss / f64::from(workers)),
        format!("{:.0}", median(|window| window.pace)),
        figure(median(|window| window.cpu_micros)),
        figure(median(|window| window.p50_micros)),
        figure(median(|window| window.p99_micros)),
    ]
}
