//! What a Brigade writes on standard error, line by line, and the only place that waits: for a
//! line, or for the end of the process, on one condition variable with a deadline.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a test waits for what takes milliseconds: long, so that a slow machine passes too.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// One event of the log.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// When the line was read.
    pub(crate) at: Instant,
    /// The whole JSON object.
    pub(crate) value: Arc<Value>,
}

/// A place in the log: "from here on".
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark(usize);

/// The log as it grows, and the exit status once there is one.
#[derive(Debug, Default)]
pub(crate) struct Log {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<(Instant, String)>,
    events: Vec<Event>,
    closed: bool,
    status: Option<ExitStatus>,
}

impl Event {
    /// Its name; empty if the line has none.
    pub(crate) fn name(&self) -> &str {
        self.text("event")
    }

    /// The text under this key; empty if there is none.
    pub(crate) fn text(&self, key: &str) -> &str {
        self.value
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// The number under this key.
    pub(crate) fn number(&self, key: &str) -> Option<i64> {
        self.value.get(key).and_then(Value::as_i64)
    }

    /// Whether the number under this key is this one.
    pub(crate) fn is(&self, key: &str, number: i64) -> bool {
        self.number(key) == Some(number)
    }

    /// The process id that every `worker.*` event carries.
    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.number("pid").unwrap_or_default()).unwrap_or_default()
    }
}

impl Log {
    /// Follows `stream` until its end, and `child` until its own; each in a thread of its own.
    pub(crate) fn follow(
        stream: Option<impl Read + Send + 'static>,
        mut child: Child,
    ) -> Arc<Self> {
        let log = Arc::new(Self::default());
        let writer = Arc::clone(&log);
        match stream {
            Some(stream) => drop(thread::spawn(move || writer.read(stream))),
            None => log.update(|state| state.closed = true),
        }
        let witness = Arc::clone(&log);
        thread::spawn(move || {
            let status = child.wait().ok();
            witness.update(|state| state.status = status);
        });
        log
    }

    fn read(&self, stream: impl Read) {
        let mut reader = BufReader::new(stream);
        let mut bytes = Vec::new();
        while matches!(reader.read_until(b'\n', &mut bytes), Ok(1..)) {
            let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
            bytes.clear();
            let at = Instant::now();
            self.update(|state| {
                if let Ok(value) = serde_json::from_str::<Value>(&line) {
                    let value = Arc::new(value);
                    state.events.push(Event { at, value });
                }
                state.lines.push((at, line));
            });
        }
        self.update(|state| state.closed = true);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Waits until `look` finds what it looks for.
    fn wait<T>(&self, patience: Duration, mut look: impl FnMut(&State) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + patience;
        let mut state = self.lock();
        loop {
            if let Some(found) = look(&state) {
                return Some(found);
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
    }

    /// Waits until `holds`, which may ask the kernel for something that no line announces: it is
    /// asked again every few milliseconds.
    pub(crate) fn until(&self, mut holds: impl FnMut() -> bool) -> bool {
        let deadline = Instant::now() + PATIENCE;
        // Not under the lock: it may want to read the log itself.
        while !holds() {
            if Instant::now() > deadline {
                return false;
            }
            let pause = Duration::from_millis(5);
            let waited = self
                .changed
                .wait_timeout_while(self.lock(), pause, |_| true);
            drop(waited);
        }
        true
    }

    /// The first event of one of these names from `mark` on that `wanted` accepts. Fails at once when the
    /// process has ended and its log is closed without it.
    pub(crate) fn wait_for(
        &self,
        mark: Mark,
        names: &[&str],
        wanted: impl Fn(&Event) -> bool,
    ) -> Result<Event, String> {
        let mut next = mark.0;
        let found = self.wait(PATIENCE, |state| {
            while let Some(event) = state.events.get(next) {
                next += 1;
                if names.contains(&event.name()) && wanted(event) {
                    return Some(Ok(event.clone()));
                }
            }
            (state.closed && state.status.is_some()).then(|| {
                let ended = state
                    .status
                    .map(|status| status.to_string())
                    .unwrap_or_default();
                Err(format!(
                    "the process ended ({ended}) before the awaited {names:?}"
                ))
            })
        });
        found.unwrap_or_else(|| Err(format!("no awaited {names:?} within {PATIENCE:?}")))
    }

    /// Waits for the end of the process.
    pub(crate) fn wait_exit(&self, patience: Duration) -> Option<ExitStatus> {
        self.wait(patience, |state| state.status)
    }

    /// Waits until no process has the stream open any more.
    pub(crate) fn wait_closed(&self, patience: Duration) -> bool {
        self.wait(patience, |state| state.closed.then_some(()))
            .is_some()
    }

    /// The end of the log as it is now.
    pub(crate) fn mark(&self) -> Mark {
        Mark(self.lock().events.len())
    }

    /// The names of all events from `mark` on.
    pub(crate) fn names_since(&self, mark: Mark) -> Vec<String> {
        let state = self.lock();
        let since = state.events.iter().skip(mark.0);
        since.map(|event| event.name().to_owned()).collect()
    }

    /// The beginning of the log.
    pub(crate) const START: Mark = Mark(0);

    /// All events so far that are `wanted`.
    pub(crate) fn events(&self, wanted: impl Fn(&Event) -> bool) -> Vec<Event> {
        let state = self.lock();
        let found = state.events.iter().filter(|event| wanted(event));
        found.cloned().collect()
    }

    /// The exit status, if the process has ended.
    pub(crate) fn status(&self) -> Option<ExitStatus> {
        self.lock().status
    }

    /// The lines that are not JSON objects.
    pub(crate) fn strays(&self) -> Vec<String> {
        let state = self.lock();
        let stray = |line: &&(Instant, String)| {
            !serde_json::from_str::<Value>(&line.1).is_ok_and(|value| value.is_object())
        };
        state
            .lines
            .iter()
            .filter(stray)
            .map(|(_, line)| line.clone())
            .collect()
    }

    /// Everything, with the seconds since `begin`, for the reader of a failed test.
    pub(crate) fn tell(&self, begin: Instant) -> String {
        let state = self.lock();
        let line = |(at, line): &(Instant, String)| {
            format!(
                "  {:8.3} {line}\n",
                at.saturating_duration_since(begin).as_secs_f64()
            )
        };
        state.lines.iter().map(line).collect()
    }
}
