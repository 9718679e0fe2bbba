//! The thread that writes: a disk that is slow, or a pipe that nobody reads, holds up this thread
//! and no request. It starts in the worker, after the fork, and only if there is something to
//! write.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::SigSet;
use nix::sys::stat::{SFlag, fstat};

use super::ink::Ink;

/// So many batches wait for the thread; then they stay with the loop.
const QUEUED: usize = 4;
/// What a pipe takes whole (`PIPE_BUF`, pipe(7)): lines of several workers don't mix.
const PIECE: usize = 4096;
/// How long is waited, at a time, for a descriptor that somebody has made non-blocking.
const PATIENCE: PollTimeout = PollTimeout::MAX;
/// A pause between looks at a queue that is full, when there is nothing else to do any more.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// What the thread is given.
enum Job {
    Lines(Ink, u64),
    /// From now on into this file.
    Turn(File),
}

/// What the thread tells.
#[derive(Default, Debug)]
struct Told {
    /// Lines that it has dealt with.
    done: AtomicU64,
    /// Those of them that could not be written.
    lost: AtomicU64,
    /// Why, the last time: the kernel's number.
    errno: AtomicU64,
}

/// The loop's end of it.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: SyncSender<Job>,
    /// Buffers that come back to be used again.
    spare: Receiver<Ink>,
    /// Closed when the thread has ended.
    alive: Receiver<()>,
    told: Arc<Told>,
    handed: u64,
    /// Lost lines that were taken already.
    taken: u64,
}

impl Writer {
    /// Starts the thread. Without a file every line is lost, and counted, until there is one.
    ///
    /// # Errors
    /// The kernel's: out of processes or memory.
    pub(super) fn start(file: Option<File>) -> io::Result<Self> {
        let (jobs, inbox) = sync_channel(QUEUED);
        let (back, spare) = sync_channel(QUEUED);
        let (alive_end, alive) = sync_channel(0);
        let told = Arc::new(Told::default());
        let pen = Pen {
            file,
            is_torn: false,
            told: Arc::clone(&told),
        };
        thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || {
                let _alive = alive_end;
                // Signals are the loop's business, and a terminal that stops background writers
                // lets those write who block its signal.
                let _ = SigSet::all().thread_block();
                pen.work(&inbox, &back);
            })?;
        Ok(Self {
            jobs,
            spare,
            alive,
            told,
            handed: 0,
            taken: 0,
        })
    }

    /// Hands over a batch and leaves an empty one in its place; whether that was possible.
    pub(super) fn hand_over(&mut self, batch: &mut Ink, lines: u64) -> bool {
        let empty = self.spare.try_recv().unwrap_or_default();
        let full = std::mem::replace(batch, empty);
        match self.jobs.try_send(Job::Lines(full, lines)) {
            Ok(()) => {
                self.handed += lines;
                true
            }
            Err(
                TrySendError::Full(Job::Lines(full, _))
                | TrySendError::Disconnected(Job::Lines(full, _)),
            ) => {
                *batch = full;
                false
            }
            Err(_) => false,
        }
    }

    /// Goes on in another file; gives it back if that has to wait.
    pub(super) fn turn(&self, file: File) -> Option<File> {
        match self.jobs.try_send(Job::Turn(file)) {
            Err(TrySendError::Full(Job::Turn(file))) => Some(file),
            Err(_) | Ok(()) => None,
        }
    }

    /// Whether everything that was handed over is dealt with.
    pub(super) fn is_done(&self) -> bool {
        self.told.done.load(Relaxed) == self.handed
    }

    /// How many lines were lost since the last call, and why.
    pub(super) fn take_lost(&mut self) -> (u64, io::Error) {
        let lost = self.told.lost.load(Relaxed);
        let errno = self.told.errno.load(Relaxed) as i32;
        let since = lost - std::mem::replace(&mut self.taken, lost);
        (since, io::Error::from_raw_os_error(errno))
    }

    /// The last batch, before the worker leaves: waits for the thread, but not longer than this.
    /// How many lines are lost with it.
    pub(super) fn finish(
        mut self,
        mut batch: Ink,
        lines: u64,
        patience: Duration,
    ) -> (u64, io::Error) {
        let until = Instant::now() + patience;
        let mut left = lines;
        while left > 0 && Instant::now() < until {
            if self.hand_over(&mut batch, left) {
                left = 0;
            } else if self.alive.recv_timeout(LOOK_AGAIN) == Err(RecvTimeoutError::Disconnected) {
                break;
            }
        }
        let (mut lost, mut error) = self.take_lost();
        let Self {
            jobs,
            alive,
            told,
            handed,
            taken,
            ..
        } = self;
        // The thread ends when it has dealt with everything.
        drop(jobs);
        let _ = alive.recv_timeout(until.saturating_duration_since(Instant::now()));
        lost += told.lost.load(Relaxed) - taken;
        let unwritten = handed - told.done.load(Relaxed).min(handed);
        if unwritten + left > 0 {
            error = io::ErrorKind::TimedOut.into();
        } else if lost > 0 {
            error = io::Error::from_raw_os_error(told.errno.load(Relaxed) as i32);
        }
        (lost + unwritten + left, error)
    }
}

