//! Clients that ask without a pause worth the name, each in a thread, and account for every
//! request: each ends in exactly one of answered, refused, reset, closed, cut, hung or wrong.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::account::{Account, Loss};
use super::brigade::Brigade;
use super::http::{Address, Connection, Peer, Trouble};
use super::log::PATIENCE;
use super::process::Process;

/// A load to be started.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    address: Address,
    clients: usize,
    keep_alive: bool,
    path: Option<String>,
    think: Duration,
}

/// A load that runs.
#[derive(Debug)]
pub(crate) struct Running {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<Account>>,
}

#[derive(Debug, Default)]
struct Shared {
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
    /// Clients that keep their connections and ask `/` and `/echo` of the demo app in turn.
    pub(crate) fn keep_alive(brigade: &Brigade, clients: usize) -> Self {
        Self::keep_alive_at(brigade.address(), clients)
    }

    /// The same at an address that no line of the log has to tell.
    pub(crate) fn keep_alive_at(address: Address, clients: usize) -> Self {
        let think = Duration::from_millis(2);
        Self {
            address,
            clients,
            keep_alive: true,
            path: None,
            think,
        }
    }

    /// The same, but with a new connection for every request.
    pub(crate) fn connections(brigade: &Brigade, clients: usize) -> Self {
        Self {
            keep_alive: false,
            ..Self::keep_alive(brigade, clients)
        }
    }

    /// Somewhere else than at the first address.
    pub(crate) fn at(self, address: Address) -> Self {
        Self { address, ..self }
    }

    /// Only this path is asked for.
    pub(crate) fn path(self, path: &str) -> Self {
        Self {
            path: Some(path.to_owned()),
            ..self
        }
    }

    /// Starts the clients; returns when the first requests have been answered.
    pub(crate) fn start(self) -> Running {
        let shared = Arc::new(Shared::default());
        let client = |number| {
            let client = Client {
                load: self.clone(),
                number,
                shared: Arc::clone(&shared),
                account: Account::default(),
                random: 0x9E37_79B9 ^ (number as u64 + 1),
            };
            thread::spawn(move || client.run())
        };
        let clients = (0..self.clients).map(client).collect();
        let running = Running { shared, clients };
        running.flow(2 * self.clients as u64);
        running
    }
}

impl Running {
    /// Waits until so many more requests have ended: before and after what a test does to the
    /// server, so that it is sure to have happened under load.
    pub(crate) fn flow(&self, requests: u64) {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.shared.lock();
        let goal = state.ended + requests;
        while state.ended < goal {
            let left = deadline.checked_duration_since(Instant::now());
            let left = left.expect("the load flows");
            state = self.shared.wait(state, left);
        }
    }

    /// Lets every client end the request that it is at, and sums up.
    pub(crate) fn stop(self) -> Account {
        self.shared.lock().stop = true;
        self.shared.changed.notify_all();
        let mut sum = Account::default();
        for client in self.clients {
            sum.add(client.join().expect("a client ends"));
        }
        sum
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, limit: Duration) -> MutexGuard<'a, State> {
        self.changed
            .wait_timeout(state, limit)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }
}

/// One client thread.
#[derive(Debug)]
struct Client {
    load: Load,
    number: usize,
    shared: Arc<Shared>,
    account: Account,
    random: u64,
}

/// A connection and what its client knows of the other end.
#[derive(Debug)]
struct Line {
    connection: Connection,
    process: Option<Process>,
    answered: u64,
}

impl Client {
    fn run(mut self) -> Account {
        let mut line = None;
        while !self.think() {
            let begin = Instant::now();
            // A connection closed while it was idle is no loss: nothing had been asked.
            line = line.and_then(|line| self.still_open(line));
            match self.turn(&mut line) {
                Ok(()) => {
                    self.account.answered += 1;
                    self.account.slowest = self.account.slowest.max(begin.elapsed());
                }
                Err(trouble) => {
                    let lost: Option<Line> = line.take();
                    self.account.losses.push(Loss {
                        trouble,
                        client: self.number,
                        process: lost.as_ref().and_then(|line| line.process),
                        answered_before: lost.map_or(0, |line| line.answered),
                        begin,
                        end: Instant::now(),
                    });
                }
            }
            self.shared.lock().ended += 1;
            self.shared.changed.notify_all();
        }
        self.account
    }

    /// A random moment, so that requests meet every phase of what the server does. Tells whether
    /// it is time to stop.
    fn think(&mut self) -> bool {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let most = u64::try_from(self.load.think.as_micros())
            .unwrap_or(u64::MAX)
            .max(1);
        let until = Instant::now() + Duration::from_micros(self.random % most);
        let mut state = self.shared.lock();
        while !state.stop {
            let Some(left) = until.checked_duration_since(Instant::now()) else {
                break;
            };
            state = self.shared.wait(state, left);
        }
        state.stop
    }

    fn still_open(&mut self, mut line: Line) -> Option<Line> {
        let quiet = line.connection.peer() == Peer::Quiet;
        self.account.closed_idle += u64::from(!quiet);
        quiet.then_some(line)
    }

    /// One request, on the open connection or a new one.
    fn turn(&mut self, line: &mut Option<Line>) -> Result<(), Trouble> {
        let open = match line.take() {
            Some(open) => open,
            None => {
                let connection = Connection::open(&self.load.address)?;
                Line {
                    connection,
                    process: None,
                    answered: 0,
                }
            }
        };
        let open = line.insert(open);
        let last = self.ask(open)?;
        open.answered += 1;
        if last || !self.load.keep_alive {
            *line = None;
        }
        Ok(())
    }

    /// Asks one thing and checks the answer. Tells whether it was the last on this connection.
    fn ask(&mut self, line: &mut Line) -> Result<bool, Trouble> {
        let plain = self.load.path.is_some();
        if !plain && line.answered % 2 == 1 {
            let token = format!("client {} request {}", self.number, self.account.answered);
            let answer = line.connection.post("/echo", token.as_bytes())?;
            if answer.status != 200 || answer.text() != token {
                return Err(Trouble::Wrong(format!("not {token:?}: {answer:?}")));
            }
            return Ok(answer.is_last());
        }
        let path = self.load.path.as_deref().unwrap_or("/");
        let answer = line.connection.get(path)?;
        let process = answer
            .number("pid")
            .and_then(|pid| i32::try_from(pid).ok())
            .map(Process);
        let Some(process) = process.filter(|_| answer.status == 200) else {
            return Err(Trouble::Wrong(format!(
                "not the answer to {path}: {answer:?}"
            )));
        };
        if line.process.is_some_and(|before| before != process) {
            return Err(Trouble::Wrong(format!(
                "another worker on this connection: {process:?}"
            )));
        }
        line.process = Some(process);
        *self.account.by_process.entry(process).or_default() += 1;
        self.account.generations.extend(answer.number("generation"));
        Ok(answer.is_last())
    }
}
