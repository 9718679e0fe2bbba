//! The app in a process of its own, its log, and clients.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Barrier, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::client::Client;

/// Nothing here takes so long unless it hangs.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A neighbour asks so often.
const PACE: Duration = Duration::from_millis(2);

/// What clients felt.
pub(crate) struct Felt {
    /// Until the last of them had its answer.
    pub(crate) all: Duration,
    /// The longest that a neighbour waited for a word.
    pub(crate) neighbour: Duration,
}

#[derive(Default)]
struct Log {
    events: Mutex<Vec<Value>>,
    grown: Condvar,
}

/// See the module. Dropped, it is killed.
pub(crate) struct App {
    child: Child,
    log: Arc<Log>,
    address: String,
    admin: String,
}

impl App {
    /// Starts it with one worker, and waits until that is ready.
    pub(crate) fn start() -> Self {
        let words = "serve --workers 1 --port 0 --admin 127.0.0.1:0 --stall-warn 100ms --offload-wait 60s --offload-timeout 120s --log-format json --log-level debug";
        let mut child = Command::new(env!("CARGO_BIN_EXE_mistakes"))
            .env_clear()
            .args(words.split(' '))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::<Log>::default();
        let (lines, kept) = (child.stderr.take().unwrap(), Arc::clone(&log));
        thread::spawn(move || follow(lines, &kept));
        let mut app = Self {
            child,
            log,
            address: String::new(),
            admin: String::new(),
        };
        app.address = app.place("supervisor.listening");
        app.admin = app.place("admin.listening");
        app.wait_for("fleet.ready");
        app.wait_for("admin.ready");
        app
    }

    fn place(&self, event: &str) -> String {
        let told = self.wait_for(event);
        let address = told["address"].as_str().unwrap();
        address.trim_start_matches("http://").to_owned()
    }

    fn wait_for(&self, name: &str) -> Value {
        let is_it = |event: &&Value| event["event"] == name;
        let events = self.log.events.lock().unwrap();
        let waited = self
            .log
            .grown
            .wait_timeout_while(events, PATIENCE, |events| {
                !events.iter().any(|event| is_it(&event))
            });
        let (events, _) = waited.unwrap();
        let found = events.iter().find(is_it).cloned();
        found.unwrap_or_else(|| panic!("no {name} in {events:#?}"))
    }

    /// Where the log ends now.
    pub(crate) fn mark(&self) -> usize {
        self.log.events.lock().unwrap().len()
    }

    /// What was logged since then under a name.
    pub(crate) fn events_since(&self, mark: usize, name: &str) -> Vec<Value> {
        let events = self.log.events.lock().unwrap();
        let since = events[mark..].iter();
        since
            .filter(|event| event["event"] == name)
            .cloned()
            .collect()
    }

    /// For how long in all the worker's main thread ran, and waited for a processor, in nanoseconds
    /// (proc_pid_schedstat(5)).
    pub(crate) fn processor(&self) -> [u64; 2] {
        let pid = &self.wait_for("worker.ready")["pid"];
        let text = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap();
        let mut words = text.split_ascii_whitespace();
        [(); 2].map(|()| words.next().unwrap().parse().unwrap())
    }

    /// A number of `/metrics`.
    pub(crate) fn metric(&self, series: &str) -> f64 {
        let text = Client::connect(&self.admin).get("/metrics");
        let line = text.lines().find_map(|line| line.strip_prefix(series));
        let value = line.unwrap_or_else(|| panic!("no {series} in {text}"));
        value.trim().parse().unwrap()
    }

    /// Waits until something is so.
    pub(crate) fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let begin = Instant::now();
        while !is_so() {
            assert!(begin.elapsed() < PATIENCE, "never happened: {what}");
            thread::yield_now();
        }
    }

    /// Asks for a path over so many connections at once, while a neighbour asks for a word again
    /// and again.
    pub(crate) fn ask(&self, path: &str, times: usize) -> Felt {
        let (done, over) = mpsc::channel::<()>();
        let start = Barrier::new(times + 2);
        let start = &start;
        thread::scope(move |scope| {
            let neighbour = scope.spawn(move || {
                let mut client = Client::connect(&self.address);
                client.get("/");
                start.wait();
                let mut longest = Duration::ZERO;
                // Also if a client has given up.
                while over.recv_timeout(PACE) == Err(RecvTimeoutError::Timeout) {
                    let begin = Instant::now();
                    client.get("/");
                    longest = longest.max(begin.elapsed());
                }
                longest
            });
            let clients: Vec<_> = (0..times)
                .map(|_| {
                    scope.spawn(move || {
                        let mut client = Client::connect(&self.address);
                        client.get("/");
                        start.wait();
                        client.get(path);
                    })
                })
                .collect();
            start.wait();
            let begin = Instant::now();
            clients
                .into_iter()
                .for_each(|client| client.join().unwrap());
            let all = begin.elapsed();
            drop(done);
            let neighbour = neighbour.join().unwrap();
            Felt { all, neighbour }
        })
    }

    /// Asks it to stop, which it has to do well.
    pub(crate) fn stop(mut self) {
        let supervisor = Pid::from_raw(self.child.id() as i32);
        kill(supervisor, Signal::SIGTERM).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

fn follow(lines: ChildStderr, log: &Log) {
    for line in BufReader::new(lines).lines().map_while(Result::ok) {
        let event = serde_json::from_str(&line).unwrap_or(Value::String(line));
        log.events.lock().unwrap().push(event);
        log.grown.notify_all();
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
