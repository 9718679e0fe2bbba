//! Reads along with hyper: where every message of a connection begins and ends, by the letter of
//! RFC 9112, so that hyper gets nothing that somebody in front of Brigade could have read
//! differently. hyper takes LF for a line's end, prefers `transfer-encoding` to `content-length`,
//! and takes the same length twice.
//!
//! ```text
//! Before -> Head -> [Length | Chunked -> Trailers] -> Before
//!                                      +-> Asked (an upgrade or CONNECT: until it is answered)
//! ```

use super::chunks::Chunks;
use super::fault::Fault;
use super::line_end::line_end;
use super::lines::{Framing, trailer};

/// The longest line that is kept until its end has come; a limit of the worker refuses it before.
const LONGEST: usize = 256 * 1024;

/// The most bytes of trailers. hyper has no room for 16 KiB, and would break off the connection
/// without an answer.
const TRAILERS: usize = 15 * 1024;
/// The most trailers; hyper takes as many as fields in a head.
const MOST_TRAILERS: usize = 64;

/// Where in a message the next byte belongs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum At {
    /// Between messages; so many empty lines have come.
    Before {
        empty: u8,
    },
    Head(Framing),
    Length(u64),
    Chunked(Chunks),
    Trailers,
    /// After a request to speak something else, whose answer is not known.
    Asked,
}

/// What came of some bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Scanned {
    /// All of them are in order.
    Whole,
    /// From here on nobody knows yet what they are: a request to switch has not been answered.
    Early(usize),
    /// The byte at which a head went wrong.
    BadHead(usize, Fault),
    /// The byte at which a body went wrong.
    BadBody(usize, Fault),
}

/// See the module.
#[derive(Debug)]
pub(super) struct Scanner {
    at: At,
    asks_to_switch: bool,
    /// The begin of a line whose end has not come.
    carry: Vec<u8>,
    heads: u64,
    /// How many trailers have come, and their bytes.
    trailers: (usize, usize),
}

/// What came of bytes in pieces of this size, and how many heads were whole before.
#[cfg(feature = "fuzzing")]
pub(crate) fn scan_for_fuzzing(bytes: &[u8], size: usize) -> (&'static str, u64) {
    let mut scanner = Scanner::new();
    for piece in bytes.chunks(size.max(1)) {
        let end = match scanner.scan(piece) {
            Scanned::Whole => continue,
            Scanned::Early(_) => "early",
            Scanned::BadHead(..) => "bad head",
            Scanned::BadBody(..) => "bad body",
        };
        return (end, scanner.heads());
    }
    ("whole", scanner.heads())
}

impl Scanner {
    pub(super) const fn new() -> Self {
        Self {
            at: At::Before { empty: 0 },
            asks_to_switch: false,
            carry: Vec::new(),
            heads: 0,
            trailers: (0, 0),
        }
    }

    /// How many heads were complete.
    pub(super) const fn heads(&self) -> u64 {
        self.heads
    }

    /// Whether the last request asks for another protocol and is complete.
    pub(super) fn has_asked(&self) -> bool {
        self.at == At::Asked
    }

    /// The request was answered, and HTTP goes on.
    pub(super) fn stays(&mut self) {
        self.at = At::Before { empty: 0 };
    }

    /// Reads on.
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Scanned {
        let mut position = 0;
        while position < bytes.len() {
            let rest = &bytes[position..];
            match &mut self.at {
                At::Before { .. } | At::Head(_) | At::Trailers => match self.line(rest) {
                    Ok(used) => position += used,
                    Err((used, fault)) => return self.bad(position + used, fault),
                },
                At::Length(left) => {
                    let taken = usize::try_from(*left).map_or(rest.len(), |n| n.min(rest.len()));
                    *left -= taken as u64;
                    position += taken;
                    if *left == 0 {
                        self.end();
                    }
                }
                At::Chunked(chunks) => match chunks.read(rest) {
                    Ok((used, is_last)) => {
                        position += used;
                        if is_last {
                            self.trailers = (0, 0);
                            self.at = At::Trailers;
                        }
                    }
                    Err((used, fault)) => return self.bad(position + used, fault),
                },
                At::Asked => return Scanned::Early(position),
            }
        }
        Scanned::Whole
    }

    fn bad(&self, position: usize, fault: Fault) -> Scanned {
        match self.at {
            At::Before { .. } | At::Head(_) | At::Asked => Scanned::BadHead(position, fault),
            At::Length(_) | At::Chunked(_) | At::Trailers => Scanned::BadBody(position, fault),
        }
    }

    /// Takes the next line, or what there is of it. Returns how many bytes that was.
    fn line(&mut self, bytes: &[u8]) -> Result<usize, (usize, Fault)> {
        if self.carry.last() == Some(&b'\r') {
            if bytes[0] != b'\n' {
                return Err((0, Fault::BareReturn));
            }
            let line = std::mem::take(&mut self.carry);
            self.complete(&line[..line.len() - 1])
                .map_err(|fault| (0, fault))?;
            return Ok(1);
        }
        let Some(end) = line_end(bytes) else {
            return self.keep(bytes);
        };
        if bytes[end] == b'\n' {
            return Err((end, Fault::BareLineFeed));
        }
        match bytes.get(end + 1) {
            None => return self.keep(bytes),
            Some(b'\n') => {}
            Some(_) => return Err((end, Fault::BareReturn)),
        }
        let outcome = if self.carry.is_empty() {
            self.complete(&bytes[..end])
        } else {
            let mut line = std::mem::take(&mut self.carry);
            line.extend_from_slice(&bytes[..end]);
            self.complete(&line)
        };
        outcome.map_err(|fault| (end + 1, fault))?;
        Ok(end + 2)
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<usize, (usize, Fault)> {
        if self.carry.len() + bytes.len() > LONGEST {
            return Err((0, Fault::LongLine));
        }
        self.carry.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    /// A line is complete; it comes without its end.
    fn complete(&mut self, line: &[u8]) -> Result<(), Fault> {
        match &mut self.at {
            At::Before { empty: 0 } if line.is_empty() => self.at = At::Before { empty: 1 },
            At::Before { .. } if line.is_empty() => return Err(Fault::EmptyLines),
            At::Before { .. } => self.at = At::Head(Framing::begin(line)?),
            At::Head(framing) if line.is_empty() => {
                let framing = *framing;
                framing.end()?;
                self.head(&framing);
            }
            At::Head(framing) => framing.field(line)?,
            At::Trailers if line.is_empty() => self.end(),
            At::Trailers => {
                trailer(line)?;
                let (count, bytes) = self.trailers;
                self.trailers = (count + 1, bytes + line.len());
                if count >= MOST_TRAILERS || self.trailers.1 > TRAILERS {
                    return Err(Fault::Endless);
                }
            }
            At::Length(_) | At::Chunked(_) | At::Asked => {}
        }
        Ok(())
    }

    fn head(&mut self, framing: &Framing) {
        self.heads += 1;
        self.asks_to_switch = framing.asks_to_switch || framing.is_connect;
        match framing.length {
            _ if framing.is_chunked => self.at = At::Chunked(Chunks::new()),
            Some(length) if length > 0 => self.at = At::Length(length),
            _ => self.end(),
        }
    }

    /// A message is complete.
    fn end(&mut self) {
        self.at = if self.asks_to_switch {
            At::Asked
        } else {
            At::Before { empty: 0 }
        };
    }
}
