//! Requests that never reach the app.

use brigade_shared::board::Counter;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode, response};

/// Why a request is answered in the app's stead, and how. It is counted like every answer, by its
/// status.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// What the client reads: a line.
    pub(crate) text: &'static str,
    /// Whether the connection ends with it (in HTTP/2 only the stream does): nobody can know where
    /// the next request begins, or shall have a next one.
    pub(crate) closes: bool,
    /// When to come again, in seconds.
    pub(crate) retry_after: Option<u32>,
    /// What it is counted as, beside its status.
    pub(crate) counter: Option<Counter>,
}

impl Refusal {
    /// The app had no answer.
    pub(crate) const SORRY: Self =
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error\n");

    /// The connection stays, and nothing more is counted.
    pub(crate) const fn new(status: StatusCode, text: &'static str) -> Self {
        Self {
            status,
            text,
            closes: false,
            retry_after: None,
            counter: None,
        }
    }

    /// The head of its answer.
    pub(crate) fn head(&self) -> response::Parts {
        let (mut head, ()) = Response::new(()).into_parts();
        head.status = self.status;
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        head.headers.insert(CONTENT_TYPE, text);
        if let Some(seconds) = self.retry_after {
            head.headers.insert(RETRY_AFTER, seconds.into());
        }
        head
    }
}
