//! What a worker allows its clients.

use std::time::Duration;

/// What a worker allows its clients: how long they may take, how much they may send, and how many
/// of them there may be.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Limits {
    /// From the accept to the end of the TLS handshake.
    pub handshake: Duration,
    /// From the accept (or the handshake) to the first byte of the first request.
    pub first_byte: Duration,
    /// How bodies of requests come in.
    pub body_pace: Pace,
    /// How clients take what is written to them.
    pub write_pace: Pace,
    /// From a request's complete head to the end of its answer; none: as long as it takes.
    pub request: Option<Duration>,
    /// Bytes of a request's first line, at most.
    pub request_line: u32,
    /// Bytes of a request's head, at most.
    pub header_size: u32,
    /// Fields of a request's head, at most.
    pub headers: u16,
    /// Bytes of a request's body, at most; none: any number.
    pub body: Option<u64>,
    /// Open connections of all workers; none: any number.
    pub connections: Option<u64>,
    /// Open connections of one worker; none: any number.
    pub worker_connections: Option<u64>,
    /// Open connections of one peer address at all workers; none: any number.
    pub peer_connections: Option<u64>,
    /// Requests that one worker answers at a time; none: any number.
    pub concurrency: Option<u64>,
    /// Streams that an HTTP/2 connection may have open.
    pub h2_streams: u32,
    /// Streams that an HTTP/2 client may have opened and reset before they were looked at.
    pub h2_resets: u32,
    /// Requests that an HTTP/2 client may take back within ten seconds.
    pub h2_cancels: u32,
    /// Frames that ask for nothing which an HTTP/2 client may send within ten seconds.
    pub h2_frames: u32,
    /// Bytes of a message that comes over a WebSocket, at most; none: any number.
    pub ws_message: Option<u64>,
}

/// The least progress that is waited for.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Pace {
    /// In each span of this length, spent waiting for the client,
    pub within: Duration,
    /// so many bytes per second of it have to move; none: a single byte is enough.
    pub rate: Option<u64>,
}

impl Pace {
    /// The fewest bytes that have to move within each span.
    #[must_use]
    pub fn least(self) -> u64 {
        let bytes = self.rate.unwrap_or(0) as f64 * self.within.as_secs_f64();
        (bytes as u64).max(1)
    }
}
