//! Where an upgrade stands, for the acting half: what the plan ordered is carried out at the end of
//! its turn, when nothing is left in memory that the document does not have.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use brigade_shared::exit::Exit;
use brigade_shared::sys::exec;
use brigade_shared::sys::signal::{self, Signals};
use nix::sys::signal::raise;
use nix::unistd::Pid;

use super::arrival::VARIABLE;
use super::document::{Document, Head, OldHead, Start, State};
use super::formats::{common, formats};
use super::luggage::{self, Packing};
use super::sentinel::{self, Agreed, PATIENCE, Sentinel};
use super::start;

/// What is to be done at the end of the turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Leap {
    /// Ask the new program.
    Ask,
    /// Become it.
    New,
    /// Become the old one again.
    Old,
}

/// Where an upgrade stands.
#[derive(Debug)]
pub(crate) struct Upgrade {
    pub(super) start: Start,
    version: &'static str,
    /// Whether a service manager has passed sockets.
    pub(super) activated: bool,
    /// Ordered in this turn.
    pub(super) leap: Option<Leap>,
    sentinel: Option<Sentinel>,
    agreed: Option<OwnedFd>,
    /// The program before, as long as its return is possible.
    pub(super) old: Option<Old>,
    /// The version on the other side of the upgrade that was spoken of last.
    other: String,
}

/// The program before.
#[derive(Debug)]
pub(crate) struct Old {
    pub(super) binary: OwnedFd,
    pub(super) version: String,
    pub(super) reads: Vec<u32>,
}

impl Upgrade {
    /// None is under way.
    pub(super) fn new(start: Start, version: &'static str, activated: bool) -> Self {
        Self {
            start,
            version,
            activated,
            leap: None,
            sentinel: None,
            agreed: None,
            old: None,
            other: String::new(),
        }
    }

    /// The program before, as long as this one has not proved itself.
    pub(super) fn may_return_to(&mut self, old: Option<Old>) {
        if let Some(old) = &old {
            self.other.clone_from(&old.version);
        }
        self.old = old;
    }

    /// To be done at the end of the turn.
    pub(crate) fn order(&mut self, leap: Leap) {
        self.leap = Some(leap);
    }

    /// What was ordered.
    pub(crate) fn take_order(&mut self) -> Option<Leap> {
        self.leap.take()
    }

    /// The fleet stops: nobody is asked any more, and nothing becomes of what was ordered.
    pub(crate) fn abandon(&mut self) {
        self.leap = None;
        if let Some(sentinel) = self.sentinel.take() {
            sentinel.dismiss();
        }
    }

    /// The new program has proved itself: the old one is let go.
    pub(crate) fn forget_old(&mut self) {
        self.old = None;
    }

    /// This program's version.
    pub(crate) fn version(&self) -> &str {
        self.version
    }

    /// The version of the program that this one follows, or that failed.
    pub(crate) fn other_version(&self) -> &str {
        &self.other
    }

    pub(super) fn set_other_version(&mut self, version: String) {
        self.other = version;
    }

    /// What the sentinel may speak through.
    pub(crate) fn sources(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.sentinel.iter().flat_map(Sentinel::sources)
    }

    /// When the sentinel will be late.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.sentinel.as_ref().map(Sentinel::until)
    }

    /// Whether this process is the sentinel.
    pub(crate) fn is_sentinel(&self, pid: Pid) -> bool {
        self.sentinel
            .as_ref()
            .is_some_and(|sentinel| sentinel.pid() == pid)
    }

    /// Reads what the sentinel says; a late one is dismissed: none, or no and why.
    pub(crate) fn hear(&mut self, now: Instant) -> Option<String> {
        let sentinel = self.sentinel.as_mut()?;
        sentinel.hear();
        let late = self.sentinel.take_if(|sentinel| sentinel.until() <= now)?;
        Some(late.dismiss())
    }

    /// The sentinel has ended: yes, or no and why.
    pub(crate) fn sentinel_ended(&mut self, exit: Exit) -> Result<(), String> {
        let Some(sentinel) = self.sentinel.take() else {
            return Err("nobody was asked".to_owned());
        };
        let Agreed { binary, version } = sentinel.ended(exit)?;
        self.agreed = Some(binary);
        self.other = version;
        Ok(())
    }

    /// Sends a sentinel; its answer comes later.
    pub(super) fn ask(
        &mut self,
        document: &Document,
        signals: &Signals,
        patience: Duration,
    ) -> Result<(), String> {
        let within = patience.min(PATIENCE);
        self.agreed = None;
        self.sentinel = Some(Sentinel::send(document, &self.start, signals, within)?);
        Ok(())
    }

    /// Becomes the program that has agreed. Returns only if that fails, and why.
    pub(super) fn become_new(&mut self, document: &Document, signals: &Signals) -> String {
        let shown = self.start.path().display().to_string();
        match self.agreed.take() {
            None => "nobody has agreed to go on".to_owned(),
            Some(binary) => {
                let error = execute(document, &binary, "new", signals);
                sentinel::explain(&shown, &error)
            }
        }
    }

    /// Becomes the old program again. Returns only if that fails, and why.
    pub(super) fn become_old(&mut self, document: &Document, signals: &Signals) -> String {
        match &self.old {
            None => "the program before is not kept any more".to_owned(),
            Some(old) => {
                let error = execute(document, &old.binary, "old", signals);
                format!("the program before can't be executed: {error}")
            }
        }
    }

    /// The head of a document for the new program. The program that runs now is what it may come
    /// back to.
    pub(super) fn head_for_new(&self, packing: &mut Packing, own: &OwnedFd) -> Head {
        let reads = formats();
        let old = OldHead {
            binary: packing.pack(own),
            version: self.version.to_owned(),
            reads: reads.clone(),
        };
        Head {
            format: reads.iter().copied().max().unwrap_or(0),
            reads,
            version: self.version.to_owned(),
            descriptors: packing.numbers(),
            old: Some(old),
            failed: None,
        }
    }

    /// The head of a document for the old program, in the newest format that it reads.
    pub(super) fn head_for_old(&self, packing: &Packing) -> Head {
        let theirs = self.old.as_ref().map_or(&[][..], |old| &old.reads);
        Head {
            format: common(&formats(), theirs).unwrap_or(0),
            reads: formats(),
            version: self.version.to_owned(),
            descriptors: packing.numbers(),
            old: None,
            failed: None,
        }
    }
}

impl Document {
    pub(super) fn new(head: Head, state: State) -> Self {
        Self { head, state }
    }
}

/// Executes another program in this process. Every signal is blocked from before the descriptors
/// change until the other program listens: what comes meanwhile waits for it, as does what this
/// program has not heard yet.
fn execute(document: &Document, binary: &OwnedFd, role: &str, signals: &Signals) -> io::Error {
    let leapt = || -> io::Result<std::convert::Infallible> {
        let memory = document.write()?;
        let mut numbers = document.head.descriptors.clone();
        numbers.push(memory.as_raw_fd());
        let role = format!("{role}:{}", memory.as_raw_fd());
        let (arguments, environment) = (start::arguments(), start::environment(VARIABLE, &role));
        let mask = signal::block_all()?;
        for unheard in signals.take() {
            let _ = raise(unheard);
        }
        let result = luggage::make_inheritable(&numbers)
            .and_then(|()| exec::become_kept(binary.as_fd(), &arguments, &environment));
        luggage::make_private(&numbers);
        signal::restore(&mask)?;
        result
    };
    let Err(error) = leapt();
    error
}
