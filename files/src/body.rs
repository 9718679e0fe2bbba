//! The body of an answer: bytes, or what is still to be read of a file.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use brigade_shared::sys::beneath::Patience;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::buffers::lend;
use crate::readers::Readers;
use crate::shelf::File;

/// How much is read at a time. A file of at most this size leaves with its head.
pub(crate) const CHUNK: usize = 64 << 10;

/// The body of an answer of [`Files`](crate::Files).
#[derive(Debug)]
pub struct FileBody(Inner);

#[derive(Debug)]
enum Inner {
    /// All that is left.
    Bytes(Bytes),
    Reading(Box<Reading>),
}

struct Reading {
    file: Arc<File>,
    readers: Readers,
    /// Read, and not yet taken.
    next: Option<Bytes>,
    /// From here on to `end` it is still to be read.
    at: u64,
    end: u64,
    job: Option<Job>,
}

type Job = Pin<Box<dyn Future<Output = io::Result<Vec<u8>>> + Send>>;

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (at, end) = (self.at, self.end);
        write!(f, "Reading {at}..{end}")
    }
}

impl FileBody {
    /// These bytes.
    pub(crate) fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self(Inner::Bytes(bytes.into()))
    }

    /// `first`, and then what the file has from `at` to `end`.
    pub(crate) fn file(file: File, first: Vec<u8>, at: u64, end: u64, readers: Readers) -> Self {
        if at == end {
            return Self::bytes(lend(first));
        }
        Self(Inner::Reading(Box::new(Reading {
            file: Arc::new(file),
            readers,
            next: Some(lend(first)),
            at,
            end,
            job: None,
        })))
    }
}

impl Reading {
    /// What is left, in bytes.
    fn left(&self) -> u64 {
        let ready = self.next.as_ref().map_or(0, Bytes::len);
        ready as u64 + (self.end - self.at)
    }

    fn poll_next(&mut self, task: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        if let Some(next) = self.next.take() {
            return Poll::Ready(Ok(next));
        }
        let left = self.end - self.at;
        let count = usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK));
        let read = match &mut self.job {
            Some(job) => ready!(job.as_mut().poll(task)),
            None => match self.file.read(self.at, count, Patience::None) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let (file, at) = (Arc::clone(&self.file), self.at);
                    let job = move || file.read(at, count, Patience::Any);
                    let job = self.job.insert(Box::pin(self.readers.clone().run(job)));
                    ready!(job.as_mut().poll(task))
                }
                read => read,
            },
        };
        self.job = None;
        let bytes = read?;
        if bytes.is_empty() {
            // The length is promised: all that is left is to break off.
            self.at = self.end;
            let words = "the file became shorter while it was sent";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, words)));
        }
        self.at += bytes.len() as u64;
        Poll::Ready(Ok(lend(bytes)))
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match &mut self.0 {
            Inner::Bytes(bytes) if bytes.is_empty() => Poll::Ready(None),
            Inner::Bytes(bytes) => {
                let all = std::mem::take(bytes);
                Poll::Ready(Some(Ok(Frame::data(all))))
            }
            Inner::Reading(reading) if reading.left() == 0 => Poll::Ready(None),
            Inner::Reading(reading) => {
                let next = ready!(reading.poll_next(task));
                Poll::Ready(Some(next.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.size_hint().exact() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match &self.0 {
            Inner::Bytes(bytes) => bytes.len() as u64,
            Inner::Reading(reading) => reading.left(),
        })
    }
}
