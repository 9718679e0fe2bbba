//! A service manager as far as its fd store goes: it hears what a supervisor says to NOTIFY_SOCKET,
//! keeps the descriptors that come along as systemd does, and starts the next supervisor with them.

use std::io::IoSlice;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use brigade_shared::sys::scm;
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use nix::sys::stat::fstat;
use tempfile::TempDir;

use super::launch::Launch;
use super::log::PATIENCE;
use super::needs::{app, python};

/// A service manager with a store.
#[derive(Debug)]
pub(crate) struct Keeper {
    own: TempDir,
    /// Where every supervisor works.
    dir: Arc<TempDir>,
    most: usize,
    heard: Arc<Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    kept: Vec<(String, OwnedFd)>,
    /// Descriptors for which there was no room.
    refused: usize,
    words: Vec<String>,
    marks: usize,
}

impl Keeper {
    /// One that keeps so many.
    pub(crate) fn new(most: usize) -> Self {
        let own = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(own.path().join("notify")).unwrap();
        let heard = Arc::new(Heard::default());
        let listener = Arc::clone(&heard);
        thread::spawn(move || listener.listen(&socket, most));
        Self {
            own,
            dir: Launch::directory(),
            most,
            heard,
        }
    }

    fn path(&self) -> PathBuf {
        self.own.path().join("notify")
    }

    /// A Brigade about to start with everything that is kept, always in the same directory.
    pub(crate) fn launch(&self, arguments: &[&str]) -> Launch {
        self.launch_with(Launch::new(arguments), &[])
    }

    /// The same with these sockets of a .socket unit, and their names.
    pub(crate) fn launch_with(
        &self,
        launch: Launch,
        activated: &[(&str, BorrowedFd<'_>)],
    ) -> Launch {
        self.settle();
        let state = self.heard.lock();
        // systemd puts the last first.
        let kept = state.kept.iter().rev();
        let kept = kept.map(|(name, fd)| (name.as_str(), fd.as_fd()));
        let all: Vec<_> = activated.iter().copied().chain(kept).collect();
        launch
            .in_directory(Arc::clone(&self.dir))
            .variable("NOTIFY_SOCKET", &self.path().to_string_lossy())
            .variable("FDSTORE", &self.most.to_string())
            .passed(&all)
    }

    /// The directory where every supervisor works.
    pub(crate) fn dir(&self) -> &std::path::Path {
        self.dir.path()
    }

    /// The names of what is kept, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.settle();
        let state = self.heard.lock();
        let mut names: Vec<_> = state.kept.iter().map(|(name, _)| name.clone()).collect();
        names.sort();
        names
    }

    /// A copy of what is kept under this name.
    pub(crate) fn copy(&self, name: &str) -> OwnedFd {
        self.settle();
        let state = self.heard.lock();
        let found = state.kept.iter().find(|(kept, _)| kept == name);
        let (_, descriptor) = found.unwrap_or_else(|| panic!("no {name} is kept"));
        descriptor.try_clone().unwrap()
    }

    /// How many descriptors found no room.
    pub(crate) fn refused(&self) -> usize {
        self.settle();
        self.heard.lock().refused
    }

    /// Puts something into the store, as another program may have.
    pub(crate) fn put(&self, name: &str, descriptor: impl Into<OwnedFd>) {
        self.settle();
        self.heard
            .lock()
            .kept
            .push((name.to_owned(), descriptor.into()));
    }

    /// Loses what is kept under such names.
    pub(crate) fn lose(&self, is_lost: impl Fn(&str) -> bool) {
        self.settle();
        self.heard.lock().kept.retain(|(name, _)| !is_lost(name));
    }

    /// What is kept has another name from now on.
    pub(crate) fn rename(&self, change: impl Fn(&str) -> String) {
        self.settle();
        for (name, _) in &mut self.heard.lock().kept {
            *name = change(name);
        }
    }

    /// The unit has been stopped: systemd closes what it has.
    pub(crate) fn close_store(&self) {
        self.settle();
        self.heard.lock().kept.clear();
    }

    /// Waits until everything is heard that has been said.
    fn settle(&self) {
        let socket = UnixDatagram::unbound().unwrap();
        let before = self.heard.lock().marks;
        socket.send_to(b"MARK", self.path()).unwrap();
        let state = self.heard.lock();
        let waited = self
            .heard
            .changed
            .wait_timeout_while(state, PATIENCE, |state| state.marks == before)
            .unwrap_or_else(PoisonError::into_inner);
        assert!(!waited.1.timed_out(), "the fake manager does not listen");
    }
}

impl Heard {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(&self, socket: &UnixDatagram, most: usize) {
        let mut packet = [0; 8192];
        loop {
            let (length, descriptor) = scm::receive(socket.as_fd(), &mut packet).unwrap();
            let words = String::from_utf8_lossy(&packet[..length]).into_owned();
            match words.as_str() {
                "BYE" => return,
                "MARK" => self.lock().marks += 1,
                _ => self.lock().hear(words, descriptor, most),
            }
            self.changed.notify_all();
        }
    }
}

impl State {
    /// As `service_notify_message` of systemd does.
    fn hear(&mut self, words: String, descriptor: Option<OwnedFd>, most: usize) {
        let value = |key: &str| words.lines().find_map(|line| line.strip_prefix(key));
        let name = value("FDNAME=").unwrap_or("stored").to_owned();
        assert!(!name.contains(':'), "systemd takes no colon: {name}");
        if value("FDSTOREREMOVE=") == Some("1") {
            self.kept.retain(|(kept, _)| *kept != name);
        } else if value("FDSTORE=") == Some("1") {
            assert_eq!(
                value("FDPOLL="),
                Some("0"),
                "it would be thrown out: {words}"
            );
            let descriptor = descriptor.expect("a descriptor comes along");
            let number = |fd: &OwnedFd| fstat(fd).unwrap().st_ino;
            let has_it = |(_, kept): &(String, OwnedFd)| number(kept) == number(&descriptor);
            if self.kept.len() >= most {
                self.refused += 1;
            } else if !self.kept.iter().any(has_it) {
                self.kept.push((name, descriptor));
            }
        }
        self.words.push(words);
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _gone = UnixDatagram::unbound().and_then(|socket| socket.send_to(b"BYE", self.path()));
    }
}

/// Sends descriptors and their names into a socket, and gives its other end: the standard input of
/// `pass_on.py`.
pub(super) fn packed(all: &[(&str, BorrowedFd<'_>)]) -> (OwnedFd, [String; 2]) {
    let (here, there) = UnixStream::pair().unwrap();
    let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
    // At least one byte has to go along.
    let names = match names.is_empty() {
        true => "-".to_owned(),
        false => names.join(":"),
    };
    let numbers: Vec<_> = all.iter().map(|(_, fd)| fd.as_raw_fd()).collect();
    let rights = (!numbers.is_empty()).then(|| ControlMessage::ScmRights(&numbers));
    let words = [IoSlice::new(names.as_bytes())];
    let flags = MsgFlags::empty();
    sendmsg::<()>(here.as_raw_fd(), &words, rights.as_slice(), flags, None).unwrap();
    let python = python().display().to_string();
    (there.into(), [python, app("pass_on.py")])
}
