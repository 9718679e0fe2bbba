//! The registration of a listening socket in the epoll instance of a runtime that has no word for
//! EPOLLEXCLUSIVE: found through `/proc`, then taken out and put back with it.
//!
//! Without it, a connection in a queue that many processes watch wakes them all. With it, the
//! kernel wakes the first in the queue's list of waiters; whoever takes its entry out and puts it
//! back (it goes to the end) after each accept makes that list a rota.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use nix::sys::epoll::{Epoll, EpollEvent, EpollFlags};
use nix::sys::stat::fstat;

use super::fd;

/// A socket's entry in an epoll instance, and whether it is in there now.
///
/// What makes it sound to put an entry with somebody else's token back: it is put back only after
/// it has been taken out, and taking out fails if its owner has removed it before.
#[derive(Debug)]
pub struct Registration {
    epoll: Epoll,
    token: u64,
    /// As its owner had made it.
    plain: EpollFlags,
    is_in: bool,
}

impl Registration {
    /// Finds the one registration of a socket in this process.
    ///
    /// # Errors
    /// `NotFound` if there is none, `InvalidData` if there are several with different tokens;
    /// otherwise those of `/proc`.
    pub fn find(socket: BorrowedFd<'_>) -> io::Result<Self> {
        let inode = fstat(socket)?.st_ino;
        let wanted = |entry: &Entry| entry.target == socket.as_raw_fd() && entry.inode == inode;
        let mut found: Option<(RawFd, Entry)> = None;
        for number in instances()? {
            // One that another thread closes meanwhile is not the one.
            let listed = entries(number).unwrap_or_default();
            let Some(entry) = listed.into_iter().find(wanted) else {
                continue;
            };
            match &found {
                None => found = Some((number, entry)),
                // A copy of the same instance's descriptor, or so it seems.
                Some((_, first)) if *first == entry => {}
                Some(_) => return Err(io::Error::new(io::ErrorKind::InvalidData, "watched twice")),
            }
        }
        let Some((number, entry)) = found else {
            return Err(io::Error::new(io::ErrorKind::NotFound, "watched by nobody"));
        };
        let epoll = fd::duplicate(number)?;
        // Should another thread have closed the number meanwhile, it may be something else now.
        if !entries(epoll.as_raw_fd())?.contains(&entry) {
            return Err(io::Error::new(io::ErrorKind::NotFound, "watched no more"));
        }
        Ok(Self {
            epoll: Epoll(epoll),
            token: entry.token,
            plain: EpollFlags::from_bits_truncate(entry.events),
            is_in: true,
        })
    }

    /// Takes the entry out: this process is not woken, and another one is instead.
    ///
    /// # Errors
    /// `NotFound` if its owner has removed it; it stays removed then.
    pub fn leave(&mut self, socket: BorrowedFd<'_>) -> io::Result<()> {
        if self.is_in {
            self.epoll.delete(socket)?;
            self.is_in = false;
        }
        Ok(())
    }

    /// Puts the entry back at the end of the queue's list of waiters; what waits already is told
    /// at once. If the kernel refuses an exclusive entry, it becomes what it was at first, and the
    /// refusal is returned as `Ok(false)`.
    ///
    /// # Errors
    /// The kernel's, when it refuses that too: the entry is still out, and may be tried again.
    pub fn enter(&mut self, socket: BorrowedFd<'_>) -> io::Result<bool> {
        if self.is_in {
            return Ok(true);
        }
        let exclusive = EpollFlags::EPOLLIN | EpollFlags::EPOLLET | EpollFlags::EPOLLEXCLUSIVE;
        let is_exclusive = self.add(socket, exclusive).is_ok();
        if !is_exclusive {
            self.add(socket, self.plain)?;
        }
        self.is_in = true;
        Ok(is_exclusive)
    }

    /// Whether the entry is where events come from.
    #[must_use]
    pub fn is_in(&self) -> bool {
        self.is_in
    }

    fn add(&self, socket: BorrowedFd<'_>, events: EpollFlags) -> nix::Result<()> {
        self.epoll.add(socket, EpollEvent::new(events, self.token))
    }
}

/// The inodes of all that an epoll instance watches, by the text of its fdinfo, proc_pid_fdinfo(5).
pub fn watched_inodes(fdinfo: &str) -> impl Iterator<Item = u64> {
    let entries = fdinfo.lines().filter_map(Entry::parse);
    entries.map(|entry| entry.inode)
}

/// A line of an epoll instance's fdinfo, proc_pid_fdinfo(5).
#[derive(PartialEq, Eq, Debug)]
struct Entry {
    target: RawFd,
    events: i32,
    token: u64,
    inode: u64,
}

