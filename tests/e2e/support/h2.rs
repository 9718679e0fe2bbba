//! A client of HTTP/2 in plain frames, with prior knowledge, that keeps several requests on their
//! way and accounts for each: answered, given back by a GOAWAY that names an earlier last stream
//! (it was not begun, and is asked again), or lost.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::http::Address;
use super::log::PATIENCE;
use super::tls::TlsClient;

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const ACK: u8 = 1;
/// Of DATA and HEADERS.
pub(crate) const END_STREAM: u8 = 1;
/// Of HEADERS: whole, and nothing follows.
pub(crate) const COMPLETE: u8 = 5;
/// HPACK: the status 200, from the static table.
const OK: u8 = 0x88;

trait Wire: Read + Write + Send {}
impl<T: Read + Write + Send> Wire for T {}

/// One frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    pub(crate) fn new(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Self {
        let payload = payload.to_vec();
        Self {
            kind,
            flags,
            stream,
            payload,
        }
    }

    /// A whole request: GET of a path of less than 127 bytes.
    pub(crate) fn get(stream: u32, path: &str) -> Self {
        let mut head = vec![0x82, 0x86, 0x04, path.len() as u8];
        head.extend_from_slice(path.as_bytes());
        head.extend_from_slice(b"\x41\x04test");
        Self::new(HEADERS, COMPLETE, stream, &head)
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = (self.payload.len() as u32).to_be_bytes()[1..].to_vec();
        bytes.extend([self.kind, self.flags]);
        bytes.extend(self.stream.to_be_bytes());
        bytes.extend_from_slice(&self.payload);
        bytes
    }

    /// The last stream that a GOAWAY names.
    pub(crate) fn last_stream(&self) -> u32 {
        u32::from_be_bytes(self.payload[..4].try_into().unwrap()) & 0x7fff_ffff
    }
}

/// A connection.
pub(crate) struct Http2 {
    wire: Box<dyn Wire>,
}

impl Http2 {
    /// Connects and begins. The window of the whole connection is opened wide.
    pub(crate) fn connect(address: &Address) -> io::Result<Self> {
        Self::connect_after(address, &[])
    }

    /// The same, behind what somebody in between has to say first.
    pub(crate) fn connect_after(address: &Address, before: &[u8]) -> io::Result<Self> {
        let limit = Some(Duration::from_secs(20));
        let wire: Box<dyn Wire> = match address {
            Address::Tcp(address) => {
                let stream = TcpStream::connect(address)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(limit)?;
                Box::new(stream)
            }
            Address::Unix(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(limit)?;
                Box::new(stream)
            }
            Address::Abstract(_) => panic!("not needed so far"),
        };
        Self::over(wire, before)
    }

    /// Begins over a connection that stands.
    fn over(wire: Box<dyn Wire>, before: &[u8]) -> io::Result<Self> {
        let mut connection = Self { wire };
        let wide = 0x4000_0000_u32.to_be_bytes();
        let begin = [
            before.to_vec(),
            PREFACE.to_vec(),
            Frame::new(SETTINGS, 0, 0, &[]).bytes(),
            Frame::new(WINDOW_UPDATE, 0, 0, &wide).bytes(),
        ];
        connection.wire.write_all(&begin.concat())?;
        Ok(connection)
    }

    /// Connects and begins over TLS.
    pub(crate) fn encrypted(client: &TlsClient, port: u16, name: &str) -> io::Result<Self> {
        let wire = client.http2().stream(port, name, &[])?;
        Self::over(Box::new(wire), &[])
    }

    pub(crate) fn send(&mut self, frames: &[Frame]) -> io::Result<()> {
        let bytes: Vec<u8> = frames.iter().flat_map(Frame::bytes).collect();
        self.wire.write_all(&bytes)
    }

    /// The next frame, or the end. Settings and pings are answered on the way.
    pub(crate) fn next(&mut self) -> io::Result<Option<Frame>> {
        loop {
            let mut head = [0; 9];
            if self.wire.read(&mut head[..1])? == 0 {
                return Ok(None);
            }
            self.wire.read_exact(&mut head[1..])?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; length as usize];
            self.wire.read_exact(&mut payload)?;
            let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            let frame = Frame::new(head[3], head[4], stream, &payload);
            match (frame.kind, frame.flags & ACK) {
                (SETTINGS, 0) => self.send(&[Frame::new(SETTINGS, ACK, 0, &[])])?,
                (PING, 0) => self.send(&[Frame::new(PING, ACK, 0, &frame.payload)])?,
                (SETTINGS | PING | WINDOW_UPDATE, _) => {}
                _ => return Ok(Some(frame)),
            }
        }
    }
}

/// What became of the requests of a load.
#[derive(Default, Debug)]
pub(crate) struct Http2Account {
    pub(crate) answered: u64,
    /// Not begun, as the server said, and asked again.
    pub(crate) given_back: u64,
    /// Connections that found nobody.
    pub(crate) refused: u64,
    /// GOAWAYs heard.
    pub(crate) farewells: u64,
    pub(crate) lost: Vec<String>,
    /// Of the workers that answered.
    pub(crate) generations: BTreeSet<i64>,
}

