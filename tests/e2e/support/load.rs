//! Clients that ask, each in a thread, and account for every request: each ends in exactly one of
//! answered, refused, reset, closed, cut, hung or wrong.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::account::Account;
use super::brigade::Brigade;
use super::client::Client;
use super::http::Address;
use super::log::PATIENCE;

/// A load to be started.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    pub(super) address: Address,
    clients: usize,
    pub(super) kind: Kind,
    /// The longest pause before a request; its length is random.
    pub(super) think: Duration,
}

/// What the clients ask, and on which connections.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// `/` and `/echo` of the demo app in turn.
    Demo { keep_alive: bool },
    /// This path, whose answer tells the worker.
    Path { keep_alive: bool, path: String },
    /// Bodies that come in so many pieces, with a pause before each.
    Uploads { pieces: u32, pause: Duration },
    /// Answers that come in so many chunks, with so many milliseconds before each.
    Downloads { chunks: u32, ms: u32 },
}

/// A load that runs.
#[derive(Debug)]
pub(crate) struct Running {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<Account>>,
}

#[derive(Debug, Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Requests that have ended, well or not.
    ended: u64,
    stop: bool,
}

impl Load {
    fn of(address: Address, clients: usize, kind: Kind) -> Self {
        let think = Duration::from_millis(2);
        Self {
            address,
            clients,
            kind,
            think,
        }
    }

    /// Clients that keep their connections and ask `/` and `/echo` of the demo app in turn.
    pub(crate) fn keep_alive(brigade: &Brigade, clients: usize) -> Self {
        Self::keep_alive_at(brigade.address(), clients)
    }

    /// The same at an address that no line of the log has to tell.
    pub(crate) fn keep_alive_at(address: Address, clients: usize) -> Self {
        Self::of(address, clients, Kind::Demo { keep_alive: true })
    }

    /// The same, but with a new connection for every request.
    pub(crate) fn connections(brigade: &Brigade, clients: usize) -> Self {
        Self::keep_alive(brigade, clients).anew()
    }

    /// Clients whose requests come slowly: a second for each.
    pub(crate) fn uploads(brigade: &Brigade, clients: usize) -> Self {
        let pause = Duration::from_millis(25);
        let kind = Kind::Uploads { pieces: 40, pause };
        Self::of(brigade.address(), clients, kind)
    }

    /// Clients whose answers come slowly: a second for each.
    pub(crate) fn downloads(brigade: &Brigade, clients: usize) -> Self {
        let kind = Kind::Downloads { chunks: 40, ms: 25 };
        Self::of(brigade.address(), clients, kind)
    }

    /// Somewhere else than at the first address.
    pub(crate) fn at(self, address: Address) -> Self {
        Self { address, ..self }
    }

    /// Only this path is asked for.
    pub(crate) fn path(self, path: &str) -> Self {
        let keep_alive = self.kind == Kind::Demo { keep_alive: true };
        let path = path.to_owned();
        let kind = Kind::Path { keep_alive, path };
        Self { kind, ..self }
    }

    /// A new connection for every request.
    pub(crate) fn anew(self) -> Self {
        let kind = Kind::Demo { keep_alive: false };
        Self { kind, ..self }
    }

    /// Pauses of up to this length before each request.
    pub(crate) fn think(self, think: Duration) -> Self {
        Self { think, ..self }
    }

    /// No pause between an answer and the next request.
    pub(crate) fn full_speed(self) -> Self {
        self.think(Duration::ZERO)
    }

    /// Starts the clients; returns when the first requests have been answered.
    pub(crate) fn start(self) -> Running {
        let running = self.begin();
        running.flow(2 * running.clients.len() as u64);
        running
    }

    /// Starts the clients and returns at once.
    pub(super) fn begin(self) -> Running {
        let shared = Arc::new(Shared::default());
        let client = |number| {
            let client = Client::new(self.clone(), number, Arc::clone(&shared));
            thread::spawn(move || client.run())
        };
        let clients = (0..self.clients).map(client).collect();
        Running { shared, clients }
    }
}

impl Running {
    /// Waits until so many more requests have ended: before and after what a test does to the
    /// server, so that it is sure to have happened under load.
    pub(crate) fn flow(&self, requests: u64) {
        let begin = self.ended();
        self.reach(begin + requests);
    }

    /// Waits until so many requests have ended since the start; patient as long as some do.
    pub(crate) fn reach(&self, goal: u64) {
        let mut deadline = Instant::now() + PATIENCE;
        let mut state = self.shared.lock();
        let mut seen = state.ended;
        while state.ended < goal {
            if state.ended > seen {
                seen = state.ended;
                deadline = Instant::now() + PATIENCE;
            }
            let left = deadline.checked_duration_since(Instant::now());
            let left = left.expect("the load flows");
            state = self.shared.wait(state, left);
        }
    }

    /// Requests that have ended so far.
    pub(crate) fn ended(&self) -> u64 {
        self.shared.lock().ended
    }

    /// Lets every client end the request that it is at, and sums up.
    pub(crate) fn stop(mut self) -> Account {
        self.shared.end();
        let mut sum = Account::default();
        for client in std::mem::take(&mut self.clients) {
            sum.add(client.join().expect("a client ends"));
        }
        sum
    }
}

/// A test that fails must not leave its clients behind, asking a server that is gone.
impl Drop for Running {
    fn drop(&mut self) {
        self.shared.end();
    }
}

impl Shared {
    fn end(&self) {
        self.lock().stop = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, limit: Duration) -> MutexGuard<'a, State> {
        self.changed
            .wait_timeout(state, limit)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }

    /// Another request has ended.
    pub(super) fn ended(&self) {
        self.lock().ended += 1;
        self.changed.notify_all();
    }

    /// Paces a client. Tells whether it is time to stop, and returns at once when it is.
    pub(super) fn pause(&self, pause: Duration) -> bool {
        let until = Instant::now() + pause;
        let mut state = self.lock();
        while !state.stop {
            let Some(left) = until.checked_duration_since(Instant::now()) else {
                break;
            };
            state = self.wait(state, left);
        }
        state.stop
    }
}
