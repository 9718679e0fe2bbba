//! The sentinel, seen from the supervisor that sends it ahead: the new program in a child of its
//! own, with everything that would be handed over, to say whether it could go on. It is asked
//! before anything changes, and whatever it does instead of answering means no.
//!
//! ```text
//!   send            answer, then its exit
//!  ------> Asked ---------------------------> agreed, or refused with its words
//!            | late: it and its children are killed
//!            +------------------------------> refused
//! ```

use std::io::{self, PipeReader, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use brigade_shared::exit::Exit;
use brigade_shared::log;
use brigade_shared::sys::signal::{self, Signals};
use brigade_shared::sys::{exec, fd, fork, process};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, setpgid};
use serde::{Deserialize, Serialize};

use super::arrival::VARIABLE;
use super::document::{Document, Start};
use super::{luggage, start};

/// The longest time that a sentinel is given.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// So much of what it says is read; more is passed over.
const MOST: usize = 64 * 1024;

/// How many of the last characters of its output are told.
const TOLD: usize = 2000;

/// What is meant for the supervisor alone. A stop is meant for a sentinel, too.
const ORDERS: [Signal; 5] = [
    Signal::SIGHUP,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGTTIN,
    Signal::SIGTTOU,
];

/// The sentinel's answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub(super) enum Answer {
    /// It could go on.
    Yes {
        /// Its version.
        version: String,
    },
    /// It could not.
    No {
        /// Its reason.
        why: String,
    },
}

/// A sentinel that was sent.
#[derive(Debug)]
pub(crate) struct Sentinel {
    pid: Pid,
    /// The program: what agrees is what will be executed, whatever the path leads to by then.
    binary: OwnedFd,
    answer: Ear,
    output: Ear,
    until: Instant,
}

/// A pipe and what came through it.
#[derive(Debug)]
struct Ear {
    pipe: Option<PipeReader>,
    heard: Vec<u8>,
}

/// What a sentinel's end means.
pub(crate) struct Agreed {
    /// The program.
    pub(crate) binary: OwnedFd,
    /// Its version.
    pub(crate) version: String,
}

impl Sentinel {
    /// Sends one. `program` is what the supervisor would become.
    pub(super) fn send(
        document: &Document,
        start: &Start,
        signals: &Signals,
        within: Duration,
    ) -> Result<Self, String> {
        let shown = start.path().display().to_string();
        let binary = exec::keep(start.path())
            .map_err(|error| format!("{shown} can't be opened: {error}"))?;
        let ask = || -> io::Result<Self> {
            let memory = document.write()?;
            let (answer, child_answer) = io::pipe()?;
            let (output, child_output) = io::pipe()?;
            fd::set_nonblocking(&answer)?;
            fd::set_nonblocking(&output)?;
            let until = Instant::now() + within;
            let parent = Pid::this();
            let pid = fork::fork_child(|| {
                let mut numbers = document.head.descriptors.clone();
                numbers.extend([memory.as_raw_fd(), child_answer.as_raw_fd()]);
                signals.forget();
                log::begin_child();
                let error = enter(child_output.as_fd(), parent)
                    .and_then(|()| luggage::make_inheritable(&numbers))
                    .and_then(|()| {
                        let (memory, answer) = (memory.as_raw_fd(), child_answer.as_raw_fd());
                        let role = format!("sentinel:{memory}:{answer}");
                        let environment = start::environment(VARIABLE, &role);
                        exec::become_kept(&binary, &start::arguments(), &environment)
                    })
                    .unwrap_err();
                let why = explain(&shown, &error);
                say(&child_answer, &Answer::No { why });
                1
            })?;
            let _ = setpgid(pid, pid);
            Ok(Self {
                pid,
                binary,
                answer: Ear::new(answer),
                output: Ear::new(output),
                until,
            })
        };
        ask().map_err(|error| format!("no process for the new program: {error}"))
    }

    /// Its process.
    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// When it will be late.
    pub(crate) fn until(&self) -> Instant {
        self.until
    }

