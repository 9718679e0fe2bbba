//! Doors for the crate `fuzz`: what reads bytes of strangers, without sockets around it, and what
//! must hold of it whatever they are.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use brigade_config::{AccessFormat, ForwardedFamily, Network, Proxy, Trusted};
use brigade_shared::board::{Board, Ledger};
use brigade_shared::id::{Generation, SlotId, WorkerId};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};

use crate::access;
use crate::forwarded;
use crate::meter::Meter;
use crate::peer::{Endpoint, Line, Peer};
use crate::proxy_protocol;
use crate::strict;

/// So far a header of the PROXY protocol is looked at byte by byte.
const FAR: usize = 600;

thread_local! {
    /// Whoever sends them.
    static PEER: Peer = {
        let board = Arc::new(Board::create().expect("memory"));
        let mut ledger = Ledger::new(Arc::clone(&board));
        let row = ledger.claim(SlotId(0), Generation::FIRST, WorkerId(0));
        let board: &'static Arc<Board> = Box::leak(Box::new(board));
        let meter = Meter::leak(board.row(row.expect("a row")));
        Peer::new(Line {
            remote: Endpoint::Unix,
            local: Endpoint::Unix,
            meter,
            is_encrypted: false,
            tls: None,
        })
    };
}

/// However a header of the PROXY protocol is cut, it is understood or refused alike, and never more
/// of it is taken than there is.
pub fn proxy_header(bytes: &[u8]) {
    let whole = proxy_protocol::read_for_fuzzing(bytes);
    if let Some(Some((_, length))) = &whole {
        assert!(*length <= bytes.len());
    }
    for end in 0..bytes.len().min(FAR) {
        let part = proxy_protocol::read_for_fuzzing(&bytes[..end]);
        // As long as it is not whole, nothing is decided.
        assert!(
            part == Some(None) || part == whole,
            "{part:?} of {end} bytes, {whole:?} of all"
        );
    }
}

/// Whoever stands before an untrusted peer of a trusted proxy can say what he likes, in whatever
/// line of whichever family: the client is that peer.
pub fn forwarded(bytes: &[u8]) {
    let peer = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));
    let trusted = Trusted {
        all: false,
        unix: false,
        networks: vec![Network {
            address: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 0)),
            prefix: 8,
        }],
    };
    let families = [
        (
            ForwardedFamily::XForwarded,
            "x-forwarded-for",
            "203.0.113.9",
        ),
        (ForwardedFamily::Forwarded, "forwarded", "for=203.0.113.9"),
    ];
    for (family, name, appended) in families {
        let proxy = Proxy {
            headers: true,
            trusted: trusted.clone(),
            family,
            ..Proxy::default()
        };
        let mut headers = lines_of(bytes);
        let free = forwarded::said(&proxy, &headers);
        // Alone, what he says is taken or left, and each address in it is one.
        drop(free);
        let name = HeaderName::from_static(name);
        let before = headers.get_all(&name).iter().next_back().cloned();
        headers.append(name.clone(), HeaderValue::from_static(appended));
        let said = forwarded::said(&proxy, &headers);
        assert_eq!(said.and_then(|said| said.client), Some(peer), "{before:?}");
        // The same in one line with the last of his.
        if let Some(before) = before {
            let joined = [before.as_bytes(), b", ", appended.as_bytes()].concat();
            if let Ok(joined) = HeaderValue::from_bytes(&joined) {
                headers.insert(name, joined);
                let said = forwarded::said(&proxy, &headers);
                let client = said.and_then(|said| said.client);
                assert_eq!(client, Some(peer), "{before:?}");
            }
        }
    }
}

/// Whatever a request says, it makes one line of the access log, without a control byte.
pub fn access_line(format: &AccessFormat, bytes: &[u8]) -> String {
    let mut parts = bytes.splitn(3, |byte| *byte == b'\n');
    let mut part = || parts.next().unwrap_or_default();
    let method = Method::from_bytes(part()).unwrap_or(Method::GET);
    let uri = Uri::try_from(part()).unwrap_or_default();
    let mut request = Request::new(());
    *request.headers_mut() = lines_of(part());
    (*request.method_mut(), *request.uri_mut()) = (method, uri);
    let line = PEER.with(|peer| access::line_for_fuzzing(format, &request, peer));
    let text = std::str::from_utf8(&line).expect("text");
    let (last, rest) = text.as_bytes().split_last().expect("a line");
    assert_eq!(*last, b'\n', "{text:?}");
    assert!(rest.iter().all(|byte| !byte.is_ascii_control()), "{text:?}");
    text.to_owned()
}

/// However HTTP/1 is cut, it is in order or not, alike.
pub fn head(bytes: &[u8]) {
    let whole = strict::scan_for_fuzzing(bytes, bytes.len());
    for size in [1, 2, 3, 7, 64] {
        let parts = strict::scan_for_fuzzing(bytes, size);
        assert_eq!(parts, whole, "in pieces of {size} bytes");
    }
}

/// Lines `name: value` as headers; what is none is left out.
fn lines_of(bytes: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n').take(64) {
        let colon = line.iter().position(|byte| *byte == b':');
        let Some((name, value)) = colon.and_then(|at| line.split_at_checked(at)) else {
            continue;
        };
        let name = HeaderName::from_bytes(name.trim_ascii());
        let value = HeaderValue::from_bytes(value[1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    headers
}

/// What a header of the PROXY protocol came to: the two ends, and whether TLS was taken off.
pub(crate) type Proxied = (Option<(SocketAddr, SocketAddr)>, bool);
