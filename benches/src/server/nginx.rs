//! nginx, from Debian's package, with a configuration made for the run.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;

use brigade_benches::contender::{BACKLOG, BODY, CONTENT_TYPE};
use nix::sys::signal::Signal;
use tempfile::TempDir;

use super::Binaries;
use super::running::{Server, spawn_on};
use crate::measure::Cpus;
use crate::outcome::Outcome;

/// Whether nginx is there; if not, a sentence on what to do.
pub(super) fn find() -> Outcome<()> {
    match Command::new("nginx").arg("-v").output() {
        Ok(told) if told.status.success() => Ok(()),
        _ => Err(
            "nginx is not installed: run benches/install, or leave out the sections that \
                  compare with it"
                .into(),
        ),
    }
}

/// Its version, as it tells it.
pub(super) fn version() -> String {
    let told = Command::new("nginx").arg("-v").output();
    let told = told.map(|told| String::from_utf8_lossy(&told.stderr).trim().to_owned());
    told.ok()
        .and_then(|words| {
            words
                .rsplit_once('/')
                .map(|(_, version)| version.to_owned())
        })
        .unwrap_or_else(|| "of unknown version".to_owned())
}

/// Starts it with room for so many connections. It takes memory for all of them at once, and
/// closes idle ones when a sixteenth of them is left.
pub(super) fn start(connections: usize, binaries: &Binaries, cpus: Cpus) -> Outcome<Server> {
    let files = tempfile::tempdir()?;
    let port = free_port()?;
    let room = connections + connections / 8;
    let text = configuration(files.path(), port, room, "off");
    start_with(files, port, &text, binaries, cpus)
}

/// The same, with a line in this file for each request.
pub(crate) fn start_with_log(log: &str, binaries: &Binaries, cpus: Cpus) -> Outcome<Server> {
    let files = tempfile::tempdir()?;
    let port = free_port()?;
    let log = format!("{log} combined buffer=64k flush=1s");
    let text = configuration(files.path(), port, 1_000, &log);
    start_with(files, port, &text, binaries, cpus)
}

/// Starts it with a configuration, in a directory of its own.
pub(super) fn start_with(
    files: TempDir,
    port: u16,
    configuration: &str,
    binaries: &Binaries,
    cpus: Cpus,
) -> Outcome<Server> {
    let path = files.path().join("nginx.conf");
    fs::write(&path, configuration)?;
    let mut command = binaries.foreign_command("nginx");
    command
        .arg("-p")
        .arg(files.path())
        .arg("-c")
        .arg(&path)
        .args(["-e", "stderr"]);
    let child = spawn_on(&[cpus.server], cpus, &mut command)?;
    let mut server = Server::guard(child, Signal::SIGTERM).with_files(files);
    server.address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    server.wait_until_it_listens()?;
    Ok(server)
}

/// nginx cannot tell which port it was given, so one is tried out for it. Somebody else may take
/// it in between; then nginx does not start and the run ends with its words.
pub(super) fn free_port() -> Outcome<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

fn configuration(directory: &Path, port: u16, room: usize, log: &str) -> String {
    let directory = directory.display();
    format!(
        "daemon off;
error_log stderr emerg;
worker_processes 1;
pid {directory}/pid;
events {{ worker_connections {room}; }}
http {{
    access_log {log};
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    default_type {CONTENT_TYPE};
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog={BACKLOG};
        location / {{ return 200 \"{BODY}\"; }}
    }}
}}
"
    )
}
