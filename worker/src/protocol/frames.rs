//! Beneath h2: sees which frames a client sends, and ends a flood of them.
//!
//! hyper has no word for a GOAWAY with a reason of ours. So at the end of the frame that was too much
//! the client's bytes are replaced by those of another flood, one that h2 itself ends: with
//! ENHANCE_YOUR_CALM, and the number of the last stream.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

use brigade_config::Limits;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::calm::{Calm, Flood};
use super::http2::PREFACE;
use crate::meter::Meter;
use crate::pulse::Pulse;

/// A frame's length, kind, flags and stream.
const HEAD: usize = 9;

/// Frames, as far as it matters here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Data,
    Headers,
    Reset,
    Continuation,
    /// Settings, pings, windows, priorities, and what nobody knows.
    Other,
}

impl Kind {
    fn of(number: u8) -> Self {
        match number {
            0 => Self::Data,
            1 => Self::Headers,
            3 => Self::Reset,
            9 => Self::Continuation,
            _ => Self::Other,
        }
    }
}

/// The beginning of a block of header fields that has no end, more of it than h2 takes with the
/// largest `limit-header-size`.
const ENDLESS: [u8; HEAD * 64] = endless();

const fn endless() -> [u8; HEAD * 64] {
    let mut bytes = [0; HEAD * 64];
    let mut at = 0;
    while at < bytes.len() {
        bytes[at + 3] = if at == 0 { 1 } else { 9 };
        // The last stream that there can be, so that it is a new one.
        bytes[at + 5] = 0x7f;
        bytes[at + 6] = 0xff;
        bytes[at + 7] = 0xff;
        bytes[at + 8] = 0xff;
        at += HEAD;
    }
    bytes
}

/// Why the client was told to calm down; known to its connection.
#[derive(Clone, Default, Debug)]
pub(super) struct Verdict(Arc<AtomicU8>);

impl Verdict {
    fn pass(&self, flood: Flood) {
        let number = match flood {
            Flood::Cancels => 1,
            Flood::Frames => 2,
        };
        self.0.store(number, Relaxed);
    }

    pub(super) fn flood(&self) -> Option<Flood> {
        match self.0.load(Relaxed) {
            1 => Some(Flood::Cancels),
            2 => Some(Flood::Frames),
            _ => None,
        }
    }
}

/// Where in the client's frames we are.
#[derive(Debug)]
struct Reader {
    calm: Calm,
    /// Bytes of the preface, or of a frame's payload, that are still to come.
    left: usize,
    head: [u8; HEAD],
    /// So many bytes of the head have come.
    known: usize,
    flood: Option<Flood>,
}

impl Reader {
    fn new(limits: &Limits) -> Self {
        Self {
            calm: Calm::new(limits),
            left: PREFACE.len(),
            head: [0; HEAD],
            known: 0,
            flood: None,
        }
    }

    /// Looks at what has come. Where a flood ends, if it is one.
    fn read(&mut self, bytes: &[u8], now_ns: u64) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            if self.left > 0 {
                let count = self.left.min(bytes.len() - at);
                self.left -= count;
                at += count;
            } else {
                let count = (HEAD - self.known).min(bytes.len() - at);
                self.head[self.known..self.known + count].copy_from_slice(&bytes[at..at + count]);
                self.known += count;
                at += count;
                if self.known < HEAD {
                    return None;
                }
                self.known = 0;
                let [high, middle, low, kind, ..] = self.head;
                self.left = u32::from_be_bytes([0, high, middle, low]) as usize;
                let flood = self.calm.began(Kind::of(kind), now_ns);
                self.flood = self.flood.or(flood);
            }
            if self.left == 0 && self.flood.is_some() {
                return Some(at);
            }
        }
        None
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Frames<T> {
    io: T,
    reader: Reader,
    verdict: Verdict,
    pulse: Arc<Pulse>,
    meter: &'static Meter,
    /// So much was read of what replaces the flood.
    replaced: Option<usize>,
}

impl<T> Frames<T> {
    pub(super) fn new(io: T, limits: &Limits, pulse: Arc<Pulse>, meter: &'static Meter) -> Self {
        Self {
            io,
            reader: Reader::new(limits),
            verdict: Verdict::default(),
            pulse,
            meter,
            replaced: None,
        }
    }

    pub(super) fn verdict(&self) -> Verdict {
        self.verdict.clone()
    }

    /// Reads on in what replaces the flood.
    fn replace(&mut self, buf: &mut ReadBuf<'_>, at: usize) {
        let rest = &ENDLESS[at..];
        let count = rest.len().min(buf.remaining());
        buf.put_slice(&rest[..count]);
        self.replaced = Some(at + count);
    }

    fn wrote(&mut self, outcome: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = outcome {
            self.reader.calm.wrote(bytes, self.meter.clock.last());
        }
        outcome
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Frames<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Some(at) = this.replaced {
            this.replace(buf, at);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.io).poll_read(task, buf))?;
        let come = &buf.filled()[before..];
        if let Some(end) = this.reader.read(come, this.meter.clock.last()) {
            if let Some(flood) = this.reader.flood {
                this.verdict.pass(flood);
            }
            buf.set_filled(before + end);
            this.replace(buf, 0);
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Frames<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.io).poll_write(task, bytes);
        this.wrote(outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.io).poll_write_vectored(task, pieces);
        this.wrote(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(task)
    }

    fn poll_shutdown(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.replaced.is_some() && !this.pulse.is_leaving() {
            // The GOAWAY that says why shall not be lost to a reset, whatever the client still
            // sends: it gets the time of one that was told to leave.
            this.pulse.begin_leaving(this.meter.clock.last());
        }
        Pin::new(&mut this.io).poll_shutdown(task)
    }
}

#[cfg(test)]
mod tests {
    use super::{ENDLESS, HEAD, Reader};
    use crate::protocol::PREFACE;
    use crate::protocol::calm::Flood;
    use brigade_config::Limits;

    fn ping() -> Vec<u8> {
        [&[0, 0, 8, 6, 0, 0, 0, 0, 0][..], &[3; 8]].concat()
    }

    #[test]
    fn a_flood_ends_with_the_frame_that_was_too_much_however_it_is_cut() {
        let limits = Limits {
            h2_frames: 3,
            h2_cancels: 3,
            ..Limits::default()
        };
        // A piece of a body looks like anything, and is not looked at.
        let data = [&[0, 0, 99, 0, 0, 0, 0, 0, 1][..], &[6; 99]].concat();
        let begin = [PREFACE, &ping(), &data, &ping(), &ping()].concat();
        let text = [&begin[..], &ping(), &ping()].concat();
        for size in [1, 2, 3, 7, 9, 40, 1000] {
            let mut reader = Reader::new(&limits);
            let mut passed = 0;
            let end = text.chunks(size).find_map(|piece| {
                let end = reader.read(piece, 0);
                passed += end.unwrap_or(piece.len());
                end
            });
            assert!(end.is_some(), "{size}");
            assert_eq!(passed, begin.len() + ping().len(), "{size}");
            assert_eq!(reader.flood, Some(Flood::Frames));
        }
    }

    #[test]
    fn what_replaces_a_flood_is_more_than_h2_takes_with_the_largest_head() {
        // Twice the largest `limit-header-size`.
        let most = (512 << 10) / 16384;
        assert!(ENDLESS.len() / HEAD > 1 + most + most / 4 + 1);
    }
}
