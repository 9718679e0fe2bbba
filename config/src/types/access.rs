//! The access log: where it goes, which requests it tells of, and what of them.

use std::path::PathBuf;
use std::time::Duration;

/// What a worker writes of the requests that it has answered.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct AccessLog {
    /// Where to; none: there is no access log.
    pub to: Option<AccessLogTo>,
    /// What of each request.
    pub format: AccessFormat,
    /// Of so many requests one is written, by chance; none: see `slower_than`.
    pub sample: Option<u32>,
    /// All requests are written that took longer than this. If it is given, of the others only
    /// those that `sample` picks; if neither is given, all are written.
    pub slower_than: Option<Duration>,
}

/// Where the access log goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AccessLogTo {
    /// The supervisor's standard output.
    Output,
    /// A file, appended to. The supervisor opens it.
    File(PathBuf),
}

/// What a line of the access log says.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct AccessFormat {
    /// The words that it was read from.
    pub words: String,
    /// The parts of a line, in their order, without the line feed at its end.
    pub parts: Vec<AccessPart>,
}

/// A part of a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AccessPart {
    /// These words.
    Text(String),
    /// What is known of the request.
    Field(AccessField, AccessStyle),
}

/// How a value is written, so that nobody can forge another one by it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccessStyle {
    /// Ended by a space: spaces are escaped too.
    Bare,
    /// Between quotation marks of the format.
    Quoted,
    /// As a value of JSON, with its own quotation marks; `null` if there is none.
    Json,
}

/// What can be told of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AccessField {
    /// The client's address, told by trusted proxies or the peer's.
    Remote,
    /// The peer's address and port.
    Peer,
    /// The host that was asked for.
    Host,
    /// `http` or `https`.
    Scheme,
    /// The method.
    Method,
    /// The path without the query.
    Path,
    /// The query, without the question mark.
    Query,
    /// Path and query as they came.
    Target,
    /// `HTTP/1.1`.
    Protocol,
    /// `GET /path?query HTTP/1.1`.
    Request,
    /// The status; 499 if the client was gone before there was one.
    Status,
    /// The bytes of the answer's body.
    Bytes,
    /// When the request began, RFC 3339 in UTC to the millisecond.
    Time,
    /// The same as servers have always written it: `21/Nov/2026:22:30:00 +0000`.
    ClfTime,
    /// The same in seconds since 1970, to the millisecond.
    Epoch,
    /// Seconds, to the microsecond, from the end of the request's head to the answer's head.
    Ttfb,
    /// Seconds from the end of the request's head to the end of the answer.
    Duration,
    /// Seconds that the request waited for the worker's loop, from a trusted proxy's
    /// `X-Request-Start` if there is one.
    Queue,
    /// `complete`, or `aborted` if the answer was not written to its end.
    End,
    /// The number of the worker's slot.
    Worker,
    /// The process.
    Pid,
    /// The request's id.
    Id,
    /// The version of TLS.
    Tls,
    /// The header `referer`.
    Referer,
    /// The header `user-agent`.
    Agent,
    /// A header of the request, in lower case.
    Header(String),
    /// A header of the answer, in lower case.
    Response(String),
}
