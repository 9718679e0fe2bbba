//! The document: what one program tells the next. Its head is read by every version, the rest only
//! in a format that the reader knows.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::fd::{OwnedFd, RawFd};

use brigade_config::{Record, TlsFiles};
use brigade_shared::id::Generation;
use brigade_shared::log::Pending;
use brigade_shared::sys::memory;
use brigade_shared::sys::process::OpenFiles;
use brigade_shared::tickets::TicketKeys;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::adrift::RelievingState;
use super::formats::{common, formats, list};
use super::luggage::Carried;
use super::members::MemberState;
use crate::admin::AdminState;
use crate::manager::{LineState, VoiceState};
use crate::plan::Moment;
use crate::store::StoreState;

/// What every version understands. It is added to, never changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Head {
    /// The format of the state.
    pub(super) format: u32,
    /// The formats that the writer reads, should it come back.
    pub(super) reads: Vec<u32>,
    /// The writer's version, for people.
    pub(super) version: String,
    /// Every descriptor that comes along.
    pub(super) descriptors: Vec<RawFd>,
    /// Whom to go back to if the new program or its generation fails.
    pub(super) old: Option<OldHead>,
    /// Why the writer goes back before it has taken over: nothing was changed since the document
    /// was written.
    #[serde(default)]
    pub(super) failed: Option<String>,
}

/// The program before.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct OldHead {
    /// Its file.
    pub(super) binary: Carried,
    /// Its version.
    pub(super) version: String,
    /// The formats that it reads.
    pub(super) reads: Vec<u32>,
}

/// Everything else.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    /// Where the program lies and where it was started.
    pub(super) start: Start,
    /// The zero of the supervisor's clock, on the machine's.
    pub(super) began_ns: u64,
    /// The moment of the document.
    pub(super) now: Moment,
    /// The plan.
    pub(super) fleet: Value,
    /// The listening sockets.
    pub(super) listeners: Value,
    /// The workers.
    pub(super) members: Vec<MemberState>,
    /// Connections that wait for a worker to be handed to.
    pub(super) relieving: RelievingState,
    /// How many processors the plan was told of.
    pub(super) processors: Option<u16>,
    /// The scoreboard.
    pub(super) board: Carried,
    /// The configurations of the living generations.
    pub(super) configs: BTreeMap<Generation, Record>,
    /// What the files of their certificates said, of those that have any.
    #[serde(default)]
    pub(super) certificates: BTreeMap<Generation, TlsFiles>,
    /// The keys of TLS sessions.
    #[serde(default)]
    pub(super) tickets: Option<TicketKeys>,
    /// Whether a service manager has passed sockets.
    pub(super) activated: bool,
    /// The admin address.
    #[serde(default)]
    pub(super) admin: Option<AdminState>,
    /// The pid file that was written.
    pub(super) pid_file: Option<OsString>,
    /// The limit of open files as the first program found it.
    pub(super) open_files: OpenFiles,
    /// Lines that could not be written yet: of the log, and of the workers' output.
    pub(super) log: Pending,
    /// Workers' standard output that could not be written yet.
    pub(super) output: Pending,
    /// The last lines of the worker that failed last.
    pub(super) last_words: Vec<String>,
    /// What the service manager keeps; older programs gave it nothing.
    #[serde(default)]
    pub(super) store: Option<StoreState>,
    /// What the service manager has not been told yet.
    #[serde(default)]
    pub(super) line: LineState,
    /// What it was told.
    #[serde(default)]
    pub(super) voice: VoiceState,
}

/// How the program is found again for the next upgrade.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Start {
    /// The absolute path by which it was started.
    pub(super) path: OsString,
    /// The directory in which it was started.
    pub(super) directory: OsString,
}

/// Head and state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Document {
    pub(super) head: Head,
    pub(super) state: State,
}

/// A document as it came: the head is understood, the rest not yet.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    pub(super) head: Head,
    whole: Value,
}

impl Document {
    /// Into a sealed memfd.
    pub(super) fn write(&self) -> std::io::Result<OwnedFd> {
        memory::seal(c"brigade-handover", &serde_json::to_vec(self)?)
    }
}

impl Letter {
    /// Reads as much as every version can.
    pub(super) fn read(memory: &OwnedFd) -> Result<Self, String> {
        let bytes = memory::read_sealed(memory)
            .map_err(|error| format!("the state can't be read: {error}"))?;
        let whole: Value = serde_json::from_slice(&bytes)
            .map_err(|error| format!("the state can't be understood: {error}"))?;
        let head = whole.get("head").cloned().unwrap_or_default();
        let head = serde_json::from_value(head)
            .map_err(|error| format!("the head of the state can't be understood: {error}"))?;
        Ok(Self { head, whole })
    }

    /// The state, if it has a format that this binary knows, and if this binary could hand it back.
    pub(super) fn open(&self, version: &str) -> Result<State, String> {
        let Head { format, reads, .. } = &self.head;
        let ours = formats();
        let (theirs, known) = (&self.head.version, list(&ours));
        if !ours.contains(format) {
            return Err(format!(
                "the state of brigade {theirs} has format {format}, and brigade {version} understands {known}: upgrade by way of a version that understands both, or restart"
            ));
        }
        if common(&ours, reads).is_none() {
            let read = list(reads);
            return Err(format!(
                "brigade {version} writes the state in format {known}, and brigade {theirs}, which would have to take it back, understands {read}"
            ));
        }
        let state = self.whole.get("state").cloned().unwrap_or_default();
        serde_json::from_value(state)
            .map_err(|error| format!("the state of brigade {theirs} can't be understood: {error}"))
    }

    /// The same letter, going back unopened, or opened in vain.
    pub(super) fn returned(&self, why: &str) -> std::io::Result<OwnedFd> {
        let mut whole = self.whole.clone();
        whole["head"]["failed"] = Value::from(why);
        memory::seal(c"brigade-handover", &serde_json::to_vec(&whole)?)
    }
}
