//! What a worker is told: by the supervisor over the link, or by a signal.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use brigade_shared::channel::{Channel, Received};
use brigade_shared::message::{Fact, Order};
use tokio::io::Interest;
use tokio::net::UnixDatagram;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The time for a drain that nobody set a limit for: after the supervisor's death, or a SIGTERM by
/// hand.
const OWN_DRAIN: Duration = Duration::from_secs(30);

/// Something a worker is to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Instruction {
    /// Finish what is open within this time, then leave.
    Drain(Duration),
    /// Leave now.
    Cut,
    /// Open the log files again.
    ReopenLogs,
}

/// All sources of instructions.
#[derive(Debug)]
pub(crate) struct Orders<'a> {
    link: Link<'a>,
    orphaned: bool,
    terminate: Signal,
    quit: Signal,
    user1: Signal,
}

impl<'a> Orders<'a> {
    /// Listens from now on.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn listen(link: &'a Channel<Fact, Order>) -> io::Result<Self> {
        // Swallowed for good, also when the receiver is dropped: the terminal speaks to the
        // supervisor. Not set to "ignore", which programs started by the app would inherit.
        drop(signal(SignalKind::interrupt())?);
        Ok(Self {
            link: Link::to(link)?,
            orphaned: false,
            terminate: signal(SignalKind::terminate())?,
            quit: signal(SignalKind::quit())?,
            user1: signal(SignalKind::user_defined1())?,
        })
    }

    /// The next instruction. Cancel safe.
    pub(crate) async fn next(&mut self) -> Instruction {
        tokio::select! {
            biased;
            _ = self.quit.recv() => Instruction::Cut,
            _ = self.terminate.recv() => Instruction::Drain(OWN_DRAIN),
            _ = self.user1.recv() => Instruction::ReopenLogs,
            told = self.link.told(), if !self.orphaned => told.unwrap_or_else(|| {
                self.orphaned = true;
                Instruction::Drain(OWN_DRAIN)
            }),
        }
    }
}

/// The channel, heard from inside the runtime.
#[derive(Debug)]
struct Link<'a> {
    channel: &'a Channel<Fact, Order>,
    /// The same socket once more, as one that tokio knows how to watch: it says when to look, and
    /// the channel does the reading.
    watched: UnixDatagram,
}

impl<'a> Link<'a> {
    fn to(channel: &'a Channel<Fact, Order>) -> io::Result<Self> {
        let socket = channel.as_fd().try_clone_to_owned()?;
        let watched = UnixDatagram::from_std(socket.into())?;
        Ok(Self { channel, watched })
    }

    /// What the supervisor orders; nothing once it is dead.
    async fn told(&self) -> Option<Instruction> {
        let receive = || match self.channel.receive() {
            Received::Nothing => Err(io::ErrorKind::WouldBlock.into()),
            received => Ok(received),
        };
        loop {
            match self.watched.async_io(Interest::READABLE, receive).await {
                Ok(Received::Message(Order::Drain { deadline_ms })) => {
                    return Some(Instruction::Drain(Duration::from_millis(deadline_ms)));
                }
                Ok(Received::Message(Order::Cut)) => return Some(Instruction::Cut),
                Ok(Received::Message(Order::ReopenLogs)) => return Some(Instruction::ReopenLogs),
                Ok(Received::Message(order)) => refuse(&format!("{order:?}")),
                Ok(Received::Nonsense(words)) => refuse(&words),
                Ok(Received::Nothing | Received::Closed) | Err(_) => return None,
            }
        }
    }
}

/// A supervisor of a later version may know more orders.
fn refuse(error: &str) {
    let pid = std::process::id();
    tracing::warn!(
        event = "order.refused",
        pid,
        error,
        "an order of the supervisor is not understood: {error}"
    );
}
