//! The PROXY protocol, versions 1 and 2: a proxy that passes bytes on, and can add no header to a
//! request, says before the first of them whose they are.
//!
//! Who is to send it must, and nobody else may: otherwise anybody could be anybody. So it is read
//! from those peers that `proxy-protocol-from` names, and from others it is an error of HTTP.

use std::cell::Cell;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use brigade_config::Http;
use brigade_shared::board::Counter;
use proxy_header::{Error, ParseConfig, Protocol, ProxyHeader};

use crate::peer::{Endpoint, Line};
use crate::station::Station;
use crate::transport::{Metered, Transport};

/// No honest header is longer; the protocol would allow 64 KiB.
const LONGEST: usize = 4096;
/// The longest line of version 1, by the protocol.
const LONGEST_LINE: usize = 107;
/// What version 1 begins with, and version 2.
const GREETINGS: [&[u8]; 2] = [b"PROXY ", b"\r\n\r\n\0\r\nQUIT\n"];
/// A missing header is logged at most so often.
const PACE_NS: u64 = Duration::from_secs(10).as_nanos() as u64;

/// What a header says.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Said {
    /// The client's address and the one that it connected to; none if the proxy speaks for itself,
    /// or for somebody without an address.
    ends: Option<(SocketAddr, SocketAddr)>,
    /// Whether the client's connection to the proxy is encrypted.
    is_encrypted: bool,
}

/// Why no request can be taken from a connection.
#[derive(Debug)]
pub(crate) enum Unproxied {
    /// The peer left, or was too slow.
    Gone(io::Error),
    /// It began with something else.
    NoHeader,
}

impl fmt::Display for Unproxied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone(error) => error.fmt(f),
            Self::NoHeader => f.write_str("it did not begin with a header of the PROXY protocol"),
        }
    }
}

/// Reads the header, if this peer is to send one, and puts what it says into the line.
pub(crate) async fn introduce<T: Transport>(
    transport: &mut Metered<T>,
    line: &mut Line,
    station: &Station,
) -> Result<(), Unproxied> {
    if !is_expected(&station.config.http, line.remote) {
        return Ok(());
    }
    let outcome = read(transport).await;
    match &outcome {
        Ok(said) => {
            if let Some((client, here)) = said.ends {
                (line.remote, line.local) = (Endpoint::Tcp(client), Endpoint::Tcp(here));
            }
            line.is_encrypted |= said.is_encrypted;
        }
        Err(Unproxied::NoHeader) => station.unproxied.tell(station, line.remote),
        Err(Unproxied::Gone(_)) => {}
    }
    outcome.map(|_| ())
}

fn is_expected(http: &Http, peer: Endpoint) -> bool {
    http.proxy_protocol
        && match peer {
            Endpoint::Tcp(address) => http.proxy_protocol_from.covers(address.ip()),
            Endpoint::Unix => http.proxy_protocol_from.all || http.proxy_protocol_from.unix,
        }
}

async fn read<T: Transport>(transport: &mut Metered<T>) -> Result<Said, Unproxied> {
    let mut seen = 0;
    loop {
        let ahead = transport.look_ahead(seen).await.map_err(Unproxied::Gone)?;
        if ahead.len() == seen {
            return Err(Unproxied::Gone(io::ErrorKind::UnexpectedEof.into()));
        }
        seen = ahead.len();
        if let Some((said, length)) = parse(ahead)? {
            transport.consume(length);
            return Ok(said);
        }
    }
}

