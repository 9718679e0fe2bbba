//! What more workers cost.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::replace::{CALM, PAUSE, pid_of};
use crate::bench::Bench;
use crate::measure::{Spread, children, pss, resident};
use crate::outcome::Outcome;
use crate::report::{Report, figure, mebibytes};
use crate::server::{Brigade, Program, Server};

struct Fleet {
    start: Duration,
    supervisor: u64,
    worker: f64,
}

/// Fleets of several sizes: start, memory, and the replacement of one worker of many.
pub(super) fn run(bench: &Bench) -> Outcome<Report> {
    let effort = &bench.effort;
    let mut report = Report::new(
        "What more workers cost",
        format!(
            "`brigade serve` with its demo app, all processes on one CPU. Starts (median of {}) \
             last until `fleet.ready`; {} workers are killed in turn, and each is timed until its \
             slot's `worker.ready`.",
            effort.fleet_starts, effort.fleet_kills,
        ),
        &[
            "workers",
            "start, ms",
            "ms per worker",
            "supervisor's RSS, MiB",
            "PSS per worker, MiB",
            "replacement, median ms",
            "p99, ms",
            "worst, ms",
        ],
    );
    for &workers in effort.fleets {
        let mut fleets = Vec::new();
        let mut replaced = None;
        for start in 0..effort.fleet_starts {
            let program = Brigade::new(Program::Demo)
                .workers(workers)
                .arguments(&CALM);
            let (mut server, began) = program.start(&bench.binaries, bench.cpus)?;
            let mut pids = seats(&mut server, workers)?;
            let ready = server.events()?.next("fleet.ready", |_| true)?;
            fleets.push(look(&server, ready.at.saturating_duration_since(began))?);
            if start == 0 {
                replaced = Some(replace(&mut server, &mut pids, effort.fleet_kills)?);
            }
            server.stop()?;
        }
        let Some(replaced) = replaced else { continue };
        let middle = |value: fn(&Fleet) -> f64| Spread::of(fleets.iter().map(value)).median();
        let start = middle(|fleet| fleet.start.as_secs_f64() * 1e3);
        report.row([
            workers.to_string(),
            figure(start),
            figure(start / f64::from(workers)),
            mebibytes(middle(|fleet| fleet.supervisor as f64)),
            mebibytes(middle(|fleet| fleet.worker)),
            figure(replaced.median()),
            figure(replaced.quantile(0.99)),
            figure(replaced.most()),
        ]);
    }
    Ok(report)
}

/// Who sits where, once everybody is ready.
fn seats(server: &mut Server, workers: u16) -> Outcome<BTreeMap<u64, Pid>> {
    let mut pids = BTreeMap::new();
    while pids.len() < usize::from(workers) {
        let event = server.events()?.next("worker.ready", |_| true)?;
        pids.insert(
            event.number("slot").ok_or("an event without `slot`")?,
            pid_of(&event)?,
        );
    }
    Ok(pids)
}

fn look(server: &Server, start: Duration) -> Outcome<Fleet> {
    let workers = children(server.pid())?;
    let sum = workers.iter().map(|&pid| pss(pid)).sum::<Outcome<u64>>()?;
    Ok(Fleet {
        start,
        supervisor: resident(server.pid())?,
        worker: sum as f64 / workers.len().max(1) as f64,
    })
}

fn replace(server: &mut Server, pids: &mut BTreeMap<u64, Pid>, kills: usize) -> Outcome<Spread> {
    let mut times = Vec::new();
    let slots: Vec<u64> = pids.keys().copied().collect();
    for &slot in slots.iter().cycle().take(kills) {
        std::thread::sleep(PAUSE);
        let killed_at = Instant::now();
        kill(pids[&slot], Signal::SIGKILL)?;
        let back = |event: &crate::server::Event| event.number("slot") == Some(slot);
        let ready = server.events()?.next("worker.ready", back)?;
        times.push(ready.at.saturating_duration_since(killed_at));
        pids.insert(slot, pid_of(&ready)?);
    }
    Ok(Spread::of_millis(&times))
}