impl Entry {
    /// `tfd: 8 events: 80002019 data: 5581d3c0 pos:0 ino:1f3a sdev:8`, all but the first in
    /// hexadecimal.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split([' ', ':']).filter(|word| !word.is_empty());
        let mut value = |name| words.find(|word| *word == name).and_then(|_| words.next());
        let hex = |word| u64::from_str_radix(word, 16).ok();
        Some(Self {
            target: value("tfd")?.parse().ok()?,
            events: u32::try_from(hex(value("events")?)?).ok()?.cast_signed(),
            token: hex(value("data")?)?,
            inode: hex(value("ino")?)?,
        })
    }
}

fn entries(epoll: RawFd) -> io::Result<Vec<Entry>> {
    let text = fs::read_to_string(format!("/proc/self/fdinfo/{epoll}"))?;
    Ok(text.lines().filter_map(Entry::parse).collect())
}

/// The numbers of this process's descriptors that are epoll instances.
fn instances() -> io::Result<Vec<RawFd>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir("/proc/self/fd")? {
        let entry = entry?;
        // The directory's own descriptor is gone by the time one looks at it.
        let is_epoll = fs::read_link(entry.path())
            .is_ok_and(|target| target.as_os_str() == "anon_inode:[eventpoll]");
        let number: Option<RawFd> = entry.file_name().to_string_lossy().parse().ok();
        numbers.extend(number.filter(|_| is_epoll));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::{Entry, Registration, entries};
    use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::{AsFd, AsRawFd};

    fn instance() -> Epoll {
        Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).unwrap()
    }

    fn watch(epoll: &Epoll, socket: impl AsFd, token: u64) {
        let events = EpollFlags::EPOLLIN | EpollFlags::EPOLLET;
        epoll.add(socket, EpollEvent::new(events, token)).unwrap();
    }

    /// The tokens that an instance has to tell now.
    fn told(epoll: &Epoll) -> Vec<u64> {
        let mut events = [EpollEvent::empty(); 8];
        let count = epoll.wait(&mut events, EpollTimeout::ZERO).unwrap();
        events[..count].iter().map(EpollEvent::data).collect()
    }

    fn door() -> TcpListener {
        TcpListener::bind("127.0.0.1:0").unwrap()
    }

    #[test]
    fn a_line_is_read_whatever_its_spaces() {
        let line = "tfd:       12 events: 80002019 data:     55d0c0ffee00  pos:0 ino:1f3a sdev:8";
        let entry = Entry::parse(line).unwrap();
        assert_eq!((entry.target, entry.inode), (12, 0x1f3a));
        assert_eq!(entry.token, 0x55d0_c0ff_ee00);
        assert_eq!(entry.events.cast_unsigned(), 0x8000_2019);
        assert_eq!(Entry::parse("flags:\t02000002"), None);
    }

    #[test]
    fn an_entry_is_found_becomes_exclusive_and_still_tells() {
        let (epoll, _other, door) = (instance(), instance(), door());
        watch(&epoll, &door, 0xdead_beef_0000_0042);
        let mut found = Registration::find(door.as_fd()).unwrap();
        found.leave(door.as_fd()).unwrap();
        let _client = TcpStream::connect(door.local_addr().unwrap()).unwrap();
        assert!(told(&epoll).is_empty());
        assert!(found.enter(door.as_fd()).unwrap());
        assert_eq!(told(&epoll), [0xdead_beef_0000_0042]);
        let events = entries(epoll.0.as_raw_fd()).unwrap()[0].events;
        assert!(EpollFlags::from_bits_truncate(events).contains(EpollFlags::EPOLLEXCLUSIVE));
    }

    #[test]
    fn what_its_owner_has_removed_is_never_put_back() {
        let (epoll, door) = (instance(), door());
        watch(&epoll, &door, 7);
        let mut found = Registration::find(door.as_fd()).unwrap();
        epoll.delete(&door).unwrap();
        assert!(found.leave(door.as_fd()).is_err());
        found.enter(door.as_fd()).unwrap();
        assert!(entries(epoll.0.as_raw_fd()).unwrap().is_empty());
    }

    #[test]
    fn nobody_and_several_are_refused_in_words() {
        let (one, other, door) = (instance(), instance(), door());
        assert!(Registration::find(door.as_fd()).is_err());
        watch(&one, &door, 1);
        watch(&other, &door, 2);
        let words = Registration::find(door.as_fd()).unwrap_err().to_string();
        assert_eq!(words, "watched twice");
    }
}
