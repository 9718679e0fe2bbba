//! Follows the frames of one WebSocket in both directions, and closes it in the app's stead.
//!
//! ```text
//! Open --told to close, and no frame of the app under way--> Closing (the close frame goes out)
//!   --> Closed: what the app writes goes nowhere; it reads until the peer has closed, too,
//!       has gone, or time is up
//! ```
//!
//! The app's library sees an orderly close by the peer: the peer's answer to our close frame.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use brigade_shared::board::Counter;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::frames::{Frame, Frames};
use super::switch::Reason;
use crate::meter::Meter;
use crate::pulse::Pulse;

/// How long a peer may take to answer a close frame.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug)]
enum State {
    Open,
    /// The app has sent its close frame: all is in its hands.
    ClosedByApp,
    /// So much of our close frame is written.
    Closing {
        frame: [u8; 4],
        written: usize,
    },
    /// None: on a thread without timers.
    Closed {
        until: Option<Pin<Box<Sleep>>>,
    },
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Watch {
    state: State,
    incoming: Frames,
    outgoing: Frames,
    /// So long is the message that is coming in, so far.
    message: u64,
    longest: u64,
    /// A message was too big: nothing more is passed on.
    is_deaf: bool,
    pulse: Arc<Pulse>,
    meter: &'static Meter,
}

impl Watch {
    /// `longest`: of a message that comes in, in bytes.
    pub(crate) fn new(pulse: Arc<Pulse>, meter: &'static Meter, longest: u64) -> Self {
        Self {
            state: State::Open,
            incoming: Frames::default(),
            outgoing: Frames::default(),
            message: 0,
            longest,
            is_deaf: false,
            pulse,
            meter,
        }
    }

    /// Reads, `early` first: what came with the request.
    pub(crate) fn poll_read<T: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        io: &mut T,
        early: &mut Vec<u8>,
        task: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let outcome = self.poll_once(io, early, task, buf);
        if outcome.is_ready() {
            return outcome;
        }
        self.pulse.switch.remember(task.waker());
        // Told to close, by another thread, before it knew whom to wake.
        match self.shall_close() {
            Some(_) => self.poll_once(io, early, task, buf),
            None => Poll::Pending,
        }
    }

    fn poll_once<T: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        io: &mut T,
        early: &mut Vec<u8>,
        task: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // A write that has to wait does not keep us from reading.
        let _ = self.poll_close(io, task)?;
        if self.is_over(task) {
            return Poll::Ready(Ok(()));
        }
        if self.is_deaf {
            return self.poll_discard(io, task);
        }
        let before = buf.filled().len();
        if early.is_empty() {
            ready!(Pin::new(&mut *io).poll_read(task, buf))?;
        } else {
            let count = early.len().min(buf.remaining());
            buf.put_slice(&early[..count]);
            early.drain(..count);
        }
        if let Some(at) = self.too_big(&buf.filled()[before..]) {
            buf.set_filled(before + at);
            self.is_deaf = true;
            self.pulse.switch.close(Reason::TooBig);
            let _ = self.poll_close(io, task)?;
            if buf.filled().len() == before {
                return match self.is_over(task) {
                    true => Poll::Ready(Ok(())),
                    false => self.poll_discard(io, task),
                };
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Writes what the app says.
    pub(crate) fn poll_write<T: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        io: &mut T,
        task: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_close(io, task))?;
        if matches!(self.state, State::Closed { .. }) {
            // Nothing may follow a close frame.
            return Poll::Ready(Ok(bytes.len()));
        }
        let bytes = match self.pulse.switch.closing() {
            Some(_) if matches!(self.state, State::Open) => {
                &bytes[..self.outgoing.to_its_end(bytes)]
            }
            _ => bytes,
        };
        let written = ready!(Pin::new(io).poll_write(task, bytes))?;
        let mut sent = &bytes[..written];
        while !sent.is_empty() {
            let (used, frame) = self.outgoing.follow(sent);
            sent = &sent[used..];
            if frame.is_some_and(|frame| frame.opcode == Frame::CLOSE) {
                self.state = State::ClosedByApp;
            }
        }
        Poll::Ready(Ok(written))
    }