/// The thread's end of it.
struct Pen {
    file: Option<File>,
    /// Whether the last line in the file has no end.
    is_torn: bool,
    told: Arc<Told>,
}

impl Pen {
    fn work(mut self, inbox: &Receiver<Job>, back: &SyncSender<Ink>) {
        while let Ok(job) = inbox.recv() {
            match job {
                Job::Lines(mut batch, lines) => {
                    let lost = self.write(batch.bytes());
                    self.told.lost.fetch_add(lost, Relaxed);
                    self.told.done.fetch_add(lines, Relaxed);
                    batch.clear();
                    let _ = back.try_send(batch);
                }
                Job::Turn(file) => {
                    self.file = Some(file);
                    self.is_torn = false;
                }
            }
        }
    }

    /// Writes whole lines; how many could not be written.
    fn write(&mut self, batch: &[u8]) -> u64 {
        let Some(file) = &self.file else {
            self.told.errno.store(Errno::ENOENT as u64, Relaxed);
            return lines_in(batch);
        };
        let piece = if is_regular(file) { usize::MAX } else { PIECE };
        let mut rest = batch;
        if self.is_torn {
            match write_all(file, b"\n") {
                Ok(()) => self.is_torn = false,
                Err((_, error)) => return self.give_up(&error, batch),
            }
        }
        while !rest.is_empty() {
            let (now, later) = rest.split_at(whole_lines(rest, piece));
            if let Err((written, error)) = write_all(file, now) {
                // The line that was begun is lost with its end.
                self.is_torn = written > 0 && now[written - 1] != b'\n';
                return self.give_up(&error, &rest[written..]);
            }
            rest = later;
        }
        0
    }

    fn give_up(&self, error: &io::Error, rest: &[u8]) -> u64 {
        let errno = error.raw_os_error().unwrap_or(0);
        self.told.errno.store(errno.unsigned_abs().into(), Relaxed);
        lines_in(rest)
    }
}

/// How much of it is whole lines and fits into one piece; a line that does not is a piece.
fn whole_lines(lines: &[u8], piece: usize) -> usize {
    if lines.len() <= piece {
        return lines.len();
    }
    let end = |part: &[u8]| part.iter().rposition(|byte| *byte == b'\n');
    let first = || lines.iter().position(|byte| *byte == b'\n');
    end(&lines[..piece])
        .or_else(first)
        .map_or(lines.len(), |at| at + 1)
}

