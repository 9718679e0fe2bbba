//! Brigade, as the program or as a library.

use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::signal::Signal;

use super::Binaries;
use super::events::Events;
use super::peer::EARLIER;
use super::running::{Server, spawn_on};
use crate::measure::Cpus;
use crate::outcome::Outcome;

/// Which binary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Program {
    /// The program `brigade` with its demo app.
    Demo,
    /// `brigade::run` with the contenders' hello.
    Hello,
    /// The same, of an earlier version.
    Earlier,
    /// `brigade::run` with the app of `works`.
    Works,
}

/// How to start Brigade.
#[derive(Clone)]
pub(crate) struct Brigade {
    program: Program,
    workers: String,
    everywhere: bool,
    command: Vec<String>,
    arguments: Vec<String>,
    variables: Vec<(&'static str, String)>,
}

impl Brigade {
    /// With one worker, on the server's CPU.
    pub(crate) fn new(program: Program) -> Self {
        Self {
            program,
            workers: "1".to_owned(),
            everywhere: false,
            command: vec!["serve".to_owned()],
            arguments: Vec::new(),
            variables: Vec::new(),
        }
    }

    pub(crate) fn workers(mut self, workers: u16) -> Self {
        self.workers = workers.to_string();
        self
    }

    /// As many workers as it finds right, on both CPUs.
    pub(crate) fn automatic(mut self) -> Self {
        self.workers = "auto".to_owned();
        self.everywhere = true;
        self
    }

    /// With these arguments besides.
    pub(crate) fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(owned(arguments));
        self
    }

    /// With another command than `serve`.
    pub(crate) fn command(mut self, words: &[&str]) -> Self {
        self.command = owned(words).collect();
        self
    }

    /// With this variable in its environment.
    pub(crate) fn variable(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    /// Starts it; tells also the moment at which it was started.
    pub(crate) fn start(&self, binaries: &Binaries, cpus: Cpus) -> Outcome<(Server, Instant)> {
        let mut command = self.program.command(binaries);
        command
            .args(&self.command)
            .args(["--bind", "127.0.0.1:0", "--workers", &self.workers])
            .args(["--log-format", "json"])
            .args(&self.arguments)
            .envs(self.variables.clone())
            .stderr(Stdio::piped());
        let both = [cpus.server, cpus.load];
        let on = if self.everywhere {
            &both[..]
        } else {
            &both[..1]
        };
        let began = Instant::now();
        let mut server = Server::guard(spawn_on(on, cpus, &mut command)?, Signal::SIGQUIT);
        let log = server.child().stderr.take().ok_or("no standard error")?;
        let events = server.events.insert(Events::follow(log));
        let listening = events.next("supervisor.listening", |_| true)?;
        let url = listening.text("address");
        let address = url.split_once("://").map_or("", |(_, address)| address);
        server.address = address
            .parse()
            .map_err(|_| format!("no address: `{address}`"))?;
        Ok((server, began))
    }
}

impl Program {
    fn command(self, binaries: &Binaries) -> Command {
        match self {
            Self::Demo => binaries.command("brigade"),
            Self::Hello => binaries.command("contender-brigade"),
            Self::Works => binaries.command("works-brigade"),
            Self::Earlier => {
                binaries.foreign_command(std::env::var_os(EARLIER).unwrap_or_default())
            }
        }
    }
}

fn owned(words: &[&str]) -> impl Iterator<Item = String> {
    words.iter().map(|&word| word.to_owned())
}
