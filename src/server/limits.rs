//! What clients are allowed: each limit is finite unless it is set to 0.

use std::time::Duration;

use super::Server;

impl Server {
    /// How long a TLS handshake may take.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # let server = brigade::Server::new();
    /// server
    ///     .timeout_handshake(Duration::from_secs(5))
    ///     .timeout_request(Duration::from_secs(60))
    ///     .limit_body(4 << 20)
    ///     .limit_concurrency(512)
    ///     .limit_peer_connections(0)
    /// # ;
    /// ```
    pub fn timeout_handshake(self, time: Duration) -> Self {
        self.time("timeout-handshake", time)
    }

    /// How long a new connection may say nothing.
    pub fn timeout_first_byte(self, time: Duration) -> Self {
        self.time("timeout-first-byte", time)
    }

    /// The span in which a request's body has to keep [`min_rate_body`](Self::min_rate_body).
    pub fn timeout_body(self, time: Duration) -> Self {
        self.time("timeout-body", time)
    }

    /// So many bytes of a body per second has a client to send; 0: one in each span is enough.
    pub fn min_rate_body(self, bytes: u32) -> Self {
        self.set("min-rate-body", bytes)
    }

    /// The span in which a client has to take [`min_rate_write`](Self::min_rate_write).
    pub fn timeout_write(self, time: Duration) -> Self {
        self.time("timeout-write", time)
    }

    /// So many bytes of an answer per second has a client to take; 0: one in each span is enough.
    pub fn min_rate_write(self, bytes: u32) -> Self {
        self.set("min-rate-write", bytes)
    }

    /// How long a request may take, from its head to the end of its answer; zero: as long as it likes.
    pub fn timeout_request(self, time: Duration) -> Self {
        self.time("timeout-request", time)
    }

    /// The longest first line of a request, in bytes.
    pub fn limit_request_line(self, bytes: u32) -> Self {
        self.set("limit-request-line", bytes)
    }

    /// The largest head of a request, in bytes, its first line included.
    pub fn limit_header_size(self, bytes: u32) -> Self {
        self.set("limit-header-size", bytes)
    }

    /// The most fields in the head of a request.
    pub fn limit_headers(self, fields: u16) -> Self {
        self.set("limit-headers", fields)
    }

    /// The largest body of a request, in bytes; 0: any size.
    pub fn limit_body(self, bytes: u64) -> Self {
        self.set("limit-body", bytes)
    }

    /// The most connections that may be open at all workers; 0: no limit.
    pub fn limit_connections(self, connections: u32) -> Self {
        self.set("limit-connections", connections)
    }

    /// The most connections that may be open at one worker; 0: no limit.
    pub fn limit_worker_connections(self, connections: u32) -> Self {
        self.set("limit-worker-connections", connections)
    }

    /// The most connections that one address may have open at all workers; 0: no limit.
    pub fn limit_peer_connections(self, connections: u32) -> Self {
        self.set("limit-peer-connections", connections)
    }

    /// The most requests that one worker answers at a time, others get 503; 0: no limit.
    pub fn limit_concurrency(self, requests: u32) -> Self {
        self.set("limit-concurrency", requests)
    }

    /// The most requests of one HTTP/2 connection at a time.
    pub fn limit_h2_streams(self, requests: u32) -> Self {
        self.set("limit-h2-streams", requests)
    }

    /// The most streams that an HTTP/2 client may open and reset at a time.
    pub fn limit_h2_resets(self, streams: u32) -> Self {
        self.set("limit-h2-resets", streams)
    }

    /// The most requests that an HTTP/2 client may take back within ten seconds, on one connection.
    pub fn limit_h2_cancels(self, requests: u32) -> Self {
        self.set("limit-h2-cancels", requests)
    }

    /// The most frames that ask for nothing (settings, pings and their like) an HTTP/2 client may send
    /// within ten seconds, on one connection.
    pub fn limit_h2_frames(self, frames: u32) -> Self {
        self.set("limit-h2-frames", frames)
    }

    /// The largest message that may come over a WebSocket, in bytes; 0: any size.
    pub fn ws_max_size(self, bytes: u64) -> Self {
        self.set("ws-max-size", bytes)
    }
}
