//! What an instance costs that has nothing to do.

use std::time::Duration;

use nix::unistd::Pid;

use crate::bench::Bench;
use crate::load::KeepAlive;
use crate::measure::{CpuTime, Wakeups, family, pss, resident, wakeups};
use crate::outcome::Outcome;
use crate::report::{Report, figure, mebibytes};
use crate::server::{Brigade, Program};

/// From ready to the first look.
const SETTLE: Duration = Duration::from_secs(1);
/// The load after which memory is looked at again.
const CONNECTIONS: usize = 64;

struct Idle {
    pid: Pid,
    woken: Wakeups,
    cpu: CpuTime,
    fresh_pss: u64,
    resident: u64,
}

/// The supervisor and two workers, watched while nothing happens, and again after some load.
pub(super) fn run(bench: &Bench) -> Outcome<Report> {
    let seconds = bench.effort.idle.as_secs_f64();
    let mut report = Report::new(
        "An idle instance",
        format!(
            "`brigade serve` with its demo app and `auto` workers on 2 CPUs, watched for {seconds} \
             s from {SETTLE:?} after `fleet.ready`; wake-ups are voluntary context switches. \
             Afterwards {CONNECTIONS} connections ask for {:?} and go away, and memory is taken \
             again.",
            bench.effort.window,
        ),
        &[
            "process",
            "wake-ups/s",
            "other switches/s",
            "CPU, ms/s",
            "RSS, MiB",
            "PSS, MiB",
            "PSS after the load, MiB",
        ],
    );
    let program = Brigade::new(Program::Demo).automatic();
    let (mut server, _) = program.start(&bench.binaries, bench.cpus)?;
    server.events()?.next("fleet.ready", |_| true)?;
    std::thread::sleep(SETTLE);
    let before = look(server.pid())?;
    std::thread::sleep(bench.effort.idle);
    let after = look(server.pid())?;
    let mut load = KeepAlive::open(&[server.target(None)], CONNECTIONS)?;
    load.run(bench.effort.window)?;
    drop(load);
    std::thread::sleep(SETTLE);
    let mut worker_pss: f64 = 0.0;
    for (place, (before, after)) in before.iter().zip(&after).enumerate() {
        let name = if place == 0 {
            "supervisor".to_owned()
        } else {
            format!("worker {place}")
        };
        let wakeups = per_second(after.woken.voluntary - before.woken.voluntary, seconds);
        if place == 0 {
            let words = "the supervisor wakes up at most once a second";
            report.goal(words, format!("{} times", figure(wakeups)), wakeups <= 1.0);
            let words = "the supervisor's RSS is below 5 MiB";
            let measured = mebibytes(after.resident as f64);
            report.goal(words, format!("{measured} MiB"), after.resident < 5 << 20);
        } else {
            worker_pss = worker_pss.max(after.fresh_pss as f64);
        }
        report.row([
            name,
            figure(wakeups),
            figure(per_second(
                after.woken.involuntary - before.woken.involuntary,
                seconds,
            )),
            figure(after.cpu.since(before.cpu).total.as_secs_f64() * 1e3 / seconds),
            mebibytes(after.resident as f64),
            mebibytes(after.fresh_pss as f64),
            mebibytes(pss(after.pid)? as f64),
        ]);
    }
    server.stop()?;
    let words = "PSS of an idle worker below 2 MiB";
    report.goal(
        words,
        format!("{} MiB", mebibytes(worker_pss)),
        worker_pss < f64::from(2 << 20),
    );
    Ok(report)
}

fn per_second(count: u64, seconds: f64) -> f64 {
    count as f64 / seconds
}

fn look(root: Pid) -> Outcome<Vec<Idle>> {
    family(root)?
        .into_iter()
        .map(|pid| {
            Ok(Idle {
                pid,
                woken: wakeups(pid)?,
                cpu: CpuTime::of(pid)?,
                fresh_pss: pss(pid)?,
                resident: resident(pid)?,
            })
        })
        .collect()
}
