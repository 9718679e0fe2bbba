//! Memory of idle keep-alive connections.

use super::compare::memory_of_family;
use crate::bench::Bench;
use crate::load::Crowd;
use crate::outcome::Outcome;
use crate::report::{Report, figure, mebibytes};
use crate::server::Peer;

const COMPARED: [Peer; 6] = [
    Peer::Floor,
    Peer::Hyper,
    Peer::Brigade,
    Peer::Axum(1),
    Peer::Actix,
    Peer::Nginx,
];

/// Each server before the crowd, with it, and what one member costs.
pub(super) fn run(bench: &Bench) -> Outcome<Report> {
    let size = bench.effort.crowd;
    let mut report = Report::new(
        format!("Memory of {size} idle connections"),
        "Each connection was served once and is then left alone. PSS of the server's processes; \
         what the kernel keeps for a socket is not in it and is the same for all.",
        &[
            "server",
            "PSS before, MiB",
            "PSS with them, MiB",
            "KiB per connection",
            "still open",
        ],
    );
    for peer in COMPARED {
        let server = peer.start_for(size, &bench.binaries, bench.cpus)?;
        let before = memory_of_family(server.pid())? as f64;
        let crowd = Crowd::gather(server.target(peer.body()), size)?;
        let with_them = memory_of_family(server.pid())? as f64;
        let open = crowd.still_open()?;
        drop(crowd);
        server.stop()?;
        report.row([
            peer.to_string(),
            mebibytes(before),
            mebibytes(with_them),
            figure((with_them - before) / 1024.0 / size as f64),
            open.to_string(),
        ]);
    }
    Ok(report)
}
