//! One client of a load: it asks, checks every byte of the answer, and accounts for the request.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::account::{Account, FirstByte, Loss};
use super::http::{Answer, Connection, Peer, Trouble};
use super::load::{Kind, Load, Shared};
use super::process::Process;

/// One client thread.
#[derive(Debug)]
pub(super) struct Client {
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

const TOO_MANY: usize = 1_000;

impl Client {
    pub(super) fn new(load: Load, number: usize, shared: Arc<Shared>) -> Self {
        Self {
            load,
            number,
            shared,
            account: Account::default(),
            random: 0x9E37_79B9 ^ (number as u64 + 1),
        }
    }

    pub(super) fn run(mut self) -> Account {
        let mut line = None;
        // More losses than any test excuses: the server is gone.
        while !self.think() && self.account.losses.len() < TOO_MANY {
            let begin = Instant::now();
            // A connection closed while it was idle is no loss: nothing had been asked.
            line = line.and_then(|line| self.still_open(line));
            match self.turn(&mut line, begin) {
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
            self.shared.ended();
        }
        self.account
    }

    /// A random moment, so that requests meet every phase of what the server does. Tells whether
    /// it is time to stop.
    fn think(&mut self) -> bool {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let most = u64::try_from(self.load.think.as_micros()).unwrap_or(u64::MAX);
        let pause = Duration::from_micros(self.random % most.max(1));
        self.shared.pause(pause)
    }

    fn still_open(&mut self, mut line: Line) -> Option<Line> {
        let quiet = line.connection.peer() == Peer::Quiet;
        self.account.closed_idle += u64::from(!quiet);
        quiet.then_some(line)
    }

    /// One request, on the open connection or a new one.
    fn turn(&mut self, line: &mut Option<Line>, begin: Instant) -> Result<(), Trouble> {
        let open = match line.take() {
            Some(open) => open,
            None => Line {
                connection: Connection::open(&self.load.address)?,
                process: None,
                answered: 0,
            },
        };
        let open = line.insert(open);
        let (last, keep_alive) = match self.load.kind.clone() {
            Kind::Demo { keep_alive } if open.answered % 2 == 1 => (self.echo(open)?, keep_alive),
            Kind::Demo { keep_alive } => (self.greet(open, "/")?, keep_alive),
            Kind::Path { keep_alive, path } => (self.greet(open, &path)?, keep_alive),
            Kind::Uploads { pieces, pause } => (self.upload(open, pieces, pause)?, true),
            Kind::Downloads { chunks, ms } => (download(open, chunks, ms)?, true),
        };
        open.answered += 1;
        if open.answered == 1 {
            let answered = open.connection.first_byte.unwrap_or_else(Instant::now);
            self.account.first_bytes.push(FirstByte {
                begin,
                took: answered - begin,
                process: open.process,
            });
        }
        if last || !keep_alive {
            *line = None;
        }
        Ok(())
    }

    /// Asks who is there. Tells whether the answer was the last on this connection.
    fn greet(&mut self, line: &mut Line, path: &str) -> Result<bool, Trouble> {
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
        if line.process.is_none() {
            *self.account.connections.entry(process).or_default() += 1;
        }
        line.process = Some(process);
        *self.account.by_process.entry(process).or_default() += 1;
        self.account.generations.extend(answer.number("generation"));
        Ok(answer.is_last())
    }

    /// Lets something be repeated.
    fn echo(&self, line: &mut Line) -> Result<bool, Trouble> {
        let token = format!("client {} request {}", self.number, self.account.answered);
        let answer = line.connection.post("/echo", token.as_bytes())?;
        repeats(&answer, token.as_bytes())?;
        Ok(answer.is_last())
    }

    /// The same, piece by piece: the body of the request comes slowly.
    fn upload(&self, line: &mut Line, pieces: u32, pause: Duration) -> Result<bool, Trouble> {
        let number = self.number;
        let words = |piece| format!("piece {piece} of {pieces} from client {number}\n");
        let body: String = (0..pieces).map(words).collect();
        let length = body.len();
        line.connection.send(format!(
            "POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: {length}\r\n\r\n"
        ))?;
        for piece in 0..pieces {
            self.shared.pause(pause);
            line.connection.send(words(piece))?;
        }
        let answer = line.connection.receive()?;
        repeats(&answer, body.as_bytes())?;
        Ok(answer.is_last())
    }
}

fn repeats(answer: &Answer, body: &[u8]) -> Result<(), Trouble> {
    if answer.status == 200 && answer.body == body {
        return Ok(());
    }
    let said = String::from_utf8_lossy(body);
    Err(Trouble::Wrong(format!("not {said:?}: {answer:?}")))
}

/// An answer that comes slowly.
fn download(line: &mut Line, chunks: u32, ms: u32) -> Result<bool, Trouble> {
    let path = format!("/stream?chunks={chunks}&ms={ms}");
    let answer = line.connection.get(&path)?;
    let words = |chunk| format!("chunk {chunk} of {chunks}\n");
    let whole: String = (1..=chunks).map(words).collect();
    repeats(&answer, whole.as_bytes())?;
    Ok(answer.is_last())
}
