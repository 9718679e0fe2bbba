//! A running Brigade: its log, its workers, its addresses, signals to all of them.

use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::account::Kill;
use super::http::{Address, Answer, Connection, Trouble};
use super::log::{Event, Log, Mark, PATIENCE};
use super::process::{Process, processes_in};

/// A running Brigade. Dropped, it is killed with all that it started.
#[derive(Debug)]
pub(crate) struct Brigade {
    dir: Arc<TempDir>,
    pub(super) log: Arc<Log>,
    supervisor: Process,
    begin: Instant,
    /// Whether standard error comes to us.
    pub(super) captured: bool,
    /// Names of events that mean trouble, but are what the test provokes.
    pub(super) expected: Mutex<Vec<&'static str>>,
}

/// A worker that is ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Worker {
    /// Its slot.
    pub(crate) slot: i64,
    /// Its process.
    pub(crate) process: Process,
    /// Its generation.
    pub(crate) generation: i64,
}

impl Brigade {
    pub(super) fn new(
        dir: Arc<TempDir>,
        log: Arc<Log>,
        supervisor: Process,
        begin: Instant,
        captured: bool,
    ) -> Self {
        Self {
            dir,
            log,
            supervisor,
            begin,
            captured,
            expected: Mutex::new(Vec::new()),
        }
    }

