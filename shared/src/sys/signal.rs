//! Signals as a file descriptor and flags; the mask and the dispositions of a fresh child.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, signal, sigprocmask};
use signal_hook::{SigId, flag, low_level};

/// The signals a process listens for. Its handlers set a flag and write one byte to a pipe.
///
/// The flags belong to the process, but the pipe is shared with forked children: they must call
/// [`Signals::forget`], or a signal sent to a child would wake the parent (and, worse, with the
/// pipe alone be taken for a signal of its own).
#[derive(Debug)]
pub struct Signals {
    wake: UnixStream,
    flags: Vec<(Signal, Arc<AtomicBool>)>,
    registrations: Vec<SigId>,
}

impl Signals {
    /// Listens for `wanted` from now on.
    ///
    /// # Errors
    /// The kernel's: out of descriptors.
    pub fn listen(wanted: &[Signal]) -> io::Result<Self> {
        let signals = Self::prepare(wanted)?;
        // Whoever started us may have blocked some of them, and would have us deaf to a stop.
        let heard: SigSet = wanted.iter().copied().collect();
        sigprocmask(SigmaskHow::SIG_UNBLOCK, Some(&heard), None)?;
        Ok(signals)
    }

    /// Listens for `wanted` as soon as they are not blocked.
    ///
    /// # Errors
    /// The kernel's: out of descriptors.
    pub fn prepare(wanted: &[Signal]) -> io::Result<Self> {
        let (wake, handler_end) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        handler_end.set_nonblocking(true)?;
        let mut signals = Self {
            wake,
            flags: Vec::new(),
            registrations: Vec::new(),
        };
        for &signal in wanted {
            let raised = Arc::new(AtomicBool::new(false));
            // The flag first: actions run in the order of registration, so whoever is woken by
            // the byte finds the flag set.
            signals
                .registrations
                .push(flag::register(signal as i32, Arc::clone(&raised))?);
            let end = handler_end.try_clone()?;
            signals
                .registrations
                .push(low_level::pipe::register(signal as i32, end)?);
            signals.flags.push((signal, raised));
        }
        Ok(signals)
    }

    /// Which signals have come since the last call, in the order given to [`Signals::listen`].
    /// Like the kernel's own pending set, this does not count how often.
    pub fn take(&self) -> Vec<Signal> {
        // The pipe before the flags: a signal in between leaves a byte behind (one turn too many),
        // never a flag without a byte (a signal slept over).
        let mut bytes = [0; 64];
        while matches!((&self.wake).read(&mut bytes), Ok(count) if count == bytes.len()) {}
        let raised = self
            .flags
            .iter()
            .filter(|(_, flag)| flag.swap(false, Ordering::AcqRel));
        raised.map(|(signal, _)| *signal).collect()
    }

    /// For a forked child: takes this process's handlers off the parent's pipe.
    pub fn forget(&self) {
        for id in &self.registrations {
            low_level::unregister(*id);
        }
    }
}

impl AsFd for Signals {
    /// Readable when [`Signals::take`] has something.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}

/// Blocks every signal and returns the mask to restore.
///
/// # Errors
/// None that Linux documents for these arguments.
pub fn block_all() -> io::Result<SigSet> {
    let mut before = SigSet::empty();
    sigprocmask(
        SigmaskHow::SIG_SETMASK,
        Some(&SigSet::all()),
        Some(&mut before),
    )?;
    Ok(before)
}

/// Restores a mask.
///
/// # Errors
/// None that Linux documents for these arguments.
pub fn restore(mask: &SigSet) -> io::Result<()> {
    Ok(sigprocmask(SigmaskHow::SIG_SETMASK, Some(mask), None)?)
}

/// Lets every signal in: what a worker calls once its own handlers stand.
///
/// # Errors
/// None that Linux documents for these arguments.
pub fn unblock_all() -> io::Result<()> {
    restore(&SigSet::empty())
}

/// Gives every signal its default action, for a child about to run another program: ignored
/// signals would stay ignored across exec, and Rust's own start-up ignores SIGPIPE.
pub fn reset_all() {
    for number in Signal::iterator() {
        if matches!(number, Signal::SIGKILL | Signal::SIGSTOP) {
            continue;
        }
        // SAFETY: SigDfl installs no handler, so no code of ours can run in signal context. An
        // error would mean a signal that can't be changed; it then has its default already.
        let _ = unsafe { signal(number, SigHandler::SigDfl) };
    }
}

/// Ignores signals, here and in the program that this process becomes: an ignored signal stays
/// ignored across exec.
pub fn ignore(signals: &[Signal]) {
    for number in signals {
        // SAFETY: SigIgn installs no handler, so no code of ours can run in signal context. An
        // error would mean a signal that can't be ignored; then it does what it always did.
        let _ = unsafe { signal(*number, SigHandler::SigIgn) };
    }
}
