//! A plain HTTP/1.1 client over std sockets, which tells every way in which a request may end.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddr, UnixStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A request without an answer after this time hangs.
const DEADLINE: Duration = Duration::from_secs(20);

/// Where somebody listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Address {
    /// TCP.
    Tcp(SocketAddr),
    /// A Unix socket with a file.
    Unix(PathBuf),
    /// A Unix socket without one.
    Abstract(String),
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Trouble {
    /// Nobody listens.
    Refused,
    /// There is no such socket file.
    NoFile,
    /// The peer reset the connection.
    Reset,
    /// The peer closed the connection before the first byte of an answer.
    Closed,
    /// The peer closed the connection in the middle of an answer.
    Cut,
    /// Nothing came in time.
    Hung,
    /// What came is not the answer: in words.
    Wrong(String),
}

/// A whole answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    /// The body without its framing.
    pub(crate) body: Vec<u8>,
}

/// What an idle connection's other end has done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Peer {
    /// Nothing.
    Quiet,
    /// It closed the connection.
    Gone,
    /// It sent something unasked, or reset the connection.
    Rude,
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: Stream,
    inbox: Vec<u8>,
    /// When the first byte of all came.
    pub(crate) first_byte: Option<Instant>,
}

#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Address {
    /// Reads the form in which the log tells it.
    pub(crate) fn parse(text: &str) -> Self {
        if let Some(name) = text.strip_prefix("unix:@") {
            Self::Abstract(name.to_owned())
        } else if let Some(path) = text.strip_prefix("unix:") {
            Self::Unix(path.into())
        } else {
            let authority = text
                .strip_prefix("http://")
                .or_else(|| text.strip_prefix("https://"))
                .unwrap_or(text)
                .trim_end_matches('/');
            Self::Tcp(
                authority
                    .parse()
                    .unwrap_or_else(|_| panic!("not an address: {text:?}")),
            )
        }
    }

    /// The TCP port.
    pub(crate) fn port(&self) -> u16 {
        match self {
            Self::Tcp(address) => address.port(),
            Self::Unix(_) | Self::Abstract(_) => panic!("{self:?} has no port"),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind as Kind;
        match error.kind() {
            Kind::ConnectionRefused => Self::Refused,
            Kind::NotFound => Self::NoFile,
            Kind::ConnectionReset | Kind::BrokenPipe | Kind::ConnectionAborted => Self::Reset,
            Kind::WouldBlock | Kind::TimedOut => Self::Hung,
            _ => Self::Wrong(error.to_string()),
        }
    }
}

impl Answer {
    /// The value of a header; the name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Whether the peer will close the connection now.
    pub(crate) fn is_last(&self) -> bool {
        self.header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }

    /// The number that follows this word in the body: `pid 4711`.
    pub(crate) fn number(&self, word: &str) -> Option<i64> {
        let text = self.text();
        let mut words = text
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|w| !w.is_empty());
        words.find(|found| *found == word)?;
        words.next()?.parse().ok()
    }
}

impl Connection {
    /// Connects.
    pub(crate) fn open(address: &Address) -> Result<Self, Trouble> {
        let stream = match address {
            Address::Tcp(address) => {
                let stream = TcpStream::connect_timeout(address, DEADLINE)?;
                stream.set_nodelay(true)?;
                Stream::Tcp(stream)
            }
            Address::Unix(path) => Stream::Unix(UnixStream::connect(path)?),
            Address::Abstract(name) => {
                let name = UnixAddr::from_abstract_name(name)?;
                Stream::Unix(UnixStream::connect_addr(&name)?)
            }
        };
        let connection = Self {
            stream,
            inbox: Vec::new(),
            first_byte: None,
        };
        connection.patience(DEADLINE)?;
        Ok(connection)
    }

    fn patience(&self, patience: Duration) -> io::Result<()> {
        let patience = Some(patience.max(Duration::from_millis(1)));
        match &self.stream {
            Stream::Tcp(stream) => {
                stream.set_read_timeout(patience)?;
                stream.set_write_timeout(patience)
            }
            Stream::Unix(stream) => {
                stream.set_read_timeout(patience)?;
                stream.set_write_timeout(patience)
            }
        }
    }

    fn set_nonblocking(&self, yes: bool) -> io::Result<()> {
        match &self.stream {
            Stream::Tcp(stream) => stream.set_nonblocking(yes),
            Stream::Unix(stream) => stream.set_nonblocking(yes),
        }
    }

    /// What the other end of an idle connection has done meanwhile.
    pub(crate) fn peer(&mut self) -> Peer {
        let read = self
            .set_nonblocking(true)
            .and_then(|()| self.read(&mut [0; 1]));
        let restored = self.set_nonblocking(false);
        match read {
            _ if restored.is_err() || !self.inbox.is_empty() => Peer::Rude,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Peer::Quiet,
            Ok(0) => Peer::Gone,
            Ok(_) | Err(_) => Peer::Rude,
        }
    }

    /// A second handle on the same socket: to send while another thread receives.
    pub(crate) fn share(&self) -> Self {
        let stream = match &self.stream {
            Stream::Tcp(stream) => Stream::Tcp(stream.try_clone().unwrap()),
            Stream::Unix(stream) => Stream::Unix(stream.try_clone().unwrap()),
        };
        Self {
            stream,
            inbox: Vec::new(),
            first_byte: None,
        }
    }

