//! The life of the process: sockets, ready, answers, until the supervisor has it leave.

use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use brigade_shared::board::Board;
use brigade_shared::desk::Desk;
use brigade_shared::exit::worker as code;
use brigade_shared::seat::{Address, Listener};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::spawn_local;
use tokio::time::sleep;

use crate::guests::Guests;
use crate::metrics::Metrics;
use crate::pulse::Pulse;
use crate::reply::Clerk;

/// The pause after an accept that the system refused: out of descriptors or memory.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers at the admin address until the supervisor has this process leave, or is dead; returns
/// the exit code to leave with. Called with all signals blocked, which they stay, in a process of
/// one thread that never had a tokio runtime.
#[must_use]
pub fn run(desk: Desk) -> i32 {
    tell_panics();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(Default::default());
    let lived = runtime.and_then(|runtime| runtime.block_on(live(desk)));
    match lived {
        Ok(()) => code::RETIRED,
        Err(error) => {
            let pid = std::process::id();
            tracing::error!(event = "admin.failed", pid, error = %error,
                "nobody answers at the admin address: {error}");
            code::SYSTEM
        }
    }
}

async fn live(desk: Desk) -> io::Result<()> {
    let Desk {
        listeners,
        link,
        board,
        supervisor,
        version,
    } = desk;
    let pulse = Rc::new(Pulse::over(link)?);
    let metrics = Metrics::of(Arc::<Board>::clone(&board), supervisor, &version);
    let clerk = Clerk::new(board, Rc::clone(&pulse), metrics);
    let guests = Rc::new(Guests::new(clerk));
    let doors: Vec<Rc<Door>> = listeners
        .into_iter()
        .map(|listener| Door::open(listener).map(Rc::new))
        .collect::<io::Result<_>>()?;
    let keepers: Vec<_> = doors
        .iter()
        .map(|door| spawn_local(keep(Rc::clone(door), Rc::clone(&guests))))
        .collect();
    pulse.say_ready();
    let idle = pulse.until_dismissed().await;
    keepers.iter().for_each(|keeper| keeper.abort());
    // Who came before the order to leave, and was not let in yet.
    for door in &doors {
        while door.let_in(&guests) {}
    }
    // Whoever asks in the end whether the supervisor turns is answered, too.
    tokio::select! {
        () = guests.see_off(idle) => {}
        () = pulse.listen_on() => {}
    }
    Ok(())
}

/// A listening socket.
#[derive(Debug)]
enum Door {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Door {
    fn open(listener: Listener) -> io::Result<Self> {
        let socket: OwnedFd = listener.socket;
        match listener.address {
            Address::Tcp(_) => TcpListener::from_std(socket.into()).map(Self::Tcp),
            Address::Unix(_) | Address::Abstract(_) => {
                UnixListener::from_std(socket.into()).map(Self::Unix)
            }
        }
    }

    /// Waits for a guest and lets them in.
    async fn wait(&self, guests: &Guests) -> io::Result<()> {
        match self {
            Self::Tcp(door) => guests.welcome(door.accept().await?.0),
            Self::Unix(door) => guests.welcome(door.accept().await?.0),
        }
        Ok(())
    }

    /// Lets in who waits already; false if nobody does.
    fn let_in(&self, guests: &Guests) -> bool {
        let mut task = std::task::Context::from_waker(std::task::Waker::noop());
        let waited = std::pin::pin!(self.wait(guests)).poll(&mut task);
        matches!(waited, std::task::Poll::Ready(Ok(())))
    }
}

async fn keep(door: Rc<Door>, guests: Rc<Guests>) {
    loop {
        if let Err(error) = door.wait(&guests).await
            && !is_about_one_guest(&error)
        {
            sleep(PAUSE).await;
        }
    }
}

/// Whether somebody left before they were let in, and the next may be well.
fn is_about_one_guest(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionAborted | Kind::ConnectionReset | Kind::Interrupted
    )
}

/// Standard error leads nowhere: what a panic says goes to the log.
fn tell_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let pid = std::process::id();
        let words = panic.to_string();
        tracing::error!(
            event = "admin.panicked",
            pid,
            words,
            "the process behind the admin address has a bug, please report it: {words}"
        );
    }));
}
