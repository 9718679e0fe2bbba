//! Whole lines to a descriptor that may be anything, without ever waiting for it.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::socket::{MsgFlags, send};
use nix::sys::stat::{SFlag, fstat};
use nix::unistd::write;
use serde::{Deserialize, Serialize};

/// So many bytes that could not be written wait for the next attempt: the rest of a line that was
/// begun, and behind it lines that matter.
const MOST_PENDING: usize = 64 * 1024;
/// A pipe that polls writable takes so many bytes without waiting (`PIPE_BUF`, pipe(7)).
const SAFE_PIECE: usize = 4096;

/// Where lines go.
#[derive(Debug)]
pub struct Sink {
    fd: OwnedFd,
    manner: Manner,
    is_terminal: bool,
    /// Goes first, before any other line.
    pending: Vec<u8>,
    dropped: u64,
}

/// What waits to be written, for another program that goes on with it.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Pending {
    /// The rest of a line that was begun, and lines behind it.
    bytes: Vec<u8>,
    /// So many lines were dropped.
    dropped: u64,
}

/// How to write without waiting, since the descriptor's own O_NONBLOCK flag is shared with
/// whoever else has it (a shell, a sibling) and is not ours to set.
#[derive(Clone, Copy, Debug)]
enum Manner {
    /// A file description of our own, non-blocking; or a regular file, which never makes wait.
    Plainly,
    /// A socket: `MSG_DONTWAIT`.
    Send,
    /// Neither could be had: poll first and write small pieces.
    Polled,
}

impl Sink {
    /// Lines to what `of` is now, whatever becomes of that number later.
    ///
    /// # Errors
    /// The kernel's: not open, out of descriptors.
    pub fn to(of: BorrowedFd<'_>) -> io::Result<Self> {
        let kind = SFlag::from_bits_truncate(fstat(of)?.st_mode) & SFlag::S_IFMT;
        let (fd, manner) = if kind == SFlag::S_IFSOCK {
            (of.try_clone_to_owned()?, Manner::Send)
        } else if kind == SFlag::S_IFREG {
            // Not opened again: a second description would have an offset of its own.
            (of.try_clone_to_owned()?, Manner::Plainly)
        } else {
            let path = format!("/proc/self/fd/{}", of.as_raw_fd());
            let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
            match OpenOptions::new()
                .append(true)
                .custom_flags(flags)
                .open(path)
            {
                Ok(file) => (file.into(), Manner::Plainly),
                Err(_) => (of.try_clone_to_owned()?, Manner::Polled),
            }
        };
        Ok(Self {
            fd,
            manner,
            is_terminal: of.is_terminal(),
            pending: Vec::new(),
            dropped: 0,
        })
    }

    /// Writes a whole line (without its line feed), or drops and counts it.
    pub fn write_line(&mut self, line: &[u8]) {
        self.write(line, false);
    }

    /// The same for a line that matters: it waits, as long as there is room, until it can be
    /// written. A flood of others can't wash it away.
    pub fn write_important_line(&mut self, line: &[u8]) {
        self.write(line, true);
    }

    fn write(&mut self, line: &[u8], may_wait: bool) {
        let mut bytes = Vec::with_capacity(line.len() + 1);
        bytes.extend_from_slice(line);
        bytes.push(b'\n');
        let written = if self.flush() {
            self.write_some(&bytes)
        } else {
            0
        };
        let rest = &bytes[written..];
        let has_room = self.pending.len() + rest.len() <= MOST_PENDING;
        // A line that was begun is ended, however long: the next one would be glued to its stump.
        if written > 0 || (may_wait && has_room) {
            self.pending.extend_from_slice(rest);
        } else {
            self.dropped += 1;
        }
    }

    /// Writes what waits, for as long as the descriptor takes another piece within `patience`; for
    /// the end of a process. Bounded, since what waits is.
    pub fn finish(&mut self, patience: Duration) {
        let patience = PollTimeout::try_from(patience).unwrap_or(PollTimeout::ZERO);
        let mut before = usize::MAX;
        // A full disk polls writable and takes nothing: no progress is a reason to stop as well.
        while !self.flush() && self.pending.len() < before {
            before = self.pending.len();
            let mut fds = [PollFd::new(self.fd.as_fd(), PollFlags::POLLOUT)];
            if poll(&mut fds, patience).unwrap_or(0) < 1 {
                return;
            }
        }
    }

    /// How many lines were dropped since the last call; 0 as long as nothing can be written, so
    /// that the count is told when it can be heard.
    pub fn take_dropped(&mut self) -> u64 {
        if self.dropped == 0 || !self.flush() || !self.is_writable() {
            return 0;
        }
        std::mem::take(&mut self.dropped)
    }

    /// What waits to be written.
    #[must_use]
    pub fn pending(&self) -> Pending {
        Pending {
            bytes: self.pending.clone(),
            dropped: self.dropped,
        }
    }

    /// Goes on with what waited in another program; before the first line.
    pub fn resume(&mut self, pending: Pending) {
        self.pending.splice(0..0, pending.bytes);
        self.dropped += pending.dropped;
    }

    /// Forgets what was begun: after a fork it is the parent's to end.
    pub fn forget_pending(&mut self) {
        self.pending.clear();
        self.dropped = 0;
    }

