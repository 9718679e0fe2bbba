//! What services do: JSON, TLS, HTTP/2, WebSockets, files.

use std::time::Duration;

use super::window::{Cost, undisturbed};
use crate::bench::Bench;
use crate::load::{Echo, H2load, Told, handshakes};
use crate::outcome::Outcome;
use crate::report::{Report, figure};
use crate::server::{Materials, Rival, Server};

const CONNECTIONS: usize = 64;
/// JSON of 1 KiB, 10 KiB and 1 MiB, in items.
const JSON: [u32; 3] = [16, 160, 16_384];
const SMALL: usize = 1 << 10;
const LARGE: usize = 1 << 20;

/// What is done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    /// So many items as JSON out.
    Give(u32),
    /// So many in.
    Take(u32),
    /// A small answer over kept TLS connections.
    Tls,
    /// A TLS connection for each.
    Handshake,
    /// The same over HTTP/2 with TLS, 100 streams on each connection.
    Streams,
    /// A WebSocket message there and back.
    Echo,
    /// A file of so many bytes.
    File(usize),
}

const WORKS: [Work; 12] = [
    Work::Give(JSON[0]),
    Work::Give(JSON[1]),
    Work::Give(JSON[2]),
    Work::Take(JSON[0]),
    Work::Take(JSON[1]),
    Work::Take(JSON[2]),
    Work::Tls,
    Work::Handshake,
    Work::Streams,
    Work::Echo,
    Work::File(SMALL),
    Work::File(LARGE),
];

/// Every work by everybody who does it, in every round in another order.
pub(super) fn run(bench: &Bench) -> Outcome<Report> {
    let materials = Materials::make(&JSON, &[SMALL, LARGE])?;
    let mut report = Report::new(
        "What services do",
        format!(
            "{CONNECTIONS} connections. JSON: items of 64 bytes, serialised and parsed by the app \
             (nginx sends a file instead). TLS 1.3, one ECDSA certificate for all. HTTP/2: 8 \
             connections with 100 streams each, over TLS. The load is h2load's, wrk's for \
             handshakes, and our own for WebSockets.",
        ),
        &[
            "work",
            "server",
            "CPU per request, µs (min–max)",
            "Brigade's ÷ its",
            "requests/s",
        ],
    );
    let (mut faults, mut discarded) = (0, 0);
    for work in chosen(&bench.works)? {
        let rivals = work.rivals();
        let mut windows: Vec<Vec<Cost>> = rivals.iter().map(|_| Vec::new()).collect();
        for round in 0..bench.effort.rounds {
            for turn in 0..rivals.len() {
                let place = (round + turn) % rivals.len();
                let rival = rivals[place];
                let one = || measure(bench, work, rival, &materials);
                let window = undisturbed(bench, &mut discarded, one)
                    .map_err(|error| format!("{}, {rival}: {error}", work.name()))?;
                faults += window.faults;
                windows[place].push(window);
            }
        }
        for (rival, its) in rivals.iter().zip(&windows) {
            report.row(cells(work, *rival, its, &windows[0]));
            if *rival != rivals[0] && !matches!(rival, Rival::Routed | Rival::Sendfile) {
                let measured = Cost::ratio(&windows[0], its);
                let words = format!("{}: CPU per request below that of {rival}", work.name());
                let told = format!("{} times", figure(measured));
                report.goal(&words, told, measured < 1.0);
            }
        }
    }
    report.note(format!(
        "Requests that were not answered with 200: {faults}. {discarded} windows were measured \
         again because others used the CPUs."
    ));
    Ok(report)
}

/// Those that were asked for.
fn chosen(words: &[String]) -> Outcome<Vec<Work>> {
    let has = |work: &Work, word: &String| work.name().contains(word);
    if let Some(word) = words
        .iter()
        .find(|word| !WORKS.iter().any(|work| has(work, word)))
    {
        let names = WORKS.map(Work::name).join("; ");
        return Err(format!("no work is called {word:?}; there are: {names}").into());
    }
    let is_meant = |work: &Work| words.is_empty() || words.iter().any(|word| has(work, word));
    Ok(WORKS.into_iter().filter(is_meant).collect())
}

