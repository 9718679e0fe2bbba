//! What an access log costs.

use std::fmt;

use super::window::{Cost, undisturbed};
use crate::bench::Bench;
use crate::load::KeepAlive;
use crate::measure::Spread;
use crate::outcome::Outcome;
use crate::report::{Report, figure};
use crate::server::{Brigade, Peer, Program, Server, nginx_with_log};

const CONNECTIONS: usize = 64;

/// Who says hello, and whether it writes that down.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keeper {
    Brigade(Option<&'static str>),
    Nginx(bool),
}

const KEEPERS: [Keeper; 5] = [
    Keeper::Brigade(None),
    Keeper::Brigade(Some("combined")),
    Keeper::Brigade(Some("json")),
    Keeper::Nginx(false),
    Keeper::Nginx(true),
];

/// Each with and without, in every round, in another order.
pub(super) fn run(bench: &Bench) -> Outcome<Report> {
    let mut windows: Vec<Vec<Cost>> = KEEPERS.iter().map(|_| Vec::new()).collect();
    let mut discarded = 0;
    for round in 0..bench.effort.rounds {
        for turn in 0..KEEPERS.len() {
            let place = (round + turn) % KEEPERS.len();
            let one = || measure(bench, KEEPERS[place]);
            let window = undisturbed(bench, &mut discarded, one)
                .map_err(|error| format!("{}: {error}", KEEPERS[place]))?;
            windows[place].push(window);
        }
    }
    let mut report = Report::new(
        "An access log",
        format!(
            "Hello on {CONNECTIONS} kept connections, a line for each request into a file; nginx \
             with a buffer of 64 KiB, flushed each second. What it costs is the median of the \
             rounds' differences."
        ),
        &[
            "server",
            "CPU per request, µs (min–max)",
            "the log's part, µs",
            "requests/s",
        ],
    );
    for (place, keeper) in KEEPERS.into_iter().enumerate() {
        report.row(cells(keeper, &windows[place], &windows[keeper.without()]));
    }
    let faults: u64 = windows.iter().flatten().map(|window| window.faults).sum();
    report.note(format!(
        "Faults in all windows, lines that are missing among them: {faults}. {discarded} windows were measured again because others \
         used the CPUs."
    ));
    for place in 1..3 {
        let cost = cost(&windows[place], &windows[0]);
        let words = format!("{}: at most 1 µs a request", KEEPERS[place]);
        report.goal(&words, format!("{} µs", figure(cost)), cost <= 1.0);
    }
    let ratio = Cost::ratio(&windows[1], &windows[4]);
    report.goal(
        "with the log on both, CPU per request below nginx's",
        format!("{} times", figure(ratio)),
        ratio < 1.0,
    );
    Ok(report)
}

impl Keeper {
    /// The place of the same server without a log.
    fn without(self) -> usize {
        match self {
            Self::Brigade(_) => 0,
            Self::Nginx(_) => 3,
        }
    }

    fn writes(self) -> bool {
        !matches!(self, Self::Brigade(None) | Self::Nginx(false))
    }

    fn start(self, bench: &Bench, log: &str) -> Outcome<Server> {
        match self {
            Self::Brigade(None) => Peer::Brigade.start(&bench.binaries, bench.cpus),
            Self::Brigade(Some(format)) => {
                let words = ["--access-log", log, "--access-log-format", format];
                let brigade = Brigade::new(Program::Hello).arguments(&words);
                let (mut server, _) = brigade.start(&bench.binaries, bench.cpus)?;
                server.events()?.next("fleet.ready", |_| true)?;
                Ok(server)
            }
            Self::Nginx(false) => Peer::Nginx.start(&bench.binaries, bench.cpus),
            Self::Nginx(true) => nginx_with_log(log, &bench.binaries, bench.cpus),
        }
    }
}

fn measure(bench: &Bench, keeper: Keeper) -> Outcome<Cost> {
    let files = tempfile::tempdir()?;
    let log = files.path().join("access.log");
    let server = keeper.start(bench, &log.display().to_string())?;
    let mut load = KeepAlive::open(&[server.target(Peer::Brigade.body())], CONNECTIONS)?;
    let mut answered = load.run(bench.effort.warm_up)?.answered;
    let mut cost = Cost::of(server.pid(), || {
        let tally = load.run(bench.effort.window)?;
        answered += tally.answered;
        Ok((tally.answered, tally.faults()))
    })?;
    drop(load);
    server.stop()?;
    if keeper.writes() {
        // Whoever does not write pays nothing: every line must be there.
        let lines = std::fs::read(&log)?;
        let lines = lines.iter().filter(|&&byte| byte == b'\n').count() as u64;
        cost.faults += answered.saturating_sub(lines);
    }
    Ok(cost)
}

fn cells(keeper: Keeper, rounds: &[Cost], without: &[Cost]) -> [String; 4] {
    let [cpu, pace] = Cost::cells(rounds);
    let part = if keeper.writes() {
        figure(cost(rounds, without))
    } else {
        "—".to_owned()
    };
    [keeper.to_string(), cpu, part, pace]
}

fn cost(with: &[Cost], without: &[Cost]) -> f64 {
    let pairs = with.iter().zip(without);
    Spread::of(pairs.map(|(with, without)| with.cpu_micros - without.cpu_micros)).median()
}

impl fmt::Display for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Brigade(None) => f.write_str("**Brigade**"),
            Self::Brigade(Some(format)) => write!(f, "**Brigade**, log `{format}`"),
            Self::Nginx(false) => f.write_str("nginx"),
            Self::Nginx(true) => f.write_str("nginx, log `combined`"),
        }
    }
}