    /// Sends these bytes as they are.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> Result<(), Trouble> {
        let bytes = bytes.as_ref();
        match &mut self.stream {
            Stream::Tcp(stream) => stream.write_all(bytes)?,
            Stream::Unix(stream) => stream.write_all(bytes)?,
        }
        Ok(())
    }

    /// GET.
    pub(crate) fn get(&mut self, path: &str) -> Result<Answer, Trouble> {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n"))?;
        self.receive()
    }

    /// POST with a body.
    pub(crate) fn post(&mut self, path: &str, body: &[u8]) -> Result<Answer, Trouble> {
        let length = body.len();
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: test\r\ncontent-length: {length}\r\n\r\n");
        self.send([head.as_bytes(), body].concat())?;
        self.receive()
    }

    /// Receives one answer.
    pub(crate) fn receive(&mut self) -> Result<Answer, Trouble> {
        let mut answer = self.receive_head()?;
        answer.body = self.receive_body(&answer)?;
        Ok(answer)
    }

    /// Receives the body that follows this head.
    pub(crate) fn receive_body(&mut self, head: &Answer) -> Result<Vec<u8>, Trouble> {
        if head.header("transfer-encoding") == Some("chunked") {
            self.chunks()
        } else if let Some(length) = head.header("content-length") {
            let wrong = |_| Trouble::Wrong(format!("content-length: {length}"));
            self.take(length.parse().map_err(wrong)?)
        } else if head.status == 204 || head.status == 304 {
            Ok(Vec::new())
        } else {
            self.rest()
        }
    }

    /// Receives the head of an answer; to HEAD there is nothing more.
    pub(crate) fn receive_head(&mut self) -> Result<Answer, Trouble> {
        let deadline = Instant::now() + DEADLINE;
        let end = loop {
            if let Some(end) = self
                .inbox
                .windows(4)
                .position(|window| window == b"\r\n\r\n")
            {
                break end;
            }
            let begun = !self.inbox.is_empty();
            self.more(deadline, if begun { Trouble::Cut } else { Trouble::Closed })?;
        };
        let head = String::from_utf8_lossy(&self.inbox[..end]).into_owned();
        self.inbox.drain(..end + 4);
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .and_then(|line| line.strip_prefix("HTTP/1.")?.get(2..5));
        let Some(status) = status.and_then(|digits| digits.parse().ok()) else {
            return Err(Trouble::Wrong(head));
        };
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        Ok(Answer {
            status,
            headers: lines.filter_map(header).collect(),
            body: Vec::new(),
        })
    }

    fn chunks(&mut self) -> Result<Vec<u8>, Trouble> {
        let mut body = Vec::new();
        loop {
            let line = self.line()?;
            let wrong = |_| Trouble::Wrong(format!("chunk size {line:?}"));
            let size = usize::from_str_radix(line.trim(), 16).map_err(wrong)?;
            body.extend(self.take(size)?);
            self.take(2)?;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn line(&mut self) -> Result<String, Trouble> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(end) = self.inbox.windows(2).position(|window| window == b"\r\n") {
                let line = self.inbox.drain(..end + 2).collect::<Vec<_>>();
                return Ok(String::from_utf8_lossy(&line).into_owned());
            }
            self.more(deadline, Trouble::Cut)?;
        }
    }

    fn take(&mut self, length: usize) -> Result<Vec<u8>, Trouble> {
        while self.inbox.len() < length {
            // Renewed with every byte: a big body may take its time as long as it comes.
            self.more(Instant::now() + DEADLINE, Trouble::Cut)?;
        }
        Ok(self.inbox.drain(..length).collect())
    }

    /// Receives something more of whatever is under way.
    pub(crate) fn receive_some(&mut self) -> Result<(), Trouble> {
        self.more(Instant::now() + DEADLINE, Trouble::Cut)
    }

    /// Everything until the peer closes.
    pub(crate) fn rest(&mut self) -> Result<Vec<u8>, Trouble> {
        loop {
            match self.more(Instant::now() + DEADLINE, Trouble::Closed) {
                Ok(()) => {}
                Err(Trouble::Closed) => return Ok(std::mem::take(&mut self.inbox)),
                Err(trouble) => return Err(trouble),
            }
        }
    }

    /// Waits until the peer closes the connection, which it does without another byte.
    pub(crate) fn closes(&mut self) -> bool {
        self.rest().is_ok_and(|rest| rest.is_empty())
    }

    fn more(&mut self, deadline: Instant, at_end: Trouble) -> Result<(), Trouble> {
        let left = deadline
            .checked_duration_since(Instant::now())
            .ok_or(Trouble::Hung)?;
        self.patience(left)?;
        let mut bytes = [0; 64 * 1024];
        match self.read(&mut bytes)? {
            0 => Err(at_end),
            length => {
                self.first_byte.get_or_insert_with(Instant::now);
                self.inbox.extend_from_slice(&bytes[..length]);
                Ok(())
            }
        }
    }

    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = match &mut self.stream {
                Stream::Tcp(stream) => stream.read(bytes),
                Stream::Unix(stream) => stream.read(bytes),
            };
            // A read with a deadline is not begun again by the kernel, whatever signal it was
            // (socket(7)); a machine that stood still for a moment is no fault of the server.
            match read {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }
}
