//! A service manager that listens as systemd does: a datagram socket, whose every message is kept
//! with the process that the kernel says has sent it.

use std::io::IoSliceMut;
use std::os::fd::{AsRawFd, RawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, UnixCredentials, recvmsg, setsockopt, sockopt,
};
use nix::unistd::close;

use tempfile::TempDir;

use super::launch::Launch;
use super::log::PATIENCE;
use super::process::Process;

/// A place for the manager's socket, in a directory of its own: that of the Brigade is checked for
/// what stays behind.
#[derive(Debug)]
pub(crate) struct Place {
    _dir: TempDir,
    pub(crate) path: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        Self { _dir: dir, path }
    }

    /// The Brigade is told of it.
    pub(crate) fn tell(&self, launch: Launch) -> Launch {
        launch.variable("NOTIFY_SOCKET", &self.path.display().to_string())
    }
}

/// What was heard so far.
#[derive(Debug)]
pub(crate) struct ServiceManager {
    heard: Arc<Heard>,
    socket: Arc<UnixDatagram>,
}

#[derive(Debug, Default)]
struct Heard {
    messages: Mutex<Vec<Message>>,
    changed: Condvar,
}

/// One message.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    lines: Vec<String>,
    /// Who has sent it.
    pub(crate) from: Process,
}

impl Message {
    /// The value that this message assigns.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let assigned = |line: &'_ String| {
            let (key, _) = line.split_once('=')?;
            (key == name).then_some(key.len() + 1)
        };
        let found = self
            .lines
            .iter()
            .find_map(|line| Some((line, assigned(line)?)));
        found.map(|(line, from)| &line[from..])
    }

    /// Whether it says exactly this, among other things.
    pub(crate) fn says(&self, line: &str) -> bool {
        self.lines.iter().any(|said| said == line)
    }

    /// The status that it tells; empty if none.
    pub(crate) fn status(&self) -> &str {
        self.get("STATUS").unwrap_or_default()
    }
}

impl ServiceManager {
    /// Listens at this path.
    pub(crate) fn at(path: &Path) -> Self {
        let manager = Self::deaf_at(path);
        manager.begin_to_read();
        manager
    }

    /// Is there, but reads nothing yet: what is sent fills the socket.
    pub(crate) fn deaf_at(path: &Path) -> Self {
        Self::of(UnixDatagram::bind(path).unwrap())
    }

    /// Listens at this name of the abstract namespace.
    pub(crate) fn abstract_at(name: &str) -> Self {
        let address = SocketAddr::from_abstract_name(name).unwrap();
        let manager = Self::of(UnixDatagram::bind_addr(&address).unwrap());
        manager.begin_to_read();
        manager
    }

    fn of(socket: UnixDatagram) -> Self {
        setsockopt(&socket, sockopt::PassCred, &true).unwrap();
        Self {
            heard: Arc::default(),
            socket: Arc::new(socket),
        }
    }

    /// Reads from now on, until it is dropped.
    pub(crate) fn begin_to_read(&self) {
        let (heard, socket) = (Arc::clone(&self.heard), Arc::clone(&self.socket));
        thread::spawn(move || {
            while let Some(message) = receive(&socket) {
                heard.lock().push(message);
                heard.changed.notify_all();
            }
        });
    }

    /// Everything so far.
    pub(crate) fn messages(&self) -> Vec<Message> {
        self.heard.lock().clone()
    }

    /// So many messages so far.
    pub(crate) fn count(&self) -> usize {
        self.heard.lock().len()
    }

    /// The first message from the `from`th on that is wanted, and the place behind it.
    #[track_caller]
    pub(crate) fn wait_from(
        &self,
        from: usize,
        what: &str,
        wanted: impl Fn(&Message) -> bool,
    ) -> (Message, usize) {
        let found = self.wait_until(Instant::now() + PATIENCE, from, wanted);
        found.unwrap_or_else(|| {
            let heard = self.messages();
            panic!("in vain waited for {what} from message {from} on: {heard:#?}")
        })
    }

    /// A message that says this.
    #[track_caller]
    pub(crate) fn wait_said(&self, from: usize, line: &str) -> (Message, usize) {
        self.wait_from(from, line, |message| message.says(line))
    }

    fn wait_until(
        &self,
        until: Instant,
        from: usize,
        wanted: impl Fn(&Message) -> bool,
    ) -> Option<(Message, usize)> {
        let mut messages = self.heard.lock();
        loop {
            let later = messages.iter().enumerate().skip(from);
            let found = later.clone().find(|(_, message)| wanted(message));
            if let Some((place, message)) = found {
                return Some((message.clone(), place + 1));
            }
            let left = until.checked_duration_since(Instant::now())?;
            let waited = self.heard.changed.wait_timeout(messages, left);
            messages = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for ServiceManager {
    fn drop(&mut self) {
        // Its reader wakes up, and finds the end.
        let _ = self.socket.shutdown(std::net::Shutdown::Both);
    }
}

impl Heard {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Message>> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The next message; none at the end.
fn receive(socket: &UnixDatagram) -> Option<Message> {
    let mut packet = [0; 8192];
    let mut room = [IoSliceMut::new(&mut packet)];
    let mut control = nix::cmsg_space!(UnixCredentials, [RawFd; 4]);
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let found = recvmsg::<()>(socket.as_raw_fd(), &mut room, Some(&mut control), flags).ok()?;
    let mut from = None;
    for message in found.cmsgs().ok()? {
        match message {
            ControlMessageOwned::ScmCredentials(credentials) => {
                from = Some(Process(credentials.pid()));
            }
            // This manager has no store.
            ControlMessageOwned::ScmRights(numbers) => {
                for number in numbers {
                    let _ = close(number);
                }
            }
            _ => {}
        }
    }
    let length = found.bytes;
    // A datagram that says nothing is the end: nobody sends one.
    if length == 0 {
        return None;
    }
    let text = String::from_utf8_lossy(&packet[..length]).into_owned();
    Some(Message {
        lines: text.lines().map(str::to_owned).collect(),
        from: from.unwrap_or(Process(0)),
    })
}
