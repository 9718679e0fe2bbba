//! New connections: accepted, spawned, and no more of them once the worker drains.

use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::Duration;

use brigade_shared::board::Counter;
use brigade_shared::seat::{Address, Listener};
use brigade_shared::sys::accept::concerns_one_connection;
use nix::errno::Errno;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::Instant;

use crate::app::App;
use crate::connection;
use crate::courtesy::AWAY;
use crate::exchange::Pass;
use crate::listen::{Adopt, Listen, Shared};
use crate::peer::Endpoint;
use crate::station::Station;
use crate::transport::{Ends, Origin};

/// So many connections are accepted in a row before those already open get their turn.
const BATCH: usize = 16;
/// The first pause after the system refused an accept for want of something; it doubles.
const PAUSE: Duration = Duration::from_millis(10);
const PAUSE_MOST: Duration = Duration::from_millis(100);
/// A refusal is logged at most so often.
const LOG_PACE: Duration = Duration::from_secs(10);

/// Starts to accept from a listener. The task ends, and lets go of the socket, once the worker
/// drains and nothing waits any more.
///
/// # Errors
/// The kernel's, when it refuses to watch the socket.
pub(crate) fn start<A: App>(
    listener: Listener,
    app: A,
    station: Rc<Station>,
) -> io::Result<JoinHandle<()>> {
    let Listener {
        socket,
        address,
        is_shared,
        ..
    } = listener;
    // It is already; but tokio panics at one that is not.
    SockRef::from(&socket).set_nonblocking(true)?;
    let is_tcp = matches!(address, Address::Tcp(_));
    if is_tcp {
        // Accepted sockets inherit it: one call instead of one per connection.
        SockRef::from(&socket).set_tcp_nodelay(true)?;
    }
    Ok(match (is_tcp, is_shared) {
        (true, false) => {
            let queue = TcpListener::from_std(socket.into())?;
            spawn_local(Acceptor::new(queue, &address, app, station).run())
        }
        (false, false) => {
            let queue = UnixListener::from_std(socket.into())?;
            spawn_local(Acceptor::new(queue, &address, app, station).run())
        }
        (true, true) => {
            let queue = share::<TcpStream>(socket, &address, &station)?;
            spawn_local(Acceptor::new(queue, &address, app, station).run())
        }
        (false, true) => {
            let queue = share::<UnixStream>(socket, &address, &station)?;
            spawn_local(Acceptor::new(queue, &address, app, station).run())
        }
    })
}

/// Watches a queue that other workers watch too.
fn share<S: Adopt>(socket: OwnedFd, address: &Address, station: &Station) -> io::Result<Shared<S>> {
    let (queue, error) = Shared::watch(socket)?;
    if let Some(error) = error {
        let (slot, pid) = (station.slot, station.pid);
        tracing::info!(
            event = "accept.not_exclusive", slot, pid, %address, %error,
            "each connection to {address} wakes all workers, not only the one that takes it: {error}"
        );
    }
    Ok(queue)
}

struct Acceptor<L, A> {
    listener: L,
    address: String,
    /// Our end of all its connections; none if it listens at all addresses of the machine.
    local: Option<Endpoint>,
    app: A,
    station: Rc<Station>,
    pause: Duration,
    logged: Option<Instant>,
}

impl<L: Listen, A: App> Acceptor<L, A> {
    fn new(listener: L, address: &Address, app: A, station: Rc<Station>) -> Self {
        let local = match address {
            Address::Tcp(local) if local.ip().is_unspecified() => None,
            Address::Tcp(local) => Some(Endpoint::Tcp(*local)),
            Address::Unix(_) | Address::Abstract(_) => Some(Endpoint::Unix),
        };
        Self {
            listener,
            address: address.to_string(),
            local,
            app,
            station,
            pause: PAUSE,
            logged: None,
        }
    }

    async fn run(mut self) {
        let station = Rc::clone(&self.station);
        while station.draining_since().is_none() {
            tokio::select! {
                biased;
                () = station.drain_begun() => {}
                () = self.accept_batch() => tokio::task::yield_now().await,
            }
        }
        self.accept_the_rest();
    }

    async fn accept_batch(&mut self) {
        for _ in 0..BATCH {
            match self.listener.next().await {
                Ok((stream, client)) => {
                    let passed = self.serve_or_pass(stream, client);
                    self.let_others_go_first(passed).await;
                }
                Err(error) if concerns_one_connection(&error) => self.refused(),
                Err(error) => self.pause(&error).await,
            }
        }
    }

    /// Nothing is held meanwhile: a drain ends this in the middle.
    async fn let_others_go_first(&self, passed: Pass) {
        let now = self.station.meter.clock.last();
        let is_ahead = self.listener.is_shared() && self.station.courtesy.is_ahead(now);
        // In a burst the supervisor has to come to its work, or all would stay here.
        if is_ahead || passed == Pass::Refused {
            self.listener.rest();
            tokio::time::sleep(AWAY).await;
        }
    }

    /// Those that were connected before the drain are served, here: the runtime may not have heard
    /// of them yet.
    fn accept_the_rest(&self) {
        loop {
            match self.listener.next_now() {
                Ok(stream) => self.serve(stream, None),
                Err(error) if concerns_one_connection(&error) => self.refused(),
                // None waits, or none can be had.
                Err(_) => return,
            }
        }
    }

    fn serve_or_pass(&mut self, stream: L::Stream, client: Option<Endpoint>) -> Pass {
        self.pause = PAUSE;
        let passed = self.station.exchange.pass(&stream, self.station.meter);
        match passed {
            Pass::Passed => {}
            Pass::Kept | Pass::Refused => self.serve(stream, client),
        }
        passed
    }

