//! What a worker is told: by the supervisor over the link, or by a signal.

use std::cell::Cell;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use brigade_config::TlsFiles;
use brigade_shared::board::Row;
use brigade_shared::channel::{Channel, Received};
use brigade_shared::message::{Fact, Order};
use brigade_shared::parcel;
use brigade_shared::tickets::TicketKeys;
use tokio::io::Interest;
use tokio::net::UnixDatagram;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, sleep_until};

/// The time for a drain that nobody set a limit for: after the supervisor's death, or a SIGTERM by
/// hand.
const OWN_DRAIN: Duration = Duration::from_secs(30);

/// So long a worker that was asked to leave by somebody else serves on, until the supervisor has
/// replaced it: nobody else takes what comes to its queue.
const REPLACEMENT: Duration = Duration::from_secs(5);

/// Something a worker is to do.
#[derive(Debug)]
pub(crate) enum Instruction {
    /// Finish what is open within this time, then leave.
    Drain(Duration),
    /// Take connections, if it does not yet.
    Begin,
    /// Leave now.
    Cut,
    /// Open the log files again; the access log's is open already, if it comes with it.
    ReopenLogs(Option<OwnedFd>),
    /// Serve this connection, whatever else is going on.
    Serve(OwnedFd),
    /// Resume TLS sessions with these keys.
    TicketKeys(TicketKeys),
    /// Encrypt new connections by these certificates.
    Certificates(TlsFiles),
}

/// All sources of instructions.
#[derive(Debug)]
pub(crate) struct Orders<'a> {
    link: Link<'a>,
    /// Whether nothing will come over the link any more.
    is_deaf: bool,
    /// It leaves then, replaced or not.
    leaves_at: Option<Instant>,
    terminate: Signal,
    quit: Signal,
    user1: Signal,
}

impl<'a> Orders<'a> {
    /// Listens from now on.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn listen(link: &'a Channel<Fact, Order>, row: Row<'static>) -> io::Result<Self> {
        // Swallowed for good, also when the receiver is dropped: the terminal speaks to the
        // supervisor. Not set to "ignore", which programs started by the app would inherit.
        drop(signal(SignalKind::interrupt())?);
        Ok(Self {
            link: Link::to(link, row)?,
            is_deaf: false,
            leaves_at: None,
            terminate: signal(SignalKind::terminate())?,
            quit: signal(SignalKind::quit())?,
            user1: signal(SignalKind::user_defined1())?,
        })
    }

    /// The next instruction. Cancel safe.
    pub(crate) async fn next(&mut self) -> Instruction {
        loop {
            let leaves_at = self.leaves_at;
            let waited = async { sleep_until(leaves_at.unwrap_or_else(Instant::now)).await };
            tokio::select! {
                biased;
                _ = self.quit.recv() => return Instruction::Cut,
                _ = self.terminate.recv() => if !self.waits_for_replacement() {
                    return Instruction::Drain(OWN_DRAIN);
                },
                _ = self.user1.recv() => return Instruction::ReopenLogs(None),
                told = self.link.told(), if !self.is_deaf => return told.unwrap_or_else(|| {
                    self.is_deaf = true;
                    Instruction::Drain(OWN_DRAIN)
                }),
                () = waited, if leaves_at.is_some() => {
                    self.leaves_at = None;
                    return Instruction::Drain(OWN_DRAIN);
                }
            }
        }
    }

    /// Asks for a replacement, once, if there is anybody to ask.
    fn waits_for_replacement(&mut self) -> bool {
        let is_first = self.leaves_at.is_none() && !self.is_deaf;
        let is_heard = is_first && self.link.channel.send(&Fact::Leaving).is_ok();
        if is_heard {
            self.leaves_at = Some(Instant::now() + REPLACEMENT);
        }
        is_heard
    }

    /// The last look before the worker leaves: hears no more, from now on only signals, and
    /// returns the connections that were sent before the supervisor could know. It sends later
    /// ones to somebody else.
    pub(crate) fn close(&mut self) -> Vec<OwnedFd> {
        if std::mem::replace(&mut self.is_deaf, true) || self.link.channel.refuse_more().is_err() {
            return Vec::new();
        }
        let mut connections = Vec::new();
        loop {
            match self.link.channel.receive_with() {
                (Received::Message(Order::Serve), connection) if self.link.claims() => {
                    connections.extend(connection);
                }
                (Received::Message(_) | Received::Nonsense(_), _) => {}
                (Received::Nothing | Received::Closed, _) => return connections,
            }
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
    row: Row<'static>,
    /// How many connections were handed to this worker.
    handed: Cell<u64>,
}

impl<'a> Link<'a> {
    fn to(channel: &'a Channel<Fact, Order>, row: Row<'static>) -> io::Result<Self> {
        let socket = channel.as_fd().try_clone_to_owned()?;
        let watched = UnixDatagram::from_std(socket.into())?;
        Ok(Self {
            channel,
            watched,
            row,
            handed: Cell::new(0),
        })
    }

    /// Whether the connection that has just come is still ours: the supervisor takes back what a
    /// worker does not come to, and somebody else serves it then.
    fn claims(&self) -> bool {
        let number = self.handed.get();
        self.handed.set(number + 1);
        self.row.claim(number)
    }

    /// What the supervisor orders; nothing once it is dead.
    async fn told(&self) -> Option<Instruction> {
        let receive = || match self.channel.receive_with() {
            (Received::Nothing, _) => Err(io::ErrorKind::WouldBlock.into()),
            received => Ok(received),
        };
        loop {
            let received = self.watched.async_io(Interest::READABLE, receive).await;
            let Ok((received, descriptor)) = received else {
                return None;
            };
            match received {
                Received::Message(Order::Serve) if !self.claims() => {}
                Received::Message(order) => match (order, descriptor) {
                    (Order::Drain { deadline_ms }, _) => {
                        return Some(Instruction::Drain(Duration::from_millis(deadline_ms)));
                    }
                    (Order::Begin, _) => return Some(Instruction::Begin),
                    (Order::Cut, _) => return Some(Instruction::Cut),
                    (Order::ReopenLogs, file) => return Some(Instruction::ReopenLogs(file)),
                    (Order::Serve, Some(connection)) => {
                        return Some(Instruction::Serve(connection));
                    }
                    (Order::Serve, None) => refuse("no connection came with it"),
                    (Order::Answer, _) => self.row.answer(),
                    (Order::TicketKeys, Some(memory)) => match parcel::unpack(memory) {
                        Ok(keys) => return Some(Instruction::TicketKeys(keys)),
                        Err(error) => refuse(&format!("keys for tickets: {error}")),
                    },
                    (Order::Certificates, Some(memory)) => match parcel::unpack(memory) {
                        Ok(files) => return Some(Instruction::Certificates(files)),
                        Err(error) => refuse(&format!("certificates: {error}")),
                    },
                    (order, _) => refuse(&format!("{order:?}")),
                },
                Received::Nonsense(words) => refuse(&words),
                Received::Nothing | Received::Closed => return None,
            }
        }
    }
}

/// Says that an order can't be followed: a supervisor of a later version may know more of them.
pub(crate) fn refuse(error: &str) {
    let pid = std::process::id();
    tracing::warn!(
        event = "order.refused",
        pid,
        error,
        "an order of the supervisor can't be followed: {error}"
    );
}