/// What the header says and how long it is; nothing as long as it is not whole.
fn parse(ahead: &[u8]) -> Result<Option<(Said, usize)>, Unproxied> {
    let is_begun = |greeting: &&[u8]| {
        let length = greeting.len().min(ahead.len());
        greeting[..length] == ahead[..length]
    };
    if !GREETINGS.iter().any(is_begun) {
        return Err(Unproxied::NoHeader);
    }
    let is_text = ahead.starts_with(GREETINGS[0]);
    // The parser would wait for what a whole line lacks.
    let is_whole = ahead.len() >= LONGEST || (is_text && ahead.contains(&b'\n'));
    match ProxyHeader::parse(ahead, ParseConfig::default()) {
        Err(Error::BufferTooShort) if !is_whole => Ok(None),
        Err(_) => Err(Unproxied::NoHeader),
        Ok((header, length)) => {
            // The parser's numbers may have a sign, a line may go on after a line feed or be too
            // long: whether the parser sees the latter depends on how much has come.
            let line = ahead[..length].strip_suffix(b"\r\n");
            let is_odd = |byte| matches!(byte, b'+' | b'\n');
            let is_odd = is_text && line.is_none_or(|line| line.iter().copied().any(is_odd));
            let address = header.proxied_address();
            let is_stream = address.is_none_or(|address| address.protocol == Protocol::Stream);
            let longest = if is_text { LONGEST_LINE } else { LONGEST };
            if length > longest || is_odd || !is_stream {
                return Err(Unproxied::NoHeader);
            }
            let said = Said {
                ends: address.map(|address| (address.source, address.destination)),
                is_encrypted: header.ssl().is_some_and(|ssl| ssl.client_ssl()),
            };
            Ok(Some((said, length)))
        }
    }
}

/// What `parse` says: none if it is no such header, nothing in it as long as it is not whole.
#[cfg(feature = "fuzzing")]
pub(crate) fn read_for_fuzzing(ahead: &[u8]) -> Option<Option<(crate::fuzz::Proxied, usize)>> {
    let found = parse(ahead).ok()?;
    Some(found.map(|(said, length)| ((said.ends, said.is_encrypted), length)))
}

/// Connections that did not begin as they should have, for the log.
#[derive(Default, Debug)]
pub(crate) struct Missing {
    count: Cell<u64>,
    told_at: Cell<Option<u64>>,
}

impl Missing {
    #[cold]
    fn tell(&self, station: &Station, peer: Endpoint) {
        let connections = self.count.get() + 1;
        self.count.set(connections);
        station.meter.row.count(Counter::ProxyHeadersMissing, 1);
        let now = station.meter.clock.last();
        let told_at = self.told_at.get();
        if told_at.is_some_and(|at| now.saturating_sub(at) < PACE_NS) {
            return;
        }
        self.told_at.set(Some(now));
        let (slot, pid) = (station.slot, station.pid);
        let peer = match peer {
            Endpoint::Tcp(address) => address.ip().to_string(),
            Endpoint::Unix => "unix".to_owned(),
        };
        tracing::warn!(
            event = "proxy_protocol.missing",
            slot,
            pid,
            peer,
            connections,
            "worker {slot} closed a connection from {peer} ({connections} such so far): it did not begin \
             with a header of the PROXY protocol; make the proxy send one, or take the peer out of proxy-protocol-from"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, Said, parse};

    const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

    fn said(bytes: &[u8]) -> Option<(Said, usize)> {
        parse(bytes).expect("a header")
    }

    /// Of version 2: the command and version, the family, addresses and more.
    fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = (rest.len() as u16).to_be_bytes();
        [V2, &[command, family], &length, rest].concat()
    }

    const IPV4: &[u8] = &[203, 0, 113, 7, 10, 0, 0, 1, 0x30, 0x39, 0, 80];

    #[test]
    fn both_versions_tell_the_client_and_where_it_went() {
        let text = b"PROXY TCP4 203.0.113.7 10.0.0.1 12345 80\r\n";
        let bytes = binary(0x21, 0x11, IPV4);
        for header in [&text[..], &bytes] {
            let (said, length) = said(&[header, b"GET / HT"].concat()).unwrap();
            let (client, here) = said.ends.unwrap();
            assert_eq!(client.to_string(), "203.0.113.7:12345");
            assert_eq!(here.to_string(), "10.0.0.1:80");
            assert_eq!((length, said.is_encrypted), (header.len(), false));
        }
        let (said, _) = said(b"PROXY TCP6 2001:db8::1 ::1 1 2\r\n").unwrap();
        assert_eq!(said.ends.unwrap().0.to_string(), "[2001:db8::1]:1");
    }

