//! Whom to ask, for what, and what to expect.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::answer::{Answer, judge};
use crate::outcome::Outcome;

/// A server that has not answered for so long is taken for hung.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Whom to ask, for what, and what to expect.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    /// The server's.
    pub(crate) address: SocketAddr,
    /// The length of the body that it must answer with, if known.
    pub(crate) body: Option<usize>,
}

impl Target {
    /// The request, as short as wrk's, with or without the wish to close afterwards.
    pub(super) fn request(&self, close: bool) -> Vec<u8> {
        let wish = if close { "Connection: close\r\n" } else { "" };
        format!("GET / HTTP/1.1\r\nHost: {}\r\n{wish}\r\n", self.address).into_bytes()
    }

    /// A connection, one request on it and its answer.
    pub(crate) fn ask_once(&self) -> Outcome<TcpStream> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(&self.request(false))?;
        let mut received = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let read = stream.read(&mut buffer)?;
            received.extend_from_slice(&buffer[..read]);
            match judge(&received, self.body) {
                Answer::Whole { .. } => return Ok(stream),
                Answer::Partial if read > 0 => {}
                other => {
                    let words = String::from_utf8_lossy(&received);
                    return Err(format!("{} answered ({other:?}): {words}", self.address).into());
                }
            }
        }
    }
}
