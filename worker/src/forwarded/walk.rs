//! The walk from the peer to the client, for both families of headers.

use std::borrow::Cow;
use std::net::IpAddr;

use brigade_config::Trusted;
use http::{HeaderMap, HeaderValue};

use super::address::{address, host, port, prefix, scheme};
use super::list::{backwards, last_element};

/// What proxies that are believed have said.
#[derive(PartialEq, Eq, Default, Debug)]
pub(super) struct Told<'a> {
    /// The client; none: the peer is the farthest that is known.
    pub(super) client: Option<IpAddr>,
    /// How it spoke to the first proxy.
    pub(super) scheme: Option<&'static str>,
    /// Whom it asked for.
    pub(super) host: Option<Cow<'a, str>>,
    /// Where the first proxy shows this service.
    pub(super) prefix: Option<&'a str>,
}

/// The lines of the headers that matter, in their order. Found in one pass: most requests of a
/// proxy have two or three of them among a dozen others.
#[derive(Default, Debug)]
pub(super) struct Lines<'a> {
    of: Vec<&'a HeaderValue>,
    proto: Vec<&'a HeaderValue>,
    host: Vec<&'a HeaderValue>,
    port: Vec<&'a HeaderValue>,
    prefix: Vec<&'a HeaderValue>,
    forwarded: Vec<&'a HeaderValue>,
}

impl<'a> Lines<'a> {
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        let mut lines = Self::default();
        for (name, value) in headers {
            let name = name.as_str();
            let Some(rest) = name.strip_prefix("x-forwarded-") else {
                if name == "forwarded" {
                    lines.forwarded.push(value);
                }
                continue;
            };
            match rest {
                "for" => lines.of.push(value),
                "proto" => lines.proto.push(value),
                "host" => lines.host.push(value),
                "port" => lines.port.push(value),
                "prefix" => lines.prefix.push(value),
                _ => {}
            }
        }
        lines
    }

    /// Whether there is any of the family `X-Forwarded-*`.
    pub(super) fn has_x_forwarded(&self) -> bool {
        let lines = [&self.of, &self.proto, &self.host, &self.port, &self.prefix];
        lines.iter().any(|lines| !lines.is_empty())
    }
}

/// `X-Forwarded-*`, from a peer that is believed.
pub(super) fn x_forwarded<'a>(lines: &'a Lines<'a>, trusted: &Trusted) -> Told<'a> {
    let mut client = None;
    // How many proxies have each appended an entry that counts, beginning with the peer.
    let mut hops: usize = 0;
    for entry in backwards(&lines.of) {
        let Some(found) = entry.and_then(address) else {
            break;
        };
        client = Some(found);
        hops += 1;
        if !trusted.covers(found) {
            break;
        }
    }
    // A proxy that appends to one list appends to the others; one that writes anew leaves one
    // entry. So the entry beside the client's counts, or else the farthest that there is.
    let beside = |lines: &'a [&'a HeaderValue]| at(lines, hops.saturating_sub(1));
    let scheme = beside(&lines.proto).and_then(scheme);
    let host = beside(&lines.host).and_then(host);
    let port = beside(&lines.port).and_then(port);
    Told {
        client,
        scheme,
        host: host.map(|host| with_port(host, port, scheme)),
        prefix: beside(&lines.prefix).and_then(prefix),
    }
}

/// The entry at this place, counted from the end, or the first one.
fn at<'a>(lines: &'a [&'a HeaderValue], place: usize) -> Option<&'a str> {
    let mut farthest = None;
    for entry in backwards(lines).take(place + 1) {
        farthest = entry;
    }
    farthest
}

/// The port belongs to the host, unless it has one or it is the scheme's own.
fn with_port<'a>(host: &'a str, port: Option<u16>, scheme: Option<&str>) -> Cow<'a, str> {
    let has_port = host.rsplit_once(':').is_some() && !host.ends_with(']');
    let usual = match scheme {
        Some("https") => Some(443),
        Some(_) => Some(80),
        // Without a scheme either may be the usual one.
        None => port.filter(|port| [80, 443].contains(port)),
    };
    match port {
        Some(port) if !has_port && Some(port) != usual => Cow::Owned(format!("{host}:{port}")),
        _ => Cow::Borrowed(host),
    }
}

/// `Forwarded`, from a peer that is believed. Scheme and host are those that stand beside the
/// client.
pub(super) fn forwarded<'a>(lines: &'a Lines<'a>, trusted: &Trusted) -> Told<'a> {
    let mut told = Told::default();
    for line in lines.forwarded.iter().rev() {
        let mut rest = Some(line.as_bytes());
        while let Some(line) = rest {
            let Some((element, before)) = last_element(line) else {
                return told;
            };
            rest = before;
            told.scheme = element.proto.as_deref().and_then(scheme).or(told.scheme);
            let found = element.host.filter(|name| host(name).is_some());
            told.host = found.or(told.host);
            // `unknown` and `_hidden` are no addresses: nobody knows who wrote what is beyond.
            let Some(found) = element.of.as_deref().and_then(address) else {
                return told;
            };
            told.client = Some(found);
            if !trusted.covers(found) {
                return told;
            }
        }
    }
    told
}
