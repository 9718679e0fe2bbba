//! How a process came to be: started by somebody, sent ahead as a sentinel, or gone on from the
//! program before in the same process.
//!
//! ```text
//!   started ----> old program ==== exec ====> new program ---- commit ----> (the old one is let go)
//!                  |       ^                     |     |
//!                  | asks  | answers      fails  |     | its generation fails
//!                  v       |  before it has taken over |
//!               sentinel (a child)               v     v
//!                                            old program again
//! ```
//!
//! Whatever fails before the new program has taken over leads back: nothing was changed yet.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::Path;

use brigade_config::Config;
use brigade_shared::exit::supervisor as code;
use brigade_shared::sys::{exec, fd};

use super::document::{Letter, Start, State};
use super::sentinel::{Answer, say};
use super::upgrade::Upgrade;
use super::{luggage, start};
use crate::manager;

/// Names the role of a process and the descriptors that it needs for it.
pub(super) const VARIABLE: &str = "BRIGADE_HANDOVER";

/// How this process came to be.
#[derive(Debug)]
pub struct Arrival {
    pub(super) role: Role,
    pub(super) start: Start,
    pub(super) version: &'static str,
}

/// What this process is to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    /// Bind, fork, serve.
    Start,
    /// Say whether it could go on.
    Rehearse,
    /// Go on.
    GoOn,
}

/// What this process is, and what it has for it.
#[derive(Debug)]
pub(super) enum Role {
    /// Somebody has started it.
    Started,
    /// It is asked whether it could go on.
    Sentinel {
        letter: Letter,
        state: Box<State>,
        answer: OwnedFd,
    },
    /// It is the new program.
    New { letter: Letter, state: Box<State> },
    /// It is the old program again.
    Old { letter: Letter, state: Box<State> },
}

impl Arrival {
    /// Finds out, and where this program lies. To be called before anything else, once, while the
    /// process has one thread.
    ///
    /// # Errors
    /// The exit code, if this process can't do what it is for; that has been said then.
    pub fn now(version: &'static str) -> Result<Self, u8> {
        match exec::take_variable(VARIABLE) {
            None => Ok(Self {
                role: Role::Started,
                start: Start::now(),
                version,
            }),
            Some(words) => Self::handed_over(&words.to_string_lossy(), version),
        }
    }

    fn handed_over(words: &str, version: &'static str) -> Result<Self, u8> {
        let strange = |why: String| {
            eprintln!("brigade: {VARIABLE} is not for this process: unset it ({why})");
            code::SYSTEM
        };
        let mut parts = words.split(':');
        let (role, memory) = (parts.next(), parts.next().and_then(number));
        let memory = memory.ok_or_else(|| strange(format!("it says {words:?}")))?;
        let memory = come_along(memory).map_err(strange)?;
        let answer = parts.next().and_then(number).map(come_along);
        let letter = match (Letter::read(&memory), role, &answer) {
            (Ok(letter), _, _) => letter,
            (Err(why), Some("sentinel"), Some(Ok(answer))) => {
                say(answer, &Answer::No { why });
                return Err(code::SYSTEM);
            }
            (Err(why), _, _) => return Err(strange(why)),
        };
        let state = letter.open(version).map(Box::new);
        match (role, answer, state) {
            (Some("sentinel"), Some(Ok(answer)), Ok(state)) => {
                let start = state.start.clone();
                let role = Role::Sentinel {
                    letter,
                    state,
                    answer,
                };
                Ok(Self {
                    role,
                    start,
                    version,
                })
            }
            (Some("sentinel"), Some(Ok(answer)), Err(why)) => {
                say(&answer, &Answer::No { why });
                Err(code::SYSTEM)
            }
            (Some("new"), _, Ok(state)) => {
                let start = state.start.clone();
                let role = Role::New { letter, state };
                Ok(Self {
                    role,
                    start,
                    version,
                })
            }
            (Some("old"), _, Ok(state)) => {
                let start = state.start.clone();
                let role = Role::Old { letter, state };
                Ok(Self {
                    role,
                    start,
                    version,
                })
            }
            (Some("new"), _, Err(why)) => {
                go_back(&letter, &why);
                Err(strange(why))
            }
            (_, _, Err(why)) => Err(strange(why)),
            _ => Err(strange(format!("it says {words:?}"))),
        }
    }

    /// Whether this is the program that ran here before: what it then found to be right need not be
    /// right any more, and it goes on all the same.
    #[must_use]
    pub fn is_return(&self) -> bool {
        matches!(self.role, Role::Old { .. })
    }

    /// The configuration of the generation that serves; none if nobody does yet.
    #[must_use]
    pub fn running(&self) -> Option<Config> {
        let state = self.state()?;
        let (_, record) = state.configs.first_key_value()?;
        Some(Config::recall(record).0)
    }

    /// Whether a service manager has passed sockets, if that is known from before.
    #[must_use]
    pub fn is_socket_activated(&self) -> Option<bool> {
        self.state().map(|state| state.activated)
    }

    /// Where this program works, should it not be able to find out: the directory may be gone.
    #[must_use]
    pub fn directory(&self) -> &Path {
        Path::new(&self.start.directory)
    }

    fn state(&self) -> Option<&State> {
        match &self.role {
            Role::Started => None,
            Role::Sentinel { state, .. } | Role::New { state, .. } | Role::Old { state, .. } => {
                Some(state)
            }
        }
    }

    /// This process can't do what it is for. A sentinel says so; a new program gives way to the old
    /// one, and returns only if that fails; the service manager is told. Gives the exit code.
    #[must_use]
    pub fn fail(self, problem: &str, exit: u8) -> u8 {
        match &self.role {
            Role::Started | Role::Old { .. } => {}
            Role::Sentinel { answer, .. } => {
                let why = problem.to_owned();
                say(answer, &Answer::No { why });
                return exit;
            }
            Role::New { letter, .. } => go_back(letter, problem),
        }
        if exit != code::STOPPED {
            manager::refused(problem, exit);
        }
        exit
    }

    /// What this process is to do.
    pub(crate) fn purpose(&self) -> Purpose {
        match self.role {
            Role::Started => Purpose::Start,
            Role::Sentinel { .. } => Purpose::Rehearse,
            Role::New { .. } | Role::Old { .. } => Purpose::GoOn,
        }
    }

    /// Where an upgrade stands after a start: nowhere.
    pub(crate) fn upgrade(self, activated: bool) -> Upgrade {
        Upgrade::new(self.start, self.version, activated)
    }
}

/// Becomes the old program, which then goes on as if it had never left. Returns only if it can't.
pub(super) fn go_back(letter: &Letter, why: &str) {
    let Some(old) = &letter.head.old else { return };
    let gone = || -> std::io::Result<std::convert::Infallible> {
        let memory = letter.returned(why)?;
        let mut numbers = letter.head.descriptors.clone();
        numbers.push(memory.as_raw_fd());
        luggage::make_inheritable(&numbers)?;
        let role = format!("old:{}", memory.as_raw_fd());
        let environment = start::environment(VARIABLE, &role);
        exec::become_kept(old.binary.copy()?, &start::arguments(), &environment)
    };
    let Err(error) = gone();
    eprintln!("brigade: {why}; and the program before can't be had back: {error}");
}

fn number(word: &str) -> Option<RawFd> {
    word.parse().ok()
}

/// A descriptor that must have come with this process.
fn come_along(number: RawFd) -> Result<OwnedFd, String> {
    if !fd::is_inherited(number) {
        return Err(format!("descriptor {number} did not come along"));
    }
    fd::adopt(number).map_err(|error| format!("descriptor {number}: {error}"))
}