impl Work {
    fn name(self) -> String {
        match self {
            Self::Give(items) => format!("JSON out, {}", size(items as usize * 64)),
            Self::Take(items) => format!("JSON in, {}", size(items as usize * 64)),
            Self::Tls => "TLS, kept connections".to_owned(),
            Self::Handshake => "TLS handshakes".to_owned(),
            Self::Streams => "HTTP/2, 100 streams".to_owned(),
            Self::Echo => "WebSocket echo".to_owned(),
            Self::File(bytes) => format!("file, {}", size(bytes)),
        }
    }

    /// Who does it, Brigade first.
    fn rivals(self) -> Vec<Rival> {
        match self {
            Self::Take(_) => vec![Rival::Brigade, Rival::Routed, Rival::Axum, Rival::Actix],
            Self::Echo => vec![Rival::Routed, Rival::Axum, Rival::Actix],
            Self::File(_) => vec![
                Rival::Static,
                Rival::Axum,
                Rival::Actix,
                Rival::Nginx,
                Rival::Sendfile,
            ],
            Self::Give(_) | Self::Tls | Self::Handshake | Self::Streams => {
                vec![
                    Rival::Brigade,
                    Rival::Routed,
                    Rival::Axum,
                    Rival::Actix,
                    Rival::Nginx,
                ]
            }
        }
    }

    fn is_tls(self) -> bool {
        matches!(self, Self::Tls | Self::Handshake | Self::Streams)
    }

    fn path(self, rival: Rival) -> String {
        match (self, rival) {
            (Self::Give(items), _) => format!("/json/{items}"),
            (Self::Take(_), _) => "/json".to_owned(),
            (Self::File(bytes), Rival::Static) => format!("/{bytes}.bin"),
            (Self::File(bytes), _) => format!("/files/{bytes}.bin"),
            (Self::Tls | Self::Handshake | Self::Streams | Self::Echo, _) => "/json/1".to_owned(),
        }
    }
}

fn size(bytes: usize) -> String {
    if bytes >= LARGE {
        format!("{} MiB", bytes >> 20)
    } else {
        format!("{} KiB", bytes >> 10)
    }
}

/// A load that can be asked for more.
enum Load {
    Tool { tool: H2load, pace: f64 },
    Handshakes { url: String },
    Echo(Echo),
}

impl Load {
    fn open(work: Work, rival: Rival, server: &Server, materials: &Materials) -> Outcome<Self> {
        let scheme = if work.is_tls() { "https" } else { "http" };
        let url = format!("{scheme}://{}{}", server.address, work.path(rival));
        let body = match work {
            Work::Take(items) => Some(materials.path().join("json").join(items.to_string())),
            _ => None,
        };
        Ok(match work {
            Work::Echo => Self::Echo(Echo::open(server.address, CONNECTIONS)?),
            Work::Handshake => Self::Handshakes { url },
            Work::Streams => Self::tool(url, 8, Some(100), body),
            Work::Give(_) | Work::Take(_) | Work::Tls | Work::File(_) => {
                Self::tool(url, CONNECTIONS, None, body)
            }
        })
    }

    fn tool(
        url: String,
        connections: usize,
        streams: Option<usize>,
        body: Option<std::path::PathBuf>,
    ) -> Self {
        Self::Tool {
            tool: H2load {
                url,
                connections,
                streams,
                body,
            },
            pace: 2_000.0,
        }
    }

    /// For about so long.
    fn run(&mut self, time: Duration) -> Outcome<Told> {
        match self {
            Self::Tool { tool, pace } => {
                let told = tool.run((*pace * time.as_secs_f64()) as u64)?;
                *pace = told.answered as f64 / told.wall.as_secs_f64().max(1e-3);
                Ok(told)
            }
            Self::Handshakes { url } => handshakes(url, 16, time),
            Self::Echo(echo) => echo.run(time),
        }
    }
}

fn measure(bench: &Bench, work: Work, rival: Rival, materials: &Materials) -> Outcome<Cost> {
    let server = rival.start(work.is_tls(), materials, &bench.binaries, bench.cpus)?;
    let mut load = Load::open(work, rival, &server, materials)?;
    load.run(bench.effort.warm_up)?;
    let cost = Cost::of(server.pid(), || {
        let told = load.run(bench.effort.window)?;
        Ok((told.answered, told.faults))
    })?;
    drop(load);
    server.stop()?;
    Ok(cost)
}

fn cells(work: Work, rival: Rival, rounds: &[Cost], ours: &[Cost]) -> [String; 5] {
    let [cpu, pace] = Cost::cells(rounds);
    let ratio = figure(Cost::ratio(ours, rounds));
    [work.name(), rival.to_string(), cpu, ratio, pace]
}
