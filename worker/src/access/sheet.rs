//! What is written down of one request until its line is whole.

use brigade_config::{AccessField as Field, AccessStyle as Style};
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};

use super::address::{put_ip, put_socket};
use super::escape::{inside, put};
use super::found::Found;
use super::ink::Ink;
use super::plan::{Late, Plan, Put, Step};
use super::stamp::{Stamps, put_number, put_seconds};
use super::unread::FirstLine;
use crate::forwarded::is_id;
use crate::peer::{Endpoint, Peer};

/// The most bytes of a value: a whole line of the formats with names fits into what a pipe takes
/// in one piece (4096 bytes), so that lines of several workers stay whole.
pub(super) const MOST_OF_TARGET: usize = 2000;
pub(super) const MOST_OF_PATH: usize = 1200;
pub(super) const MOST_OF_OTHERS: usize = 400;

/// The status that nginx's users know: the client was gone before there was an answer.
const GONE: u16 = 499;
/// When a proxy had the request, in its words.
const REQUEST_START: HeaderName = HeaderName::from_static("x-request-start");
/// Larger ones are not kept for other requests.
const LARGEST_KEPT: usize = 8 << 10;

/// One request's; used again for others.
#[derive(Default, Debug)]
pub(crate) struct Sheet {
    /// What is known at the beginning.
    text: Ink,
    /// Where in `text` something is to be put in.
    cuts: Vec<u32>,
    /// Headers of the answer, and where each ends.
    replies: Ink,
    reply_ends: Vec<u32>,
    /// Whether it is written however quick the answer is.
    pub(super) is_picked: bool,
    pub(super) started_ns: u64,
    status: Option<u16>,
    head_ns: u64,
    bytes: u64,
    /// So many bytes shall it be, if that is known.
    length: Option<u64>,
    /// Whether the answer has no body because of what was asked.
    is_head: bool,
    is_complete: bool,
}

/// A sheet that waits for a request, with the memory that it has had.
#[derive(Debug)]
pub(super) struct Blank(pub(super) Box<Sheet>);

/// What is known when a request begins.
pub(super) struct Scene<'a> {
    pub(super) method: &'a Method,
    pub(super) uri: &'a Uri,
    pub(super) version: Version,
    pub(super) headers: &'a HeaderMap,
    pub(super) peer: &'a Peer,
    /// There is no request, only this.
    pub(super) unread: Option<FirstLine<'a>>,
    /// Whether the peer's own headers count.
    pub(super) is_believed: bool,
    pub(super) started_ns: u64,
    /// When its work begins, if that matters.
    pub(super) now_ns: u64,
}

impl<'a> Scene<'a> {
    pub(super) fn of<B>(request: &'a Request<B>, peer: &'a Peer) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            version: request.version(),
            headers: request.headers(),
            peer,
            unread: None,
            is_believed: false,
            started_ns: 0,
            now_ns: 0,
        }
    }
}

/// The whole line of a request that was answered at once.
#[cfg(feature = "fuzzing")]
pub(crate) fn line_for_fuzzing(
    format: &brigade_config::AccessFormat,
    request: &Request<()>,
    peer: &Peer,
) -> Vec<u8> {
    let plan = Plan::of(format, 0, 1);
    let mut sheet = Sheet::default();
    let mut line = Ink::default();
    sheet.begin(&plan, &Scene::of(request, peer), &mut Stamps::new());
    // An answer may repeat what it was asked.
    sheet.answered(&plan, 200, request.headers(), None, 1);
    sheet.end(&plan, &mut line, 2);
    line.into_bytes()
}

impl Sheet {
    /// Writes down what is known at the beginning.
    pub(super) fn begin(&mut self, plan: &Plan, scene: &Scene<'_>, stamps: &mut Stamps) {
        self.text.clear();
        self.cuts.clear();
        self.replies.clear();
        self.reply_ends.clear();
        self.started_ns = scene.started_ns;
        (self.status, self.head_ns, self.bytes, self.length) = (None, 0, 0, None);
        self.is_head = scene.method == Method::HEAD;
        self.is_complete = false;
        let found = Found::of(scene.headers, &plan.asked);
        for step in &plan.steps {
            match step {
                Step::Text(words) => words.put(&mut self.text),
                Step::Early(field, style) => scene.put(&mut self.text, field, *style, stamps),
                Step::Header(at, style) => {
                    put(&mut self.text, found.get(*at), *style, MOST_OF_OTHERS);
                }
                Step::Host(at, style) => {
                    let host = scene.host().or_else(|| found.get(*at));
                    put(&mut self.text, host, *style, MOST_OF_OTHERS);
                }
                Step::Id(at, style) => {
                    let id = found.get(*at).filter(|id| is_id(id));
                    put(&mut self.text, id, *style, MOST_OF_OTHERS);
                }
                Step::Cut => self.cuts.push(self.text.len() as u32),
            }
        }
    }

