//! From the start of the program to the first answer.

use std::time::Instant;

use crate::bench::Bench;
use crate::measure::Spread;
use crate::outcome::Outcome;
use crate::report::{Report, figure};
use crate::server::{Brigade, Peer, Program};

const COMPARED: [Peer; 6] = [
    Peer::Demo,
    Peer::Brigade,
    Peer::Hyper,
    Peer::Axum(1),
    Peer::Actix,
    Peer::Nginx,
];

/// Everybody on one CPU, and Brigade with its own choice of workers on both.
pub(super) fn run(bench: &Bench) -> Outcome<Report> {
    let starts = bench.effort.starts;
    let mut report = Report::new(
        "From the start of the program to its first answer",
        "Before `exec` to the last byte of the answer; the client connects when the server tells \
         its address, and to nginx as soon as it can. One CPU and one worker unless said \
         otherwise.",
        &[
            "server",
            "median, ms",
            "p99, ms",
            "least, ms",
            "worst, ms",
            "starts",
        ],
    );
    let mut first = None;
    for peer in COMPARED {
        let mut times = Vec::new();
        for _ in 0..starts {
            let began = Instant::now();
            let server = peer.start(&bench.binaries, bench.cpus)?;
            times.push(began.elapsed());
            server.stop()?;
        }
        let times = Spread::of_millis(&times);
        report.row(cells(&peer.to_string(), &times));
        first = first.or(Some(times.median()));
    }
    let (answered, ready) = automatic(bench, starts)?;
    report.row(cells(
        "**Brigade**, demo app, `auto` workers on 2 CPUs",
        &answered,
    ));
    report.row(cells("the same, until `fleet.ready`", &ready));
    for (words, measured) in [
        (
            "one worker: median below 15 ms",
            first.unwrap_or(f64::INFINITY),
        ),
        ("`auto` workers: median below 15 ms", answered.median()),
    ] {
        report.goal(words, format!("{} ms", figure(measured)), measured < 15.0);
    }
    Ok(report)
}

fn automatic(bench: &Bench, starts: usize) -> Outcome<(Spread, Spread)> {
    let program = Brigade::new(Program::Demo).automatic();
    let (mut answered, mut ready) = (Vec::new(), Vec::new());
    for _ in 0..starts {
        let (mut server, began) = program.start(&bench.binaries, bench.cpus)?;
        server.target(None).ask_once()?;
        answered.push(began.elapsed());
        let event = server.events()?.next("fleet.ready", |_| true)?;
        ready.push(event.at.saturating_duration_since(began));
        server.stop()?;
    }
    Ok((Spread::of_millis(&answered), Spread::of_millis(&ready)))
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
