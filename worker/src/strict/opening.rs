//! The first frame of an HTTP/2 client has to be SETTINGS (RFC 9113, 3.4), which h2 does not ask for.
//! Any other is changed into one that is wrong in h2's eyes too, so that it ends the connection. What follows
//! is looked at for trailers.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::trailers::Frames;

/// The preface has so many bytes.
const PREFACE: usize = 24;
/// Where, behind the preface and the frame's length, its kind stands; then flags and stream.
const KIND: usize = 27;
const FLAGS: usize = 28;
/// The end of the stream's number: no stream has SETTINGS.
const STREAM: usize = 32;

const SETTINGS: u8 = 4;
const ACKNOWLEDGED: u8 = 1;

/// See the module.
#[derive(Debug)]
pub(crate) struct Opening<T> {
    io: T,
    /// So many bytes of the preface and the first frame's head have come.
    come: usize,
    is_wrong: bool,
    frames: Frames,
}

impl<T> Opening<T> {
    pub(crate) fn new(io: T) -> Self {
        Self {
            io,
            come: 0,
            is_wrong: false,
            frames: Frames::behind(PREFACE),
        }
    }

    fn look(&mut self, bytes: &mut [u8]) {
        for byte in bytes.iter_mut().take(STREAM + 1 - self.come) {
            match self.come {
                KIND => {
                    self.is_wrong = *byte != SETTINGS;
                    *byte = SETTINGS;
                }
                FLAGS => {
                    self.is_wrong |= *byte & ACKNOWLEDGED != 0;
                    *byte &= !ACKNOWLEDGED;
                }
                STREAM if self.is_wrong => *byte |= 1,
                _ => {}
            }
            self.come += 1;
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Opening<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        // Nothing read would mean the end: while all that came is held back, more is read.
        while buf.filled().len() == before {
            let ready = this.frames.ready();
            if !ready.is_empty() {
                let most = ready.len().min(buf.remaining());
                buf.put_slice(&ready.split_to(most));
                break;
            }
            ready!(Pin::new(&mut this.io).poll_read(task, buf))?;
            if this.come <= STREAM {
                this.look(&mut buf.filled_mut()[before..]);
            }
            let come = &buf.filled()[before..];
            if come.is_empty() {
                this.frames.ended();
                if this.frames.ready().is_empty() {
                    break;
                }
            } else {
                let passed = this.frames.come(come);
                buf.set_filled(before + passed);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Opening<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write(task, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write_vectored(task, pieces)
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

#[cfg(test)]
mod tests {
    use super::Opening;

    /// What h2 gets to see of a preface and these bytes, in pieces of this size.
    fn seen(frame: &[u8], size: usize) -> Vec<u8> {
        let mut text = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", frame].concat();
        let mut opening = Opening::new(());
        for piece in text.chunks_mut(size) {
            opening.look(piece);
        }
        text.split_off(24)
    }

    #[test]
    fn settings_pass_and_anything_else_becomes_settings_of_a_stream() {
        for size in [1, 5, 30, 100] {
            let settings = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 9, 4];
            assert_eq!(seen(&settings, size), settings);
            let ping = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
            assert_eq!(seen(&ping, size)[..9], [0, 0, 8, 4, 0, 0, 0, 0, 1]);
            let acknowledged = [0, 0, 0, 4, 1, 0, 0, 0, 0];
            assert_eq!(seen(&acknowledged, size), [0, 0, 0, 4, 0, 0, 0, 0, 1]);
        }
    }
}