fn lines_in(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

fn is_regular(file: &File) -> bool {
    let kind = fstat(file).map(|stat| SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT);
    kind == Ok(SFlag::S_IFREG)
}

/// Writes all of it, however long that takes; otherwise how much was written, and why not more.
fn write_all(mut file: &File, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
    let mut written = 0;
    while written < bytes.len() {
        match file.write(&bytes[written..]) {
            Ok(0) => return Err((written, io::ErrorKind::WriteZero.into())),
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let mut fds = [PollFd::new(file.as_fd(), PollFlags::POLLOUT)];
                let _ = poll(&mut fds, PATIENCE);
            }
            Err(error) => return Err((written, error)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Errno, Pen, Writer, whole_lines};
    use crate::access::ink::Ink;
    use nix::fcntl::{FcntlArg, OFlag, SealFlag, fcntl};
    use nix::sys::memfd::{MFdFlags, memfd_create};
    use nix::unistd::pipe2;
    use std::fs::{File, OpenOptions};
    use std::io::{Read, Seek};
    use std::os::fd::OwnedFd;
    use std::sync::Arc;
    use std::sync::atomic::Ordering::Relaxed;
    use std::time::Duration;

    const PATIENCE: Duration = Duration::from_secs(30);

    fn ink(bytes: &[u8]) -> Ink {
        let mut ink = Ink::default();
        ink.put(bytes);
        ink
    }

    fn wait(writer: &Writer) {
        while !writer.is_done() {
            std::thread::yield_now();
        }
    }

    #[test]
    fn what_is_handed_over_is_in_the_file_and_the_next_file_gets_what_comes_after() {
        let folder = tempfile::tempdir().unwrap();
        let open = |name: &str| {
            let path = folder.path().join(name);
            OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
                .unwrap()
        };
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        let mut writer = Writer::start(Some(open("a"))).unwrap();
        let mut batch = ink(b"one\ntwo\n");
        assert!(writer.hand_over(&mut batch, 2) && batch.len() == 0);
        wait(&writer);
        assert_eq!(read("a"), "one\ntwo\n");
        assert!(writer.turn(open("b")).is_none());
        let (lost, _) = writer.finish(ink(b"three\n"), 1, PATIENCE);
        assert_eq!(
            (lost, &*read("a"), &*read("b")),
            (0, "one\ntwo\n", "three\n")
        );
    }

    #[test]
    fn a_full_disk_costs_lines_that_are_counted_and_tears_no_other() {
        let full = OpenOptions::new().append(true).open("/dev/full").unwrap();
        let mut writer = Writer::start(Some(full)).unwrap();
        assert!(writer.hand_over(&mut ink(b"one\ntwo\n"), 2));
        wait(&writer);
        let (lost, why) = writer.take_lost();
        assert_eq!((lost, why.kind()), (2, std::io::ErrorKind::StorageFull));
        assert_eq!(writer.take_lost().0, 0);
        let (lost, why) = writer.finish(ink(b"three\n"), 1, PATIENCE);
        assert_eq!((lost, why.kind()), (1, std::io::ErrorKind::StorageFull));
    }

    #[test]
    fn a_pipe_that_nobody_reads_holds_up_the_thread_alone() {
        let (mut reader, pipe) = std::io::pipe().unwrap();
        let pipe = File::from(OwnedFd::from(pipe));
        let mut writer = Writer::start(Some(pipe)).unwrap();
        let lines = |count: usize| ink(format!("{:0>99}\n", 7).repeat(count).as_bytes());
        let mut handed = 0;
        let mut batch = lines(300);
        // A pipe holds 64 KiB: two batches, another in the thread's hands, and the queue.
        while writer.hand_over(&mut batch, 300) {
            handed += 300;
            batch = lines(300);
            // Only what the thread never takes stays in the queue.
            assert!(handed < 10_000, "nobody reads");
        }
        assert_eq!(batch.len(), 30_000, "what is not taken stays");
        let (lost, why) = writer.finish(batch, 300, Duration::from_millis(20));
        assert_eq!(why.kind(), std::io::ErrorKind::TimedOut);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert!(text.lines().all(|line| line.len() == 99));
        // What the thread still wrote when nobody waited any more was counted as lost: never less.
        assert!(lost >= 300 && text.lines().count() as u64 + lost >= handed + 300);
    }

    fn pen(file: File, is_torn: bool) -> Pen {
        Pen {
            file: Some(file),
            is_torn,
            told: Arc::default(),
        }
    }

    #[test]
    fn a_line_that_was_torn_is_ended_once_and_counted_and_no_other() {
        // Of one page that can't grow: the ninth line is torn.
        let memory = memfd_create(c"access-log", MFdFlags::MFD_ALLOW_SEALING).unwrap();
        let mut file = File::from(memory);
        file.set_len(4096).unwrap();
        let growth = FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_GROW);
        fcntl(&file, growth).unwrap();
        let mut pen = pen(file.try_clone().unwrap(), false);
        let lines = format!("{:0>499}\n", 7).repeat(10);
        assert_eq!(pen.write(lines.as_bytes()), 2);
        assert_eq!(pen.told.errno.load(Relaxed), Errno::EPERM as u64);
        assert!(pen.is_torn);
        // There is room again.
        file.rewind().unwrap();
        assert_eq!(pen.write(b"one\n"), 0);
        assert_eq!(pen.write(b"two\n"), 0);
        let mut text = [0; 9];
        file.rewind().unwrap();
        file.read_exact(&mut text).unwrap();
        assert_eq!(&text, b"\none\ntwo\n");
    }

    #[test]
    fn a_pipe_gets_whole_lines_in_pieces_that_no_other_writer_can_divide() {
        // Every read of such a pipe returns what one write has written, up to a page.
        let (reader, pipe) = pipe2(OFlag::O_DIRECT).unwrap();
        let lines = format!("{:0>999}\n", 7).repeat(20);
        let mut pen = pen(File::from(pipe), false);
        assert_eq!(pen.write(lines.as_bytes()), 0);
        drop(pen);
        let (mut reader, mut piece, mut sizes) = (File::from(reader), [0; 8192], Vec::new());
        loop {
            match reader.read(&mut piece).unwrap() {
                0 => break,
                size => sizes.push(size),
            }
        }
        assert_eq!(sizes, [4000; 5]);
    }

    #[test]
    fn pieces_are_whole_lines() {
        assert_eq!(whole_lines(b"ab\ncd\n", 100), 6);
        assert_eq!(whole_lines(b"ab\ncd\n", 5), 3);
        assert_eq!(whole_lines(b"abcdef\ncd\n", 5), 7);
        assert_eq!(whole_lines(b"abcdef", 5), 6);
    }
}
