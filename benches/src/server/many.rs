//! Servers with several workers, all with the same app: `/blocking?ms=N` blocks its worker, and
//! every answer names its process.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::Binaries;
use super::brigade::{Brigade, Program};
use super::nginx::free_port;
use super::running::{Server, spawn_on};
use crate::measure::{Cpus, family};
use crate::outcome::Outcome;

/// Python servers import for a while.
const START_WITHIN: Duration = Duration::from_secs(30);

/// Who is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Many {
    /// A SO_REUSEPORT socket per worker and nothing else.
    Reuseport,
    /// One socket that all workers wait at.
    Herd,
    /// Brigade with a queue per slot.
    Slots,
    /// Brigade with one queue.
    Shared,
    /// granian with an ASGI app.
    Granian,
    /// uvicorn.
    Uvicorn,
    /// gunicorn with uvicorn's workers.
    Gunicorn,
}

impl Many {
    /// Everybody.
    pub(crate) const ALL: [Self; 7] = [
        Self::Reuseport,
        Self::Herd,
        Self::Slots,
        Self::Shared,
        Self::Granian,
        Self::Uvicorn,
        Self::Gunicorn,
    ];
    /// Those that are not Python: how connections spread is measured with them.
    pub(crate) const FAST: [Self; 4] = [Self::Reuseport, Self::Herd, Self::Slots, Self::Shared];

    /// Starts it with so many workers on the server's CPU and sees all of them there.
    pub(crate) fn start(self, workers: u16, binaries: &Binaries, cpus: Cpus) -> Outcome<Server> {
        let count = workers.to_string();
        let plain = |layout: &str| {
            let mut command = binaries.command("contender-many");
            Server::contender(command.args([layout, &count]), cpus)
        };
        let brigade = |mode: &'static str| {
            let program = Brigade::new(Program::Demo).workers(workers);
            let (mut server, _) = program
                .arguments(&["--balance", mode])
                .start(binaries, cpus)?;
            server.events()?.next("fleet.ready", |_| true)?;
            Ok(server)
        };
        let server = match self {
            Self::Reuseport => plain("reuseport"),
            Self::Herd => plain("shared"),
            Self::Slots => brigade("slots"),
            Self::Shared => brigade("shared"),
            Self::Granian | Self::Uvicorn | Self::Gunicorn => self.python(workers, cpus),
        };
        let server = server.map_err(|error| format!("{self}: {error}"))?;
        server.target(None).ask_once()?;
        Ok(server)
    }

    fn python(self, workers: u16, cpus: Cpus) -> Outcome<Server> {
        let port = free_port()?.to_string();
        let count = workers.to_string();
        let bind = format!("127.0.0.1:{port}");
        let mut words: Vec<&str> = match self {
            Self::Granian => vec!["granian", "--interface", "asgi", "--host", "127.0.0.1"],
            Self::Gunicorn => vec![
                "gunicorn",
                "-k",
                "uvicorn_worker.UvicornWorker",
                "-b",
                &bind,
            ],
            _ => vec!["uvicorn", "--host", "127.0.0.1", "--no-access-log"],
        };
        if self != Self::Gunicorn {
            words.extend(["--port", &port]);
        }
        words.extend(["--workers", &count, "asgi:app"]);
        let program = tool(words[0])?;
        let mut command = Command::new(program);
        command
            .args(&words[1..])
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("apps"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = spawn_on(&[cpus.server], cpus, &mut command)?;
        let mut server = Server::guard(child, Signal::SIGTERM);
        server.address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.parse()?));
        let end = Instant::now() + START_WITHIN;
        // A master and its workers; some have a helper process besides. None tells when it is
        // ready, so a second is given to those that are there.
        while TcpStream::connect(server.address).is_err()
            || family(server.pid())?.len() <= usize::from(workers)
        {
            if Instant::now() > end || server.child().try_wait()?.is_some() {
                return Err(format!("{self} does not come up at {}", server.address).into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(Duration::from_secs(2));
        Ok(server)
    }

    /// Its version, for Python's.
    pub(crate) fn told(self) -> Outcome<String> {
        let name = match self {
            Self::Granian => "granian",
            Self::Uvicorn => "uvicorn",
            Self::Gunicorn => "gunicorn",
            Self::Reuseport | Self::Herd | Self::Slots | Self::Shared => {
                return Ok(self.to_string());
            }
        };
        let told = Command::new(tool(name)?).arg("--version").output()?;
        let words = String::from_utf8_lossy(&told.stdout).into_owned();
        let version = words
            .split_whitespace()
            .find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
        let version = version.unwrap_or("").trim_end_matches(')');
        Ok(format!("{self} {version}"))
    }
}

/// A program of the Python environment that `benches/install` makes.
fn tool(name: &str) -> Outcome<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench-venv/bin");
    let path = path.join(name);
    if path.exists() {
        Ok(path)
    } else {
        Err(format!("{name} is not installed: run benches/install").into())
    }
}

impl fmt::Display for Many {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reuseport => "hyper, plain SO_REUSEPORT",
            Self::Herd => "hyper, one shared queue",
            Self::Slots => "**Brigade**, `slots`",
            Self::Shared => "**Brigade**, `shared`",
            Self::Granian => "granian",
            Self::Uvicorn => "uvicorn",
            Self::Gunicorn => "gunicorn",
        })
    }
}