    /// The answer has this head.
    /// `length` is that of its body, if the body knows it.
    pub(super) fn answered(
        &mut self,
        plan: &Plan,
        status: u16,
        headers: &HeaderMap,
        length: Option<u64>,
        now_ns: u64,
    ) {
        (self.status, self.head_ns) = (Some(status), now_ns);
        let has_none = self.is_head || status < 200 || matches!(status, 204 | 304);
        let declared = || headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok();
        self.length = if has_none {
            Some(0)
        } else {
            length.or_else(declared)
        };
        for (name, style) in &plan.replies {
            let value = headers.get(name).map(HeaderValue::as_bytes);
            put(&mut self.replies, value, *style, MOST_OF_OTHERS);
            self.reply_ends.push(self.replies.len() as u32);
        }
    }

    /// It was refused before it was a request: with an answer that has so many bytes, or without.
    pub(super) fn refused(&mut self, status: u16, answer: Option<u64>) {
        self.status = Some(status);
        if let Some(bytes) = answer {
            (self.head_ns, self.length, self.bytes) = (self.started_ns, answer, bytes);
        }
    }

    /// So many bytes more of the answer's body.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    /// The answer has come to its end.
    pub(crate) fn completed(&mut self) {
        self.is_complete = true;
    }

    /// Appends the whole line.
    pub(super) fn end(&self, plan: &Plan, line: &mut Ink, now_ns: u64) {
        let (text, mut done) = (self.text.bytes(), 0);
        let mut replies = self.reply_ends.iter().map(|end| *end as usize);
        let mut reply_start = 0;
        for (Put { what, style, after }, cut) in plan.late.iter().zip(&self.cuts) {
            let cut = *cut as usize;
            if cut > done {
                line.put(&text[done..cut]);
                done = cut;
            }
            match what {
                Late::Status => put_number(line, self.status.unwrap_or(GONE).into()),
                Late::Bytes => put_number(line, self.bytes),
                Late::Duration => put_seconds(line, now_ns.saturating_sub(self.started_ns)),
                Late::Ttfb if self.head_ns > 0 => {
                    put_seconds(line, self.head_ns.saturating_sub(self.started_ns));
                }
                Late::Ttfb => put(line, None, *style, 0),
                Late::End => {
                    // hyper does not ask for the end of a body whose length it knows.
                    let is_complete = self.is_complete || self.length == Some(self.bytes);
                    let word: &[u8] = if is_complete { b"complete" } else { b"aborted" };
                    quoted(line, *style, |line| line.put(word));
                }
                Late::Reply => match replies.next() {
                    Some(end) => {
                        line.put(&self.replies.bytes()[reply_start..end]);
                        reply_start = end;
                    }
                    None => put(line, None, *style, 0),
                },
            }
            after.put(line);
        }
        line.put(&text[done..]);
        line.put_byte(b'\n');
    }

    /// Whether it may be used for another request.
    pub(super) fn is_small(&self) -> bool {
        self.text.capacity() + self.replies.capacity() <= LARGEST_KEPT
    }
}

