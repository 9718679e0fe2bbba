//! Brigade's log as it is written: each line with the moment at which it came.

use std::io::{BufRead, BufReader, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::outcome::Outcome;

/// Nothing that we wait for takes longer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Lines that are shown when an awaited event does not come.
const SHOWN: usize = 20;

/// A line of the log.
pub(crate) struct Event {
    /// When it was read.
    pub(crate) at: Instant,
    line: Value,
}

impl Event {
    pub(crate) fn name(&self) -> &str {
        self.text("event")
    }

    pub(crate) fn text(&self, key: &str) -> &str {
        self.line.get(key).and_then(Value::as_str).unwrap_or("")
    }

    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        self.line.get(key).and_then(Value::as_u64)
    }
}

/// The log of a running Brigade.
pub(crate) struct Events {
    lines: Receiver<Event>,
    last: Vec<String>,
}

impl Events {
    /// Reads `log` on a thread of its own until its end: a full pipe would hold the server up.
    pub(super) fn follow(log: impl Read + Send + 'static) -> Self {
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                let at = Instant::now();
                let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if sender.send(Event { at, line }).is_err() {
                    return;
                }
            }
        });
        Self {
            lines,
            last: Vec::new(),
        }
    }

    /// The next event of this name for which `fits` holds; those before it are passed over.
    pub(crate) fn next(&mut self, name: &str, fits: impl Fn(&Event) -> bool) -> Outcome<Event> {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(event) => {
                    if event.name() == name && fits(&event) {
                        return Ok(event);
                    }
                    self.remember(&event);
                }
                Err(RecvTimeoutError::Timeout) => return Err(self.missing(name, "did not come")),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(self.missing(name, "did not come before the end of the log"));
                }
            }
        }
    }

    fn remember(&mut self, event: &Event) {
        if self.last.len() == SHOWN {
            self.last.remove(0);
        }
        self.last.push(event.line.to_string());
    }

    fn missing(&self, name: &str, why: &str) -> Box<dyn std::error::Error> {
        format!(
            "the event {name} {why}; the log's last lines:\n{}",
            self.last.join("\n")
        )
        .into()
    }
}