    /// Writes what waits, as far as that goes now; whether nothing waits any more. Line by line:
    /// what is no longer than `PIPE_BUF` a pipe takes whole or not at all, so that a line of a
    /// sibling can't come into the middle.
    pub fn flush(&mut self) -> bool {
        let mut done = 0;
        for line in self.pending.split_inclusive(|byte| *byte == b'\n') {
            let written = self.write_some(line);
            done += written;
            if written < line.len() {
                break;
            }
        }
        self.pending.drain(..done);
        self.pending.is_empty()
    }

    /// Writes what can be written now.
    fn write_some(&self, bytes: &[u8]) -> usize {
        if !self.is_terminal {
            return self.write_pieces(bytes);
        }
        // A terminal set to stop background writers (`stty tostop`) sends SIGTTOU for each attempt
        // of a process that handles the signal, for ever; it lets one that blocks it write.
        let mask = SigSet::from(Signal::SIGTTOU).thread_swap_mask(SigmaskHow::SIG_BLOCK);
        let written = self.write_pieces(bytes);
        if let Ok(mask) = mask {
            let _ = mask.thread_set_mask();
        }
        written
    }

    fn write_pieces(&self, bytes: &[u8]) -> usize {
        let mut written = 0;
        while written < bytes.len() {
            let rest = &bytes[written..];
            let result = match self.manner {
                Manner::Plainly => write(&self.fd, rest),
                Manner::Send => {
                    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
                    send(self.fd.as_raw_fd(), rest, flags)
                }
                Manner::Polled if !self.is_writable() => Err(Errno::EAGAIN),
                Manner::Polled => write(&self.fd, &rest[..rest.len().min(SAFE_PIECE)]),
            };
            match result {
                Ok(0) => break,
                Ok(count) => written += count,
                Err(Errno::EINTR) => {}
                Err(_) => break,
            }
        }
        written
    }

    fn is_writable(&self) -> bool {
        let mut fds = [PollFd::new(self.fd.as_fd(), PollFlags::POLLOUT)];
        let count = poll(&mut fds, PollTimeout::ZERO).unwrap_or(0);
        count > 0
            && fds[0]
                .revents()
                .is_some_and(|found| found == PollFlags::POLLOUT)
    }
}

impl AsFd for Sink {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_PENDING, Sink};
    use std::io::Read;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    fn read_now(mut from: impl Read) -> Vec<u8> {
        let mut bytes = vec![0; 1 << 20];
        let count = from.read(&mut bytes).unwrap();
        bytes.truncate(count);
        bytes
    }

    #[test]
    fn a_pipe_that_nobody_reads_costs_lines_and_no_time() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut sink = Sink::to(writer.as_fd()).unwrap();
        for _ in 0..3000 {
            sink.write_line(&[b'x'; 99]);
        }
        assert_eq!(sink.take_dropped(), 0, "told while nobody can hear it");
        let kept = read_now(&mut reader).len();
        let dropped = sink.take_dropped();
        assert!(dropped > 0);
        assert_eq!(kept.div_ceil(100) as u64 + dropped, 3000);
    }

    #[test]
    fn a_flood_does_not_wash_away_what_matters() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut sink = Sink::to(writer.as_fd()).unwrap();
        for _ in 0..3000 {
            sink.write_line(&[b'x'; 99]);
        }
        sink.write_important_line(&[b'!'; 99]);
        sink.write_line(b"washed away");
        let mut all = read_now(&mut reader);
        sink.finish(Duration::ZERO);
        all.extend(read_now(&mut reader));
        let last = all.rsplit(|byte| *byte == b'\n').nth(1);
        assert_eq!(last, Some(&[b'!'; 99][..]));
        for _ in 0..3000 {
            sink.write_important_line(&[b'y'; 99]);
        }
        assert!(sink.pending.len() <= MOST_PENDING, "what waits is bounded");
    }

    #[test]
    fn a_line_begun_is_ended_before_the_next_begins() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut sink = Sink::to(writer.as_fd()).unwrap();
        sink.write_line(&[b'a'; 60_000]);
        sink.write_line(&[b'b'; 30_000]);
        let mut all = read_now(&mut reader);
        sink.write_line(b"c");
        all.extend(read_now(&mut reader));
        let lines: Vec<usize> = all.split(|byte| *byte == b'\n').map(<[u8]>::len).collect();
        assert_eq!(lines, [60_000, 30_000, 1, 0]);
    }

    #[test]
    fn a_line_longer_than_what_may_wait_is_still_ended() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut sink = Sink::to(writer.as_fd()).unwrap();
        sink.write_line(&[b'a'; 3 * MOST_PENDING]);
        sink.write_line(b"dropped");
        let mut all = Vec::new();
        while !sink.flush() {
            all.extend(read_now(&mut reader));
        }
        sink.write_line(b"b");
        all.extend(read_now(&mut reader));
        let lines: Vec<usize> = all.split(|byte| *byte == b'\n').map(<[u8]>::len).collect();
        assert_eq!(lines, [3 * MOST_PENDING, 1, 0]);
    }

    #[test]
    fn a_socket_is_sent_to_and_a_closed_one_only_costs_lines() {
        let (reader, writer) = UnixStream::pair().unwrap();
        let mut sink = Sink::to(writer.as_fd()).unwrap();
        sink.write_line(b"one");
        assert_eq!(read_now(&reader), b"one\n");
        drop(reader);
        sink.write_line(b"two");
        assert_eq!(sink.dropped, 1);
    }
}