    /// What it may speak through.
    pub(crate) fn sources(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let pipes = [&self.answer.pipe, &self.output.pipe];
        pipes.into_iter().flatten().map(AsFd::as_fd)
    }

    /// Reads what it has said.
    pub(crate) fn hear(&mut self) {
        self.answer.listen();
        self.output.listen();
    }

    /// It has had its time: it and what it started are killed. What is left of it is reaped like
    /// any orphan.
    pub(crate) fn dismiss(mut self) -> String {
        self.hear();
        let within = "the new program gave no answer in time";
        let _ = killpg(self.pid, Signal::SIGKILL);
        let _ = nix::sys::signal::kill(self.pid, Signal::SIGKILL);
        self.with_output(within.to_owned())
    }

    /// It has ended: agreed, or why not.
    pub(crate) fn ended(mut self, exit: Exit) -> Result<Agreed, String> {
        self.hear();
        // Whatever it has left behind would hold our listening sockets.
        let _ = killpg(self.pid, Signal::SIGKILL);
        match serde_json::from_slice(&self.answer.heard) {
            Ok(Answer::Yes { version }) if exit == Exit::Code(0) => Ok(Agreed {
                binary: self.binary,
                version,
            }),
            Ok(Answer::Yes { .. }) => {
                Err(format!("the new program agreed and then failed: {exit}"))
            }
            Ok(Answer::No { why }) => Err(why),
            Err(_) => {
                let what = format!("the new program gave no answer: {exit}");
                Err(self.with_output(what))
            }
        }
    }

    fn with_output(&self, what: String) -> String {
        let output = String::from_utf8_lossy(&self.output.heard);
        let output = output.trim();
        let skipped = output.chars().count().saturating_sub(TOLD);
        let last: String = output.chars().skip(skipped).collect();
        if last.is_empty() {
            what
        } else {
            format!("{what}; it said: {last}")
        }
    }
}

impl Ear {
    fn new(pipe: PipeReader) -> Self {
        Self {
            pipe: Some(pipe),
            heard: Vec::new(),
        }
    }

    fn listen(&mut self) {
        let mut piece = [0; 4096];
        // Bounded by the pipe: a child that talks without end must not keep the supervisor.
        for _ in 0..32 {
            let Some(pipe) = &mut self.pipe else { return };
            match pipe.read(&mut piece) {
                Ok(0) => self.pipe = None,
                Ok(count) => {
                    self.heard.extend_from_slice(&piece[..count]);
                    let extra = self.heard.len().saturating_sub(MOST);
                    self.heard.drain(..extra);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.pipe = None,
            }
        }
    }
}

/// In the child: nothing of the supervisor's terminal or log, and gone when the supervisor goes.
/// Orders to the supervisor are often sent to its whole group (`systemctl kill`); the same that
/// began this upgrade may arrive here a moment later, and would end a program that does not listen.
fn enter(output: BorrowedFd<'_>, parent: Pid) -> io::Result<()> {
    let null = std::fs::File::open("/dev/null")?;
    fd::replace(null.as_raw_fd(), 0)?;
    fd::replace(output.as_raw_fd(), 1)?;
    fd::replace(output.as_raw_fd(), 2)?;
    setpgid(Pid::from_raw(0), Pid::from_raw(0))?;
    process::follow_parent(parent, Signal::SIGKILL)?;
    signal::ignore(&ORDERS);
    signal::unblock_all()
}

/// Why a program could not be executed, in words.
pub(super) fn explain(program: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            format!("{program} can't be executed: it is not an executable file ({error})")
        }
        io::ErrorKind::NotFound => {
            format!(
                "{program} can't be executed: it is a script, or its interpreter is missing ({error})"
            )
        }
        _ => format!("{program} can't be executed: {error}"),
    }
}

/// Gives the answer. Nobody to hear it is nobody to be told.
pub(super) fn say(to: impl AsFd, answer: &Answer) {
    let words = serde_json::to_vec(answer).unwrap_or_default();
    let _ = nix::unistd::write(to, &words);
}
