//! From the death of a worker to its replacement, and to the first answer of that.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::bench::Bench;
use crate::measure::{Spread, children};
use crate::outcome::Outcome;
use crate::report::{Report, figure};
use crate::server::{Brigade, Event, Peer, Program};

/// A worker that has served for longer than this is replaced at once when it dies; the pause
/// before each kill is longer.
pub(super) const CALM: [&str; 2] = ["--restart-calm", "1ms"];
pub(super) const PAUSE: Duration = Duration::from_millis(5);

/// Brigade and, for comparison, nginx, whose master also makes new workers.
pub(super) fn run(bench: &Bench) -> Outcome<Report> {
    let kills = bench.effort.kills;
    let mut report = Report::new(
        "From the death of a worker to its replacement",
        format!(
            "One worker, killed with SIGKILL {kills} times, {PAUSE:?} after its first answer. The \
             client connects right after the kill, so that only the replacement can answer it: \
             the time to the answer includes connecting, asking and reading. `worker.ready` is \
             timed when the driver reads it in the log. `{}` keeps the brake on crash loops out \
             of it.",
            CALM.join(" "),
        ),
        &[
            "server, event",
            "median, ms",
            "p99, ms",
            "least, ms",
            "worst, ms",
            "kills",
        ],
    );
    let (ready, answered) = brigade(bench, kills)?;
    report.row(cells("**Brigade**, `worker.ready`", &ready));
    report.row(cells("**Brigade**, first answer", &answered));
    report.row(cells(
        &format!("{}, first answer", Peer::Nginx),
        &nginx(bench, kills)?,
    ));
    for (words, measured, limit) in [
        (
            "median to the first answer below 3 ms",
            answered.median(),
            3.0,
        ),
        (
            "p99 to the first answer below 10 ms",
            answered.quantile(0.99),
            10.0,
        ),
    ] {
        report.goal(words, format!("{} ms", figure(measured)), measured < limit);
    }
    Ok(report)
}

fn brigade(bench: &Bench, kills: usize) -> Outcome<(Spread, Spread)> {
    let program = Brigade::new(Program::Demo).arguments(&CALM);
    let (mut server, _) = program.start(&bench.binaries, bench.cpus)?;
    let mut pid = pid_of(&server.events()?.next("worker.ready", |_| true)?)?;
    server.events()?.next("fleet.ready", |_| true)?;
    let (mut ready, mut answered) = (Vec::new(), Vec::new());
    for _ in 0..kills {
        std::thread::sleep(PAUSE);
        let killed_at = Instant::now();
        kill(pid, Signal::SIGKILL)?;
        server.target(None).ask_once()?;
        answered.push(killed_at.elapsed());
        let event = server.events()?.next("worker.ready", |_| true)?;
        ready.push(event.at.saturating_duration_since(killed_at));
        pid = pid_of(&event)?;
    }
    server.stop()?;
    Ok((Spread::of_millis(&ready), Spread::of_millis(&answered)))
}

fn nginx(bench: &Bench, kills: usize) -> Outcome<Spread> {
    let server = Peer::Nginx.start(&bench.binaries, bench.cpus)?;
    let mut answered = Vec::new();
    for _ in 0..kills {
        std::thread::sleep(PAUSE);
        let worker = children(server.pid())?.pop().ok_or("nginx has no worker")?;
        let killed_at = Instant::now();
        kill(worker, Signal::SIGKILL)?;
        server.target(Peer::Nginx.body()).ask_once()?;
        answered.push(killed_at.elapsed());
    }
    server.stop()?;
    Ok(Spread::of_millis(&answered))
}

/// The process that a `worker.*` event is about.
pub(super) fn pid_of(event: &Event) -> Outcome<Pid> {
    let pid = event.number("pid").ok_or("an event without `pid`")?;
    Ok(Pid::from_raw(i32::try_from(pid)?))
}

fn cells(what: &str, times: &Spread) -> [String; 6] {
    [
        what.to_owned(),
        figure(times.median()),
        figure(times.quantile(0.99)),
        figure(times.least()),
        figure(times.most()),
        times.count().to_string(),
    ]
}
