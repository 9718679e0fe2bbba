//! The line to the service manager: a datagram socket of our own, since a manager that is frozen
//! must not freeze us (`sd_notify::notify` would wait for it).

use std::env;
use std::ffi::OsStr;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::socket::{ControlMessage, MsgFlags, UnixAddr, connect, sendmsg};
use nix::sys::time::TimeSpec;
use sd_notify::NotifyState;
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::queue::{Message, MessageState, Queue};
use crate::handover::{Packing, Unpacking};

/// The first pause before another try, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The line. Without a manager everything that it is told is dropped.
#[derive(Debug, Default)]
pub(crate) struct Line {
    manager: Option<Manager>,
    waiting: Queue,
    pause: Duration,
    /// When what waits is tried again.
    next_try: Option<Instant>,
    /// That nobody is there is said once.
    has_complained: bool,
}

/// What has to go on in another program.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub(crate) struct LineState {
    waiting: Vec<MessageState>,
    has_complained: bool,
}

/// What was not told yet, in another program.
#[derive(Debug, Default)]
pub(crate) struct Unsent {
    waiting: Queue,
    has_complained: bool,
}

/// Where the manager listens.
#[derive(Debug)]
struct Manager {
    socket: UnixDatagram,
    address: UnixAddr,
    /// In the words of the environment.
    name: String,
}

impl Line {
    /// To the manager that `NOTIFY_SOCKET` names. The variable stays where it is: it is for the
    /// program after an upgrade in place, too.
    pub(crate) fn open() -> Self {
        let name = env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty());
        name.map_or_else(Self::default, |name| Self::to(&name))
    }

    /// The same, with what the program before could not tell.
    pub(crate) fn resume(unsent: Unsent) -> Self {
        let mut line = Self::open();
        if line.is_open() {
            line.waiting = unsent.waiting;
            line.has_complained |= unsent.has_complained;
            // Not now: should this program give way again, everything that came along must still
            // be held.
            line.next_try = (!line.waiting.is_empty()).then(Instant::now);
        }
        line
    }

    /// For another program.
    pub(crate) fn pack(&self, packing: &mut Packing) -> LineState {
        LineState {
            waiting: self.waiting.pack(packing),
            has_complained: self.has_complained,
        }
    }

    fn to(name: &OsStr) -> Self {
        let shown = name.to_string_lossy().into_owned();
        let manager = address(name).and_then(|address| {
            let socket = UnixDatagram::unbound()?;
            socket.set_nonblocking(true)?;
            let name = shown.clone();
            Ok(Manager {
                socket,
                address,
                name,
            })
        });
        if let Err(error) = &manager {
            warn!(event = "manager.unsupported", socket = shown, error = %error,
                "the service manager can't be told anything: NOTIFY_SOCKET is {shown:?}, and {error}; a unit with Type=notify will time out, so give it Type=exec");
        }
        Self {
            manager: manager.ok(),
            ..Self::default()
        }
    }

    /// Whether there is a manager.
    pub(crate) fn is_open(&self) -> bool {
        self.manager.is_some()
    }

    /// Tells all of this at once, now or as soon as the manager listens. Never waits.
    pub(crate) fn send(&mut self, states: &[NotifyState<'_>]) {
        if self.is_open() {
            self.waiting.push(Message::of(states));
            self.flush();
        }
    }

    /// Gives the manager a copy of a descriptor to keep under this name, until [`Self::forget`]
    /// takes it back. A copy is also held here as long as the manager does not listen.
    ///
    /// # Errors
    /// If this process may not have more descriptors, or more wait than could ever be stored.
    pub(crate) fn store(&mut self, name: &str, descriptor: impl AsFd) -> io::Result<()> {
        if !self.is_open() {
            return Ok(());
        }
        let copy = descriptor.as_fd().try_clone_to_owned()?;
        if !self.waiting.push(Message::store(name, copy)) {
            return Err(io::Error::other("too many descriptors wait for the store"));
        }
        self.flush();
        Ok(())
    }

    /// Has the manager close every descriptor that it keeps under this name.
    pub(crate) fn forget(&mut self, name: &str) {
        if self.is_open() {
            self.waiting.push(Message::forget(name));
            self.flush();
        }
    }

    /// When to come back although nothing has happened.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.next_try
    }

    /// Tries again what waits, if it is time to. Once a turn.
    pub(crate) fn tick(&mut self, now: Instant) {
        if self.next_try.is_some_and(|at| at <= now) {
            self.flush();
        }
    }

    /// Tries for a while to have everything heard: this process is about to end.
    pub(crate) fn finish(&mut self, within: Duration) {
        self.flush();
        let Some(manager) = &self.manager else { return };
        // Only a connected socket can be waited for.
        if self.waiting.is_empty() || connect(manager.socket.as_raw_fd(), &manager.address).is_err()
        {
            return;
        }
        let until = Instant::now() + within;
        while !self.waiting.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            let Some(manager) = self.manager.as_ref().filter(|_| !left.is_zero()) else {
                return;
            };
            let mut fds = [PollFd::new(manager.socket.as_fd(), PollFlags::POLLOUT)];
            let _ = ppoll(&mut fds, Some(TimeSpec::from(left)), None);
            self.flush();
        }
    }

    /// Sends what waits, in order, as far as the manager listens.
    fn flush(&mut self) {
        let Some(manager) = &self.manager else { return };
        while let Some(message) = self.waiting.front() {
            match manager.tell(message) {
                Ok(()) => self.pause = Duration::ZERO,
                // It would be too long the next time as well.
                Err(Errno::EMSGSIZE) => {}
                Err(error) => {
                    self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
                    self.next_try = Some(Instant::now() + self.pause);
                    return self.complain(error);
                }
            }
            self.waiting.pop();
        }
        self.next_try = None;
    }

    /// Says once that nobody is there. That the manager is busy is not worth a word.
    fn complain(&mut self, error: Errno) {
        let is_busy = matches!(
            error,
            Errno::EAGAIN | Errno::EINTR | Errno::ENOBUFS | Errno::ENOMEM | Errno::ETOOMANYREFS
        );
        let Some(manager) = self.manager.as_ref().filter(|_| !is_busy) else {
            return;
        };
        if !std::mem::replace(&mut self.has_complained, true) {
            let (name, error) = (&manager.name, error.desc());
            warn!(
                event = "manager.unreachable",
                socket = name,
                error,
                "the service manager does not listen at {name} ({error}): it is not told how this service is, and is tried again without another word; if no manager has started this, unset NOTIFY_SOCKET"
            );
        }
    }
}

