//! Hello, by everybody: CPU time, pace, latency and memory.

use std::time::Duration;

use nix::unistd::Pid;

use super::window::{self, DISTURBED, undisturbed};
use crate::bench::Bench;
use crate::load::{KeepAlive, PerRequest, Tally, Target};
use crate::measure::{CpuTime, Noise, Spread, family, pss};
use crate::outcome::Outcome;
use crate::report::{Report, figure, mebibytes};
use crate::server::Peer;

/// How the load comes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pattern {
    /// So many connections, kept.
    KeepAlive {
        /// Each with one request in flight.
        connections: usize,
    },
    /// A connection for each request.
    PerRequest {
        /// So many of them at any moment.
        at_once: usize,
    },
}

/// One peer in one round.
struct Window {
    cpu_micros: f64,
    user_micros: f64,
    pace: f64,
    p50_micros: f64,
    p99_micros: f64,
    worst_millis: f64,
    busy: f64,
    pss: f64,
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

enum Load {
    KeepAlive(KeepAlive),
    PerRequest(PerRequest),
}

/// Measures every peer in every round, each round in another order.
pub(super) fn run(bench: &Bench, pattern: Pattern) -> Outcome<Report> {
    let peers = Peer::all();
    let mut windows: Vec<Vec<Window>> = peers.iter().map(|_| Vec::new()).collect();
    let mut discarded = 0;
    for round in 0..bench.effort.rounds {
        for turn in 0..peers.len() {
            let place = (round + turn) % peers.len();
            let peer = peers[place];
            let window = undisturbed(bench, &mut discarded, || measure(bench, peer, pattern))
                .map_err(|error| format!("{peer}: {error}"))?;
            windows[place].push(window);
        }
    }
    let mut report = Report::new(
        pattern.title(),
        pattern.method(),
        &[
            "server",
            "CPU per request, µs (min–max)",
            "of it in user space",
            "× floor",
            "requests/s",
            "p50, µs",
            "p99, µs",
            "worst, ms",
            "CPU busy",
            "PSS, MiB",
        ],
    );
    for (peer, windows_of) in peers.iter().zip(&windows) {
        report.row(cells(*peer, windows_of, &windows[0]));
    }
    let all = || windows.iter().flatten();
    let faults: u64 = all().map(|window| window.faults).sum();
    let others = Spread::of(all().map(|window| window.others));
    report.note(format!(
        "Wrong, refused, broken or hung answers in all windows together: {faults}. Other processes \
         used {:.1} % of a CPU meanwhile (median; {:.1} % in the worst window); {discarded} windows \
         with more than {:.0} % were measured again.",
        others.median() * 100.0,
        others.most() * 100.0,
        DISTURBED * 100.0,
    ));
    goals(&mut report, pattern, &peers, &windows);
    Ok(report)
}

impl Pattern {
    fn title(self) -> String {
        match self {
            Self::KeepAlive { connections: 1 } => "Hello on one kept connection".to_owned(),
            Self::KeepAlive { connections } => format!("Hello on {connections} kept connections"),
            Self::PerRequest { .. } => "Hello, a new connection for each request".to_owned(),
        }
    }

    fn method(self) -> String {
        match self {
            Self::KeepAlive { connections: 1 } => "One request at a time: every one finds the \
                server asleep, so that the price of waking up is in each."
                .to_owned(),
            Self::KeepAlive { connections } => {
                format!("{connections} connections, each with one request in flight.")
            }
            Self::PerRequest { at_once } => format!(
                "{at_once} clients at once, each connects, asks with `Connection: close`, and \
                 connects again when the server has closed. The load, which carries the \
                 handshakes, is the slower side here: servers wait for it."
            ),
        }
    }

