//! Orders to workers, in the language of their kind.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use brigade_shared::message::Order;
use brigade_shared::sys::process;
use nix::sys::signal::{Signal, kill, killpg};

use crate::roster::{Member, Tie};

/// Asks the worker to finish and leave.
pub(crate) fn drain(member: &Member, within: Duration) {
    let deadline_ms = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
    send(member, &Order::Drain { deadline_ms }, Signal::SIGTERM);
}

/// Lets a worker that holds still take connections.
pub(crate) fn begin(member: &Member) {
    if let Some(link) = member.link() {
        // Nothing was sent to it before but what it reads at once.
        let _ = link.send(&Order::Begin);
    }
}

/// Asks the worker to leave at once.
pub(crate) fn cut(member: &Member) {
    send(member, &Order::Cut, Signal::SIGINT);
}

/// Asks the worker to show that its loop turns. A program has no such word, and says so unasked.
pub(crate) fn ask(member: &Member) {
    if let Some(link) = member.link() {
        // If its end of the channel is full, enough is there to wake it.
        let _ = link.send(&Order::Answer);
    }
}

/// Gives a connection to a service.
///
/// # Errors
/// Those of the channel; then the connection was not handed over.
pub(crate) fn serve(member: &Member, connection: BorrowedFd<'_>) -> io::Result<()> {
    let link = member.link().ok_or(io::ErrorKind::NotConnected)?;
    link.send_with(&Order::Serve, connection)
}

/// Ends a blocked worker so that it can leave a core, and with a program all that it has started.
pub(crate) fn abort(member: &Member) {
    for signal in [Signal::SIGABRT, Signal::SIGCONT] {
        let _ = match member.tie {
            Tie::Service { .. } => kill(member.pid, signal),
            // Before the program has made its group there is only the process itself.
            Tie::Program { .. } => killpg(member.pid, signal).or_else(|_| kill(member.pid, signal)),
        };
    }
}

/// Asks the worker to open its logs again; `file` is that of its access log, open already. A program that has no handler for the signal would die
/// of it, and has no log but its output: it is left alone.
pub(crate) fn reopen_logs(member: &Member, file: Option<BorrowedFd<'_>>) {
    if let (Some(link), Some(file)) = (member.link(), file)
        && link.send_with(&Order::ReopenLogs, file).is_ok()
    {
        let _ = kill(member.pid, Signal::SIGCONT);
        return;
    }
    let is_program = matches!(member.tie, Tie::Program { .. });
    if !is_program || process::handles(member.pid, Signal::SIGUSR1) {
        send(member, &Order::ReopenLogs, Signal::SIGUSR1);
    }
}

/// Ends the worker by force, and with a program all that it has started.
pub(crate) fn kill_now(member: &Member) {
    // An error can only mean that it has ended: it is our child and not reaped yet, so the pid is
    // its own.
    let _ = match member.tie {
        Tie::Service { .. } => kill(member.pid, Signal::SIGKILL),
        Tie::Program { .. } => kill_group(member),
    };
}

/// Ends whatever is left of a program's process group. Its leader is not reaped yet, so the group
/// is still its own. A straggler that holds a listening socket would take connections that nobody
/// serves.
pub(crate) fn kill_group(member: &Member) -> nix::Result<()> {
    let _ = killpg(member.pid, Signal::SIGKILL);
    kill(member.pid, Signal::SIGKILL)
}

/// A service gets the message (or, if its end of the channel is full or gone, the signal with the
/// same meaning); a program gets the signal. Each is continued, so that a stopped one hears it.
fn send(member: &Member, order: &Order, signal: Signal) {
    let is_told = match &member.tie {
        Tie::Service { link: Some(link) } => link.send(order).is_ok(),
        Tie::Service { link: None } | Tie::Program { .. } => false,
    };
    if !is_told {
        let by_signal = match (&member.tie, signal) {
            (Tie::Service { .. }, Signal::SIGINT) => Signal::SIGQUIT,
            (_, signal) => signal,
        };
        let _ = kill(member.pid, by_signal);
    }
    let _ = kill(member.pid, Signal::SIGCONT);
}
