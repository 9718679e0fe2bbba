//! How long a reload and an upgrade in place take, and what clients notice of them.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};

use crate::bench::Bench;
use crate::load::{Arrival, arrive};
use crate::measure::Spread;
use crate::outcome::Outcome;
use crate::report::{Report, figure};
use crate::server::{Brigade, Program, Server};

const WORKERS: u16 = 8;
const SIGNALS: [(Signal, &str, &str); 2] = [
    (Signal::SIGHUP, "reload", "reload.done"),
    (Signal::SIGUSR2, "upgrade", "upgrade.done"),
];

pub(super) fn run(bench: &Bench) -> Outcome<Report> {
    let mut report = Report::new(
        "Reload and upgrade in place",
        format!(
            "`brigade serve` with its demo app and {WORKERS} workers on one CPU, while a new \
             connection comes every millisecond. From the signal to the event that tells the end; \
             the longest pause between two answers; the longest time to the first byte. The start \
             is from `exec` to `fleet.ready`. {} times each.",
            bench.effort.renewals,
        ),
        &[
            "what, probation",
            "start, ms",
            "median, ms",
            "worst, ms",
            "longest gap, ms",
            "slowest first byte, ms",
            "not answered",
        ],
    );
    for probation in ["0s", "2s"] {
        for (signal, what, done) in SIGNALS {
            let program = Brigade::new(Program::Demo)
                .workers(WORKERS)
                .arguments(&["--reload-probation", probation]);
            let (mut server, began) = program.start(&bench.binaries, bench.cpus)?;
            let ready = server.events()?.next("fleet.ready", |_| true)?;
            let start = ready.at.duration_since(began);
            let (mut times, mut gaps, mut slowest, mut lost) = (vec![], vec![], vec![], 0);
            for _ in 0..bench.effort.renewals {
                let arrivals = renew(&mut server, signal, done, probation, &mut times)?;
                lost += arrivals
                    .iter()
                    .filter(|one| one.first_byte.is_none())
                    .count();
                gaps.push(longest_gap(&arrivals));
                slowest.extend(arrivals.iter().filter_map(|one| one.first_byte).max());
            }
            server.stop()?;
            let (times, gaps) = (Spread::of_millis(&times), Spread::of_millis(&gaps));
            report.row([
                format!("{what}, {probation}"),
                figure(start.as_secs_f64() * 1e3),
                figure(times.median()),
                figure(times.most()),
                figure(gaps.most()),
                figure(Spread::of_millis(&slowest).most()),
                lost.to_string(),
            ]);
            let millis = start.as_secs_f64() * 1e3 + if probation == "2s" { 2e3 } else { 0.0 };
            if what == "reload" {
                let words = format!("reload, {probation}: within start, probation and 100 ms");
                let told = format!("{} ms", figure(times.median()));
                report.goal(&words, told, times.median() <= millis + 100.0);
            } else {
                let words = format!("upgrade, {probation}: no gap longer than 50 ms");
                let told = format!("{} ms", figure(gaps.most()));
                report.goal(&words, told, gaps.most() <= 50.0);
            }
        }
    }
    Ok(report)
}

/// Sends the signal while connections arrive, and waits for the end of both.
fn renew(
    server: &mut Server,
    signal: Signal,
    done: &str,
    probation: &str,
    times: &mut Vec<Duration>,
) -> Outcome<Vec<Arrival>> {
    let span = Duration::from_millis(if probation == "2s" { 2_500 } else { 500 });
    let (target, pid) = (server.target(None), server.pid());
    let sender = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        let asked = Instant::now();
        kill(pid, signal).map(|()| asked)
    });
    let arrivals = arrive(target, Duration::from_millis(1), span)?;
    let asked = sender.join().map_err(|_| "the sender failed")??;
    let event = server.events()?.next(done, |_| true)?;
    times.push(event.at.saturating_duration_since(asked));
    Ok(arrivals)
}

/// The longest time in which nobody was answered.
fn longest_gap(arrivals: &[Arrival]) -> Duration {
    let mut ends: Vec<Duration> = arrivals
        .iter()
        .filter(|one| one.first_byte.is_some())
        .map(|one| one.ended)
        .collect();
    ends.sort();
    let gaps = ends.windows(2).map(|pair| pair[1] - pair[0]);
    gaps.max().unwrap_or_default()
}
