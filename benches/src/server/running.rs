//! A server that runs, and does not outlive us.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::events::Events;
use crate::load::Target;
use crate::measure::{Cpus, family, pin_to};
use crate::outcome::Outcome;

/// From its start until it listens.
const START_WITHIN: Duration = Duration::from_secs(5);
/// From the order to stop until it is killed.
const STOP_WITHIN: Duration = Duration::from_secs(20);

/// A server that runs. Dropping it kills it with its descendants.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Its log, if it is Brigade.
    pub(crate) events: Option<Events>,
    /// Which signal makes it stop quickly.
    quick_stop: Signal,
    /// What it reads as long as it runs.
    _files: Option<TempDir>,
}

/// Starts the command on the given CPUs, and goes back to the load's.
pub(super) fn spawn_on(cpus: &[usize], back_to: Cpus, command: &mut Command) -> Outcome<Child> {
    pin_to(cpus)?;
    let child = command.stdin(Stdio::null()).spawn();
    pin_to(&[back_to.load])?;
    child.map_err(|error| format!("{}: {error}", command.get_program().display()).into())
}

impl Server {
    /// Takes a child into care before anything else can fail.
    pub(super) fn guard(child: Child, quick_stop: Signal) -> Self {
        let address = SocketAddr::from(([0, 0, 0, 0], 0));
        Self {
            child,
            address,
            events: None,
            quick_stop,
            _files: None,
        }
    }

    /// Starts a contender on the server's CPU; it tells its address as the first line.
    pub(super) fn contender(command: &mut Command, cpus: Cpus) -> Outcome<Self> {
        let child = spawn_on(&[cpus.server], cpus, command.stdout(Stdio::piped()))?;
        let mut server = Self::guard(child, Signal::SIGTERM);
        let out = server.child.stdout.take().ok_or("no standard output")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let address = line.trim().strip_prefix("http://").unwrap_or("");
        server.address = address
            .parse()
            .map_err(|_| format!("{}: no address told", command.get_program().display()))?;
        Ok(server)
    }

    /// For those that do not tell when they listen.
    pub(super) fn wait_until_it_listens(&mut self) -> Outcome<()> {
        let end = Instant::now() + START_WITHIN;
        while TcpStream::connect(self.address).is_err() {
            if Instant::now() > end || self.child.try_wait()?.is_some() {
                return Err(format!("it does not listen on {}", self.address).into());
            }
            std::thread::yield_now();
        }
        Ok(())
    }

    pub(super) fn with_files(mut self, files: TempDir) -> Self {
        self._files = Some(files);
        self
    }

    pub(super) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    /// Whom to ask; `body` as in [`Target`].
    pub(crate) fn target(&self, body: Option<usize>) -> Target {
        Target {
            address: self.address,
            body,
        }
    }

    pub(crate) fn events(&mut self) -> Outcome<&mut Events> {
        self.events
            .as_mut()
            .ok_or_else(|| "this server has no log of events".into())
    }

    /// Stops it as quickly as it can, and tells how it ended.
    pub(crate) fn stop(mut self) -> Outcome<ExitStatus> {
        kill(self.pid(), self.quick_stop)?;
        let end = Instant::now() + STOP_WITHIN;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Err(format!(
            "it did not stop within {STOP_WITHIN:?} of {}",
            self.quick_stop
        )
        .into())
    }
}

impl Drop for Server {
    /// The root first, so that it replaces none of the others.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        for pid in family(self.pid()).unwrap_or_else(|_| vec![self.pid()]) {
            match kill(pid, Signal::SIGKILL) {
                Ok(()) | Err(Errno::ESRCH) => {}
                Err(error) => eprintln!("cannot kill {pid}: {error}"),
            }
        }
        if let Err(error) = self.child.wait() {
            eprintln!("cannot wait for {}: {error}", self.pid());
        }
    }
}