impl LineState {
    /// In another program.
    pub(crate) fn unpack(self, luggage: &mut Unpacking) -> Result<Unsent, String> {
        Ok(Unsent {
            waiting: Queue::unpack(self.waiting, luggage)?,
            has_complained: self.has_complained,
        })
    }
}

impl Manager {
    fn tell(&self, message: &Message) -> Result<(), Errno> {
        let words = [IoSlice::new(message.words().as_bytes())];
        let numbers = message
            .descriptor()
            .map(|one: BorrowedFd<'_>| [one.as_raw_fd()]);
        let rights = numbers.as_ref().map(|one| ControlMessage::ScmRights(one));
        let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
        let socket = self.socket.as_raw_fd();
        sendmsg(
            socket,
            &words,
            rights.as_slice(),
            flags,
            Some(&self.address),
        )
        .map(drop)
    }
}

/// The address of `NOTIFY_SOCKET`: a path, or `@` and a name.
fn address(name: &OsStr) -> io::Result<UnixAddr> {
    let bytes = name.as_bytes();
    match bytes.split_first() {
        Some((b'/', _)) => Ok(UnixAddr::new(name)?),
        Some((b'@', name)) => Ok(UnixAddr::new_abstract(name)?),
        _ => Err(io::Error::other(
            "only paths and @names can be spoken to (no vsock)",
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::io::ErrorKind;
    use std::os::fd::AsFd;
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    use std::time::{Duration, Instant};

    use brigade_shared::sys::scm;
    use sd_notify::NotifyState::{Ready, Reloading, Status, Watchdog};

    use super::Line;

    fn heard(manager: &UnixDatagram) -> Option<String> {
        let mut packet = [0; 4096];
        match manager.recv(&mut packet) {
            Ok(length) => Some(String::from_utf8_lossy(&packet[..length]).trim().to_owned()),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                None
            }
        }
    }

    fn listen_at(path: &std::path::Path) -> UnixDatagram {
        let manager = UnixDatagram::bind(path).unwrap();
        manager.set_nonblocking(true).unwrap();
        manager
    }

    /// Long after whatever it waits for.
    fn later() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn words_reach_a_path_and_an_abstract_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let manager = listen_at(&path);
        let mut line = Line::to(path.as_os_str());
        line.send(&[Ready, Status("4/4 workers ready")]);
        assert_eq!(
            heard(&manager).unwrap(),
            "READY=1\nSTATUS=4/4 workers ready"
        );
        assert_eq!(line.deadline(), None, "nothing waits");

        let name = format!("brigade-line-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let manager = UnixDatagram::bind_addr(&address).unwrap();
        Line::to(OsStr::new(&format!("@{name}"))).send(&[Watchdog]);
        assert_eq!(heard(&manager).unwrap(), "WATCHDOG=1");
    }

    #[test]
    fn an_address_that_is_not_understood_is_silence() {
        for name in ["vsock:2:1234", "relative", &"/long".repeat(40)] {
            let mut line = Line::to(OsStr::new(name));
            assert!(!line.is_open(), "{name}");
            line.send(&[Ready]);
            line.store("a", std::io::stdin()).unwrap();
            assert_eq!(line.deadline(), None, "{name}");
        }
    }

    #[test]
    fn a_manager_that_comes_later_hears_everything_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let mut line = Line::to(path.as_os_str());
        line.send(&[Ready]);
        line.send(&[Reloading]);
        line.tick(later());
        assert!(line.deadline().is_some(), "it is tried again");
        let manager = listen_at(&path);
        line.tick(Instant::now() - Duration::from_secs(1));
        assert_eq!(heard(&manager), None, "not before its time");
        line.tick(later());
        assert_eq!(heard(&manager).unwrap(), "READY=1");
        assert_eq!(heard(&manager).unwrap(), "RELOADING=1");
        assert_eq!(line.deadline(), None);
    }

    #[test]
    fn a_manager_that_does_not_read_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let manager = listen_at(&path);
        let mut line = Line::to(path.as_os_str());
        let mut sent = 0;
        while line.deadline().is_none() {
            line.send(&[Status(&sent.to_string())]);
            sent += 1;
            assert!(sent < 100_000, "it never was full");
        }
        line.send(&[Ready]);
        line.send(&[Status("the last")]);
        let mut words: Vec<String> = std::iter::from_fn(|| heard(&manager)).collect();
        assert_eq!(words.len(), sent - 1);
        line.tick(later());
        words.extend(std::iter::from_fn(|| heard(&manager)));
        assert_eq!(words[sent - 1..], ["READY=1", "STATUS=the last"]);
    }

    #[test]
    fn what_ends_waits_a_while_for_a_manager_that_is_slow_but_not_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let manager = listen_at(&path);
        let mut line = Line::to(path.as_os_str());
        while line.deadline().is_none() {
            line.send(&[Ready]);
        }
        line.finish(Duration::from_millis(1));
        assert!(line.deadline().is_some(), "it was in vain");
        let reader = std::thread::spawn(move || {
            manager.set_nonblocking(false).unwrap();
            let mut packet = [0; 4096];
            while manager.recv(&mut packet).unwrap() != b"STATUS=bye\n".len() {}
        });
        line.send(&[Status("bye")]);
        line.finish(Duration::from_secs(60));
        reader.join().unwrap();
        assert_eq!(line.deadline(), None);
    }

    #[test]
    fn a_descriptor_is_stored_under_its_name_and_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let mut line = Line::to(path.as_os_str());
        let (mut reader, writer) = std::io::pipe().unwrap();
        line.store("brigade-1-a", &writer).unwrap();
        drop(writer);
        let manager = listen_at(&path);
        line.tick(later());
        let mut packet = [0; 4096];
        let (length, kept) = scm::receive(manager.as_fd(), &mut packet).unwrap();
        let words = String::from_utf8_lossy(&packet[..length]);
        assert_eq!(words, "FDSTORE=1\nFDNAME=brigade-1-a\nFDPOLL=0\n");
        line.forget("brigade-1-a");
        let words = heard(&manager).unwrap();
        assert_eq!(words, "FDSTOREREMOVE=1\nFDNAME=brigade-1-a");
        // Only the manager has a copy: when it closes it, the pipe is at its end.
        drop(kept.expect("the descriptor came along"));
        assert_eq!(std::io::Read::read(&mut reader, &mut [0]).unwrap(), 0);
    }
}
