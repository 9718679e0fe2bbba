//! An encrypted connection as a byte stream like any other.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustls::ServerConnection;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::server::TlsStream as Inner;

use super::facts::TlsFacts;
use super::not_tls::NotTls;

/// The first byte of every connection that speaks TLS: a handshake record (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 22;

/// What can be encrypted.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

/// The encrypted side, which looks at the first byte: whoever speaks plain HTTP gets an answer
/// that can be read, and not TLS's.
#[derive(Debug)]
pub(super) struct Raw<T> {
    transport: T,
    first: Option<u8>,
}

impl<T> Raw<T> {
    pub(super) fn new(transport: T) -> Self {
        Self {
            transport,
            first: None,
        }
    }

    /// Whether the client began with something else than TLS, and with what.
    pub(super) fn began_with(&self) -> Option<u8> {
        self.first
    }

    pub(super) fn transport(&mut self) -> &mut T {
        &mut self.transport
    }
}

impl<T: Stream> AsyncRead for Raw<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.transport).poll_read(task, buf))?;
        if this.first.is_none() {
            this.first = buf.filled().get(before).copied();
            if this.first.is_some_and(|first| first != HANDSHAKE) {
                return Poll::Ready(Err(NotTls::error(&buf.filled()[before..])));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: Stream> AsyncWrite for Raw<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().transport).poll_write(task, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().transport).poll_write_vectored(task, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.transport.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().transport).poll_flush(task)
    }

    fn poll_shutdown(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().transport).poll_shutdown(task)
    }
}

/// A connection whose handshake is done.
#[derive(Debug)]
pub(crate) struct TlsStream<T> {
    inner: Inner<Raw<T>>,
}

impl<T: Stream> TlsStream<T> {
    pub(super) fn new(inner: Inner<Raw<T>>) -> Self {
        Self { inner }
    }

    fn connection(&self) -> &ServerConnection {
        self.inner.get_ref().1
    }

    /// The protocol that was agreed on.
    pub(crate) fn alpn(&self) -> Option<&[u8]> {
        self.connection().alpn_protocol()
    }

    /// What apps may know of it.
    pub(crate) fn facts(&self) -> TlsFacts {
        TlsFacts::of(self.connection())
    }
}

impl<T: Stream> AsyncRead for TlsStream<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = ready!(Pin::new(&mut self.get_mut().inner).poll_read(task, buf));
        Poll::Ready(match polled {
            // HTTP knows by itself where a message ends, and half of the world's clients leave so.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
            outcome => outcome,
        })
    }
}

impl<T: Stream> AsyncWrite for TlsStream<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(task, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write_vectored(task, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(task)
    }

    fn poll_shutdown(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(task)
    }
}