    fn open(self, target: Target) -> Outcome<Load> {
        Ok(match self {
            Self::KeepAlive { connections } => {
                Load::KeepAlive(KeepAlive::open(&[target], connections)?)
            }
            Self::PerRequest { at_once } => Load::PerRequest(PerRequest::open(target, at_once)?),
        })
    }
}

impl Load {
    fn run(&mut self, time: Duration) -> Outcome<Tally> {
        match self {
            Self::KeepAlive(load) => load.run(time),
            Self::PerRequest(load) => load.run(time),
        }
    }
}

/// A fresh process each time: where its pages happen to lie is part of the spread.
fn measure(bench: &Bench, peer: Peer, pattern: Pattern) -> Outcome<Window> {
    let server = peer.start(&bench.binaries, bench.cpus)?;
    let root = server.pid();
    let mut load = pattern.open(server.target(peer.body()))?;
    load.run(bench.effort.warm_up)?;
    let (before, quiet_before) = (CpuTime::of_family(root)?, Noise::now(&[root])?);
    let started = std::time::Instant::now();
    let tally = load.run(bench.effort.window)?;
    let wall = started.elapsed().as_secs_f64();
    let cpu = CpuTime::of_family(root)?.since(before);
    let others = quiet_before.others_until(&Noise::now(&[root])?);
    let memory = memory_of_family(root)?;
    drop(load);
    server.stop()?;
    let requests = tally.answered.max(1) as f64;
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    Ok(Window {
        cpu_micros: micros(cpu.total) / requests,
        user_micros: micros(cpu.user) / requests,
        pace: requests / wall,
        p50_micros: micros(tally.latency.quantile(0.5)),
        p99_micros: micros(tally.latency.quantile(0.99)),
        worst_millis: micros(tally.latency.worst()) / 1e3,
        busy: cpu.total.as_secs_f64() / wall,
        pss: memory as f64,
        faults: tally.faults(),
        others,
    })
}

pub(super) fn memory_of_family(root: Pid) -> Outcome<u64> {
    family(root)?.into_iter().map(pss).sum()
}

fn cells(peer: Peer, windows: &[Window], floor: &[Window]) -> [String; 10] {
    let spread = |value: fn(&Window) -> f64| Spread::of(windows.iter().map(value));
    let median = |value: fn(&Window) -> f64| figure(spread(value).median());
    let cpu = spread(|window| window.cpu_micros);
    [
        peer.to_string(),
        format!(
            "{} ({}–{})",
            figure(cpu.median()),
            figure(cpu.least()),
            figure(cpu.most())
        ),
        median(|window| window.user_micros),
        figure(ratio(windows, floor)),
        format!("{:.0}", spread(|window| window.pace).median()),
        median(|window| window.p50_micros),
        median(|window| window.p99_micros),
        figure(spread(|window| window.worst_millis).most()),
        format!("{:.0} %", spread(|window| window.busy).median() * 100.0),
        mebibytes(spread(|window| window.pss).median()),
    ]
}

/// The median of the rounds' ratios: what slows a whole round down cancels out.
fn ratio(windows: &[Window], others: &[Window]) -> f64 {
    let pairs = windows.iter().zip(others);
    Spread::of(pairs.map(|(window, other)| window.cpu_micros / other.cpu_micros)).median()
}

fn goals(report: &mut Report, pattern: Pattern, peers: &[Peer], windows: &[Vec<Window>]) {
    let of = |peer: Peer| {
        let place = peers.iter().position(|other| *other == peer).unwrap_or(0);
        &windows[place][..]
    };
    let against = |peer: Peer| ratio(of(Peer::Brigade), of(peer));
    if peers.contains(&Peer::Earlier) {
        let measured = against(Peer::Earlier);
        let words = "CPU per request at most 1.02 times the earlier Brigade's";
        report.goal(words, figure(measured), measured <= 1.02);
    }
    match pattern {
        Pattern::KeepAlive { connections: 1 } => {}
        Pattern::KeepAlive { .. } => {
            let measured = against(Peer::Floor);
            let words = "CPU per request at most 1.12 times the floor's";
            let edge = figure(against(Peer::EdgeFloor));
            let told = format!(
                "{} ({edge} times the edge-triggered one's)",
                figure(measured)
            );
            report.goal(words, told, measured <= 1.12);
            for peer in [Peer::Axum(1), Peer::Axum(2), Peer::Actix, Peer::Nginx] {
                let measured = against(peer);
                let words = format!("CPU per request below that of {peer}");
                report.goal(
                    &words,
                    format!("{} times", figure(measured)),
                    measured < 1.0,
                );
            }
        }
        Pattern::PerRequest { .. } => {
            let measured = against(Peer::Nginx);
            let words = "CPU per request at most nginx's";
            report.goal(
                words,
                format!("{} times", figure(measured)),
                measured <= 1.0,
            );
        }
    }
}
