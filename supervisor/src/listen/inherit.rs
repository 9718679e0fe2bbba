//! Sockets that this process was started with.

use std::io;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use brigade_shared::seat::Address;
use brigade_shared::sys::fd;
use nix::sys::socket::{SockType, getsockopt, sockopt};
use serde::{Deserialize, Serialize};
use socket2::SockRef;

/// The sockets that were passed to this process, each to be taken once.
#[derive(Debug)]
pub(super) struct Passed {
    left: Vec<(OwnedFd, Inheritance)>,
    /// What systemd called those that it passed (sd_listen_fds(3)).
    names: Vec<String>,
}

/// How an inherited socket is named in the configuration.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Inheritance {
    /// The descriptor's number when this process was started.
    pub(super) number: u32,
    /// What systemd called it; none if somebody else left it open.
    pub(super) name: Option<String>,
}

impl Inheritance {
    /// Whether `fd:N` means it.
    pub(super) fn is_numbered(&self, number: u32) -> bool {
        self.number == number
    }

    /// Whether `systemd:NAME` means it.
    pub(super) fn is_named(&self, wanted: &str) -> bool {
        let name = self.name.as_deref();
        name.is_some_and(|name| wanted.is_empty() || name == wanted)
    }
}

impl Passed {
    /// Takes ownership of everything that `LISTEN_FDS` speaks of; nothing if it is not for us.
    pub(super) fn take() -> Result<Self, String> {
        // Looked at before the numbers are taken: one too many could be a descriptor of our own.
        if let Some(number) = announced().find(|number| !fd::is_inherited(*number)) {
            return Err(format!(
                "LISTEN_FDS speaks of descriptor {number}, which was not passed to this process"
            ));
        }
        let passed = sd_notify::listen_fds_with_names()
            .map_err(|error| format!("LISTEN_FDS can't be understood: {error}"))?;
        let mut left = Vec::new();
        let mut names = Vec::new();
        for (number, name) in passed {
            let fd = fd::adopt(number)
                .map_err(|error| format!("descriptor {number} of LISTEN_FDS: {error}"))?;
            names.push(name.clone());
            let number = u32::try_from(number).unwrap_or_default();
            let name = Some(name);
            left.push((fd, Inheritance { number, name }));
        }
        Ok(Self { left, names })
    }

    /// What one knows of it who holds none of the sockets yet.
    pub(super) const fn remembered(names: Vec<String>) -> Self {
        let left = Vec::new();
        Self { left, names }
    }

    /// What systemd called the sockets that it passed.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Those that nobody has taken.
    pub(super) fn left(&self) -> impl Iterator<Item = &(OwnedFd, Inheritance)> {
        self.left.iter()
    }

    /// Lets go of those that nobody has taken: connections would wait there for ever.
    pub(super) fn let_go(&mut self) {
        self.left.clear();
    }

    /// Takes one back that could not be used after all, for another try.
    pub(super) fn give_back(&mut self, socket: OwnedFd, from: Inheritance) {
        self.left.push((socket, from));
    }

    /// The sockets of this name; of every name for the empty one. To be asked only if none of
    /// that name is held.
    pub(super) fn named(&mut self, wanted: &str) -> Result<Vec<(OwnedFd, Inheritance)>, String> {
        let found: Vec<_> = self
            .left
            .extract_if(.., |(_, from)| from.is_named(wanted))
            .collect();
        if found.is_empty() {
            let what = match (self.names.is_empty(), wanted) {
                (true, _) => "systemd passed no socket: is this started by a .socket unit?".into(),
                (false, "") => "all sockets that systemd passed are taken by other binds, or were let go at the start because none named them".into(),
                (false, _) => format!(
                    "systemd passed no (more) socket of that name, only: {}; FileDescriptorName= in the .socket unit gives names",
                    self.names.join(", ")
                ),
            };
            return Err(format!("cannot listen on systemd:{wanted}: {what}"));
        }
        Ok(found)
    }

    /// Takes `fd:N`: one that systemd passed may be named by its number too.
    pub(super) fn numbered(&mut self, number: u32) -> Result<(OwnedFd, Inheritance), String> {
        let known = self.left.iter();
        let known = known
            .map(|(_, from)| from.is_numbered(number))
            .position(|is| is);
        if let Some(index) = known {
            return Ok(self.left.remove(index));
        }
        let name = None;
        adopt(number).map(|socket| (socket, Inheritance { number, name }))
    }
}

/// Whether a service manager has passed sockets to this process (sd_listen_fds(3)).
#[must_use]
pub fn is_socket_activated() -> bool {
    announced().next().is_some()
}

/// The descriptors that `LISTEN_FDS` speaks of, if it is for this process.
fn announced() -> Range<i32> {
    let number = |name| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<i32>().ok())
    };
    let is_ours = number("LISTEN_PID") == i32::try_from(std::process::id()).ok();
    let count = number("LISTEN_FDS").filter(|count| is_ours && (1..10_000).contains(count));
    3..3 + count.unwrap_or(0)
}

fn adopt(number: u32) -> Result<OwnedFd, String> {
    let wanted = i32::try_from(number).unwrap_or(i32::MAX);
    let adopted = match wanted {
        3.. if !fd::is_inherited(wanted) => Err(io::Error::from(io::ErrorKind::NotFound)),
        _ => fd::adopt(wanted),
    };
    adopted.map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => {
            format!("cannot listen on fd:{number}: 0, 1 and 2 are standard input, output and error")
        }
        _ => format!(
            "cannot listen on fd:{number}: the process that started this one passed no such descriptor"
        ),
    })
}

/// Makes an inherited descriptor fit to serve: a stream socket, listening, non-blocking.
pub(super) fn check(socket: &OwnedFd, name: &str, backlog: u16) -> Result<Address, String> {
    let failed = |what: String| format!("cannot listen on {name}: {what}");
    let kind = getsockopt(socket, sockopt::SockType)
        .map_err(|error| failed(format!("it is not a socket ({error})")))?;
    if kind != SockType::Stream {
        return Err(failed(format!("it is a {kind:?} socket, not a stream")));
    }
    let reference = SockRef::from(socket);
    if !reference.is_listener().unwrap_or(false) {
        // Bound but not yet listening is what some parents pass.
        reference.listen(i32::from(backlog)).map_err(|error| {
            failed(format!("it does not listen and can't be made to ({error})"))
        })?;
    }
    fd::set_nonblocking(socket).map_err(|error| failed(error.to_string()))?;
    let address = reference
        .local_addr()
        .map_err(|error| failed(error.to_string()))?;
    if let Some(address) = address.as_socket() {
        let _ = reference.set_tcp_nodelay(true);
        return Ok(Address::Tcp(address));
    }
    match (address.as_pathname(), address.as_abstract_namespace()) {
        (Some(path), _) => Ok(Address::Unix(PathBuf::from(path))),
        (None, Some(name)) => Ok(Address::Abstract(name.to_vec())),
        (None, None) => Err(failed("it is bound to no TCP or Unix address".to_owned())),
    }
}
