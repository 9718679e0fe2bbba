//! Stands between hyper and the bytes of an HTTP/1 connection, and lets nothing through that is
//! ambiguous. After an upgrade to WebSocket it keeps an eye on the frames.
//!
//! A head that is wrong is cut off at its first bad byte and ended with something that no parser
//! takes for a head, so it is hyper that answers 400, in its turn, after the answers to what came
//! before. A body that is wrong ends with an error.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::scanner::{Scanned, Scanner};
use crate::meter::Meter;
use crate::pulse::Pulse;
use crate::station::Station;
use crate::websocket::{Spoken, Watch};

/// No head goes on like this.
const POISON: &[u8] = b"\0\r\n\r\n";

/// What the bytes are.
#[derive(Debug)]
enum Mode {
    Http(Scanner),
    /// A head was wrong; so much of the poison is still to be read.
    Doomed {
        poison: &'static [u8],
    },
    /// A body was wrong.
    Broken,
    /// Not HTTP any more.
    Foreign,
    WebSocket(Box<Watch>),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Guard<T> {
    io: T,
    mode: Mode,
    /// Came too early to know what it is.
    early: Vec<u8>,
    pulse: Arc<Pulse>,
    meter: &'static Meter,
    /// Of a WebSocket, in bytes.
    longest_message: u64,
}

impl<T> Guard<T> {
    pub(crate) fn new(io: T, pulse: Arc<Pulse>, station: &Station) -> Self {
        Self {
            io,
            mode: Mode::Http(Scanner::new()),
            early: Vec::new(),
            pulse,
            meter: station.meter,
            longest_message: station.config.limits.ws_message.unwrap_or(u64::MAX),
        }
    }

    /// Sees whether the connection has changed what it speaks.
    fn notice(&mut self) {
        if self.pulse.switch.is_free() && matches!(self.mode, Mode::Http(_)) {
            self.change();
        }
    }

    #[cold]
    fn change(&mut self) {
        match self.pulse.switch.spoken() {
            Spoken::Http => {}
            Spoken::Other => self.mode = Mode::Foreign,
            Spoken::WebSocket => {
                let watch = Watch::new(Arc::clone(&self.pulse), self.meter, self.longest_message);
                self.mode = Mode::WebSocket(Box::new(watch));
            }
        }
    }

    /// Looks at what was read from `before` on; leaves what may be passed on.
    fn scan(&mut self, buf: &mut ReadBuf<'_>, before: usize) {
        let Mode::Http(scanner) = &mut self.mode else {
            return;
        };
        match scanner.scan(&buf.filled()[before..]) {
            Scanned::Whole => {}
            Scanned::Early(at) => {
                self.early.splice(..0, buf.filled()[before + at..].to_vec());
                buf.set_filled(before + at);
            }
            Scanned::BadHead(at, fault) => {
                self.pulse.marks.broke(0, fault);
                // What the client still sends is read and thrown away: a reset could overtake the
                // answer.
                self.pulse.begin_leaving(self.meter.clock.last());
                buf.set_filled(before + at);
                self.mode = Mode::Doomed {
                    poison: pour(POISON, buf),
                };
            }
            Scanned::BadBody(at, fault) => {
                self.pulse.marks.broke(scanner.heads(), fault);
                buf.set_filled(before + at);
                self.mode = Mode::Broken;
            }
        }
    }

    /// Waits for the answer to a request to switch.
    fn hold(&self, task: &Context<'_>) -> Poll<io::Result<()>> {
        self.pulse.switch.remember(task.waker());
        self.pulse.marks.hold(true);
        Poll::Pending
    }

    /// Passes on what came early, now that it is known to be HTTP. Returns whether there is
    /// anything to be waited for.
    fn release(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        let Mode::Http(scanner) = &mut self.mode else {
            return false;
        };
        if self.pulse.switch.is_answered() || self.pulse.marks.answered() < scanner.heads() {
            return true;
        }
        scanner.stays();
        self.pulse.marks.hold(false);
        let before = buf.filled().len();
        let early = std::mem::take(&mut self.early);
        self.early = pour(&early, buf).to_vec();
        self.scan(buf, before);
        buf.filled().len() == before
    }
}

/// Puts into `buf` what fits, and returns the rest.
fn pour<'a>(bytes: &'a [u8], buf: &mut ReadBuf<'_>) -> &'a [u8] {
    let (now, rest) = bytes.split_at(bytes.len().min(buf.remaining()));
    buf.put_slice(now);
    rest
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for Guard<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.notice();
        match &mut this.mode {
            Mode::Http(scanner) => {
                if !this.early.is_empty() {
                    return match this.release(buf) {
                        true => this.hold(task),
                        false => Poll::Ready(Ok(())),
                    };
                }
                if scanner.has_asked() && this.pulse.marks.answered() >= scanner.heads() {
                    scanner.stays();
                }
                let before = buf.filled().len();
                ready!(Pin::new(&mut this.io).poll_read(task, buf))?;
                if buf.filled().len() == before {
                    return Poll::Ready(Ok(()));
                }
                this.scan(buf, before);
                if buf.filled().len() > before {
                    return Poll::Ready(Ok(()));
                }
                match this.mode {
                    Mode::Broken => Poll::Ready(Err(malformed())),
                    // All of it is early.
                    _ => this.hold(task),
                }
            }
            Mode::Doomed { poison } => {
                *poison = pour(poison, buf);
                Poll::Ready(Ok(()))
            }
            Mode::Broken => Poll::Ready(Err(malformed())),
            Mode::Foreign => {
                if this.early.is_empty() {
                    return Pin::new(&mut this.io).poll_read(task, buf);
                }
                let early = std::mem::take(&mut this.early);
                this.early = pour(&early, buf).to_vec();
                Poll::Ready(Ok(()))
            }
            Mode::WebSocket(watch) => watch.poll_read(&mut this.io, &mut this.early, task, buf),
        }
    }
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "malformed body")
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guard<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.notice();
        match &mut this.mode {
            Mode::WebSocket(watch) => watch.poll_write(&mut this.io, task, bytes),
            _ => Pin::new(&mut this.io).poll_write(task, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.notice();
        match &mut this.mode {
            Mode::WebSocket(watch) => {
                let first = pieces.iter().find(|piece| !piece.is_empty());
                watch.poll_write(&mut this.io, task, first.map_or(&[], |piece| piece))
            }
            _ => Pin::new(&mut this.io).poll_write_vectored(task, pieces),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(task)
    }

    fn poll_shutdown(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(task)
    }
}
