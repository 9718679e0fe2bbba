//! An example as a process: its start, its address, its end.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// Longer than anything takes on a crowded machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The path of an example's binary.
macro_rules! binary {
    ($name:literal) => {
        env!(concat!("CARGO_BIN_EXE_", $name))
    };
}
pub(crate) use binary;

/// An example that runs.
pub(crate) struct Example {
    process: Child,
    lines: Receiver<String>,
    /// Where it listens: `127.0.0.1:8000`.
    pub(crate) address: String,
}

impl Example {
    /// Starts `BINARY serve` on a free port, and waits until it is ready.
    pub(crate) fn start(binary: &str, options: &[&str]) -> Self {
        let mut process = Command::new(binary)
            // Whoever runs the tests may have keys of his own.
            .env_clear()
            .args(["serve", "--port", "0", "--log-format", "json"])
            .args(options)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = process.stderr.take().unwrap();
        let (tell, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                eprintln!("{line}");
                let _ = tell.send(line);
            }
        });
        let mut example = Self {
            process,
            lines,
            address: String::new(),
        };
        let listening = example.wait_for("supervisor.listening");
        let (_, address) = listening.split_once("\"address\":\"http://").unwrap();
        example.address = address.split('"').next().unwrap().to_owned();
        example.wait_for("fleet.ready");
        example
    }

    fn wait_for(&self, event: &str) -> String {
        let wanted = format!("\"event\":\"{event}\"");
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap();
            if line.contains(&wanted) {
                return line;
            }
        }
    }

    /// A new connection to it.
    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Tells it to stop, which it does.
    pub(crate) fn stop(mut self) {
        self.terminate();
        assert_eq!(self.process.wait().unwrap().code(), Some(0));
    }

    fn terminate(&self) {
        let pid = self.process.id().to_string();
        let killed = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(killed.unwrap().success());
    }
}

impl Drop for Example {
    /// After a failure: its workers leave with it.
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