    #[test]
    fn a_proxy_that_speaks_for_itself_or_for_somebody_unknown_is_the_peer() {
        for header in [
            b"PROXY UNKNOWN\r\n".to_vec(),
            b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n".to_vec(),
            binary(0x20, 0, &[]),
            binary(0x20, 0x11, IPV4),
            binary(0x21, 0, &[]),
            binary(0x21, 0x31, &[b'/'; 216]),
        ] {
            let (said, length) = said(&header).unwrap();
            assert_eq!((said.ends, length), (None, header.len()));
        }
    }

    #[test]
    fn a_proxy_that_took_off_tls_can_say_so() {
        let tls = [&[0x20, 0, 5, 1][..], &[0; 4]].concat();
        let (said, _) = said(&binary(0x21, 0x11, &[IPV4, &tls].concat())).unwrap();
        assert!(said.is_encrypted);
        let plain = [&[0x20, 0, 5, 0][..], &[0; 4]].concat();
        let (said, _) = super::parse(&binary(0x21, 0x11, &[IPV4, &plain].concat()))
            .unwrap()
            .unwrap();
        assert!(!said.is_encrypted);
    }

    #[test]
    fn every_part_of_a_header_is_waited_for_and_nothing_else_is() {
        let text = b"PROXY TCP4 203.0.113.7 10.0.0.1 12345 80\r\n".to_vec();
        for header in [text, binary(0x21, 0x11, IPV4)] {
            for length in 0..header.len() {
                assert_eq!(said(&header[..length]), None, "{length}");
            }
            for at in 0..12.min(header.len() / 8) {
                let mut wrong = header[..=at].to_vec();
                wrong[at] ^= 1;
                assert!(parse(&wrong).is_err(), "{at}");
            }
        }
    }

    #[test]
    fn what_is_no_header_is_refused() {
        let long = vec![0; LONGEST];
        for wrong in [
            b"GET / HTTP/1.1\r\n\r\n".to_vec(),
            b"PROXY\tTCP4 1.1.1.1 2.2.2.2 1 2\r\n".to_vec(),
            b"PROXY TCP4 1.1.1.1 2.2.2.2 +1 2\r\n".to_vec(),
            b"PROXY TCP4 1.1.1.1 2.2.2.2 1 65536\r\n".to_vec(),
            b"PROXY TCP4 1.1.1.256 2.2.2.2 1 2\r\n".to_vec(),
            b"PROXY TCP4 ::1 ::2 1 2\r\n".to_vec(),
            b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n\r".to_vec(),
            b"PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n".to_vec(),
            b"PROXY UDP4 1.1.1.1 2.2.2.2 1 2\r\n".to_vec(),
            b"PROXY UNKNOWN 1.1.1.1\n2.2.2.2 1 2\r\n".to_vec(),
            [&b"PROXY UNKNOWN "[..], &[b'f'; 100], b"\r\n"].concat(),
            [&b"PROXY UNKNOWN "[..], &[b'x'; 120]].concat(),
            binary(0x31, 0x11, IPV4),
            binary(0x22, 0x11, IPV4),
            binary(0x21, 0x12, IPV4),
            [&binary(0x21, 0x11, &IPV4[..11])[..], b"G"].concat(),
            binary(0x21, 0x41, IPV4),
            binary(0x21, 0x11, &[IPV4, &long].concat()),
        ] {
            let text = String::from_utf8_lossy(&wrong).into_owned();
            assert!(parse(&wrong).is_err(), "{text:?}");
        }
    }
}