    /// Sends the close frame, if it is time to. Ready when there is nothing to be written.
    #[inline]
    fn poll_close<T: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        io: &mut T,
        task: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        match &self.state {
            State::Open if self.pulse.switch.closing().is_none() => Poll::Ready(Ok(())),
            _ => self.poll_closing(io, task),
        }
    }

    fn poll_closing<T: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        io: &mut T,
        task: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            match &mut self.state {
                State::Open => match self.shall_close() {
                    Some(code) => {
                        let [high, low] = code.to_be_bytes();
                        self.state = State::Closing {
                            frame: [0x80 | Frame::CLOSE, 2, high, low],
                            written: 0,
                        };
                    }
                    None => return Poll::Ready(Ok(())),
                },
                State::Closing { frame, written } if *written < frame.len() => {
                    let rest = &frame[*written..];
                    match ready!(Pin::new(&mut *io).poll_write(task, rest))? {
                        0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                        count => *written += count,
                    }
                }
                State::Closing { .. } => {
                    ready!(Pin::new(&mut *io).poll_flush(task))?;
                    let has_timers = tokio::runtime::Handle::try_current().is_ok();
                    let until = has_timers.then(|| Box::pin(tokio::time::sleep(PATIENCE)));
                    self.state = State::Closed { until };
                    self.count();
                }
                State::ClosedByApp | State::Closed { .. } => return Poll::Ready(Ok(())),
            }
        }
    }

    /// The code to close with, if it was told to and no frame of the app is under way.
    fn shall_close(&self) -> Option<u16> {
        let code = self.pulse.switch.closing()?;
        let is_between = matches!(self.state, State::Open) && self.outgoing.is_between();
        is_between.then_some(code)
    }

    fn count(&self) {
        let counter = match self.is_deaf {
            true => Counter::WebSocketsTooBig,
            false => Counter::WebSocketsRestarted,
        };
        self.meter.row.count(counter, 1);
    }

    /// Whether the app shall see the end now.
    fn is_over(&mut self, task: &mut Context<'_>) -> bool {
        match &mut self.state {
            State::Closed { until: Some(until) } => until.as_mut().poll(task).is_ready(),
            State::Closed { until: None } => self.is_deaf,
            // It is in the middle of a frame, so no close frame can be sent.
            State::Open | State::ClosedByApp => self.is_deaf,
            State::Closing { .. } => false,
        }
    }

    /// Waits for the peer's end, without a look at what it says: a close that left something
    /// unread would become a reset, which may overtake our close frame.
    fn poll_discard<T: AsyncRead + Unpin>(
        &mut self,
        io: &mut T,
        task: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let mut room = [0; 4096];
        loop {
            let mut buf = ReadBuf::new(&mut room);
            ready!(Pin::new(&mut *io).poll_read(task, &mut buf))?;
            let mut bytes = buf.filled();
            if bytes.is_empty() {
                return Poll::Ready(Ok(()));
            }
            while !bytes.is_empty() {
                let (used, frame) = self.incoming.follow(bytes);
                bytes = &bytes[used..];
                if frame.is_some_and(|frame| frame.opcode == Frame::CLOSE) {
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }

    /// Follows what comes in. Returns where a frame begins to make its message too big, if one
    /// does.
    fn too_big(&mut self, bytes: &[u8]) -> Option<usize> {
        let (mut position, mut begin) = (0, 0);
        while position < bytes.len() {
            if self.incoming.is_between() {
                begin = position;
            }
            let (used, frame) = self.incoming.follow(&bytes[position..]);
            position += used;
            let Some(frame) = frame.filter(|frame| !frame.is_control()) else {
                continue;
            };
            self.message = self.message.saturating_add(frame.length);
            if self.message > self.longest {
                return Some(begin);
            }
            if frame.is_last {
                self.message = 0;
            }
        }
        None
    }
}