impl Http2Account {
    fn add(&mut self, other: Self) {
        self.answered += other.answered;
        self.given_back += other.given_back;
        self.refused += other.refused;
        self.farewells += other.farewells;
        self.lost.extend(other.lost);
        self.generations.extend(other.generations);
    }
}

/// Clients that run.
#[derive(Debug)]
pub(crate) struct Http2Load {
    stop: Arc<AtomicBool>,
    ended: Arc<AtomicU64>,
    clients: Vec<JoinHandle<Http2Account>>,
}

impl Http2Load {
    /// So many clients, each with so many requests on their way at any time.
    pub(crate) fn start(address: &Address, clients: usize, streams: usize) -> Self {
        let address = address.clone();
        Self::over(move || Http2::connect(&address), clients, streams)
    }

    /// The same, who connect in a way of their own.
    pub(crate) fn over(
        connect: impl Fn() -> io::Result<Http2> + Send + Sync + 'static,
        clients: usize,
        streams: usize,
    ) -> Self {
        let connect: Connect = Arc::new(connect);
        let (stop, ended) = (Arc::default(), Arc::default());
        let client = |_| {
            let mut client = Client {
                connect: Arc::clone(&connect),
                streams,
                stop: Arc::clone(&stop),
                ended: Arc::clone(&ended),
                account: Http2Account::default(),
            };
            thread::spawn(move || {
                while !client.stop.load(Relaxed) {
                    match client.converse() {
                        Ok(()) => {}
                        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                            client.account.refused += 1;
                        }
                        Err(error) => client.account.lost.push(error.to_string()),
                    }
                }
                client.account
            })
        };
        let clients = (0..clients).map(client).collect();
        let load = Self {
            stop,
            ended,
            clients,
        };
        load.flow(100);
        load
    }

    /// Waits until so many more have been answered.
    pub(crate) fn flow(&self, requests: u64) {
        let goal = self.ended.load(Relaxed) + requests;
        let begin = Instant::now();
        while self.ended.load(Relaxed) < goal {
            assert!(begin.elapsed() < PATIENCE, "the load flows");
            thread::yield_now();
        }
    }

    /// Ends what was begun, and sums up.
    pub(crate) fn stop(mut self) -> Http2Account {
        self.stop.store(true, Relaxed);
        let mut sum = Http2Account::default();
        for client in std::mem::take(&mut self.clients) {
            sum.add(client.join().expect("a client ends"));
        }
        sum
    }
}

impl Drop for Http2Load {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
    }
}

type Connect = Arc<dyn Fn() -> io::Result<Http2> + Send + Sync>;

struct Client {
    connect: Connect,
    streams: usize,
    stop: Arc<AtomicBool>,
    ended: Arc<AtomicU64>,
    account: Http2Account,
}

impl Client {
    /// One connection, from its beginning to its end.
    fn converse(&mut self) -> io::Result<()> {
        let mut connection = (self.connect)()?;
        let mut open: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
        let (mut next, mut is_leaving) = (1, false);
        let outcome = loop {
            is_leaving |= self.stop.load(Relaxed);
            let mut frames = VecDeque::new();
            while !is_leaving && open.len() < self.streams {
                open.insert(next, Vec::new());
                frames.push_back(Frame::get(next, "/"));
                next += 2;
            }
            if open.is_empty() && self.stop.load(Relaxed) {
                break Ok(());
            }
            if let Err(error) = connection.send(frames.make_contiguous()) {
                break Err(error);
            }
            match connection.next() {
                Ok(Some(frame)) if frame.kind == GOAWAY => {
                    is_leaving = true;
                    self.account.farewells += 1;
                    let later = open.split_off(&(frame.last_stream().saturating_add(1)));
                    self.account.given_back += later.len() as u64;
                }
                Ok(Some(frame)) => self.take(&frame, &mut open),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        let lost = open.keys().map(|stream| format!("{stream}: {outcome:?}"));
        self.account.lost.extend(lost);
        Ok(())
    }

    /// A part of an answer.
    fn take(&mut self, frame: &Frame, open: &mut BTreeMap<u32, Vec<u8>>) {
        let Some(body) = open.get_mut(&frame.stream) else {
            self.account.lost.push(format!("unasked: {frame:?}"));
            return;
        };
        match frame.kind {
            HEADERS if frame.payload.first() == Some(&OK) => {}
            DATA => body.extend_from_slice(&frame.payload),
            _ => self.account.lost.push(format!("not an answer: {frame:?}")),
        }
        if frame.flags & END_STREAM != 0 || frame.kind == RST_STREAM {
            let body = open.remove(&frame.stream).unwrap_or_default();
            let text = String::from_utf8_lossy(&body).into_owned();
            let generation = text.trim_end().rsplit(' ').next();
            match generation.and_then(|number| number.parse().ok()) {
                Some(generation) => {
                    self.account.generations.insert(generation);
                    self.account.answered += 1;
                }
                None => self.account.lost.push(format!("a wrong body: {text:?}")),
            }
            self.ended.fetch_add(1, Relaxed);
        }
    }
}
