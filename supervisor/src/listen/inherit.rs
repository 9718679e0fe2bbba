//! Sockets that this process was started with.

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use brigade_shared::seat::Address;
use brigade_shared::sys::fd;
use nix::sys::socket::{SockType, getsockopt, sockopt};
use serde::{Deserialize, Serialize};
use socket2::SockRef;
use tracing::warn;

use super::announced::{Came, fault};

/// The sockets that were passed to this process, each to be taken once.
#[derive(Default, Debug)]
pub(super) struct Passed {
    left: Vec<(OwnedFd, Inheritance)>,
    /// What systemd called those that it passed (sd_listen_fds(3)).
    names: Vec<String>,
    /// Those that can't serve, and why.
    unusable: Vec<(Inheritance, String)>,
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
    /// One more, as the service manager has passed it. One that can't serve is told of and closed:
    /// only a bind that needs it is in vain.
    pub(super) fn add(&mut self, came: Came) {
        let Came {
            number,
            name,
            descriptor,
        } = came;
        let from = Inheritance {
            number: u32::try_from(number).unwrap_or_default(),
            name: Some(name.clone()),
        };
        if let Some(problem) = fault(&descriptor) {
            warn!(
                event = "listen.unusable",
                descriptor = number,
                name,
                problem,
                "descriptor {number} ({name}) that LISTEN_FDS speaks of can't be listened on: {problem}; the others are used"
            );
            self.unusable.push((from, problem));
            return;
        }
        self.names.push(name);
        self.left.push((descriptor, from));
    }

    /// What one knows of it who holds none of the sockets yet.
    pub(super) fn remembered(names: Vec<String>) -> Self {
        Self {
            names,
            ..Self::default()
        }
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
            let meant = self
                .unusable
                .iter()
                .filter(|(from, _)| from.is_named(wanted));
            let told = meant.map(|(from, why)| format!("; descriptor {}: {why}", from.number));
            let told: String = told.collect();
            return Err(format!("cannot listen on systemd:{wanted}: {what}{told}"));
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
        if let Some((_, why)) = self
            .unusable
            .iter()
            .find(|(from, _)| from.is_numbered(number))
        {
            return Err(format!("cannot listen on fd:{number}: {why}"));
        }
        let name = None;
        adopt(number).map(|socket| (socket, Inheritance { number, name }))
    }
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
    let address = address_of(&reference).map_err(failed)?;
    if let Address::Tcp(_) = address {
        let _ = reference.set_tcp_nodelay(true);
    }
    Ok(address)
}

/// Where a socket is bound.
pub(super) fn address_of(socket: &SockRef<'_>) -> Result<Address, String> {
    let address = socket.local_addr().map_err(|error| error.to_string())?;
    if let Some(address) = address.as_socket() {
        return Ok(Address::Tcp(address));
    }
    match (address.as_pathname(), address.as_abstract_namespace()) {
        (Some(path), _) => Ok(Address::Unix(PathBuf::from(path))),
        (None, Some(name)) => Ok(Address::Abstract(name.to_vec())),
        (None, None) => Err("it is bound to no TCP or Unix address".to_owned()),
    }
}