    /// Starts one with these arguments and waits until its workers are ready.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        super::launch::Launch::new(arguments).ready()
    }

    /// The private directory where it works.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The supervisor.
    pub(crate) const fn supervisor(&self) -> Process {
        self.supervisor
    }

    /// The first event of this name that `wanted` accepts, since the start or in future.
    pub(crate) fn wait_for(&self, name: &str, wanted: impl Fn(&Event) -> bool) -> Event {
        self.wait_after(Log::START, name, wanted)
    }

    /// The same, but only from `mark` on.
    pub(crate) fn wait_after(
        &self,
        mark: Mark,
        name: &str,
        wanted: impl Fn(&Event) -> bool,
    ) -> Event {
        self.log
            .wait_for(mark, &[name], wanted)
            .unwrap_or_else(|why| panic!("{why}"))
    }

    /// The first event of these names from `mark` on.
    pub(crate) fn wait_any_after(&self, mark: Mark, names: &[&str]) -> Event {
        let found = self.log.wait_for(mark, names, |_| true);
        found.unwrap_or_else(|why| panic!("{why}"))
    }

    /// Whether an event of this name has come since `mark`.
    pub(crate) fn has_after(&self, mark: Mark, name: &str) -> bool {
        self.log.names_since(mark).iter().any(|found| found == name)
    }

    /// Waits until something holds that the kernel knows and no line announces.
    pub(crate) fn until(&self, what: &str, holds: impl FnMut() -> bool) {
        assert!(self.log.until(holds), "in vain waited until {what}");
    }

    /// From here on.
    pub(crate) fn mark(&self) -> Mark {
        self.log.mark()
    }

    /// All events of this name so far.
    pub(crate) fn events(&self, name: &str) -> Vec<Event> {
        self.log.events(|event| event.name() == name)
    }

    /// All events so far.
    pub(crate) fn all_events(&self) -> Vec<Event> {
        self.log.events(|_| true)
    }

    /// This event means trouble, and the test provokes it; without this word the teardown objects.
    /// Besides names of events: `stray lines` in the log, `socket files` and
    /// `other listeners` that stay.
    pub(crate) fn expect(&self, name: &'static str) {
        self.expected.lock().unwrap().push(name);
    }

    /// The same, in a chain.
    pub(crate) fn expects(self, name: &'static str) -> Self {
        self.expect(name);
        self
    }

    /// Sends a signal to the supervisor.
    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.supervisor.0), signal).unwrap();
    }

    /// Sends a signal and waits until the supervisor has heard it.
    pub(crate) fn signal_heard(&self, signal: Signal) -> Mark {
        let mark = self.mark();
        self.signal(signal);
        self.wait_after(mark, "signal.received", |event| {
            event.text("signal") == signal.as_str()
        });
        mark
    }

    /// Sends a signal that means a second order: as often as it is taken for an echo of the first.
    pub(crate) fn signal_again(&self, signal: Signal) {
        loop {
            let mark = self.mark();
            self.signal(signal);
            let heard = self.wait_after(mark, "signal.received", |event| {
                event.text("signal") == signal.as_str()
            });
            if !heard.value["echo"].eq(&true) {
                return;
            }
        }
    }

    /// Kills the supervisor and waits for its end. Whoever was its child is ours then.
    pub(crate) fn bereave(&self) {
        self.signal(Signal::SIGKILL);
        assert!(
            self.log.wait_exit(PATIENCE).is_some(),
            "SIGKILL ends the supervisor"
        );
    }

    /// Waits for one more turn of the supervisor's loop: what the last event led to has been done.
    pub(crate) fn settled(&self) {
        let mark = self.mark();
        self.signal(Signal::SIGUSR1);
        self.wait_after(mark, "logs.reopened", |_| true);
    }

    /// The workers that are ready now, by slot and then in order of their birth.
    pub(crate) fn workers(&self) -> Vec<Worker> {
        let mut workers: Vec<Worker> = Vec::new();
        let lives = ["worker.ready", "worker.left", "worker.crashed"];
        for event in self.log.events(|event| lives.contains(&event.name())) {
            let process = Process(event.pid());
            match event.name() {
                "worker.ready" => workers.push(Worker {
                    slot: event.number("slot").unwrap(),
                    process,
                    generation: event.number("generation").unwrap(),
                }),
                _ => workers.retain(|worker| worker.process != process),
            }
        }
        workers.sort_by_key(|worker| worker.slot);
        workers
    }

    /// Waits until only workers of this generation are left. One of an older generation may take
    /// one more connection before it hears that it is to leave.
    pub(crate) fn only(&self, generation: i64) {
        self.until("the old generation has left", || {
            let workers = self.workers();
            !workers.is_empty() && workers.iter().all(|worker| worker.generation == generation)
        });
    }

    /// Reloads, and waits until only the new generation is left.
    pub(crate) fn reload(&self) {
        let mark = self.signal_heard(Signal::SIGHUP);
        let done = self.wait_after(mark, "reload.done", |_| true);
        self.only(done.number("generation").unwrap());
    }

    /// The youngest worker of a slot that is ready.
    pub(crate) fn worker(&self, slot: i64) -> Worker {
        let workers = self.workers();
        let found = workers.iter().rfind(|worker| worker.slot == slot);
        *found.unwrap_or_else(|| panic!("no worker in slot {slot} of {workers:?}"))
    }

    /// Every pid that the log has ever named as that of a worker.
    pub(crate) fn all_workers(&self) -> Vec<Process> {
        let mut all: Vec<Process> = self
            .events("worker.spawned")
            .iter()
            .map(|event| Process(event.pid()))
            .collect();
        all.dedup();
        all
    }

    /// Ends a worker with a signal and waits until the supervisor has seen it. What was in flight
    /// on it between the two moments may be lost.
    pub(crate) fn kill(&self, worker: Worker, signal: Signal) -> Kill {
        self.kill_all(&[worker], signal)[0]
    }

    /// Ends several workers at the same moment.
    pub(crate) fn kill_all(&self, workers: &[Worker], signal: Signal) -> Vec<Kill> {
        self.expect("worker.crashed");
        let begin = Instant::now();
        for worker in workers {
            kill(Pid::from_raw(worker.process.0), signal).unwrap();
        }
        let seen = |worker: &Worker| {
            // Who was about to leave has left, however he was made to.
            let names = ["worker.crashed", "worker.left"];
            let is_his = |event: &Event| event.pid() == worker.process.0;
            let seen = self.log.wait_for(Log::START, &names, is_his);
            let end = seen.unwrap_or_else(|why| panic!("{why}")).at;
            Kill {
                process: worker.process,
                begin,
                end,
            }
        };
        workers.iter().map(seen).collect()
    }

    /// Asks the demo app to let a worker crash, and waits until the supervisor has seen it.
    pub(crate) fn crash(&self, how: &str) -> Kill {
        self.expect("worker.crashed");
        let begin = Instant::now();
        let mut connection = self.connect();
        let victim = connection.get("/").unwrap().number("pid").unwrap();
        let lost = connection.get(&format!("/crash?how={how}"));
        assert!(lost.is_err(), "a crash has no answer: {lost:?}");
        let crash = self.wait_for("worker.crashed", |event| event.is("pid", victim));
        Kill {
            process: Process(crash.pid()),
            begin,
            end: crash.at,
        }
    }

    /// Where it listens, in the order of `--bind`.
    pub(crate) fn addresses(&self) -> Vec<Address> {
        let listening = self.events("supervisor.listening");
        let address = |event: &Event| match Address::parse(event.text("address")) {
            Address::Unix(path) => Address::Unix(self.dir().join(path)),
            other => other,
        };
        listening.iter().map(address).collect()
    }

    /// The first place where it listens.
    pub(crate) fn address(&self) -> Address {
        Address::parse(
            self.wait_for("supervisor.listening", |_| true)
                .text("address"),
        )
    }

    /// A new connection.
    pub(crate) fn connect(&self) -> Connection {
        let address = self.address();
        Connection::open(&address).unwrap_or_else(|trouble| panic!("{address:?}: {trouble:?}"))
    }

    /// Waits until nobody listens any more: by then every worker has heard that it is to leave.
    pub(crate) fn refuses(&self) {
        let address = self.address();
        self.until("nobody listens any more", || {
            matches!(Connection::open(&address), Err(Trouble::Refused))
        });
    }

    /// Fetches a path over a new connection.
    pub(crate) fn get(&self, path: &str) -> Answer {
        let answer = self.connect().get(path);
        answer.unwrap_or_else(|trouble| panic!("GET {path}: {trouble:?}"))
    }

    /// Blocks the event loop of this worker, which must be the only one, for so many milliseconds.
    pub(crate) fn block(&self, worker: Worker, milliseconds: u32) -> Connection {
        self.expect("worker.blocked");
        let mut blocker = self.connect();
        blocker.get("/").unwrap();
        let mut idle = String::new();
        self.until("the worker is idle", || {
            idle = worker.process.waits_in();
            idle != "running"
        });
        let path = format!("/blocking?ms={milliseconds}");
        blocker
            .send(format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n"))
            .unwrap();
        // A loop that waits, but not for events, is blocked.
        self.until("the worker is blocked", || {
            let place = worker.process.waits_in();
            place != "running" && place != idle
        });
        blocker
    }

    /// Its processes that are alive: the supervisor, the workers, whatever these have started.
    pub(crate) fn processes(&self) -> Vec<Process> {
        processes_in(self.dir())
    }

    /// The whole log, for the reader of a failed test.
    pub(crate) fn tell(&self) -> String {
        self.log.tell(self.begin)
    }
}