impl Scene<'_> {
    fn put(&self, line: &mut Ink, field: &Field, style: Style, stamps: &mut Stamps) {
        if self
            .unread
            .is_some_and(|first| first.put(line, field, style))
        {
            return;
        }
        match field {
            Field::Remote => self.put_remote(line, style),
            Field::Peer => self.put_peer(line, style),
            Field::Scheme => plainly(line, self.peer.scheme(), style),
            Field::Method => self.put_method(line, style),
            Field::Path => put(line, Some(self.uri.path().as_bytes()), style, MOST_OF_PATH),
            Field::Query => put(
                line,
                self.uri.query().map(str::as_bytes),
                style,
                MOST_OF_PATH,
            ),
            Field::Target => put(line, Some(self.target().as_bytes()), style, MOST_OF_TARGET),
            Field::Protocol => plainly(line, self.protocol(), style),
            Field::Request => self.put_request(line, style),
            Field::Time => quoted(line, style, |line| {
                stamps.put_rfc3339(line, self.started_ns)
            }),
            Field::ClfTime => quoted(line, style, |line| stamps.put_clf(line, self.started_ns)),
            Field::Epoch => stamps.put_epoch(line, self.started_ns),
            Field::Queue => put_seconds(line, self.queue_ns(stamps)),
            Field::Tls => put(line, self.tls().map(str::as_bytes), style, MOST_OF_OTHERS),
            // Steps, cuts and words of their own.
            Field::Host
            | Field::Id
            | Field::Worker
            | Field::Pid
            | Field::Status
            | Field::Bytes
            | Field::Ttfb
            | Field::Duration
            | Field::End
            | Field::Referer
            | Field::Agent
            | Field::Header(_)
            | Field::Response(_) => {}
        }
    }

    /// As a proxy or the target says.
    fn host(&self) -> Option<&[u8]> {
        let authority = || self.uri.authority().map(|host| host.as_str());
        let host = self.peer.host().or_else(authority);
        host.map(str::as_bytes)
    }

    fn put_remote(&self, line: &mut Ink, style: Style) {
        match self.peer.client_ip() {
            Some(address) => quoted(line, style, |line| put_ip(line, address)),
            None => plainly(line, "unix", style),
        }
    }

    fn put_peer(&self, line: &mut Ink, style: Style) {
        match self.peer.remote() {
            Endpoint::Tcp(address) => quoted(line, style, |line| put_socket(line, address)),
            Endpoint::Unix => plainly(line, "unix", style),
        }
    }

    /// A token (RFC 9110, 5.6.2), which needs no escape, but may be long.
    fn put_method(&self, line: &mut Ink, style: Style) {
        let method = self.method.as_str();
        match method.len() {
            0..=MOST_OF_OTHERS => plainly(line, method, style),
            _ => put(line, Some(method.as_bytes()), style, MOST_OF_OTHERS),
        }
    }

    /// Path and query; of CONNECT, the authority.
    fn target(&self) -> &str {
        let path = self.uri.path_and_query().map(|target| target.as_str());
        let authority = || self.uri.authority().map(|authority| authority.as_str());
        path.or_else(authority).unwrap_or("")
    }

    fn protocol(&self) -> &'static str {
        match self.version {
            Version::HTTP_10 => "HTTP/1.0",
            Version::HTTP_11 => "HTTP/1.1",
            Version::HTTP_2 => "HTTP/2.0",
            _ => "HTTP",
        }
    }

    fn put_request(&self, line: &mut Ink, style: Style) {
        let space: &[u8] = if style == Style::Bare { b"\\x20" } else { b" " };
        quoted(line, style, |line| {
            inside(line, self.method.as_str().as_bytes(), style, MOST_OF_OTHERS);
            line.put(space);
            inside(line, self.target().as_bytes(), style, MOST_OF_TARGET);
            line.put(space);
            line.put(self.protocol().as_bytes());
        });
    }

    fn tls(&self) -> Option<&str> {
        self.peer.tls().map(|facts| facts.version())
    }

    /// From the stamp of a proxy that is believed, or from the turn of the loop that found the
    /// request, to the beginning of its work.
    fn queue_ns(&self, stamps: &Stamps) -> u64 {
        let stamp = || unix_ns(self.headers.get(REQUEST_START)?.to_str().ok()?);
        match self.is_believed.then(stamp).flatten() {
            Some(stamped) => stamps.unix_ns(self.now_ns).saturating_sub(stamped),
            None => self.now_ns.saturating_sub(self.started_ns),
        }
    }
}

/// A proxy's stamp, `t=` before it or not, in seconds, milli-, micro- or nanoseconds since 1970: each
/// is a thousand times the one before, and any day of these decades is told apart by its size.
fn unix_ns(stamp: &str) -> Option<u64> {
    let number: f64 = stamp.strip_prefix("t=").unwrap_or(stamp).parse().ok()?;
    let scale = match number {
        1e8..1e11 => 1e9,
        1e11..1e14 => 1e6,
        1e14..1e17 => 1e3,
        1e17..1e19 => 1.0,
        _ => return None,
    };
    Some((number * scale) as u64)
}

/// What is never in need of an escape.
#[inline]
fn quoted(line: &mut Ink, style: Style, value: impl FnOnce(&mut Ink)) {
    let is_json = style == Style::Json;
    if is_json {
        line.put_byte(b'"');
    }
    value(line);
    if is_json {
        line.put_byte(b'"');
    }
}

fn plainly(line: &mut Ink, value: &str, style: Style) {
    quoted(line, style, |line| line.put(value.as_bytes()));
}
