//! Passes the workers' output on: every line whole, with the slot and the stream it came from.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use brigade_shared::log::{self, Form, Pending, Sink};
use tracing::{info, warn};

use crate::roster::Member;

/// Where the workers' lines go.
#[derive(Debug)]
pub(crate) struct Passing {
    /// Our standard output; none if it is closed.
    out: Option<Sink>,
}

/// Which of its two streams a worker wrote to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Whose line it is.
#[derive(Clone, Copy)]
struct Speaker {
    slot: u16,
    pid: i32,
    generation: u32,
    worker: u64,
}

impl Speaker {
    fn of(member: &Member) -> Self {
        Self {
            slot: member.slot.0,
            pid: member.pid.as_raw(),
            generation: member.generation.0,
            worker: member.worker.0,
        }
    }
}

impl Passing {
    /// To this process's standard output and, for errors, its log.
    pub(crate) fn new() -> Self {
        Self {
            out: Sink::to(io::stdout().as_fd()).ok(),
        }
    }

    /// What waits to be written, for another program that goes on with it.
    pub(crate) fn pending(&self) -> Pending {
        self.out.as_ref().map(Sink::pending).unwrap_or_default()
    }

    /// Goes on with what waited in another program.
    pub(crate) fn resume(&mut self, pending: Pending) {
        if let Some(sink) = &mut self.out {
            sink.resume(pending);
        }
    }

    /// Passes on what has come on one stream of a worker.
    pub(crate) fn read(&mut self, member: &mut Member, stream: Stream) {
        let who = Speaker::of(member);
        let from = match stream {
            Stream::Out => &mut member.out,
            Stream::Err => &mut member.err,
        };
        from.read(|line| self.pass(who, stream, line));
    }

    /// Passes on what is left on both streams of a worker that has ended.
    pub(crate) fn finish(&mut self, member: &mut Member) {
        let who = Speaker::of(member);
        member.out.finish(|line| self.pass(who, Stream::Out, line));
        member.err.finish(|line| self.pass(who, Stream::Err, line));
    }

    /// Tries again to write what a slow reader held up; whether some still waits.
    pub(crate) fn flush(&mut self) -> bool {
        let Some(sink) = &mut self.out else {
            return false;
        };
        let waits = !sink.flush();
        let lines = sink.take_dropped();
        if lines > 0 {
            let stream = Stream::Out.name();
            warn!(
                event = "log.dropped",
                lines, stream, "{lines} lines of the workers' standard output could not be written"
            );
        }
        waits
    }

    /// Gives what waits some time, at the end of the process.
    pub(crate) fn finish_all(&mut self, patience: Duration) {
        if let Some(sink) = &mut self.out {
            sink.finish(patience);
        }
        self.flush();
    }

    fn pass(&mut self, who: Speaker, stream: Stream, line: &str) {
        let Speaker {
            slot,
            pid,
            generation,
            worker,
        } = who;
        let name = stream.name();
        if log::form() == Some(Form::Json) {
            info!(target: log::ALWAYS, event = "worker.output", slot, pid, generation,
                worker, stream = name, line, "[{slot} {name}] {line}");
            return;
        }
        let text = format!("[{slot} {name}] {line}");
        match (stream, &mut self.out) {
            (Stream::Out, Some(sink)) => sink.write_line(text.as_bytes()),
            (Stream::Out, None) | (Stream::Err, _) => log::raw_line(&text),
        }
    }
}

impl Stream {
    fn name(self) -> &'static str {
        match self {
            Self::Out => "out",
            Self::Err => "err",
        }
    }
}
