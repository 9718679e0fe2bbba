//! The client of a case, and the Brigade that it speaks to.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::frame::{CLOSE, CONTINUATION, Frame, PONG};

/// Nothing takes longer, or it never comes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A Brigade with the echo app and one worker.
pub(crate) struct Server {
    process: Child,
    address: String,
    log: tempfile::TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        let log = tempfile::tempdir().unwrap();
        let path = log.path().join("log");
        let process = Command::new(env!("CARGO_BIN_EXE_echo"))
            .env_clear()
            .args(["serve", "--bind", "127.0.0.1:0", "--workers", "1"])
            .args(["--log-format", "json"])
            .current_dir(log.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut server = Self {
            process,
            address: String::new(),
            log,
        };
        let mut lines = BufReader::new(server.process.stderr.take().unwrap()).lines();
        let mut all = String::new();
        while !all.contains("\"fleet.ready\"") {
            let line = lines.next().expect("it starts").unwrap();
            if let Some((_, rest)) = line.split_once("\"address\":\"http://") {
                server.address = rest.split('"').next().unwrap().to_owned();
            }
            all += &line;
        }
        // A full pipe would cost lines, and a failure is explained by them.
        let mut file = File::create(path).unwrap();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                writeln!(file, "{line}").unwrap();
            }
        });
        server
    }

    /// What it has logged since it was ready.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log.path().join("log")).unwrap()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.process.id().cast_signed());
        kill(pid, signal).unwrap();
    }

    /// A WebSocket.
    pub(crate) fn open(&self) -> Client {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "GET / HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            self.address
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        let accept = "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
        assert!(head.contains(accept), "{head}");
        Client { stream }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Killed, it would leave its worker to itself.
        let pid = Pid::from_raw(self.process.id().cast_signed());
        let _ = kill(pid, Signal::SIGQUIT);
        let _ = self.process.wait();
    }
}

/// One end of a WebSocket.
pub(crate) struct Client {
    stream: TcpStream,
}

impl Client {
    /// Sends bytes, so many at a time if told. That the server has left is no fault here.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8], chop: Option<usize>) {
        let size = chop.unwrap_or(bytes.len()).max(1);
        for piece in bytes.chunks(size) {
            if self.stream.write_all(piece).is_err() {
                return;
            }
        }
    }

    pub(crate) fn send(&mut self, frame: &Frame) {
        self.send_bytes(&frame.masked(), None);
    }

    /// Says nothing more, or hears nothing more.
    pub(crate) fn shut(&self, how: Shutdown) {
        self.stream.shutdown(how).unwrap();
    }

    /// The next frame, or none at the end of the connection.
    pub(crate) fn receive(&mut self) -> Option<Frame> {
        match Frame::read(&mut self.stream) {
            Ok(frame) => Some(frame),
            Err(error) if is_end(&error) => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// The next message, whole, however it was cut.
    pub(crate) fn receive_message(&mut self) -> Option<Frame> {
        let mut message = self.receive()?;
        while !message.is_last {
            let next = self.receive()?;
            assert_eq!(next.opcode, CONTINUATION, "{next:?}");
            message.payload.extend(next.payload);
            message.is_last = next.is_last;
        }
        Some(message)
    }

    /// The server fails the connection: with one of these codes, or without a word. Echoes and
    /// pongs that it owed before may come first.
    pub(crate) fn fails_with(mut self, codes: &[u16]) -> Result<(), String> {
        loop {
            match self.receive_message() {
                None => return Ok(()),
                Some(frame) if frame.opcode == CLOSE => {
                    let code = frame.code();
                    if !code.is_some_and(|code| codes.contains(&code)) {
                        return Err(format!("closed with {code:?}, not one of {codes:?}"));
                    }
                    return self.ends();
                }
                Some(_) => {}
            }
        }
    }

    /// The server closes the connection now, and says nothing more.
    pub(crate) fn ends(mut self) -> Result<(), String> {
        match self.receive() {
            None => Ok(()),
            Some(frame) => Err(format!("after the end comes {frame:?}")),
        }
    }

    /// A closing handshake that the client begins.
    pub(crate) fn closes_with(mut self, close: &Frame, answer: Option<u16>) -> Result<(), String> {
        self.send(close);
        loop {
            match self.receive_message() {
                Some(frame) if frame.opcode == CLOSE => {
                    if frame.code() != answer {
                        return Err(format!("answered {:?}, not {answer:?}", frame.code()));
                    }
                    return self.ends();
                }
                Some(frame) if frame.opcode == PONG => {}
                other => return Err(format!("{other:?} instead of a close frame")),
            }
        }
    }
}

fn is_end(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
    )
}
