//! Somebody speaks something else where TLS is spoken: if it may be HTTP, it has an answer.

use std::error::Error;
use std::fmt;
use std::io;

use crate::access::Unread;
use crate::peer::{Line, Peer};
use crate::station::Station;

/// What a browser shows whose user has typed `http://`.
pub(super) const SPEAKS_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\
    content-type: text/plain\r\ncontent-length: 42\r\n\r\n\
    This port speaks TLS: ask it by https://.\n";
const BODY: u64 = 42;
/// So much is kept of what came: the longest line that the access log tells of.
const MOST_KEPT: usize = 2000;

/// The begin of what came in place of a handshake.
#[derive(Debug)]
pub(super) struct NotTls(Box<[u8]>);

impl NotTls {
    pub(super) fn error(bytes: &[u8]) -> io::Error {
        let begin = &bytes[..bytes.len().min(MOST_KEPT)];
        io::Error::new(io::ErrorKind::InvalidInput, Self(begin.into()))
    }

    /// Whether this is why a handshake failed.
    pub(super) fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    pub(super) fn may_be_http(&self) -> bool {
        self.0.first().is_some_and(u8::is_ascii_alphabetic)
    }
}

impl fmt::Display for NotTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the client does not speak TLS")
    }
}

impl Error for NotTls {}

/// For the access log: a handshake has failed, and if that was a request, it was answered.
#[cold]
pub(crate) fn write_down(error: &io::Error, station: &Station, line: Line) {
    let Some(plain) = NotTls::of(error).filter(|plain| plain.may_be_http()) else {
        return;
    };
    let unread = Unread {
        head: &plain.0,
        status: 400,
        answer: Some(BODY),
        began_ns: station.meter.clock.last(),
        took_ns: 0,
    };
    station.access.refused(station, &Peer::new(line), &unread);
}
