//! What new connections wait for while one of four workers is blocked.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use crate::bench::Bench;
use crate::load::{Arrival, arrive};
use crate::measure::Spread;
use crate::outcome::Outcome;
use crate::report::{Report, figure};
use crate::server::Many;

const WORKERS: u16 = 4;
/// A connection that waited for longer is counted apart.
const LONG: Duration = Duration::from_millis(500);

/// The first bytes of all connections that arrived while a worker was blocked.
struct Waits {
    first_bytes: Vec<Duration>,
    unanswered: usize,
}

pub(super) fn run(bench: &Bench) -> Outcome<Report> {
    let effort = &bench.effort;
    let (block, pace) = (effort.block, effort.pace);
    let mut report = Report::new(
        "New connections while one of four workers is blocked",
        format!(
            "A connection every {pace:?}, each asks once; after {block:?} one request blocks its \
             worker's event loop for {block:?}. Times from the moment a connection is due to the \
             first byte of its answer, for all that are due while the worker is blocked; all \
             rounds ({}) together. Brigade with `--stall-warn 250ms`, its default.",
            effort.stalls,
        ),
        &[
            "server, 4 workers",
            "p50, ms",
            "p99, ms",
            "worst, ms",
            "over 500 ms",
            "not answered",
            "connections",
        ],
    );
    for many in Many::ALL {
        let mut waits = Waits {
            first_bytes: Vec::new(),
            unanswered: 0,
        };
        for _ in 0..effort.stalls {
            one(bench, many, &mut waits)?;
        }
        let count = waits.first_bytes.len() + waits.unanswered;
        let long = waits.first_bytes.iter().filter(|wait| **wait > LONG);
        let long = long.count() + waits.unanswered;
        let spread = Spread::of_millis(&waits.first_bytes);
        report.row([
            many.told()?,
            figure(spread.median()),
            figure(spread.quantile(0.99)),
            figure(spread.most()),
            long.to_string(),
            waits.unanswered.to_string(),
            count.to_string(),
        ]);
        if matches!(many, Many::Slots | Many::Shared) {
            let words = format!("{many}: worst below 350 ms, nothing lost");
            let reached = spread.most() <= 350.0 && waits.unanswered == 0;
            report.goal(&words, format!("{} ms", figure(spread.most())), reached);
        }
    }
    Ok(report)
}

fn one(bench: &Bench, many: Many, waits: &mut Waits) -> Outcome<()> {
    let block = bench.effort.block;
    let server = many.start(WORKERS, &bench.binaries, bench.cpus)?;
    let address = server.address;
    let blocker = thread::spawn(move || {
        thread::sleep(block);
        let _ = block_one(address, block);
    });
    let arrivals = arrive(server.target(None), bench.effort.pace, block * 5 / 2)?;
    let _ = blocker.join();
    server.stop()?;
    let during = |one: &&Arrival| one.due >= block && one.due < block * 2;
    for arrival in arrivals.iter().filter(during) {
        match arrival.first_byte {
            Some(wait) => waits.first_bytes.push(wait),
            None => waits.unanswered += 1,
        }
    }
    Ok(())
}

/// Blocks whichever worker gets this.
fn block_one(address: SocketAddr, time: Duration) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    let ms = time.as_millis();
    let request =
        format!("GET /blocking?ms={ms} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    stream.read_to_end(&mut Vec::new())?;
    Ok(())
}