    fn serve(&self, stream: L::Stream, remote: Option<Endpoint>) {
        let (app, station) = (self.app.clone(), Rc::clone(&self.station));
        let local = self.local;
        let known = Ends { remote, local };
        let service = connection::serve(stream, Origin::Accepted, known, app, station);
        spawn_local(service);
    }

    fn refused(&self) {
        self.station.meter.row.count(Counter::AcceptErrors, 1);
    }

    /// Waits for better times: asked again at once, the kernel would refuse again at once, a
    /// million times a second.
    async fn pause(&mut self, error: &io::Error) {
        self.refused();
        if self.logged.is_none_or(|last| last.elapsed() >= LOG_PACE) {
            self.logged = Some(Instant::now());
            let (slot, pid) = (self.station.slot, self.station.pid);
            let pause_ms = self.pause.as_millis() as u64;
            tracing::warn!(
                event = "accept.failed", slot, pid, address = self.address, %error, pause_ms,
                "worker {slot} can't accept from {}: {error}; those that wait are tried again in {pause_ms} ms{}",
                self.address,
                cure(error),
            );
        }
        self.listener.rest();
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(PAUSE_MOST);
    }
}

/// What can be done about an accept that was refused.
fn cure(error: &io::Error) -> &'static str {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::EMFILE) => ": raise the limit of open files (ulimit -n, LimitNOFILE=)",
        Some(Errno::ENFILE) => ": raise the system's limit of open files (sysctl fs.file-max)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::Acceptor;
    use crate::heard::Heard;
    use crate::listen::Listen;
    use crate::peer::Endpoint;
    use crate::rig::{Handler, Rig, read_hello};
    use brigade_shared::board::Counter;
    use brigade_shared::seat::Address;
    use nix::errno::Errno;
    use std::cell::RefCell;
    use std::collections::VecDeque;
    use std::future::pending;
    use std::io;
    use std::rc::Rc;
    use tokio::io::{AsyncWriteExt, DuplexStream, duplex};

    /// Yields what a test put into its queue, then nothing for ever.
    #[derive(Clone, Default)]
    struct Queue(Rc<RefCell<VecDeque<Result<DuplexStream, Errno>>>>);

    impl Queue {
        fn refuse(&self, errno: Errno) {
            self.0.borrow_mut().push_back(Err(errno));
        }

        fn connect(&self) -> DuplexStream {
            let (client, server) = duplex(1024);
            self.0.borrow_mut().push_back(Ok(server));
            client
        }

        fn accept(&self, rig: &Rig) {
            let address = Address::Unix("/queue".into());
            let station = Rc::clone(&rig.station);
            let acceptor = Acceptor::new(self.clone(), &address, Handler::hello(), station);
            tokio::task::spawn_local(acceptor.run());
        }
    }

    impl Listen for Queue {
        type Stream = DuplexStream;

        async fn next(&self) -> io::Result<(DuplexStream, Option<Endpoint>)> {
            let next = self.0.borrow_mut().pop_front();
            match next {
                Some(outcome) => Ok((outcome?, None)),
                None => pending().await,
            }
        }

        fn next_now(&self) -> io::Result<DuplexStream> {
            let next = self.0.borrow_mut().pop_front();
            Ok(next.unwrap_or(Err(Errno::EWOULDBLOCK))?)
        }
    }

    async fn is_served(mut client: DuplexStream) {
        let request = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
        client.write_all(request).await.unwrap();
        assert!(read_hello(&mut client).await.ends_with("hello"));
    }

    #[test]
    fn when_descriptors_run_out_it_says_so_once_and_waits_longer_and_longer_but_never_long() {
        let heard = Heard::begin();
        Rig::paused(async |rig| {
            let queue = Queue::default();
            for _ in 0..6 {
                queue.refuse(Errno::EMFILE);
            }
            let client = queue.connect();
            queue.accept(&rig);
            is_served(client).await;
            assert_eq!(rig.elapsed().as_millis(), 10 + 20 + 40 + 80 + 100 + 100);
            assert_eq!(rig.row().counts.get(Counter::AcceptErrors), 6);
            let told = heard.take("accept.failed");
            assert!(
                told.len() == 1 && told[0].contains("LimitNOFILE="),
                "{told:?}"
            );
        });
    }

    #[test]
    fn a_connection_that_died_in_the_queue_costs_no_time() {
        Rig::paused(async |rig| {
            let queue = Queue::default();
            for errno in [Errno::ECONNABORTED, Errno::EPERM, Errno::ENETDOWN] {
                queue.refuse(errno);
            }
            let client = queue.connect();
            queue.accept(&rig);
            is_served(client).await;
            assert_eq!(rig.elapsed().as_millis(), 0);
        });
    }

    #[test]
    fn a_drain_serves_all_that_wait_and_accepts_no_more() {
        Rig::paused(async |rig| {
            let queue = Queue::default();
            queue.accept(&rig);
            tokio::task::yield_now().await;
            // As if the kernel had them, and the runtime had not heard of it yet.
            let clients: Vec<_> = (0..100).map(|_| queue.connect()).collect();
            queue.refuse(Errno::ECONNABORTED);
            let last = queue.connect();
            rig.station.begin_drain();
            for client in clients {
                is_served(client).await;
            }
            is_served(last).await;
            let late = queue.connect();
            assert_eq!(Rc::strong_count(&queue.0), 1, "the listener is let go of");
            drop(late);
        });
    }
}
