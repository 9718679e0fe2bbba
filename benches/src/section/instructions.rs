//! Instructions in user space per request: the same in every run, whatever else the machine does.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::bench::Bench;
use crate::load::KeepAlive;
use crate::outcome::Outcome;
use crate::report::{Report, figure};
use crate::server::Peer;

const CONNECTIONS: usize = 64;

/// Everybody under callgrind, once started only and once with load; the difference by requests.
pub(super) fn run(bench: &Bench) -> Outcome<Report> {
    find_valgrind()?;
    let mut report = Report::new(
        "Instructions in user space per request",
        format!(
            "Counted by callgrind over {:?} of hello on {CONNECTIONS} kept connections, less what \
             start and stop alone take. Kernel and caches are not in it.",
            bench.effort.window,
        ),
        &["server", "instructions per request", "× floor", "requests"],
    );
    let mut floor = None;
    for peer in Peer::all() {
        let (idle, _) = count(bench, peer, Duration::ZERO)?;
        let (loaded, requests) = count(bench, peer, bench.effort.window)?;
        let each = loaded.saturating_sub(idle) as f64 / requests.max(1) as f64;
        let floor = *floor.get_or_insert(each);
        report.row([
            peer.to_string(),
            figure(each),
            figure(each / floor),
            requests.to_string(),
        ]);
    }
    Ok(report)
}

fn find_valgrind() -> Outcome<()> {
    match Command::new("valgrind").arg("--version").output() {
        Ok(told) if told.status.success() => Ok(()),
        _ => Err("valgrind is not installed: run benches/install".into()),
    }
}

/// Instructions of all its processes from start to stop, and the requests that it answered.
fn count(bench: &Bench, peer: Peer, time: Duration) -> Outcome<(u64, u64)> {
    let files = tempfile::tempdir()?;
    // nginx's worker is not of our user.
    fs::set_permissions(files.path(), fs::Permissions::from_mode(0o777))?;
    let server = peer.start(&bench.binaries.counted(files.path()), bench.cpus)?;
    let mut answered = 0;
    if !time.is_zero() {
        let mut load = KeepAlive::open(&[server.target(peer.body())], CONNECTIONS)?;
        answered = load.run(time)?.answered;
    }
    server.stop()?;
    Ok((total(files.path())?, answered))
}

fn total(directory: &Path) -> Outcome<u64> {
    let mut sum = 0;
    for file in fs::read_dir(directory)? {
        let text = fs::read_to_string(file?.path())?;
        let total = text
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("totals: "));
        sum += total.map_or(Ok(0), |words| words.trim().parse::<u64>())?;
    }
    if sum == 0 {
        return Err("callgrind has counted nothing".into());
    }
    Ok(sum)
}
