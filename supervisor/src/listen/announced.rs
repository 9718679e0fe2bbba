//! What `LISTEN_FDS` announces (sd_listen_fds(3)). Believed only as far as it is true: whatever of
//! it has not come, or is no listening socket, is said and left out, and the rest is used.

use std::ffi::OsString;
use std::os::fd::{AsFd, OwnedFd, RawFd};

use brigade_shared::sys::fd;
use nix::sys::socket::{SockType, getsockopt, sockopt};
use socket2::SockRef;
use tracing::{debug, warn};

use super::kept_name;

/// The first descriptor that is passed.
const FIRST: RawFd = 3;
/// No more are looked for, whatever is announced.
const MOST: u32 = 65_536;
/// What sd_listen_fds_with_names(3) calls a descriptor for which there is no name.
const NAMELESS: &str = "unknown";

/// The variables, as they were found.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Announcement {
    pid: Option<OsString>,
    count: Option<OsString>,
    names: Option<OsString>,
}

/// What an announcement means to this process.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Meaning {
    /// There is none.
    Nothing,
    /// It is for another process: a shell or a wrapper has not passed it on.
    NotOurs,
    /// It can't be read.
    Nonsense(String),
    /// The names, in the order of the descriptors from [`FIRST`] on.
    Names(Vec<String>),
}

/// A descriptor that came, and its name.
#[derive(Debug)]
pub(super) struct Came {
    pub(super) number: RawFd,
    pub(super) name: String,
    pub(super) descriptor: OwnedFd,
}

impl Announcement {
    fn found() -> Self {
        Self {
            pid: std::env::var_os("LISTEN_PID"),
            count: std::env::var_os("LISTEN_FDS"),
            names: std::env::var_os("LISTEN_FDNAMES"),
        }
    }

    fn meaning(&self, own_pid: u32) -> Meaning {
        let (Some(pid), Some(count)) = (&self.pid, &self.count) else {
            return Meaning::Nothing;
        };
        let number = |words: &OsString| words.to_str().and_then(|text| text.parse::<u32>().ok());
        let Some(pid) = number(pid) else {
            return Meaning::Nonsense(format!("LISTEN_PID is {}", pid.display()));
        };
        if pid != own_pid {
            return Meaning::NotOurs;
        }
        let Some(count) = number(count) else {
            return Meaning::Nonsense(format!("LISTEN_FDS is {}", count.display()));
        };
        let names = self.names.as_ref().map(|names| names.to_string_lossy());
        let mut names = names.iter().flat_map(|names| names.split(':'));
        let mut name = || names.next().filter(|name| !name.is_empty());
        let named = (0..count.min(MOST)).map(|_| name().unwrap_or(NAMELESS).to_owned());
        Meaning::Names(named.collect())
    }
}

/// Whether a service manager has passed sockets to this process, other than those that a supervisor
/// before this one gave it to keep.
#[must_use]
pub fn is_socket_activated() -> bool {
    match Announcement::found().meaning(std::process::id()) {
        Meaning::Names(names) => names.iter().any(|name| !kept_name::is_ours(name)),
        Meaning::Nothing | Meaning::NotOurs | Meaning::Nonsense(_) => false,
    }
}

/// Takes ownership of everything that is announced and has come.
pub(super) fn take() -> Vec<Came> {
    let names = match Announcement::found().meaning(std::process::id()) {
        Meaning::Names(names) => names,
        Meaning::Nothing => return Vec::new(),
        Meaning::NotOurs => {
            debug!(
                event = "listen.not_ours",
                "LISTEN_FDS is for another process than this one (LISTEN_PID), and is ignored"
            );
            return Vec::new();
        }
        Meaning::Nonsense(problem) => {
            warn!(
                event = "listen.unusable",
                problem,
                "no socket is taken from the service manager, since {problem}: start this by a .socket unit, or unset it"
            );
            return Vec::new();
        }
    };
    let announced = names.len();
    let (mut came, mut missing) = (Vec::new(), Vec::new());
    for (number, name) in (FIRST..).zip(names) {
        // Looked at before it is taken: one too many could be a descriptor of our own.
        let adopted = fd::is_inherited(number).then(|| fd::adopt(number));
        match adopted {
            Some(Ok(descriptor)) => came.push(Came {
                number,
                name,
                descriptor,
            }),
            Some(Err(_)) | None => missing.push(number.to_string()),
        }
    }
    if !missing.is_empty() {
        let (count, first) = (missing.len(), missing[0].as_str());
        warn!(
            event = "listen.missing",
            announced,
            missing = count,
            descriptor = first,
            "LISTEN_FDS announces {announced} descriptors, and {count} of them were not passed to this process, the first is {first}: the others are used"
        );
    }
    came
}

/// Why a descriptor can't serve as a listening socket, in words; nothing if it may.
pub(super) fn fault(descriptor: impl AsFd) -> Option<String> {
    let descriptor = descriptor.as_fd();
    let socket = SockRef::from(&descriptor);
    match getsockopt(&descriptor, sockopt::SockType) {
        Err(error) => Some(format!("it is not a socket ({error})")),
        Ok(SockType::Stream) => {
            let is_connected = socket.peer_addr().is_ok();
            is_connected.then(|| "it is a connection and does not listen".to_owned())
        }
        Ok(kind) => Some(format!("it is a {kind:?} socket, not a stream")),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};
    use std::os::unix::net::UnixStream;

    use super::{Announcement, Meaning, fault};

    fn meaning(pid: &str, count: &str, names: Option<&str>) -> Meaning {
        let announcement = Announcement {
            pid: Some(pid.into()),
            count: Some(count.into()),
            names: names.map(Into::into),
        };
        announcement.meaning(7)
    }

    fn names(names: &[&str]) -> Meaning {
        Meaning::Names(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn every_descriptor_has_a_name_however_many_are_told() {
        assert_eq!(
            meaning("7", "2", Some("web:admin")),
            names(&["web", "admin"])
        );
        assert_eq!(meaning("7", "2", Some("web")), names(&["web", "unknown"]));
        assert_eq!(meaning("7", "2", Some("web:")), names(&["web", "unknown"]));
        assert_eq!(meaning("7", "1", Some("web:admin")), names(&["web"]));
        assert_eq!(meaning("7", "2", None), names(&["unknown", "unknown"]));
        assert_eq!(meaning("7", "0", None), names(&[]));
    }

    #[test]
    fn what_is_for_another_process_or_can_t_be_read_is_not_believed() {
        assert_eq!(Announcement::default().meaning(7), Meaning::Nothing);
        assert_eq!(meaning("8", "2", None), Meaning::NotOurs);
        for (pid, count) in [("seven", "2"), ("7", "-1"), ("7", "two"), ("7", "")] {
            let found = meaning(pid, count, None);
            assert!(matches!(found, Meaning::Nonsense(_)), "{found:?}");
        }
    }

    #[test]
    fn an_absurd_number_is_bounded() {
        let Meaning::Names(names) = meaning("7", "4000000000", None) else {
            panic!("it is a number");
        };
        assert_eq!(names.len(), 65_536);
    }

    #[test]
    fn what_is_no_stream_that_could_listen_is_told_from_what_is() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert_eq!(fault(&listener), None);
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        assert!(fault(&udp).unwrap().contains("Datagram"));
        let (one, _other) = UnixStream::pair().unwrap();
        assert!(fault(&one).unwrap().contains("connection"));
        assert!(fault(std::io::stdin()).unwrap().contains("not a socket"));
    }
}
